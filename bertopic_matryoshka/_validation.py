"""Checks of arguments, with errors that name the value and the remedy."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sized

    from numpy.typing import ArrayLike, NDArray

BLOCK_ROWS = 4096
"""Number of rows held in float64 at a time: 25 MB at 768 dimensions."""


def list_of_strings(documents: Iterable[str]) -> list[str]:
    """Make a list of documents.

    Raises
    ------
    TypeError
        If `documents` is a single string, or an item is not a string; the message gives its
        position.
    """
    if isinstance(documents, str):
        raise TypeError(f"documents={documents[:40]!r} is a single string; pass a list of strings.")
    texts = list(documents)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"documents[{position}]={text!r} is of type {type(text).__name__} and must be a "
                "string. Remove such rows, or replace them by an empty string."
            )
    return texts


def check_enough(documents: Sized, min_topic_size: int) -> None:
    """Check that there are enough documents for one topic."""
    if len(documents) < min_topic_size:
        raise ValueError(
            f"{len(documents)} documents are fewer than one topic needs "
            f"(min_topic_size={min_topic_size}). Add documents or lower min_topic_size."
        )


def check_dim(dim: object, width: int, *, of: str, name: str = "truncate_dim") -> int:
    """Check that `dim` is an int from 1 to `width`; `of` names what has that width.

    Raises
    ------
    TypeError
        If `dim` is not an int.
    ValueError
        If it is out of range; the message names both numbers.
    """
    if isinstance(dim, bool) or not isinstance(dim, (int, np.integer)):
        raise TypeError(f"{name}={dim!r} must be an int, not {type(dim).__name__}.")
    if not 1 <= dim <= width:
        raise ValueError(
            f"{name}={dim} must be between 1 and {width}, the width of {of}. "
            "Choose a smaller prefix or a wider model."
        )
    return int(dim)


def check_at_least(value: object, low: int, *, name: str, remedy: str = "") -> None:
    """Check that a parameter is an int of at least `low`; `remedy` ends the message."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}={value!r} must be an int.")
    if value < low:
        raise ValueError(f"{name}={value} must be at least {low}. {remedy}".rstrip())


def check_labels(labels: ArrayLike | None, n_documents: int) -> NDArray[np.int_] | None:
    """Check that there is a label for each document, and number the classes.

    Parameters
    ----------
    labels : array-like of shape (n_documents,) or None
        None, NaN, NaT, pandas.NA and strings that are empty or white space are missing labels.
        Any other value is a class, including -1.
    n_documents : int

    Returns
    -------
    classes : ndarray of shape (n_documents,), int, or None
        From 0; -1 where the label is missing. None without labels.

    Raises
    ------
    ValueError
        If there is not one label per document, or all are missing.

    Warns
    -----
    RuntimeWarning
        If some are missing; the message counts them.
    """
    if labels is None:
        return None
    import pandas as pd  # takes half a second

    # NumPy would convert a list of strings and NaN to strings.
    given: Any = labels
    cells = np.asarray(given if hasattr(given, "dtype") else pd.Series(list(given), dtype=object))
    if cells.shape != (n_documents,):
        raise ValueError(
            f"labels has shape {cells.shape} and must have shape ({n_documents},), as documents."
        )
    names = [None if isinstance(cell, str) and not cell.strip() else cell for cell in cells]
    classes: NDArray[np.int_] = pd.factorize(pd.Series(names, dtype=object))[0].astype(np.int64)
    n_missing = int((classes < 0).sum())
    if n_missing == n_documents:
        raise ValueError(f"labels holds no label: all {n_documents} are missing. Leave it out.")
    if n_missing:
        warnings.warn(
            f"{n_missing:,} of {n_documents:,} documents have no label. Agreement with the labels "
            "is measured over the others.",
            RuntimeWarning,
            stacklevel=3,
        )
    return classes


def check_embeddings(embeddings: ArrayLike, n_documents: int) -> NDArray[np.floating]:
    """Check that embeddings are two-dimensional, with one row per document."""
    full = np.asarray(embeddings)
    if full.ndim != 2 or full.shape[0] != n_documents:
        raise ValueError(
            f"embeddings has shape {full.shape} and must have one row for each of the "
            f"{n_documents} documents."
        )
    return full


def find_device(device: str | None) -> str:
    """Return `device`, checked; for None, a GPU where there is one, else the CPU."""
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r} is asked for, but torch sees no GPU. Leave device out to go on "
            "with the CPU, or install a CUDA build of torch."
        )
    return device


def row_blocks(
    X: NDArray[np.generic], rows: int = BLOCK_ROWS, *, sample: NDArray[np.intp] | None = None
) -> Iterator[tuple[int, NDArray[np.floating]]]:
    """Iterate over the rows of an array in blocks, each checked to be finite.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), any real dtype
        May be a memory-mapped file larger than memory.
    rows : int
        Number of rows in a block.
    sample : ndarray of shape (n_sampled,), int, default=None
        Indices of the rows to read; None reads all.

    Yields
    ------
    start : int
        Position of the block's first row, in the sample where there is one.
    block : ndarray of shape (<= rows, n_columns), float32 or float64
        Half precision becomes float32; integers and booleans become float64.

    Raises
    ------
    ValueError
        If a row holds NaN or an infinite value; the message names the row.
    """
    if np.issubdtype(X.dtype, np.floating) and X.dtype.itemsize <= 4:
        dtype: type[np.floating] = np.float32
    else:
        dtype = np.float64
    for start in range(0, X.shape[0] if sample is None else sample.size, rows):
        part = slice(start, start + rows)
        block = np.asarray(X[part if sample is None else sample[part]], dtype=dtype)
        # A sum is finite when all its terms are, and takes no memory.
        if not np.isfinite(block.sum(dtype=np.float64)):
            bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
            if bad.size:
                value = block[bad[0]][~np.isfinite(block[bad[0]])][0]
                kind = "NaN" if np.isnan(value) else "infinity"
                position = start + int(bad[0])
                row = position if sample is None else int(sample[position])
                raise ValueError(
                    f"Input contains {kind}, first in row {row}. Remove or re-embed that document."
                )
        yield start, block
