"""A file of embeddings that were made elsewhere -> an array, a row per document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka._constraints import PATH, check_arguments, instance
from bertopic_matryoshka._vectors import array_of_chunk, as_array, check_width, is_vectors
from bertopic_matryoshka.documents._documents import Documents
from bertopic_matryoshka.documents._parquet import check_name, opened
from bertopic_matryoshka.documents._readers import check_column, columns_of

if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from numpy.typing import NDArray

BATCH_ROWS = 2**14
"""Number of rows of a Parquet file that are held beside the array that they fill."""


def read_embeddings(
    path: str | PathLike[str],
    *,
    column: str | None = None,
    documents: Documents | None = None,
) -> NDArray[Any]:
    """Read embeddings from a file, those of some documents alone where these are given.

    Parameters
    ----------
    path : str or path-like
        NumPy file (.npy) of shape (n_rows, n_dims), which is memory-mapped; or Parquet (.parquet)
        or JSON Lines (.jsonl, .ndjson, also .gz) with a column of lists of numbers. Parquet needs
        the extra ``cli``.
    column : str, optional
        Column of the embeddings, needed for all files but .npy. No other column of a Parquet file
        is read.
    documents : Documents, optional
        What `read_documents` gave for the same rows. Only the embeddings of its documents are
        read, so that they may be missing in rows without a text.

    Returns
    -------
    embeddings : ndarray of shape (n_documents, n_dims)
        In the file's precision, not normalised. A read-only memory map of a .npy file if all of
        its rows are read, else in memory.

    Raises
    ------
    ImportError
        If `path` is Parquet and pyarrow is not installed.
    OSError
        If the file cannot be opened.
    TypeError
        If the file holds anything but real numbers.
    ValueError
        If the suffix is not supported, the file is damaged or holds no rows, the column is missing
        or not one of vectors, there is not one embedding per row of `documents`, or an embedding is
        missing, not finite, or of another width than the others. The message names the row of the
        file, from 0.

    See Also
    --------
    read_documents : The texts of a file.
    PrecomputedBackend : A topic model of embeddings without their model.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import numpy as np
    >>> from bertopic_matryoshka.documents import clean_documents, read_embeddings
    >>> path = Path(mkdtemp()) / "embeddings.npy"
    >>> np.save(path, np.eye(3, dtype=np.float32))
    >>> documents = clean_documents(["a cat", "", "a dog"])
    >>> read_embeddings(path, documents=documents)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    check_arguments(
        locals(),
        path=PATH,
        column=instance(str, none=True, words="a string"),
        documents=instance(Documents, none=True, words="what read_documents gave"),
    )
    path = Path(path)
    name = path.name.lower()
    if name.endswith(".npy"):
        if column is not None:
            raise ValueError(f"column={column!r} is not in {path.name}, which has none.")
        array = _read_npy(path)
        _check_length(path, len(array), documents)
        found = array if _are_all(documents) else array[documents.rows]  # type: ignore[union-attr]
    else:
        if not name.removesuffix(".gz").endswith((".parquet", ".jsonl", ".ndjson")):
            raise ValueError(
                f"{path.name} is no file of embeddings: supported are .npy, .parquet, .jsonl and "
                ".ndjson. Write it by numpy.save, or as lists of numbers to Parquet."
            )
        if column is None:
            raise ValueError(f"column=None, but {path.name} has several. Name that of the vectors.")
        read = _read_parquet if name.endswith(".parquet") else _read_jsonl
        found = read(path, column, documents)
    if not found.size:
        raise ValueError(f"{path.name} holds no embeddings: its shape is {found.shape}.")
    _check_numbers(path, found, None if documents is None else documents.rows)
    return found


def _read_npy(path: Path) -> NDArray[Any]:
    """Map a .npy file into memory."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path.name} is not a whole .npy file of numbers: {error}. Write it again with "
            "numpy.save."
        ) from error
    if array.ndim != 2:
        raise ValueError(
            f"{path.name} has shape {array.shape} and must be two-dimensional, (n_rows, n_dims)."
        )
    return array


def _read_jsonl(path: Path, column: str, documents: Documents | None) -> NDArray[Any]:
    columns = columns_of(path)
    check_column("column", column, columns, path)
    cells = np.fromiter(columns[column].cells(), dtype=object)
    _check_length(path, len(cells), documents)
    rows = np.arange(len(cells)) if documents is None else documents.rows
    found: NDArray[Any] = as_array(cells[rows], f"{path.name}, column {column!r},", rows)
    if found.ndim != 2:
        raise ValueError(f"{path.name}, column {column!r}, holds no lists of numbers.")
    return found


def _read_parquet(path: Path, column: str, documents: Documents | None) -> NDArray[Any]:
    """Fill an array batch by batch, from one column."""
    label = f"{path.name}, column {column!r},"
    with opened(path) as file:
        check_column("column", column, file.schema_arrow.names, path)
        check_name(file, column, path)
        kind = file.schema_arrow.field(column).type
        if not is_vectors(kind):
            raise ValueError(f"{label} is of type {kind} and must hold lists of numbers.")
        n_rows = file.metadata.num_rows
        _check_length(path, n_rows, documents)
        rows = np.arange(n_rows) if documents is None else documents.rows
        array = np.empty((0, 0), dtype=np.float32)
        start = done = 0
        for batch in file.iter_batches(BATCH_ROWS, columns=[column]):
            stop = start + batch.num_rows
            wanted = rows[done : np.searchsorted(rows, stop)]
            chunk = batch.column(0)
            if wanted.size < batch.num_rows:
                chunk = chunk.take(_arrow(wanted - start))
            if wanted.size:
                part = array_of_chunk(chunk, label, wanted)
                if not done:
                    array = np.empty((rows.size, part.shape[1]), dtype=part.dtype)
                check_width(part.shape[1], array.shape[1], int(wanted[0]), label, int(rows[0]))
                array[done : done + wanted.size] = part
            done, start = done + wanted.size, stop
    return array


def _arrow(indices: NDArray[np.intp]) -> Any:
    import pyarrow as pa

    return pa.array(indices)


def _are_all(documents: Documents | None) -> bool:
    return documents is None or len(documents) == documents.n_rows


def _check_length(path: Path, n_rows: int, documents: Documents | None) -> None:
    if documents is not None and n_rows != documents.n_rows:
        raise ValueError(
            f"{path.name} holds {n_rows:,} embeddings but {documents.source} holds "
            f"{documents.n_rows:,} rows. Give one embedding per row, in the same order."
        )


def _check_numbers(path: Path, array: NDArray[Any], rows: NDArray[np.intp] | None) -> None:
    """Check that all values are real and finite, in one pass over the file."""
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{path.name} is of dtype {array.dtype} and must hold real numbers.")
    for start in range(0, len(array), BATCH_ROWS):
        block = array[start : start + BATCH_ROWS]
        # A sum is finite when all its terms are, and takes no memory.
        if not np.isfinite(block.sum(dtype=np.float64)):
            bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
            if bad.size:
                position = start + int(bad[0])
                row = position if rows is None else int(rows[position])
                raise ValueError(
                    f"{path.name} has NaN or infinity in row {row}. Remove that document, or embed "
                    "it again."
                )
