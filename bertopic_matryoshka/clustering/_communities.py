"""A neighbour graph -> communities, by Leiden, at a resolution or in about a given number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka.clustering._gpu_communities import gpu_communities, has_cugraph

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

ITERATIONS = 1
"""Leiden cycles; a second takes as long again and moves no measure once clusters are merged."""

SEARCH_RUNS = 12
"""Leiden runs that the search for a number may take."""


def communities(
    graph: csr_matrix, resolution: float, seed: int, device: str | None = None
) -> NDArray[np.int_]:
    """Find the communities of an undirected graph, with the Constant Potts Model.

    On a GPU where cuGraph is installed it is cuGraph's Leiden, by modularity.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights > 0.
    resolution : float
        Relative to the density that a random graph of this mean degree has.
    seed : int
    device : str or None, default=None
        None takes a GPU where there is one.

    Returns
    -------
    labels : ndarray of shape (n,), int, from 0
    """
    n = graph.shape[0]
    if graph.nnz == 0:
        return np.arange(n)
    if has_cugraph(device):
        return gpu_communities(graph, resolution, seed)
    from graspologic_native import leiden_csr

    # CPM does not depend on the weights' scale, but the library's refinement does: with weights
    # of 1 it hardly merges and ends 12 % below this quality. See docs/selection.md.
    mean_degree = graph.sum() / n
    _, found = leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        (graph.data / mean_degree).astype(np.float64),
        n,
        resolution=resolution / n,
        iterations=ITERATIONS,
        use_modularity=False,
        seed=seed,
    )
    return np.fromiter(map(found.__getitem__, range(n)), dtype=np.int64, count=n)


def resolution_for(
    graph: csr_matrix,
    least: int,
    most: int,
    min_cluster_size: int,
    seed: int,
    device: str | None = None,
) -> tuple[NDArray[np.int_], float]:
    """Search a resolution that gives from `least` to `most` communities of sufficient size.

    Their number grows about in proportion to the resolution, so the search interpolates the
    logarithms of both. Where no resolution gives such a number, the result is the one with the
    fewest above it that was seen, or else the most.

    Returns
    -------
    labels : ndarray of shape (n,), int
    resolution : float
    """
    target = np.log2(np.sqrt(least * most))
    below: tuple[float, float] | None = None  # logarithms of resolution and number
    above: tuple[float, float] | None = None
    seen: list[tuple[int, float, NDArray[np.int_]]] = []
    exponent = 1.0
    for _ in range(SEARCH_RUNS):
        labels = communities(graph, 2.0**exponent, seed, device)
        sizes = np.bincount(labels)
        large = sizes >= min_cluster_size
        count = int(large.sum())
        seen.append((count, 2.0**exponent, labels))
        if least <= count <= most:
            break
        point = exponent, float(np.log2(max(count, 0.5)))
        # Where most rows are in small communities, the number of large ones falls again.
        if count > most or 2 * sizes[large].sum() < sizes.sum():
            above = point
        else:
            below = point
        if above is None:
            exponent += float(np.clip(target - point[1], 0.5, 4))
        elif below is None:
            exponent -= float(np.clip(point[1] - target, 0.5, 4))
        else:
            rise = above[1] - below[1]
            share = (target - below[1]) / rise if rise > 0 else 0.5
            exponent = below[0] + float(np.clip(share, 0.2, 0.8)) * (above[0] - below[0])
    enough = [run for run in seen if run[0] >= least]
    _, resolution, labels = (
        min(enough, key=lambda run: run[0]) if enough else max(seen, key=lambda run: run[0])
    )
    return labels, resolution
