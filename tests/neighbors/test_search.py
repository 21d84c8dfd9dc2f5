"""Nearest neighbours against brute force, in float64 and by scikit-learn."""

import logging
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors

from bertopic_matryoshka import nearest_neighbors
from bertopic_matryoshka.neighbors import _exact as all_pairs
from bertopic_matryoshka.neighbors import _rows as device_rows
from bertopic_matryoshka.neighbors import _search as neighbors

METHODS = pytest.mark.parametrize("method", ["exact", "two_stage", "approximate"])
ALL = 10_000  # more probes than there are cells

# Small integers: many equal similarities, none that differ by rounding alone.
rows = arrays(np.float32, st.tuples(st.integers(2, 25), st.just(3)), elements=st.integers(-2, 2))


def similarities_by_hand(X, Q):
    def unit(Y):
        lengths = np.linalg.norm(Y.astype(np.float64), axis=1, keepdims=True)
        return Y / np.where(lengths == 0, 1, lengths)

    return unit(Q) @ unit(X).T


def check(X, found, k, queries=None):
    """What holds of all neighbours, however they were looked for."""
    indices, similarities = found
    expected = similarities_by_hand(X, X if queries is None else queries)
    assert indices.shape == similarities.shape == (len(expected), k)
    assert (indices.dtype, similarities.dtype) == (np.int32, np.float32)
    by_hand = np.take_along_axis(expected, indices.astype(int), axis=1)
    np.testing.assert_allclose(similarities, by_hand, atol=1e-6)
    assert np.abs(similarities).max() <= 1
    assert (np.diff(similarities, axis=1) <= 0).all()
    assert (np.diff(indices, axis=1)[np.diff(similarities, axis=1) == 0] > 0).all()
    assert (np.diff(np.sort(indices, axis=1), axis=1) > 0).all()  # none twice
    if queries is None:
        assert not (indices == np.arange(len(X))[:, None]).any()


def told_apart(X, k):
    """Rows whose neighbours differ enough for single precision to order them, on any machine."""
    similar = similarities_by_hand(X, X)
    np.fill_diagonal(similar, -2)
    gaps = -np.diff(-np.sort(-similar, axis=1)[:, : k + 1], axis=1)
    clear = gaps.min(axis=1) > 1e-6
    assert clear.mean() > 0.9
    return clear


def recall(found, exact):
    shares = [np.isin(near, best).mean() for near, best in zip(found[0], exact[0], strict=True)]
    return np.mean(shares)


def same(found, other):
    np.testing.assert_array_equal(found[0], other[0])
    np.testing.assert_allclose(found[1], other[1], atol=1e-6)


def clustered(n_clusters, size, dims, noise=0.5, seed=4):
    rng = np.random.default_rng(seed)
    X = np.repeat(rng.normal(size=(n_clusters, dims)), size, axis=0)
    X += rng.normal(scale=noise, size=X.shape)
    return X.astype(np.float32)


@METHODS
@settings(deadline=None)
@given(rows, st.data())
def test_equals_brute_force(method, X, data):
    k = data.draw(st.integers(1, len(X) - 1))
    found = nearest_neighbors(X, k, method=method, n_probes=ALL, device="cpu")
    check(X, found, k)
    expected = similarities_by_hand(X, X)
    np.fill_diagonal(expected, -2)
    np.testing.assert_allclose(found[1], -np.sort(-expected, axis=1)[:, :k], atol=1e-6)


def test_equals_scikit_learn():
    X = np.random.default_rng(0).normal(size=(1500, 20)).astype(np.float32)
    indices, similarities = nearest_neighbors(X, 15, device="cpu")
    distances, expected = NearestNeighbors(n_neighbors=15, metric="cosine").fit(X).kneighbors()
    clear = told_apart(X, 15)
    np.testing.assert_array_equal(indices[clear], expected[clear])
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


# ---- what the methods find


def test_approximate_recalls_nearly_all():
    X = clustered(40, 25, 32)
    exact = nearest_neighbors(X, 10, method="exact")
    found = nearest_neighbors(X, 10, method="approximate")
    check(X, found, 10)
    recalls = [
        recall(nearest_neighbors(X, 10, method="approximate", n_probes=n), exact) for n in (1, 2)
    ]
    recalls += [recall(found, exact)]
    assert recalls == sorted(recalls)
    assert 0.7 < recalls[0] < recalls[1]
    assert recalls[2] > 0.99
    queries = clustered(40, 2, 32, seed=4)
    exact = nearest_neighbors(X, 10, queries=queries, method="exact")
    found = nearest_neighbors(X, 10, queries=queries, method="approximate")
    check(X, found, 10, queries)
    assert recall(found, exact) > 0.99


