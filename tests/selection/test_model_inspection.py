"""Models side by side: models whose rows are known, what they keep, and what is advised."""

import os
import re
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from tiny_models import StaticEmbedding, make_model
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from bertopic_matryoshka import (
    MatryoshkaBackend,
    PrincipalRotation,
    compare_prefixes,
    inspect_dimensions,
    inspect_models,
)
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.embedding._facts import near_zero_dimensions

MODELS = os.environ.get("SENTENCE_TRANSFORMERS_MODELS")


def model_of(rows):
    """A model that gives the text "3" the row 3, and unknown texts a zero row."""
    words = {str(i): i for i in range(len(rows))} | {"?": len(rows)}
    weights = np.vstack([rows, np.zeros((1, rows.shape[1]))]).astype(np.float32)
    tokenizer = Tokenizer(WordLevel(words, unk_token="?"))
    module = StaticEmbedding(tokenizer, embedding_weights=weights)
    return SentenceTransformer(modules=[module], device="cpu")


def inspected(rows, **parameters):
    return inspect_models(model_of(rows), map(str, range(len(rows))), **parameters)


def rotated_at_random(rows, seed=0):
    rng = np.random.default_rng(seed)
    return rows @ np.linalg.qr(rng.normal(size=(rows.shape[1],) * 2))[0]


def ordered_rows(n=400, n_dims=64):
    """Rows whose first dimensions say the most."""
    return np.random.default_rng(0).normal(size=(n, n_dims)) * 0.85 ** np.arange(n_dims)


def advice(rows, **parameters):
    return inspected(rows, **parameters).models["advice"][0]


