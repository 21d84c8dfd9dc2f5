"""Neighbours from a transformer or a graph, through the clustering that takes them."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.neighbors import KNeighborsTransformer, RadiusNeighborsTransformer

from bertopic_matryoshka import LeidenClustering
from bertopic_matryoshka.neighbors._given import given_neighbors


def unit(X):
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def groups(n_groups=6, size=30, dims=20, seed=0):
    rng = np.random.default_rng(seed)
    X = np.repeat(rng.normal(size=(n_groups, dims)), size, axis=0)
    return X + 0.5 * rng.normal(size=X.shape)


def test_by_hand():
    rows = np.array([[1.0, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]])
    graph = csr_matrix(([7, 0, 9, 1, 1], ([0, 0, 0, 1, 2], [2, 0, 1, 3, 1])), shape=(4, 4))
    indices, similarities = given_neighbors(graph, rows)
    # Nearest first, whatever the values; the row itself is left out, and stands for what lacks.
    assert indices.tolist() == [[1, 2], [3, 1], [1, 2], [3, 3]]
    np.testing.assert_allclose(similarities, [[0.8, 0.6], [0.6, -1], [0.96, -1], [-1, -1]])
    assert (indices.dtype, similarities.dtype) == (np.int32, np.float32)


def test_a_neighbour_that_is_stored_twice_counts_once():
    rows = np.array([[1.0, 0], [0.8, 0.6], [0.6, 0.8]])
    twice = csr_matrix((np.ones(4), [1, 1, 2, 1], [0, 2, 3, 4]), shape=(3, 3))
    assert twice.nnz == 4
    assert given_neighbors(twice, rows)[0].tolist() == [[1], [2], [1]]
    assert twice.nnz == 4  # the one that was given stays as it is


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("copies", [0, 7])
def test_scikit_learns_transformer_gives_what_the_search_gives(mode, copies):
    X = groups()
    X = np.concatenate([X, X[:copies] * 2, np.zeros((2, 20))])
    ours = LeidenClustering(n_neighbors=10, copy_distance=0).fit(X)
    for given in (
        KNeighborsTransformer(n_neighbors=10, mode=mode, metric="cosine"),
        KNeighborsTransformer(n_neighbors=10, mode=mode),  # rows have unit length
    ):
        theirs = LeidenClustering(n_neighbors=10, copy_distance=0, neighbors=given).fit(X)
        np.testing.assert_array_equal(theirs.labels_, ours.labels_)
        np.testing.assert_array_equal(theirs.labels_at(4), ours.labels_at(4))
        np.testing.assert_array_equal(theirs.predict(X), ours.predict(X))
        assert not hasattr(given, "n_samples_fit_")  # a clone is fitted


def test_a_graph_in_the_order_of_the_rows():
    X = groups()
    graph = KNeighborsTransformer(n_neighbors=15).fit_transform(unit(X))
    ours = LeidenClustering(n_neighbors=15).fit(X)
    np.testing.assert_array_equal(LeidenClustering(neighbors=graph).fit(X).labels_, ours.labels_)
    order = np.random.default_rng(1).permutation(len(X))
    shuffled = LeidenClustering(neighbors=graph[order][:, order]).fit(X[order])
    np.testing.assert_array_equal(shuffled.labels_, ours.labels_[order])


def test_copies_in_a_graph_count_once():
    X = groups(size=90)
    some = np.r_[np.arange(len(X)), [3] * 40, [4] * 40]
    copied = np.concatenate([X[some], np.zeros((1, 20))])
    graph = KNeighborsTransformer(n_neighbors=60).fit_transform(unit(copied[:-1]))
    graph.resize(len(copied), len(copied))  # the zero row has no neighbours
    found = LeidenClustering(n_clusters=6, neighbors=graph).fit(copied)
    assert found.n_copies_ == 80
    assert found.labels_[-1] == -1
    truth = np.repeat(np.arange(6), 90)
    assert adjusted_mutual_info_score(truth, found.labels_[: len(X)]) > 0.95
    assert set(found.labels_[len(X) : len(X) + 40]) == {found.labels_[3]}


def test_rows_may_have_different_numbers_of_neighbours():
    X = groups()
    given = RadiusNeighborsTransformer(radius=0.9)
    found = LeidenClustering(n_clusters=6, neighbors=given).fit(X)
    truth = np.repeat(np.arange(6), 30)
    inside = found.labels_ >= 0
    assert inside.mean() > 0.9
    assert adjusted_mutual_info_score(truth[inside], found.labels_[inside]) > 0.95


@pytest.mark.parametrize(
    ("neighbors", "error", "message"),
    [
        ("faiss", TypeError, "neighbors='faiss' must be a transformer such as scikit-learn's"),
        (KNeighborsTransformer, TypeError, "must be a transformer"),
        (csr_matrix((9, 9)), ValueError, r"shape \(9, 9\) and must have shape \(180, 180\)"),
        (csr_matrix((180, 180)), ValueError, "gives no row a neighbour"),
    ],
)
def test_bad_input(neighbors, error, message):
    with pytest.raises(error, match=message):
        LeidenClustering(neighbors=neighbors).fit(groups())


def test_a_transformer_that_gives_something_else():
    class Dense(KNeighborsTransformer):
        def fit_transform(self, X, y=None):
            return X

    with pytest.raises(ValueError, match=r"gives a ndarray, and must give a sparse matrix of"):
        LeidenClustering(neighbors=Dense()).fit(groups())


def test_neighbors_and_method_exclude_each_other():
    with pytest.raises(ValueError, match="neighbors and method='exact' are both given"):
        LeidenClustering(neighbors=KNeighborsTransformer(), method="exact").fit(groups())
