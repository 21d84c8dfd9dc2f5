"""Embeddings -> axes ordered by how much of the rows they hold: a scikit-learn transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import eigh
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted
from threadpoolctl import threadpool_limits

from bertopic_matryoshka._constraints import check_arguments, flag, seed, whole
from bertopic_matryoshka._validation import row_blocks, unwrapped, validated
from bertopic_matryoshka.embedding._truncate import unit_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SAMPLE_SIZE = 5000
"""Number of rows that a rotation is fitted to by default."""


class PrincipalRotation(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """Rotate embeddings so that their first dimensions say the most.

    The new axes are the right singular vectors of the rows at unit length, largest singular value
    first. Among all choices of k axes, the first k keep the most of the rows' squared length, and
    their inner products approximate those of the full rows best, in the sense of least squares
    [1]_. So any embeddings can be truncated as Matryoshka embeddings are. All axes together lose
    nothing: a rotation changes no inner product.

    The rows are not centred, because cosine similarity is about the origin. It needs no labels.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of axes to keep, from 1 to the number that the rows determine, see `rank_`. None
        keeps all.
    sample_size : int or None, default=5000
        Number of rows drawn at random, >= 1, that ``fit`` uses; all where there are fewer. None
        uses all.
    normalize : bool, default=False
        Whether ``transform`` gives the rows unit length, so that Euclidean distance orders them as
        cosine does. A zero row stays zero.
    random_state : int, RandomState instance or None, default=0
        Seed of the sample.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features_in_), float64
        The axes, orthonormal rows. The entry of largest absolute value of each is positive.
    singular_values_ : ndarray of shape (n_components,), float64, >= 0, descending
        Singular values of the unit rows. Their squares are the squared lengths along each axis,
        summed over the rows.
    rank_ : int
        Number of axes that the rows determine, at most their number. Further axes complete the
        basis, so that nothing is lost; their directions among themselves are arbitrary.
    n_samples_seen_ : int
        Number of rows used by fit, and by partial_fit since; zero rows count.
    n_features_in_ : int
        Width of the embeddings seen in fit.

    See Also
    --------
    MatryoshkaBackend.rotated : A backend that rotates before it truncates.
    sklearn.decomposition.TruncatedSVD : Some of the axes, from all rows in memory.
    sklearn.decomposition.IncrementalPCA : Axes of centred rows.

    Notes
    -----
    The axes are eigenvectors of the Gram matrix of the columns, summed block by block in float64.
    It takes memory for one block and for two matrices of n_features by n_features, also for a
    memory-mapped file. scikit-learn's TruncatedSVD does not serve here: it holds all rows, cannot
    be updated, and gives either some of the axes (ARPACK) or approximate ones (randomized).

    ``partial_fit`` gives the axes of all rows so far, so they move with each batch. Clusters that
    were found on older axes do not move along: to stream, rotate the backend once,
    ``backend.rotated(first_batch)``.

    References
    ----------
    .. [1] C. Eckart, G. Young, "The approximation of one matrix by another of lower rank",
       Psychometrika 1936.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import PrincipalRotation
    >>> X = np.array([[0.6, 0.8], [0.8, 0.6], [1.0, 0.0]])
    >>> rotation = PrincipalRotation().fit(X)
    >>> rotation.transform(X).round(2)
    array([[ 0.93,  0.37],
           [ 1.  ,  0.1 ],
           [ 0.85, -0.52]])
    >>> bool(np.allclose(rotation.inverse_transform(rotation.transform(X)), X))
    True
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
        sample_size: int | None = SAMPLE_SIZE,
        normalize: bool = False,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_components = n_components
        self.sample_size = sample_size
        self.normalize = normalize
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> PrincipalRotation:  # noqa: ARG002
        """Find the axes of a sample of the rows.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dims)
            Embeddings in half, single or double precision; may be memory-mapped. They need not
            have unit length; each row counts as if it had.
        y : None
            Ignored; scikit-learn and BERTopic pass it.

        Returns
        -------
        self : PrincipalRotation

        Raises
        ------
        TypeError
            If `n_components` or `sample_size` is not an int.
        ValueError
            If a parameter is out of range, `n_components` is more than the axes that the rows
            determine, a sampled row is not finite, or all sampled rows are zero.
        """
        self._check_parameters()
        rows = self._validate(X, reset=True)
        sample = None
        if self.sample_size is not None and self.sample_size < rows.shape[0]:
            drawn = check_random_state(self.random_state).choice(
                rows.shape[0], self.sample_size, replace=False
            )
            sample = np.sort(drawn)
        n_rows = rows.shape[0] if sample is None else sample.size
        self._set_axes(_gram(rows, sample), n_rows)
        return self

    def partial_fit(self, X: ArrayLike, y: object = None) -> PrincipalRotation:  # noqa: ARG002
        """Find the axes of all rows so far, with those of another batch; see Notes.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dims)
            All of its rows are used, whatever `sample_size`.
        y : None
            Ignored.

        Returns
        -------
        self : PrincipalRotation

        Raises
        ------
        TypeError, ValueError
            As :meth:`fit`. The rows before are kept.
        """
        self._check_parameters()
        first = not hasattr(self, "n_samples_seen_")
        rows = self._validate(X, reset=first)
        gram, n_rows = _gram(rows, None), rows.shape[0]
        if not first:
            gram, n_rows = self._gram + gram, self.n_samples_seen_ + n_rows
        self._set_axes(gram, n_rows)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Rotate embeddings.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_dims)

        Returns
        -------
        rotated : ndarray of shape (n_documents, n_components), float32 or float64
            Half precision becomes float32; float32 and float64 stay.

        Raises
        ------
        ValueError
            If a row is not finite, or X is of another width than in fit.
        """
        check_is_fitted(self)
        rows = self._validate(X, reset=False)
        rotated = None
        for start, block in row_blocks(rows):
            if rotated is None:
                axes = self.components_.astype(block.dtype)
                rotated = np.empty((rows.shape[0], axes.shape[0]), dtype=block.dtype)
            part = block @ axes.T
            rotated[start : start + part.shape[0]] = unit_rows(part) if self.normalize else part
        assert rotated is not None  # noqa: S101  (there is at least one row)
        return rotated

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Rotate back; what lay along axes that were not kept is zero.

        Parameters
        ----------
        X : array-like of shape (n_documents, n_components)
            Rotated rows.

        Returns
        -------
        embeddings : ndarray of shape (n_documents, n_dims), float32 or float64
            The rows that were rotated, if all axes are kept and `normalize` is False.

        Raises
        ------
        ValueError
            If a value is not finite, or X is of another width than the rotated rows.
        """
        check_is_fitted(self)
        rows = check_array(unwrapped(X, "X"), dtype=[np.float64, np.float32])
        n_axes = self.components_.shape[0]
        if rows.shape[1] != n_axes:
            raise ValueError(
                f"X is {rows.shape[1]} wide, but rotated rows are {n_axes} wide. "
                "Pass what transform gave."
            )
        embeddings: NDArray[np.floating] = rows @ self.components_.astype(rows.dtype)
        return embeddings

    def _check_parameters(self) -> None:
        check_arguments(
            vars(self),
            n_components=whole(1, none=True, remedy="None keeps all axes."),
            sample_size=whole(1, none=True, remedy="None uses all rows."),
            normalize=flag(),
            random_state=seed(state=True),
        )

    def _validate(self, X: ArrayLike, *, reset: bool) -> Any:
        # Finiteness is checked block by block, in the same pass as everything else.
        return validated(self, X, reset=reset, in_blocks=True)

    def _set_axes(self, gram: NDArray[np.float64], n_rows: int) -> None:
        """Set what is learned from the Gram matrix of unit rows, once it is known to be valid."""
        n_dims = gram.shape[0]
        with threadpool_limits(1, "blas"):  # as in _gram
            values, vectors = eigh(gram)  # ascending
        values, axes = values[::-1].clip(min=0), vectors[:, ::-1].T
        # Rounding leaves the eigenvalues of directions without rows at about this size.
        rank = int((values > values[0] * n_dims * np.finfo(np.float64).eps).sum())
        if rank == 0:
            raise ValueError(
                f"All {n_rows} rows are zero and have no direction. Are all documents empty?"
            )
        rank = min(rank, n_rows)
        if self.n_components is not None and self.n_components > rank:
            raise ValueError(
                f"n_components={self.n_components} must be at most {rank}, the number of axes that "
                f"{n_rows} rows of {n_dims} dimensions determine. Keep fewer, or fit to more rows."
            )
        # A singular vector's sign is arbitrary.
        largest = np.abs(axes).argmax(axis=1)
        signs = np.where(axes[np.arange(n_dims), largest] < 0, -1.0, 1.0)
        n_axes = n_dims if self.n_components is None else int(self.n_components)
        self.components_ = np.ascontiguousarray((axes * signs[:, None])[:n_axes])
        self.singular_values_ = np.sqrt(values[:n_axes])
        self.rank_ = rank
        self.n_samples_seen_ = n_rows
        self._gram = gram

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _gram(X: NDArray[np.generic], sample: NDArray[np.intp] | None) -> NDArray[np.float64]:
    """Sum the outer products of the sampled rows at unit length; None takes all rows."""
    gram = np.zeros((X.shape[1], X.shape[1]))
    # On a busy machine, threads that share a product wait for each other: up to 18 times as long
    # was measured. And the sum does not depend on their number.
    with threadpool_limits(1, "blas"):
        for _, block in row_blocks(X, sample=sample):
            unit = unit_rows(block.astype(np.float64))
            gram += unit.T @ unit
    return gram
