"""A transformer or a graph that is given -> nearest neighbours, as a search gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import clone

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_EDGES = 2**16
"""Number of edges whose similarities are computed at a time."""


def check_given(neighbors: Any) -> None:
    """Check that neighbours come from a transformer, a graph, or None."""
    if neighbors is None or issparse(neighbors):
        return
    if isinstance(neighbors, type) or not hasattr(neighbors, "fit_transform"):
        raise TypeError(
            f"neighbors={neighbors!r} must be a transformer such as scikit-learn's "
            "KNeighborsTransformer(), a sparse matrix of shape (n_samples, n_samples), or None."
        )


def given_neighbors(
    neighbors: Any, rows: NDArray[np.floating]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Read the neighbours of each row from a graph.

    Parameters
    ----------
    neighbors : transformer or sparse matrix of shape (n, n)
        A transformer is cloned; its `fit_transform` gives the matrix. What is stored in a row are
        its neighbours, whatever the values; a row is not its own neighbour.
    rows : ndarray of shape (n, n_dims), unit rows

    Returns
    -------
    indices : ndarray of shape (n, n_neighbors), int32
        By cosine similarity, nearest first. Rows with fewer neighbours than the others have their
        own index in place of those that they lack.
    similarities : ndarray of shape (n, n_neighbors), float32, in [-1, 1]
        -1 where a neighbour lacks.

    Raises
    ------
    ValueError
        If the graph is not of shape (n, n), or has no edges.
    """
    n = rows.shape[0]
    graph = neighbors if issparse(neighbors) else clone(neighbors, safe=False).fit_transform(rows)
    if not issparse(graph) or graph.shape != (n, n):
        kind = f"of shape {graph.shape}" if issparse(graph) else f"a {type(graph).__name__}"
        raise ValueError(
            f"neighbors gives {kind}, and must give a sparse matrix of shape ({n}, {n}): the "
            "neighbours of each row among these rows, zero rows and equal ones left out."
        )
    graph = csr_matrix(graph, copy=True)
    graph.sum_duplicates()  # a neighbour that is stored twice counts once
    row = np.repeat(np.arange(n), np.diff(graph.indptr))
    others = graph.indices != row
    row, near = row[others], graph.indices[others].astype(np.int32)
    if n > 1 and row.size == 0:
        raise ValueError("neighbors gives no row a neighbour. Ask it for more.")
    similar = np.empty(row.size, dtype=np.float32)
    for start in range(0, row.size, BLOCK_EDGES):
        part = slice(start, start + BLOCK_EDGES)
        similar[part] = np.einsum("ij,ij->i", rows[row[part]], rows[near[part]])
    order = np.lexsort((near, -similar, row))
    row, near, similar = row[order], near[order], np.clip(similar[order], -1, 1)
    counts = np.bincount(row, minlength=n)
    is_there = np.arange(counts.max(initial=0)) < counts[:, None]
    indices = np.repeat(np.arange(n, dtype=np.int32)[:, None], is_there.shape[1], axis=1)
    similarities = np.full(is_there.shape, -1, dtype=np.float32)
    indices[is_there], similarities[is_there] = near, similar
    return indices, similarities


def of_distinct(graph: Any, firsts: NDArray[np.int_], place: NDArray[np.int_]) -> csr_matrix:
    """Restrict a graph of all rows to the first of equal ones.

    Parameters
    ----------
    graph : sparse matrix of shape (n, n)
    firsts : ndarray of shape (n_distinct,), int
        Rows that are kept, in their new order.
    place : ndarray of shape (n,), int
        Place among them of each row or its equal; -1 is none, and its edges are left out.
    """
    if graph.shape != (place.size, place.size):
        raise ValueError(
            f"neighbors has shape {graph.shape} and must have shape ({place.size}, {place.size}): "
            "the neighbours of each row of X."
        )
    kept = csr_matrix(graph)[firsts]
    row = np.repeat(np.arange(firsts.size), np.diff(kept.indptr))
    column = place[kept.indices]
    ends = row[column >= 0], column[column >= 0]
    return csr_matrix((np.ones(ends[0].size), ends), shape=(firsts.size, firsts.size))
