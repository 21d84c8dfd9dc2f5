"""Fine communities -> clusters: the strongly joined are merged, those without a core dissolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPONENT = 0.65
"""How far the linkage discounts size, see merged."""

ROUNDS = 4
"""Rounds of votes that smooth the borders."""

CORE = 0.5
"""Share of a row's neighbours that make it a core row of its cluster."""

BLOCK_CELLS = 2**24
"""Votes that are counted at a time."""


def merged(graph: csr_matrix, labels: NDArray[np.int_], n_clusters: int) -> NDArray[np.int_]:
    """Merge the pair of clusters with the strongest linkage, until `n_clusters` are left.

    The linkage of two clusters is the weight of the edges between them over
    ``(degree_a * degree_b) ** EXPONENT``. With an exponent of 1, as in modularity [1]_, the small
    ones merge first and all end about equal in size; with 1/2, as in a normalised cut, one
    cluster takes all. Between them a small cluster that stands apart stays, and a large one may
    grow.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 is no cluster and stays.
    n_clusters : int

    Returns
    -------
    labels : ndarray of shape (n,), int, from 0 without a gap, and -1

    References
    ----------
    .. [1] T. Bonald, B. Charpentier, A. Galland, A. Hollocou, "Hierarchical graph clustering using
       node pair sampling", MLG 2018.
    """
    count = int(labels.max(initial=-1)) + 1
    if count <= n_clusters:
        return labels
    member = _one_hot(labels, count)
    between = (member.T @ graph @ member).toarray()  # (count, count)
    degrees = np.maximum(between.sum(axis=1), 1e-12)  # a cluster may have no edge at all
    names = np.arange(count)
    linkage = between / np.outer(degrees, degrees) ** EXPONENT
    np.fill_diagonal(linkage, -1)
    for _ in range(count - n_clusters):
        a, b = sorted(np.unravel_index(linkage.argmax(), linkage.shape))
        between[a] += between[b]
        between[:, a] += between[:, b]
        degrees[a] += degrees[b]
        names[names == b] = a
        gone = np.flatnonzero(linkage[b] == -1)  # b itself, and what was merged before
        linkage[a] = linkage[:, a] = between[a] / (degrees[a] * degrees) ** EXPONENT
        linkage[a, [a, *gone]] = linkage[[a, *gone], a] = -1
        linkage[b] = linkage[:, b] = -1
    merged_names = np.append(np.unique(names, return_inverse=True)[1], -1)
    return merged_names[labels]


def settled(graph: csr_matrix, labels: NDArray[np.int_], min_cluster_size: int) -> NDArray[np.int_]:
    """Let the neighbours vote, and dissolve the clusters without a core, until all have one.

    A row is core where at least half of its neighbours are in its own cluster. A cluster with
    fewer than `min_cluster_size` core rows is a border between others rather than a cluster: its
    rows go to the clusters of their neighbours.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 is no cluster.
    min_cluster_size : int

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 where no path leads to a cluster.
    """
    labels = voted(graph, labels, np.ones(labels.size, dtype=bool), ROUNDS)
    while True:
        count = int(labels.max(initial=-1)) + 1
        core = labels[membership(graph, labels) >= CORE]
        weak = np.bincount(core[core >= 0], minlength=count) < min_cluster_size
        names = np.append(np.where(weak, -1, np.cumsum(~weak) - 1), -1)
        labels = names[labels]
        labels = voted(graph, labels, labels < 0, labels.size)
        if not weak.any():
            return labels


def voted(
    graph: csr_matrix, labels: NDArray[np.int_], may_move: NDArray[np.bool_], rounds: int
) -> NDArray[np.int_]:
    """Move rows to the cluster of most of their neighbours: label propagation [1]_.

    All rows vote at once. A tie leaves a row where it is, or takes the first cluster where it was
    in none. It ends early where no row moves.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
    labels : ndarray of shape (n,), int
        -1 has no vote; a row without a labelled neighbour stays as it is.
    may_move : ndarray of shape (n,), bool
    rounds : int

    Returns
    -------
    labels : ndarray of shape (n,), int

    References
    ----------
    .. [1] U. N. Raghavan, R. Albert, S. Kumara, "Near linear time algorithm to detect community
       structures in large-scale networks", Physical Review E 76, 2007.
    """
    count = int(labels.max(initial=-1)) + 1
    movers = np.flatnonzero(may_move)
    size = max(1, BLOCK_CELLS // max(count, 1))
    for _ in range(rounds):
        member = _one_hot(labels, count)
        moved = labels.copy()
        for start in range(0, movers.size if count else 0, size):
            rows = movers[start : start + size]
            votes = (graph[rows] @ member).toarray()  # (rows, count)
            own = labels[rows]
            labelled = np.flatnonzero(own >= 0)
            votes[labelled, own[labelled]] += 0.5
            moved[rows] = np.where(votes.any(axis=1), votes.argmax(axis=1), own)
        if (moved == labels).all():
            break
        labels = moved
    return labels


def membership(graph: csr_matrix, labels: NDArray[np.int_]) -> NDArray[np.float64]:
    """Share of each row's neighbours that are in its own cluster, in [0, 1]; 0 for -1."""
    degrees = np.diff(graph.indptr)
    rows = np.repeat(np.arange(graph.shape[0]), degrees)
    inside = np.bincount(rows, labels[graph.indices] == labels[rows], graph.shape[0])
    share: NDArray[np.float64] = np.where(labels < 0, 0.0, inside / np.maximum(degrees, 1))
    return share


def _one_hot(labels: NDArray[np.int_], count: int) -> csr_matrix:
    rows = np.flatnonzero(labels >= 0)
    return csr_matrix((np.ones(rows.size), (rows, labels[rows])), shape=(labels.size, count))
