"""Leaves of a tree that move to the nearest centroid: by hand, and against k-means of the rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bertopic_matryoshka.clustering._centroids import move_leaves, sums_and_sizes


def test_sums_and_sizes_by_hand():
    sums, sizes = sums_and_sizes(
        np.array([1, -1, 0, 1]), np.array([[1.0, 2], [9, 9], [3, 4], [5, 6]])
    )
    assert sums.tolist() == [[3, 4], [6, 8]]
    assert sizes.tolist() == [1, 2]


def test_a_leaf_moves_to_the_nearest_centroid():
    rows = np.array([[0.0], [1], [8], [9]])
    assert move_leaves(np.array([0, 0, 0, 1]), np.arange(4), rows).tolist() == [0, 0, 1, 1]


def test_a_leaf_weighs_as_many_rows_as_it_has():
    # The centroid of leaf 0 with 9 rows and leaf 1 is at .4: leaf 1, at 4, is nearer to 7 than to it.
    rows = np.array([[0.0]] * 9 + [[4.0], [7.0]])
    leaves = np.array([0] * 9 + [1, 2])
    assert move_leaves(np.array([0, 0, 1]), leaves, rows).tolist() == [0, 1, 1]
    # With one row each it is as near to 2 as leaf 0 is, and stays.
    assert move_leaves(np.array([0, 0, 1]), np.arange(3), np.array([[0.0], [4], [7]]))[0] == 0


def test_one_cluster_and_as_many_as_leaves_stay():
    rows = np.eye(3)
    assert move_leaves(np.zeros(3, int), np.arange(3), rows).tolist() == [0, 0, 0]
    assert move_leaves(np.arange(3), np.arange(3), rows).tolist() == [0, 1, 2]


@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_no_cluster_is_lost_and_the_spread_does_not_grow(n_clusters, seed):
    rng = np.random.default_rng(seed)
    n_leaves = n_clusters + 4
    leaves = np.append(np.arange(n_leaves), rng.integers(-1, n_leaves, size=20))
    rows = rng.normal(size=(leaves.size, 2))
    cut = rng.permutation(np.append(np.arange(n_clusters), rng.integers(n_clusters, size=4)))
    sums, sizes = sums_and_sizes(leaves, rows)
    points = sums / sizes[:, None]

    def spread(labels):
        centres = np.array(
            [np.average(points[labels == c], 0, sizes[labels == c]) for c in range(n_clusters)]
        )
        return (sizes * ((points - centres[labels]) ** 2).sum(axis=1)).sum()

    moved = move_leaves(cut, leaves, rows)
    assert set(moved) == set(range(n_clusters))
    assert spread(moved) <= spread(cut) + 1e-9
