"""A neighbour graph -> clusters: divided finely by Leiden, merged, and settled by vote."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka.communities import communities, resolution_for
from bertopic_matryoshka.merging import merged, settled, voted

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

FINER = 1.6
"""Communities that Leiden is to find for each cluster that is left after merging."""

FINE_RESOLUTION = 2.0
"""Leiden's resolution for a `resolution` of 1: about FINER times as many communities."""


def at_resolution(
    graph: csr_matrix, resolution: float, min_cluster_size: int, seed: int
) -> NDArray[np.int_]:
    """Find the clusters of an undirected graph at a resolution.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights > 0.
    resolution : float
        Higher for more clusters.
    min_cluster_size : int
        Core rows that a cluster has at least, see `merging.settled`.
    seed : int

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 where no path leads to a cluster.
    """
    fine = _large(communities(graph, FINE_RESOLUTION * resolution, seed), min_cluster_size)
    coarse = merged(graph, fine, max(1, round(_count(fine) / FINER)))
    return settled(graph, coarse, min_cluster_size)


def in_number(
    graph: csr_matrix, n_clusters: int, min_cluster_size: int, seed: int
) -> tuple[NDArray[np.int_], float]:
    """Find `n_clusters` clusters, or the most that there are.

    Some clusters dissolve when they are settled, so that it bisects how many to merge down to.
    Where too many dissolve, it takes finer communities, then smaller cores, and at last communities
    as Leiden finds them.

    Returns
    -------
    labels : ndarray of shape (n,), int
    resolution : float
        At which at_resolution would begin with the same communities.
    """
    for core_size in (min_cluster_size, min_cluster_size // 2, 1):
        for finer in (FINER, 2 * FINER):
            least = math.ceil(finer * n_clusters)
            found, tried = resolution_for(graph, least, 3 * least // 2, min_cluster_size, seed)
            fine = _large(found, min_cluster_size)
            labels = settled(graph, fine, core_size)
            if _count(labels) >= n_clusters:
                labels = _merged_to(graph, fine, n_clusters, core_size, labels)
                return labels, tried / FINE_RESOLUTION
    found, tried = resolution_for(
        graph, n_clusters, math.ceil(FINER * n_clusters), min_cluster_size, seed
    )
    labels = merged(graph, _large(found, min_cluster_size), n_clusters)
    return voted(graph, labels, labels < 0, labels.size), tried / FINE_RESOLUTION


def _merged_to(
    graph: csr_matrix,
    fine: NDArray[np.int_],
    n_clusters: int,
    core_size: int,
    best: NDArray[np.int_],
) -> NDArray[np.int_]:
    """Merge as many fine communities as leave `n_clusters` when settled; `best` has more."""
    low, high = n_clusters, _count(fine)
    while low < high and _count(best) > n_clusters:
        middle = (low + high) // 2
        labels = settled(graph, merged(graph, fine, middle), core_size)
        if _count(labels) >= n_clusters:
            best, high = labels, middle
        else:
            low = middle + 1
    return merged(graph, best, n_clusters)


def _count(labels: NDArray[np.int_]) -> int:
    return int(labels.max(initial=-1)) + 1


def _large(labels: NDArray[np.int_], min_cluster_size: int) -> NDArray[np.int_]:
    """Keep the communities of sufficient size, numbered from 0; the rows of others become -1."""
    large = np.bincount(labels) >= min_cluster_size
    return np.where(large, np.cumsum(large) - 1, -1)[labels]
