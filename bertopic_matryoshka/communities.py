"""A neighbour graph -> communities, by Leiden, at a resolution or in about a given number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

ITERATIONS = 1
"""Leiden cycles; a second takes as long again and moves no measure once clusters are merged."""

SEARCH_RUNS = 12
"""Leiden runs that the search for a number may take."""


def communities(graph: csr_matrix, resolution: float, seed: int) -> NDArray[np.int_]:
    """Find the communities of an undirected graph, with the Constant Potts Model.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights > 0.
    resolution : float
        Relative to the density that a random graph of this mean degree has.
    seed : int

    Returns
    -------
    labels : ndarray of shape (n,), int, from 0
    """
    n = graph.shape[0]
    if graph.nnz == 0:
        return np.arange(n)
    from graspologic_native import leiden_csr

    # CPM does not depend on the weights' scale, but the library's refinement does: with weights
    # of 1 it hardly merges and ends 12 % below this quality. See docs/selection.md.
    mean_degree = graph.sum() / n
    _, found = leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data / mean_degree,
        n,
        resolution=resolution / n,
        iterations=ITERATIONS,
        use_modularity=False,
        seed=seed,
    )
    return np.fromiter(map(found.__getitem__, range(n)), dtype=np.int64, count=n)


def resolution_for(
    graph: csr_matrix, least: int, most: int, min_cluster_size: int, seed: int
) -> tuple[NDArray[np.int_], float]:
    """Search a resolution that gives from `least` to `most` communities of sufficient size.

    Their number grows with the resolution, about as a power of it, so the search bisects the
    logarithm. Where no resolution gives such a number, the result is the one with the fewest above
    it that was seen, or the most.

    Returns
    -------
    labels : ndarray of shape (n,), int
    resolution : float
    """
    low, high = -14.0, 10.0  # powers of two
    middle = 1.0
    seen: list[tuple[int, float, NDArray[np.int_]]] = []
    for _ in range(SEARCH_RUNS):
        labels = communities(graph, 2.0**middle, seed)
        sizes = np.bincount(labels)
        large = sizes >= min_cluster_size
        count = int(large.sum())
        seen.append((count, 2.0**middle, labels))
        if least <= count <= most:
            break
        # Where most rows are in small communities, the number of large ones falls again.
        if count > most or 2 * sizes[large].sum() < sizes.sum():
            high = middle
        else:
            low = middle
        # A step towards the number asked for, as long as both ends are far.
        step = np.log2(np.sqrt(least * most) / max(count, 1)) * 1.5
        middle = middle + step if low < middle + step < high else (low + high) / 2
    enough = [run for run in seen if run[0] >= least]
    _, resolution, labels = (
        min(enough, key=lambda run: run[0]) if enough else max(seen, key=lambda run: run[0])
    )
    return labels, resolution
