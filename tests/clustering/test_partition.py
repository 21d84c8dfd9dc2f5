"""Graphs divided at a resolution and into a number: by hand, and what holds for any graph."""

import numpy as np
import pytest
from graphs import clique_labels, cliques, contiguous, graph_of, labelled_graphs, same_partition
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka.clustering import _division, _partition
from bertopic_matryoshka.clustering._centroids import move_leaves
from bertopic_matryoshka.clustering._communities import communities
from bertopic_matryoshka.clustering._division import Divider, FineDivision
from bertopic_matryoshka.clustering._membership import membership
from bertopic_matryoshka.clustering._merge_tree import merge_tree
from bertopic_matryoshka.clustering._number import modularity_terms, most_modular
from bertopic_matryoshka.clustering._partition import (
    at_resolution,
    cut_division,
    fine_division,
    in_number,
    without_core,
)
from bertopic_matryoshka.clustering._smoothing import prune_clusters
from bertopic_matryoshka.neighbors._graph import distinct_neighbor_graph, neighbor_graph


@pytest.fixture(scope="module")
def text(embeddings):
    """The neighbour graph of 501 docstrings, with their rows."""
    return Divider(neighbor_graph(embeddings, 15), embeddings, 10, seed=0)


def of_graph(graph, min_cluster_size=10, rows=None):
    rows = np.eye(graph.shape[0]) if rows is None else rows
    return Divider(graph, rows, min_cluster_size, seed=0)


def n_of(labels):
    return int(labels.max(initial=-1)) + 1


# ---- at a resolution


def clusters(divider, resolution=1.0, least=1, most=None):
    return at_resolution(divider, divider.divide(), resolution, least, most)


@pytest.mark.parametrize("sizes", [(10, 10), (30, 20, 10), (12,) * 16])
@pytest.mark.parametrize("resolution", [0.1, 1, 4])
def test_what_no_edge_joins_stays_apart(sizes, resolution):
    labels = clusters(of_graph(cliques(*sizes)), resolution)
    assert same_partition(labels, clique_labels(*sizes))


def test_what_hardly_an_edge_joins_stays_apart():
    # Of 382 edges' ends each, chance would give two 382 * 382 / 6,110 = 24 edges; they have one.
    bridges = [(20 * i, 20 * i + 20) for i in range(15)]
    graph = of_graph(cliques(*[20] * 16, bridges=bridges))
    assert same_partition(clusters(graph, 1.0), clique_labels(*[20] * 16))
    # 1 / 24 = .042: at a lower resolution one edge is enough to join.
    assert n_of(clusters(graph, 0.05)) == 16
    assert n_of(clusters(graph, 0.03)) < 16


@pytest.mark.parametrize("n", [10, 12, 16, 30, 50])
def test_a_few_rows_are_one_cluster(n):
    """Of so few, each has most others as its neighbours: the graph cannot be denser anywhere."""
    assert clusters(of_graph(cliques(n))).tolist() == [0] * n


def test_fewer_rows_than_a_cluster_has():
    assert clusters(of_graph(cliques(9))).tolist() == [-1] * 9
    assert clusters(of_graph(cliques(9, 10))).tolist() == [-1] * 9 + [0] * 10


def test_small_parts_are_outliers():
    labels = clusters(of_graph(cliques(20, 20, *[5] * 20)))
    assert labels.tolist() == [0] * 20 + [1] * 20 + [-1] * 100


def test_the_steps_in_their_order(text):
    """The most modular cut, its leaves moved, and smoothed."""
    division, number = fine_division(text)
    terms = modularity_terms(division.tree, text.graph, division.leaves)
    assert number == most_modular(*terms, 1.0)
    assert division.tree.n_leaves > number > 3
    cut = move_leaves(division.tree.cut(number), division.leaves, text.rows)
    smoothed = prune_clusters(text.graph, cut[division.leaves], 10)
    np.testing.assert_array_equal(clusters(text), smoothed)


def test_a_number_within_limits(text):
    division, free = fine_division(text, 0.3)
    assert free < n_of(clusters(text, 0.3, least=free + 2)) <= free + 2
    assert n_of(clusters(text, 0.3, least=999)) <= division.tree.n_leaves
    assert n_of(clusters(text, 0.3, most=2)) == 2


