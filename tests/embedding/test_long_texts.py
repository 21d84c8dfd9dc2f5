"""Texts longer than the model's window: counted, or read in pieces."""

import warnings

import numpy as np
import pytest
from tiny_models import make_model

from bertopic_matryoshka import MatryoshkaBackend, TruncationWarning, truncate
from bertopic_matryoshka.embedding import EmbeddingStore

LETTERS = "abcdefghijklmnopqrstuvwxy"
WINDOW = 30  # 32 positions, two of them special tokens


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "bert", more_tokens=["##z"])


def words(n_words, start=0):
    return " ".join(LETTERS[(start + i) % 25] for i in range(n_words))


def backend_of(folder, **settings):
    return MatryoshkaBackend(folder, **{"dims": [24, 8], "device": "cpu", **settings})


def test_cut_texts_are_counted_once_each(folder):
    texts = [words(WINDOW), words(31), "a b", words(31), words(70)]
    with pytest.warns(TruncationWarning, match=r"2 of 4 texts .* window of 32 tokens.* number 1"):
        backend_of(folder).embed(texts)


@pytest.mark.parametrize("text", ["", "a b", words(WINDOW), "\u00e9 " * 30, " " * 1000])
def test_texts_that_fit_are_not_counted(folder, text):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "(?s).*window")
        backend_of(folder).embed([text])


@pytest.mark.parametrize(
    "text", [" " * 5000 + words(31), "z" * 31, "\u00e9 " * 31, "a" + " " * 5000 + words(30)]
)
def test_other_long_texts_are_found(folder, text):
    with pytest.warns(TruncationWarning, match="1 of 1 texts"):
        backend_of(folder).embed([text])


def test_a_prompt_takes_its_part_of_the_window(folder):
    with pytest.warns(TruncationWarning, match="1 of 2 texts"):
        backend_of(folder, prompt="q: ").embed([words(29), words(28)])
    with pytest.raises(ValueError, match="fills the model's window of 32 tokens"):
        backend_of(folder, prompt=words(30)).embed(["a"])


@pytest.mark.parametrize("settings", [{}, {"prompt": "q: "}])
def test_the_mean_of_the_pieces_by_hand(folder, settings):
    size = 28 if settings else 30
    text = words(2 * size + 10)
    parts = [words(size), words(size, start=size), words(10, start=2 * size)]
    unit = backend_of(folder, **settings).embed(parts).astype(np.float64)
    expected = np.array([size, size, 10]) @ unit
    mean = backend_of(folder, long_texts="mean", **settings)
    rows = mean.embed(["a b", text, text])
    np.testing.assert_allclose(rows[1], expected / np.linalg.norm(expected), atol=1e-5)
    np.testing.assert_array_equal(rows[1], rows[2])
    np.testing.assert_allclose(rows[:1], backend_of(folder, **settings).embed(["a b"]), atol=1e-6)
    np.testing.assert_allclose(
        mean.truncated(8).embed(["a b", text]), truncate(rows[:2], 8), atol=1e-5
    )
    raw = mean.embed_raw(["a b", text])
    np.testing.assert_allclose(truncate(raw, 24), rows[:2], atol=1e-5)
    lengths = np.linalg.norm(backend_of(folder, **settings).embed_raw(parts), axis=1)
    assert np.linalg.norm(raw[1]) == pytest.approx(
        np.average(lengths, weights=[size, size, 10]), abs=1e-4
    )


def test_words_are_split_only_where_they_fill_the_window(folder):
    mean, plain = backend_of(folder, long_texts="mean"), backend_of(folder)
    whole = mean.embed([words(25) + " " + "z" * 10])[0]  # 25 letters, a word of 10 tokens
    parts = plain.embed([words(25), "z" * 10]).astype(np.float64)
    expected = np.array([25, 10]) @ parts
    np.testing.assert_allclose(whole, expected / np.linalg.norm(expected), atol=1e-5)
    assert np.isfinite(mean.embed(["z" * 100])).all()


def test_a_rotation_and_a_store_know_of_it(folder, tmp_path):
    texts = [words(n, start=n) for n in range(25, 75)]
    store = EmbeddingStore(tmp_path)
    mean = backend_of(folder, long_texts="mean")
    with pytest.warns(TruncationWarning, match="44 of 50 texts"):
        cut = store.embed(backend_of(folder), texts)
    np.testing.assert_allclose(store.embed(mean, texts), mean.embed(texts), atol=1e-5)
    assert np.abs(cut - store.embed(mean, texts)).max() > 1e-3
    rotated = mean.rotated(texts)
    np.testing.assert_allclose(store.embed(rotated, texts), rotated.embed(texts), atol=1e-4)
    rows = rotated.embed(texts)
    np.testing.assert_allclose(rows @ rows.T, mean.embed(texts) @ mean.embed(texts).T, atol=1e-4)


def test_the_recipe_has_it(folder):
    recipe = backend_of(folder, long_texts="mean").recipe()
    assert recipe["long_texts"] == "mean"
    assert "long_texts" not in backend_of(folder).recipe()
    again = MatryoshkaBackend(device="cpu", **recipe)
    text = words(50)
    np.testing.assert_array_equal(
        again.embed([text]), backend_of(folder, long_texts="mean").embed([text])
    )


def test_models_without_a_window_count_nothing(recwarn):
    MatryoshkaBackend().embed(["word " * 10_000])
    assert not recwarn.list


def test_bad_input():
    with pytest.raises(ValueError, match=r"long_texts='max' must be one of truncate, mean\."):
        MatryoshkaBackend(long_texts="max")
    with pytest.raises(ValueError, match="long_texts='mean' needs the tokens"):
        MatryoshkaBackend(lambda texts: np.ones((len(texts), 4)), long_texts="mean")
