"""Rows and clusters -> an order that they decide themselves, not the order they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def row_order(rows: NDArray[np.floating]) -> NDArray[np.int_]:
    """Order rows by their values; only equal rows stand in the order they came in.

    Parameters
    ----------
    rows : ndarray of shape (n, n_dims)

    Returns
    -------
    order : ndarray of shape (n,), int
    """
    rows = np.ascontiguousarray(rows)
    # A few columns tell most rows apart. The others count as bytes: any order is as good.
    whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    return np.lexsort((whole, *rows[:, :4].T))


def count_clusters(labels: NDArray[np.int_]) -> int:
    """Count clusters that are numbered from 0 without a gap; -1 is none."""
    return int(labels.max(initial=-1)) + 1


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
        How often each row occurs; None is once.
    """
    inside = labels >= 0
    weights = None if counts is None else counts[inside]
    return np.bincount(labels[inside], weights, minlength=count).astype(np.int64)


def keep_clusters(labels: NDArray[np.int_], keep: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Keep some clusters, numbered from 0 in their order; the rows of others become -1.

    Parameters
    ----------
    labels : ndarray of shape (n,), int
        -1 is no cluster and stays.
    keep : ndarray of shape (n_clusters,), bool
    """
    names = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)  # the last is for -1
    kept: NDArray[np.int_] = names[labels]
    return kept


def ranks_by_size(
    labels: NDArray[np.int_], count: int, counts: NDArray[np.int_] | None = None
) -> NDArray[np.int_]:
    """Rank clusters by their size, largest first; equal ones by their first row.

    Parameters
    ----------
    labels, count, counts
        See cluster_sizes.

    Returns
    -------
    ranks : ndarray of shape (count + 1,), int
        New number of each cluster, -1 of one without rows. The last is -1, so that
        ``ranks[labels]`` keeps -1.
    """
    names, first = np.unique(labels, return_index=True)
    names, first = names[names >= 0], first[names >= 0]
    sizes = cluster_sizes(labels, count, counts)[names]
    ranks = np.full(count + 1, -1)
    ranks[names[np.lexsort((first, -sizes))]] = np.arange(names.size)
    return ranks