def test_columns_equal_those_of_the_single_steps(backend, docs):
    texts = list(dict.fromkeys(docs))
    inspection = inspect_models(backend, docs, dims=[128, 20], sample_size=None)
    (row,), widths = inspection.models.to_dict("records"), inspection.widths
    raw = backend.embedding_model.encode(texts).astype(np.float64)
    lengths = np.linalg.norm(raw, axis=1)
    unit = raw / lengths[:, None]
    assert (row["full_dim"], row["n_documents"]) == (256, len(texts))
    assert row["listed_dims"] == (256, 128, 64, 32)
    assert row["near_zero"] == tuple(inspect_dimensions(unit).near_zero)
    assert row["length_spread"] == pytest.approx(lengths.std() / lengths.mean(), rel=1e-4)
    assert widths["dim"].tolist() == [256, 128, 20]
    for name, rows in (("raw", raw), ("unit", unit)):
        std = rows.std(axis=0)
        assert row[f"std_spread_{name}"] == pytest.approx(std.std() / std.mean(), rel=1e-4)
        shares = (std**2).cumsum() / (std**2).sum()
        np.testing.assert_allclose(widths[f"variance_share_{name}"], shares[[255, 127, 19]], 1e-4)
    order = np.random.default_rng(0).permutation(len(texts))
    half, other = np.split(unit[order].astype(np.float32), [len(texts) // 2])
    rotation = PrincipalRotation().fit(half)
    for columns, rows in (("", other), ("rotated_", rotation.transform(other))):
        kept = compare_prefixes(rows, [256, 128, 20], rotated=bool(columns))["neighbors_kept"]
        np.testing.assert_allclose(widths[f"{columns}neighbors_kept"], kept, atol=2e-3)


def test_several_models_and_a_sample(docs):
    models = {"plain": model_of(ordered_rows()), "bundled": None}
    inspection = inspect_models(models, [*map(str, range(400)), *docs], sample_size=300)
    assert inspection.models["model"].tolist() == ["plain", "bundled"]
    assert inspection.models["n_documents"].max() <= 300
    dims = inspection.widths.groupby("model", sort=False)["dim"].apply(list).to_dict()
    assert dims == {"plain": [64, 32], "bundled": [256, 128, 64, 32]}
    plain, bundled = inspection.summary().splitlines()
    assert (plain.split(":")[0], bundled.split(":")[0]) == ("plain", "bundled")


def test_hidden_order_is_found_by_a_rotation():
    told = advice(rotated_at_random(ordered_rows()), dims=[16])
    assert re.fullmatch(
        r"of 64 dimensions, all vary over 400 documents; no widths are listed for it; the first 16 "
        r"keep \d\d % of the neighbours, after a rotation \d\d %: rotate it before truncation\.",
        told,
    )


def test_order_that_is_there_needs_no_rotation():
    assert advice(ordered_rows()).endswith(": truncate it as it is.")


def test_no_order_needs_more_dimensions():
    rows = np.random.default_rng(0).normal(size=(400, 64))
    assert advice(rows, dims=[8]).endswith(": keep more than 8.")
    few = rotated_at_random(rows * np.r_[np.full(24, 3), np.ones(40)])
    assert advice(few, dims=[8]).endswith((": keep more than 8.", "and keep more than 8."))


def test_a_chance_gain_is_no_advice():
    """Of few documents a rotation keeps more or less by chance: no seed advises it."""
    rows = np.random.default_rng(1).normal(size=(100, 40))
    told = [advice(rows, dims=[32], random_state=seed) for seed in range(4)]
    assert [sentence for sentence in told if "rotate it" in sentence] == []


def test_too_few_documents_to_judge_a_rotation():
    inspection = inspected(ordered_rows(n=40))
    assert np.isnan(inspection.widths["rotated_neighbors_kept"][1])
    assert inspection.widths["rotated_neighbors_kept"][0] == 1
    assert inspection.summary().endswith("; pass more documents to have a rotation judged.")


def test_rows_of_low_rank_need_no_more_documents():
    rng = np.random.default_rng(0)
    inspection = inspected(rng.normal(size=(300, 5)) @ rng.normal(size=(5, 64)), dims=[6])
    assert inspection.widths["rotated_neighbors_kept"].tolist() == [1, 1]
    assert inspection.summary().endswith(": rotate it before truncation.")


@pytest.mark.parametrize(
    ("dead", "told"),
    [
        ([], "of 64 dimensions, all vary over"),
        ([3], "of 64 dimensions, 3 hardly varies over"),
        ([3, 40], "of 64 dimensions, 3, 40 hardly vary over"),
        ([*range(10, 22)], "10, 11, 12, 13, 14, 15, 16, 17 and 4 more hardly vary over"),
    ],
)
def test_near_zero_dimensions(dead, told):
    rows = np.random.default_rng(0).normal(size=(100, 64))
    rows[:, dead] *= 1e-3
    inspection = inspected(rows)
    assert inspection.models["near_zero"][0] == tuple(dead)
    assert told in inspection.summary()


def test_listed_widths_are_what_the_advice_is_about():
    rows = rotated_at_random(ordered_rows())
    backend = MatryoshkaBackend(model_of(rows), dims=[64, 48])
    told = inspect_models(backend, map(str, range(400)), dims=[48, 16]).summary()
    assert "; widths listed for it are 48 (the caller); the first 48 keep" in told


def test_a_rotated_backend_is_not_rotated_again():
    rows = rotated_at_random(ordered_rows())
    texts = [str(i) for i in range(400)]
    backend = MatryoshkaBackend(model_of(rows)).rotated(texts[:200])
    inspection = inspect_models(backend.truncated(32), texts)
    assert inspection.widths["rotated_neighbors_kept"].isna().all()
    assert inspection.widths["variance_share_unit"][1] > 0.9
    assert "rotat" not in inspection.summary().partition("listed")[2].replace("its rotation", "")


def test_a_model_without_narrower_widths_has_no_verdict():
    told = advice(np.random.default_rng(0).normal(size=(50, 8)))
    assert told == "of 8 dimensions, all vary over 50 documents; no widths are listed for it."


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(6, 90), st.integers(2, 40), st.floats(0.5, 1))
def test_the_sentence_says_what_the_tables_hold(seed, n, n_dims, decay):
    rng = np.random.default_rng(seed)
    rows = rotated_at_random(rng.normal(size=(n, n_dims)) * decay ** np.arange(n_dims), seed)
    inspection = inspected(rows, dims=[2, n_dims])
    told, last = inspection.models["advice"][0], inspection.widths.iloc[-1]
    kept, rotated = last["neighbors_kept"], last["rotated_neighbors_kept"]
    assert 0 <= kept <= 1
    if n_dims > 2:
        assert f"the first 2 keep {100 * kept:.0f} % of the neighbours" in told
        assert (f"after a rotation {100 * rotated:.0f} %" in told) != np.isnan(rotated)
        if "rotate it" in told:
            assert rotated >= kept + 0.05
        if not np.isnan(rotated):
            best = rotated if "rotate it" in told else kept
            assert ("keep more than 2." in told) == (best < 0.3)


def test_equal_texts_are_embedded_once(backend, docs, encoded):
    inspect_models(backend, docs * 2)
    assert len(encoded) == len(set(docs))


def test_one_model_at_a_time_is_in_memory(tmp_path, monkeypatch):
    folders = [make_model(tmp_path / name, width=32, normalize=True) for name in "ab"]
    modules, alive = [], []
    encode = SentenceTransformer.encode

    def watched(self, *args, **kwargs):
        alive.append(sum(module() is not None for module in modules))
        modules.append(weakref.ref(self[0]))
        return encode(self, *args, **kwargs)

    monkeypatch.setattr(SentenceTransformer, "encode", watched)
    lazy = MatryoshkaBackend(folders[1])
    inspect_models({"a": folders[0], "b": lazy}, list("abcdefghijkl"))
    assert alive == [0, 0]
    assert not lazy.is_loaded


def test_a_loaded_model_stays(backend, docs):
    loaded = backend.embedding_model
    inspect_models(backend, docs[:20])
    assert backend.embedding_model is loaded


def test_what_is_known_by_name_needs_no_model(monkeypatch):
    monkeypatch.setattr(SentenceTransformer, "__init__", None)
    names = ["all-MiniLM-L6-v2", "nomic-ai/nomic-embed-text-v1.5", "BAAI/bge-small-en-v1.5"]
    inspection = inspect_models(names)
    assert inspection.widths.empty
    assert inspection.models["known_near_zero"].tolist() == [(127, 223, 319), (), ()]
    assert inspection.summary().splitlines() == [
        (
            "all-MiniLM-L6-v2: known hardly to vary in 127, 223, 319 "
            "(https://github.com/huggingface/sentence-transformers/issues/2662); no widths are "
            "listed for it: rotate it before truncation."
        ),
        (
            "nomic-ai/nomic-embed-text-v1.5: widths listed for it are 768, 512, 256, 128, 64 "
            "(https://huggingface.co/nomic-ai/nomic-embed-text-v1.5): truncate it."
        ),
        "BAAI/bge-small-en-v1.5: nothing is known of it: pass documents to have it measured.",
    ]


def test_a_folder_is_asked_itself(tmp_path, encoded):
    folder = make_model(tmp_path / "any", config={"is_matryoshka": True})
    told = inspect_models(folder).models["advice"][0]
    assert told == "it is declared a Matryoshka model without widths: truncate it."
    assert encoded == []


@pytest.mark.parametrize(
    ("models", "documents", "parameters", "error", "told"),
    [
        ([None, None], ["a"], {}, ValueError, "the same name"),
        ([], ["a"], {}, ValueError, "models is empty"),
        ({}, ["a"], {}, ValueError, "models is empty"),
        ([3], ["a"], {}, TypeError, "model is of type int"),
        (None, "a text", {}, TypeError, "single string"),
        (None, ["a", None], {}, TypeError, r"documents\[1\]"),
        (None, ["a"] * 9, {}, ValueError, "documents has 1 different texts; at least 6"),
        (None, ["a"], {"sample_size": 5}, ValueError, "sample_size=5 must be at least 6"),
        (None, ["a"], {"dims": [0]}, ValueError, "dims=0 must be at least 1"),
        (None, ["a"], {"near_zero": 1}, ValueError, "near_zero=1 must be"),
    ],
)
def test_bad_input(models, documents, parameters, error, told):
    with pytest.raises(error, match=told):
        inspect_models(models, documents, **parameters)


def test_texts_that_the_model_does_not_know():
    texts = [f"unknown{i}" for i in range(9)]
    with pytest.raises(ValueError, match="gives the documents 3 different rows other than zero"):
        inspect_models(model_of(np.eye(8)), [*texts, "0", "1", "2"])


@pytest.mark.parametrize("known", near_zero_dimensions(), ids=lambda known: known["name"])
def test_known_near_zero_dimensions_hold(known):
    folder = Path(MODELS or "") / known["name"].rpartition("/")[2]
    if MODELS is None or not folder.is_dir():
        pytest.skip("SENTENCE_TRANSFORMERS_MODELS names no folder of models that has it")
    (row,) = inspect_models(
        folder, load_docstrings(("scipy", "sklearn"), limit=60).texts
    ).models.to_dict("records")
    assert row["known_near_zero"] == row["near_zero"] == tuple(known["near_zero"])
