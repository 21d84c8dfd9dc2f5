"""Rows -> the graph that joins each with its nearest neighbours by cosine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from bertopic_matryoshka.neighbors._search import nearest_neighbors

if TYPE_CHECKING:
    from numpy.typing import NDArray


def neighbor_graph(
    rows: NDArray[np.floating], n_neighbors: int, *, method: str = "auto", device: str | None = None
) -> csr_matrix:
    """Join two rows where one is among the nearest of the other.

    Parameters
    ----------
    rows : ndarray of shape (n, n_dims)
    n_neighbors : int
        At least 1; fewer where there are fewer rows.
    method, device
        See nearest_neighbors.

    Returns
    -------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights of 1 and nothing on the diagonal.
    """
    n = rows.shape[0]
    k = min(n_neighbors, n - 1)
    if k < 1:
        return csr_matrix((n, n))
    indices, _ = nearest_neighbors(rows, k, method=method, device=device)
    starts = np.arange(0, n * k + 1, k)
    directed = csr_matrix((np.ones(n * k), indices.ravel(), starts), shape=(n, n))
    graph = directed.maximum(directed.T).tocsr()
    graph.sort_indices()
    return graph
