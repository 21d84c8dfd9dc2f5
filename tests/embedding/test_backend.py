"""The backend, on real models: the bundled one and small ones with random weights."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from bertopic.backend import BaseEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from tiny_models import make_model

from bertopic_matryoshka import (
    MatryoshkaBackend,
    TruncationWarning,
    build_topic_model,
    load_topic_model,
    save_topic_model,
    truncate,
)
from bertopic_matryoshka.embedding._bundled import load_default_model

TEXTS = ["a b c", "d e", "f g h i j", "k", "a z a z", "m n o p q r s t"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that ends in Normalize, as most do."""
    path = tmp_path_factory.mktemp("models") / "normalizing"
    return make_model(path, normalize=True, config={"matryoshka_dimensions": [24, 16, 8]})


@pytest.fixture(scope="module")
def full(folder):
    return MatryoshkaBackend(folder)


@pytest.fixture(scope="module")
def nomic(tmp_path_factory):
    """A model whose card says that it wants layer norm before slicing and a prompt."""
    card = "---\nbase_model: nomic-ai/nomic-embed-text-v1.5\n---\n"
    return make_model(tmp_path_factory.mktemp("models") / "model", width=768, card=card)


def test_is_what_bertopic_takes_for_a_backend(full):
    assert isinstance(full, BaseEmbedder)


@pytest.mark.parametrize("dim", [1, 8, 16, 23, 24])
@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
def test_encoding_at_a_width_equals_cutting_full_embeddings(full, dim):
    cut = full.truncated(dim).embed(TEXTS)
    assert cut.shape == (len(TEXTS), dim)
    assert cut.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(cut, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(cut, truncate(full.embed(TEXTS), dim), atol=1e-6)


def test_the_rows_are_the_models_own(folder, full):
    own = SentenceTransformer(folder, device="cpu").encode(TEXTS)
    np.testing.assert_allclose(full.embed(TEXTS), own, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text("abcdefgh ", max_size=20), max_size=6), st.sampled_from([8, 16, 24]))
