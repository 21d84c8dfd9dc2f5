"""Where a model's widths and prompt are known from, and in which order."""

import json
import re
from pathlib import Path

import pytest
from sentence_transformers import SentenceTransformer
from tiny_models import StaticEmbedding, make_model, write_config
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from bertopic_matryoshka import MatryoshkaBackend, TruncationWarning
from bertopic_matryoshka.embedding._facts import near_zero_dimensions, published_models

PUBLISHED = """---
base_model: minishlab/potion-base-2M
---
"""

CARD = """
* Loss: <code>MatryoshkaLoss</code> with these parameters:
  ```json
  {
      "loss": "MultipleNegativesRankingLoss",
      "matryoshka_dims": [
          24,
          12,
          6
      ],
      "n_dims_per_step": -1
  }
  ```
"""

REAL_NAMES = {
    "nomic-ai/nomic-embed-text-v1.5": ((768, 512, 256, 128, 64), "clustering: "),
    "nomic-ai/nomic-embed-text-v2-moe": ((768, 256), "clustering: "),
    "mixedbread-ai/mxbai-embed-large-v1": ((1024, 512), ""),
    "mixedbread-ai/mxbai-embed-2d-large-v1": ((1024, 768, 512, 256, 128, 64), ""),
    "Snowflake/snowflake-arctic-embed-m-v1.5": ((768, 256), ""),
    "Snowflake/snowflake-arctic-embed-m-v2.0": ((768, 256), ""),
    "Snowflake/snowflake-arctic-embed-l-v2.0": ((1024, 256), ""),
    "google/embeddinggemma-300m": ((768, 512, 256, 128), "task: clustering | query: "),
    "jinaai/jina-embeddings-v3": ((1024, 768, 512, 256, 128, 64, 32), ""),
    "sentence-transformers/static-retrieval-mrl-en-v1": ((1024, 512, 256, 128, 64, 32), ""),
    "sentence-transformers/static-similarity-mrl-multilingual-v1": (
        (1024, 512, 256, 128, 64, 32),
        "",
    ),
    "ibm-granite/granite-embedding-311m-multilingual-r2": ((768, 512, 384, 256, 128), ""),
    "Alibaba-NLP/gte-multilingual-base": ((768, 512, 256, 128), ""),
    "minishlab/potion-base-8M": ((256, 128, 64, 32), ""),
}
HOSTED = {
    "text-embedding-3-small": ((1536, 512), ""),
    "text-embedding-3-large": ((3072, 1024, 256), ""),
    "embed-v4.0": ((1536, 1024, 512, 256), ""),
}
NOT_MATRYOSHKA = [
    "nomic-ai/nomic-embed-text-v1",
    "Snowflake/snowflake-arctic-embed-m",
    "sentence-transformers/all-MiniLM-L6-v2",
    "sentence-transformers/all-mpnet-base-v2",
]


def entries_for(name):
    return [m for m in published_models() if re.search(m["pattern"], name, re.IGNORECASE)]


@pytest.mark.parametrize("name", REAL_NAMES | HOSTED)
def test_published_models(name):
    (entry,) = entries_for(name)
    assert (tuple(entry["dims"]), entry["prompt"]) == (REAL_NAMES | HOSTED)[name]


@pytest.mark.parametrize("size", ["0.6B", "4B", "8B"])
def test_qwen(size):
    (entry,) = entries_for(f"Qwen/Qwen3-Embedding-{size}")
    assert entry["dims"][0] == {"0.6B": 1024, "4B": 2560, "8B": 4096}[size]


@pytest.mark.parametrize("name", NOT_MATRYOSHKA)
def test_models_that_are_not(name):
    assert entries_for(name) == []


def test_every_entry_is_complete():
    for entry in published_models():
        more = ["n_layers"] if "n_layers" in entry else []  # trained after each of them
        assert list(entry) == [
            "pattern", "dims", "prompt", "task", "before_slicing", "source", "note", *more
        ]  # fmt: skip
        assert entry["dims"] == sorted(set(entry["dims"]), reverse=True)
        assert entry["source"].startswith("https://")
        assert entry["before_slicing"] in (None, "layer_norm")