def test_two_stage_recalls_nearly_all():
    X = clustered(40, 20, 200)
    exact = nearest_neighbors(X, 10, method="exact")
    found = nearest_neighbors(X, 10, method="two_stage")
    check(X, found, 10)
    assert recall(found, exact) > 0.99


@pytest.mark.parametrize(
    ("method", "dims"), [("two_stage", 64), ("approximate", 128), ("approximate", 3)]
)
def test_narrow_rows_are_compared_as_they_are(monkeypatch, method, dims):
    monkeypatch.setattr(neighbors, "_principal_axes", None)
    X = np.random.default_rng(1).normal(size=(300, dims)).astype(np.float32)
    queries = X[::7] + X[::7][::-1]
    for asked in (None, queries):
        exact = nearest_neighbors(X, 9, queries=asked, method="exact")
        same(nearest_neighbors(X, 9, queries=asked, method=method, n_probes=ALL), exact)


@pytest.mark.parametrize(("method", "dims"), [("two_stage", 65), ("approximate", 129)])
def test_wide_rows_are_compared_on_their_principal_axes(monkeypatch, method, dims):
    """Rows that span no more than the axes are compared as at full width."""
    rng = np.random.default_rng(2)
    X = np.zeros((400, dims + 50))
    # The first rows lie in other directions than the last.
    for part, directions in ((slice(200), slice(30)), (slice(200, 400), slice(30, 60))):
        X[part, directions] = rng.normal(size=(200, 30))
    X = X @ np.linalg.qr(rng.normal(size=(dims + 50, dims + 50)))[0]
    exact = nearest_neighbors(X, 9, method="exact")
    monkeypatch.setattr(neighbors, "AXES_ROWS", 100)
    monkeypatch.setitem(neighbors.SHORTLIST, method, 1)
    same(nearest_neighbors(X, 9, method=method, n_probes=ALL), exact)
    queries = X[::5] + X[::-5]
    exact = nearest_neighbors(X, 9, queries=queries, method="exact")
    same(nearest_neighbors(X, 9, queries=queries, method=method, n_probes=ALL), exact)


@pytest.mark.parametrize("method", ["two_stage", "approximate"])
def test_a_longer_shortlist_finds_more(monkeypatch, method):
    X = np.random.default_rng(3).normal(size=(400, 300)).astype(np.float32)
    exact = nearest_neighbors(X, 10, method="exact")
    recalls = []
    for times in (1, 2, 40):
        monkeypatch.setitem(neighbors.SHORTLIST, method, times)
        found = nearest_neighbors(X, 10, method=method, n_probes=ALL)
        check(X, found, 10)
        recalls.append(recall(found, exact))
    assert 0.5 < recalls[0] < recalls[1] < recalls[2] == 1  # the last has all rows
    same(found, exact)


# ---- rows of all kinds


@METHODS
@pytest.mark.parametrize("n_rows", [2, 3, 5])
def test_a_few_rows(method, n_rows):
    X = np.random.default_rng(n_rows).normal(size=(n_rows, 140))
    for k in range(1, n_rows):
        same(nearest_neighbors(X, k, method=method), nearest_neighbors(X, k, method="exact"))
    alone = nearest_neighbors(X[:1], 1, queries=X, method=method)
    assert alone[0].tolist() == [[0]] * n_rows


@METHODS
@pytest.mark.parametrize("dims", [6, 150])
def test_all_other_rows_are_neighbours(monkeypatch, method, dims):
    """The cells around a row have too few: it is compared with all."""
    X = np.random.default_rng(0).normal(size=(130, dims))
    exact = nearest_neighbors(X, 129, method="exact")
    for block_bytes in (2**28, 4 * dims * 130 * 20, 1):  # 20 rows at a time, one at a time
        monkeypatch.setattr(neighbors, "BLOCK_BYTES", block_bytes)
        found = nearest_neighbors(X, 129, method=method)
        check(X, found, 129)
        same(found, exact)
        queries = X[:50] * [[2]]
        found = nearest_neighbors(X, 130, queries=queries, method=method)
        check(X, found, 130, queries)
        assert (found[0][:, 0] == np.arange(50)).all()


def test_rows_whose_cells_have_too_few_are_compared_with_all():
    X = np.concatenate([clustered(1, 300, 8), clustered(10, 10, 8, noise=0.05, seed=5)])
    exact = nearest_neighbors(X, 25, method="exact")
    found = nearest_neighbors(X, 25, method="approximate", n_probes=1)
    check(X, found, 25)
    assert 0.5 < recall(found, exact) < 1  # only some of them are


