"""A tree of merges -> the number of clusters with the largest modularity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import cophenet

from bertopic_matryoshka.clustering._membership import edges_between

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from bertopic_matryoshka.clustering._merge_tree import MergeTree


def modularity_terms(
    tree: MergeTree, graph: csr_matrix, leaves: NDArray[np.int_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the two terms of modularity [1]_ at every number of clusters.

    Parameters
    ----------
    tree : MergeTree
    graph : csr_matrix of shape (n, n), symmetric
    leaves : ndarray of shape (n,), int
        Leaf of each row; -1 is none, and its edges do not count.

    Returns
    -------
    inside : ndarray of shape (n_leaves,), float64, in [0, 1]
        Share of the edge weight that is within clusters, at 1, 2, ..., n_leaves clusters.
    by_chance : ndarray of shape (n_leaves,), float64, in (0, 1]
        That share in a random graph with the same degrees.

    References
    ----------
    .. [1] M. E. J. Newman, M. Girvan, "Finding and evaluating community structure in networks",
       Physical Review E 69, 2004.
    """
    n = tree.n_leaves
    if n == 0:
        return np.empty(0), np.empty(0)
    between = edges_between(graph, leaves).tocoo()
    total = max(float(between.sum()), np.finfo(float).tiny)
    degrees = np.asarray(between.sum(axis=1)).ravel() / total
    pairs = between.row < between.col
    row, column = between.row[pairs].astype(np.int64), between.col[pairs]
    inside, by_chance = np.zeros(n), np.zeros(n)
    if n > 1:
        # The merge at which two leaves meet: their cophenetic distance, where heights are 1, 2, ...
        degree, size = np.append(degrees, np.zeros(n - 1)), np.append(np.ones(n), np.zeros(n - 1))
        for i, (a, b) in enumerate(tree.children):
            degree[n + i], size[n + i] = degree[a] + degree[b], size[a] + size[b]
            by_chance[i + 1] = 2 * degree[a] * degree[b]
        heights = cophenet(np.column_stack([tree.children, np.arange(1.0, n), size[n:]]))
        met = heights[n * row + column - (row + 2) * (row + 1) // 2].astype(np.int64)
        inside += np.bincount(met, 2 * between.data[pairs] / total, minlength=n)
    inside[0] += between.diagonal().sum() / total
    by_chance[0] += (degrees**2).sum()
    return np.cumsum(inside)[::-1], np.cumsum(by_chance)[::-1]


def most_modular(
    inside: NDArray[np.float64], by_chance: NDArray[np.float64], resolution: float
) -> int:
    """Find the number of clusters whose cut has the largest modularity at a resolution [1]_.

    Parameters
    ----------
    inside, by_chance : ndarray of shape (n_leaves,), float64
        See modularity_terms.
    resolution : float
        Weight of what chance gives, > 0; a larger value gives more clusters.

    Returns
    -------
    n_clusters : int
        In [1, n_leaves], the smallest of equally good ones; 0 without a leaf.

    References
    ----------
    .. [1] J. Reichardt, S. Bornholdt, "Statistical mechanics of community detection", Physical
       Review E 74, 2006.
    """
    if inside.size == 0:
        return 0
    return int(np.argmax(inside - resolution * by_chance)) + 1
