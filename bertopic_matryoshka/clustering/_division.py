"""A neighbour graph -> communities finer than clusters are to be, and the tree of their merges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from bertopic_matryoshka.clustering._communities import communities
from bertopic_matryoshka.clustering._membership import edges_between
from bertopic_matryoshka.clustering._merge_tree import N_TOP, MergeTree, merge_tree
from bertopic_matryoshka.clustering._number import modularity_terms, most_modular
from bertopic_matryoshka.clustering._ordering import cluster_sizes, count_clusters, keep_clusters
from bertopic_matryoshka.clustering._smoothing import add_lone_parts, assign_unlabelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

LEAF_SIZES = 4.5
"""Mean number of rows of a leaf that is aimed at, in multiples of `min_cluster_size`."""

MOST_LEAVES = 4000
"""Number of leaves that is aimed at, at most, unless more clusters are needed."""

STEP = 1.25
"""Factor from a number of leaves that is too small to the next one that is tried."""

FINEST = 2.0
"""Largest number of communities that is aimed at, in multiples of those that the rows can make.

Of twice as many, the most are left once small ones are joined; of more, fewer are."""

COMMUNITIES = 11.0
"""Number of communities that Leiden finds at a resolution of 1, about, and in proportion above."""

HALVINGS = 12
"""Maximum number of times a resolution is halved if most rows are in too small communities."""


@dataclass(frozen=True)
class FineDivision:
    """Communities finer than clusters are to be, and the tree of their merges.

    Attributes
    ----------
    graph : csr_matrix of shape (n, n)
    leaves : ndarray of shape (n,), int
        Community of each row, from 0 without a gap, each of at least `min_cluster_size` rows; -1
        in connected parts of the graph with fewer.
    tree : MergeTree
    """

    graph: csr_matrix
    leaves: NDArray[np.int_]
    tree: MergeTree

    @cached_property
    def _modularity(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return modularity_terms(self.tree, self.graph, self.leaves)

    def most_modular(self, resolution: float) -> int:
        """Find the number of clusters with the largest modularity, see most_modular."""
        return most_modular(*self._modularity, resolution)


@dataclass(frozen=True)
class Divider:
    """A graph and its rows, to be divided as finely as a number of clusters needs.

    Attributes
    ----------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights of 1.
    rows : ndarray of shape (n, n_dims)
        Unit rows, for the centroids of the leaves.
    min_cluster_size : int
        Minimum number of rows of a leaf.
    seed : int
    flavor : {"graspologic", "cugraph"}, default="graspologic"
        Implementation of Leiden, see communities.
    by_centroids : bool, default=True
        If False, only the graph decides what merges, except where no edge joins two clusters.
    is_close : ndarray of shape (graph.nnz,), bool, or None, default=None
        Edges of which communities are made if there are more rows than MOST_LEAVES need: Leiden
        then takes about half the time and memory. None is all. See docs/measurements/time.md.
    """

    graph: csr_matrix
    rows: NDArray[np.floating]
    min_cluster_size: int
    seed: int
    flavor: str = "graspologic"
    by_centroids: bool = True
    is_close: NDArray[np.bool_] | None = None

    def divide(self, finer: float = 1.0) -> FineDivision:
        """Divide the graph into leaves of some LEAF_SIZES times `min_cluster_size` rows.

        With `finer`, that many times as many leaves are aimed at. If they would be smaller than
        `min_cluster_size`, small ones are joined.
        """
        graph, size, aim = self.graph, self.min_cluster_size, finer * self._aim()
        resolution = max(aim / COMMUNITIES, 1.0)
        close = self._close_graph()
        if aim * size < graph.shape[0]:
            found = _large_communities(close, resolution, size, self.seed, self.flavor)
        else:  # most would be too small
            found = communities(close, resolution, self.seed, self.flavor)
            found = _join_small(graph, found, size)
        leaves = add_lone_parts(graph, assign_unlabelled(graph, found), size)
        tree = merge_tree(graph, leaves, self.rows, N_TOP if self.by_centroids else 1)
        return FineDivision(graph, leaves, tree)

    def finer_divisions(self, n_leaves: int) -> Iterator[FineDivision]:
        """Divide the graph more and more finely, from about `n_leaves` leaves on."""
        if self.graph.shape[0]:
            aim = self._aim()
            finest = FINEST * self.graph.shape[0] / (self.min_cluster_size * aim)
            finer = max(1.0, n_leaves / aim)
            while finer < finest:
                finer = min(finer * STEP, finest)
                yield self.divide(finer)

    def _aim(self) -> float:
        return float(min(self.graph.shape[0] / (LEAF_SIZES * self.min_cluster_size), MOST_LEAVES))

    def _close_graph(self) -> csr_matrix:
        """Give the graph of which communities are made."""
        graph = self.graph
        if self.is_close is None or self._aim() < MOST_LEAVES:
            return graph
        weights = self.is_close.astype(graph.dtype)
        close = csr_matrix((weights, graph.indices.copy(), graph.indptr.copy()), graph.shape)
        close.eliminate_zeros()
        return close


def _large_communities(
    graph: csr_matrix,
    resolution: float,
    min_cluster_size: int,
    seed: int,
    flavor: str,
) -> NDArray[np.int_]:
    """Find communities and keep those of sufficient size; the rows of others become -1.

    The resolution is halved until half of the rows that can be in such communities are.
    """
    for _ in range(HALVINGS):
        found = communities(graph, resolution, seed, flavor)
        sizes = cluster_sizes(found, count_clusters(found))
        large = sizes >= min_cluster_size
        n_twice = 2 * sizes[large].sum()
        if n_twice >= found.size or n_twice >= _within_reach(graph, min_cluster_size):
            break
        resolution /= 2
    return keep_clusters(found, large)


def _within_reach(graph: csr_matrix, min_cluster_size: int) -> int:
    """Count the rows that can be in communities of sufficient size."""
    n_parts, part_of = connected_components(graph, directed=False)
    parts = cluster_sizes(part_of, n_parts)
    return int(parts[parts >= min_cluster_size].sum())


def _join_small(
    graph: csr_matrix,
    labels: NDArray[np.int_],
    min_cluster_size: int,
) -> NDArray[np.int_]:
    """Join communities that are too small with such ones beside them; those left become -1.

    In rounds, each with the one that it has most edges with for their sizes, that is left.
    """
    while True:
        count = count_clusters(labels)
        sizes = cluster_sizes(labels, count)
        small = sizes < min_cluster_size
        edges = edges_between(graph, labels).tocoo()
        pairs = (edges.row < edges.col) & small[edges.row] & small[edges.col]
        row, column = edges.row[pairs], edges.col[pairs]
        order = np.lexsort((column, row, -edges.data[pairs] / (sizes[row] * sizes[column])))
        names, free = np.arange(count), small.copy()
        for a, b in zip(row[order].tolist(), column[order].tolist(), strict=True):
            if free[a] and free[b]:
                names[b] = a
                free[a] = free[b] = False
        if not pairs.any():
            return keep_clusters(labels, ~small)
        labels = np.unique(names, return_inverse=True)[1][labels]
