"""Nearest neighbours against brute force, in float64 and by scikit-learn."""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors
from tensors import Memory

from bertopic_matryoshka import nearest_neighbors
from bertopic_matryoshka.neighbors import NeighborIndex, _inverted_file, _rows

METHODS = pytest.mark.parametrize("method", ["exact", "approximate"])
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


@pytest.fixture
def short_lists(monkeypatch):
    """Lists as short as those of many rows are, for a few rows."""
    monkeypatch.setattr(_inverted_file, "LIST_ROWS", 25)


def test_approximate_recalls_nearly_all(short_lists):
    X = clustered(40, 25, 32, noise=1.0)
    exact = nearest_neighbors(X, 10, method="exact")
    found = nearest_neighbors(X, 10, method="approximate")
    check(X, found, 10)
    recalls = [
        recall(nearest_neighbors(X, 10, method="approximate", n_probes=n), exact) for n in (1, 2, 8)
    ]
    assert recall(found, exact) == recalls[1]  # by default
    assert recalls == sorted(recalls)
    assert 0.6 < recalls[0] < recalls[1]
    assert recalls[2] > 0.95
    queries = clustered(40, 2, 32, noise=1.0)
    exact = nearest_neighbors(X, 10, queries=queries, method="exact")
    found = nearest_neighbors(X, 10, queries=queries, method="approximate", n_probes=8)
    check(X, found, 10, queries)
    assert recall(found, exact) > 0.95


@pytest.mark.parametrize("dims", [128, 3])
def test_narrow_rows_are_compared_as_they_are(dims):
    X = np.random.default_rng(1).normal(size=(300, dims)).astype(np.float32)
    queries = X[::7] + X[::7][::-1]
    for asked in (None, queries):
        exact = nearest_neighbors(X, 9, queries=asked, method="exact")
        same(nearest_neighbors(X, 9, queries=asked, method="approximate", n_probes=ALL), exact)


def test_wide_rows_are_compared_on_their_principal_axes():
    """Rows that span no more than the axes are compared as at full width."""
    rng, dims = np.random.default_rng(2), 129
    X = np.zeros((6000, dims + 50), dtype=np.float32)
    # The first rows, more than the axes are found from, lie in other directions than the last.
    for part, directions in ((slice(4500), slice(30)), (slice(4500, 6000), slice(30, 60))):
        X[part, directions] = rng.normal(size=X[part, directions].shape)
    X = X @ np.linalg.qr(rng.normal(size=(dims + 50, dims + 50)))[0].astype(np.float32)
    queries = X[::50] + X[::-50]
    exact = nearest_neighbors(X, 9, queries=queries, method="exact")
    same(nearest_neighbors(X, 9, queries=queries, method="approximate", n_probes=ALL), exact)


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
def test_all_other_rows_are_neighbours(method, dims):
    """The lists around a row have too few: it is compared with all."""
    X = np.random.default_rng(0).normal(size=(130, dims))
    exact = nearest_neighbors(X, 129, method="exact")
    queries = X[:50] * [[2]]
    found = nearest_neighbors(X, 129, method=method, device="cpu")
    check(X, found, 129)
    same(found, exact)
    asked = nearest_neighbors(X, 130, queries=queries, method=method, device="cpu")
    check(X, asked, 130, queries)
    assert (asked[0][:, 0] == np.arange(50)).all()


def test_rows_whose_lists_have_too_few_are_compared_with_more(short_lists):
    X = np.concatenate([clustered(1, 300, 8), clustered(10, 10, 8, noise=0.05, seed=5)])
    exact = nearest_neighbors(X, 60, method="exact")
    found = nearest_neighbors(X, 60, method="approximate", n_probes=1)
    check(X, found, 60)
    assert 0.5 < recall(found, exact) < 1


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


