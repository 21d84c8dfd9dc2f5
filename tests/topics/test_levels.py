"""Nested levels: cases by hand, and every level that can be is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage

from bertopic_matryoshka.topics._levels import check_levels, nested_levels


def test_a_lone_topic_gets_a_companion():
    # Four pairs on a line, and one far off, which a plain cut at two leaves alone.
    points = np.array([[0.0], [1], [4], [5], [10], [11], [14], [15], [40]])
    Z, sizes = linkage(points, "ward"), np.ones(9, dtype=int)
    plain = nested_levels(Z, points, sizes, [9, 2], 1)[:, 1]
    assert plain.tolist() in ([0] * 8 + [1], [1] * 8 + [0])
    levels = nested_levels(Z, points, sizes, [9, 2], 2)
    assert [np.unique(column).size for column in levels.T] == [9, 2]
    groups = [np.flatnonzero(levels[:, 1] == levels[i, 1]).tolist() for i in (0, 8)]
    assert groups == [[0, 1, 2, 3, 4, 5, 6], [7, 8]]


def test_sizes_weigh():
    points = np.array([[0.0], [1], [5.2], [9], [10]])
    Z = linkage(points, "average")
    light = nested_levels(Z, points, np.array([1, 1, 1, 1, 1]), [5, 2], 2)[:, 1]
    assert light[0] == light[1] != light[2] == light[3] == light[4]
    # With the last 100 times as large, its group's mean is at 9.94, too far from the middle.
    heavy = nested_levels(Z, points, np.array([1, 1, 1, 1, 100]), [5, 2], 2)[:, 1]
    assert heavy[0] == heavy[1] == heavy[2] != heavy[3] == heavy[4]


@given(
    seed=st.integers(0, 100),
    n_topics=st.integers(2, 30),
    min_children=st.integers(1, 3),
    share=st.floats(0.1, 1),
)
def test_each_topic_has_enough_children(seed, n_topics, min_children, share):
    rng = np.random.default_rng(seed)
    points = rng.standard_t(1, size=(n_topics, 3))  # with some far off
    numbers = [max(1, round(share * n_topics))]
    while numbers[-1] // min_children >= 1 and numbers[-1] > 1:
        numbers.append(min(numbers[-1] - 1, numbers[-1] // min_children))
        if numbers[-1] < 1:
            numbers.pop()
            break
    assert check_levels(numbers, n_topics, min_children) == numbers
    sizes = rng.integers(1, 50, n_topics)
    levels = nested_levels(linkage(points, "average"), points, sizes, numbers, min_children)
    assert [np.unique(column).size for column in levels.T] == numbers
    for finer, coarser in zip(levels.T, levels.T[1:], strict=False):
        pairs = np.unique(np.stack([coarser, finer]), axis=1)
        assert np.unique(finer).size == pairs.shape[1]  # nested
        assert np.bincount(pairs[0]).min() >= min_children


@pytest.mark.parametrize(
    ("numbers", "min_children", "message"),
    [
        ([], 2, r"numbers=\[\] is empty. Give a list such as \[20, 5\]"),
        (5, 2, "numbers=5 must be a list"),
        ([5, 20], 2, r"numbers=\[5, 20\] must fall"),
        ([5, 5], 1, "must fall"),
        ([40, 5], 2, r"Begin with at most 30, .* LeidenClustering\(n_clusters=40\)"),
        ([20, 15], 2, "min_children=2 for each of 15 topics needs 30 .* Ask for at most 10"),
        ([20, 0], 2, "numbers=0 must be at least 1"),
        ([20, 5], 0, "min_children=0 must be at least 1"),
    ],
)
def test_levels_that_can_not_be(numbers, min_children, message):
    with pytest.raises((TypeError, ValueError), match=message):
        check_levels(numbers, 30, min_children)
    with pytest.raises(TypeError, match=r"numbers=2.5 must be an int"):
        check_levels([20, 2.5], 30, 1)
