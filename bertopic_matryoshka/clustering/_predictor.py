"""New rows -> the clusters of the rows of a fit that are their nearest neighbours."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from bertopic_matryoshka._validation import validated
from bertopic_matryoshka.clustering._membership import weighted_shares
from bertopic_matryoshka.clustering._outliers import Typicality
from bertopic_matryoshka.clustering._parameters import neighbors_of_each
from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.neighbors import MIN_DIMS, ROUNDING, NeighborIndex, SearchLists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

SCALE = tuple(field.name for field in fields(Typicality))
"""Arrays by which new rows are scored beside those of the fit."""

LISTS = tuple(f"_lists_{name}" for name in SearchLists._fields)


class NeighborPredictor:
    """Methods of LeidenClustering that assign new rows; the fitted arrays are its own."""

    n_neighbors: int | None
    min_membership: float
    method: str
    device: str | Sequence[str] | None
    n_clusters_: int
    _fit_rows: NDArray[np.floating]
    _fit_labels: NDArray[np.int_]
    _outlier_bound: float
    _copy_rows: NDArray[np.floating]
    _copy_groups: NDArray[np.int_]

    def predict(self, X: ArrayLike) -> NDArray[np.int_]:
        """Assign new rows to the cluster with the largest share of their neighbours.

        A row of the fit gets the label that it has, rounding of its embedding aside. What a row
        gets does not depend on the other rows.

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
        unit = unit_rows(validated(self, X, reset=False))
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
        """Let the next search be among the rows that there are now, and among their near copies."""
        index_of = partial(NeighborIndex, method=self.method, device=self.device)
        kept: Any = [vars(self).get(name) for name in LISTS]
        lists = None if kept[-1] is None else SearchLists(*kept)
        self._index = index_of(self._fit_rows, lists=lists)
        # Not there in the fit of an earlier version.
        self._copy_index = index_of(getattr(self, "_copy_rows", self._fit_rows[:0]))

    def _keep_lists(self, lists: SearchLists | None) -> None:
        """Keep what a search among the rows of the fit begins with, as arrays that can be saved."""
        for name, value in zip(LISTS, lists or (None,) * len(LISTS), strict=True):
            setattr(self, name, value)

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
        """Find the row of the fit that each row is, or whose near copy it is; -1 for none."""
        repeated = np.full(unit.shape[0], -1)
        if found.size == 0 or not hasattr(self, "_copy_rows"):  # fitted by an earlier version
            return repeated
        if unit.shape[1] >= MIN_DIMS:  # in fewer, other rows are as near
            near = similarities[:, 0] >= 1 - ROUNDING
            repeated[near] = found[near, 0]
        for column in range(found.shape[1] - 1, -1, -1):
            close = np.flatnonzero(similarities[:, column] >= 1 - ROUNDING)
            names = found[close, column]
            equal = (self._fit_rows[names] == unit[close]).all(axis=1)
            repeated[close[equal]] = names[equal]
        others = np.flatnonzero(repeated < 0)
        if others.size and len(self._copy_rows):
            nearest, similar = self._copy_index.search(1, unit[others])
            same = similar[:, 0] >= 1 - ROUNDING
            repeated[others[same]] = self._copy_groups[nearest[same, 0]]
        return repeated
