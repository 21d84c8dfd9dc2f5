"""Checks of arguments, with errors that name the value and the remedy."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from bertopic_matryoshka._constraints import (
    Constraint,
    check_each,
    check_sequence,
    instance,
    shown,
    whole,
)
from bertopic_matryoshka._surrogates import replace_lone_surrogates
from bertopic_matryoshka._vectors import as_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Sized

    import torch
    from numpy.typing import ArrayLike, NDArray

DEVICE = Constraint(
    'a string such as "cpu" or "cuda:0"',
    "",
    lambda value: isinstance(value, str) or type(value).__name__ == "device",  # torch's
    lambda _: True,
    none=True,
)

BLOCK_ROWS = 4096
"""Number of rows held in float64 at a time: 25 MB at 768 dimensions."""

N_NAMED = 10
"""Number of rows that a message names."""


def list_of_strings(documents: Iterable[str], name: str = "documents") -> list[str]:
    """Make a list of documents, or of words.

    Raises
    ------
    TypeError
        If `documents` is no iterable of strings, or is a frame, a dict or a set, which would give
        column names, keys, or another order; or an item is not a string, with its position.

    Warns
    -----
    RuntimeWarning
        If texts hold lone surrogates, halves of a character that no tokenizer and no file takes.
        Each is replaced by U+FFFD; the message counts the texts.
    """
    if isinstance(documents, (str, bytes)):
        raise TypeError(f"{name}={shown(documents)} is a single string; pass a list of strings.")
    if isinstance(documents, (Mapping, AbstractSet)) or getattr(documents, "ndim", 1) != 1:
        raise TypeError(
            f"{name} is of type {type(documents).__name__} and must be a list of strings. Of a "
            'frame, pass one column, such as frame["text"].'
        )
    if not isinstance(documents, Iterable):
        raise TypeError(f"{name}={shown(documents)} must be a list of strings.")
    texts = list(documents)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"{name}[{position}]={shown(text)} is of type {type(text).__name__} and must be a "
                "string. Remove such rows, or replace them by an empty string."
            )
    broken = replace_lone_surrogates(texts)
    if broken:
        warnings.warn(
            f"{len(broken):,} of {len(texts):,} {name} hold lone surrogates, the first is "
            f"{name}[{broken[0]}]. Each was replaced by U+FFFD. Read the source as UTF-8 again, if "
            "its text matters.",
            RuntimeWarning,
            stacklevel=3,
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
    whole(low, remedy=remedy).check(value, name)


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

    check_sequence(labels, "labels", "a label per document")
    # NumPy would convert a list of strings and NaN to strings.
    given: Any = labels
    cells = np.asarray(given if hasattr(given, "dtype") else pd.Series(list(given), dtype=object))
    if cells.shape != (n_documents,):
        raise ValueError(
            f"labels has shape {cells.shape} and must have shape ({n_documents},), as documents."
        )
    names = [None if isinstance(cell, str) and not cell.strip() else cell for cell in cells]
    try:
        numbered = pd.factorize(pd.Series(names, dtype=object))[0]
    except TypeError as error:  # a list is none
        raise TypeError(
            f"labels must hold a class per document, a string or number: {error}"
        ) from error
    classes: NDArray[np.int_] = numbered.astype(np.int64)
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


def embeddings_array(
    embeddings: Any,
    *,
    name: str = "embeddings",
    n_documents: int | None = None,
    min_rows: int = 0,
) -> NDArray[Any]:
    """Make an array of embeddings; an array in memory or of a file is not copied.

    Parameters
    ----------
    embeddings : array-like, DataFrame or Tensor of shape (n_documents, n_dims)
        Of real numbers. A tensor of any device; bfloat16 becomes float32. Or a column of vectors,
        of Arrow, pandas or polars.
    name : str
        Name in errors.
    n_documents : int or None
        Number of rows that there must be; None for any.
    min_rows : int
        Number of rows that there must be at least.

    Returns
    -------
    array : ndarray of shape (n_documents, n_dims)
        Float, int or bool, in the given precision.

    Raises
    ------
    TypeError
        If it is sparse, or holds anything but real numbers.
    ValueError
        If it is not two-dimensional, has no columns, too few or another number of rows, rows are of
        different lengths, or values are masked.
    """
    array = real_array(embeddings, name)
    if array.ndim != 2:
        single = f" Pass {name}[None] for a single row." if array.ndim == 1 else ""
        raise ValueError(
            f"{name} has shape {array.shape} and must be two-dimensional, (n_rows, n_dims).{single}"
        )
    if not array.shape[1]:
        raise ValueError(f"{name} has shape {array.shape} and must have columns.")
    if array.shape[0] < min_rows:
        raise ValueError(
            f"{name} has shape {array.shape} and must have at least {min_rows} "
            f"row{'s' * (min_rows > 1)}."
        )
    if n_documents not in (None, array.shape[0]):
        raise ValueError(
            f"{name} has shape {array.shape} and must have one row for each of the "
            f"{n_documents} documents."
        )
    return array


def real_array(values: Any, name: str) -> NDArray[Any]:
    """Make an array of real numbers, of any shape; see embeddings_array for errors."""
    values = unwrapped(values, name)
    if issparse(values):
        raise TypeError(f"{name} is sparse and must be dense. Pass {name}.toarray().")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} has rows of different lengths: {error}.") from error
    if array.dtype == object:
        array = _as_numbers(array, name)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} is of dtype {array.dtype} and must hold real numbers. Convert it, for example "
            f"by {name}.astype(np.float32)."
        )
    return array


def unwrapped(values: Any, name: str) -> Any:
    """Make an array of a tensor, a column of vectors, or a masked array that hides nothing.

    Others are given back. scikit-learn reads what a mask hides, tensors neither in bfloat16 nor
    with gradients, and no columns of Arrow, pandas or polars whose cells are vectors.

    Raises
    ------
    TypeError
        If values are an Arrow table with a column of vectors.
    ValueError
        If values are masked, or vectors missing or of different widths.
    """
    if isinstance(values, np.ma.MaskedArray):
        n_masked = int(np.ma.getmaskarray(values).sum())
        if n_masked:
            raise ValueError(
                f"{name} hides {n_masked:,} values by its mask. Fill them by {name}.filled(...), "
                "or remove those rows."
            )
        return values.data
    torch = sys.modules.get("torch")  # whoever passes a tensor has imported it
    if torch is not None and isinstance(values, torch.Tensor):
        values = values.detach()
        return (values.float() if values.dtype == torch.bfloat16 else values).numpy(force=True)
    return as_array(values, name)


def validated(
    estimator: Any, X: Any, *, reset: bool = True, in_blocks: bool = False, min_rows: int = 1
) -> NDArray[Any]:
    """Validate an estimator's rows as scikit-learn does, with errors that name X.

    Parameters
    ----------
    estimator : BaseEstimator
    X : array-like of shape (n_rows, n_features)
    reset : bool
        Whether this is the fit, which learns the number of features.
    in_blocks : bool
        Whether precision and finiteness are left to row_blocks.
    min_rows : int

    Returns
    -------
    rows : ndarray of shape (n_rows, n_features), float32 or float64; any real dtype if `in_blocks`

    Raises
    ------
    TypeError
        If X holds anything but real numbers.
    ValueError
        If X is of another shape, values are masked, or a value is not finite.
    """
    try:
        # Demanding a floating dtype would convert strings and dates to it.
        rows: NDArray[Any] = validate_data(
            estimator,
            unwrapped(X, "X"),
            reset=reset,
            dtype="numeric",
            ensure_all_finite=not in_blocks,
            ensure_min_samples=min_rows,
        )
    except (TypeError, ValueError) as error:
        if re.search(r"\bX\b", str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"X must be a table of real numbers, a row per document: {error}") from error
    if rows.dtype.kind not in "fiub":
        raise TypeError(f"X is of dtype {rows.dtype} and must hold real numbers.")
    return rows if in_blocks or rows.dtype in (np.float32, np.float64) else rows.astype(np.float32)


def _as_numbers(array: NDArray[np.object_], name: str) -> NDArray[np.float64]:
    for position, value in np.ndenumerate(array):
        if not isinstance(value, Real):
            raise TypeError(
                f"{name}[{', '.join(map(str, position))}]={shown(value)} is of type "
                f"{type(value).__name__} and must be a number."
            )
    return array.astype(np.float64)


def check_embeddings(embeddings: object, n_documents: int) -> NDArray[Any]:
    """Make an array of embeddings with one row per document, see embeddings_array."""
    return embeddings_array(embeddings, n_documents=n_documents)


def check_dims(
    dims: Sequence[int], width: int, *, of: str = "the embeddings", name: str = "dims"
) -> list[int]:
    """Check that widths are ints from 1 to `width`; return them without repetitions, descending."""
    given = check_each(
        dims, instance(object, words="an int", remedy="Leave it out for the halvings."), name
    )
    return sorted({check_dim(dim, width, of=of, name=name) for dim in given}, reverse=True)


def find_device(device: str | torch.device | None) -> str:
    """Return the name of a device, checked; for None, a GPU where there is one, else the CPU.

    Raises
    ------
    TypeError
        If `device` is neither a string nor a torch.device.
    ValueError
        If torch does not know it, or does not see it here.
    """
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    DEVICE.check(device, "device")
    try:
        known = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f'device={device!r} is not one that torch knows, such as "cpu" or "cuda:0".'
        ) from error
    n_gpus = torch.cuda.device_count()
    if known.type == "cuda" and (known.index or 0) >= n_gpus:
        raise ValueError(
            f"device={str(device)!r} is asked for, but torch sees {n_gpus or 'no'} "
            f"GPU{'s' * (n_gpus > 1)}. Leave device out to go on with the CPU, or install a CUDA "
            "build of torch."
        )
    return str(device)


def find_devices(device: str | torch.device | Sequence[str] | None) -> list[str]:
    """Return the names of one device or several, see find_device."""
    if isinstance(device, (list, tuple)):
        if not device:
            raise ValueError('device=[] names no device. Leave it out, or name some: ["cuda:0"].')
        return [find_device(one) for one in device]
    return [find_device(cast("str | torch.device | None", device))]


def named_rows(marked: NDArray[np.bool_]) -> str:
    """Name the rows that are marked, such as "Rows 3, 17."; of many the first."""
    rows = np.flatnonzero(marked)
    more = f" and {rows.size - N_NAMED:,} more" if rows.size > N_NAMED else ""
    return f"Row{'s' * (rows.size > 1)} {', '.join(map(str, rows[:N_NAMED]))}{more}."


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
