"""Fine communities -> a tree of merges: the graph's linkage below, Ward's criterion at the top."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bertopic_matryoshka.clustering._centroids import sums_and_sizes
from bertopic_matryoshka.clustering._membership import edges_between
from bertopic_matryoshka.clustering._ordering import count_clusters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

EXPONENT = 0.75
"""Exponent by which the graph's linkage discounts size, see graph_merges."""

N_TOP = 15
"""Clusters from which Ward's criterion goes on: the graph's linkage joins large ones badly."""


class Merge(NamedTuple):
    """Two clusters that become one, which is called `a` from then on."""

    a: int
    b: int
    linkage: float
    """How strongly they are joined; a larger value merges first."""


def graph_merges(graph: csr_matrix, labels: NDArray[np.int_]) -> Iterator[Merge]:
    """Merge the pair of clusters with the strongest linkage until no edge joins two.

    The linkage of two clusters is the weight of the edges between them over
    ``(degree_a * degree_b) ** EXPONENT``. With an exponent of 1, as in modularity [1]_, small
    clusters merge first and sizes end most even; with 1/2, as in the normalised Laplacian, one
    cluster may take more than half of the rows. In between, a well-separated small cluster stays,
    and a large one may grow. Of equal pairs the first merges. Each cluster keeps its strongest pair
    in a heap, so that m clusters with a few neighbours each take about m log m steps.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric
    labels : ndarray of shape (n,), int
        From 0 without a gap; -1 is no cluster, and its edges do not count.

    Yields
    ------
    merge : Merge
        With ``a < b``, both names of clusters in `labels`.

    References
    ----------
    .. [1] T. Bonald, B. Charpentier, A. Galland, A. Hollocou, "Hierarchical graph clustering using
       node pair sampling", MLG 2018.
    """
    count = count_clusters(labels)
    between = edges_between(graph, labels)
    degrees = np.asarray(between.sum(axis=1)).ravel()
    joined = [  # the clusters, by their first names, that each has edges with, and their weights
        (between.indices[cells], between.data[cells])
        for cells in map(slice, between.indptr[:-1], between.indptr[1:])
    ]
    name_of = np.arange(count)
    version = [0] * count  # of a cluster, one more at each merge
    heap: list[tuple[float, int, int, int, int, int]] = []

    def push_strongest(name: int) -> None:
        names, weights = joined[name]
        others, place = np.unique(name_of[names], return_inverse=True)
        weights = np.bincount(place, weights, minlength=others.size)
        apart = (others != name) & (weights > 0)
        joined[name] = others, weights = others[apart], weights[apart]
        if others.size:
            linkage = weights / np.maximum(degrees[name] * degrees[others], 1) ** EXPONENT
            strongest = int(linkage.argmax())  # the first of equal ones
            a, b = sorted((name, int(others[strongest])))
            key = -float(linkage[strongest])
            heapq.heappush(heap, (key, a, b, name, version[a], version[b]))

    for name in range(count):
        push_strongest(name)
    while heap:
        negative, a, b, name, version_a, version_b = heapq.heappop(heap)
        if (version[a], version[b]) != (version_a, version_b):
            # Outdated, but no pair of the cluster's that is not in the heap itself was stronger.
            if name_of[name] == name:
                push_strongest(name)
            continue
        yield Merge(a, b, -negative)
        degrees[a] += degrees[b]
        (names_a, weights_a), (names_b, weights_b) = joined[a], joined[b]
        joined[a] = np.concatenate([names_a, names_b]), np.concatenate([weights_a, weights_b])
        joined[b] = names_b[:0], weights_b[:0]
        name_of[name_of == b] = a
        version[a], version[b] = version[a] + 1, -1
        push_strongest(a)


def ward_merges(sums: NDArray[np.float64], sizes: NDArray[np.float64]) -> Iterator[Merge]:
    """Merge the pair whose union adds least to the squared distances from the centroids [1]_.

    Parameters
    ----------
    sums : ndarray of shape (m, n_dims), float64
        Sum of the rows of each cluster.
    sizes : ndarray of shape (m,), float64
        Rows of each cluster, >= 1.

    Yields
    ------
    merge : Merge
        With ``a < b``. Its linkage is what the union adds, negated.

    References
    ----------
    .. [1] J. H. Ward, "Hierarchical grouping to optimize an objective function", Journal of the
       American Statistical Association 58, 1963.
    """
    centroids, sizes = sums / sizes[:, None], sizes.copy()
    left = np.ones(sizes.size, dtype=bool)

    def costs(name: int) -> NDArray[np.float64]:
        squares = ((centroids - centroids[name]) ** 2).sum(axis=1)
        found: NDArray[np.float64] = squares * sizes * sizes[name] / (sizes + sizes[name])
        found[~left] = np.inf
        found[name] = np.inf
        return found

    table = (
        np.stack([costs(name) for name in range(sizes.size)]) if sizes.size else np.empty((0, 0))
    )
    nearest = table.argmin(axis=1) if sizes.size else np.empty(0, dtype=np.int64)
    for _ in range(sizes.size - 1):
        least = np.where(left, table[np.arange(sizes.size), nearest], np.inf)
        one = int(least.argmin())
        a, b = sorted((one, int(nearest[one])))
        yield Merge(a, b, -float(table[a, b]))
        share = sizes[b] / (sizes[a] + sizes[b])
        centroids[a] += share * (centroids[b] - centroids[a])
        sizes[a] += sizes[b]
        left[b] = False
        table[b] = table[:, b] = np.inf
        table[a] = table[:, a] = costs(a)
        changed = left & ((nearest == a) | (nearest == b) | (table[:, a] < least))
        changed[a] = True
        nearest[changed] = table[changed].argmin(axis=1)


