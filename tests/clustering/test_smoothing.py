"""Clusters smoothed by votes and pruned: by hand, and against counting every vote."""

import numpy as np
import pytest
from graphs import clique_labels, cliques, graph_of, labelled_graphs, same_partition
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from bertopic_matryoshka.clustering._membership import membership
from bertopic_matryoshka.clustering._smoothing import (
    add_lone_parts,
    assign_unlabelled,
    propagate_labels,
    prune_clusters,
)

# ---- propagate_labels


def every(labels):
    return np.ones(len(labels), dtype=bool)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1, 1, 0], [1, 1, 1, 0]),  # two of three
        ([0, 0, 1, 1], [1, 0, 1, 1]),
        ([2, 0, 1, 2], [2, 0, 1, 2]),  # one vote each: it stays
        ([-1, 1, 0, 1], [1, 1, 0, 1]),
        ([-1, 2, 0, 1], [0, 2, 0, 1]),  # one vote each: the first cluster
        ([1, -1, -1, 0], [0, -1, -1, 0]),  # -1 has no vote
        ([1, -1, -1, -1], [1, -1, -1, -1]),
    ],
)
def test_votes_of_three_neighbours(labels, expected):
    graph = graph_of("01 02 03")
    first = np.arange(4) == 0
    assert propagate_labels(graph, np.array(labels), first, 1).tolist() == expected


def test_a_tie_with_another_leaves_it_where_it_is():
    graph = graph_of("01 02 03 04")
    labels = np.array([1, 0, 0, 1, 1])
    assert propagate_labels(graph, labels, every(labels), 1)[0] == 1


def test_one_vote_more_moves_it():
    graph = graph_of("01 02 03 04 05")
    labels = np.array([1, 0, 0, 0, 1, 1])
    assert propagate_labels(graph, labels, every(labels), 1)[0] == 0


def test_who_may_not_move_stays():
    labels = np.array([0, 1, 1, 1])
    assert propagate_labels(cliques(4), labels, np.arange(4) > 0, 9).tolist() == [0, 1, 1, 1]
    assert propagate_labels(cliques(4), labels, every(labels), 9).tolist() == [1, 1, 1, 1]


def test_a_row_without_neighbours_stays():
    graph = graph_of("01", n=4)
    labels = np.array([0, -1, 1, -1])
    assert propagate_labels(graph, labels, every(labels), 3).tolist() == [0, 0, 1, -1]


def test_all_vote_at_once():
    # Each sees only the other side: in a round they swap.
    graph = graph_of("02 03 12 13")
    labels = np.array([0, 0, 1, 1])
    assert propagate_labels(graph, labels, every(labels), 1).tolist() == [1, 1, 0, 0]
    assert propagate_labels(graph, labels, every(labels), 2).tolist() == [0, 0, 1, 1]


def test_rounds_are_counted():
    path = graph_of("01 12 23 34")
    labels = np.array([0, -1, -1, -1, -1])
    for rounds in range(6):
        found = propagate_labels(path, labels, every(labels), rounds)
        assert (found == 0).sum() == min(1 + rounds, 5)
    assert labels.tolist() == [0, -1, -1, -1, -1]  # not written into


@given(labelled_graphs())
def test_a_vote_is_counted(graph_and_labels):
    graph, labels = graph_and_labels
    dense, count = graph.toarray(), labels.max() + 1
    expected = labels.copy()
    for row in range(labels.size):
        of = labels[dense[row] > 0]
        votes = np.bincount(of[of >= 0], minlength=max(count, 1))
        most = votes.max()
        if most > 0 and not (labels[row] >= 0 and votes[labels[row]] == most):
            expected[row] = votes.argmax()
    np.testing.assert_array_equal(propagate_labels(graph, labels, every(labels), 1), expected)


@given(labelled_graphs(), st.integers(1, 6), st.randoms(use_true_random=False))
def test_rounds_that_look_only_beside_what_moved_are_as_good(graph_and_labels, rounds, random):
    graph, labels = graph_and_labels
    may_move = np.random.default_rng(random.getrandbits(32)).random(labels.size) < 0.7
    expected = labels
    for _ in range(rounds):
        expected = propagate_labels(graph, expected, may_move, 1)
    np.testing.assert_array_equal(propagate_labels(graph, labels, may_move, rounds), expected)


# ---- assign_unlabelled


def test_rows_are_filled_from_the_borders_inwards():
    path = graph_of("01 12 23 34 45 56")
    labels = np.array([0, -1, -1, -1, -1, -1, 1])
    found = assign_unlabelled(path, labels)
    assert found[[0, 1, 2, 4, 5, 6]].tolist() == [0, 0, 0, 1, 1, 1]
    assert found[3] in (0, 1)


def test_a_long_way_is_gone_to_its_end():
    n = 200
    path = csr_matrix(np.eye(n, k=1) + np.eye(n, k=-1))
    labels = np.full(n, -1)
    labels[0] = 0
    assert assign_unlabelled(path, labels).tolist() == [0] * n


def test_filling_ends_where_rows_would_swap_for_ever():
    # 0, 1 see 2, 3 and a row of cluster 0; 2, 3 see 0, 1 and a row of cluster 1.
    graph = graph_of("02 03 12 13 04 14 25 35")
    labels = np.array([-1, -1, -1, -1, 0, 1])
    movers = labels < 0
    swapping = [propagate_labels(graph, labels, movers, rounds)[0] for rounds in range(20, 24)]
    assert len(set(swapping)) == 2
    found = assign_unlabelled(graph, labels)
    assert (found >= 0).all()
    assert found[4:].tolist() == [0, 1]