def test_a_higher_resolution_gives_more(text):
    counts = [n_of(clusters(text, r)) for r in (0.05, 0.3, 1, 4)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_a_resolution_that_keeps_the_leaves_apart_has_finer_ones(text):
    first, number = fine_division(text, 0.05)
    assert first.tree.n_leaves == text.divide().tree.n_leaves > number
    finer, number = fine_division(text, 1.0)
    assert finer.tree.n_leaves > max(first.tree.n_leaves, number / 0.75)
    last, number = fine_division(text, 50.0)
    assert number == last.tree.n_leaves > finer.tree.n_leaves
    again, _ = fine_division(text, 1.0, last)
    assert again is last


@settings(max_examples=150)
@given(labelled_graphs(max_rows=25), st.floats(0.05, 20), st.integers(2, 6))
def test_clusters_are_as_promised(graph_and_labels, resolution, min_cluster_size):
    graph, _ = graph_and_labels
    labels = clusters(of_graph(graph, min_cluster_size), resolution)
    assert set(labels) - {-1} == set(range(n_of(labels)))
    core = labels[membership(graph, labels) >= 0.5]
    assert (np.bincount(core[core >= 0], minlength=n_of(labels)) >= min_cluster_size).all()
    parts = connected_components(graph, directed=False)[1]
    np.testing.assert_array_equal(labels >= 0, np.bincount(parts)[parts] >= min_cluster_size)


# ---- into a number


def number(divider, n_clusters):
    return in_number(divider, divider.divide(), n_clusters)


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5, 8, 14, 20])
def test_the_number_is_found(text, n_clusters):
    labels = number(text, n_clusters)
    assert set(labels) == set(range(n_clusters))
    assert np.bincount(labels).min() >= 10
    assert (without_core(text.graph, labels) == 0) == (n_clusters < 20)


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 4])
def test_cliques_are_merged_whole(n_clusters):
    labels = number(of_graph(cliques(40, 30, 20, 10)), n_clusters)
    assert n_of(labels) == n_clusters
    assert len(set(zip(labels, clique_labels(40, 30, 20, 10), strict=True))) == 4


def test_cliques_that_no_edge_joins_merge_by_their_centroids():
    rows = np.repeat([[1.0, 0], [0, 1], [0.1, 1], [1, 0.2]], [40, 30, 20, 10], axis=0)
    labels = number(of_graph(cliques(40, 30, 20, 10), rows=rows), 2)
    assert same_partition(labels, np.repeat([0, 1, 1, 0], [40, 30, 20, 10]))


def test_of_too_many_it_finds_those_that_there_are():
    labels = number(of_graph(cliques(12, 12, 12, 5)), 4)
    assert labels.tolist() == [*clique_labels(12, 12, 12), *[-1] * 5]


@pytest.mark.parametrize("finer", [1, 2, 4])
def test_leaves_are_large_communities_and_the_rows_beside_them(text, finer):
    division = text.divide(finer)
    aim = finer * 501 / (_division.LEAF_SIZES * 10)
    fine = communities(text.graph, max(1.0, aim / _division.COMMUNITIES), 0)
    kept = contiguous(np.where(np.bincount(fine)[fine] >= 10, fine, -1))
    np.testing.assert_array_equal(division.leaves[kept >= 0], kept[kept >= 0])
    assert (division.leaves >= 0).all()
    assert np.bincount(division.leaves).min() >= 10
    assert division.tree.n_leaves == n_of(division.leaves)


def test_of_very_many_rows_the_close_edges_make_the_communities(embeddings, monkeypatch):
    graph, is_close, kept, *_ = distinct_neighbor_graph(embeddings, 15, 0)
    divider = Divider(graph, embeddings[kept], 10, seed=0, is_close=is_close)
    seen, original = [], _division.communities

    def watched(graph, *args):
        seen.append(graph.nnz)
        return original(graph, *args)

    monkeypatch.setattr(_division, "communities", watched)
    few = number(divider, 8)
    monkeypatch.setattr(_division, "MOST_LEAVES", 11)
    many = number(divider, 8)
    assert set(seen) == {graph.nnz, is_close.sum()}
    assert divider.graph.nnz == graph.nnz
    assert n_of(many) == 8
    # As alike as those of two seeds.
    other = number(Divider(graph, embeddings[kept], 10, seed=1), 8)
    assert adjusted_mutual_info_score(few, many) > adjusted_mutual_info_score(few, other) - 0.1


