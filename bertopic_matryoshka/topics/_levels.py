"""A linkage of topics -> nested levels, each topic of a level with at least so many children."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import cut_tree
from scipy.optimize import linear_sum_assignment

from bertopic_matryoshka._constraints import check_each, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ITERATIONS = 20
"""Maximum number of iterations of k-means; a few are usual."""


def check_levels(numbers: Sequence[int], n_topics: int, min_children: int) -> list[int]:
    """Check the numbers of topics of levels, from many to few."""
    whole(1).check(min_children, "min_children")
    number = whole(1, remedy="Give a list such as [20, 5], from many to few.")
    numbers = check_each(numbers, number, "numbers")
    if any(finer <= coarser for finer, coarser in pairwise(numbers)):
        raise ValueError(f"numbers={numbers} must fall, such as [20, 5]: from many to few.")
    if numbers[0] > n_topics:
        raise ValueError(
            f"numbers={numbers} begins with more topics than the model has. "
            f"Begin with at most {n_topics}, or give the model more topics: fit it with "
            f"LeidenClustering(n_clusters={numbers[0]})."
        )
    for finer, coarser in pairwise(numbers):
        if coarser * min_children > finer:
            raise ValueError(
                f"min_children={min_children} for each of {coarser} topics needs "
                f"{coarser * min_children} topics on the level below, which has {finer}. Ask for "
                f"at most {max(1, finer // min_children)}, or lower min_children."
            )
    return [int(number) for number in numbers]


def nested_levels(
    Z: NDArray[np.float64],
    centroids: NDArray[np.float64],
    sizes: NDArray[np.int_],
    numbers: Sequence[int],
    min_children: int,
) -> NDArray[np.int_]:
    """Group topics at several numbers, each group with at least `min_children` of the level below.

    The first level is a cut of the tree. Each other level groups the one below by k-means of its
    centroids, weighted by size, from the tree's cut. In every iteration the groups are assigned at
    the least cost that leaves each centroid at least `min_children` of them [1]_.

    Parameters
    ----------
    Z : ndarray of shape (n_topics - 1, 4)
        As scipy.cluster.hierarchy.linkage gives it.
    centroids : ndarray of shape (n_topics, n_dims)
    sizes : ndarray of shape (n_topics,), int
    numbers : sequence of int
        Number of groups of each level, falling, see check_levels.
    min_children : int

    Returns
    -------
    levels : ndarray of shape (n_topics, n_levels), int
        Group of each topic at each level, from 0.

    References
    ----------
    .. [1] P. S. Bradley, K. P. Bennett, A. Demiriz, "Constrained k-means clustering", Microsoft
       Research technical report MSR-TR-2000-65, 2000.
    """
    n_topics = sizes.size
    cuts = cut_tree(Z) if n_topics > 1 else np.zeros((1, 1), dtype=int)  # a column a merge
    levels = [cuts[:, n_topics - numbers[0]]]
    for number in numbers[1:]:
        means, weights = _means(centroids, sizes, levels[-1], levels[-1].max() + 1)
        start, _ = _means(centroids, sizes, cuts[:, n_topics - number], number)
        levels.append(_constrained_k_means(means, weights, start, min_children)[levels[-1]])
    return np.stack(levels, axis=1)


def _constrained_k_means(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    centroids: NDArray[np.float64],
    least: int,
) -> NDArray[np.int_]:
    """Group points around centroids, at least so many each; see nested_levels."""
    k = len(centroids)
    groups = np.full(len(points), -1)
    for _ in range(ITERATIONS):
        squares = weights[:, None] * ((points[:, None] - centroids) ** 2).sum(axis=2)
        # `least` places at each centroid have to be taken; the others may be at the nearest one.
        free = np.repeat(squares.min(axis=1)[:, None], len(points) - k * least, axis=1)
        place = linear_sum_assignment(np.hstack([np.repeat(squares, least, axis=1), free]))[1]
        assigned = np.where(place < k * least, place // least, squares.argmin(axis=1))
        if np.array_equal(assigned, groups):
            break
        groups = assigned
        centroids, _ = _means(points, weights, groups, k)
    return groups


def _means(
    points: NDArray[np.float64],
    weights: NDArray[np.float64] | NDArray[np.int_],
    groups: NDArray[np.int_],
    n_groups: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the weighted mean of each group's points, and the sum of its weights."""
    member = np.zeros((n_groups, len(points)))
    member[groups, np.arange(len(points))] = weights
    total = member.sum(axis=1)
    return member @ points / total[:, None], total
