"""LeidenClustering: scikit-learn's checks, cases by hand, degenerate input, real text."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.communities import communities, exactly, n_large


@parametrize_with_checks(
    [
        LeidenClustering(),
        LeidenClustering(n_neighbors=5, min_cluster_size=2, min_membership=0.2),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def blobs():
    """Three directions with 30, 50 and 40 rows, and their labels by size."""
    rng = np.random.default_rng(0)
    sizes = [30, 50, 40]
    X = np.repeat(np.eye(3, 6), sizes, axis=0) + rng.normal(scale=0.15, size=(120, 6))
    return X.astype(np.float32), np.repeat([2, 0, 1], sizes)


def two_cliques(n=10):
    """Two complete graphs of n nodes, joined by one edge."""
    block = np.kron(np.eye(2), np.ones((n, n))) - np.eye(2 * n)
    block[n - 1, n] = block[n, n - 1] = 1
    return csr_matrix(block)


def test_two_cliques_are_two_communities():
    labels = communities(two_cliques(), 1.0, seed=0)
    assert len(set(labels)) == 2
    assert len(set(labels[:10])) == len(set(labels[10:])) == 1


def test_a_graph_without_edges():
    assert communities(csr_matrix((3, 3)), 1.0, seed=0).tolist() == [0, 1, 2]


def test_merging_joins_the_most_densely_linked():
    graph = two_cliques(4)
    labels = np.array([0, 0, 1, 1, 2, 2, 2, 2])  # the first clique in halves
    merged = exactly(graph, labels, 2, min_cluster_size=2)
    assert len(set(merged[:4])) == len(set(merged[4:])) == 1
    assert n_large(merged, 2) == 2


def test_blobs_are_found_and_numbered_by_size(blobs):
    X, expected = blobs
    clustering = LeidenClustering(3).fit(X)
    np.testing.assert_array_equal(clustering.labels_, expected)
    assert clustering.n_clusters_ == 3
    assert (clustering.probabilities_ > 0.9).mean() > 0.9


def test_scale_of_rows_does_not_matter(blobs):
    X, _ = blobs
    scaled = X * np.random.default_rng(1).uniform(0.1, 10, size=(len(X), 1))
    np.testing.assert_array_equal(
        LeidenClustering().fit_predict(X), LeidenClustering().fit_predict(scaled)
    )


def test_probabilities_are_the_share_of_neighbours_in_the_own_community():
    X = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 3) + 0.01 * np.arange(12).reshape(6, 2)
    clustering = LeidenClustering(2, n_neighbors=2, min_cluster_size=2).fit(X)
    np.testing.assert_array_equal(clustering.probabilities_, 1)


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5, 8])
def test_the_number_asked_for_is_found(embeddings, n_clusters):
    clustering = LeidenClustering(n_clusters).fit(embeddings)
    assert clustering.n_clusters_ == n_clusters
    assert set(clustering.labels_) - {-1} == set(range(n_clusters))


def test_more_resolution_more_clusters(embeddings):
    counts = [
        LeidenClustering(resolution=r, min_cluster_size=2).fit(embeddings).n_clusters_
        for r in (0.05, 0.3, 1, 4)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_real_text_is_found_again(embeddings, doc_labels):
    """The docstrings' subpackages, far better than chance, and no outliers."""
    clustering = LeidenClustering().fit(embeddings)
    assert adjusted_mutual_info_score(doc_labels, clustering.labels_) > 0.35
    assert not (clustering.labels_ == -1).any()


def test_shuffled_rows_have_the_same_labels(embeddings):
    rng = np.random.default_rng(3)
    # Rows without any structure have many divisions that are equally good.
    for X in (embeddings, rng.normal(size=(500, 8))):
        labels = LeidenClustering(resolution=4).fit_predict(X)
        order = rng.permutation(len(X))
        shuffled = LeidenClustering(resolution=4).fit_predict(X[order])
        np.testing.assert_array_equal(shuffled, labels[order])


def test_threads_do_not_matter(embeddings):
    found, before = [], torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(LeidenClustering().fit_predict(embeddings))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*found)


def test_predict_agrees_with_the_labels_of_the_rows_themselves(embeddings):
    clustering = LeidenClustering().fit(embeddings)
    labels, strengths = clustering.predict_strength(embeddings)
    assert adjusted_rand_score(clustering.labels_, labels) > 0.8
    assert ((strengths >= 0) & (strengths <= 1)).all()
    np.testing.assert_array_equal(clustering.predict(embeddings), labels)


