"""A neighbour graph -> communities, at a resolution or in a given number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

ITERATIONS = 3
"""Leiden cycles; more change few labels."""

SEARCH_RUNS = 14
"""Leiden runs that the search for a resolution may take."""


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
    graph: csr_matrix, n_clusters: int, min_cluster_size: int, seed: int
) -> tuple[NDArray[np.int_], float]:
    """Search the resolution at which there are `n_clusters` communities of sufficient size.

    Their number grows with the resolution, so the search bisects its logarithm. Where no
    resolution gives just that number, the result has the nearest larger one that was seen, or the
    largest.

    Returns
    -------
    labels : ndarray of shape (n,), int
    resolution : float
    """
    low, high = -14.0, 10.0  # powers of two
    above: tuple[int, NDArray[np.int_], float] | None = None
    below: tuple[int, NDArray[np.int_], float] | None = None
    middle = 0.0
    for _ in range(SEARCH_RUNS):
        resolution = 2.0**middle
        labels = communities(graph, resolution, seed)
        sizes = np.bincount(labels)
        large = sizes >= min_cluster_size
        count = int(large.sum())
        if count == n_clusters:
            return labels, resolution
        # Where most rows are in small communities, their number falls again.
        if count > n_clusters or 2 * sizes[large].sum() < sizes.sum():
            high = middle
        else:
            low = middle
        if count > n_clusters and (above is None or count < above[0]):
            above = count, labels, resolution
        if count < n_clusters and (below is None or count > below[0]):
            below = count, labels, resolution
        middle = (low + high) / 2
    nearest = above or below
    assert nearest is not None  # noqa: S101  (every run was one or the other)
    return nearest[1], nearest[2]


def n_large(labels: NDArray[np.int_], min_cluster_size: int) -> int:
    """Count the communities of sufficient size."""
    return int(np.count_nonzero(np.bincount(labels) >= min_cluster_size))


def exactly(
    graph: csr_matrix, labels: NDArray[np.int_], n_clusters: int, min_cluster_size: int
) -> NDArray[np.int_]:
    """Merge the most densely joined communities until `n_clusters` of sufficient size are left."""
    labels = np.unique(labels, return_inverse=True)[1]
    while n_large(labels, min_cluster_size) > n_clusters:
        sizes = np.bincount(labels)
        large = np.flatnonzero(sizes >= min_cluster_size)
        position = np.full(sizes.size, -1)  # among the large ones: small ones may be very many
        position[large] = np.arange(large.size)
        rows = position[np.repeat(labels, np.diff(graph.indptr))]
        columns = position[labels[graph.indices]]
        inside = (rows >= 0) & (columns >= 0)
        between = coo_matrix(
            (graph.data[inside], (rows[inside], columns[inside])), shape=(large.size, large.size)
        ).toarray()
        density = between / np.outer(sizes[large], sizes[large])
        np.fill_diagonal(density, -1)
        first, second = large[list(np.unravel_index(density.argmax(), density.shape))]
        labels = np.where(labels == second, first, labels)
        labels = np.unique(labels, return_inverse=True)[1]
    return labels
