"""Truncated embeddings -> selected dimensions: a scikit-learn selector in UMAP's place."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted

from bertopic_matryoshka._constraints import Constraint, check_arguments, flag, number, whole
from bertopic_matryoshka._validation import row_blocks, validated
from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.selection._criteria import CRITERIA, STREAMED, Criterion
from bertopic_matryoshka.selection._moments import Moments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


WIDTH = whole(1, none=True, remedy="None keeps all that vary.")
SHARE = number("(0, 1]", none=True, remedy="A float is a share; pass an int for a number.")
CRITERION = Constraint(
    f"one of {', '.join(sorted(CRITERIA))} or a callable",
    f"one of {', '.join(sorted(CRITERIA))} or a callable",
    lambda value: isinstance(value, str) or callable(value),
    lambda value: not isinstance(value, str) or value in CRITERIA,
)


def near_zero_mask(variances: NDArray[np.float64], near_zero: float) -> NDArray[np.bool_]:
    """Mark the dimensions whose standard deviation is at most `near_zero` times the median one.

    Parameters
    ----------
    variances : ndarray of shape (n_dims,)
    near_zero : float
        Share of the median standard deviation, in [0, 1). At 0 only constant dimensions are marked.

    Returns
    -------
    mask : ndarray of shape (n_dims,), bool
    """
    deviations = np.sqrt(variances)
    mask: NDArray[np.bool_] = deviations <= near_zero * np.median(deviations)
    return mask


class DimensionSelector(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """Keep the most informative dimensions of embeddings and drop the near-zero ones.

    Takes UMAP's place in BERTopic: ``BERTopic(umap_model=DimensionSelector())``. It is
    deterministic. Fitting with a named criterion reads the rows block by block, so that a
    memory-mapped array may be larger than memory.

    Parameters
    ----------
    n_features_to_select : int, float or None, default=None
        Number of dimensions to keep. None keeps all but the near-zero ones; an int in
        [1, n_dims] keeps that many; a float in (0, 1] keeps that share of the width.
    criterion : {"variance", "laplacian"} or callable, default="variance"
        Score that ranks the dimensions, higher is better. "variance" is the variance over the
        documents; "laplacian" divides it by the variance within neighbourhoods of documents, see
        `bertopic_matryoshka.selection`. A callable takes the embeddings, ndarray of shape
        (n_documents, n_dims), and returns scores of shape (n_dims,). Equal scores are ranked by
        position.
    near_zero : float, default=0.1
        A dimension is near-zero when its standard deviation is at most this share, in [0, 1), of
        the median one. Older models have such dimensions: all-mpnet-base-v2 has four,
        all-MiniLM-L6-v2 three.
    normalize : bool, default=True
        Whether to give the rows unit length after selection, so that Euclidean distance orders them
        as cosine does. A row that is zero in all the kept dimensions stays zero.
    update_support : bool, default=False
        Whether ``partial_fit`` chooses the dimensions anew from all rows seen so far. By default
        its first batch chooses, or an earlier ``fit``, see Notes.

    Attributes
    ----------
    variances_ : ndarray of shape (n_features_in_,), float64
        Population variance of each dimension over all rows seen.
    scores_ : ndarray of shape (n_features_in_,), float64
        The criterion's score of each dimension when `support_` was chosen.
    near_zero_ : ndarray of shape (n_near_zero,), int
        Indices of the near-zero dimensions, ascending.
    support_ : ndarray of shape (n_features_in_,), bool
        Mask of the dimensions that are kept.
    n_features_in_ : int
        Width of the embeddings seen in fit.
    n_samples_seen_ : int
        Number of rows seen by fit, and by partial_fit since.

    See Also
    --------
    inspect_dimensions : A table and a figure of the near-zero dimensions.
    sklearn.feature_selection.VarianceThreshold : Threshold in absolute variance.

    Notes
    -----
    ``partial_fit`` updates `variances_`, `near_zero_` and `n_samples_seen_` with each batch.
    `support_` and `scores_` stay as the first batch left them, because topics that were found in
    some dimensions cannot be extended in others; BERTopic.partial_fit works in this way. To choose
    from a whole stream, pass it to ``partial_fit`` of a ``DimensionSelector(update_support=True)``,
    then set ``update_support=False`` by ``set_params`` and go on.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import DimensionSelector
    >>> X = np.array([[0.0, 2.0, 0.5], [0.0, 1.0, 0.25], [0.0, 3.0, 0.5]])
    >>> selector = DimensionSelector(normalize=False).fit(X)
    >>> selector.near_zero_
    array([0])
    >>> DimensionSelector(1, normalize=False).fit_transform(X).ravel()
    array([2., 1., 3.])
    """

    def __init__(
        self,
        n_features_to_select: float | None = None,
        *,
        criterion: str | Criterion = "variance",
        near_zero: float = 0.1,
        normalize: bool = True,
        update_support: bool = False,
    ) -> None:
        self.n_features_to_select = n_features_to_select
        self.criterion = criterion
        self.near_zero = near_zero
        self.normalize = normalize
        self.update_support = update_support

    def fit(self, X: ArrayLike, y: object = None) -> DimensionSelector:  # noqa: ARG002
        """Choose the dimensions from all rows at once.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dims)
            Embeddings in half, single or double precision; may be memory-mapped.
        y : None
            Ignored; scikit-learn and BERTopic pass it.

        Returns
        -------
        self : DimensionSelector

        Raises
        ------
        TypeError
            If `n_features_to_select` is not a number.
        ValueError
            If a parameter is out of range, a row is not finite, a score is NaN, there is only one
            row, all dimensions are constant, or `n_features_to_select` is more than those that are
            not near-zero.
        """
        check_selector(self)
        rows = self._validate(X, reset=True, ensure_min_samples=2)
        moments = Moments.of(rows)
        self._set_moments(moments)
        self._choose(rows, moments)
        return self

    def partial_fit(self, X: ArrayLike, y: object = None) -> DimensionSelector:  # noqa: ARG002
        """Update with another batch of rows; see Notes for when the dimensions are chosen.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dims)
        y : None
            Ignored.

        Returns
        -------
        self : DimensionSelector

        Raises
        ------
        TypeError, ValueError
            As :meth:`fit`, or if `criterion` is not "variance".
        """
        check_selector(self)
        if self.criterion not in STREAMED:
            raise ValueError(
                f"criterion={self.criterion!r} needs all rows at once and cannot be streamed. "
                f"Use fit, or one of {sorted(STREAMED)}."
            )
        first = not hasattr(self, "n_samples_seen_")
        rows = self._validate(X, reset=first, ensure_min_samples=1)
        moments = Moments(rows.shape[1])
        if not first:
            moments.count = self.n_samples_seen_
            moments.mean, moments.sum_of_squares = self.means_, self._sum_of_squares
        moments.merge(Moments.of(rows))
        self._set_moments(moments)
        if first or self.update_support:
            self._choose(None, moments)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Reduce embeddings to the kept dimensions.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dims)

        Returns
        -------
        selected : ndarray of shape (n_documents, n_selected), float32 or float64
            Unit rows if `normalize`. Half precision becomes float32; float32 and float64 stay.
        """
        check_is_fitted(self)
        rows = self._validate(X, reset=False, ensure_min_samples=1)
        columns = np.flatnonzero(self.support_)
        selected = None
        for start, block in row_blocks(rows):
            kept = block[:, columns]
            if selected is None:
                selected = np.empty((rows.shape[0], columns.size), dtype=kept.dtype)
            selected[start : start + kept.shape[0]] = unit_rows(kept) if self.normalize else kept
        assert selected is not None  # noqa: S101  (there is at least one row)
        return selected

    def _validate(self, X: ArrayLike, *, reset: bool, ensure_min_samples: int) -> Any:
        # Finiteness is checked block by block, in the same pass as everything else.
        return validated(self, X, reset=reset, in_blocks=True, min_rows=ensure_min_samples)

    def _set_moments(self, moments: Moments) -> None:
        self.n_samples_seen_ = moments.count
        self.means_ = moments.mean
        self._sum_of_squares = moments.sum_of_squares
        self.variances_ = moments.variance
        self.near_zero_ = np.flatnonzero(near_zero_mask(self.variances_, self.near_zero))

    def _choose(self, X: NDArray[np.floating] | None, moments: Moments) -> None:
        """Set `scores_` and `support_`."""
        if self.criterion == "variance":
            scores = moments.variance  # already computed
        else:
            assert X is not None  # noqa: S101  (partial_fit refuses what needs the rows)
            criterion = self.criterion if callable(self.criterion) else CRITERIA[self.criterion]
            scores = np.asarray(criterion(X), dtype=np.float64)
        if scores.shape != self.variances_.shape or np.isnan(scores).any():
            raise ValueError(
                f"criterion={self.criterion!r} gave {int(np.isnan(scores).sum())} NaN among scores "
                f"of shape {scores.shape}; it must give one score, which may be infinite, for each "
                f"of the {self.n_features_in_} dimensions."
            )
        self.scores_ = scores
        n_varying = self.n_features_in_ - self.near_zero_.size
        wanted = self._n_wanted(n_varying)
        ranked = np.argsort(-scores, kind="stable")
        varying = ranked[~np.isin(ranked, self.near_zero_)]
        self.support_ = np.zeros(self.n_features_in_, dtype=bool)
        self.support_[varying[:wanted]] = True

    def _n_wanted(self, n_varying: int) -> int:
        n = self.n_features_to_select
        if n_varying == 0:
            raise ValueError(
                f"No feature in X varies: all {self.n_features_in_} dimensions are constant over "
                f"the {self.n_samples_seen_} rows. Are all documents the same, or empty?"
            )
        if n is None:
            return n_varying
        share = round(float(n) * self.n_features_in_)
        wanted: int = int(n) if isinstance(n, Integral) else max(1, share)
        if wanted > n_varying:
            named = ", ".join(map(str, self.near_zero_)) or "none"
            raise ValueError(
                f"n_features_to_select={n} asks for {wanted} dimensions, but only {n_varying} of "
                f"{self.n_features_in_} vary; near-zero: {named}. Ask for at most {n_varying}, or "
                "for None, which keeps all that vary."
            )
        return wanted

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        support: NDArray[np.bool_] = self.support_
        return support

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def check_selector(selector: DimensionSelector) -> None:
    """Check those parameters that do not depend on the rows."""
    n = selector.n_features_to_select
    check_arguments(
        vars(selector),
        n_features_to_select=WIDTH if isinstance(n, Integral) else SHARE,
        criterion=CRITERION,
        near_zero=number(
            "[0, 1)",
            remedy="It is a share of the median standard deviation; 0 drops constant "
            "dimensions only.",
        ),
        normalize=flag(),
        update_support=flag(),
    )