@pytest.mark.parametrize("dims", [20, 150])
def test_out_of_memory_halves_the_blocks_and_goes_on(caplog, dims):
    X = clustered(60, 25, dims)
    whole = nearest_neighbors(X, 10, method="exact", device="cpu")
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"), Memory(5 * X.size) as memory:
        same(nearest_neighbors(X, 10, method="exact", device="cpu"), whole)
    assert "out of memory: continuing with blocks of" in caplog.text
    assert memory.largest > X.size


@pytest.mark.parametrize("dims", [32, 160])  # wide rows are searched on axes
def test_lists_that_were_built_are_not_built_again(dims, short_lists, monkeypatch):
    X, queries = clustered(40, 25, dims, noise=1.0), clustered(40, 2, dims, noise=1.0)
    index = NeighborIndex(X, method="approximate")
    assert index.lists_built() is None
    found, others = index.search(10), index.search(10, queries)
    lists = index.lists_built()
    assert lists.list_of.shape == (3, len(X))
    assert (lists.axes is None) == (dims == 32)
    monkeypatch.setattr(_inverted_file, "build_file", None)
    again = NeighborIndex(X, method="approximate", lists=lists)
    same(again.search(10), found)
    same(again.search(10, queries), others)
    for array, other in zip(again.lists_built(), lists, strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize("dims", [32, 160])
def test_lists_of_some_of_the_rows_find_as_many(dims, short_lists):
    X = clustered(40, 25, dims, noise=1.0)
    index = NeighborIndex(X, method="approximate")
    index.search(10)
    kept = np.random.default_rng(0).permutation(len(X))[:400]
    fewer = NeighborIndex(X[kept], method="approximate", lists=index.lists_built().of(kept))
    found, exact = fewer.search(10), nearest_neighbors(X[kept], 10, method="exact")
    check(X[kept], found, 10)
    # Of the kept rows a list has ten: as many rows are compared as if it had 25.
    fresh = nearest_neighbors(X[kept], 10, method="approximate")
    assert recall(found, exact) > recall(fresh, exact) - 0.06


def test_all_pairs_have_no_lists():
    index = NeighborIndex(np.eye(20), method="exact")
    index.search(3)
    assert index.lists_built() is None


@METHODS
def test_memory_that_is_too_small_for_one_row(method):
    with Memory(1000), pytest.raises(torch.OutOfMemoryError):
        nearest_neighbors(np.eye(300), 10, method=method, device="cpu")


@pytest.mark.parametrize(("method", "k"), [("exact", 5), ("approximate", 499)])
def test_blocks_are_bounded(method, k):
    X = np.random.default_rng(1).normal(size=(5000, 64)).astype(np.float32)
    with Memory() as memory:
        nearest_neighbors(X, k, method=method, device="cpu")
    # What a core's cache holds; or the candidates with their similarities, kept for all rows.
    bound = 2**22 if method == "exact" else 8 * 5000 * (k + 4)
    assert bound / 4 < memory.largest <= bound


@METHODS
def test_rows_that_do_not_fit_are_read(tmp_path, method):
    n_rows, dims = 66_000, 150  # more than are read at a time
    X = np.random.default_rng(5).normal(size=(n_rows, dims)).astype(np.float16)
    X *= 0.95 ** np.arange(dims, dtype=np.float16)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    queries = mapped[-300:]
    expected = nearest_neighbors(X, 5, queries=queries, method=method, device="cpu")
    with Memory(most=4 * X.size - 1) as memory:  # room for the rows on principal axes
        found = nearest_neighbors(mapped, 5, queries=queries, method=method, device="cpu")
    assert memory.largest < 4 * X.size
    same(found, expected)
    assert (found[0][:, 0] == np.arange(n_rows - 300, n_rows)).all()


@METHODS
@pytest.mark.parametrize("dims", [20, 150])
def test_a_memory_mapped_half_precision_file(tmp_path, method, dims):
    X = clustered(20, 25, dims).astype(np.float16)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    single = X.astype(np.float32)
    for some, whole in ((None, None), (mapped[::9], single[::9])):
        found = nearest_neighbors(mapped, 5, queries=some, method=method)
        same(found, nearest_neighbors(single, 5, queries=whole, method=method))


@METHODS
def test_a_row_that_is_not_finite_is_named_where_rows_are_read(method):
    X = np.ones((9_000, 140), dtype=np.float32)
    X[[8_003, 8_010], 3] = np.nan
    with Memory(most=4 * X.size - 1), pytest.raises(ValueError, match="NaN, first in row 8003"):
        nearest_neighbors(X, 3, queries=np.ones((2, 140)), method=method, device="cpu")


@METHODS
@pytest.mark.parametrize("dims", [20, 300])
def test_the_number_of_threads_does_not_matter(method, dims, short_lists):
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


# ---- several devices


@pytest.mark.parametrize("n_devices", [2, 3, 7])
@pytest.mark.parametrize("others", [None, 5])
def test_several_devices_share_the_queries(n_devices, others):
    X = clustered(5, 20, 8)
    queries = None if others is None else X[:others] + 0.01
    one = nearest_neighbors(X, 6, queries=queries, method="exact", device="cpu")
    same(one, nearest_neighbors(X, 6, queries=queries, device=["cpu"] * n_devices))


def test_rows_that_several_devices_read(tmp_path, monkeypatch):
    X = clustered(5, 20, 8)
    np.save(tmp_path / "X.npy", X)
    expected = nearest_neighbors(X, 6, device="cpu")
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    monkeypatch.setattr(_rows, "RESIDENT_BYTES", 0)
    same(expected, nearest_neighbors(X, 6, device=["cpu", "cpu"]))


@pytest.mark.parametrize(
    ("device", "method", "message"),
    [
        ([], "auto", "names no device"),
        (["cpu", "tpu9"], "auto", "device='tpu9' is not one that torch knows"),
        (["cpu", "cpu"], "approximate", 'Name one, or take method="exact"'),
    ],
)
def test_several_devices_that_cannot_search(device, method, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbors(np.eye(5), 2, device=device, method=method)


# ---- precision


@METHODS
def test_what_a_process_allows_its_training_does_not_matter(method):
    """bfloat16, where the processor has it, would find other neighbours."""
    X = clustered(40, 50, 150)
    expected = nearest_neighbors(X, 10, method=method, device="cpu")
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            same(expected, nearest_neighbors(X, 10, method=method, device="cpu"))
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)


# ---- parameters


def test_auto_says_what_it_chose(caplog):
    X = np.random.default_rng(0).normal(size=(8_001, 8)).astype(np.float32)
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"):
        few = nearest_neighbors(X[:-1], 5, device="cpu")
        assert "exact neighbours of 8000 rows on cpu" in caplog.text
        many = nearest_neighbors(X, 5, n_probes=1, device="cpu")
    assert "approximate neighbours of 8001 rows on cpu" in caplog.text
    same(few, nearest_neighbors(X[:-1], 5, method="exact", device="cpu"))
    same(many, nearest_neighbors(X, 5, method="approximate", n_probes=1, device="cpu"))
    assert (many[0][:-1] != few[0]).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_neighbors": 0}, r"n_neighbors=0 must be at least 1\.$"),
        ({"n_neighbors": 5}, "n_neighbors=5 must be at most 4, the number of other rows in the"),
        (
            {"n_neighbors": 6, "queries": np.eye(5)},
            "n_neighbors=6 must be at most 5, the number of rows",
        ),
        ({"method": "annoy"}, "'annoy' must be one of auto, exact, approximate"),
        ({"n_probes": 0}, "n_probes=0 must be at least 1"),
        ({"embeddings": np.ones(3)}, r"embeddings has shape \(3,\)"),
        ({"queries": np.ones(5)}, r"queries has shape \(5,\) and must be two-dimensional"),
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