def test_the_order_of_sources(tmp_path):
    """The caller, then config.json, then the model card, then the registry."""
    folder = make_model(tmp_path / "models", card=PUBLISHED, width=64)
    assert MatryoshkaBackend(folder).dims == (64, 32)
    assert MatryoshkaBackend(folder).facts.dims_source.endswith("potion-base-2M")

    card = make_model(tmp_path / "card", width=64, card=PUBLISHED + CARD)
    assert MatryoshkaBackend(card).dims == (24, 12, 6)
    assert MatryoshkaBackend(card).facts.dims_source == "the model card"

    config = {"matryoshka_dimensions": [16, 64]}
    both = make_model(tmp_path / "both", width=64, card=PUBLISHED + CARD, config=config)
    assert MatryoshkaBackend(both).dims == (64, 16)
    assert MatryoshkaBackend(both).facts.dims_source == "config.json"
    assert MatryoshkaBackend(both, dims=[8, 32]).dims == (32, 8)
    assert MatryoshkaBackend(both, dims=[8, 32]).facts.dims_source == "the caller"


NOMIC_CARDS = [
    "---\nbase_model: nomic-ai/nomic-embed-text-v1.5\n---\n",
    "---\nbase_model:\n- nomic-ai/nomic-embed-text-v1.5\n---\n",
    '# Usage\n\nmodel = SentenceTransformer("nomic-ai/nomic-embed-text-v1.5", revision="main")',
]


@pytest.mark.filterwarnings("ignore:.*is called as the model of")
@pytest.mark.parametrize("loaded", [False, True])
def test_a_folders_name_applies_no_prompt_and_no_layer_norm(tmp_path, loaded):
    """A model of its own that lies in a folder called as a published model."""
    folder = make_model(tmp_path / "nomic-embed-text-v1.5", width=768)
    model = SentenceTransformer(folder, device="cpu") if loaded else folder
    backend = MatryoshkaBackend(model)
    assert (backend.effective_prompt, backend.facts.before_slicing) == ("", None)
    assert backend.dims is None


def test_a_folder_that_is_only_called_as_a_published_model_warns(tmp_path):
    folder = make_model(tmp_path / "nomic-embed-text-v1.5", width=768)
    with pytest.warns(RuntimeWarning, match=r"its published widths, prompt and steps are not used"):
        MatryoshkaBackend(folder).embed(["a"])


@pytest.mark.parametrize("card", NOMIC_CARDS)
@pytest.mark.parametrize("loaded", [False, True])
def test_a_folders_card_says_which_model_it_is(tmp_path, card, loaded):
    folder = make_model(tmp_path / "model", width=768, card=card)
    backend = MatryoshkaBackend(SentenceTransformer(folder, device="cpu") if loaded else folder)
    assert backend.effective_prompt == "clustering: "
    assert backend.facts.before_slicing == "layer_norm"


def test_a_folders_config_says_which_model_it_is(tmp_path):
    folder = Path(make_model(tmp_path / "model", width=64))
    config = json.loads((folder / "config.json").read_text("utf-8"))
    write_config(folder, **{**config, "_name_or_path": "minishlab/potion-base-2M"})
    assert MatryoshkaBackend(folder).dims == (64, 32)
    write_config(folder, **{**config, "_name_or_path": str(tmp_path / "potion-base-2M")})
    assert MatryoshkaBackend(folder).dims is None


def test_a_card_that_compares_with_another_model_is_not_its_card(tmp_path):
    card = "# Mine\n\nBetter than nomic-ai/nomic-embed-text-v1.5 on our tickets.\n"
    folder = make_model(tmp_path / "mine", width=768, card=card)
    assert MatryoshkaBackend(folder).effective_prompt == ""


def test_a_model_in_the_hubs_cache_is_known(tmp_path):
    cache = tmp_path / "models--minishlab--potion-base-2M" / "snapshots"
    assert MatryoshkaBackend(make_model(cache / "0a1b2c", width=64)).dims == (64, 32)


