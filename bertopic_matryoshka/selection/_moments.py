"""Rows -> means and variances of the columns, in one pass and in mergeable pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka._validation import row_blocks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.floating]


class Moments:
    """Count, mean and centred sum of squares of each column.

    Blocks are combined by the update of Chan, Golub and LeVeque [1]_, so the result does
    not depend on how the rows were divided, up to rounding in float64. Values are taken
    relative to the first row seen, which makes a constant column's variance exactly zero.

    Attributes
    ----------
    count : int
        Number of rows seen.
    mean : ndarray of shape (n_columns,), float64
    sum_of_squares : ndarray of shape (n_columns,), float64
        Sum over the rows of the squared deviation from the mean.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise
       algorithm for computing sample variances", COMPSTAT 1982.
    """

    def __init__(self, n_columns: int) -> None:
        self.count = 0
        self.mean = np.zeros(n_columns)
        self.sum_of_squares = np.zeros(n_columns)

    @classmethod
    def of(cls, X: ArrayLike) -> Moments:
        """Moments of all rows of an array of shape (n_rows, n_columns)."""
        X = np.asarray(X)
        moments = cls(X.shape[1])
        for _, block in row_blocks(X):
            moments.update(block)
        return moments

    @property
    def variance(self) -> NDArray[np.float64]:
        """Population variance of each column (divided by the count), >= 0."""
        return self.sum_of_squares / max(self.count, 1)

    def update(self, block: FloatArray) -> Moments:
        """Add the rows of a block of shape (n_rows, n_columns)."""
        if block.shape[0] == 0:
            return self
        shift = self.mean if self.count else block[0].astype(np.float64)
        shifted = block - shift  # float64
        mean = shifted.mean(axis=0)
        other = Moments(block.shape[1])
        other.count = block.shape[0]
        other.mean = shift + mean
        shifted -= mean
        other.sum_of_squares = np.einsum("ij,ij->j", shifted, shifted)
        return self.merge(other)

    def merge(self, other: Moments) -> Moments:
        """Add the rows that another instance has seen."""
        count = self.count + other.count
        if other.count:
            delta = other.mean - self.mean
            self.mean = (
                self.mean + delta * (other.count / count) if self.count else other.mean.copy()
            )
            if self.count:
                weight = self.count * other.count / count
                self.sum_of_squares = self.sum_of_squares + other.sum_of_squares + delta**2 * weight
            else:
                self.sum_of_squares = other.sum_of_squares.copy()
            self.count = count
        return self
