"""A neighbour graph -> clusters: Leiden communities, merged by linkage, then smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.csgraph import connected_components

from bertopic_matryoshka.clustering._centroids import move_leaves
from bertopic_matryoshka.clustering._communities import communities
from bertopic_matryoshka.clustering._membership import membership, one_hot
from bertopic_matryoshka.clustering._merge_tree import N_TOP, MergeTree, merge_clusters, merge_tree
from bertopic_matryoshka.clustering._ordering import cluster_sizes, count_clusters, keep_clusters
from bertopic_matryoshka.clustering._smoothing import (
    CORE,
    add_lone_parts,
    assign_unlabelled,
    prune_clusters,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

FINER = 1.6
"""Target number of Leiden communities per cluster after merging."""

FINE_RESOLUTION = 2.0
"""Leiden's resolution for a `resolution` of 1: about FINER times as many communities."""

MIN_LIFT = 0.1
"""Share of the edges expected by chance, at a `resolution` of 1; pairs with less do not merge."""

LEAF_SIZES = 4.5
"""Times `min_cluster_size`: rows of a fine community, about."""

STEP = 1.25
"""Factor between the numbers of communities that are aimed at, if a number of clusters needs it."""

MOST_LEAVES = 4000
"""Fine communities that are aimed at, unless more clusters are asked for."""

COMMUNITIES = 11.0
"""Communities that Leiden finds at its resolution 1, about, and in proportion above."""

HALVINGS = 12
"""Maximum number of times a resolution is halved if most rows are in too small communities."""


def at_resolution(
    graph: csr_matrix,
    resolution: float,
    min_cluster_size: int,
    seed: int,
    *,
    at_least: int = 1,
    flavor: str = "graspologic",
) -> tuple[NDArray[np.int_], float]:
    """Find the clusters of an undirected graph at a resolution.

    While most rows are in communities that are too small, the resolution is halved: small graphs
    would otherwise have no cluster.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights of 1.
    resolution : float
        Resolution, > 0; a larger value gives more clusters.
    min_cluster_size : int
        Minimum number of core rows of a cluster, see prune_clusters.
    seed : int
    at_least : int, default=1
        Number of clusters below which none are merged.
    flavor : {"graspologic", "cugraph"}, default="graspologic"
        Implementation of Leiden, see communities.

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 in parts of the graph with fewer than `min_cluster_size` rows.
    resolution : float
        Resolution that was used.
    """
    found, resolution = _large_communities(graph, resolution, min_cluster_size, seed, flavor)
    n_clusters = max(at_least, round(count_clusters(found) / FINER))
    coarse = merge_clusters(graph, found, n_clusters, MIN_LIFT * resolution)
    return prune_clusters(graph, coarse, min_cluster_size), resolution


def _large_communities(
    graph: csr_matrix,
    resolution: float,
    min_cluster_size: int,
    seed: int,
    flavor: str,
) -> tuple[NDArray[np.int_], float]:
    """Find communities, and keep those of sufficient size; the rows of others become -1.

    Halves the resolution until half of the rows that can be in such communities are.
    """
    n_parts, part_of = connected_components(graph, directed=False)
    parts = cluster_sizes(part_of, n_parts)
    within_reach = parts[parts >= min_cluster_size].sum()
    for _ in range(HALVINGS):
        found = communities(graph, FINE_RESOLUTION * resolution, seed, flavor)
        sizes = cluster_sizes(found, count_clusters(found))
        large = sizes >= min_cluster_size
        if 2 * sizes[large].sum() >= within_reach:
            break
        resolution /= 2
    kept = keep_clusters(found, large)
    return add_lone_parts(graph, kept, min_cluster_size), resolution


def _join_small(
    graph: csr_matrix,
    labels: NDArray[np.int_],
    min_cluster_size: int,
) -> NDArray[np.int_]:
    """Join communities that are too small with such ones beside them; those left become -1.

    In rounds, each with the one that it has most edges with for their sizes, that is left.
    """
    while True:
        count = count_clusters(labels)
        sizes = cluster_sizes(labels, count)
        small = sizes < min_cluster_size
        member = one_hot(labels, count)
        edges = (member.T @ graph @ member).tocoo()
        pairs = (edges.row < edges.col) & small[edges.row] & small[edges.col]
        row, column = edges.row[pairs], edges.col[pairs]
        order = np.lexsort((column, row, -edges.data[pairs] / (sizes[row] * sizes[column])))
        names, free = np.arange(count), small.copy()
        for a, b in zip(row[order].tolist(), column[order].tolist(), strict=True):
            if free[a] and free[b]:
                names[b] = a
                free[a] = free[b] = False
        if not pairs.any():
            kept = keep_clusters(labels, ~small)
            return add_lone_parts(graph, kept, min_cluster_size)
        labels = np.unique(names, return_inverse=True)[1][labels]


@dataclass(frozen=True)
class FineDivision:
    """Communities finer than clusters are to be, and the tree of their merges.

    Attributes
    ----------
    leaves : ndarray of shape (n,), int
        Community of each row, from 0 without a gap, each of at least `min_cluster_size` rows; -1
        in parts of the graph with fewer.
    tree : MergeTree
    resolution : float
        At which at_resolution would begin with the same communities.
    """

    leaves: NDArray[np.int_]
    tree: MergeTree
    resolution: float


