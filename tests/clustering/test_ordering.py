"""Orders that rows and clusters decide themselves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bertopic_matryoshka.clustering._ordering import (
    count_clusters,
    keep_clusters,
    ranks_by_size,
    row_order,
)


@given(
    arrays(
        np.float32, st.tuples(st.integers(0, 12), st.integers(1, 7)), elements=st.integers(-1, 1)
    ),
    st.randoms(use_true_random=False),
)
def test_shuffled_rows_come_in_the_same_order(rows, random):
    """Rows may differ in late columns keep_clusters, which is where the first tell nothing."""
    shuffled = np.random.default_rng(random.getrandbits(32)).permutation(rows)
    np.testing.assert_array_equal(rows[row_order(rows)], shuffled[row_order(shuffled)])
    assert sorted(row_order(rows)) == list(range(len(rows)))


def test_rows_that_are_not_contiguous():
    rows = np.asfortranarray(np.random.default_rng(0).normal(size=(9, 6)))
    np.testing.assert_array_equal(row_order(rows), row_order(np.ascontiguousarray(rows)))


def test_ranks_by_hand():
    labels = np.array([3, 0, -1, 2, 2, 0, -1, -1])
    # 0 and 2 have two rows, 0 the earlier one; 1 has none.
    assert ranks_by_size(labels, 5).tolist() == [0, -1, 1, 2, -1, -1]
    assert ranks_by_size(labels, 5)[labels].tolist() == [2, 0, -1, 1, 1, 0, -1, -1]


def test_no_clusters():
    assert ranks_by_size(np.full(3, -1), 0).tolist() == [-1]
    assert ranks_by_size(np.full(3, -1), 2).tolist() == [-1, -1, -1]


def test_only_some_clusters_stay_numbered_from_0():
    labels = np.array([2, 0, -1, 1, 2])
    assert keep_clusters(labels, np.array([True, False, True])).tolist() == [1, 0, -1, -1, 1]
    assert keep_clusters(labels, np.zeros(3, dtype=bool)).tolist() == [-1] * 5


def test_clusters_are_counted_without_none():
    assert count_clusters(np.array([-1, 1, 0])) == 2
    assert count_clusters(np.array([-1])) == count_clusters(np.array([], dtype=int)) == 0
