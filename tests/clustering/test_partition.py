"""Graphs divided at a resolution and into a number: by hand, and what holds for any graph."""

import numpy as np
import pytest
from graphs import clique_labels, cliques, contiguous, graph_of, labelled_graphs, same_partition
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from bertopic_matryoshka.clustering import _partition as partition
from bertopic_matryoshka.clustering._communities import communities
from bertopic_matryoshka.clustering._membership import membership
from bertopic_matryoshka.clustering._merge_tree import merge_clusters, merge_tree
from bertopic_matryoshka.clustering._partition import (
    FineDivision,
    at_resolution,
    cut_division,
    fine_division,
    in_number,
    without_core,
)
from bertopic_matryoshka.clustering._smoothing import prune_clusters
from bertopic_matryoshka.neighbors._graph import neighbor_graph


@pytest.fixture(scope="module")
def text(embeddings):
    """The neighbour graph of 501 docstrings."""
    return neighbor_graph(embeddings, 15)


def n_of(labels):
    return int(labels.max(initial=-1)) + 1


# ---- at a resolution


@pytest.mark.parametrize("sizes", [(10, 10), (30, 20, 10), (12,) * 16])
@pytest.mark.parametrize("resolution", [0.1, 1, 4])
def test_what_no_edge_joins_stays_apart(sizes, resolution):
    """Merging down to a share of the communities would else join what has nothing in common."""
    labels, _ = at_resolution(cliques(*sizes), resolution, 10, seed=0)
    assert same_partition(labels, clique_labels(*sizes))


def test_what_hardly_an_edge_joins_stays_apart():
    # Of 382 edges' ends each, chance would give two 382 * 382 / 6,110 = 24 edges; they have one.
    bridges = [(20 * i, 20 * i + 20) for i in range(15)]
    graph = cliques(*[20] * 16, bridges=bridges)
    labels, _ = at_resolution(graph, 1.0, 10, seed=0)
    assert same_partition(labels, clique_labels(*[20] * 16))
    # The resolution decides how few are hardly any: .042 of chance is less than .1, not than .025.
    assert n_of(at_resolution(graph, 0.25, 10, seed=0)[0]) < 16


@pytest.mark.parametrize("n", [10, 12, 16, 30, 50])
def test_a_few_rows_are_one_cluster(n):
    """Of so few, each has most others as its neighbours: the graph cannot be denser anywhere."""
    labels, resolution = at_resolution(cliques(n), 1.0, 10, seed=0)
    assert labels.tolist() == [0] * n
    assert resolution < 1


def test_fewer_rows_than_a_cluster_has():
    assert at_resolution(cliques(9), 1.0, 10, seed=0)[0].tolist() == [-1] * 9
    found = at_resolution(cliques(9, 10), 1.0, 10, seed=0)[0]
    assert found.tolist() == [-1] * 9 + [0] * 10


@pytest.mark.parametrize("resolution", [16, 32, 1000])
def test_a_resolution_too_high_is_halved(text, resolution):
    labels, used = at_resolution(text, resolution, 10, seed=0)
    again, used_again = at_resolution(text, used, 10, seed=0)
    assert used == used_again < resolution
    np.testing.assert_array_equal(labels, again)
    in_large = [
        (np.bincount(labels)[labels] >= 10).mean()
        for labels in (
            communities(text, partition.FINE_RESOLUTION * r, 0) for r in (used, 2 * used)
        )
    ]
    assert in_large[0] >= 0.5 > in_large[1]
    assert n_of(labels) >= n_of(at_resolution(text, 1.0, 10, seed=0)[0])


def test_small_parts_do_not_hold_a_resolution_back():
    # Most rows are in parts that no resolution makes large.
    graph = cliques(20, 20, *[5] * 20)
    labels, resolution = at_resolution(graph, 1.0, 10, seed=0)
    assert labels.tolist() == [0] * 20 + [1] * 20 + [-1] * 100
    assert resolution == 1


def test_the_steps_in_their_order(text):
    """Finer communities, those large enough merged, and smoothed."""
    fine = communities(text, partition.FINE_RESOLUTION, 0)
    sizes = np.bincount(fine)
    kept = contiguous(np.where(sizes[fine] >= 10, fine, -1))
    coarse = merge_clusters(text, kept, round(n_of(kept) / partition.FINER))
    assert n_of(kept) > n_of(coarse) > 3
    labels, resolution = at_resolution(text, 1.0, 10, seed=0)
    np.testing.assert_array_equal(labels, prune_clusters(text, coarse, 10))
    assert resolution == 1


