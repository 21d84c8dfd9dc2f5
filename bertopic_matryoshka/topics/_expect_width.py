"""A reducer -> the same reducer, for embeddings of its backend's width only."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from bertopic_matryoshka._constraints import Constraint, check_arguments, whole
from bertopic_matryoshka._validation import real_array

if TYPE_CHECKING:
    from numpy.typing import NDArray


REDUCER = Constraint(
    "an estimator with fit and transform, such as DimensionSelector()",
    "",
    lambda value: (
        not isinstance(value, type)
        and (hasattr(value, "fit_transform") or {"fit", "transform"} <= set(dir(value)))
    ),
    lambda _: True,
)


class ExpectWidth(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A reducer that rejects embeddings whose width differs from the backend's.

    BERTopic fits precomputed embeddings of any width and fails, or compares wrong vectors, only
    when the backend embeds the next document. The check is in the reducer, the first step that
    gets the embeddings.

    Parameters
    ----------
    reducer : estimator with fit and transform
        Wrapped reducer. It is never changed: ``fit`` fits a clone, and ``partial_fit`` updates a
        copy, which goes on where the reducer was.
    width : int
        Width of the backend's embeddings.

    Attributes
    ----------
    reducer_ : estimator
        Fitted clone of `reducer`. Its attributes can be read from the wrapper, as in
        ``topic_model.umap_model.support_``.

    Raises
    ------
    ValueError
        In its methods, if the embeddings are not of shape (n_documents, width).

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import DimensionSelector, ExpectWidth
    >>> ExpectWidth(DimensionSelector(), 256).fit(np.eye(768))
    Traceback (most recent call last):
    ValueError: The documents' embeddings are 768 wide but the backend produces 256. ...
    """

    def __init__(self, reducer: Any, width: int) -> None:
        self.reducer = reducer
        self.width = width

    def fit(self, X: NDArray[np.floating], y: Any = None) -> ExpectWidth:
        """Check the width of X, of shape (n_documents, width), and fit a clone of the reducer."""
        self._check(X)
        self.reducer_ = clone(self.reducer, safe=False).fit(X, y)
        return self

    def fit_transform(self, X: NDArray[np.floating], y: Any = None) -> Any:
        """Check the width of X, fit a clone of the reducer and reduce X."""
        self._check(X)
        self.reducer_ = clone(self.reducer, safe=False)
        if hasattr(self.reducer_, "fit_transform"):
            return self.reducer_.fit_transform(X, y)
        return self.reducer_.fit(X, y).transform(X)

    @available_if(lambda self: hasattr(self.reducer, "partial_fit"))  # type: ignore[untyped-decorator]
    def partial_fit(self, X: NDArray[np.floating], y: Any = None) -> ExpectWidth:
        """Check the width of a batch and update the copy of the reducer with it.

        Raises
        ------
        ValueError
            Also if a row of a later batch is zero and none was before: it would be the first
            outlier, and BERTopic would then mix up the words of all topics.
        """
        self._check(X)
        zero = np.flatnonzero(~np.any(X, axis=1))
        if "reducer_" not in vars(self):
            self.reducer_ = copy.deepcopy(self.reducer)
            self.has_zero_rows_ = bool(zero.size)
        elif zero.size and not getattr(self, "has_zero_rows_", False):
            raise ValueError(
                f"{zero.size} embeddings of this batch are zero, the first that of document "
                f"{zero[0]}: no word of it is known. They would be the first outliers, which "
                "BERTopic's partial_fit can only take from the first batch on. Leave them out."
            )
        self.reducer_.partial_fit(X, y)
        return self

    def transform(self, X: NDArray[np.floating]) -> Any:
        """Check the width of X and reduce it."""
        self._check(X)
        check_is_fitted(self, "reducer_")
        return self.reducer_.transform(X)

    def __getattr__(self, name: str) -> Any:
        # Called only for attributes not found here. During unpickling there is no reducer yet.
        held = vars(self)
        if name.startswith("__") or name == "reducer_" or "reducer" not in held:
            raise AttributeError(name)
        return getattr(held.get("reducer_", held["reducer"]), name)

    def _check(self, X: NDArray[np.floating]) -> None:
        check_arguments(vars(self), reducer=REDUCER, width=whole(1))
        shape = X.shape if hasattr(X, "shape") else real_array(X, "X").shape
        if len(shape) != 2 or shape[1] != self.width:
            found = f"{shape[1]} wide" if len(shape) == 2 else f"of shape {shape}"
            raise ValueError(
                f"The documents' embeddings are {found} but the backend produces {self.width}. "
                "Embed them with this backend; cut them with truncate(embeddings, "
                f"{self.width}) if they come from the same model; or build the backend with "
                "their truncate_dim."
            )
