"""Rows and clusters -> an order that does not depend on the order of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def row_order(rows: NDArray[np.floating]) -> NDArray[np.int_]:
    """Order rows by their values; equal rows keep the order of the input.

    Parameters
    ----------
    rows : ndarray of shape (n, n_dims)

    Returns
    -------
    order : ndarray of shape (n,), int
    """
    rows = np.ascontiguousarray(rows)
    # A few columns distinguish most rows; the rest is compared as bytes, in any fixed order.
    whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    return np.lexsort((whole, *rows[:, :4].T))


def count_clusters(labels: NDArray[np.int_]) -> int:
    """Count clusters that are numbered from 0 without a gap; -1 is none."""
    return int(labels.max(initial=-1)) + 1


def check_clusters(labels: ArrayLike, n_rows: int) -> NDArray[np.int_]:
    """Check that there is a cluster for each row, numbered from 0 without a gap, or -1."""
    given = np.asarray(labels)
    if given.shape != (n_rows,):
        raise ValueError(
            f"labels has shape {given.shape} and must have shape ({n_rows},), a label for each row "
            "of the fit."
        )
    names = np.unique(given)
    if (
        given.dtype.kind not in "iu"
        or not np.array_equal(names[names >= 0], np.arange((names >= 0).sum()))
        or names.min(initial=0) < -1
    ):
        raise ValueError(
            f"labels={names[:5].tolist()}... must be whole numbers from 0 without a gap, and -1 "
            "for no cluster. numpy.unique(labels, return_inverse=True) numbers them."
        )
    return given.astype(np.int64)


def cluster_sizes(
    labels: NDArray[np.int_], count: int, counts: NDArray[np.int_] | None = None
) -> NDArray[np.int_]:
    """Count the rows of each cluster, of shape (count,).

    Parameters
    ----------
    labels : ndarray of shape (n,), int
        Below `count`; -1 is no cluster.
    count : int
    counts : ndarray of shape (n,), int, or None, default=None
        Number of times that each row occurs; None is once.
    """
    inside = labels >= 0
    weights = None if counts is None else counts[inside]
    return np.bincount(labels[inside], weights, minlength=count).astype(np.int64)


def keep_clusters(labels: NDArray[np.int_], keep: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Keep some clusters, renumbered from 0 in order; the rows of the others become -1.

    Parameters
    ----------
    labels : ndarray of shape (n,), int
        -1 is no cluster and stays.
    keep : ndarray of shape (n_clusters,), bool
        Mask of the clusters that are kept.
    """
    names = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)  # the last is for -1
    kept: NDArray[np.int_] = names[labels]
    return kept


def ranks_by_size(
    labels: NDArray[np.int_], count: int, counts: NDArray[np.int_] | None = None
) -> NDArray[np.int_]:
    """Rank clusters by size, largest first; ties by their first row.

    Parameters
    ----------
    labels, count, counts
        See cluster_sizes.

    Returns
    -------
    ranks : ndarray of shape (count + 1,), int
        New number of each cluster, -1 if it has no rows. The last is -1, so that ``ranks[labels]``
        keeps -1.
    """
    names, first = np.unique(labels, return_index=True)
    names, first = names[names >= 0], first[names >= 0]
    sizes = cluster_sizes(labels, count, counts)[names]
    ranks = np.full(count + 1, -1)
    ranks[names[np.lexsort((first, -sizes))]] = np.arange(names.size)
    return ranks
