"""Clusters -> a share of outliers: the least typical rows, in the least typical regions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka.clustering._membership import SMALLEST_WEIGHT, membership, one_hot
from bertopic_matryoshka.clustering._ordering import count_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

WEIGHT = 2.0
"""Weight of the neighbourhood's membership beside the nearness to the centroid."""

ROUNDS = 5
"""Number of times that the membership is averaged over each row's neighbours."""


@dataclass(frozen=True)
class Typicality:
    """How typical of their clusters the rows of a fit are, and new rows beside them.

    A row's score is WEIGHT times the rank of its neighbourhood's membership, plus the rank of its
    cosine with its cluster's centroid; ranks are in [0, 1] among the rows of the fit. The
    neighbourhood's membership is the share of a row's neighbours in its own cluster (see
    membership), averaged over the row's neighbours ROUNDS times: rows side by side have about the
    same, so that outliers are regions between clusters and not single rows at every border.

    Attributes
    ----------
    averaged : ndarray of shape (n,), float64, in [0, 1]
        Membership averaged one time less.
    memberships, cosines : ndarray of shape (n,), float64
        Neighbourhood's membership and cosine of all rows, ascending.
    centroids : ndarray of shape (n_clusters, n_dims), float64
        Of unit length.
    """

    averaged: NDArray[np.float64]
    memberships: NDArray[np.float64]
    cosines: NDArray[np.float64]
    centroids: NDArray[np.float64]

    def score(
        self, memberships: NDArray[np.float64], cosines: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Score rows by their neighbourhood's membership and their cosine, in [0, 1 + WEIGHT]."""
        return WEIGHT * _rank(memberships, self.memberships) + _rank(cosines, self.cosines)

    def score_new(
        self,
        rows: NDArray[np.floating],
        labels: NDArray[np.int_],
        neighbors: NDArray[np.int_],
        similarities: NDArray[np.floating],
    ) -> NDArray[np.float64]:
        """Score new unit rows in clusters by their neighbours among the rows of the fit."""
        weights = np.maximum(similarities.astype(np.float64), SMALLEST_WEIGHT)
        memberships = (weights * self.averaged[neighbors]).sum(axis=1) / weights.sum(axis=1)
        return self.score(memberships, cosines_with(rows, labels, self.centroids))

    def renumbered(self, ranks: NDArray[np.int_], n_clusters: int) -> Typicality:
        """Give the clusters new numbers; those of rank -1 are left out."""
        centroids = np.empty((n_clusters, self.centroids.shape[1]))
        centroids[ranks[ranks >= 0]] = self.centroids[ranks >= 0]
        return replace(self, centroids=centroids)


def typicality(
    graph: csr_matrix,
    labels: NDArray[np.int_],
    rows: NDArray[np.floating],
    rounds: int = ROUNDS,
) -> tuple[Typicality, NDArray[np.float64]]:
    """Score rows in clusters by how typical they are.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric, with weights of 1
    labels : ndarray of shape (n,), int
        -1 is no cluster.
    rows : ndarray of shape (n, n_dims)
        Of unit length.
    rounds : int, default=5
        Number of times that the membership is averaged, >= 1.

    Returns
    -------
    typicality : Typicality
    score : ndarray of shape (n,), float64, in [0, 1 + WEIGHT]
    """
    sums: Any = one_hot(labels, count_clusters(labels)).T @ rows
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    centroids = np.asarray(sums, dtype=np.float64) / np.where(lengths > 0, lengths, 1.0)
    averaged = membership(graph, labels)
    for _ in range(rounds - 1):
        averaged = _averaged(graph, averaged)
    memberships = _averaged(graph, averaged)
    cosines = cosines_with(rows, labels, centroids)
    found = Typicality(averaged, np.sort(memberships), np.sort(cosines), centroids)
    return found, found.score(memberships, cosines)


def cosines_with(
    rows: NDArray[np.floating], labels: NDArray[np.int_], centroids: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cosine of each row of unit length with its cluster's centroid; -1 without a cluster."""
    cosines = np.full(labels.size, -1.0)
    inside = np.flatnonzero(labels >= 0)
    # A cluster at a time, so that no second array as large as the rows is made.
    for label in np.unique(labels[inside]):
        members = inside[labels[inside] == label]
        cosines[members] = rows[members] @ centroids[label]
    return cosines


def least_typical(
    score: NDArray[np.float64],
    labels: NDArray[np.int_],
    counts: NDArray[np.int_],
    n_outliers: int,
    min_cluster_size: int,
) -> NDArray[np.int_]:
    """Choose rows that become outliers, those of the lowest scores first.

    Each cluster keeps its `min_cluster_size` best rows, or as many as there is room for. A row with
    more copies than are still to be chosen is passed over. Of equal scores the first row goes.

    Parameters
    ----------
    score : ndarray of shape (n,), float64
    labels : ndarray of shape (n,), int
        Rows of label -1 are none of those chosen.
    counts : ndarray of shape (n,), int
        Number of times that each row occurs.
    n_outliers : int
        How many to choose, copies counted.
    min_cluster_size : int

    Returns
    -------
    outliers : ndarray of shape (m,), int
        Ascending.
    """
    inside = np.flatnonzero(labels >= 0)
    best_first = inside[np.lexsort((inside, -score[inside], labels[inside]))]
    n_members = np.bincount(labels[inside])
    place = np.arange(inside.size) - np.repeat(np.cumsum(n_members) - n_members, n_members)
    n_kept = int(counts[inside].sum()) - n_outliers
    room = min(min_cluster_size, n_kept // max(1, int(np.count_nonzero(n_members))))
    kept = np.zeros(labels.size, dtype=bool)
    kept[best_first[place < room]] = True
    order = inside[np.lexsort((inside, score[inside], kept[inside]))]
    whole = int(np.searchsorted(np.cumsum(counts[order]), n_outliers, side="right"))
    left = n_outliers - int(counts[order[:whole]].sum())
    chosen = order[:whole].tolist()
    for row in order[whole:].tolist():
        if left == 0:
            break
        if counts[row] <= left:
            chosen.append(row)
            left -= int(counts[row])
    return np.sort(np.array(chosen, dtype=np.int64))


def _averaged(graph: csr_matrix, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over each row's neighbours; a row without any has 0."""
    degrees = np.maximum(np.diff(graph.indptr), 1)
    averaged: NDArray[np.float64] = (graph @ values) / degrees
    return averaged


def _rank(values: NDArray[np.float64], among: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of sorted values that are lower, those equal counted half."""
    lower = np.searchsorted(among, values, side="left")
    upper = np.searchsorted(among, values, side="right")
    return (lower + upper) / (2.0 * max(1, among.size))
