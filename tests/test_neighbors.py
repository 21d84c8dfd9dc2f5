"""Nearest neighbours against brute force, in float64 and by scikit-learn."""

import logging
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors

from bertopic_matryoshka import nearest_neighbors, neighbors

# Small integers: many equal similarities, none that differ by rounding alone.
rows = arrays(np.float32, st.tuples(st.integers(2, 25), st.just(3)), elements=st.integers(-2, 2))


def similarities_by_hand(X, Q):
    def unit(Y):
        lengths = np.linalg.norm(Y.astype(np.float64), axis=1, keepdims=True)
        return Y / np.where(lengths == 0, 1, lengths)

    return unit(Q) @ unit(X).T


@given(rows, st.data())
def test_equals_brute_force(X, data):
    k = data.draw(st.integers(1, len(X) - 1))
    indices, similarities = nearest_neighbors(X, k, method="exact", device="cpu")
    assert (indices.dtype, similarities.dtype) == (np.int32, np.float32)
    expected = similarities_by_hand(X, X)
    np.fill_diagonal(expected, -2)
    best = -np.sort(-expected, axis=1)[:, :k]
    np.testing.assert_allclose(similarities, best, atol=1e-6)
    for row, near in enumerate(indices):
        assert row not in near
        assert len(set(near)) == k
        np.testing.assert_allclose(expected[row, near], best[row], atol=1e-6)


def test_equals_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 20)).astype(np.float32)
    indices, similarities = nearest_neighbors(X, 15, device="cpu")
    distances, expected = NearestNeighbors(n_neighbors=15, metric="cosine").fit(X).kneighbors()
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(similarities, 1 - distances, atol=1e-5)


def test_equal_similarities_are_ordered_by_index():
    X = np.array([[1.0, 0], [0, 1], [2, 0], [3, 0], [0, 1]])
    indices, _ = nearest_neighbors(X, 3, method="exact")
    assert indices[0].tolist() == [2, 3, 1]
    assert indices[4].tolist() == [1, 0, 2]


def test_queries_may_find_themselves():
    X = np.eye(4)
    indices, similarities = nearest_neighbors(X, 1, queries=X[[2, 0]] * 5)
    assert indices.ravel().tolist() == [2, 0]
    np.testing.assert_allclose(similarities.ravel(), 1)
    assert nearest_neighbors(X, 4, queries=X[:1])[0].shape == (1, 4)


def test_blocks_do_not_matter(monkeypatch):
    X = np.random.default_rng(1).normal(size=(500, 8)).astype(np.float32)
    whole = nearest_neighbors(X, 10, method="exact")
    monkeypatch.setattr(neighbors, "BLOCK_BYTES", 4 * 500 * 7)  # seven rows at a time
    parts = nearest_neighbors(X, 10, method="exact")
    np.testing.assert_array_equal(whole[0], parts[0])
    np.testing.assert_allclose(whole[1], parts[1], atol=1e-6)


def test_out_of_memory_halves_the_block_and_goes_on(monkeypatch, caplog):
    X = np.random.default_rng(2).normal(size=(300, 8)).astype(np.float32)
    whole = nearest_neighbors(X, 10, method="exact")
    original, sizes = neighbors._candidates, []

    def greedy(base, block, n, first_row):
        sizes.append(block.shape[0])
        if block.shape[0] > 100:
            raise torch.OutOfMemoryError
        return original(base, block, n, first_row)

    monkeypatch.setattr(neighbors, "_candidates", greedy)
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"):
        indices, _ = nearest_neighbors(X, 10, method="exact")
    np.testing.assert_array_equal(indices, whole[0])
    assert sizes[0] == 300
    assert max(sizes[-4:]) <= 100
    assert "going on with blocks of" in caplog.text


def test_a_memory_mapped_half_precision_file(tmp_path):
    X = np.random.default_rng(3).normal(size=(400, 8)).astype(np.float16)
    np.save(tmp_path / "X.npy", X)
    mapped = nearest_neighbors(np.load(tmp_path / "X.npy", mmap_mode="r"), 5)
    in_memory = nearest_neighbors(X.astype(np.float32), 5)
    np.testing.assert_array_equal(mapped[0], in_memory[0])


def test_approximate_recalls_nearly_all():
    pytest.importorskip("pynndescent")
    centres = np.random.default_rng(4).normal(size=(20, 16))
    X = np.repeat(centres, 60, axis=0)
    X += np.random.default_rng(5).normal(scale=0.5, size=X.shape)
    exact, _ = nearest_neighbors(X, 10, method="exact")
    found, similarities = nearest_neighbors(X, 10, method="approximate")
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)])
    assert recall > 0.95
    assert not (found == np.arange(len(X))[:, None]).any()
    by_hand = np.take_along_axis(similarities_by_hand(X, X), found.astype(int), axis=1)
    np.testing.assert_allclose(similarities, by_hand, atol=1e-4)


def test_auto_says_what_it_chose(monkeypatch, caplog):
    X = np.random.default_rng(6).normal(size=(60, 4))
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"):
        nearest_neighbors(X, 3, device="cpu")
        assert "exact neighbours of 60 rows on CPU" in caplog.text
        monkeypatch.setattr(neighbors, "EXACT_ROWS", 50)
        monkeypatch.setitem(sys.modules, "pynndescent", None)
        nearest_neighbors(X, 3, device="cpu")
    assert "pynndescent is not installed: comparing all pairs of 60 rows" in caplog.text


def test_approximate_without_pynndescent(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynndescent", None)
    with pytest.raises(ImportError, match="needs pynndescent: pip install pynndescent"):
        nearest_neighbors(np.eye(20), 3, method="approximate")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_neighbors": 0}, "n_neighbors=0 must be between 1 and 4"),
        ({"n_neighbors": 5}, "n_neighbors=5 must be between 1 and 4"),
        ({"method": "annoy"}, "method='annoy' must be one of auto, exact, approximate"),
        ({"embeddings": np.ones(3)}, r"has shape \(3,\)"),
        ({"embeddings": np.array([[1.0], [np.nan], [1]])}, "NaN, first in row 1"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbors(**{"embeddings": np.eye(5), "n_neighbors": 2, **arguments})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there():
    with pytest.raises(ValueError, match="device='cuda' is asked for, but torch sees no GPU"):
        nearest_neighbors(np.eye(5), 2, device="cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_gpu_equals_cpu():
    X = np.random.default_rng(7).normal(size=(5000, 64)).astype(np.float32)
    on_gpu, on_cpu = (nearest_neighbors(X, 15, device=device) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(on_gpu[1], on_cpu[1], atol=1e-5)
    assert (on_gpu[0] == on_cpu[0]).mean() > 0.9999
