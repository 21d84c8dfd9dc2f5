"""New rows beside rows of known clusters -> clusters of the new rows, old ones or new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.stats import binom

from bertopic_matryoshka.clustering._membership import membership
from bertopic_matryoshka.clustering._ordering import (
    cluster_sizes,
    count_clusters,
    keep_clusters,
    ranks_by_size,
)
from bertopic_matryoshka.clustering._smoothing import (
    CORE,
    ROUNDS,
    assign_unlabelled,
    propagate_labels,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bertopic_matryoshka.clustering._division import FineDivision
    from bertopic_matryoshka.clustering._merge_tree import MergeTree

FEW = 0.5
"""Largest share of rows of known cluster in a new one, as a multiple of their share around it."""

CONTINUED = 0.5
"""Share of a known cluster's rows from which a part of the tree is that cluster, grown."""

CHANCE = 1e-4
"""Largest probability of so few rows of known cluster, if they were spread at random."""


def join_or_found(
    graph: csr_matrix,
    division: FineDivision,
    known: NDArray[np.int_],
    n_known: int,
    min_cluster_size: int,
) -> tuple[NDArray[np.int_], NDArray[np.bool_]]:
    """Give new rows the clusters of their neighbours, or new clusters where hardly any is known.

    A part of the tree is new if known rows are much less frequent in it than above it: in the
    smallest part around it that has at least half of the rows of a known cluster, and is therefore
    that cluster, grown, or several. Each largest such part is divided as finely as the known
    clusters are, and becomes one cluster or several. The other rows get the cluster of most of
    their neighbours. They wait if hardly any of their neighbours is known either, or if they would
    be a new cluster with too few core rows.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric, with weights of 1
    division : FineDivision
        Of all rows.
    known : ndarray of shape (n,), int
        Cluster of each row; -1 for new rows and those that wait. Known ones stay.
    n_known : int
        Number of known clusters, some of which may have no row.
    min_cluster_size : int
        Minimum number of core rows of a new cluster, see prune_clusters.

    Returns
    -------
    labels : ndarray of shape (n,), int
        New clusters have the numbers above those known, the largest first.
    waits : ndarray of shape (n,), bool
    """
    is_known = known >= 0
    base = np.asarray(is_known.mean())
    part = _new_parts(division, known, base)
    labels = np.where((part >= 0) & ~is_known, n_known + part, known)
    labels = _voted(graph, labels, ~is_known)
    core = np.where(membership(graph, labels) >= CORE, labels, -1)
    count = max(n_known, count_clusters(labels))
    keep = cluster_sizes(core, count) >= min_cluster_size
    keep[:n_known] = True
    waits = (labels >= 0) & ~keep[labels]
    labels = _voted(graph, keep_clusters(labels, keep), waits)
    waits |= ~is_known & (labels < n_known) & _is_new(*_neighbors_known(graph, is_known), base)
    new = np.where(labels >= n_known, labels - n_known, -1)
    ranks = ranks_by_size(new, count_clusters(new))
    return np.where(new >= 0, n_known + ranks[new], labels), waits


def _is_new(
    n_known: NDArray[np.int_], n_rows: NDArray[np.int_], base: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Mark groups with far fewer rows of known cluster than a share of `base`."""
    unlikely = binom.cdf(n_known, n_rows, base) <= CHANCE
    found: NDArray[np.bool_] = unlikely & (n_known <= FEW * base * n_rows)
    return found


def _neighbors_known(
    graph: csr_matrix, is_known: NDArray[np.bool_]
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Count each row's neighbours of known cluster, and all of them."""
    return (graph @ is_known.astype(np.float64)).astype(np.int64), np.diff(graph.indptr)


def _new_parts(
    division: FineDivision, known: NDArray[np.int_], base: NDArray[np.float64]
) -> NDArray[np.int_]:
    """Find the parts of the tree that are new, and number them.

    Returns
    -------
    part : ndarray of shape (n,), int
        From 0 without a gap; -1 for rows in others.
    """
    tree, leaves = division.tree, division.leaves
    top = _largest_new(tree, leaves, known, base)
    if (top < 0).all():
        return np.full(leaves.size, -1)
    cut = _cut_as_finely(tree, top >= 0, np.unique(known[known >= 0]).size)
    # A cluster of the cut may be larger than the part that is new.
    names = np.unique(np.stack([top, cut]), axis=1, return_inverse=True)[1]
    named = np.where(top >= 0, names, -1)
    part = np.unique(named, return_inverse=True)[1] - (named < 0).any()
    return np.append(part, -1)[leaves]


def _largest_new(
    tree: MergeTree, leaves: NDArray[np.int_], known: NDArray[np.int_], base: NDArray[np.float64]
) -> NDArray[np.int_]:
    """Find the largest new part that each leaf is in, as a node of the tree; -1 for none."""
    names, of_row = np.unique(np.append(known, -1), return_inverse=True)  # -1 is the first
    inside = np.flatnonzero(leaves >= 0)
    ends = leaves[inside], of_row[inside]
    counts = csr_matrix((np.ones(inside.size), ends), (tree.n_leaves, names.size)).toarray()
    n_nodes = tree.n_leaves + len(tree.children)
    rows = np.concatenate([counts, np.empty((len(tree.children), names.size))])
    for i, (a, b) in enumerate(tree.children):
        rows[tree.n_leaves + i] = rows[a] + rows[b]
    n_known, n_rows = rows[:, 1:].sum(axis=1), rows.sum(axis=1)
    goes_on = (rows[:, 1:] >= CONTINUED * np.maximum(counts[:, 1:].sum(axis=0), 1)).any(axis=1)
    usual = np.full(n_nodes, float(base))  # share of known rows in the next part above that goes on
    for i in range(len(tree.children) - 1, -1, -1):
        node = tree.n_leaves + i
        usual[tree.children[i]] = n_known[node] / n_rows[node] if goes_on[node] else usual[node]
    top = np.where(_is_new(n_known, n_rows, usual) & ~goes_on, np.arange(n_nodes), -1)
    for i in range(len(tree.children) - 1, -1, -1):
        above = top[tree.n_leaves + i]
        if above >= 0:
            top[tree.children[i]] = above
    return top[: tree.n_leaves]


def _cut_as_finely(tree: MergeTree, is_new: NDArray[np.bool_], n_clusters: int) -> NDArray[np.int_]:
    """Cut the tree so that there are `n_clusters` without the new leaves, if there are as many."""
    low, high = min(n_clusters, tree.n_leaves), tree.n_leaves
    while low < high:
        middle = (low + high) // 2
        if np.unique(tree.cut(middle)[~is_new]).size >= n_clusters:
            high = middle
        else:
            low = middle + 1
    return tree.cut(low)


def _voted(
    graph: csr_matrix, labels: NDArray[np.int_], may_move: NDArray[np.bool_]
) -> NDArray[np.int_]:
    """Give rows of label -1 the cluster of most of their neighbours; only some rows may move."""
    labels = assign_unlabelled(graph, labels)
    return propagate_labels(graph, labels, may_move, ROUNDS)
