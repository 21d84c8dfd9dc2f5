"""LeidenClustering: scikit-learn's checks, cases by hand, degenerate input, real text."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import is_valid_linkage
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.neighbors import _inverted_file
from bertopic_matryoshka.neighbors._graph import neighbor_graph
from bertopic_matryoshka.topics._estimator_state import pack, unpack


@parametrize_with_checks(
    [
        LeidenClustering(),
        LeidenClustering(n_neighbors=5, min_cluster_size=2, min_membership=0.2),
        LeidenClustering(min_cluster_size=2, calculate_probabilities=True),
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


def test_blobs_stay_apart_at_any_resolution(blobs):
    X, expected = blobs
    for resolution in (0.2, 0.5, 1):
        labels = LeidenClustering(resolution=resolution).fit_predict(X)
        np.testing.assert_array_equal(labels, expected)


def test_probabilities_are_the_share_of_neighbours_in_the_own_cluster(embeddings):
    clustering = LeidenClustering(copy_distance=0).fit(embeddings)
    graph, labels = neighbor_graph(embeddings, 15).toarray() > 0, clustering.labels_
    expected = [(labels[near] == own).mean() for near, own in zip(graph, labels, strict=True)]
    np.testing.assert_allclose(clustering.probabilities_, expected)
    assert len(set(expected)) > 20


@pytest.mark.parametrize("min_membership", [0, 0.6])
def test_probabilities_of_all_clusters(embeddings, min_membership):
    clustering = LeidenClustering(min_membership=min_membership)
    one = clustering.fit(embeddings)
    all_of = clone(clustering).set_params(calculate_probabilities=True).fit(embeddings)
    np.testing.assert_array_equal(all_of.labels_, one.labels_)
    assert all_of.probabilities_.shape == (len(embeddings), one.n_clusters_)
    np.testing.assert_allclose(all_of.probabilities_.sum(axis=1), 1)
    inside = np.flatnonzero(one.labels_ >= 0)
    own = all_of.probabilities_[inside, one.labels_[inside]]
    np.testing.assert_array_equal(own, one.probabilities_[inside])
    # Not to be core in any is why the others are outliers.
    outside = all_of.probabilities_[one.labels_ < 0]
    assert (len(outside) > 0) == (min_membership > 0)
    assert ((outside > 0).sum(axis=1) > 1).all()


def test_probabilities_where_there_is_no_cluster():
    clustering = LeidenClustering(min_cluster_size=5, calculate_probabilities=True).fit(np.eye(4))
    assert clustering.probabilities_.shape == (4, 0)
    assert clustering.predict_proba(np.eye(4)).shape == (4, 0)
    assert clustering.predict(np.eye(4)).tolist() == [-1] * 4


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5, 8])
def test_the_number_asked_for_is_found(embeddings, n_clusters):
    clustering = LeidenClustering(n_clusters).fit(embeddings)
    assert clustering.n_clusters_ == n_clusters
    sizes = np.bincount(clustering.labels_)
    assert sizes.tolist() == sorted(sizes, reverse=True)
    assert len(sizes) == n_clusters
    assert sizes[-1] >= 10


@pytest.fixture(scope="module")
def one_fit(embeddings):
    return LeidenClustering(min_membership=0.3).fit(embeddings)


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5, 8, 14, 20])
@pytest.mark.parametrize("first", [None, 4])
def test_another_number_is_what_a_fit_would_give(embeddings, n_clusters, first):
    def fitted(n):
        clustering = LeidenClustering(n, min_cluster_size=6, min_membership=0.2, random_state=3)
        return clustering.fit(np.vstack([np.zeros(embeddings.shape[1]), embeddings]))

    other = fitted(first)
    labels = other.labels_.copy()
    found = other.labels_at(n_clusters)
    np.testing.assert_array_equal(found, fitted(n_clusters).labels_)
    assert set(found) - {-1} == set(range(n_clusters))
    assert found[0] == -1
    np.testing.assert_array_equal(other.labels_, labels)


def test_the_tree_in_scikit_learns_terms(one_fit):
    n_leaves, children = one_fit.n_leaves_, one_fit.children_
    assert n_leaves == one_fit.leaf_labels_.max() + 1 > 5
    assert set(one_fit.leaf_labels_) == set(range(n_leaves))
    assert children.shape == (n_leaves - 1, 2)
    assert sorted(children.ravel()) == list(range(2 * n_leaves - 2))
    assert (np.diff(one_fit.distances_) >= 0).all()
    assert one_fit.distances_[-1] == 2
    # A linkage matrix for scipy's dendrograms, as of AgglomerativeClustering.
    counts = [1] * n_leaves
    for a, b in children:
        counts.append(counts[a] + counts[b])
    table = np.column_stack([children, one_fit.distances_, counts[n_leaves:]]).astype(float)
    assert is_valid_linkage(table, throw=True)
    assert counts[-1] == n_leaves


def test_a_cut_is_one_of_the_tree_but_for_borders(one_fit):
    sorted_into = one_fit.set_params(min_membership=0.0).labels_at(5)
    table = np.zeros((5, one_fit.n_leaves_))
    np.add.at(table, (sorted_into, one_fit.leaf_labels_), 1)
    one_fit.set_params(min_membership=0.3)
    assert table.max(axis=0).sum() / table.sum() > 0.8


def test_classes_that_are_known_are_not_merged_by_wards_criterion(blobs):
    X, expected = blobs
    X = np.vstack([X, X[expected == 0] + 1e-3])
    y = np.append(expected, np.full(50, 3))  # beside the first, but another class
    clustering = LeidenClustering(4, copy_distance=0).fit(X, y)
    assert adjusted_rand_score(y, clustering.labels_) == 1
    np.testing.assert_array_equal(
        LeidenClustering(copy_distance=0).fit(X, y).labels_at(4), clustering.labels_
    )


def test_shuffled_rows_have_the_same_labels_at_any_number(embeddings):
    order = np.random.default_rng(3).permutation(len(embeddings))
    one, other = (LeidenClustering().fit(X) for X in (embeddings, embeddings[order]))
    for n_clusters in (3, 10):
        np.testing.assert_array_equal(one.labels_at(n_clusters)[order], other.labels_at(n_clusters))
    np.testing.assert_array_equal(one.children_, other.children_)


def test_a_second_fit_has_a_tree_of_its_own(embeddings):
    clustering = LeidenClustering(5).fit(embeddings)
    before = clustering.leaf_labels_
    clustering.fit(embeddings[:300])
    assert clustering.leaf_labels_.shape == (300,)
    assert clustering.n_leaves_ < before.max() + 1


@pytest.mark.parametrize(
    ("n_clusters", "error", "message"),
    [
        (0, ValueError, "n_clusters=0 must be at least 1"),
        (2.5, TypeError, "n_clusters=2.5 must be an int"),
        (51, ValueError, "n_samples=501, of which 12 repeat others. Ask for at most 48"),
    ],
)
def test_numbers_that_cannot_be(one_fit, n_clusters, error, message):
    with pytest.raises(error, match=message):
        one_fit.labels_at(n_clusters)


def test_too_few_at_another_number_are_said_to_be_so(blobs):
    clustering = LeidenClustering().fit(blobs[0])
    with pytest.warns(RuntimeWarning, match=r"n_clusters=12, but only \d+ clusters of at least"):
        clustering.labels_at(12)


def test_clusters_without_a_core_are_said_to_be_so(monkeypatch, blobs):
    clustering = LeidenClustering().fit(blobs[0])
    # Every other row in another cluster: of a blob, half of the neighbours or fewer are alike.
    monkeypatch.setattr(
        "bertopic_matryoshka.clustering._tree_clusters.in_number",
        lambda divider, *_: np.arange(divider.graph.shape[0]) % 4,
    )
    with pytest.warns(RuntimeWarning, match=r"n_clusters=4 were found, but \d of them have no row"):
        clustering.labels_at(4)


def test_saved_by_an_earlier_version_there_is_no_tree(blobs):
    clustering = LeidenClustering().fit(blobs[0])
    del clustering._indptr, clustering._indices
    with pytest.raises(NotFittedError, match="earlier version"):
        clustering.labels_at(2)
    assert clustering.predict(blobs[0]).shape == (120,)


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


@pytest.mark.parametrize("outlier_share", [0, 0.2])
def test_rows_of_the_fit_have_their_labels(embeddings, outlier_share):
    X = np.vstack([embeddings, embeddings[:40] + np.float32(1e-4), np.zeros((1, 64))])
    clustering = LeidenClustering(6, outlier_share=outlier_share).fit(X)
    assert clustering.n_copies_ >= 40
    labels, strengths = clustering.predict_strength(X)
    np.testing.assert_array_equal(labels, clustering.labels_)
    np.testing.assert_array_equal(clustering.predict(2 * X), labels)
    assert ((strengths >= 0) & (strengths <= 1)).all()
    np.testing.assert_array_equal(strengths > 0, labels >= 0)


def test_in_few_dimensions_an_equal_row_comes_before_nearer_ones():
    # Neighbours that single precision cannot tell apart, in two clusters.
    X = on_circle(*np.linspace(0, 0.004, 9), *np.linspace(90, 99, 9))
    clustering = LeidenClustering(n_neighbors=12, min_cluster_size=3, copy_distance=0).fit(X)
    clustering._fit_labels = np.arange(len(X))  # to see which row is taken
    clustering.n_clusters_ = len(X)
    of_row = clustering.predict(X)
    assert np.unique(of_row).size == len(X)


@pytest.mark.parametrize("dims", [64, 16])
def test_lists_of_the_fit_serve_new_rows(embeddings, dims, monkeypatch):
    monkeypatch.setattr(_inverted_file, "LIST_ROWS", 50)
    X, new = embeddings[:400, :dims], embeddings[400:, :dims]
    clustering = LeidenClustering(6, method="approximate", copy_distance=0).fit(X)
    monkeypatch.setattr(_inverted_file, "build_file", None)
    copied = pickle.loads(pickle.dumps(clustering))
    np.testing.assert_array_equal(copied.predict(new), clustering.predict(new))
    np.testing.assert_array_equal(copied.predict(X), clustering.labels_)
    # All pairs need none, and another fit has its own.
    clustering.set_params(method="exact").predict(new)
    assert clustering.fit(X[:200]).predict(X[:200]).tolist() == clustering.labels_.tolist()


def test_new_rows_are_assigned_alike_singly_and_in_batches(embeddings, monkeypatch):
    monkeypatch.setattr(_inverted_file, "LIST_ROWS", 50)
    X, new = embeddings[:400], embeddings[400:]
    clustering = LeidenClustering(6, method="approximate").fit(X)
    labels, strengths = clustering.predict_strength(new)
    singly = [clustering.predict_strength(row[None]) for row in new]
    np.testing.assert_array_equal(labels, np.concatenate([found for found, _ in singly]))
    np.testing.assert_allclose(strengths, np.concatenate([s for _, s in singly]), atol=1e-6)
    exact = LeidenClustering(6, method="approximate").fit(X).set_params(method="exact")
    assert np.mean(exact.predict(new) == labels) > 0.9


def on_circle(*degrees):
    return np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def test_predict_by_hand():
    X = on_circle(0, 1, 2, 3, 90, 91, 92, 200, 201)
    clustering = LeidenClustering(n_neighbors=1, min_cluster_size=3).fit(X)
    assert clustering.labels_.tolist() == [0] * 4 + [1] * 3 + [-1] * 2
    clustering.set_params(n_neighbors=3)
    new = on_circle(1.5, 91, 47, 46, 200.5, 0)
    new[-1] = 0
    labels, strengths = clustering.predict_strength(new)
    proba = clustering.predict_proba(new)
    # 47 degrees: the nearest are 90, 91 and 3. 46: 3, 90 and 2.
    near = np.cos(np.radians([[43, 44, 44], [43, 44, 44]]))
    expected = [
        [1, 0],
        [0, 1],
        [near[0, 2] / near[0].sum(), near[0, :2].sum() / near[0].sum()],
        [near[1, [0, 2]].sum() / near[1].sum(), near[1, 1] / near[1].sum()],
    ]
    np.testing.assert_allclose(proba[:4], expected, atol=1e-6)
    # 200.5 degrees: two outliers, and 92, which is not similar at all but the only one to vote.
    assert proba[4, 0] == 0
    assert 0 < proba[4, 1] < 1e-5
    assert proba[5].tolist() == [0, 0]
    assert labels.tolist() == [0, 1, 1, 0, 1, -1]
    np.testing.assert_array_equal(strengths, proba.max(axis=1))
    np.testing.assert_array_equal(clustering.predict(new), labels)


@pytest.mark.parametrize(("min_membership", "expected"), [(0.66, 1), (0.67, -1)])
def test_predict_finds_outliers_below_min_membership(min_membership, expected):
    X = on_circle(0, 1, 2, 3, 90, 91, 92)
    clustering = LeidenClustering(n_neighbors=1, min_cluster_size=3).fit(X)
    clustering.set_params(n_neighbors=3, min_membership=min_membership)
    # 46.5 degrees: 90, 3 and 91 or 2, all about as near: a third and two thirds.
    labels, strengths = clustering.predict_strength(on_circle(46.9))
    assert labels.tolist() == [expected]
    assert strengths[0] == pytest.approx(2 / 3, abs=0.01) if expected == 1 else strengths[0] == 0


@pytest.mark.parametrize(("min_membership", "expected"), [(0.5, 0), (0.51, -1)])
def test_predict_includes_min_membership(min_membership, expected):
    clustering = LeidenClustering(n_neighbors=1, min_cluster_size=2)
    clustering.fit(on_circle(0, 1, 89, 90))
    clustering.set_params(n_neighbors=4, min_membership=min_membership)
    np.testing.assert_allclose(clustering.predict_proba([[1.0, 1.0]]), [[0.5, 0.5]])
    assert clustering.predict([[1.0, 1.0]]).tolist() == [expected]


def test_predict_where_only_outliers_are_near():
    X = on_circle(0, 1, 2, 90, 91)
    clustering = LeidenClustering(n_neighbors=1, min_cluster_size=3).fit(X)
    assert clustering.labels_.tolist() == [0, 0, 0, -1, -1]
    labels, strengths = clustering.set_params(n_neighbors=2).predict_strength(on_circle(92, 1))
    assert labels.tolist() == [-1, 0]
    assert strengths.tolist() == [0, 1]
    # Clusters win against more outliers where they have any vote.
    assert clustering.set_params(n_neighbors=3).predict(on_circle(92)).tolist() == [0]


def test_predict_with_fewer_rows_than_neighbours():
    clustering = LeidenClustering(n_neighbors=99, min_cluster_size=2).fit(np.ones((4, 3)))
    assert clustering.predict(np.ones((2, 3))).tolist() == [0, 0]


def test_weak_members_become_outliers(embeddings):
    whole = LeidenClustering().fit(embeddings)
    strict = LeidenClustering(min_membership=0.6).fit(embeddings)
    outlier = strict.labels_ == -1
    assert 0 < outlier.mean() < 0.9
    assert (whole.probabilities_[~outlier] >= 0.6).all()
    assert (strict.probabilities_[outlier] == 0).all()


def test_min_membership_is_included():
    whole = LeidenClustering(n_neighbors=2, min_cluster_size=3)
    X = np.random.default_rng(1).normal(size=(60, 2))
    memberships = whole.fit(X).probabilities_
    for bound in np.unique(memberships):
        labels = clone(whole).set_params(min_membership=bound).fit_predict(X)
        np.testing.assert_array_equal(labels >= 0, memberships >= bound)


def test_small_blobs_are_shared_out_or_left(blobs):
    """A blob that is too small has no cluster, unless an edge leads to one."""
    X, expected = blobs
    apart = LeidenClustering(min_cluster_size=35, n_neighbors=5, resolution=0.5).fit(X)
    assert apart.n_clusters_ == 2
    assert (apart.labels_[expected == 2] == -1).all()
    assert (apart.labels_[expected != 2] >= 0).all()
    joined = LeidenClustering(min_cluster_size=35, n_neighbors=35, resolution=0.5).fit(X)
    assert joined.n_clusters_ == 2
    assert (joined.labels_ >= 0).all()


def test_zero_rows_are_outliers(blobs):
    X, expected = blobs
    with_zeros = np.vstack([np.zeros((2, 6)), X])
    clustering = LeidenClustering(3).fit(with_zeros)
    assert clustering.labels_[:2].tolist() == [-1, -1]
    np.testing.assert_array_equal(clustering.labels_[2:], expected)


@settings(max_examples=30)
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


@pytest.mark.parametrize("n", [10, 20, 50, 300])
@pytest.mark.parametrize("n_neighbors", [5, 15, 60])
def test_all_rows_alike_are_one_cluster(n, n_neighbors):
    clustering = LeidenClustering(n_neighbors=n_neighbors).fit(np.ones((n, 4)))
    assert clustering.labels_.tolist() == [0] * n
    assert (clustering.probabilities_ == 1).all()


def test_duplicates_are_in_one_cluster(embeddings):
    several = np.repeat(embeddings[:100], 4, axis=0)
    labels = LeidenClustering().fit_predict(several)
    assert len(set(labels)) > 1
    assert (labels.reshape(100, 4) == labels[::4, None]).all()


@pytest.mark.parametrize("n", range(10, 60, 7))
def test_a_few_documents_have_topics(embeddings, n):
    """Of few rows each has most others as its neighbours, and is an outlier none the less."""
    few = embeddings[np.random.default_rng(n).permutation(len(embeddings))[:n]]
    clustering = LeidenClustering().fit(few)
    assert clustering.n_clusters_ >= 1
    assert (clustering.labels_ >= 0).all()


@pytest.mark.parametrize("n_dims", [2, 8, 64])
@pytest.mark.parametrize("resolution", [0.25, 1, 4, 64])
def test_without_structure_there_are_topics_still(n_dims, resolution):
    X = np.random.default_rng(0).normal(size=(400, n_dims))
    clustering = LeidenClustering(resolution=resolution).fit(X)
    assert (clustering.labels_ >= 0).all()


def test_rows_that_differ_in_late_columns_only_can_be_shuffled():
    rng = np.random.default_rng(0)
    X = np.hstack([np.zeros((200, 4)), rng.normal(size=(200, 6))])
    order = rng.permutation(200)
    labels = LeidenClustering(min_cluster_size=5).fit_predict(X)
    shuffled = LeidenClustering(min_cluster_size=5).fit_predict(X[order])
    np.testing.assert_array_equal(shuffled, labels[order])


@pytest.mark.parametrize("X", [[[1.0, 2.0]], np.zeros((3, 2))])
def test_nothing_to_be_clustered(X):
    clustering = LeidenClustering().fit(X)
    assert set(clustering.labels_) == {-1}
    assert set(clustering.probabilities_) == {0}
    assert clustering.predict([[1.0, 2.0]]).tolist() == [-1]
    assert clustering.n_clusters_ == 0


def again_by_pickle(clustering):
    return pickle.loads(pickle.dumps(clustering))


def again_without_pickle(clustering):
    return unpack(*pack(clustering), [LeidenClustering])


@pytest.mark.parametrize("again", [again_by_pickle, again_without_pickle])
@pytest.mark.parametrize("calculate_probabilities", [False, True])
def test_saving(embeddings, again, calculate_probabilities):
    clustering = LeidenClustering(calculate_probabilities=calculate_probabilities)
    loaded = again(clustering.fit(embeddings))
    np.testing.assert_array_equal(
        loaded.predict_proba(embeddings), clustering.predict_proba(embeddings)
    )
    np.testing.assert_array_equal(loaded.probabilities_, clustering.probabilities_)
    assert loaded.get_params() == clustering.get_params()
    np.testing.assert_array_equal(loaded.labels_at(4), clustering.labels_at(4))
    np.testing.assert_array_equal(again(loaded).children_, clustering.children_)
    np.testing.assert_array_equal(clone(loaded).fit_predict(embeddings), clustering.labels_)


def test_after_selection(embeddings):
    selected = DimensionSelector(32, criterion="laplacian").fit_transform(embeddings)
    assert LeidenClustering(5).fit(selected).n_clusters_ == 5


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters=0 must be at least 1"),
        ({"n_clusters": 2.0}, TypeError, "n_clusters=2.0 must be an int"),
        (
            {"n_clusters": 13, "min_cluster_size": 10},
            ValueError,
            "n_samples=120. Ask for at most 12",
        ),
        ({"n_neighbors": 0}, ValueError, "n_neighbors=0 must be at least 1"),
        ({"min_cluster_size": 1}, ValueError, "min_cluster_size=1 must be at least 2"),
        ({"resolution": 0}, ValueError, "resolution=0 must be above 0"),
        ({"resolution": float("inf")}, ValueError, "resolution=inf must be above 0"),
        ({"resolution": "fine"}, TypeError, "resolution='fine' must be a number above 0"),
        ({"resolution": True}, TypeError, "resolution=True must be a number above 0"),
        ({"random_state": -1}, ValueError, "random_state=-1 must be from 0"),
        ({"calculate_probabilities": "no"}, TypeError, "calculate_probabilities='no' must be"),
        ({"max_samples": 1}, ValueError, "max_samples=1 must be at least 2"),
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
    assert 3 <= clustering.n_clusters_ < 12
    assert np.bincount(clustering.labels_).min() >= 7  # two thirds of the root of 120
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LeidenClustering(clustering.n_clusters_).fit(blobs[0])


@pytest.mark.parametrize("method", ["predict", "predict_strength", "predict_proba"])
def test_unfitted(method):
    with pytest.raises(NotFittedError):
        getattr(LeidenClustering(), method)([[1.0]])


def test_unfitted_there_is_no_tree():
    with pytest.raises(NotFittedError):
        LeidenClustering().labels_at(2)
    for name in ("children_", "distances_", "n_leaves_", "leaf_labels_"):
        assert not hasattr(LeidenClustering(), name)


# ---- the largest cluster


def apart(*sizes, n_dims=16):
    """Rows of each size around an axis of its own."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(n_dims)[: len(sizes)], sizes, axis=0)
    return rows + 0.02 * rng.normal(size=rows.shape)