def test_at_least_so_many_are_left(text):
    free = n_of(at_resolution(text, 0.5, 10, seed=0)[0])
    found = at_resolution(text, 0.5, 10, seed=0, at_least=free + 2)[0]
    assert free < n_of(found) <= free + 2


def test_a_higher_resolution_gives_more(text):
    counts = [n_of(at_resolution(text, r, 2, seed=0)[0]) for r in (0.05, 0.3, 1, 4)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@settings(max_examples=150)
@given(labelled_graphs(max_rows=25), st.floats(0.05, 20), st.integers(2, 6))
def test_clusters_are_as_promised(graph_and_labels, resolution, min_cluster_size):
    graph, _ = graph_and_labels
    labels, used = at_resolution(graph, resolution, min_cluster_size, seed=0)
    assert 0 < used <= resolution
    assert set(labels) - {-1} == set(range(n_of(labels)))
    core = labels[membership(graph, labels) >= 0.5]
    assert (np.bincount(core[core >= 0], minlength=n_of(labels)) >= min_cluster_size).all()
    parts = connected_components(graph, directed=False)[1]
    np.testing.assert_array_equal(labels >= 0, np.bincount(parts)[parts] >= min_cluster_size)


# ---- into a number


def number(graph, n_clusters, min_cluster_size=10, rows=None, **kwargs):
    rows = np.eye(graph.shape[0]) if rows is None else rows
    return in_number(graph, rows, n_clusters, min_cluster_size, seed=0, **kwargs)


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5, 8, 14, 20])
def test_the_number_is_found(text, embeddings, n_clusters):
    labels = number(text, n_clusters, rows=embeddings)
    assert set(labels) == set(range(n_clusters))
    assert np.bincount(labels).min() >= 10
    assert (without_core(text, labels) == 0) == (n_clusters < 20)


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 4])
def test_cliques_are_merged_whole(n_clusters):
    labels = number(cliques(40, 30, 20, 10), n_clusters)
    assert n_of(labels) == n_clusters
    assert len(set(zip(labels, clique_labels(40, 30, 20, 10), strict=True))) == 4


def test_cliques_that_no_edge_joins_merge_by_their_centroids():
    rows = np.repeat([[1.0, 0], [0, 1], [0.1, 1], [1, 0.2]], [40, 30, 20, 10], axis=0)
    labels = number(cliques(40, 30, 20, 10), 2, rows=rows)
    assert same_partition(labels, np.repeat([0, 1, 1, 0], [40, 30, 20, 10]))


def test_of_too_many_it_finds_those_that_there_are():
    labels = number(cliques(12, 12, 12, 5), 4)
    assert labels.tolist() == [*clique_labels(12, 12, 12), *[-1] * 5]


@pytest.mark.parametrize("finer", [1, 2, 4])
def test_the_resolution_begins_with_the_same_communities(text, embeddings, finer):
    division = fine_division(text, embeddings, 10, seed=0, finer=finer)
    fine = communities(text, partition.FINE_RESOLUTION * division.resolution, 0)
    kept = contiguous(np.where(np.bincount(fine)[fine] >= 10, fine, -1))
    np.testing.assert_array_equal(division.leaves[kept >= 0], kept[kept >= 0])
    assert (division.leaves >= 0).all()
    assert np.bincount(division.leaves).min() >= 10
    assert division.tree.n_leaves == n_of(division.leaves)


def test_a_finer_division_has_more_leaves(text, embeddings):
    first, finer = (fine_division(text, embeddings, 10, 0, finer=f).tree.n_leaves for f in (1, 2))
    assert first < finer
    assert n_of(number(text, finer + 2, rows=embeddings)) == finer + 2


def test_small_communities_are_joined_with_small_ones_beside_them():
    # Pairs of a path of six, and three rows apart.
    graph = graph_of("01 12 23 34 45 78", n=9)
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 4, 4])
    assert partition._join_small(graph, labels, 4).tolist() == [0] * 4 + [-1] * 5
    assert partition._join_small(graph, labels, 2).tolist() == [0, 0, 1, 1, 2, 2, -1, 3, 3]
    assert partition._join_small(graph, labels, 6).tolist() == [0] * 6 + [-1] * 3