def test_filled_rows_vote_again():
    # 1 knows only 0 at first; then 2 and 3 have a cluster too, the other one.
    graph = graph_of("01 12 13 24 35")
    assert assign_unlabelled(graph, np.array([0, -1, -1, -1, 1, 1])).tolist() == [0, 1, 1, 1, 1, 1]


@given(labelled_graphs(max_rows=15))
def test_only_rows_without_a_path_stay_unfilled(graph_and_labels):
    graph, labels = graph_and_labels
    found = assign_unlabelled(graph, labels)
    parts = connected_components(graph, directed=False)[1]
    with_cluster = np.isin(parts, parts[labels >= 0])
    np.testing.assert_array_equal(found >= 0, with_cluster)
    np.testing.assert_array_equal(found[labels >= 0], labels[labels >= 0])


# ---- prune_clusters


def test_a_weak_cluster_dissolves_into_its_neighbours():
    # 8 and 9 are joined with four rows of each clique and with each other: no core.
    bridges = [(8, row) for row in range(4)] + [(9, row) for row in range(4, 8)] + [(8, 9)]
    graph = cliques(4, 4, 1, 1, bridges=bridges)
    labels = np.repeat([0, 1, 2], [4, 4, 2])
    assert prune_clusters(graph, labels, 2).tolist() == [0] * 4 + [1] * 4 + [0, 1]


def test_half_of_the_neighbours_make_a_core():
    # A ring of four, each with two neighbours in it and two in the clique of five.
    ring = [(5, 6), (6, 7), (7, 8), (8, 5)]
    out = [(5, 0), (5, 1), (6, 1), (6, 2), (7, 2), (7, 3), (8, 3), (8, 4)]
    labels = np.repeat([0, 1], [5, 4])
    graph = cliques(5, 1, 1, 1, 1, bridges=ring + out)
    assert membership(graph, labels)[5:].tolist() == [0.5] * 4
    assert prune_clusters(graph, labels, 4).tolist() == labels.tolist()
    # Four core rows are not enough for five; the clique has them.
    assert prune_clusters(graph, labels, 5).tolist() == [0] * 9


def test_a_cluster_with_a_core_but_too_few_rows_dissolves():
    graph = cliques(6, 3, bridges=[(0, 6)])
    labels = clique_labels(6, 3)
    assert prune_clusters(graph, labels, 3).tolist() == labels.tolist()
    assert prune_clusters(graph, labels, 4, min_core=1).tolist() == [0] * 9
    assert prune_clusters(graph, labels, 4).tolist() == [0] * 9


def test_borders_are_smoothed():
    graph = cliques(5, 5, bridges=[(4, 5)])
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])  # row 4 belongs to the first
    assert prune_clusters(graph, labels, 3).tolist() == clique_labels(5, 5).tolist()


def test_where_all_are_weak_a_part_is_one_cluster():
    # Every row has its neighbours in another cluster.
    graph = graph_of("02 03 12 13 46 47 56 57", n=10)
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 3, -1, -1])
    assert prune_clusters(graph, labels, 4).tolist() == [0] * 4 + [1] * 4 + [-1] * 2
    assert prune_clusters(graph, labels, 5).tolist() == [-1] * 10


def test_no_cluster_at_all():
    labels = np.full(4, -1)
    assert prune_clusters(cliques(4), labels, 5).tolist() == [-1] * 4
    assert prune_clusters(cliques(4), labels, 4).tolist() == [0] * 4
    assert prune_clusters(csr_matrix((4, 4)), labels, 2).tolist() == [-1] * 4


@settings(max_examples=200)
@given(labelled_graphs(max_rows=16), st.integers(1, 4), st.integers(1, 4))
def test_pruned_clusters_are_as_promised(graph_and_labels, min_cluster_size, min_core):
    graph, labels = graph_and_labels
    before = labels.copy()
    found = prune_clusters(graph, labels, min_cluster_size, min_core)
    np.testing.assert_array_equal(labels, before)
    count = found.max() + 1
    assert set(found) - {-1} == set(range(count))
    core = found[membership(graph, found) >= 0.5]
    parts = connected_components(graph, directed=False)[1]
    for cluster in range(count):
        rows = found == cluster
        assert rows.sum() >= min_cluster_size
        whole_part = rows.sum() == np.isin(parts, parts[rows]).sum()  # a single row has no core
        assert (core == cluster).sum() >= min_core or whole_part
    for part in range(parts.max() + 1):
        inside = found[parts == part]
        assert (inside >= 0).all() or (inside == -1).all()
        if (inside == -1).all():
            assert inside.size < min_cluster_size


@given(labelled_graphs(max_rows=16, least=0), st.randoms(use_true_random=False))
def test_pruning_does_not_depend_on_the_order_of_rows(graph_and_labels, random):
    graph, labels = graph_and_labels
    rows = np.random.default_rng(random.getrandbits(32)).permutation(labels.size)
    found = prune_clusters(graph, labels, 2)
    shuffled = prune_clusters(graph[rows][:, rows].tocsr(), labels[rows], 2)
    assert same_partition(found[rows], shuffled)


def test_lone_parts_are_clusters_where_they_are_large_enough():
    graph = cliques(3, 4, 2, 3)
    labels = np.array([-1, 0, -1, *[-1] * 9])
    expected = [-1, 0, -1, 1, 1, 1, 1, -1, -1, 2, 2, 2]
    assert add_lone_parts(graph, labels, 3).tolist() == expected
