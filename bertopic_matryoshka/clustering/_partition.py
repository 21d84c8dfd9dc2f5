"""A fine division -> clusters: the tree is cut, leaves move, and borders are smoothed."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka.clustering._centroids import move_leaves
from bertopic_matryoshka.clustering._membership import membership
from bertopic_matryoshka.clustering._ordering import count_clusters
from bertopic_matryoshka.clustering._smoothing import CORE, prune_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bertopic_matryoshka.clustering._division import Divider, FineDivision
    from bertopic_matryoshka.clustering._merge_tree import MergeTree

SATURATED = 0.75
"""Share of the leaves that stay apart from which a finer division is made."""


def fine_division(
    divider: Divider, resolution: float = 1.0, division: FineDivision | None = None
) -> tuple[FineDivision, int]:
    """Divide so finely that most leaves merge where modularity is largest, see most_modular.

    Parameters
    ----------
    divider : Divider
    resolution : float, default=1.0
        Resolution of modularity, > 0.
    division : FineDivision or None, default=None
        The one to begin with; None is the divider's coarsest.

    Returns
    -------
    division : FineDivision
        The last one, if leaves of no size merge so.
    n_clusters : int
        The number of clusters with the largest modularity.
    """
    first = divider.divide() if division is None else division
    for divided in chain([first], divider.finer_divisions(first.tree.n_leaves)):
        number = divided.most_modular(resolution)
        if number < SATURATED * divided.tree.n_leaves:
            break
    return divided, number


def at_resolution(
    divider: Divider,
    division: FineDivision,
    resolution: float,
    least: int = 1,
    most: int | None = None,
) -> NDArray[np.int_]:
    """Find as many clusters as give the largest modularity, see most_modular.

    Parameters
    ----------
    divider : Divider
    division : FineDivision
        The one to begin with.
    resolution : float
        Resolution of modularity, > 0; a larger value gives more clusters.
    least, most : int, int or None, default=1, None
        Limits of the number of clusters, as far as there are leaves.

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap, each with at least `min_cluster_size` core rows, see prune_clusters;
        -1 in connected parts of the graph with fewer than `min_cluster_size` rows.
    """
    division, number = fine_division(divider, resolution, division)
    number = max(least, number if most is None else min(number, most))
    number = min(number, division.tree.n_leaves)
    labels = _moved(divider, division, number)[1]
    return prune_clusters(divider.graph, labels, divider.min_cluster_size)


def in_number(divider: Divider, division: FineDivision, n_clusters: int) -> NDArray[np.int_]:
    """Find `n_clusters` clusters, or as many as there are communities.

    If a division does not give the number, finer ones do; and at last the leaves as they are, with
    a core or not.

    Parameters
    ----------
    divider : Divider
    division : FineDivision
        The one to begin with.
    n_clusters : int

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap, each of at least `min_cluster_size` rows; -1 in connected parts of the
        graph with fewer.
    """
    tried = []
    for divided in chain([division], divider.finer_divisions(n_clusters)):
        labels = cut_division(divider, divided, n_clusters)
        if labels is not None:
            return labels
        tried.append(divided)
    enough = [divided for divided in tried if divided.tree.n_leaves >= n_clusters]
    best = enough[0] if enough else max(tried, key=lambda divided: divided.tree.n_leaves)
    cut = best.tree.cut(min(n_clusters, best.tree.n_leaves))
    return np.append(cut, -1)[best.leaves]


def cut_division(
    divider: Divider, division: FineDivision, n_clusters: int
) -> NDArray[np.int_] | None:
    """Cut a tree into `n_clusters`, smoothed and each with a core.

    A single core row is enough here: to ask for more would give other clusters than those that the
    tree has, and less agreement with known labels. If clusters dissolve when smoothed, the cut is
    deeper, until enough are left; those above the number are merged as in the tree.

    Parameters
    ----------
    divider : Divider
    division : FineDivision
        One that it made.
    n_clusters : int

    Returns
    -------
    labels : ndarray of shape (n,), int, or None
        From 0 without a gap, of exactly `n_clusters`. None if no depth leaves as many.
    """
    tree = division.tree
    if n_clusters > tree.n_leaves:
        return None
    depth = n_clusters
    while True:
        cut, labels = _moved(divider, division, depth)
        found = prune_clusters(divider.graph, labels, divider.min_cluster_size, 1)
        origin = _origins(found, labels)
        lost = n_clusters - np.unique(origin).size
        if lost <= 0:
            first = np.unique(cut, return_index=True)[1]  # a leaf of each cluster of the cut
            return _merged_to(tree, n_clusters, depth, first[origin], found)
        if depth == tree.n_leaves:
            return None
        depth = min(max(depth + lost, round(1.1 * depth)), tree.n_leaves)


def _moved(
    divider: Divider, division: FineDivision, n_clusters: int
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Cut a tree, and give the cluster of each leaf and, once leaves have moved, of each row."""
    cut = moved = division.tree.cut(n_clusters)
    if divider.by_centroids:
        moved = move_leaves(cut, division.leaves, divider.rows)
    return cut, np.append(moved, -1)[division.leaves]


def _origins(found: NDArray[np.int_], labels: NDArray[np.int_]) -> NDArray[np.int_]:
    """Cluster in `labels` of which most rows of each cluster found are; the first of two."""
    inside = np.flatnonzero((found >= 0) & (labels >= 0))
    n_labels = count_clusters(labels)
    pairs, votes = np.unique(found[inside] * n_labels + labels[inside], return_counts=True)
    last = np.lexsort((-pairs, votes))
    origin = np.zeros(count_clusters(found), dtype=np.int64)
    origin[pairs[last] // n_labels] = pairs[last] % n_labels
    return origin


def _merged_to(
    tree: MergeTree,
    n_clusters: int,
    depth: int,
    leaf: NDArray[np.int_],
    labels: NDArray[np.int_],
) -> NDArray[np.int_]:
    """Merge clusters as the tree merges a leaf of each, until `n_clusters` are left."""
    low, high = n_clusters, depth
    while low < high:
        middle = (low + high) // 2
        if np.unique(tree.cut(middle)[leaf]).size >= n_clusters:
            high = middle
        else:
            low = middle + 1
    names = np.unique(tree.cut(low)[leaf], return_inverse=True)[1]
    return np.append(names, -1)[labels]


def without_core(graph: csr_matrix, labels: NDArray[np.int_]) -> int:
    """Count the clusters without a single core row, see prune_clusters."""
    core = labels[(labels >= 0) & (membership(graph, labels) >= CORE)]
    return count_clusters(labels) - np.unique(core).size
