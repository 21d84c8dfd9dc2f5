"""Selected embeddings -> clusters: communities of the nearest-neighbour graph, by Leiden."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, check_memory, validate_data

from bertopic_matryoshka._validation import check_at_least
from bertopic_matryoshka.clustering._advice import (
    report_copies,
    warn_of_emptied,
    warn_of_largest,
    warn_of_number,
    warn_of_outside,
)
from bertopic_matryoshka.clustering._centrality import centrality
from bertopic_matryoshka.clustering._division import Divider, FineDivision
from bertopic_matryoshka.clustering._membership import membership, shares, weighted_shares
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
    nearest_neighbors,
    neighbor_graph,
    of_distinct,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Scored = tuple[Typicality, NDArray[np.float64]]


SCALE = tuple(field.name for field in fields(Typicality))
"""Arrays by which new rows are scored beside those of the fit."""


TOO_OLD = (
    "This LeidenClustering was fitted and saved by an earlier version, which kept no graph: "
    "{lacks}. Fit it again."
)


class LeidenClustering(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Clusters of the cosine nearest-neighbour graph: Leiden communities, merged into a tree.

    Takes HDBSCAN's place in BERTopic: ``BERTopic(umap_model=DimensionSelector(),
    hdbscan_model=LeidenClustering())``. It needs no UMAP before it, makes few outliers by default
    (see `outlier_share`), and gives the same rows the same labels in any order.

    Parameters
    ----------
    n_clusters : int or None, default=None
        Number of clusters to find, >= 1. None takes the number with the largest modularity at
        `resolution`. :meth:`labels_at` gives any other number after fitting.
    resolution : float, default=1.0
        Resolution of modularity, > 0; a larger value gives more clusters. It is relative to what
        chance gives in a graph of these degrees, so that it needs no tuning for the number of rows.
        Ignored if `n_clusters` is given.
    n_neighbors : int or None, default=None
        Number of neighbours of each row in the graph, >= 1. None is 15, or the square root of the
        number of distinct rows where there are fewer than 225.
    min_cluster_size : int or None, default=None
        Minimum number of core rows of a cluster, >= 2, copies counted once. A core row has at least
        half of its neighbours in its own cluster. The rows of smaller clusters go to the clusters
        of their neighbours. With `n_clusters` a cluster needs as many rows, one of them core; if
        fewer than `n_clusters` qualify, none of them. None is 10, or two thirds of the square root
        of the number of distinct rows where there are fewer than 225.
    min_membership : float, default=0.0
        Minimum share, in [0, 1], of a row's neighbours in its own cluster; rows below it become
        outliers. At 0 the only outliers are zero rows, and rows in connected parts of the graph
        with fewer than `min_cluster_size` rows, copies counted.
    outlier_share : float, default=0.0
        Share of the rows, in [0, 1), that become outliers, copies and zero rows counted: the least
        typical ones, see Notes. It excludes `min_membership`. A row that has more copies than are
        still to be chosen is passed over. At 0 none do.
    calculate_probabilities : bool, default=False
        Whether `probabilities_` has a column for each cluster. BERTopic uses `probabilities_`
        unchanged.
    random_state : int, RandomState or None, default=0
        Seed of the Leiden algorithm.
    method : {"auto", "exact", "approximate"}, default="auto"
        Method of the neighbour search, see nearest_neighbors.
    device : str or None, default=None
        Device of the neighbour search; None takes a GPU where there is one.
    flavor : {"graspologic", "cugraph"}, default="graspologic"
        Implementation of Leiden. "graspologic" runs on the CPU and follows the Constant
        Potts Model [2]_. "cugraph" runs on an NVIDIA GPU, with the extra
        ``bertopic-matryoshka[cugraph]``; it follows modularity and so finds other clusters.
    memory : str, joblib.Memory or None, default=None
        Folder in which the graphs are cached: rows clustered before, with another seed or number of
        clusters, need no new neighbour search. None caches nothing.
    copy_distance : float, default=0.025
        Cosine distance up to which a row is a near copy of another, in [0, 0.2), as a share of the
        usual distance to a fifth neighbour; where l rows are near, up to l (at most 5) times as
        much. Copies count once in the graph, see Notes. At 0 only equal rows are copies.
    neighbors : transformer, sparse matrix of shape (n_samples, n_samples), or None, default=None
        Neighbours to use in place of a search. A transformer is one like scikit-learn's
        KNeighborsTransformer, which gives such a matrix: in each row, its neighbours are stored,
        whatever the values. It gets the distinct rows, of unit length, and its own number of
        neighbours counts. None searches, by `method`; so do :meth:`predict` and known classes.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int
        Cluster of each row, 0 for the largest; -1 for outliers. A zero row is an outlier.
    probabilities_ : ndarray of shape (n_samples,), float64, in [0, 1]
        Share of a row's neighbours in its own cluster, 0 for outliers. With
        `calculate_probabilities`, of shape (n_samples, n_clusters_): the share in each cluster, for
        outliers too. Rows that `min_membership` or `outlier_share` makes outliers still count as
        neighbours in the cluster that they would have had.
    n_clusters_ : int
        Number of clusters found.
    children_ : ndarray of shape (n_leaves_ - 1, 2), int
        Nodes that each merge of the tree joins, as in AgglomerativeClustering: nodes below
        `n_leaves_` are leaves, and merge i makes node ``n_leaves_ + i``.
    distances_ : ndarray of shape (n_leaves_ - 1,), float64, in [0, 2]
        Height of each merge, never falling. Up to 1 it is the graph's linkage, as a logarithm; from
        1 Ward's criterion, as a square root. Each is over the largest of its part: the two have no
        common scale.
    n_leaves_ : int
        Number of leaves of the tree, the communities that Leiden finds.
    leaf_labels_ : ndarray of shape (n_samples,), int
        Leaf of each row; -1 for zero rows, and rows in connected parts of the graph with fewer than
        `min_cluster_size`.
    copy_of_ : ndarray of shape (n_samples,), int
        Index of the row that each row repeats; its own where it repeats none.
    n_copies_ : int
        Number of rows that repeat others. The clusters are found on the rest, without zero rows.
    n_features_in_ : int
        Number of features seen in fit.

    See Also
    --------
    DimensionSelector : The step before it.

    Notes
    -----
    The graph joins two rows where one is among the `n_neighbors` nearest of the other. Leiden [1]_
    divides it into more communities than there will be clusters: of some 45 rows, by default, and
    at most some 4,000. With "graspologic" it maximises the Constant Potts Model [2]_: the edges
    within communities minus ``gamma`` for each pair of rows in them.

    The communities are the leaves of a tree. They merge by the linkage of the graph down to 15
    clusters, and from there by Ward's criterion on their centroids, which is better at few clusters
    and worse at many. With `y` the linkage of the graph goes to the top. A number of clusters is a
    cut of the tree. Leaves then move to the cluster with the nearest centroid, as in k-means, and
    rows to the cluster of most of their neighbours, by label propagation. The tree is nested,
    and the labels at two numbers are so except for leaves and rows that moved: strictly nested
    labels agree less with known classes, see docs/no-umap.md. If the tree has too few leaves for a
    number, a finer division is made. Leiden alone gives clusters of even size; merging lets large
    topics be large and small ones stand apart.

    Without `n_clusters` the number is the one with the largest modularity [3]_, and clusters
    without a core dissolve.

    Rows that repeat others, such as reposts, signatures and templates, would be one another's
    neighbours and make topics of their own. Equal rows and near copies therefore count once. Near
    copies are found in the neighbour search (see `bertopic_matryoshka.neighbors`, and
    docs/data-as-it-comes.md for how the distance was chosen). A copy has the label and the
    probabilities of the row that it repeats. Clusters are ordered by their size with copies. With
    `y`, a group of copies has the class that most of them have. Rows of fewer than 16 features have
    no near copies: in few dimensions different rows are as close.

    `outlier_share` leaves out rows by two ranks. The share of a row's neighbours in its own
    cluster, averaged five times over each row's neighbours, counts twice; the cosine with its
    cluster's centroid counts once. With the average, regions between clusters go, rather than
    single rows at every border. Each cluster keeps its best `min_cluster_size` rows, or as many as
    the share leaves room for. New rows are scored beside those of the fit: :meth:`predict` makes
    outliers of those below a score that this share of the fit's rows did not exceed. See
    docs/no-umap.md for other scores.

    There is no ``partial_fit``: a new batch would change the graph and so the existing clusters.
    In BERTopic's partial_fit, use MiniBatchKMeans instead, or ``BERTopic.merge_models``.

    References
    ----------
    .. [1] V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing
       well-connected communities", Scientific Reports 9, 2019.
    .. [2] V. A. Traag, P. Van Dooren, Y. Nesterov, "Narrow scope for resolution-limit-free
       community detection", Physical Review E 84, 2011.
    .. [3] J. Reichardt, S. Bornholdt, "Statistical mechanics of community detection", Physical
       Review E 74, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import LeidenClustering
    >>> X = np.repeat([[1.0, 0.0], [0.0, 1.0]], 20, axis=0)
    >>> X = X + 0.1 * np.random.default_rng(0).normal(size=X.shape)
    >>> clustering = LeidenClustering(n_clusters=2).fit(X)
    >>> np.bincount(clustering.labels_)
    array([20, 20])
    """

    def __init__(
        self,
        n_clusters: int | None = None,
        *,
        resolution: float = 1.0,
        n_neighbors: int | None = None,
        min_cluster_size: int | None = None,
        min_membership: float = 0.0,
        outlier_share: float = 0.0,
        calculate_probabilities: bool = False,
        random_state: int | np.random.RandomState | None = 0,
        method: str = "auto",
        device: str | None = None,
        flavor: str = "graspologic",
        memory: Any = None,
        copy_distance: float = 0.025,
        neighbors: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.resolution = resolution
        self.n_neighbors = n_neighbors
        self.min_cluster_size = min_cluster_size
        self.min_membership = min_membership
        self.outlier_share = outlier_share
        self.calculate_probabilities = calculate_probabilities
        self.random_state = random_state
        self.method = method
        self.device = device
        self.flavor = flavor
        self.memory = memory
        self.copy_distance = copy_distance
        self.neighbors = neighbors

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> LeidenClustering:
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
            If fewer than `n_clusters` clusters of sufficient size were found, or some of them have
            no core row; if, without `n_clusters`, a cluster has more than a quarter of the rows and
            more than 1.5 times an even share; if more rows than `outlier_share` can be in no
            cluster, or it leaves a cluster without rows; if more than a tenth of the rows are near
            copies; or if `y` is ignored because its length is not that of X, as in BERTopic where
            zero-shot topics took documents.
        """
        check_parameters(self)
        rows = unit_rows(validate_data(self, X, dtype=[np.float32, np.float64]))
        order = row_order(rows)
        order = order[rows[order].any(axis=1)]  # zero rows have no direction
        graph, group = self._distinct_graph(rows, order)
        min_size = smallest_cluster(self.min_cluster_size, graph.shape[0])
        counts, least, most = np.bincount(group, minlength=graph.shape[0]), 1, None
        self._supervised = False
        if y is not None:
            classes = known_classes(y, rows.shape[0])[order]
            classes = class_of_copies(classes, group, counts.size)
            k = neighbors_of_each(self.n_neighbors, graph.shape[0])
            graph_of = partial(self._cached(neighbor_graph), n_neighbors=k)
            graph = supervised(graph, classes, self._fit_rows, graph_of, min_size)
            least = max(1, n_large_classes(classes, min_size))
            most = least if np.unique(classes).size == least and (classes >= 0).all() else None
            self._supervised = bool((classes >= 0).any())
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._min_size = min_size
        self._indptr, self._indices = graph.indptr, graph.indices
        self._counts, self._group = counts, np.full(rows.shape[0], -1)
        self._group[order] = group
        divider = self._divider(graph)
        division, _ = fine_division(divider)
        self._leaves, self.leaf_labels_ = division.leaves, self._of_rows(division.leaves)
        self.children_, self.distances_ = division.tree.children, division.tree.distances
        self.n_leaves_ = division.tree.n_leaves
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
        self.probabilities_ = np.zeros((rows.shape[0], *probabilities.shape[1:]))
        self.probabilities_[order] = probabilities[group]
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

    def predict(self, X: ArrayLike) -> NDArray[np.int_]:
        """Assign new rows to the cluster with the largest share of their neighbours.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
            -1 if that share, weighted by similarity, is below `min_membership`, if the row is less
            typical than `outlier_share` asks for (see Notes), if all neighbours are outliers, and
            for a zero row.
        """
        return self.predict_strength(X)[0]

    def predict_strength(self, X: ArrayLike) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
        """Assign new rows as :meth:`predict` does, with the strength of each assignment.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
        strengths : ndarray of shape (n_samples,), float64, in [0, 1]
            Share of the neighbours that are in the cluster, weighted by similarity; 0 for outliers.
        """
        rows, directed, found, similarities = self._neighbors(X)
        probabilities = self._shares(rows, directed, found, similarities)
        if self.n_clusters_ == 0:
            return np.full(len(probabilities), -1), np.zeros(len(probabilities))
        winners, strengths = probabilities.argmax(axis=1), probabilities.max(axis=1)
        sure = (strengths > 0) & (strengths >= self.min_membership)
        if hasattr(self, "_outlier_bound") and directed.size:
            scale = Typicality(*(getattr(self, f"_outlier_{name}") for name in SCALE))
            unit, labels = unit_rows(rows[directed]), winners[directed]
            score = scale.score_new(unit, labels, found, similarities)
            sure[directed] &= score > self._outlier_bound
        return np.where(sure, winners, -1), np.where(sure, strengths, 0.0)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Share of new rows' neighbours in each cluster, weighted by similarity.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_clusters_), float64, in [0, 1]
            The rest to 1 is the share of outliers. A zero row has 0 everywhere.
        """
        return self._shares(*self._neighbors(X))

    def _neighbors(
        self, X: ArrayLike
    ) -> tuple[NDArray[np.floating], NDArray[np.int_], NDArray[Any], NDArray[Any]]:
        """Find the neighbours of new rows, zero rows left out, among those of the fit.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_features)
        directed : ndarray of shape (n_directed,), int
            The rows that have neighbours.
        found : ndarray of shape (n_directed, k), int
        similarities : ndarray of shape (n_directed, k)
        """
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=[np.float32, np.float64])
        directed = np.flatnonzero(rows.any(axis=1))
        n_rows = self._fit_rows.shape[0]
        k = min(neighbors_of_each(self.n_neighbors, n_rows), n_rows)
        if directed.size == 0 or k == 0:
            return rows, directed[:0], np.empty((0, k), np.int64), np.empty((0, k))
        found, similarities = nearest_neighbors(
            self._fit_rows, k, queries=rows[directed], method="exact", device=self.device
        )
        return rows, directed, found, similarities

    def _shares(
        self,
        rows: NDArray[np.floating],
        directed: NDArray[np.int_],
        found: NDArray[Any],
        similarities: NDArray[Any],
    ) -> NDArray[np.float64]:
        """Share of new rows' neighbours in each cluster; takes what _neighbors gives."""
        probabilities = np.zeros((rows.shape[0], self.n_clusters_))
        if directed.size:
            labels = self._fit_labels[found]
            probabilities[directed] = weighted_shares(labels, similarities, self.n_clusters_)
        return probabilities

    def _keep_scale(
        self,
        typical: Scored | None,
        left_out: NDArray[np.bool_],
        ranks: NDArray[np.int_],
    ) -> None:
        """Keep what new rows are scored by, as arrays that can be saved."""
        for name in (*SCALE, "bound"):
            self.__dict__.pop(f"_outlier_{name}", None)  # of an earlier fit
        if typical is None:
            return
        scale, score = typical
        scale = scale.renumbered(ranks[:-1], self.n_clusters_)
        for name in SCALE:
            setattr(self, f"_outlier_{name}", getattr(scale, name))
        # Not the highest score of those left out: rows that their clusters keep may be far below.
        last = np.count_nonzero(left_out) - 1
        self._outlier_bound = float(np.partition(score, last)[last])

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
        graph, representative = self._cached(distinct_neighbor_graph)(
            ordered[distinct],
            n_neighbors=k,
            copy_distance=self.copy_distance,
            neighbors=neighbors,
        )
        kept, near = np.unique(representative, return_inverse=True)
        group = near[equal]
        firsts = distinct[kept]
        self._fit_rows = ordered[firsts]
        self.copy_of_ = np.arange(rows.shape[0])
        self.copy_of_[order] = order[firsts[group]]
        self.n_copies_ = int(order.size - kept.size)
        if self.n_copies_:
            report_copies(self.n_copies_, int(distinct.size - kept.size), rows.shape[0])
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