def test_any_texts(full, texts, dim):
    rows = full.truncated(dim).embed(texts)
    assert rows.shape == (len(texts), dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_no_documents(full):
    for embed in (full.embed, full.embed_documents, full.embed_words):
        assert embed([]).shape == (0, 24)
        assert embed([]).dtype == np.float32
    assert full.truncated(8).embed([]).shape == (0, 8)


def test_words_and_documents_share_one_space(folder):
    backend = MatryoshkaBackend(folder, prompt="x y: ")
    np.testing.assert_array_equal(backend.embed_words(TEXTS), backend.embed_documents(TEXTS))
    model = SentenceTransformer(folder, device="cpu")
    np.testing.assert_allclose(
        backend.embed_words(["a"]), model.encode(["a"], prompt="x y: "), atol=1e-6
    )
    assert np.abs(backend.embed(["a"]) - model.encode(["a"])).max() > 1e-3


def test_layer_norm_comes_before_slicing(nomic):
    backend = MatryoshkaBackend(nomic, truncate_dim=64)
    assert backend.facts.before_slicing == "layer_norm"
    assert backend.effective_prompt == "clustering: "
    model = SentenceTransformer(nomic, device="cpu")
    # As the card of nomic-embed-text-v1.5 has it.
    rows = model.encode(TEXTS, prompt="clustering: ", convert_to_tensor=True)
    rows = torch.nn.functional.layer_norm(rows, normalized_shape=(768,))[:, :64]
    rows = torch.nn.functional.normalize(rows, p=2, dim=1)
    np.testing.assert_allclose(backend.embed(TEXTS), rows.cpu().numpy(), atol=1e-6)
    cut = truncate(backend.truncated(768).embed(TEXTS), 64)
    np.testing.assert_allclose(backend.embed(TEXTS), cut, atol=1e-6)


def test_prompt_given_none_and_found(tmp_path):
    folder = make_model(tmp_path / "prompting", prompts={"query": "q: ", "Clustering": "c d: "})
    assert MatryoshkaBackend(folder).effective_prompt == "c d: "
    assert MatryoshkaBackend(folder, prompt=None).effective_prompt == ""
    assert MatryoshkaBackend(folder, prompt="e: ").effective_prompt == "e: "
    model = SentenceTransformer(folder, device="cpu")
    for prompt, expected in ((..., "c d: "), (None, ""), ("e: ", "e: ")):
        rows = MatryoshkaBackend(folder, prompt=prompt).embed(TEXTS)
        own = model.encode(TEXTS, prompt=expected, normalize_embeddings=True)
        np.testing.assert_allclose(rows, own, atol=1e-6)


def test_no_prompt_overrules_the_models_default_prompt(tmp_path):
    folder = make_model(tmp_path / "defaulting", prompts={"doc": "d e: "})
    model = SentenceTransformer(folder, device="cpu", default_prompt_name="doc")
    assert MatryoshkaBackend(model).effective_prompt == "d e: "
    without = MatryoshkaBackend(model, prompt=None).embed(TEXTS)
    own = model.encode(TEXTS, prompt="", normalize_embeddings=True)
    np.testing.assert_allclose(without, own, atol=1e-6)


def test_the_callers_model_and_kwargs_are_never_changed(folder):
    model = SentenceTransformer(folder, device="cpu", truncate_dim=16)
    weights = copy.deepcopy(model.state_dict())
    kwargs = {"chunk_size": 3}
    backend = MatryoshkaBackend(model, encode_kwargs=kwargs)
    assert backend.full_dim == 24
    assert backend.embedding_dim == 16  # what the model is set to
    assert backend.embed(TEXTS).shape == (len(TEXTS), 16)
    assert backend.truncated(24).embed(TEXTS).shape == (len(TEXTS), 24)
    backend.encode_kwargs["chunk_size"] = 4
    assert kwargs == {"chunk_size": 3}
    assert model.truncate_dim == 16
    assert model.prompts == SentenceTransformer(folder, device="cpu").prompts
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, weights[name])


def test_a_name_is_loaded_at_first_use_and_once(folder, monkeypatch):
    loads = []
    original = SentenceTransformer.__init__

    def counted(self, *args, **kwargs):
        loads.append(args)
        original(self, *args, **kwargs)

    monkeypatch.setattr(SentenceTransformer, "__init__", counted)
    backend = MatryoshkaBackend(folder, truncate_dim=8)
    wide = backend.truncated(24)
    assert backend.embedding_dim == 8
    assert not loads
    backend.embed(TEXTS)
    wide.embed(TEXTS)
    backend.truncated(16).embed(TEXTS)
    assert len(loads) == 1


def test_pickle_keeps_the_recipe_not_the_weights(folder):
    backend = MatryoshkaBackend(folder, truncate_dim=8, prompt="a: ", batch_size=2)
    rows = backend.embed(TEXTS)
    pickled = pickle.dumps(backend)
    assert len(pickled) < 2000
    again = pickle.loads(pickled)
    assert again.recipe() == backend.recipe()
    np.testing.assert_array_equal(again.embed(TEXTS), rows)


def test_pickle_of_a_loaded_model_keeps_the_weights(folder):
    backend = MatryoshkaBackend(SentenceTransformer(folder, device="cpu"), truncate_dim=8)
    again = pickle.loads(pickle.dumps(backend))
    np.testing.assert_allclose(again.embed(TEXTS), backend.embed(TEXTS), atol=1e-6)


def test_the_bundled_model_is_unpickled_wherever_the_package_lies(monkeypatch):
    pickled = pickle.dumps(MatryoshkaBackend(truncate_dim=32))
    assert b"default_model" not in pickled
    assert pickle.loads(pickled).embed(["a cat"]).shape == (1, 32)


