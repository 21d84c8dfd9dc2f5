"""Clusters merged by linkage into a tree: by hand, and against doing it from scratch."""

import numpy as np
import pytest
from graphs import clique_labels, cliques, labelled_graphs, same_partition, symmetric
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import fcluster, ward
from scipy.sparse import csr_matrix

from bertopic_matryoshka.clustering._merge_tree import (
    EXPONENT,
    graph_merges,
    merge_tree,
    ward_merges,
)


def merge_clusters(graph, labels, n_clusters):
    """Merge until `n_clusters` are left, or those that no edge joins."""
    names = np.arange(labels.max(initial=-1) + 1)
    for merge in graph_merges(graph, labels):
        if np.unique(names).size <= n_clusters:
            break
        names[names == merge.b] = merge.a
    return np.append(np.unique(names, return_inverse=True)[1], -1)[labels]


def merged_from_scratch(graph, labels, n_clusters):
    """The definition: before each merge, every linkage is computed anew from the rows."""
    labels = labels.copy()
    names = np.unique(labels[labels >= 0])
    dense = graph.toarray()
    while names.size > n_clusters:
        between = np.array(
            [[dense[labels == a][:, labels == b].sum() for b in names] for a in names]
        )
        degrees = between.sum(axis=1)
        products = np.maximum(np.outer(degrees, degrees), 1)
        strength = between / products**EXPONENT
        strength[np.tril_indices(names.size)] = -1
        a, b = np.unravel_index(strength.argmax(), strength.shape)
        if between[a, b] == 0:
            break
        labels[labels == names[b]] = names[a]
        names = np.delete(names, b)
    return np.where(labels < 0, -1, np.searchsorted(names, labels))


# ---- graph_merges


def pair_merged_first(weights):
    """Of clusters that are rows here; the diagonal is twice the weight of the edges within one."""
    graph = csr_matrix(np.array(weights, float))
    labels = merge_clusters(graph, np.arange(len(weights)), len(weights) - 1)
    return tuple(np.flatnonzero(labels == np.bincount(labels).argmax()))


def test_a_small_cluster_that_stands_apart_stays():
    weights = [[79, 20, 1], [20, 80, 0], [1, 0, 3]]  # degrees 100, 100 and 4
    # 20 / 10,000 ** .75 = .0200 of the large, 1 / 400 ** .75 = .0112 of the small. With an exponent of
    # 1, as in modularity, the small one would be merged: 20 / 10,000 = .0020 and 1 / 400 = .0025.
    assert pair_merged_first(weights) == (0, 1)


def test_two_large_clusters_that_hardly_belong_together_stay_apart():
    weights = [[890, 110, 0, 0], [110, 890, 0, 0], [0, 0, 9, 1], [0, 0, 1, 9]]  # degrees 1,000, 10
    # 110 / 1,000,000 ** .75 = .0035 of the large, 1 / 100 ** .75 = .032 of the small. With an exponent
    # of 1/2 the large ones would be merged: 110 / 1,000 and 1 / 10.
    assert pair_merged_first(weights) == (2, 3)


def test_a_merged_clusters_edges_add_up():
    # 0 and 1 go first: of the same degrees as 2 and 3, they have 9 edges and not 8. Together they
    # have 6 edges to 2, and twice the degree: less than the 8 of 2 and 3.
    graph = csr_matrix([[8.0, 9, 3, 0], [9, 8, 3, 0], [3, 3, 6, 8], [0, 0, 8, 12]])
    assert merge_clusters(graph, np.arange(4), 3).tolist() == [0, 0, 1, 2]
    assert merge_clusters(graph, np.arange(4), 2).tolist() == [0, 0, 1, 1]
    assert merge_clusters(graph, np.arange(4), 1).tolist() == [0, 0, 0, 0]


def test_edges_to_a_merged_cluster_are_those_to_both():
    # 2 has 4 edges to each of 0 and 1, which go first, and then 10 or 2 to 3.
    weights = np.array([[6.0, 20, 4, 0], [20, 6, 4, 0], [4, 4, 2, 10], [0, 0, 10, 10]])
    assert merge_clusters(csr_matrix(weights), np.arange(4), 2).tolist() == [0, 0, 1, 1]
    weights[2, 3] = weights[3, 2] = 2
    assert merge_clusters(csr_matrix(weights), np.arange(4), 2).tolist() == [0, 0, 0, 1]


def test_edges_between_two_merged_clusters_are_those_of_all_four():
    weights = np.diag([10.0, 10, 10, 10, 50])
    for a, b, weight in [(0, 1, 20), (2, 3, 20), (1, 2, 3), (1, 3, 3), (2, 4, 1)]:
        weights[a, b] = weights[b, a] = weight
    assert merge_clusters(csr_matrix(weights), np.arange(5), 3).tolist() == [0, 0, 1, 1, 2]
    assert merge_clusters(csr_matrix(weights), np.arange(5), 2).tolist() == [0, 0, 0, 0, 1]


