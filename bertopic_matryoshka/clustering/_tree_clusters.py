"""Rows -> clusters, by the tree of their communities: the methods of LeidenClustering."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, check_memory

from bertopic_matryoshka._fork import about_to_use_threads
from bertopic_matryoshka._validation import check_at_least, validated
from bertopic_matryoshka.clustering._advice import (
    report_copies,
    warn_of_emptied,
    warn_of_largest,
    warn_of_number,
    warn_of_outside,
    warn_of_zero_rows,
)
from bertopic_matryoshka.clustering._centrality import centrality
from bertopic_matryoshka.clustering._division import Divider, FineDivision
from bertopic_matryoshka.clustering._membership import membership, shares
from bertopic_matryoshka.clustering._merge_tree import N_TOP, MergeTree, merge_tree
from bertopic_matryoshka.clustering._ordering import (
    check_clusters,
    count_clusters,
    ranks_by_size,
    row_order,
)
from bertopic_matryoshka.clustering._outliers import Typicality, least_typical, typicality
from bertopic_matryoshka.clustering._parameters import (
    check_parameters,
    neighbors_of_each,
    smallest_cluster,
)
from bertopic_matryoshka.clustering._partition import (
    at_resolution,
    fine_division,
    in_number,
    without_core,
)
from bertopic_matryoshka.clustering._predictor import SCALE, NeighborPredictor
from bertopic_matryoshka.clustering._smoothing import add_lone_parts
from bertopic_matryoshka.clustering._supervision import (
    class_of_copies,
    known_classes,
    n_large_classes,
    supervised,
)
from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.neighbors import (
    distinct_neighbor_graph,
    equal_rows,
    neighbor_graph,
    of_distinct,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    Scored = tuple[Typicality, NDArray[np.float64]]


TOO_OLD = (
    "This LeidenClustering was fitted and saved by an earlier version, which kept no graph: "
    "{lacks}. Fit it again."
)


class TreeClusters(NeighborPredictor, ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """The fit of LeidenClustering, and what its tree gives without another fit."""

    n_clusters: int | None
    resolution: float
    n_neighbors: int | None
    min_cluster_size: int | None
    min_membership: float
    outlier_share: float
    calculate_probabilities: bool
    random_state: int | np.random.RandomState | None
    method: str
    device: str | Sequence[str] | None
    flavor: str
    memory: Any
    copy_distance: float
    neighbors: Any
    max_samples: int | None
    copy_of_: NDArray[np.int_]

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Find the clusters of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows are compared by cosine.
        y : array-like of shape (n_samples,), int, or None, default=None
            Known classes, -1 where unknown. Edges between classes are removed from the graph,
            unless that would leave rows in a connected part too small for a cluster. Each row is
            also joined with its nearest rows of the same class. Without `n_clusters`, there are at
            least as many clusters as classes of `min_cluster_size` rows, and just as many if all
            rows are in such classes. Nothing more is guaranteed: neighbours of unknown class may
            draw rows to another cluster, or divide a class.

        Returns
        -------
        self : LeidenClustering

        Raises
        ------
        TypeError, ValueError
            If a parameter is of the wrong type or out of range, there are too few rows for
            `n_clusters`, a row is not finite, `neighbors` gives a matrix of another shape, or `y`
            holds anything but integers >= -1.
        ImportError
            If `flavor` is "cugraph" and cuGraph is not installed.

        Warns
        -----
        RuntimeWarning
            If rows are zero, with their numbers; if fewer than `n_clusters` clusters of sufficient
            size were found, or some of them have no core row; if, without `n_clusters`, a cluster
            has more than a quarter of the rows and more than 1.5 times an even share; if more rows
            than `outlier_share` can be in no cluster, or it leaves a cluster without rows; if more
            than a tenth of the rows are near copies; or if `y` is ignored because its length is not
            that of X, as in BERTopic where zero-shot topics took documents.
        """
        about_to_use_threads()
        check_parameters(self)
        order, graph, group = self._graph_of(X)
        n_rows = self.copy_of_.size
        min_size = smallest_cluster(self.min_cluster_size, graph.shape[0])
        counts, least, most = np.bincount(group, minlength=graph.shape[0]), 1, None
        self._supervised = False
        if y is not None:
            classes = known_classes(y, n_rows)[order]
            classes = class_of_copies(classes, group, counts.size)
            k = neighbors_of_each(self.n_neighbors, graph.shape[0])
            graph_of = partial(self._cached(neighbor_graph), n_neighbors=k)
            graph = supervised(graph, classes, self._fit_rows, graph_of, min_size)
            self._is_close = None
            least = max(1, n_large_classes(classes, min_size))
            most = least if np.unique(classes).size == least and (classes >= 0).all() else None
            self._supervised = bool((classes >= 0).any())
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._min_size = min_size
        self._indptr, self._indices = graph.indptr, graph.indices
        self._counts, self._group = counts, np.full(n_rows, -1)
        self._group[order] = group
        divider = self._divider(graph)
        division, _ = fine_division(divider)
        self._keep_division(division)
        # A part that is too small but for its copies would have to be outliers.
        if self.n_clusters is None:
            found = at_resolution(divider, division, float(self.resolution), least, most)
        else:
            found = self._in_number(divider, division, self.n_clusters)
        found = add_lone_parts(graph, found, min_size, counts)
        graph, strength, kept, ranks, typical = self._kept(graph, found)
        self._fit_labels = ranks[kept]
        self.n_clusters_ = count_clusters(self._fit_labels)
        self._keep_scale(typical, (found >= 0) & (kept < 0), ranks)
        self.labels_ = self._of_rows(self._fit_labels)
        probabilities = np.where(kept >= 0, strength, 0.0)
        if self.calculate_probabilities:
            probabilities = shares(graph, ranks[found], self.n_clusters_)
        self.probabilities_ = np.zeros((n_rows, *probabilities.shape[1:]))
        self.probabilities_[order] = probabilities[group]
        self._reset_index()
        self._changes, self._n_batches, self.n_samples_seen_ = np.empty((0, 5), int), 1, n_rows
        self._waiting, self.waiting_ = np.zeros(counts.size, bool), np.zeros(n_rows, bool)
        self._advise(graph, found, self.n_clusters_, self.n_clusters)
        return self

    def fit_predict(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.int_]:
        """Find the clusters of the rows, see :meth:`fit`; return `labels_`."""
        return self.fit(X, y).labels_  # scikit-learn's own would leave y out

    def centrality(self, labels: ArrayLike | None = None) -> NDArray[np.float64]:
        """Cosine of each row with the centre of its cluster.

        The centre is the mean of the cluster's rows, copies counted once.

        Parameters
        ----------
        labels : array-like of shape (n_samples,), int, or None, default=None
            Clusters of the rows of the fit, -1 for none, such as topics that were merged. None is
            `labels_`.

        Returns
        -------
        cosines : ndarray of shape (n_samples,), float64, in [-1, 1]
            Higher is more central; -1 for outliers and zero rows.

        Raises
        ------
        ValueError
            If there is not one label for each row.
        NotFittedError
            If it is not fitted, or was fitted and saved by an earlier version.
        """
        check_is_fitted(self)
        if not hasattr(self, "_group"):
            raise NotFittedError(TOO_OLD.format(lacks="the copies of each row are not known"))
        given = self.labels_ if labels is None else np.asarray(labels)
        if given.shape != self._group.shape:
            raise ValueError(
                f"labels has shape {given.shape} and must have shape {self._group.shape}, one for "
                "each row of the fit."
            )
        return centrality(self._fit_rows, self._group, given)

    def labels_at(self, n_clusters: int) -> NDArray[np.int_]:
        """Give the labels at another number of clusters, without a new fit.

        They are those that a fit with this `n_clusters` and the same seed finds. `labels_`,
        `probabilities_` and what :meth:`predict` gives stay as they are.

        Parameters
        ----------
        n_clusters : int

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
            As `labels_`.

        Raises
        ------
        TypeError, ValueError
            If `n_clusters` is not an int, below 1, or more than the rows can make.

        Warns
        -----
        RuntimeWarning
            As :meth:`fit` does.
        """
        check_is_fitted(self)
        check_at_least(n_clusters, 1, name="n_clusters")
        graph = self._graph()
        tree = MergeTree(self.children_, self.distances_, self.n_leaves_)
        division = FineDivision(graph, self._leaves, tree)
        found = self._in_number(self._divider(graph), division, n_clusters)
        found = add_lone_parts(graph, found, self._min_size, self._counts)
        graph, _, kept, ranks, _ = self._kept(graph, found)
        labels = ranks[kept]
        self._advise(graph, found, count_clusters(labels), n_clusters)
        return self._of_rows(labels)

    def linkage(self, labels: ArrayLike | None = None) -> NDArray[np.float64]:
        """Merge clusters as the tree merges its leaves, until one is left.

        Any clusters of the fitted rows can be merged: those of the fit, of :meth:`labels_at`, or
        labels that were changed since, as a topic model does that merges topics.

        Parameters
        ----------
        labels : array-like of shape (n_samples,), int, or None, default=None
            Cluster of each row of the fit, from 0 without a gap; -1 is none. None is `labels_`.

        Returns
        -------
        Z : ndarray of shape (n_clusters - 1, 4), float64
            As scipy.cluster.hierarchy.linkage gives it: the two clusters that merge, the height as
            in `distances_`, and how many clusters are then in it. The heights never fall.

        Raises
        ------
        ValueError
            If `labels` is not of shape (n_samples,), holds other numbers, or a cluster has none of
            the distinct rows: only zero rows, or copies of rows in other clusters.
        """
        check_is_fitted(self)
        rows = check_clusters(self.labels_ if labels is None else labels, self._group.size)
        joined = self._group >= 0
        graph = self._graph()
        distinct = class_of_copies(rows[joined], self._group[joined], self._counts.size)
        lost = np.setdiff1d(rows[rows >= 0], distinct)
        if lost.size:
            raise ValueError(
                f"labels has clusters that none of the distinct rows is in, {lost[0]} the first: "
                "they have only zero rows, or copies of rows in other clusters. Make them -1."
            )
        tree = merge_tree(graph, distinct, self._fit_rows, 1 if self._supervised else N_TOP)
        return tree.linkage()

    def _keep_division(self, division: FineDivision) -> None:
        """Keep a division and its tree as arrays."""
        self._leaves, self.leaf_labels_ = division.leaves, self._of_rows(division.leaves)
        self.children_, self.distances_ = division.tree.children, division.tree.distances
        self.n_leaves_ = division.tree.n_leaves

    def _keep_scale(
        self,
        typical: Scored | None,
        left_out: NDArray[np.bool_],
        ranks: NDArray[np.int_],
    ) -> None:
        """Keep what new rows are scored by, as arrays that can be saved."""
        self._forget_scale()
        if typical is None:
            return
        scale, score = typical
        scale = scale.renumbered(ranks[:-1], self.n_clusters_)
        for name in SCALE:
            setattr(self, f"_outlier_{name}", getattr(scale, name))
        # Not the highest score of those left out: rows that their clusters keep may be far below.
        last = np.count_nonzero(left_out) - 1
        self._outlier_bound = float(np.partition(score, last)[last])

    def _forget_scale(self) -> None:
        """Forget what new rows were scored by in an earlier fit."""
        for name in (*SCALE, "bound"):
            self.__dict__.pop(f"_outlier_{name}", None)

    def _graph_of(self, X: ArrayLike) -> tuple[NDArray[np.int_], csr_matrix, NDArray[np.int_]]:
        """Build the graph of distinct rows, see _distinct_graph; order the rows with a direction.

        The unit rows are gone when it returns: Leiden takes the most memory.
        """
        rows = unit_rows(validated(self, X))
        warn_of_zero_rows(rows)
        order = row_order(rows)
        order = order[rows[order].any(axis=1)]  # zero rows have no direction
        graph, group = self._distinct_graph(rows, order)
        if self.n_copies_:
            n_equal = order.size - np.unique(equal_rows(rows[order])).size
            report_copies(self.n_copies_, self.n_copies_ - n_equal, rows.shape[0])
        return order, graph, group

    def _distinct_graph(
        self, rows: NDArray[np.floating], order: NDArray[np.int_]
    ) -> tuple[csr_matrix, NDArray[np.int_]]:
        """Build the graph of the rows that repeat no others, which become `_fit_rows`.

        Returns
        -------
        graph : csr_matrix of shape (n_distinct, n_distinct)
        group : ndarray of shape (n_ordered,), int
            Index, among the distinct rows, of the row that each row in `order` repeats.
        """
        ordered = rows[order]
        distinct, equal = np.unique(equal_rows(ordered), return_inverse=True)
        k, neighbors = neighbors_of_each(self.n_neighbors, distinct.size), self.neighbors
        if issparse(neighbors):
            place = np.full(rows.shape[0], -1)
            place[order] = equal
            neighbors = of_distinct(neighbors, order[distinct], place)
        graph, self._is_close, kept, near, lists = self._cached(distinct_neighbor_graph)(
            ordered[distinct],
            n_neighbors=k,
            copy_distance=self.copy_distance,
            neighbors=neighbors,
        )
        group, firsts = near[equal], distinct[kept]
        self._fit_rows = ordered[firsts]
        self._keep_lists(lists)
        copies = np.flatnonzero(kept[near] != np.arange(distinct.size))
        self._copy_rows, self._copy_groups = ordered[distinct[copies]], near[copies]
        self.copy_of_ = np.arange(rows.shape[0])
        self.copy_of_[order] = order[firsts[group]]
        self.n_copies_ = int(order.size - kept.size)
        return graph, group

    def _cached(self, graph_of: Callable[..., Any]) -> Callable[..., Any]:
        cached = check_memory(self.memory).cache(graph_of)
        return partial(cached, method=self.method, device=self.device)

    def _in_number(
        self, divider: Divider, division: FineDivision, n_clusters: int
    ) -> NDArray[np.int_]:
        most = max(1, self._counts.size // self._min_size)
        if n_clusters > most:
            distinct = f", of which {self.n_copies_} repeat others" if self.n_copies_ else ""
            raise ValueError(
                f"n_clusters={n_clusters} with min_cluster_size={self._min_size} needs more rows "
                f"than n_samples={self._group.size}{distinct}. Ask for at most {most}, or lower "
                "min_cluster_size."
            )
        return in_number(divider, division, n_clusters)

    def _divider(self, graph: csr_matrix) -> Divider:
        return Divider(
            graph,
            self._fit_rows,
            self._min_size,
            self._seed,
            flavor=self.flavor,
            by_centroids=not self._supervised,
            is_close=vars(self).get("_is_close"),  # not there in the fit of an earlier version
        )

    def _graph(self) -> csr_matrix:
        """Put together the graph of the distinct rows; its arrays alone are kept and saved."""
        if not hasattr(self, "_indptr"):
            raise NotFittedError(TOO_OLD.format(lacks="the tree of merges is not known"))
        n = self._counts.size
        return csr_matrix((np.ones(self._indices.size), self._indices, self._indptr), (n, n))

    def _kept(
        self, graph: csr_matrix, found: NDArray[np.int_]
    ) -> tuple[csr_matrix, NDArray[np.float64], NDArray[np.int_], NDArray[np.int_], Scored | None]:
        """Find the rows that do not become outliers, and number the clusters by size.

        Returns
        -------
        graph : csr_matrix
            Of a single row, with itself as its neighbour: its copies are those that it has.
        strength : ndarray of shape (n_distinct,), float64
        kept : ndarray of shape (n_distinct,), int
            `found`, and -1 for outliers.
        ranks : ndarray of shape (n_found + 1,), int
        typical : tuple of Typicality and ndarray of shape (n_distinct,), float64, or None
            Scores by which `outlier_share` made outliers; None if it made none.
        """
        if self._counts.size == 1:
            graph = csr_matrix([[1.0]])
        strength, typical = membership(graph, found), None
        kept = np.where((found >= 0) & (strength >= self.min_membership), found, -1)
        if self.outlier_share > 0:
            chosen, typical = self._least_typical(graph, found)
            kept[chosen] = -1
        ranks = ranks_by_size(kept, count_clusters(found), self._counts)
        return graph, strength, kept, ranks, typical

    def _least_typical(
        self, graph: csr_matrix, found: NDArray[np.int_]
    ) -> tuple[NDArray[np.int_], Scored | None]:
        """Choose the distinct rows that `outlier_share` makes outliers, by their scores."""
        n_rows, share = self._group.size, float(self.outlier_share)
        wanted = round(share * n_rows)
        outside = n_rows - int(self._counts[found >= 0].sum())
        if outside > wanted:
            warn_of_outside(share, wanted, outside, n_rows, self._min_size)
        if outside >= wanted:
            return np.empty(0, dtype=np.int64), None
        typical = typicality(graph, found, self._fit_rows)
        n_outliers = wanted - outside
        chosen = least_typical(typical[1], found, self._counts, n_outliers, self._min_size)
        kept = np.delete(found, chosen)
        n_left, n_found = np.unique(kept[kept >= 0]).size, count_clusters(found)
        if n_left < n_found:
            warn_of_emptied(share, n_left, n_found)
        return chosen, typical if chosen.size else None

    def _of_rows(self, labels: NDArray[np.int_]) -> NDArray[np.int_]:
        """Give each row the label of the distinct row that it is or repeats; a zero row -1."""
        found: NDArray[np.int_] = np.append(labels, -1)[self._group]
        return found

    def _advise(
        self, graph: csr_matrix, found: NDArray[np.int_], n_found: int, n_clusters: int | None
    ) -> None:
        if n_clusters is None:
            warn_of_largest(float(np.mean(self.labels_ == 0)), n_found, self.resolution)
            return
        if self.outlier_share > 0:  # of clusters without rows left _least_typical has warned
            n_found = count_clusters(found)
        warn_of_number(n_clusters, n_found, self._min_size, without_core(graph, found))
