"""Means and variances of columns, in one pass over the rows and in mergeable pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.floating]

BLOCK_ROWS = 4096
"""Rows that are held in float64 at a time: 25 MB at 768 dimensions."""


def row_blocks(X: NDArray[np.generic], rows: int = BLOCK_ROWS) -> Iterator[tuple[int, FloatArray]]:
    """Walk over the rows of an array in blocks, each checked to be finite.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), any real dtype
        May be a memory-mapped file larger than memory.
    rows : int
        Rows in a block.

    Yields
    ------
    start : int
        The position of the block's first row.
    block : ndarray of shape (<= rows, n_columns), float32 or float64
        Half precision, integers and booleans arrive as float32, float64 and float64.

    Raises
    ------
    ValueError
        If a row holds NaN or an infinite value; the message names the row.
    """
    if np.issubdtype(X.dtype, np.floating) and X.dtype.itemsize <= 4:
        dtype: type[np.floating] = np.float32
    else:
        dtype = np.float64
    for start in range(0, X.shape[0], rows):
        block = np.asarray(X[start : start + rows], dtype=dtype)
        # A sum is finite when all its terms are, and takes no memory.
        if not np.isfinite(block.sum(dtype=np.float64)):
            bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
            if bad.size:
                value = block[bad[0]][~np.isfinite(block[bad[0]])][0]
                kind = "NaN" if np.isnan(value) else "infinity"
                raise ValueError(
                    f"Input contains {kind}, first in row {start + int(bad[0])}. "
                    "Remove or re-embed that document."
                )
        yield start, block


class Moments:
    """Count, mean and centred sum of squares of each column.

    Blocks are combined by the update of Chan, Golub and LeVeque [1]_, so the result does
    not depend on how the rows were divided, up to rounding in float64. Values are taken
    relative to the first row seen, which makes a constant column's variance exactly zero.

    Attributes
    ----------
    count : int
        Rows seen.
    mean : ndarray of shape (n_columns,), float64
    sum_of_squares : ndarray of shape (n_columns,), float64
        Sum over the rows of the squared distance to the mean.

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