def test_two_halves_of_a_clique_are_merged_first():
    graph = cliques(4, 4, bridges=[(3, 4)])
    labels = np.array([0, 0, 1, 1, 2, 2, 2, 2])
    assert merge_clusters(graph, labels, 2).tolist() == clique_labels(4, 4).tolist()


def test_what_no_edge_joins_stays_apart():
    assert merge_clusters(cliques(5, 3, 4, 2), clique_labels(5, 3, 4, 2), 1).max() == 3
    assert merge_clusters(csr_matrix((4, 4)), np.array([0, 1, -1, 2]), 2).tolist() == [0, 1, -1, 2]
    halves = np.where(np.arange(14) < 2, 4, clique_labels(5, 3, 4, 2))
    found = merge_clusters(cliques(5, 3, 4, 2), halves, 1)
    assert found.max() == 3
    assert found[0] == found[4]


def test_no_cluster_stays_and_does_not_count():
    # Without the last row, 0 and 1 have more in common with each other than with 2.
    weights = [[0.0, 3, 2, 9], [3, 0, 2, 9], [2, 2, 0, 0], [9, 9, 0, 0]]
    labels = np.array([0, 1, 2, -1])
    assert merge_clusters(csr_matrix(weights), labels, 2).tolist() == [0, 0, 1, -1]


@pytest.mark.parametrize("n_clusters", [3, 4, 99])
def test_fewer_clusters_than_asked_for_stay_as_they_are(n_clusters):
    labels = np.array([2, -1, 0, 1])
    assert merge_clusters(cliques(4), labels, n_clusters).tolist() == labels.tolist()


@settings(max_examples=500)
@given(labelled_graphs(max_weight=9), st.integers(1, 5))
def test_merging_is_what_its_definition_says(graph_and_labels, n_clusters):
    graph, labels = graph_and_labels
    found = merge_clusters(graph, labels, n_clusters)
    expected = merged_from_scratch(graph, labels, n_clusters)
    np.testing.assert_array_equal(found, expected)


@given(labelled_graphs(max_weight=3), st.integers(1, 5))
def test_merging_never_divides(graph_and_labels, n_clusters):
    graph, labels = graph_and_labels
    found = merge_clusters(graph, labels, n_clusters)
    assert len(set(zip(labels, found, strict=True))) == len(set(labels))
    np.testing.assert_array_equal(found < 0, labels < 0)
    assert found.max(initial=-1) + 1 >= min(n_clusters, labels.max(initial=-1) + 1)
    assert set(found[found >= 0]) == set(range(found.max(initial=-1) + 1))


@given(labelled_graphs(max_rows=20), st.integers(1, 4), st.randoms(use_true_random=False))
def test_merging_does_not_depend_on_numbers_or_order(graph_and_labels, n_clusters, random):
    graph, labels = graph_and_labels
    rng = np.random.default_rng(random.getrandbits(32))
    strength = np.where(graph.toarray() > 0, 1, 1e-3)
    weights = symmetric(strength * rng.random(graph.shape))  # no ties
    numbers = np.append(rng.permutation(labels.max() + 1), -1)
    rows = rng.permutation(labels.size)
    found = merge_clusters(weights, labels, n_clusters)
    shuffled = merge_clusters(weights[rows][:, rows], numbers[labels[rows]], n_clusters)
    assert same_partition(found[rows], shuffled)


# ---- ward_merges


def test_wards_criterion_by_hand():
    # Of points on a line at 0, 4 and 10 with 1, 1 and 8 rows: 4 * 4 / 2 = 8 for the first two, and
    # 6 * 6 * 8 / 9 = 32 for the last. Together the first two are at 2: 8 * 8 * 2 * 8 / 10 = 102.4.
    sums, sizes = np.array([[0.0], [4], [80]]), np.array([1.0, 1, 8])
    merges = list(ward_merges(sums, sizes))
    assert [(merge.a, merge.b) for merge in merges] == [(0, 1), (0, 2)]
    np.testing.assert_allclose([-merge.linkage for merge in merges], [8, 102.4])
    # The same points the other way round: a heavy one costs more to be moved.
    merges = list(ward_merges(np.array([[0.0], [40], [10]]), np.array([10.0, 10, 1])))
    assert [(merge.a, merge.b) for merge in merges] == [(1, 2), (0, 1)]


def partitions(merges, count):
    names, found = np.arange(count), []
    for merge in merges:
        names[names == merge.b] = merge.a
        found.append(names.copy())
    return found


