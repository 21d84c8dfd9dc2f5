"""Fine communities as points: their centroids, and k-means of them from a given cut."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from bertopic_matryoshka.clustering._membership import one_hot
from bertopic_matryoshka.clustering._ordering import count_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray

ITERATIONS = 10
"""Maximum number of iterations of k-means; it mostly ends after three to six."""


def sums_and_sizes(
    labels: NDArray[np.int_], rows: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and count the rows of each cluster.

    Parameters
    ----------
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 is no cluster.
    rows : ndarray of shape (n, n_dims)

    Returns
    -------
    sums : ndarray of shape (n_clusters, n_dims), float64
    sizes : ndarray of shape (n_clusters,), float64
    """
    count = count_clusters(labels)
    member = one_hot(labels, count)
    sums = np.asarray(member.T @ rows, dtype=np.float64).reshape(count, rows.shape[1])
    return sums, np.asarray(member.sum(axis=0)).ravel()


def move_leaves(
    cut: NDArray[np.int_], leaves: NDArray[np.int_], rows: NDArray[np.floating]
) -> NDArray[np.int_]:
    """Run k-means on the centroids of the leaves, weighted by their rows, from a cut of a tree.

    A tree never takes back a merge. This does, for the leaves that are nearer to another cluster.

    Parameters
    ----------
    cut : ndarray of shape (n_leaves,), int
        Cluster of each leaf, from 0 without a gap.
    leaves : ndarray of shape (n,), int
        Leaf of each row; -1 is none.
    rows : ndarray of shape (n, n_dims)

    Returns
    -------
    cut : ndarray of shape (n_leaves,), int
        As it was given, if k-means would leave a cluster empty.
    """
    count = count_clusters(cut)
    if count in (1, cut.size):
        return cut
    sums, sizes = sums_and_sizes(leaves, rows)
    start, weights = sums_and_sizes(cut, sums)[0], np.bincount(cut, sizes)
    kmeans = KMeans(count, init=start / weights[:, None], n_init=1, max_iter=ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # leaves at one place
        moved = kmeans.fit_predict(sums / sizes[:, None], sample_weight=sizes)
    return moved if np.unique(moved).size == count else cut