def test_the_working_folders_config_is_not_a_loaded_models(tmp_path, monkeypatch):
    words = Tokenizer(WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    model = SentenceTransformer(modules=[StaticEmbedding(words, embedding_dim=24)], device="cpu")
    monkeypatch.chdir(tmp_path)
    write_config(".", matryoshka_dimensions=[24, 6])
    assert MatryoshkaBackend(model).dims is None


def test_a_name_of_another_width_is_not_believed(tmp_path):
    named = make_model(tmp_path / "named", width=48, card=PUBLISHED)
    assert MatryoshkaBackend(named).dims is None
    wide = make_model(tmp_path / "wide", config={"matryoshka_dimensions": [768, 24]})
    assert MatryoshkaBackend(wide).dims is None


def test_config_of_a_static_model(tmp_path):
    words = Tokenizer(WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    static = StaticEmbedding(words, embedding_dim=24)
    SentenceTransformer(modules=[static], device="cpu").save_pretrained(str(tmp_path))
    assert MatryoshkaBackend(tmp_path).dims is None
    write_config(tmp_path, matryoshka_dimensions=[24, 6])
    assert MatryoshkaBackend(tmp_path).dims == (24, 6)


def test_a_model_that_is_called_matryoshka_without_widths_takes_any(tmp_path, recwarn):
    folder = make_model(tmp_path / "any", config={"is_matryoshka": True})
    backend = MatryoshkaBackend(folder, truncate_dim=10)
    assert backend.embed(["a"]).shape == (1, 10)
    assert backend.dims is None
    assert [w for w in recwarn if w.category is TruncationWarning] == []


def test_the_bundled_model():
    backend = MatryoshkaBackend()
    assert backend.dims == (256, 128, 64, 32)
    assert backend.full_dim == 256
    assert backend.effective_prompt == ""


def near_zero_of(folder, **parameters):
    return MatryoshkaBackend(folder, **parameters).facts.near_zero


def test_every_entry_of_near_zero_dimensions_is_complete():
    for entry in near_zero_dimensions():
        assert list(entry) == ["name", "width", "near_zero", "source"]
        assert entry["near_zero"] == sorted(set(entry["near_zero"]))
        assert entry["near_zero"][-1] < entry["width"]
        assert entry["source"].startswith("https://")
        assert entries_for(entry["name"]) == []


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("sentence-transformers/all-mpnet-base-v2", (34, 555, 688, 756)),
        ("all-MiniLM-L6-v2", (127, 223, 319)),
        ("all-minilm-l12-v2", (223, 319)),
        ("somebody/all-MiniLM-L6-v2", ()),
        ("avsolatorio/GIST-all-MiniLM-L6-v2", ()),
    ],
)
def test_near_zero_dimensions_are_known_before_the_model_is_loaded(name, known):
    backend = MatryoshkaBackend(name)
    assert backend.known_facts.near_zero == known
    assert not backend.is_loaded


def test_near_zero_dimensions_of_a_folder(tmp_path):
    card = 'model = SentenceTransformer("sentence-transformers/all-MiniLM-L6-v2")'
    folder = make_model(tmp_path / "model", width=384, card=card)
    assert near_zero_of(folder) == (127, 223, 319)
    backend = MatryoshkaBackend(folder)
    assert backend.known_facts == backend.facts
    assert backend.permuted(0).facts.near_zero == ()
    assert backend.rotated(list("abcdefgh")).facts.near_zero == ()
    other_width = make_model(tmp_path / "narrow", width=24, card=card)
    assert near_zero_of(other_width) == ()


def test_a_model_trained_from_another_or_only_called_so_may_vary_elsewhere(tmp_path):
    card = "---\nbase_model: sentence-transformers/all-MiniLM-L6-v2\n---\n# Mine\n"
    assert near_zero_of(make_model(tmp_path / "tuned", width=384, card=card)) == ()
    assert near_zero_of(make_model(tmp_path / "all-MiniLM-L6-v2", width=384)) == ()


@pytest.mark.parametrize("name", REAL_NAMES)
def test_widths_are_known_before_the_model_is_loaded(name):
    assert MatryoshkaBackend(name).known_facts.dims == REAL_NAMES[name][0]
    assert MatryoshkaBackend(name, dims=[24]).known_facts.dims == (24,)