@pytest.mark.parametrize("dtype", ["bfloat16", torch.bfloat16])
def test_half_precision_weights_give_float32_unit_rows(folder, full, dtype):
    half = MatryoshkaBackend(folder, dtype=dtype)
    rows = half.embed(TEXTS)
    assert next(half.embedding_model.parameters()).dtype == torch.bfloat16
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(rows, full.embed(TEXTS), atol=0.05)


@pytest.mark.parametrize("dim", [0, -1, 25, 10_000])
def test_width_out_of_range(folder, dim):
    bound = "be at least 1. Leave it out" if dim < 1 else "be between 1 and 24, the width"
    with pytest.raises(ValueError, match=f"truncate_dim={dim} must {bound}"):
        MatryoshkaBackend(folder, truncate_dim=dim).embed(TEXTS)
    with pytest.raises(ValueError, match=f"truncate_dim={dim} must be between 1 and 24, the width"):
        MatryoshkaBackend(SentenceTransformer(folder, device="cpu"), truncate_dim=dim)


def test_width_that_was_not_trained_works_with_a_warning(folder):
    backend = MatryoshkaBackend(folder, truncate_dim=10)
    with pytest.warns(TruncationWarning, match=r"listed for it are 24, 16, 8 \(config.json\)"):
        assert backend.embed(TEXTS).shape == (len(TEXTS), 10)


@pytest.mark.filterwarnings("error::bertopic_matryoshka.TruncationWarning")
def test_trained_widths_do_not_warn_and_the_callers_word_counts(folder):
    MatryoshkaBackend(folder, truncate_dim=16).embed(TEXTS)
    MatryoshkaBackend(folder, truncate_dim=10, dims=[10]).embed(TEXTS)


def test_a_model_of_unknown_widths_warns(tmp_path):
    folder = make_model(tmp_path / "unknown")
    with pytest.warns(TruncationWarning, match="No trained widths are known"):
        MatryoshkaBackend(folder, truncate_dim=8).embed(TEXTS)


def test_zero_rows_are_counted():
    with pytest.warns(TruncationWarning, match="2 rows are zero in the first 256 dimensions"):
        rows = MatryoshkaBackend().embed(["a cat", "", ""])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": 3}, TypeError, "model is of type int"),
        ({"model": ""}, ValueError, "model='' is empty"),
        ({"prompt": 3}, TypeError, "prompt=3 must be a string"),
        ({"dtype": "int8"}, ValueError, "dtype='int8' must be one of"),
        (
            {"batch_size": 0},
            ValueError,
            r"batch_size=0 must be at least 1\. Leave it out for 32\.$",
        ),
        ({"truncate_dim": 12.0}, TypeError, "truncate_dim=12.0 must be an int"),
        ({"encode_kwargs": {"precision": "int8"}}, ValueError, r"\['precision'\] would contradict"),
        (
            {"dims": [0, 8]},
            ValueError,
            r"dims=0 must be at least 1\. Name the widths of the model's",
        ),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        MatryoshkaBackend(**arguments)


@pytest.mark.parametrize("loading", [{"device": "cpu"}, {"dtype": "float16"}, {"revision": "main"}])
def test_a_loaded_model_takes_no_loading_arguments(folder, loading):
    model = SentenceTransformer(folder, device="cpu")
    with pytest.raises(ValueError, match=f"{next(iter(loading))}=.* is for loading"):
        MatryoshkaBackend(model, **loading)


def test_documents_that_are_no_strings(full):
    with pytest.raises(TypeError, match=r"documents\[1\]=None is of type NoneType"):
        full.embed(["a", None])
    with pytest.raises(TypeError, match="single string"):
        full.embed("a b c")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_gpu_equals_cpu(folder):
    on_gpu = MatryoshkaBackend(folder, device="cuda", truncate_dim=16).embed(TEXTS)
    on_cpu = MatryoshkaBackend(folder, device="cpu", truncate_dim=16).embed(TEXTS)
    np.testing.assert_allclose(on_gpu, on_cpu, atol=1e-5)


