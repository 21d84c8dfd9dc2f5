"""Clusters -> clusters with a core: smoothed by label propagation, those without one dissolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.csgraph import connected_components

from bertopic_matryoshka.clustering._membership import membership, one_hot
from bertopic_matryoshka.clustering._ordering import cluster_sizes, count_clusters, keep_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

ROUNDS = 4
"""Maximum number of rounds of label propagation."""

CORE = 0.5
"""Minimum share of a core row's neighbours in its own cluster."""


def prune_clusters(
    graph: csr_matrix,
    labels: NDArray[np.int_],
    min_cluster_size: int,
    min_core: int | None = None,
) -> NDArray[np.int_]:
    """Let the neighbours vote, and dissolve the clusters without a core, until all have one.

    A row is core where at least half of its neighbours are in its own cluster. A cluster with
    fewer than `min_core` core rows is a border between others rather than a cluster: its rows go
    to the clusters of their neighbours.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric, with weights of 1
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 is no cluster.
    min_cluster_size : int
        Minimum number of rows of a cluster.
    min_core : int or None, default=None
        Minimum number of core rows of a cluster; None is `min_cluster_size`.

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap, in the order of the clusters that are left. A connected part of the
        graph left without a cluster becomes the last, or -1 if it has fewer than `min_cluster_size`
        rows.
    """
    min_core = min_cluster_size if min_core is None else min_core
    labels = propagate_labels(graph, labels, np.ones(labels.size, dtype=bool), ROUNDS)
    while True:
        count = count_clusters(labels)
        core = np.where(membership(graph, labels) >= CORE, labels, -1)
        weak = cluster_sizes(core, count) < min_core
        weak |= cluster_sizes(labels, count) < min_cluster_size
        labels = assign_unlabelled(graph, keep_clusters(labels, ~weak))
        if not weak.any():
            break
    return add_lone_parts(graph, labels, min_cluster_size)


def add_lone_parts(
    graph: csr_matrix,
    labels: NDArray[np.int_],
    min_cluster_size: int,
    counts: NDArray[np.int_] | None = None,
) -> NDArray[np.int_]:
    """Make a cluster of each connected part that is large enough and has none.

    `counts` is the number of times that each row occurs; None is once.
    """
    if (labels >= 0).all():
        return labels
    n_parts, parts = connected_components(graph, directed=False)
    lone = cluster_sizes(parts, n_parts, counts) >= min_cluster_size
    lone[parts[labels >= 0]] = False
    names = int(labels.max(initial=-1)) + np.cumsum(lone)
    return np.where(lone[parts], names[parts], labels)


def assign_unlabelled(graph: csr_matrix, labels: NDArray[np.int_]) -> NDArray[np.int_]:
    """Assign each row of label -1 to the cluster of most of its neighbours, from borders inwards.

    Their labels are then propagated, see :func:`propagate_labels`. -1 stays where no path leads to
    a cluster.
    """
    movers = labels < 0
    if not movers.any():
        return labels
    while True:
        # Rows with a cluster do not move: if all could, they could swap endlessly.
        after = propagate_labels(graph, labels, labels < 0, 1)
        if (after == labels).all():
            return propagate_labels(graph, labels, movers, ROUNDS)
        labels = after


def propagate_labels(
    graph: csr_matrix, labels: NDArray[np.int_], may_move: NDArray[np.bool_], rounds: int
) -> NDArray[np.int_]:
    """Move rows to the cluster of most of their neighbours: label propagation [1]_.

    All rows are updated at once. In a tie a row keeps its cluster, or takes the lowest label if
    its own is not among the tied. Propagation ends early if no row moves.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric, with weights of 1
    labels : ndarray of shape (n,), int
        -1 does not vote; a row without a labelled neighbour keeps its label.
    may_move : ndarray of shape (n,), bool
        Mask of the rows that are updated.
    rounds : int
        Maximum number of rounds.

    Returns
    -------
    labels : ndarray of shape (n,), int

    References
    ----------
    .. [1] U. N. Raghavan, R. Albert, S. Kumara, "Near linear time algorithm to detect community
       structures in large-scale networks", Physical Review E 76, 2007.
    """
    count = count_clusters(labels)
    rows = np.flatnonzero(may_move)
    for _ in range(rounds if count else 0):
        # Only where most neighbours are elsewhere can another cluster have more votes.
        rows = rows[(labels[rows] < 0) | (membership(graph, labels, rows) < 0.5)]
        winners = _winners(graph[rows], labels, labels[rows], count)
        moving = winners != labels[rows]
        if not moving.any():
            break
        moved = rows[moving]
        labels = labels.copy()
        labels[moved] = winners[moving]
        # Votes change only beside a row that has moved.
        beside = np.zeros(labels.size, dtype=bool)
        beside[graph[moved].indices] = True
        rows = np.flatnonzero(beside & may_move)
    return labels


def _winners(
    graph: csr_matrix, labels: NDArray[np.int_], own: NDArray[np.int_], count: int
) -> NDArray[np.int_]:
    """Cluster with the most votes for each row; its `own` where that ties or none has a vote."""
    votes = (graph @ one_hot(labels, count)).tocsr()
    rows = np.repeat(np.arange(own.size), np.diff(votes.indptr))
    weights = votes.data + 0.5 * (votes.indices == own[rows])
    winners: NDArray[np.int_] = own.copy()
    voted = np.flatnonzero(np.diff(votes.indptr))
    if voted.size:
        starts = votes.indptr[voted]
        most = np.zeros(own.size)
        most[voted] = np.maximum.reduceat(weights, starts)
        first = np.where(weights == most[rows], votes.indices, count)
        winners[voted] = np.minimum.reduceat(first, starts)
    return winners
