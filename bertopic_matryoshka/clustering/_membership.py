"""Neighbours and their clusters -> the share of a row's neighbours in each cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from bertopic_matryoshka.clustering._ordering import count_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST_WEIGHT = 1e-6
"""Weight of a neighbour of no similarity, so that the weights never sum to 0."""


def one_hot(labels: NDArray[np.int_], count: int) -> csr_matrix:
    """One-hot encode labels, of shape (n, count); rows of label -1 are empty."""
    rows = np.flatnonzero(labels >= 0)
    return csr_matrix((np.ones(rows.size), (rows, labels[rows])), shape=(labels.size, count))


def edges_between(graph: csr_matrix, labels: NDArray[np.int_]) -> csr_matrix:
    """Sum the weights of the edges between each two clusters, of shape (n_clusters, n_clusters).

    An edge within a cluster counts twice, on the diagonal; those of label -1 do not count.
    """
    member = one_hot(labels, count_clusters(labels))
    # The other way round the first product would have about as many values as the graph.
    return (member.T @ (graph @ member)).tocsr()


def membership(
    graph: csr_matrix, labels: NDArray[np.int_], rows: NDArray[np.int_] | None = None
) -> NDArray[np.float64]:
    """Share of each row's neighbours in its own cluster, in [0, 1]; 0 for label -1.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Each edge counts once, whatever its weight.
    labels : ndarray of shape (n,), int
    rows : ndarray of shape (m,), int, or None, default=None
        Rows of which the share is computed, in ascending order; None is all.

    Returns
    -------
    share : ndarray of shape (n,) or (m,), float64
    """
    if rows is not None and rows.size < labels.size:
        graph, own = graph[rows], labels[rows]
    else:
        own = labels
    degrees = np.diff(graph.indptr)
    alike = labels[graph.indices] == np.repeat(own, degrees)
    inside = np.zeros(own.size)
    joined = np.flatnonzero(degrees)  # reduceat would give a row without neighbours the next one's
    if joined.size:
        inside[joined] = np.add.reduceat(alike, graph.indptr[joined], dtype=np.int64)
    share: NDArray[np.float64] = np.where(own < 0, 0.0, inside / np.maximum(degrees, 1))
    return share


def shares(graph: csr_matrix, labels: NDArray[np.int_], n_clusters: int) -> NDArray[np.float64]:
    """Share of each row's neighbours in each cluster, of shape (n, n_clusters).

    The rest to 1 is in no cluster. A row without neighbours has 0 everywhere.
    """
    degrees = np.maximum(np.diff(graph.indptr), 1)
    counted = (graph.sign() @ one_hot(labels, n_clusters)).toarray()
    found: NDArray[np.float64] = counted / degrees[:, None]
    return found


def weighted_shares(
    labels: NDArray[np.int_], similarities: NDArray[np.floating], n_clusters: int
) -> NDArray[np.float64]:
    """Share of new rows' neighbours in each cluster, weighted by similarity.

    Parameters
    ----------
    labels : ndarray of shape (n, n_neighbors), int
        Clusters of the neighbours, -1 for none.
    similarities : ndarray of shape (n, n_neighbors)
    n_clusters : int

    Returns
    -------
    shares : ndarray of shape (n, n_clusters), float64, in [0, 1]
        The rest to 1 is in no cluster.
    """
    n = labels.shape[0]
    weights = np.maximum(similarities.astype(np.float64), SMALLEST_WEIGHT)
    cells = np.arange(n)[:, None] * (n_clusters + 1) + labels + 1  # column 0 is for no cluster
    counted: Any = np.bincount(cells.ravel(), weights.ravel(), n * (n_clusters + 1))
    found: NDArray[np.float64] = counted.reshape(n, n_clusters + 1)
    # Dividing by the sum of the weights could give more than 1 by rounding.
    found /= found.sum(axis=1)[:, None]
    return found[:, 1:]