def test_bertopics_empty_filler_words_give_zero_rows_without_a_warning(recwarn):
    rows = MatryoshkaBackend().embed_words(["cat", "", " "])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 0], atol=1e-6)
    assert [w for w in recwarn if w.category is TruncationWarning] == []


def test_memory_that_runs_out_makes_the_batches_smaller(monkeypatch, caplog):
    backend = MatryoshkaBackend(load_default_model(), batch_size=8)
    expected = backend.embed(["one", "two"])
    encode, sizes = backend.embedding_model.encode, []

    def scarce(texts, *, batch_size, **options):
        sizes.append(batch_size)
        if batch_size > enough:
            raise torch.cuda.OutOfMemoryError
        return encode(texts, batch_size=batch_size, **options)

    enough = 2
    monkeypatch.setattr(backend.embedding_model, "encode", scarce)
    with caplog.at_level("INFO"):
        np.testing.assert_array_equal(backend.embed(["one", "two"]), expected)
    assert sizes == [8, 4, 2]
    assert "continuing with blocks of 2 texts" in caplog.text
    enough = 0
    with pytest.raises(torch.cuda.OutOfMemoryError):
        backend.embed(["one"])


def test_a_text_is_encoded_once_and_stands_in_each_of_its_places(encoded):
    backend = MatryoshkaBackend(truncate_dim=64)
    texts = ["one document", "another", "one document", "a third", "another", "one document"]
    embeddings = backend.embed(texts)
    assert sorted(encoded) == ["a third", "another", "one document"]
    apart = backend.embed_words(["another", "one document", "a third"])
    np.testing.assert_allclose(embeddings, apart[[1, 0, 1, 2, 0, 1]], atol=1e-6)
    np.testing.assert_array_equal(embeddings[0], embeddings[5])


def test_each_copy_of_an_empty_text_is_counted():
    with pytest.warns(TruncationWarning, match="3 rows are zero"):
        assert not MatryoshkaBackend().embed(["", "words", "", ""])[[0, 2, 3]].any()


# ---- permuted dimensions


def test_permuted_dimensions_are_permuted_first_and_cut_then():
    backend, texts = MatryoshkaBackend(), ["a spline", "a sparse matrix", ""]
    full = backend.embed(texts[:2])
    columns = np.random.default_rng(3).permutation(256)
    control = backend.permuted(3)
    np.testing.assert_allclose(control.embed(texts[:2]), full[:, columns], rtol=1e-5)
    for dim in (256, 32, 1):
        cut = control.truncated(dim)
        assert (cut.embedding_dim, cut.permutation_seed) == (dim, 3)
        expected = truncate(full[:, columns], dim)
        np.testing.assert_allclose(cut.embed_documents(texts[:2]), expected, rtol=1e-5)
        np.testing.assert_allclose(cut.embed_words(texts[:2]), expected, rtol=1e-5)
    assert backend.permutation_seed is None
    assert np.abs(backend.permuted(4).embed(texts[:2]) - control.embed(texts[:2])).max() > 0.01
    np.testing.assert_array_equal(control.permuted(None).embed(texts), backend.embed(texts))


@pytest.mark.filterwarnings("error::bertopic_matryoshka.TruncationWarning")
def test_no_width_of_permuted_dimensions_is_warned_of():
    MatryoshkaBackend().permuted(0).truncated(77)


@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
def test_permuted_dimensions_come_after_what_the_model_needs_before_slicing(nomic):
    backend = MatryoshkaBackend(nomic)
    assert backend.facts.before_slicing == "layer_norm"
    full = backend.embed(TEXTS)
    columns = np.random.default_rng(1).permutation(768)
    found = backend.permuted(1).truncated(8).embed(TEXTS)
    np.testing.assert_allclose(found, truncate(full[:, columns], 8), rtol=1e-4, atol=1e-6)


