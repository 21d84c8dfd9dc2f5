"""Columns of vectors, as Arrow, pandas and polars hold them -> arrays of two dimensions.

The conversion is here, without scikit-learn, so that files are checked before it is imported.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_array(values: Any, name: str, rows: NDArray[np.intp] | None = None) -> Any:
    """Make an array of a column of vectors; give back what is none.

    Parameters
    ----------
    values : object
        A pyarrow Array or ChunkedArray of lists, a pandas or polars Series of lists, or an array of
        arrays. A single chunk of numbers is not copied.
    name : str
        Name in errors.
    rows : ndarray of shape (n_rows,), int, or None, default=None
        What errors call the rows of an array of arrays; None counts from 0.

    Returns
    -------
    array : ndarray of shape (n_rows, width), or `values`

    Raises
    ------
    TypeError
        If it is an Arrow table with a column of vectors, which must be named.
    ValueError
        If a vector, or a value in one, is missing, or vectors are of different widths; the message
        names the row.
    """
    pa = sys.modules.get("pyarrow")  # whoever passes a column has imported it
    if pa is not None and isinstance(values, (pa.Table, pa.RecordBatch)):
        vectors = [field.name for field in values.schema if is_vectors(field.type)]
        if vectors:
            raise TypeError(
                f"{name} is an Arrow table. Pass its column of vectors, such as "
                f"table[{vectors[0]!r}]."
            )
        return values
    if pa is not None and isinstance(values, (pa.Array, pa.ChunkedArray)):
        if not is_vectors(values.type):
            return values
        chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
        return _joined([chunk for chunk in chunks if len(chunk)], name)
    is_column = getattr(values, "ndim", None) == 1 or type(values).__module__.startswith("polars")
    if not is_column:
        return values
    cells = np.asarray(values)
    if cells.ndim != 1 or cells.dtype != object or not any(map(_is_vector, cells)):
        return values if cells.ndim == 1 else cells
    return _stacked(cells, name, np.arange(cells.size) if rows is None else rows)


def is_vectors(arrow_type: Any) -> bool:
    """Whether an Arrow type is one of lists of numbers, or of tensors that are stored so."""
    from pyarrow import types

    stored = getattr(arrow_type, "storage_type", arrow_type)
    return any(
        is_list(stored)
        for is_list in (types.is_fixed_size_list, types.is_list, types.is_large_list)
    )


def array_of_chunk(chunk: Any, name: str, rows: NDArray[np.intp] | None = None) -> NDArray[Any]:
    """Make an array of one Arrow array of lists, without a copy where it is of numbers.

    Parameters
    ----------
    chunk : pyarrow.Array
        Of at least one row.
    name : str
        Name in errors.
    rows : ndarray of shape (n_rows,), int, or None, default=None
        What errors call the rows; None counts from 0.

    Raises
    ------
    ValueError
        See as_array.
    """
    stored = getattr(chunk, "storage", chunk)
    rows = np.arange(len(stored)) if rows is None else rows
    if stored.null_count:
        _refuse_missing(rows[np.asarray(stored.is_null())], name)
    lengths = np.asarray(stored.value_lengths())
    if (lengths != lengths[0]).any():
        _refuse_ragged(lengths, rows, name)
    flat = stored.flatten()
    if flat.null_count:
        missing = np.flatnonzero(np.asarray(flat.is_null())) // lengths[0]
        raise ValueError(
            f"{name} has a vector with a missing value, first in row {rows[missing[0]]}. Remove "
            "that document, or embed it again."
        )
    array: NDArray[Any] = flat.to_numpy(zero_copy_only=False).reshape(len(stored), lengths[0])
    return array


def _joined(chunks: list[Any], name: str) -> NDArray[Any]:
    """Fill one array from chunks, one after the other; a single one is not copied."""
    if not chunks:
        return np.empty((0, 0), dtype=np.float32)
    n_rows = sum(map(len, chunks))
    first = array_of_chunk(chunks[0], name)
    if len(chunks) == 1:
        return first
    array = np.empty((n_rows, first.shape[1]), dtype=first.dtype)
    start = 0
    for chunk in chunks:
        stop = start + len(chunk)
        part = array_of_chunk(chunk, name, np.arange(start, stop))
        check_width(part.shape[1], array.shape[1], start, name)
        array[start:stop] = part
        start = stop
    return array


def _stacked(cells: NDArray[np.object_], name: str, rows: NDArray[np.intp]) -> NDArray[Any]:
    """Stack an array of lists or arrays."""
    missing = np.array([not _is_vector(cell) for cell in cells])
    if missing.any():
        _refuse_missing(rows[missing], name)
    lengths = np.array([len(cell) for cell in cells])
    if (lengths != lengths[0]).any():
        _refuse_ragged(lengths, rows, name)
    return np.array([np.asarray(cell) for cell in cells])


def check_width(width: int, first: int, row: int, name: str, first_row: int = 0) -> None:
    """Check that a vector is as wide as the first one."""
    if width != first:
        raise ValueError(
            f"{name} has vectors of different widths: {first} in row {first_row} and {width} in "
            f"row {row}. Embed all documents by the same model."
        )


def _refuse_ragged(lengths: NDArray[np.integer], rows: NDArray[np.intp], name: str) -> None:
    other = int(np.flatnonzero(lengths != lengths[0])[0])
    check_width(int(lengths[other]), int(lengths[0]), int(rows[other]), name, int(rows[0]))


def _refuse_missing(rows: NDArray[np.intp], name: str) -> None:
    many = f"{rows.size:,} rows have none" if rows.size > 1 else "one row has none"
    raise ValueError(
        f"{name} has no vector in row {rows[0]}; {many}. Remove those documents, or embed them."
    )


def _is_vector(cell: Any) -> bool:
    return isinstance(cell, (list, tuple)) or getattr(cell, "ndim", 0) == 1
