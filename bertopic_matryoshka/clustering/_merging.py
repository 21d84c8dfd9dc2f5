"""Fine communities -> clusters: the strongly joined are merged, those without a core dissolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.csgraph import connected_components

from bertopic_matryoshka.clustering._membership import membership, one_hot
from bertopic_matryoshka.clustering._ordering import cluster_sizes, count_clusters, keep_clusters

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

EXPONENT = 0.8
"""How far the linkage discounts size, see merge_clusters."""

ROUNDS = 4
"""Rounds of votes that smooth the borders."""

CORE = 0.5
"""Share of a row's neighbours that make it a core row of its cluster."""

BLOCK_CELLS = 2**24
"""Votes that are counted at a time."""

NO_EDGE = 1e-30
"""Edges between two clusters that no edge joins: less than any weight, so that they merge last."""


def merge_clusters(
    graph: csr_matrix, labels: NDArray[np.int_], n_clusters: int, min_lift: float = 0.0
) -> NDArray[np.int_]:
    """Merge the pair of clusters with the strongest linkage, until `n_clusters` are left.

    The linkage of two clusters is the weight of the edges between them over
    ``(degree_a * degree_b) ** EXPONENT``. With an exponent of 1, as in modularity [1]_, the small
    ones merge first and sizes end most even; with 1/2, as in the normalised Laplacian, one cluster
    may take more than half. Between them a small cluster that stands apart stays, and a large one
    may grow. Clusters that no edge joins merge last, the smallest first.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 is no cluster and stays, and its edges do not count.
    n_clusters : int
    min_lift : float, default=0.0
        Merging ends earlier where the strongest pair has fewer edges than `min_lift` times those
        that chance would give clusters of their degrees.

    Returns
    -------
    labels : ndarray of shape (n,), int, from 0 without a gap, and -1

    References
    ----------
    .. [1] T. Bonald, B. Charpentier, A. Galland, A. Hollocou, "Hierarchical graph clustering using
       node pair sampling", MLG 2018.
    """
    count = count_clusters(labels)
    if count <= n_clusters:
        return labels
    member = one_hot(labels, count)
    between = (member.T @ graph @ member).toarray()  # (count, count)
    degrees = between.sum(axis=1)
    total = degrees.sum()
    names = np.arange(count)
    products = np.maximum(np.outer(degrees, degrees), 1)  # a cluster may have no edge at all
    linkage = np.maximum(between, NO_EDGE) / products**EXPONENT
    np.fill_diagonal(linkage, -1)
    for _ in range(count - n_clusters):
        a, b = sorted(np.unravel_index(linkage.argmax(), linkage.shape))
        if between[a, b] * total < min_lift * max(degrees[a] * degrees[b], 1):
            break
        between[a] += between[b]
        between[:, a] += between[:, b]
        degrees[a] += degrees[b]
        names[names == b] = a
        gone = np.flatnonzero(linkage[b] == -1)  # b itself, and what was merged before
        products = np.maximum(degrees[a] * degrees, 1)
        linkage[a] = np.maximum(between[a], NO_EDGE) / products**EXPONENT
        linkage[a, [a, *gone]] = -1
        linkage[:, a] = linkage[a]
        linkage[b] = linkage[:, b] = -1
    merged_names = np.append(np.unique(names, return_inverse=True)[1], -1)
    return merged_names[labels]


def prune_clusters(
    graph: csr_matrix, labels: NDArray[np.int_], min_cluster_size: int, min_core: int | None = None
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
        Rows that a cluster has at least.
    min_core : int or None, default=None
        Core rows that a cluster has at least; None is `min_cluster_size`.

    Returns
    -------
    labels : ndarray of shape (n,), int
        From 0 without a gap. A part of the graph that is left without a cluster is one, or -1
        where it has fewer than `min_cluster_size` rows.
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
    """Make each connected part of the graph that is large enough and has no cluster one.

    `counts` is how often each row occurs; None is once.
    """
    if (labels >= 0).all():
        return labels
    n_parts, parts = connected_components(graph, directed=False)
    lone = cluster_sizes(parts, n_parts, counts) >= min_cluster_size
    lone[parts[labels >= 0]] = False
    names = int(labels.max(initial=-1)) + np.cumsum(lone)
    return np.where(lone[parts], names[parts], labels)


def assign_unlabelled(graph: csr_matrix, labels: NDArray[np.int_]) -> NDArray[np.int_]:
    """Give each row of -1 the cluster of most of its neighbours, from the borders inwards.

    Their labels are then propagated, see :func:`propagate_labels`. -1 is left where no path leads
    to a cluster.
    """
    movers = labels < 0
    while True:
        # A row that has a cluster waits: where all could move, they could swap without an end.
        after = propagate_labels(graph, labels, labels < 0, 1)
        if (after == labels).all():
            return propagate_labels(graph, labels, movers, ROUNDS)
        labels = after


def propagate_labels(
    graph: csr_matrix, labels: NDArray[np.int_], may_move: NDArray[np.bool_], rounds: int
) -> NDArray[np.int_]:
    """Move rows to the cluster of most of their neighbours: label propagation [1]_.

    All rows vote at once. A tie leaves a row where it is, or takes the first cluster where it was
    in none. It ends early where no row moves.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), with weights of 1
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
    count = count_clusters(labels)
    movers = np.flatnonzero(may_move)
    size = max(1, BLOCK_CELLS // max(count, 1))
    for _ in range(rounds):
        member = one_hot(labels, count)
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