def test_predict_by_hand():
    X = np.array([[1.0, 0.0]] * 4 + [[0.0, 1.0]] * 2)
    clustering = LeidenClustering(n_neighbors=3, min_cluster_size=3).fit(X)
    assert clustering.labels_.tolist() == [0, 0, 0, 0, -1, -1]
    labels, strengths = clustering.predict_strength([[2.0, 0.1], [0.1, 1.0], [0.0, 0.0]])
    assert labels.tolist() == [0, -1, -1]
    assert strengths[0] == pytest.approx(1)
    assert strengths[1:].tolist() == [0, 0]


def test_weak_members_become_outliers(embeddings):
    whole = LeidenClustering().fit(embeddings)
    strict = LeidenClustering(min_membership=0.6).fit(embeddings)
    outlier = strict.labels_ == -1
    assert 0 < outlier.mean() < 0.9
    assert (whole.probabilities_[~outlier] >= 0.6).all()
    assert (strict.probabilities_[outlier] == 0).all()


def test_small_communities_become_outliers(blobs):
    X, expected = blobs
    clustering = LeidenClustering(min_cluster_size=35, resolution=0.5).fit(X)
    assert (clustering.labels_[expected == 2] == -1).all()
    assert clustering.n_clusters_ == 2


def test_zero_rows_are_outliers(blobs):
    X, expected = blobs
    with_zeros = np.vstack([np.zeros((2, 6)), X])
    clustering = LeidenClustering(3).fit(with_zeros)
    assert clustering.labels_[:2].tolist() == [-1, -1]
    np.testing.assert_array_equal(clustering.labels_[2:], expected)


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 30), st.just(3)), elements=st.integers(-1, 1)),
    st.integers(1, 40),
)
def test_anything_gives_labels_and_probabilities(X, n_neighbors):
    """Duplicates, constant and zero rows, one row, fewer rows than neighbours, parts apart."""
    clustering = LeidenClustering(n_neighbors=n_neighbors, min_cluster_size=2).fit(X)
    assert clustering.labels_.shape == clustering.probabilities_.shape == (len(X),)
    assert set(clustering.labels_) - {-1} == set(range(clustering.n_clusters_))
    assert ((clustering.probabilities_ >= 0) & (clustering.probabilities_ <= 1)).all()
    assert (clustering.labels_[~X.any(axis=1)] == -1).all()
    assert clustering.predict(X).shape == (len(X),)


def test_all_rows_alike_are_one_cluster():
    clustering = LeidenClustering(n_neighbors=60).fit(np.ones((50, 4)))
    assert clustering.labels_.tolist() == [0] * 50


def test_one_row():
    clustering = LeidenClustering().fit([[1.0, 2.0]])
    assert clustering.labels_.tolist() == [-1]
    assert clustering.predict([[1.0, 2.0]]).tolist() == [-1]


def test_pickle(embeddings):
    clustering = LeidenClustering().fit(embeddings)
    again = pickle.loads(pickle.dumps(clustering))
    np.testing.assert_array_equal(again.predict(embeddings), clustering.predict(embeddings))


def test_after_selection(embeddings):
    selected = DimensionSelector(32, criterion="laplacian").fit_transform(embeddings)
    assert LeidenClustering(5).fit(selected).n_clusters_ == 5


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters=0 must be at least 1"),
        ({"n_clusters": 2.0}, TypeError, "n_clusters=2.0 must be an int"),
        ({"n_clusters": 13}, ValueError, "n_samples=120. Ask for at most 12"),
        ({"n_neighbors": 0}, ValueError, "n_neighbors=0 must be at least 1"),
        ({"min_cluster_size": 1}, ValueError, "min_cluster_size=1 must be at least 2"),
        ({"resolution": 0}, ValueError, "resolution=0 must be above 0"),
        ({"min_membership": 1.5}, ValueError, r"min_membership=1.5 must be in \[0, 1\]"),
        ({"method": "fast"}, ValueError, "method='fast' must be one of"),
    ],
)
def test_bad_parameters(blobs, parameters, error, message):
    with pytest.raises(error, match=message):
        LeidenClustering(**parameters).fit(blobs[0])


def test_too_few_clusters_are_said_to_be_so(blobs):
    with pytest.warns(RuntimeWarning, match=r"n_clusters=12, but only \d+ clusters of at least"):
        clustering = LeidenClustering(12).fit(blobs[0])
    assert clustering.n_clusters_ < 12


def test_unfitted():
    with pytest.raises(NotFittedError):
        LeidenClustering().predict([[1.0]])
