"""Selected embeddings -> clusters: communities of the nearest-neighbour graph, by Leiden."""

from __future__ import annotations

import logging
import math
import warnings
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, check_memory, validate_data

from bertopic_matryoshka._validation import check_at_least
from bertopic_matryoshka.clustering._communities import check_flavor
from bertopic_matryoshka.clustering._membership import membership, shares, weighted_shares
from bertopic_matryoshka.clustering._merging import add_lone_parts
from bertopic_matryoshka.clustering._ordering import count_clusters, ranks_by_size, row_order
from bertopic_matryoshka.clustering._partition import at_resolution, in_number
from bertopic_matryoshka.clustering._supervision import (
    class_of_copies,
    known_classes,
    n_large_classes,
    supervised,
)
from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.neighbors import (
    METHODS,
    distinct_neighbor_graph,
    equal_rows,
    nearest_neighbors,
    neighbor_graph,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

logger = logging.getLogger(__name__)

N_NEIGHBORS, MIN_CLUSTER_SIZE = 15, 10
"""Default values, where there are at least N_NEIGHBORS ** 2 distinct rows."""

MANY = 0.1
"""Share of near copies among the rows above which a warning is given."""


class LeidenClustering(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Clusters of the cosine nearest-neighbour graph: Leiden communities, merged and smoothed.

    Takes HDBSCAN's place in BERTopic: ``BERTopic(umap_model=DimensionSelector(),
    hdbscan_model=LeidenClustering())``. It needs no UMAP before it, makes few outliers by default
    (see `min_membership`), and gives the same rows the same labels in any order.

    Parameters
    ----------
    n_clusters : int or None, default=None
        Number of clusters to find, >= 1. None takes what `resolution` gives.
    resolution : float, default=1.0
        Resolution of the clusters, > 0; a larger value gives more. It is relative to the graph's
        density, so that it needs no tuning for the number of rows. Halved while most rows would be
        in communities smaller than `min_cluster_size`. Ignored if `n_clusters` is given.
    n_neighbors : int or None, default=None
        Number of neighbours of each row in the graph, >= 1. None is 15, or the square root of the
        number of distinct rows where there are fewer than 225.
    min_cluster_size : int or None, default=None
        Minimum number of core rows of a cluster, >= 2, copies counted once. A core row has at least
        half of its neighbours in its own cluster. The rows of smaller clusters go to the clusters
        of their neighbours. If fewer than `n_clusters` qualify, the core requirement is relaxed:
        clusters then need as many rows, with fewer of them core. None is 10, or two thirds of the
        square root of the number of distinct rows where there are fewer than 225.
    min_membership : float, default=0.0
        Minimum share, in [0, 1], of a row's neighbours in its own cluster; rows below it become
        outliers. At 0 the only outliers are zero rows, and rows in connected parts of the graph
        with fewer than `min_cluster_size` rows, copies counted.
    calculate_probabilities : bool, default=False
        Whether `probabilities_` has a column for each cluster. BERTopic uses `probabilities_`
        unchanged.
    random_state : int, RandomState or None, default=0
        Seed of the Leiden algorithm.
    method : {"auto", "exact", "two_stage", "approximate", "pynndescent"}, default="auto"
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

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int
        Cluster of each row, 0 for the largest; -1 for outliers. A zero row is an outlier.
    probabilities_ : ndarray of shape (n_samples,), float64, in [0, 1]
        Share of a row's neighbours in its own cluster, 0 for outliers. With
        `calculate_probabilities`, of shape (n_samples, n_clusters_): the share in each cluster, for
        outliers too. Rows that `min_membership` makes outliers still count as neighbours in the
        cluster that they would have had.
    n_clusters_ : int
        Number of clusters found.
    resolution_ : float
        Resolution that was used; with `n_clusters`, the one that the search found.
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
    divides it into more communities than there will be clusters. With "graspologic" it maximises
    the Constant Potts Model [2]_: the edges within communities minus ``gamma`` for each pair of
    rows in them, where ``gamma`` is relative to the density of a random graph. The communities are
    then merged by linkage and smoothed by label propagation, and clusters without a core dissolve.
    Leiden alone gives clusters of even size; merging lets large topics be large and small ones
    stand apart.

    Rows that repeat others, such as reposts, signatures and templates, would be one another's
    neighbours and make topics of their own. Equal rows and near copies therefore count once. Near
    copies are found in the neighbour search (see `bertopic_matryoshka.neighbors`, and
    docs/data-as-it-comes.md for how the distance was chosen). A copy has the label and the
    probabilities of the row that it repeats. Clusters are ordered by their size with copies. With
    `y`, a group of copies has the class that most of them have. Rows of fewer than 16 features have
    no near copies: in few dimensions different rows are as close.

    There is no ``partial_fit``: a new batch would change the graph and so the existing clusters.
    In BERTopic's partial_fit, use MiniBatchKMeans instead, or ``BERTopic.merge_models``.

    References
    ----------
    .. [1] V. A. Traag, L. Waltman, N. J. van Eck, "From Louvain to Leiden: guaranteeing
       well-connected communities", Scientific Reports 9, 2019.
    .. [2] V. A. Traag, P. Van Dooren, Y. Nesterov, "Narrow scope for resolution-limit-free
       community detection", Physical Review E 84, 2011.

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
        calculate_probabilities: bool = False,
        random_state: int | np.random.RandomState | None = 0,
        method: str = "auto",
        device: str | None = None,
        flavor: str = "graspologic",
        memory: Any = None,
        copy_distance: float = 0.025,
    ) -> None:
        self.n_clusters = n_clusters
        self.resolution = resolution
        self.n_neighbors = n_neighbors
        self.min_cluster_size = min_cluster_size
        self.min_membership = min_membership
        self.calculate_probabilities = calculate_probabilities
        self.random_state = random_state
        self.method = method
        self.device = device
        self.flavor = flavor
        self.memory = memory
        self.copy_distance = copy_distance

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> LeidenClustering:
        """Find the clusters of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows are compared by cosine.
        y : array-like of shape (n_samples,), int, or None, default=None
            Known classes, -1 where unknown. Edges between classes are removed from the graph,
            unless that would leave rows in a connected part too small for a cluster. Each row is
            also joined with its nearest rows of the same class. Without `n_clusters`, merging goes
            no lower than the number of classes of `min_cluster_size` rows. Nothing more is
            guaranteed: neighbours of unknown class may draw rows to another cluster, or divide a
            class.

        Returns
        -------
        self : LeidenClustering

        Raises
        ------
        TypeError, ValueError
            If a parameter is of the wrong type or out of range, there are too few rows for
            `n_clusters`, a row is not finite, or `y` holds anything but integers >= -1.
        ImportError
            If `flavor` is "cugraph" and cuGraph is not installed.

        Warns
        -----
        RuntimeWarning
            If fewer than `n_clusters` clusters of sufficient size were found; if more than a tenth
            of the rows are near copies; or if `y` is ignored because its length is not that of X,
            as in BERTopic where zero-shot topics took documents.
        """
        self._check_parameters()
        rows = unit_rows(validate_data(self, X, dtype=[np.float32, np.float64]))
        order = row_order(rows)
        order = order[rows[order].any(axis=1)]  # zero rows have no direction
        graph, group = self._distinct_graph(rows, order)
        min_size = smallest_cluster(self.min_cluster_size, graph.shape[0])
        at_least = 1
        if y is not None:
            classes = known_classes(y, rows.shape[0])[order]
            classes = class_of_copies(classes, group, graph.shape[0])
            k = _default(self.n_neighbors, N_NEIGHBORS, graph.shape[0])
            graph_of = partial(self._cached(neighbor_graph), n_neighbors=k)
            graph = supervised(graph, classes, self._fit_rows, graph_of, min_size)
            at_least = max(1, n_large_classes(classes, min_size))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        found = self._clusters(graph, min_size, at_least, seed)
        counts = np.bincount(group, minlength=found.size)
        # A part that is too small but for its copies would have to be outliers.
        found = add_lone_parts(graph, found, min_size, counts)
        if found.size == 1:
            graph = csr_matrix([[1.0]])  # its copies are its only neighbours
        strength = membership(graph, found)
        kept = np.where((found >= 0) & (strength >= self.min_membership), found, -1)
        ranks = ranks_by_size(kept, count_clusters(found), counts)
        self._fit_labels = ranks[kept]
        self.n_clusters_ = count_clusters(self._fit_labels)
        self.labels_ = np.full(rows.shape[0], -1)
        self.labels_[order] = self._fit_labels[group]
        probabilities = np.where(kept >= 0, strength, 0.0)
        if self.calculate_probabilities:
            probabilities = shares(graph, ranks[found], self.n_clusters_)
        self.probabilities_ = np.zeros((rows.shape[0], *probabilities.shape[1:]))
        self.probabilities_[order] = probabilities[group]
        if self.n_clusters is not None and self.n_clusters_ < self.n_clusters:
            warnings.warn(
                f"n_clusters={self.n_clusters}, but only {self.n_clusters_} clusters of at least "
                f"min_cluster_size={min_size} rows were found. Ask for fewer, or "
                "lower min_cluster_size.",
                RuntimeWarning,
                stacklevel=2,
            )
        return self

    def fit_predict(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.int_]:
        """Find the clusters of the rows, see :meth:`fit`; return `labels_`."""
        return self.fit(X, y).labels_  # scikit-learn's own would leave y out

    def predict(self, X: ArrayLike) -> NDArray[np.int_]:
        """Assign new rows to the cluster with the largest share of their neighbours.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
            -1 if that share, weighted by similarity, is below `min_membership`, if all neighbours
            are outliers, and for a zero row.
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
        probabilities = self.predict_proba(X)
        if self.n_clusters_ == 0:
            return np.full(len(probabilities), -1), np.zeros(len(probabilities))
        winners, strengths = probabilities.argmax(axis=1), probabilities.max(axis=1)
        sure = (strengths > 0) & (strengths >= self.min_membership)
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
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=[np.float32, np.float64])
        probabilities = np.zeros((rows.shape[0], self.n_clusters_))
        directed = np.flatnonzero(rows.any(axis=1))
        n_rows = self._fit_rows.shape[0]
        k = min(_default(self.n_neighbors, N_NEIGHBORS, n_rows), n_rows)
        if directed.size > 0 and k > 0:
            found, similarities = nearest_neighbors(
                self._fit_rows, k, queries=rows[directed], method="exact", device=self.device
            )
            labels = self._fit_labels[found]
            probabilities[directed] = weighted_shares(labels, similarities, self.n_clusters_)
        return probabilities

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
        k = _default(self.n_neighbors, N_NEIGHBORS, distinct.size)
        graph, representative = self._cached(distinct_neighbor_graph)(
            ordered[distinct], n_neighbors=k, copy_distance=self.copy_distance
        )
        kept, near = np.unique(representative, return_inverse=True)
        group = near[equal]
        firsts = distinct[kept]
        self._fit_rows = ordered[firsts]
        self.copy_of_ = np.arange(rows.shape[0])
        self.copy_of_[order] = order[firsts[group]]
        self.n_copies_ = int(order.size - kept.size)
        if self.n_copies_:
            _report_copies(self.n_copies_, int(distinct.size - kept.size), rows.shape[0])
        return graph, group

    def _cached(self, graph_of: Callable[..., Any]) -> Callable[..., Any]:
        cached = check_memory(self.memory).cache(graph_of)
        return partial(cached, method=self.method, device=self.device)

    def _clusters(
        self, graph: csr_matrix, min_size: int, at_least: int, seed: int
    ) -> NDArray[np.int_]:
        if self.n_clusters is None:
            found, self.resolution_ = at_resolution(
                graph,
                float(self.resolution),
                min_size,
                seed,
                at_least=at_least,
                flavor=self.flavor,
            )
            return found
        n_samples, n_distinct = self.copy_of_.size, graph.shape[0]
        most = n_distinct // min_size
        if self.n_clusters > max(1, most):
            distinct = f", of which {self.n_copies_} repeat others" if self.n_copies_ else ""
            raise ValueError(
                f"n_clusters={self.n_clusters} with min_cluster_size={min_size} needs "
                f"more rows than n_samples={n_samples}{distinct}. Ask for at most {max(1, most)}, "
                "or lower min_cluster_size."
            )
        found, self.resolution_ = in_number(graph, self.n_clusters, min_size, seed, self.flavor)
        return found

    def _check_parameters(self) -> None:
        check_at_least(1 if self.n_clusters is None else self.n_clusters, 1, name="n_clusters")
        check_at_least(1 if self.n_neighbors is None else self.n_neighbors, 1, name="n_neighbors")
        size = 2 if self.min_cluster_size is None else self.min_cluster_size
        check_at_least(size, 2, name="min_cluster_size")
        if not (isinstance(self.resolution, Real) and 0 < self.resolution < float("inf")):
            raise ValueError(
                f"resolution={self.resolution!r} must be above 0; more gives more clusters."
            )
        if not (isinstance(self.min_membership, Real) and 0 <= self.min_membership <= 1):
            raise ValueError(
                f"min_membership={self.min_membership!r} must be in [0, 1], a share of neighbours."
            )
        if self.method not in METHODS:
            raise ValueError(f"method={self.method!r} must be one of {', '.join(METHODS)}.")
        check_flavor(self.flavor)
        if not (isinstance(self.copy_distance, Real) and 0 <= self.copy_distance < 0.2):
            raise ValueError(
                f"copy_distance={self.copy_distance!r} must be in [0, 0.2), a share of the usual "
                "distance between neighbours: from 0.2, five neighbours as far as usual would be "
                "copies."
            )


def _default(given: int | None, usual: int, n_distinct: int) -> int:
    """Return the given value, or else the usual one, lowered where there are few rows.

    In 30 rows, 15 neighbours are half of all, and clusters of 10 leave little room for others.
    """
    if given is not None:
        return given
    return max(2, min(usual, round(usual / N_NEIGHBORS * math.sqrt(n_distinct))))


def smallest_cluster(min_cluster_size: int | None, n_distinct: int) -> int:
    """Give the core rows that make a cluster of a LeidenClustering among so many distinct rows."""
    return _default(min_cluster_size, MIN_CLUSTER_SIZE, n_distinct)


def _report_copies(n_copies: int, n_near: int, n_rows: int) -> None:
    message = (
        f"{n_copies:,} of {n_rows:,} rows repeat others and count once: {n_copies - n_near:,} are "
        f"equal to another, {n_near:,} nearly so."
    )
    logger.info(message)
    if n_near > MANY * n_rows:
        warnings.warn(
            f"{message} copy_of_ says which; copy_distance=0 counts the near ones each.",
            RuntimeWarning,
            stacklevel=4,
        )
