"""New rows -> the clusters of the rows of a fit that are their nearest neighbours."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from bertopic_matryoshka.clustering._membership import weighted_shares
from bertopic_matryoshka.clustering._outliers import Typicality
from bertopic_matryoshka.clustering._parameters import neighbors_of_each
from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.neighbors import NeighborIndex

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SCALE = tuple(field.name for field in fields(Typicality))
"""Arrays by which new rows are scored beside those of the fit."""


EQUAL = 1 - 1e-6
"""Cosine similarity below which rows of unit length in single precision are not equal."""


class NeighborPredictor:
    """Methods of LeidenClustering that assign new rows; the fitted arrays are its own."""

    n_neighbors: int | None
    min_membership: float
    method: str
    device: str | None
    n_clusters_: int
    _fit_rows: NDArray[np.floating]
    _fit_labels: NDArray[np.int_]
    _outlier_bound: float
    _copy_radii: NDArray[np.float64]

    def predict(self, X: ArrayLike) -> NDArray[np.int_]:
        """Assign new rows to the cluster with the largest share of their neighbours.

        A row of the fit gets the label that it has, and so does a new row that is as near to one as
        the copies of that one are. What a row gets does not depend on the other rows.

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
        unit, directed, found, similarities = self._neighbors(X)
        shares = self._shares(unit, directed, found, similarities)
        if self.n_clusters_ == 0:
            return np.full(len(shares), -1), np.zeros(len(shares))
        labels, strengths = shares.argmax(axis=1), shares.max(axis=1)
        sure = (strengths > 0) & (strengths >= self.min_membership)
        if hasattr(self, "_outlier_bound") and directed.size:
            scale = Typicality(*(getattr(self, f"_outlier_{name}") for name in SCALE))
            score = scale.score_new(unit[directed], labels[directed], found, similarities)
            sure[directed] &= score > self._outlier_bound
        labels = np.where(sure, labels, -1)
        repeated = self._repeated(unit[directed], found, similarities)
        known = directed[repeated >= 0]
        labels[known] = self._fit_labels[repeated[repeated >= 0]]
        strengths[known] = shares[known, labels[known]]
        return labels, np.where(labels >= 0, strengths, 0.0)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Share of new rows' neighbours in each cluster, weighted by similarity.

        A row of the fit is among its own neighbours. Its largest share need not be that of its
        label.

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
        unit : ndarray of shape (n_samples, n_features)
        directed : ndarray of shape (n_directed,), int
            The rows that have neighbours.
        found : ndarray of shape (n_directed, k), int
        similarities : ndarray of shape (n_directed, k)
        """
        check_is_fitted(self)
        unit = unit_rows(validate_data(self, X, reset=False, dtype=[np.float32, np.float64]))
        directed = np.flatnonzero(unit.any(axis=1))
        n_rows = self._fit_rows.shape[0]
        k = min(neighbors_of_each(self.n_neighbors, n_rows), n_rows)
        if directed.size == 0 or k == 0:
            return unit, directed[:0], np.empty((0, k), np.int64), np.empty((0, k))
        index = vars(self).get("_index")  # not there if it was loaded
        if index is None or (index.method, index.device) != (self.method, self.device):
            self._reset_index()
        return unit, directed, *self._index.search(k, unit[directed])

    def _reset_index(self) -> None:
        """Let the next search be among the rows that there are now."""
        self._index = NeighborIndex(self._fit_rows, method=self.method, device=self.device)

    def _shares(
        self,
        unit: NDArray[np.floating],
        directed: NDArray[np.int_],
        found: NDArray[Any],
        similarities: NDArray[Any],
    ) -> NDArray[np.float64]:
        """Share of new rows' neighbours in each cluster; takes what _neighbors gives."""
        shares = np.zeros((unit.shape[0], self.n_clusters_))
        if directed.size:
            labels = self._fit_labels[found]
            shares[directed] = weighted_shares(labels, similarities, self.n_clusters_)
        return shares

    def _repeated(
        self,
        unit: NDArray[np.floating],
        found: NDArray[Any],
        similarities: NDArray[Any],
    ) -> NDArray[np.int_]:
        """Find the row of the fit that each row is or repeats, -1 for none, among its neighbours.

        An equal row comes first, then the nearest, if it is within the radius of its copies.
        """
        repeated = np.full(unit.shape[0], -1)
        if found.size == 0:
            return repeated
        if hasattr(self, "_copy_radii"):  # not if it was fitted by an earlier version
            radii = self._copy_radii[found[:, 0]]
            near = (radii > 0) & (1 - similarities[:, 0] <= radii)
            repeated[near] = found[near, 0]
        # Several rows may be as near as rounding can tell.
        for column in range(found.shape[1] - 1, -1, -1):
            close = np.flatnonzero(similarities[:, column] >= EQUAL)
            names = found[close, column]
            equal = (self._fit_rows[names] == unit[close]).all(axis=1)
            repeated[close[equal]] = names[equal]
        return repeated