@dataclass(frozen=True)
class MergeTree:
    """A tree of merges, in scikit-learn's terms.

    Attributes
    ----------
    children : ndarray of shape (n_leaves - 1, 2), int
        The two nodes that each merge joins, in the order of merging. Nodes below `n_leaves` are
        leaves; merge i makes the node ``n_leaves + i``.
    distances : ndarray of shape (n_leaves - 1,), float64
        Height of each merge, in [0, 2], never falling. See merge_tree.
    n_leaves : int
    """

    children: NDArray[np.int_]
    distances: NDArray[np.float64]
    n_leaves: int

    def cut(self, n_clusters: int) -> NDArray[np.int_]:
        """Cluster of each leaf where `n_clusters` are left, numbered by their first leaves.

        Returns
        -------
        labels : ndarray of shape (n_leaves,), int
        """
        n_merges = self.n_leaves - n_clusters
        root = np.arange(self.n_leaves + n_merges)
        for merge in range(n_merges - 1, -1, -1):
            root[self.children[merge]] = root[self.n_leaves + merge]
        _, first, labels = np.unique(root[: self.n_leaves], return_index=True, return_inverse=True)
        ranks = np.empty(first.size, dtype=np.int64)
        ranks[np.argsort(first)] = np.arange(first.size)
        cluster: NDArray[np.int_] = ranks[labels]
        return cluster

    def linkage(self) -> NDArray[np.float64]:
        """Give scipy's linkage matrix, of shape (n_leaves - 1, 4)."""
        counts = np.ones(self.n_leaves + len(self.children))
        for i, pair in enumerate(self.children):
            counts[self.n_leaves + i] = counts[pair].sum()
        return np.column_stack([self.children, self.distances, counts[self.n_leaves :]])


def merge_tree(
    graph: csr_matrix,
    leaves: NDArray[np.int_],
    rows: NDArray[np.floating],
    n_top: int = N_TOP,
) -> MergeTree:
    """Merge fine communities until one is left, and keep the order.

    The graph's linkage goes first, down to `n_top` clusters or to those that no edge joins. Ward's
    criterion goes on, on the centroids of the rows: at few clusters it is the better one, and
    below it the worse. The two have no common scale. So the heights keep the order of merging and,
    within each part, the proportions: from 0 to 1 they are how far the linkage has fallen since the
    first merge, as a logarithm; from 1 to 2 the square root of what a merge adds to the squared
    distances. Each is over the largest of its part, and where a merge is closer than one before it,
    it has the same height.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n), symmetric
    leaves : ndarray of shape (n,), int
        Community of each row, from 0 without a gap; -1 is none.
    rows : ndarray of shape (n, n_dims)
    n_top : int, default=15
        Number of clusters from which Ward's criterion goes on; with 1 it only joins what no edge
        does.
    """
    n_leaves = count_clusters(leaves)
    sums, sizes = sums_and_sizes(leaves, rows)
    left = np.ones(n_leaves, dtype=bool)
    pairs: list[tuple[int, int]] = []
    heights: list[list[float]] = [[], []]
    by_graph = graph_merges(graph, leaves)
    while n_leaves - len(pairs) > n_top and (merge := next(by_graph, None)) is not None:
        a, b = merge.a, merge.b
        sums[a] += sums[b]
        sizes[a] += sizes[b]
        left[b] = False
        pairs.append((a, b))
        heights[0].append(-float(np.log(merge.linkage)))
    names = np.flatnonzero(left)
    for merge in ward_merges(sums[left], sizes[left]):
        pairs.append((int(names[merge.a]), int(names[merge.b])))
        heights[1].append(float(np.sqrt(max(-merge.linkage, 0.0))))
    distances = np.concatenate(
        [
            _rising(np.array(heights[0]), heights[0][0] if heights[0] else 0.0),
            1 + _rising(np.array(heights[1]), 0.0),
        ]
    )
    node = np.arange(n_leaves)  # of each cluster that is left, by its name
    children = np.empty((len(pairs), 2), dtype=np.int64)
    for i, (a, b) in enumerate(pairs):
        children[i] = sorted((node[a], node[b]))
        node[a] = n_leaves + i
    return MergeTree(children, distances, n_leaves)


def _rising(heights: NDArray[np.float64], zero: float) -> NDArray[np.float64]:
    """Scale heights to [0, 1] from `zero`, and let none be lower than one before it."""
    if heights.size == 0:
        return heights
    risen = np.maximum.accumulate(heights - zero)
    found: NDArray[np.float64] = risen / risen[-1] if risen[-1] > 0 else np.zeros_like(risen)
    return found
