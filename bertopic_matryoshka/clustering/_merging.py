"""Fine communities -> clusters: merged by linkage, pruned and smoothed by label propagation."""

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
"""Exponent by which the linkage discounts size, see merge_clusters."""

ROUNDS = 4
"""Maximum number of rounds of label propagation."""

CORE = 0.5
"""Minimum share of a core row's neighbours in its own cluster."""

BLOCK_CELLS = 2**24
"""Maximum number of votes (rows times clusters) counted at a time."""

NO_EDGE = 1e-30
"""Weight between two clusters that no edge joins, below any other, so that they merge last."""


def merge_clusters(
    graph: csr_matrix, labels: NDArray[np.int_], n_clusters: int, min_lift: float = 0.0
) -> NDArray[np.int_]:
    """Merge the pair of clusters with the strongest linkage until `n_clusters` are left.

    The linkage of two clusters is the weight of the edges between them over
    ``(degree_a * degree_b) ** EXPONENT``. With an exponent of 1, as in modularity [1]_, small
    clusters merge first and sizes end most even; with 1/2, as in the normalised Laplacian, one
    cluster may take more than half of the rows. In between, a well-separated small cluster stays,
    and a large one may grow. Clusters that no edge joins merge last, the smallest first.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 is no cluster and stays, and its edges do not count.
    n_clusters : int
        Number of clusters at which merging ends.
    min_lift : float, default=0.0
        Merging ends earlier if the strongest pair has less than `min_lift` times the edge weight
        expected by chance for their degrees.

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
    """Propagate labels, then dissolve clusters without a core until all have one.

    A row is core if at least half of its neighbours are in its own cluster. A cluster with fewer
    than `min_core` core rows is a border between others: its rows go to the clusters of their
    neighbours.

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
        From 0 without a gap. A connected part of the graph left without a cluster becomes one, or
        -1 if it has fewer than `min_cluster_size` rows.
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
    graph : csr_matrix of shape (n, n), with weights of 1
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
