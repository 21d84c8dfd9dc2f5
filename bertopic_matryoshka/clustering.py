"""Selected embeddings -> clusters: communities of the nearest-neighbour graph, by Leiden."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from bertopic_matryoshka.merging import membership
from bertopic_matryoshka.neighbors import METHODS, nearest_neighbors
from bertopic_matryoshka.partition import at_resolution, in_number
from bertopic_matryoshka.truncation import unit_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class LeidenClustering(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Clusters of the cosine nearest-neighbour graph: Leiden communities, merged and settled.

    Takes HDBSCAN's place in BERTopic: ``BERTopic(umap_model=DimensionSelector(),
    hdbscan_model=LeidenClustering())``. It needs no UMAP before it, calls no document an outlier
    unless asked to, and gives the same labels for the same rows in any order.

    Parameters
    ----------
    n_clusters : int or None, default=None
        How many clusters to find. None takes what `resolution` gives.
    resolution : float, default=1.0
        How fine the clusters are, > 0: more for a larger value. Relative to the graph's density,
        so that it needs no tuning for the number of rows. Not used where `n_clusters` is given.
    n_neighbors : int, default=15
        Neighbours of each row in the graph.
    min_cluster_size : int, default=10
        Core rows that make a cluster, >= 2; core rows have at least half of their neighbours in
        their cluster. The rows of smaller ones go to the clusters of their neighbours.
    min_membership : float, default=0.0
        Rows with a smaller share, in [0, 1], of their neighbours in their own cluster become
        outliers. 0 makes none but rows that no path in the graph joins to a cluster.
    random_state : int, RandomState or None, default=0
        Seed of the Leiden algorithm.
    method : {"auto", "exact", "approximate"}, default="auto"
        How neighbours are found, see nearest_neighbors.
    device : str or None, default=None
        Where they are found; None takes a GPU where there is one.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,), int
        Cluster of each row, 0 for the largest; -1 for outliers. A zero row is an outlier.
    probabilities_ : ndarray of shape (n_samples,), float64, in [0, 1]
        Share of a row's neighbours in its own cluster, 0 for outliers.
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
        random_state: int | np.random.RandomState | None = 0,
        method: str = "auto",
        device: str | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.resolution = resolution
        self.n_neighbors = n_neighbors
        self.min_cluster_size = min_cluster_size
        self.min_membership = min_membership
        self.random_state = random_state
        self.method = method
        self.device = device

    def fit(self, X: ArrayLike, y: object = None) -> LeidenClustering:  # noqa: ARG002
        """Find the communities of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows are compared by cosine.
        y : None
            Ignored.

        Returns
        -------
        self : LeidenClustering

        Raises
        ------
        TypeError, ValueError
            If a parameter is of the wrong kind or out of range, or `n_clusters` are more than the
            rows can make.

        Warns
        -----
        RuntimeWarning
            If fewer than `n_clusters` clusters of sufficient size were found.
        """
        self._check_parameters()
        rows = unit_rows(self._validate(X, reset=True))
        # In an order that the rows' values decide, so that shuffled rows give the same labels.
        order = np.lexsort(rows[:, :4].T)
        order = order[rows[order].any(axis=1)]  # zero rows have no direction
        self._fit_rows = rows[order]
        graph = self._graph(self._fit_rows)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        found = self._clusters(graph, seed)
        strength = membership(graph, found)
        keep = (found >= 0) & (strength >= self.min_membership)
        self._fit_labels = _by_size(np.where(keep, found, -1))
        self.labels_ = np.full(rows.shape[0], -1)
        self.labels_[order] = self._fit_labels
        self.probabilities_ = np.zeros(rows.shape[0])
        self.probabilities_[order] = np.where(keep, strength, 0.0)
        self.n_clusters_ = int(self._fit_labels.max(initial=-1)) + 1
        if self.n_clusters is not None and self.n_clusters_ < self.n_clusters:
            warnings.warn(
                f"n_clusters={self.n_clusters}, but only {self.n_clusters_} clusters of at least "
                f"min_cluster_size={self.min_cluster_size} rows were found. Ask for fewer, or "
                "lower min_cluster_size.",
                RuntimeWarning,
                stacklevel=2,
            )
        return self

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
        check_is_fitted(self)
        rows = self._validate(X, reset=False)
        labels, strengths = np.full(rows.shape[0], -1), np.zeros(rows.shape[0])
        directed = np.flatnonzero(rows.any(axis=1))
        if directed.size == 0 or self._fit_rows.shape[0] == 0:
            return labels, strengths
        indices, similarities = nearest_neighbors(
            self._fit_rows,
            min(self.n_neighbors, self._fit_rows.shape[0]),
            queries=rows[directed],
            method="exact",
            device=self.device,
        )
        votes = self._fit_labels[indices] + 1  # (n, k), outliers vote for column 0
        weights = np.maximum(similarities.astype(np.float64), 1e-6)
        cells = np.arange(directed.size)[:, None] * (self.n_clusters_ + 1) + votes
        size = directed.size * (self.n_clusters_ + 1)
        counted = np.bincount(cells.ravel(), weights.ravel(), size).reshape(directed.size, -1)
        counted[:, 0] = 0
        winners = counted.argmax(axis=1)
        share = counted[np.arange(directed.size), winners] / weights.sum(axis=1)
        sure = (share > 0) & (share >= self.min_membership)
        labels[directed] = np.where(sure, winners - 1, -1)
        strengths[directed] = np.where(sure, share, 0.0)
        return labels, strengths

    def _graph(self, rows: NDArray[np.floating]) -> csr_matrix:
        n = rows.shape[0]
        k = min(self.n_neighbors, n - 1)
        if k < 1:
            return csr_matrix((n, n))
        indices, _ = nearest_neighbors(rows, k, method=self.method, device=self.device)
        starts = np.arange(0, n * k + 1, k)
        directed = csr_matrix((np.ones(n * k), indices.ravel(), starts), shape=(n, n))
        graph = directed.maximum(directed.T).tocsr()
        graph.sort_indices()
        return graph

    def _clusters(self, graph: csr_matrix, seed: int) -> NDArray[np.int_]:
        if self.n_clusters is None:
            self.resolution_ = float(self.resolution)
            return at_resolution(graph, self.resolution_, self.min_cluster_size, seed)
        n_samples = graph.shape[0]
        most = n_samples // self.min_cluster_size
        if self.n_clusters > most:
            raise ValueError(
                f"n_clusters={self.n_clusters} with min_cluster_size={self.min_cluster_size} needs "
                f"more rows than n_samples={n_samples}. Ask for at most {most}, or lower "
                "min_cluster_size."
            )
        found, self.resolution_ = in_number(graph, self.n_clusters, self.min_cluster_size, seed)
        return found

    def _check_parameters(self) -> None:
        for name, low in (("n_clusters", 1), ("n_neighbors", 1), ("min_cluster_size", 2)):
            value = getattr(self, name)
            if name == "n_clusters" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Integral):
                raise TypeError(f"{name}={value!r} must be an int.")
            if value < low:
                raise ValueError(f"{name}={value} must be at least {low}.")
        if not (isinstance(self.resolution, Real) and self.resolution > 0):
            raise ValueError(
                f"resolution={self.resolution!r} must be above 0; more gives more clusters."
            )
        if not (isinstance(self.min_membership, Real) and 0 <= self.min_membership <= 1):
            raise ValueError(
                f"min_membership={self.min_membership!r} must be in [0, 1], a share of neighbours."
            )
        if self.method not in METHODS:
            raise ValueError(f"method={self.method!r} must be one of {', '.join(METHODS)}.")

    def _validate(self, X: ArrayLike, *, reset: bool) -> Any:
        return validate_data(self, X, reset=reset, dtype=[np.float32, np.float64])


def _by_size(labels: NDArray[np.int_]) -> NDArray[np.int_]:
    """Give the clusters new numbers by size, largest first; ties by their first row."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    kept = names >= 0
    names, first, sizes = names[kept], first[kept], sizes[kept]
    rank = np.full(int(labels.max(initial=-1)) + 2, -1)  # the last cell is for -1
    rank[names[np.lexsort((first, -sizes))]] = np.arange(names.size)
    return rank[labels]
