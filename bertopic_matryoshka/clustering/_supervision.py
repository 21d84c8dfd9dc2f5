"""A neighbour graph and known classes of some rows -> a graph that follows the classes."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.utils import column_or_1d

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

UNKNOWN = -1
"""Label of rows of unknown class, as in scikit-learn and UMAP."""


def known_classes(y: ArrayLike, n_rows: int) -> NDArray[np.int_]:
    """Check the classes of rows, -1 where unknown.

    Raises
    ------
    ValueError
        If they are not whole numbers >= -1.

    Warns
    -----
    RuntimeWarning
        If there is not one for each row. All are then ignored: BERTopic passes the classes of all
        documents with the rows that are left after zero-shot topics.
    """
    given = column_or_1d(y)
    try:
        with np.errstate(invalid="ignore"):  # NaN
            classes: NDArray[np.int_] = given.astype(np.int64)
        whole = bool(np.all(classes == given))
    except (TypeError, ValueError):
        whole = False
    if not whole or classes.min(initial=0) < UNKNOWN:
        raise ValueError(
            "y must hold whole numbers, a class for each row and -1 where none is known. Number "
            "names with numpy.unique(names, return_inverse=True)."
        )
    if classes.size != n_rows:
        warnings.warn(
            f"y has {classes.size} classes for {n_rows} rows and is not used.",
            RuntimeWarning,
            stacklevel=3,
        )
        return np.full(n_rows, UNKNOWN)
    return classes


def class_of_copies(
    classes: NDArray[np.int_], group: NDArray[np.int_], n_groups: int
) -> NDArray[np.int_]:
    """Give each group of copies its most frequent known class; the lower one in a tie.

    Parameters
    ----------
    classes : ndarray of shape (n_rows,), int
        -1 where unknown.
    group : ndarray of shape (n_rows,), int
        Group of each row, below `n_groups`.
    n_groups : int

    Returns
    -------
    classes : ndarray of shape (n_groups,), int
    """
    known = classes != UNKNOWN
    (groups, names), votes = np.unique(
        np.stack([group[known], classes[known]]), axis=1, return_counts=True
    )
    found = np.full(n_groups, UNKNOWN)
    last = np.lexsort((-names, votes, groups))  # so that the winner is written last
    found[groups[last]] = names[last]
    return found


def supervised(
    graph: csr_matrix,
    classes: NDArray[np.int_],
    X: NDArray[np.floating],
    graph_of: Callable[[NDArray[np.floating]], csr_matrix],
    min_cluster_size: int,
) -> csr_matrix:
    """Remove the edges between known classes, and add the neighbour graph of each class.

    Edges stay where removing them would leave rows in a connected part too small for a cluster, so
    that the rows of small classes do not become outliers.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric, with weights of 1
    classes : ndarray of shape (n,), int
        -1 where unknown; the edges of such rows stay.
    X : ndarray of shape (n, n_dims)
    graph_of : callable
        Function from rows of `X` to their graph, such as neighbor_graph.
    min_cluster_size : int

    Returns
    -------
    graph : csr_matrix of shape (n, n), symmetric, with weights of 1
    """
    inside = csr_matrix(graph.shape)
    rows, columns = [], []
    for known in np.unique(classes[classes != UNKNOWN]):
        members = np.flatnonzero(classes == known)
        joined = graph_of(X[members]).tocoo()
        rows.append(members[joined.row])
        columns.append(members[joined.col])
    if rows:
        ends = np.concatenate(rows), np.concatenate(columns)
        inside = csr_matrix((np.ones(ends[0].size), ends), shape=graph.shape)
    old = graph.tocoo()
    from_class, to_class = classes[old.row], classes[old.col]
    between = (from_class != to_class) & (from_class != UNKNOWN) & (to_class != UNKNOWN)
    parts = connected_components(inside.maximum(_without(graph, between)), directed=False)[1]
    lone = (np.bincount(parts) < min_cluster_size)[parts]
    between &= ~(lone[old.row] | lone[old.col])
    found = inside.maximum(_without(graph, between))
    found.sort_indices()
    return found


def _without(graph: csr_matrix, cut: NDArray[np.bool_]) -> csr_matrix:
    old = graph.tocoo()
    ends = old.row[~cut], old.col[~cut]
    return csr_matrix((old.data[~cut], ends), shape=graph.shape)


def n_large_classes(classes: NDArray[np.int_], min_cluster_size: int) -> int:
    """Count the classes known for at least `min_cluster_size` rows."""
    sizes = np.unique(classes[classes != UNKNOWN], return_counts=True)[1]
    return int((sizes >= min_cluster_size).sum())