def test_a_cluster_with_most_rows_is_said_to_be_so():
    # More than 1.5 times an even share, 40 of 100 and not 38.
    with pytest.warns(
        RuntimeWarning, match="largest of 4 clusters has 40% of the rows.*n_clusters"
    ):
        LeidenClustering(n_neighbors=10, copy_distance=0).fit(apart(40, 20, 20, 20))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LeidenClustering(n_neighbors=10, copy_distance=0).fit(apart(37, 21, 21, 21))
        LeidenClustering(n_neighbors=10, copy_distance=0).fit(apart(30, 30))
        LeidenClustering(4, n_neighbors=10, copy_distance=0).fit(apart(40, 20, 20, 20))


@pytest.mark.parametrize(
    ("parameters", "sizes", "message"),
    [
        ({"n_neighbors": 10}, (40, 20, 20, 20), "The largest of"),
        ({"n_clusters": 12}, (40, 20, 20, 20), "n_clusters=12"),
        ({"outlier_share": 0.01}, (40, 20, 20, 3), "outlier_share=0.01 is 1 of 83 rows"),
        ({"outlier_share": 0.99}, (40, 20, 20, 20), "outlier_share=0.99 leaves rows in only"),
    ],
)
def test_a_warning_points_at_the_line_that_called(parameters, sizes, message):
    parameters = {"n_neighbors": 2, "min_cluster_size": 6, "copy_distance": 0, **parameters}
    clustering = LeidenClustering(**parameters)
    with pytest.warns(RuntimeWarning, match=message) as caught:
        clustering.fit(apart(*sizes))
    ours = [of for of in caught if str(of.message).startswith(message)]
    assert {of.filename for of in ours} == {__file__}