@METHODS
@pytest.mark.parametrize("dims", [12, 140])
def test_many_duplicates(method, dims):
    X = np.random.default_rng(8).normal(size=(500, dims)).astype(np.float32)
    X[50:] = X[np.random.default_rng(9).integers(0, 3, 450)]  # three rows, about 150 times
    found = nearest_neighbors(X, 20, method=method)
    check(X, found, 20)
    np.testing.assert_allclose(found[1][50:], 1, atol=1e-6)


@METHODS
@pytest.mark.parametrize("dims", [4, 140])
def test_constant_rows(method, dims):
    X = np.ones((300, dims), dtype=np.float32)
    found = nearest_neighbors(X, 12, method=method)
    check(X, found, 12)
    np.testing.assert_allclose(found[1], 1, atol=1e-6)


@METHODS
@pytest.mark.parametrize("dims", [4, 140])
def test_zero_rows(method, dims):
    X = np.random.default_rng(10).normal(size=(120, dims))
    X[::3] = 0
    found = nearest_neighbors(X, 5, method=method, n_probes=ALL)
    check(X, found, 5)
    assert not found[1][::3].any()
    nothing = np.zeros((40, dims))
    found = nearest_neighbors(nothing, 5, method=method)
    check(nothing, found, 5)
    assert not found[1].any()


# ---- memory and threads


@METHODS
@pytest.mark.parametrize("dims", [20, 150])
def test_blocks_do_not_matter(monkeypatch, method, dims):
    X = clustered(20, 25, dims)
    whole = nearest_neighbors(X, 10, method=method)
    monkeypatch.setattr(neighbors, "BLOCK_BYTES", 4 * 500 * 7)
    monkeypatch.setattr(all_pairs, "BLOCK_ROWS", 7)
    parts = nearest_neighbors(X, 10, method=method)
    same(parts, whole)
    monkeypatch.setattr(neighbors, "BLOCK_BYTES", 1)
    same(nearest_neighbors(X, 10, method=method), whole)


def test_candidates_are_ranked_in_blocks(monkeypatch):
    X = np.random.default_rng(1).normal(size=(500, 8)).astype(np.float32)
    original, sizes = neighbors._rescored, []

    def measured(base, block, found, n):
        sizes.append(4 * found.numel() * base.n_dims)
        return original(base, block, found, n)

    monkeypatch.setattr(neighbors, "_rescored", measured)
    monkeypatch.setattr(neighbors, "BLOCK_BYTES", 40_000)
    nearest_neighbors(X, 10, method="exact")
    nearest_neighbors(X, 499, method="approximate", n_probes=1)
    assert max(sizes) <= 40_000 < 2 * max(sizes)


@METHODS
def test_out_of_memory_halves_the_block_and_goes_on(monkeypatch, caplog, method):
    X = np.random.default_rng(2).normal(size=(300, 8)).astype(np.float32)
    whole = nearest_neighbors(X, 10, method=method)
    original = all_pairs.top

    def greedy(chunks, block, own, n):
        if block.shape[0] > 100:
            raise torch.OutOfMemoryError
        return original(chunks, block, own, n)

    monkeypatch.setattr(all_pairs, "top", greedy)
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"):
        same(nearest_neighbors(X, 10, method=method), whole)
    assert ("going on with blocks of 64 rows" in caplog.text) == (method != "approximate")


@METHODS
@pytest.mark.parametrize("dims", [20, 150])
def test_a_memory_mapped_half_precision_file(tmp_path, monkeypatch, method, dims):
    X = clustered(20, 25, dims).astype(np.float16)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    in_memory = X.astype(np.float32)
    own, given = ({"queries": queries, "method": method} for queries in (None, in_memory[::9]))
    expected = [nearest_neighbors(in_memory, 5, **asked) for asked in (own, given)]
    same(nearest_neighbors(mapped, 5, **own), expected[0])
    made = []

    class Watched(device_rows.DeviceRows):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(device_rows, "DeviceRows", Watched)
    monkeypatch.setattr(device_rows, "RESIDENT_BYTES", 0)  # read, not held
    monkeypatch.setattr(device_rows, "CHUNK_ROWS", 64)
    same(nearest_neighbors(mapped, 5, device="cpu", **own), expected[0])
    given["queries"] = mapped[::9]
    same(nearest_neighbors(mapped, 5, device="cpu", **given), expected[1])
    assert len(made) == 3
    assert all(rows.held is None and np.shares_memory(rows.array, mapped) for rows in made)


@pytest.mark.parametrize("method", ["exact", "two_stage", "approximate"])
def test_a_row_that_is_not_finite_is_named_where_rows_are_read(monkeypatch, method):
    X = np.ones((100, 140), dtype=np.float32)
    X[[56, 60], 3] = np.nan
    monkeypatch.setattr(device_rows, "RESIDENT_BYTES", 0)
    monkeypatch.setattr(neighbors, "AXES_ROWS", 25)
    with pytest.raises(ValueError, match="NaN, first in row 56"):
        nearest_neighbors(X, 3, method=method, device="cpu")