def fine_division(
    graph: csr_matrix,
    rows: NDArray[np.floating],
    min_cluster_size: int,
    seed: int,
    *,
    finer: float = 1.0,
    by_centroids: bool = True,
    flavor: str = "graspologic",
) -> FineDivision:
    """Divide a graph finely, into communities of some LEAF_SIZES times `min_cluster_size` rows.

    Parameters
    ----------
    graph, min_cluster_size, seed, flavor
        See at_resolution.
    rows : ndarray of shape (n, n_dims)
    finer : float, default=1.0
        Times as many communities are aimed at. If they would be smaller than `min_cluster_size`,
        small ones are joined.
    by_centroids : bool, default=True
        If False, only the graph decides what merges, except where no edge joins two clusters.
    """
    aim = finer * min(graph.shape[0] / (LEAF_SIZES * min_cluster_size), MOST_LEAVES)
    resolution = max(aim / COMMUNITIES, 1.0) / FINE_RESOLUTION
    if aim * min_cluster_size < graph.shape[0]:
        found, resolution = _large_communities(graph, resolution, min_cluster_size, seed, flavor)
    else:  # most would be too small
        found = communities(graph, FINE_RESOLUTION * resolution, seed, flavor)
        found = _join_small(graph, found, min_cluster_size)
    leaves = assign_unlabelled(graph, found)
    tree = merge_tree(graph, leaves, rows, N_TOP if by_centroids else 1)
    return FineDivision(leaves, tree, resolution)


def cut_division(
    graph: csr_matrix,
    division: FineDivision,
    n_clusters: int,
    min_cluster_size: int,
    rows: NDArray[np.floating] | None = None,
) -> NDArray[np.int_] | None:
    """Cut a tree into `n_clusters`, smoothed and each with a core.

    A single core row is enough here: to ask for more would give other clusters than those that the
    tree has, and less agreement with known labels. If clusters dissolve when smoothed, the cut is
    deeper, until enough are left; those above the number are merged as in the tree.

    Parameters
    ----------
    graph, min_cluster_size
        See at_resolution.
    division : FineDivision
    n_clusters : int
    rows : ndarray of shape (n, n_dims) or None, default=None
        If given, leaves move to the cluster with the nearest centroid before the smoothing, see
        move_leaves.

    Returns
    -------
    labels : ndarray of shape (n,), int, or None
        From 0 without a gap, of exactly `n_clusters`. None where no depth leaves as many.
    """
    tree = division.tree
    if n_clusters > tree.n_leaves:
        return None
    depth = n_clusters
    while True:
        cut = tree.cut(depth)
        moved = cut if rows is None else move_leaves(cut, division.leaves, rows)
        labels = np.append(moved, -1)[division.leaves]
        found = prune_clusters(graph, labels, min_cluster_size, 1)
        origin = _origins(found, labels)
        lost = n_clusters - np.unique(origin).size
        if lost <= 0:
            first = np.unique(cut, return_index=True)[1]  # a leaf of each cluster of the cut
            return _merged_to(tree, n_clusters, depth, first[origin], found)
        if depth == tree.n_leaves:
            return None
        depth = min(max(depth + lost, round(1.1 * depth)), tree.n_leaves)


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


def in_number(
    graph: csr_matrix,
    rows: NDArray[np.floating],
    n_clusters: int,
    min_cluster_size: int,
    seed: int,
    *,
    division: FineDivision | None = None,
    by_centroids: bool = True,
    flavor: str = "graspologic",
) -> NDArray[np.int_]:
    """Find `n_clusters` clusters, or as many as there are communities.

    Where the division does not give the number, finer ones do; and at last communities as Leiden
    finds them, with a core or not.

    Parameters
    ----------
    graph, rows, min_cluster_size, seed, by_centroids, flavor
        See fine_division.
    n_clusters : int
    division : FineDivision or None, default=None
        The one to begin with; None divides.

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap, each of at least `min_cluster_size` rows; -1 in parts of the graph
        with fewer.
    """

    def divisions() -> Iterator[FineDivision]:
        divide = partial(
            fine_division,
            graph,
            rows,
            min_cluster_size,
            seed,
            by_centroids=by_centroids,
            flavor=flavor,
        )
        yield divide() if division is None else division
        aim = min(graph.shape[0] / (LEAF_SIZES * min_cluster_size), MOST_LEAVES)
        finer = max(1.0, n_clusters / aim)
        while aim * finer * min_cluster_size < graph.shape[0]:
            finer *= STEP
            yield divide(finer=finer)

    tried = []
    for divided in divisions():
        labels = cut_division(
            graph, divided, n_clusters, min_cluster_size, rows if by_centroids else None
        )
        if labels is not None:
            return labels
        tried.append(divided)
    enough = [divided for divided in tried if divided.tree.n_leaves >= n_clusters]
    best = enough[0] if enough else max(tried, key=lambda divided: divided.tree.n_leaves)
    cut = best.tree.cut(min(n_clusters, best.tree.n_leaves))
    return np.append(cut, -1)[best.leaves]


def without_core(graph: csr_matrix, labels: NDArray[np.int_]) -> int:
    """Count the clusters without a single core row, see prune_clusters."""
    core = labels[(labels >= 0) & (membership(graph, labels) >= CORE)]
    return count_clusters(labels) - np.unique(core).size