@settings(max_examples=100)
@given(st.integers(2, 40), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_wards_criterion_is_scipys(count, n_dims, seed):
    points = np.random.default_rng(seed).normal(size=(count, n_dims))
    merges = list(ward_merges(points, np.ones(count)))
    table = ward(points)
    np.testing.assert_allclose(np.sqrt([-2 * merge.linkage for merge in merges]), table[:, 2])
    for left, found in zip(range(count - 1, 0, -1), partitions(merges, count), strict=True):
        assert same_partition(found, fcluster(table, left, "maxclust"))


@given(st.integers(0, 2**32 - 1))
def test_a_weight_is_that_of_as_many_points(seed):
    rng = np.random.default_rng(seed)
    points, sizes = rng.normal(size=(6, 2)), rng.integers(1, 5, size=6)
    merges = list(ward_merges(points * sizes[:, None], sizes.astype(float)))
    table = ward(np.repeat(points, sizes, axis=0))
    np.testing.assert_allclose(np.sqrt([-2 * m.linkage for m in merges]), table[-5:, 2])


def test_one_cluster_and_none_have_no_merges():
    assert list(ward_merges(np.ones((1, 2)), np.ones(1))) == []
    assert list(ward_merges(np.ones((0, 2)), np.ones(0))) == []


# ---- merge_tree


def test_a_tree_by_hand():
    # 0 and 1 have more edges than 2 and 3; no edge joins the two pairs, and Ward's criterion does.
    graph = csr_matrix([[2.0, 8, 0, 0], [8, 2, 0, 0], [0, 0, 6, 4], [0, 0, 4, 6]])
    rows = np.array([[0.0, 0], [0, 0], [3, 4], [3, 4]])
    tree = merge_tree(graph, np.arange(4), rows, n_top=1)
    assert tree.n_leaves == 4
    assert tree.children.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert tree.distances.tolist() == [0, 1, 2]
    assert tree.cut(4).tolist() == [0, 1, 2, 3]
    assert tree.cut(3).tolist() == [0, 0, 1, 2]
    assert tree.cut(2).tolist() == [0, 0, 1, 1]
    assert tree.cut(1).tolist() == [0, 0, 0, 0]


def test_wards_criterion_takes_over_at_the_top():
    # 8 edges join 0 and 1, which are far apart; 2 is beside 0.
    graph = csr_matrix([[2.0, 8, 1], [8, 2, 0], [1, 0, 9]])
    rows = np.array([[1.0, 0], [0, 1], [1, 0.1]])
    assert merge_tree(graph, np.arange(3), rows, n_top=2).cut(2).tolist() == [0, 0, 1]
    assert merge_tree(graph, np.arange(3), rows, n_top=3).cut(2).tolist() == [0, 1, 0]


def test_clusters_of_a_cut_are_numbered_by_their_first_leaves():
    graph = csr_matrix([[9.0, 0, 1], [0, 5, 5], [1, 5, 5]])
    tree = merge_tree(graph, np.arange(3), np.eye(3), n_top=1)
    assert tree.children[0].tolist() == [1, 2]
    assert tree.cut(2).tolist() == [0, 1, 1]


def test_a_height_never_falls():
    # 1 and 2 merge first; then 0 has 6 edges to both, more strongly joined than those were.
    weights = [[0.0, 3, 3], [3, 0, 3.1], [3, 3.1, 0]]
    merges = list(graph_merges(csr_matrix(weights), np.arange(3)))
    assert merges[1].linkage > merges[0].linkage
    tree = merge_tree(csr_matrix(weights), np.arange(3), np.eye(3), n_top=1)
    assert tree.distances.tolist() == [0, 0]


@pytest.mark.parametrize("n", [0, 1])
def test_trees_without_a_merge(n):
    leaves = np.full(3, -1)
    leaves[:n] = 0
    tree = merge_tree(csr_matrix((3, 3)), leaves, np.eye(3))
    assert (tree.n_leaves, tree.children.shape, tree.distances.size) == (n, (0, 2), 0)
    assert tree.cut(n).tolist() == [0] * n


@given(labelled_graphs(max_rows=20, max_clusters=9, max_weight=3), st.integers(1, 5), st.data())
def test_a_tree_is_one(graph_and_labels, n_top, data):
    graph, leaves = graph_and_labels
    rows = data.draw(arrays(float, (leaves.size, 2), elements=st.integers(-2, 2)))
    tree = merge_tree(graph, leaves, rows, n_top)
    n = leaves.max() + 1
    assert tree.n_leaves == n
    if n == 0:
        return
    # Each node but the root is a child once, of a later one.
    assert sorted(tree.children.ravel()) == list(range(2 * n - 2))
    assert (tree.children < n + np.arange(n - 1)[:, None]).all()
    assert (np.diff(tree.distances) >= 0).all()
    assert ((tree.distances >= 0) & (tree.distances <= 2)).all()
    finer = tree.cut(n)
    assert finer.tolist() == list(range(n))
    for k in range(n - 1, 0, -1):
        coarser = tree.cut(k)
        assert set(coarser) == set(range(k))
        assert len(set(zip(finer, coarser, strict=True))) == k + 1  # nested
        finer = coarser
    down_to = max(n_top, 1)
    expected = merge_clusters(graph, leaves, down_to)
    if expected.max() + 1 == down_to:
        cut = np.append(tree.cut(down_to), -1)[leaves]
        assert same_partition(cut, expected)
