"""Selected embeddings -> clusters: communities of the nearest-neighbour graph, by Leiden."""

from __future__ import annotations

import warnings
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, check_memory, validate_data

from bertopic_matryoshka._validation import check_at_least
from bertopic_matryoshka.clustering._membership import membership, shares, weighted_shares
from bertopic_matryoshka.clustering._ordering import count_clusters, ranks_by_size, row_order
from bertopic_matryoshka.clustering._partition import at_resolution, in_number
from bertopic_matryoshka.clustering._supervision import known_classes, n_large_classes, supervised
from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.neighbors import METHODS, nearest_neighbors, neighbor_graph

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_matrix


class LeidenClustering(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Clusters of the cosine nearest-neighbour graph: Leiden communities, merged and settled.

    Takes HDBSCAN's place in BERTopic: ``BERTopic(umap_model=DimensionSelector(),
    hdbscan_model=LeidenClustering())``. It needs no UMAP before it, calls no document an outlier
    unless asked to, and gives the same rows the same labels in any order.

    Parameters
    ----------
    n_clusters : int or None, default=None
        How many clusters to find. None takes what `resolution` gives.
    resolution : float, default=1.0
        How fine the clusters are, > 0: more for a larger value. Relative to the graph's density,
        so that it needs no tuning for the number of rows. Halved while most communities would be
        smaller than `min_cluster_size`. Not used where `n_clusters` is given.
    n_neighbors : int, default=15
        Neighbours of each row in the graph.
    min_cluster_size : int, default=10
        Core rows that make a cluster, >= 2; core rows have at least half of their neighbours in
        their cluster. The rows of smaller ones go to the clusters of their neighbours. Where
        `n_clusters` are not found so, clusters of as many rows do, with fewer of them core.
    min_membership : float, default=0.0
        Rows with a smaller share, in [0, 1], of their neighbours in their own cluster become
        outliers. 0 makes none but zero rows, and rows in parts of the graph with fewer than
        `min_cluster_size`.
    calculate_probabilities : bool, default=False
        Whether `probabilities_` has a column for each cluster. BERTopic takes it as it is.
    random_state : int, RandomState or None, default=0
        Seed of the Leiden algorithm.
    method : {"auto", "exact", "two_stage", "approximate", "pynndescent"}, default="auto"
        How neighbours are found, see nearest_neighbors.
    device : str or None, default=None
        Where they are found; None takes a GPU where there is one. There, communities are found by
        cuGraph where it is installed.
    memory : str, joblib.Memory or None, default=None
        A folder that keeps the graphs: rows that were clustered before, with another seed or number
        of clusters, need no new search for neighbours.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int
        Cluster of each row, 0 for the largest; -1 for outliers. A zero row is an outlier.
    probabilities_ : ndarray of shape (n_samples,), float64, in [0, 1]
        Share of a row's neighbours in its own cluster, 0 for outliers. With
        `calculate_probabilities` of shape (n_samples, n_clusters_): the shares in each cluster, of
        outliers too. Rows that `min_membership` makes outliers count as neighbours still.
    n_clusters_ : int
        Clusters found.
    resolution_ : float
        The resolution that was used.
    n_features_in_ : int

    See Also
    --------
    DimensionSelector : What is to come before it.

    Notes
    -----
    The graph joins two rows where one is among the `n_neighbors` nearest of the other. Leiden [1]_
    divides it more finely than asked for, by the Constant Potts Model [2]_: the edges within
    communities less ``gamma`` for each pair of rows in them, where ``gamma`` is relative to the
    density that a random graph would have. The most strongly joined communities are then merged
    (see `bertopic_matryoshka.merging`), rows move to the cluster of most of their neighbours, and
    clusters without a core dissolve. Leiden alone gives clusters of even size; merging lets large
    topics be large and small ones stand apart.

    There is no ``partial_fit``: a new batch would change the graph and so the clusters that stand.
    BERTopic's partial_fit says so; use MiniBatchKMeans there, or ``BERTopic.merge_models``.

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
        n_neighbors: int = 15,
        min_cluster_size: int = 10,
        min_membership: float = 0.0,
        calculate_probabilities: bool = False,
        random_state: int | np.random.RandomState | None = 0,
        method: str = "auto",
        device: str | None = None,
        memory: Any = None,
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
        self.memory = memory

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> LeidenClustering:
        """Find the clusters of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows are compared by cosine.
        y : array-like of shape (n_samples,), int, or None, default=None
            Classes that are known, -1 where none is. Rows of different classes are not joined in
            the graph, and each row is joined with its nearest of its own class too. Merging leaves
            as many clusters as classes of `min_cluster_size` rows. Nothing more is made sure:
            neighbours without a class may draw rows to another cluster, or divide a class.

        Returns
        -------
        self : LeidenClustering

        Raises
        ------
        TypeError, ValueError
            If a parameter is of the wrong kind or out of range, `n_clusters` are more than the
            rows can make, or `y` holds no classes.

        Warns
        -----
        RuntimeWarning
            If fewer than `n_clusters` clusters of sufficient size were found, or `y` is not used,
            being of another length than X, as in BERTopic where zero-shot topics took documents.
        """
        self._check_parameters()
        rows = unit_rows(validate_data(self, X, dtype=[np.float32, np.float64]))
        order = row_order(rows)
        order = order[rows[order].any(axis=1)]  # zero rows have no direction
        self._fit_rows = rows[order]
        graph_of = partial(
            check_memory(self.memory).cache(neighbor_graph),
            n_neighbors=self.n_neighbors,
            method=self.method,
            device=self.device,
        )
        graph, at_least = graph_of(self._fit_rows), 1
        if y is not None:
            classes, size = known_classes(y, rows.shape[0])[order], self.min_cluster_size
            graph = supervised(graph, classes, self._fit_rows, graph_of, size)
            at_least = max(1, n_large_classes(classes, size))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        found = self._clusters(graph, at_least, seed)
        strength = membership(graph, found)
        kept = np.where((found >= 0) & (strength >= self.min_membership), found, -1)
        ranks = ranks_by_size(kept, count_clusters(found))
        self._fit_labels = ranks[kept]
        self.n_clusters_ = count_clusters(self._fit_labels)
        self.labels_ = np.full(rows.shape[0], -1)
        self.labels_[order] = self._fit_labels
        probabilities = np.where(kept >= 0, strength, 0.0)
        if self.calculate_probabilities:
            probabilities = shares(graph, ranks[found], self.n_clusters_)
        self.probabilities_ = np.zeros((rows.shape[0], *probabilities.shape[1:]))
        self.probabilities_[order] = probabilities
        if self.n_clusters is not None and self.n_clusters_ < self.n_clusters:
            warnings.warn(
                f"n_clusters={self.n_clusters}, but only {self.n_clusters_} clusters of at least "
                f"min_cluster_size={self.min_cluster_size} rows were found. Ask for fewer, or "
                "lower min_cluster_size.",
                RuntimeWarning,
                stacklevel=2,
            )
        return self

    def fit_predict(self, X: ArrayLike, y: ArrayLike | None = None) -> NDArray[np.int_]:
        """Find the clusters of the rows, see :meth:`fit`, and return `labels_`."""
        return self.fit(X, y).labels_  # scikit-learn's own would leave y out

    def predict(self, X: ArrayLike) -> NDArray[np.int_]:
        """Assign new rows to the cluster of most of their neighbours.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
            -1 where the share of the neighbours that are in the cluster is below
            `min_membership`, where all are outliers, and for a zero row.
        """
        return self.predict_strength(X)[0]

    def predict_strength(self, X: ArrayLike) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
        """Assign new rows as :meth:`predict` does, and say how sure that is.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int
        strengths : ndarray of shape (n_samples,), float64, in [0, 1]
            Share of the neighbours that are in the cluster, each weighted with its similarity; 0
            for outliers.
        """
        probabilities = self.predict_proba(X)
        if self.n_clusters_ == 0:
            return np.full(len(probabilities), -1), np.zeros(len(probabilities))
        winners, strengths = probabilities.argmax(axis=1), probabilities.max(axis=1)
        sure = (strengths > 0) & (strengths >= self.min_membership)
        return np.where(sure, winners, -1), np.where(sure, strengths, 0.0)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Share of new rows' neighbours in each cluster, each weighted with its similarity.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_clusters_), float64, in [0, 1]
            What is missing to 1 is the share of outliers. A zero row has 0 everywhere.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=[np.float32, np.float64])
        probabilities = np.zeros((rows.shape[0], self.n_clusters_))
        directed = np.flatnonzero(rows.any(axis=1))
        k = min(self.n_neighbors, self._fit_rows.shape[0])
        if directed.size > 0 and k > 0:
            found, similarities = nearest_neighbors(
                self._fit_rows, k, queries=rows[directed], method="exact", device=self.device
            )
            labels = self._fit_labels[found]
            probabilities[directed] = weighted_shares(labels, similarities, self.n_clusters_)
        return probabilities

    def _clusters(self, graph: csr_matrix, at_least: int, seed: int) -> NDArray[np.int_]:
        if self.n_clusters is None:
            found, self.resolution_ = at_resolution(
                graph,
                float(self.resolution),
                self.min_cluster_size,
                seed,
                at_least=at_least,
                device=self.device,
            )
            return found
        n_samples, most = graph.shape[0], graph.shape[0] // self.min_cluster_size
        if self.n_clusters > most:
            raise ValueError(
                f"n_clusters={self.n_clusters} with min_cluster_size={self.min_cluster_size} needs "
                f"more rows than n_samples={n_samples}. Ask for at most {most}, or lower "
                "min_cluster_size."
            )
        found, self.resolution_ = in_number(
            graph, self.n_clusters, self.min_cluster_size, seed, self.device
        )
        return found

    def _check_parameters(self) -> None:
        check_at_least(1 if self.n_clusters is None else self.n_clusters, 1, name="n_clusters")
        check_at_least(self.n_neighbors, 1, name="n_neighbors")
        check_at_least(self.min_cluster_size, 2, name="min_cluster_size")
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
