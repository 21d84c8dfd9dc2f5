"""Embeddings -> truncated embeddings: the first dimensions, as rows of unit length."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np

from bertopic_matryoshka._validation import check_dim, embeddings_array, named_rows
from bertopic_matryoshka.exceptions import TruncationWarning

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike, NDArray

FloatArray = TypeVar("FloatArray", bound="NDArray[np.floating]")

SMALL, LARGE = 1e-30, 1e150
"""Between these lengths neither float32 rows nor the squares of float64 rows lose digits."""


def row_lengths(X: NDArray[np.floating]) -> NDArray[np.float64]:
    """Euclidean length of each row, summed in float64.

    Raises
    ------
    ValueError
        If a row holds NaN or an infinite value; the message names the first such row.
    """
    with np.errstate(over="ignore"):
        lengths: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
    # Of these rows the squares may be 0 or infinite where the values are not.
    extreme = np.flatnonzero(~((lengths > SMALL) & (lengths < LARGE)))
    if extreme.size:
        scales, rows = _scaled(X[extreme])
        _check_finite(np.isfinite(scales), extreme)
        with np.errstate(
            over="ignore"
        ):  # as long as float64 goes: infinite, but still divided right
            lengths[extreme] = scales * np.linalg.norm(rows, axis=1)
    return lengths


def unit_rows(X: FloatArray, lengths: NDArray[np.float64] | None = None) -> FloatArray:
    """Divide each row by its Euclidean length; a zero row stays zero.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_dims), float32 or float64
    lengths : ndarray of shape (n_rows,), default=None
        The rows' lengths, where they are known.

    Returns
    -------
    unit : ndarray of the same shape and dtype
    """
    lengths = row_lengths(X) if lengths is None else lengths
    divisors = np.where(lengths == 0, 1, lengths)[:, None]
    unit: FloatArray = np.divide(X, divisors, dtype=X.dtype, casting="same_kind")
    extreme = np.flatnonzero((lengths > 0) & ~((lengths > SMALL) & (lengths < LARGE)))
    if extreme.size:
        rows = _scaled(X[extreme])[1]
        unit[extreme] = rows / np.linalg.norm(rows, axis=1)[:, None]
    return unit


def _scaled(X: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Divide each row by its largest absolute value: these values, and the rows in float64."""
    rows = X.astype(np.float64)
    scales = np.abs(rows).max(axis=1, initial=0)
    with np.errstate(invalid="ignore"):  # infinite values, which the caller finds in the scales
        return scales, rows / np.where(scales == 0, 1, scales)[:, None]


@overload
def truncate(embeddings: torch.Tensor, dim: int) -> torch.Tensor: ...
@overload
def truncate(embeddings: ArrayLike, dim: int) -> NDArray[np.floating]: ...
def truncate(embeddings: torch.Tensor | ArrayLike, dim: int) -> torch.Tensor | NDArray[np.floating]:
    """Truncate embeddings to their first dimensions and renormalise the rows.

    Documents encoded once at full width can thus be compared at every width. MatryoshkaBackend
    truncates in the same way: both agree to 1e-6.

    Parameters
    ----------
    embeddings : array-like or Tensor of shape (n_documents, n_dims)
        In half, single or double precision. Never changed.
    dim : int
        Number of leading dimensions to keep, from 1 to n_dims.

    Returns
    -------
    truncated : ndarray or Tensor of shape (n_documents, dim)
        Unit rows; an array for an array, a tensor on the same device for a tensor. Half
        precision becomes float32; float32 and float64 stay.

    Raises
    ------
    TypeError
        If `dim` is not an int.
    ValueError
        If `dim` is out of range, `embeddings` is not two-dimensional, or a row holds NaN or an
        infinite value; the message names the row.

    Warns
    -----
    TruncationWarning
        If rows are zero in the kept dimensions; they stay zero. The message names them.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import truncate
    >>> truncate(np.array([[3.0, 4.0, 12.0]]), 2)
    array([[0.6, 0.8]])
    """
    torch = sys.modules.get("torch")  # whoever passes a tensor has imported it
    if torch is not None and isinstance(embeddings, torch.Tensor):
        return _truncate_tensor(embeddings, dim)
    cut, zero = cut_rows(embeddings_array(embeddings), dim)
    warn_of_zero_rows(zero, dim)
    return cut


def cut_rows(X: NDArray[np.floating], dim: int) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Truncate an array as :func:`truncate` does; return which rows are zero, without a warning."""
    dim = _check_cut(X.shape, dim)
    cut = np.asarray(X[:, :dim], dtype=np.float64 if X.dtype == np.float64 else np.float32)
    lengths = row_lengths(cut)
    return unit_rows(cut, lengths), lengths == 0


def permutation_of(full_dim: int, seed: int) -> NDArray[np.intp]:
    """Draw the order of a permuted backend's dimensions, of shape (full_dim,)."""
    return np.random.default_rng(seed).permutation(full_dim)


def _truncate_tensor(embeddings: torch.Tensor, dim: int) -> torch.Tensor:
    import torch

    dim = _check_cut(tuple(embeddings.shape), dim)
    if embeddings.is_complex():
        raise TypeError(f"embeddings is of dtype {embeddings.dtype} and must hold real numbers.")
    cut = embeddings[:, :dim]
    if cut.dtype != torch.float64:
        cut = cut.float()
    scales = cut.abs().amax(dim=1, keepdim=True)  # no square of a scaled row is too small or large
    finite = torch.isfinite(scales[:, 0]).numpy(force=True)
    _check_finite(finite, np.arange(len(finite)))
    zero = scales == 0
    warn_of_zero_rows(zero[:, 0].numpy(force=True), dim)
    scaled = cut / torch.where(zero, 1.0, scales)
    lengths = torch.linalg.vector_norm(scaled, dim=1, keepdim=True, dtype=torch.float64)
    return scaled / torch.where(zero, 1.0, lengths).to(cut.dtype)


def _check_cut(shape: tuple[int, ...], dim: int) -> int:
    if len(shape) != 2:
        raise ValueError(
            f"embeddings has shape {shape} and must be two-dimensional, "
            "(n_documents, n_dims). Pass embeddings[None] to cut a single one."
        )
    return check_dim(dim, shape[1], of="the embeddings", name="dim")


def _check_finite(finite: NDArray[np.bool_], rows: NDArray[np.intp]) -> None:
    """Check rows; `rows` are their positions."""
    if not finite.all():
        raise ValueError(
            f"{int((~finite).sum())} rows of the embeddings hold NaN or infinite values, the "
            f"first is row {int(rows[~finite][0])}. Re-embed or remove those documents."
        )


def warn_of_zero_rows(zero: NDArray[np.bool_], dim: int) -> None:
    """Warn if rows are marked as zero, with their numbers, on behalf of the caller's caller."""
    if zero.any():
        warnings.warn(
            f"{int(zero.sum())} rows are zero in the first {dim} dimensions and stay zero: they "
            f"have no direction to compare. {named_rows(zero)} Are those documents empty?",
            TruncationWarning,
            stacklevel=3,
        )
