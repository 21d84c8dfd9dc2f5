"""A neighbour graph -> clusters: Leiden communities, merged by linkage, then smoothed."""

from __future__ import annotations

import math
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.csgraph import connected_components

from bertopic_matryoshka.clustering._communities import communities, resolution_for
from bertopic_matryoshka.clustering._merging import (
    add_lone_parts,
    assign_unlabelled,
    merge_clusters,
    prune_clusters,
)
from bertopic_matryoshka.clustering._ordering import count_clusters, keep_clusters

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

FINER = 1.6
"""Target number of Leiden communities per cluster after merging."""

FINE_RESOLUTION = 2.0
"""Leiden's resolution for a `resolution` of 1: about FINER times as many communities."""

MIN_LIFT = 0.1
"""Share of the edges expected by chance, at a `resolution` of 1; pairs with less do not merge."""

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
    parts = np.bincount(connected_components(graph, directed=False)[1])
    within_reach = parts[parts >= min_cluster_size].sum()
    for _ in range(HALVINGS):
        found = communities(graph, FINE_RESOLUTION * resolution, seed, flavor)
        sizes = np.bincount(found)
        if 2 * sizes[sizes >= min_cluster_size].sum() >= within_reach:
            break
        resolution /= 2
    fine = _large(graph, found, min_cluster_size)
    n_clusters = max(at_least, round(count_clusters(fine) / FINER))
    coarse = merge_clusters(graph, fine, n_clusters, MIN_LIFT * resolution)
    return prune_clusters(graph, coarse, min_cluster_size), resolution


def in_number(
    graph: csr_matrix,
    n_clusters: int,
    min_cluster_size: int,
    seed: int,
    flavor: str = "graspologic",
) -> tuple[NDArray[np.int_], float]:
    """Find `n_clusters` clusters, or fewer if the search finds no more.

    Some clusters dissolve when pruned, so the number to merge down to is found by bisection. If too
    many dissolve, finer communities are tried, then smaller cores, and finally merged communities
    without pruning.

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap, each of at least `min_cluster_size` rows; -1 in connected parts of the
        graph with fewer.
    resolution : float
        Resolution at which at_resolution would begin with the same communities.
    """
    search = partial(resolution_for, min_cluster_size=min_cluster_size, seed=seed, flavor=flavor)

    @cache  # every size of cores begins with the same communities
    def divided(finer: float) -> tuple[NDArray[np.int_], float]:
        least = math.ceil(finer * n_clusters)
        found, tried = search(graph, least, 3 * least // 2)
        return _large(graph, found, min_cluster_size), tried

    for core in (min_cluster_size, min_cluster_size // 2, 1):
        for finer in (FINER, 2 * FINER):
            fine, tried = divided(finer)
            settle = partial(
                prune_clusters, graph, min_cluster_size=min_cluster_size, min_core=core
            )
            labels = settle(fine)
            if count_clusters(labels) >= n_clusters:
                labels = _merged_to(graph, fine, n_clusters, settle, labels)
                return labels, tried / FINE_RESOLUTION
    found, tried = search(graph, n_clusters, math.ceil(FINER * n_clusters))
    labels = merge_clusters(graph, _large(graph, found, min_cluster_size), n_clusters)
    return assign_unlabelled(graph, labels), tried / FINE_RESOLUTION


def _merged_to(
    graph: csr_matrix,
    fine: NDArray[np.int_],
    n_clusters: int,
    settle: Callable[[NDArray[np.int_]], NDArray[np.int_]],
    best: NDArray[np.int_],
) -> NDArray[np.int_]:
    """Merge the most fine communities that leave `n_clusters` when pruned; `best` has enough."""
    low, high = n_clusters, count_clusters(fine)
    while low < high and count_clusters(best) > n_clusters:
        middle = (low + high) // 2
        labels = settle(merge_clusters(graph, fine, middle))
        if count_clusters(labels) >= n_clusters:
            best, high = labels, middle
        else:
            low = middle + 1
    return merge_clusters(graph, best, n_clusters)


def _large(graph: csr_matrix, labels: NDArray[np.int_], min_cluster_size: int) -> NDArray[np.int_]:
    """Keep the communities of sufficient size, renumbered from 0; other rows become -1."""
    kept = keep_clusters(labels, np.bincount(labels) >= min_cluster_size)
    return add_lone_parts(graph, kept, min_cluster_size)