def test_permuted_dimensions_are_saved_with_a_topic_model(docs, tmp_path):
    control = MatryoshkaBackend().permuted(3).truncated(32)
    topic_model = build_topic_model(control).fit(docs[:200])
    save_topic_model(topic_model, tmp_path / "model")
    loaded = load_topic_model(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.embedding_model.embed(TEXTS), topic_model.embedding_model.embed(TEXTS)
    )
    assert loaded.transform(docs[:20])[0] == topic_model.transform(docs[:20])[0]


def test_the_recipe_of_permuted_dimensions():
    backend = MatryoshkaBackend().permuted(3).truncated(32)
    recipe = json.loads(json.dumps(backend.recipe()))
    assert recipe["permutation_seed"] == 3
    again = MatryoshkaBackend(**recipe)
    np.testing.assert_array_equal(again.embed(["a spline"]), backend.embed(["a spline"]))
    assert repr(again) == repr(backend)
    assert "permutation_seed=3" in repr(again)
    assert "permutation_seed" not in MatryoshkaBackend().recipe()
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(backend)).embed(["a spline"]), backend.embed(["a spline"])
    )


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, ValueError), (0.5, TypeError), ("random", TypeError)]
)
def test_a_seed_that_is_none(seed, error):
    with pytest.raises(error, match="random_state="):
        MatryoshkaBackend().permuted(seed)
    with pytest.raises(error, match="permutation_seed="):
        MatryoshkaBackend(permutation_seed=seed)


def test_raw_rows_keep_their_lengths(tmp_path):
    """A Normalize at the end is left out, for documents only, and the model stays as it is."""
    folder = make_model(tmp_path / "model", normalize=True)
    backend = MatryoshkaBackend(folder, dims=[6], truncate_dim=6)
    raw = backend.embed_raw(TEXTS)
    assert (raw.shape, raw.dtype) == ((len(TEXTS), 24), np.float32)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    assert lengths.std() > 1e-3
    np.testing.assert_allclose(raw / lengths, backend.truncated(None).embed(TEXTS), atol=1e-6)
    model = SentenceTransformer(folder, device="cpu")
    token_means = torch.nn.Sequential(*list(model)[:2])
    rows = token_means(model.tokenize(TEXTS))["sentence_embedding"].detach().numpy()
    np.testing.assert_allclose(raw, rows, atol=1e-5)
    rotated = backend.rotated(TEXTS)
    turned = rotated.embed_raw(TEXTS)
    np.testing.assert_allclose(turned, raw @ rotated.rotation.axes.T, atol=1e-5)
    assert backend.embed_raw([]).shape == (0, 24)


def test_raw_rows_have_the_step_before_slicing(nomic):
    rows = MatryoshkaBackend(nomic).embed_raw(TEXTS)
    np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(rows.std(axis=1), 1, atol=1e-3)


def test_raw_rows_of_a_text_are_the_same_each_time(encoded):
    rows = MatryoshkaBackend().embed_raw(["a cat", "a dog", "a cat"])
    assert encoded == ["a cat", "a dog"]
    np.testing.assert_array_equal(rows[0], rows[2])


def test_a_batch_has_texts_of_about_as_many_tokens(folder, monkeypatch):
    # n words of as many tokens; all texts have about as many characters.
    texts = [" ".join(["z" * (200 // n)] * n) for n in range(1, 25)]
    texts = [texts[i] for i in np.random.default_rng(0).permutation(24)]
    backend = MatryoshkaBackend(folder, batch_size=8, device="cpu")
    alone = np.concatenate([backend.embed([text]) for text in texts])
    sizes = []
    forward = type(backend.embedding_model[0]).forward

    def spy(self, features, **kwargs):
        sizes.append(tuple(features["input_ids"].shape))
        return forward(self, features, **kwargs)

    monkeypatch.setattr(type(backend.embedding_model[0]), "forward", spy)
    np.testing.assert_allclose(backend.embed(texts), alone, atol=1e-5)
    assert sizes == [(8, 26), (8, 18), (8, 10)]  # with two special tokens