def test_a_finer_division_has_more_leaves(text):
    first, finer = text.divide().tree.n_leaves, text.divide(2).tree.n_leaves
    assert first < finer
    assert n_of(number(text, finer + 2)) == finer + 2


def test_small_communities_are_joined_with_small_ones_beside_them():
    # Pairs of a path of six, and three rows apart.
    graph = graph_of("01 12 23 34 45 78", n=9)
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 4, 4])
    assert _division._join_small(graph, labels, 4).tolist() == [0] * 4 + [-1] * 5
    assert _division._join_small(graph, labels, 2).tolist() == [0, 0, 1, 1, 2, 2, -1, 3, 3]
    assert _division._join_small(graph, labels, 6).tolist() == [0] * 6 + [-1] * 3


def test_a_cluster_may_have_just_enough_rows():
    graph = cliques(10, 10, bridges=[(0, 10)])
    assert same_partition(number(of_graph(graph), 2), clique_labels(10, 10))
    assert number(of_graph(graph, 11), 2).tolist() == [0] * 20


def divided(graph, leaves):
    leaves = np.asarray(leaves)
    tree = merge_tree(graph, leaves, np.eye(leaves.size), n_top=1)
    return FineDivision(graph, leaves, tree)


def test_where_a_cluster_dissolves_the_tree_is_cut_deeper():
    # 8 and 9 are joined with four rows of each clique and with each other: no core. The tree has
    # them and the first clique apart longest, as they have the fewest edges.
    bridges = [(8, row) for row in range(4)] + [(9, row) for row in range(4, 8)] + [(8, 9)]
    graph = cliques(4, 4, 1, 1, bridges=bridges)
    division = divided(graph, np.repeat([0, 1, 2], [4, 4, 2]))
    two = division.tree.cut(2)
    assert two[0] != two[1]  # so that two clusters are had from two or from three leaves
    divider = Divider(graph, np.eye(10), 2, seed=0, by_centroids=False)
    labels = cut_division(divider, division, 2)
    assert labels.tolist() == [0] * 4 + [1] * 4 + [0, 1]
    assert cut_division(divider, division, 3) is None
    assert cut_division(divider, division, 4) is None


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 6])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_it_merges_as_the_tree_what_is_above_the_number(text, n_clusters, lost, monkeypatch):
    """`lost` clusters dissolve at each cut: so many more leaves are needed, and no others merge."""

    def dissolve(graph, labels, min_cluster_size, min_core):
        return contiguous(np.where(labels < lost, -1, labels))

    monkeypatch.setattr(_partition, "prune_clusters", dissolve)
    divider = Divider(text.graph, text.rows, 5, seed=0, by_centroids=False)
    division = divider.divide()
    labels = cut_division(divider, division, n_clusters)
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

    monkeypatch.setattr(_partition, "prune_clusters", nothing_is_left)
    # The ring's communities are too small, but it is large enough for a cluster.
    ring = [(24 + i, 24 + (i + 1) % 12) for i in range(12)]
    graph = cliques(12, 12, *[1] * 12, bridges=ring)
    assert same_partition(number(of_graph(graph), 3), clique_labels(12, 12, 12))


def test_clusters_without_a_core_are_counted():
    # Each row of 0 and 1 has its neighbours in the other.
    graph = graph_of("02 03 12 13 45", n=7)
    assert without_core(graph, np.array([0, 0, 1, 1, 2, 2, -1])) == 2


@settings(max_examples=80)
@given(labelled_graphs(max_rows=25), st.integers(1, 6), st.integers(2, 6))
def test_a_number_is_not_exceeded(graph_and_labels, n_clusters, min_cluster_size):
    graph, _ = graph_and_labels
    labels = number(of_graph(graph, min_cluster_size), n_clusters)
    assert set(labels) - {-1} == set(range(n_of(labels)))
    assert n_of(labels) <= n_clusters
    assert (np.bincount(labels[labels >= 0]) >= min_cluster_size).all()
    parts = connected_components(graph, directed=False)[1]
    large = np.bincount(parts) >= min_cluster_size
    assert n_of(labels) >= min(n_clusters, large.sum())
    np.testing.assert_array_equal(labels >= 0, large[parts])


@pytest.mark.parametrize("n", [0, 1, 3])
def test_no_edges(n):
    empty = of_graph(csr_matrix((n, n)), 2)
    assert clusters(empty).tolist() == [-1] * n
    assert number(empty, 1).tolist() == [-1] * n