@METHODS
@pytest.mark.parametrize("dims", [20, 300])
def test_the_number_of_threads_does_not_matter(method, dims):
    X = clustered(40, 20, dims)
    threads = torch.get_num_threads()
    found = []
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            found.append(nearest_neighbors(X, 15, method=method, device="cpu"))
    finally:
        torch.set_num_threads(threads)
    same(*found)


# ---- parameters


def test_auto_says_what_it_chose(monkeypatch, caplog):
    X = clustered(20, 20, 16)
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"):
        few = nearest_neighbors(X, 10, device="cpu")
        assert "exact neighbours of 400 rows on cpu" in caplog.text
        monkeypatch.setattr(neighbors, "EXACT_ROWS", 400)
        nearest_neighbors(X, 10, device="cpu")
        assert "approximate" not in caplog.text
        monkeypatch.setattr(neighbors, "EXACT_ROWS", 399)
        many = nearest_neighbors(X, 10, n_probes=1, device="cpu")
    assert "approximate neighbours of 400 rows on cpu" in caplog.text
    same(few, nearest_neighbors(X, 10, method="exact", device="cpu"))
    same(many, nearest_neighbors(X, 10, method="approximate", n_probes=1, device="cpu"))
    assert (many[0] != few[0]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_neighbors": 0}, "n_neighbors=0 must be between 1 and 4"),
        ({"n_neighbors": 5}, "n_neighbors=5 must be between 1 and 4"),
        ({"n_neighbors": 6, "queries": np.eye(5)}, "n_neighbors=6 must be between 1 and 5"),
        (
            {"method": "annoy"},
            "'annoy' must be one of auto, exact, two_stage, approximate, pynndescent",
        ),
        ({"n_probes": 0}, "n_probes=0 must be at least 1, a number of cells"),
        ({"embeddings": np.ones(3)}, r"embeddings has shape \(3,\)"),
        ({"queries": np.ones(5)}, r"queries has shape \(5,\) and must be \(n_rows, n_dims\)"),
        ({"queries": np.ones((2, 4))}, "queries are 4 wide and embeddings 5. Cut or select both"),
        ({"embeddings": np.array([[1.0], [np.nan], [1]])}, "NaN, first in row 1"),
        ({"queries": np.full((2, 5), np.inf)}, "infinity, first in row 0"),
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
@pytest.mark.parametrize("noise", [0.02, 0.5])  # half precision alone cannot order near rows
def test_gpu_equals_cpu(noise):
    X = clustered(20, 100, 64, noise=noise)
    on_gpu, on_cpu = (
        nearest_neighbors(X, 15, method="exact", device=device) for device in ("cuda", "cpu")
    )
    check(X, on_gpu, 15)
    np.testing.assert_allclose(on_gpu[1], on_cpu[1], atol=1e-6)
    clear = told_apart(X, 15)
    np.testing.assert_array_equal(on_gpu[0][clear], on_cpu[0][clear])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@METHODS
def test_neighbours_on_a_gpu(method, caplog):
    X = clustered(40, 50, 150)
    on_gpu, on_cpu = (nearest_neighbors(X, 10, method=method, device=d) for d in ("cuda", "cpu"))
    check(X, on_gpu, 10)
    assert recall(on_gpu, on_cpu) > 0.99
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"):
        nearest_neighbors(X, 10)
    assert "exact neighbours of 2000 rows on cuda" in caplog.text


@pytest.mark.parametrize("queries", [False, True])
def test_pynndescent_finds_most_neighbours(queries):
    pytest.importorskip("pynndescent")
    X = clustered(20, 20, 16)
    Q = X[:50] + 0.01 if queries else None
    indices, similarities = nearest_neighbors(X, 5, queries=Q, method="pynndescent")
    exact, _ = nearest_neighbors(X, 5, queries=Q, method="exact")
    assert (indices.dtype, similarities.dtype) == (np.int32, np.float32)
    assert np.mean([np.isin(a, b).mean() for a, b in zip(indices, exact, strict=True)]) > 0.9
    true = similarities_by_hand(X, X if Q is None else Q)
    np.testing.assert_allclose(similarities, np.take_along_axis(true, indices, axis=1), atol=1e-5)
    if Q is None:
        assert (indices != np.arange(len(X))[:, None]).all()


def test_pynndescent_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynndescent", None)
    with pytest.raises(ImportError, match="needs pynndescent: pip install pynndescent"):
        nearest_neighbors(np.eye(4), 2, method="pynndescent")
