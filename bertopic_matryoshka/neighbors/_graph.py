"""Rows -> the cosine nearest-neighbour graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from bertopic_matryoshka.neighbors._copies import near_copies
from bertopic_matryoshka.neighbors._search import nearest_neighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray


def neighbor_graph(
    rows: NDArray[np.floating], n_neighbors: int, *, method: str = "auto", device: str | None = None
) -> csr_matrix:
    """Join two rows if one is among the nearest neighbours of the other.

    Parameters
    ----------
    rows : ndarray of shape (n, n_dims)
    n_neighbors : int
        Number of neighbours, >= 1; fewer where there are too few rows.
    method, device
        See nearest_neighbors.

    Returns
    -------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights of 1 and an empty diagonal.
    """
    return distinct_neighbor_graph(rows, n_neighbors, 0, method=method, device=device)[0]


def distinct_neighbor_graph(
    rows: NDArray[np.floating],
    n_neighbors: int,
    copy_distance: float,
    *,
    method: str = "auto",
    device: str | None = None,
) -> tuple[csr_matrix, NDArray[np.int_]]:
    """Build the graph of the rows that are no near copies of others.

    See near_copies and neighbor_graph. Copies are found in the first neighbour search; a second
    search follows only if there are any.

    Returns
    -------
    graph : csr_matrix of shape (n_distinct, n_distinct)
        Graph of the rows that are no copies, in their order.
    representative : ndarray of shape (n,), int
        Index of the row that each row repeats; its own if it is no copy.
    """
    n = rows.shape[0]
    representative = np.arange(n)
    indices = _neighbors(rows, n_neighbors, method, device)
    if indices is None:
        return csr_matrix((n, n)), representative
    representative = near_copies(rows, *indices, copy_distance)
    distinct = np.flatnonzero(representative == np.arange(n))
    if distinct.size < n:
        indices = _neighbors(rows[distinct], n_neighbors, method, device)
        if indices is None:
            return csr_matrix((distinct.size, distinct.size)), representative
    return _joined(indices[0]), representative


def _neighbors(
    rows: NDArray[np.floating], n_neighbors: int, method: str, device: str | None
) -> tuple[NDArray[np.int32], NDArray[np.float32]] | None:
    k = min(n_neighbors, rows.shape[0] - 1)
    return nearest_neighbors(rows, k, method=method, device=device) if k > 0 else None


def _joined(indices: NDArray[np.int32]) -> csr_matrix:
    n, k = indices.shape
    starts = np.arange(0, n * k + 1, k)
    directed = csr_matrix((np.ones(n * k), indices.ravel(), starts), shape=(n, n))
    graph = directed.maximum(directed.T).tocsr()
    graph.sort_indices()
    return graph