def test_a_division_at_hand_gives_the_same(text, embeddings):
    division = fine_division(text, embeddings, 10, seed=0)
    for n_clusters in (3, 8, division.tree.n_leaves + 2):
        np.testing.assert_array_equal(
            number(text, n_clusters, rows=embeddings, division=division),
            number(text, n_clusters, rows=embeddings),
        )


def test_a_cluster_may_have_just_enough_rows():
    graph = cliques(10, 10, bridges=[(0, 10)])
    assert same_partition(number(graph, 2), clique_labels(10, 10))
    assert number(graph, 2, 11).tolist() == [0] * 20


def divided(graph, leaves):
    leaves = np.asarray(leaves)
    tree = merge_tree(graph, leaves, np.eye(leaves.size), n_top=1)
    return FineDivision(leaves, tree, 1.0)


def test_where_a_cluster_dissolves_the_tree_is_cut_deeper():
    # 8 and 9 are joined with four rows of each clique and with each other: no core. The tree has
    # them and the first clique apart longest, as they have the fewest edges.
    bridges = [(8, row) for row in range(4)] + [(9, row) for row in range(4, 8)] + [(8, 9)]
    graph = cliques(4, 4, 1, 1, bridges=bridges)
    division = divided(graph, np.repeat([0, 1, 2], [4, 4, 2]))
    two = division.tree.cut(2)
    assert two[0] != two[1]  # so that two clusters are had from two or from three leaves
    labels = cut_division(graph, division, 2, 2)
    assert labels.tolist() == [0] * 4 + [1] * 4 + [0, 1]
    assert cut_division(graph, division, 3, 2) is None
    assert cut_division(graph, division, 4, 2) is None


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 6])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_it_merges_as_the_tree_what_is_above_the_number(
    text, embeddings, n_clusters, lost, monkeypatch
):
    """`lost` clusters dissolve at each cut: so many more leaves are needed, and no others merge."""

    def dissolve(graph, labels, min_cluster_size, min_core):
        return contiguous(np.where(labels < lost, -1, labels))

    monkeypatch.setattr(partition, "prune_clusters", dissolve)
    division = fine_division(text, embeddings, 5, seed=0)
    labels = cut_division(text, division, n_clusters, 5)
    assert n_of(labels) == n_clusters
    kept = labels >= 0
    tree = division.tree
    for k in range(n_clusters, tree.n_leaves + 1):
        cut = tree.cut(k)[division.leaves]
        if n_of(contiguous(cut[kept])) == n_clusters:
            assert same_partition(labels[kept], cut[kept])
            break
    else:
        pytest.fail("no cut has these clusters")


def test_without_enough_cores_it_gives_communities_as_they_are(monkeypatch):
    def nothing_is_left(graph, labels, min_cluster_size, min_core):
        assert (min_cluster_size, min_core) == (10, 1)
        return np.zeros_like(labels)

    monkeypatch.setattr(partition, "prune_clusters", nothing_is_left)
    # The ring's communities are too small, but it is large enough for a cluster.
    ring = [(24 + i, 24 + (i + 1) % 12) for i in range(12)]
    graph = cliques(12, 12, *[1] * 12, bridges=ring)
    assert same_partition(number(graph, 3), clique_labels(12, 12, 12))


def test_clusters_without_a_core_are_counted():
    # Each row of 0 and 1 has its neighbours in the other.
    graph = graph_of("02 03 12 13 45", n=7)
    assert without_core(graph, np.array([0, 0, 1, 1, 2, 2, -1])) == 2


@settings(max_examples=80)
@given(labelled_graphs(max_rows=25), st.integers(1, 6), st.integers(2, 6))
def test_a_number_is_not_exceeded(graph_and_labels, n_clusters, min_cluster_size):
    graph, _ = graph_and_labels
    labels = number(graph, n_clusters, min_cluster_size)
    assert set(labels) - {-1} == set(range(n_of(labels)))
    assert n_of(labels) <= n_clusters
    assert (np.bincount(labels[labels >= 0]) >= min_cluster_size).all()
    parts = connected_components(graph, directed=False)[1]
    large = np.bincount(parts) >= min_cluster_size
    assert n_of(labels) >= min(n_clusters, large.sum())
    np.testing.assert_array_equal(labels >= 0, large[parts])


@pytest.mark.parametrize("n", [0, 1, 3])
def test_no_edges(n):
    empty = csr_matrix((n, n))
    assert at_resolution(empty, 1.0, 2, seed=0)[0].tolist() == [-1] * n
    assert number(empty, 1, 2).tolist() == [-1] * n
