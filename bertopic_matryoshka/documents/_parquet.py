"""Parquet files: their columns, read when they are called for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a Parquet file; an error while it is read names the file and the remedy.

    Raises
    ------
    ImportError
        If pyarrow is missing.
    ValueError
        If the file is damaged, or no Parquet.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(
            f"{path.name} is Parquet, which needs pyarrow. "
            'Install it with: pip install "bertopic-matryoshka[cli]"'
        ) from error
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:  # a damaged page is an OSError
        raise ValueError(
            f"{path.name} is not a readable Parquet file: {error}. Write it again, or give it "
            "the suffix of its format."
        ) from error


def check_name(file: Any, name: str, path: Path) -> None:
    """Check that a name is of one column.

    Raises
    ------
    ValueError
        If several columns have it.
    """
    n_columns = file.schema_arrow.names.count(name)
    if n_columns > 1:
        raise ValueError(
            f"{path.name} has {n_columns} columns named {name!r}. Give them names of their own."
        )


def cells_of(path: Path, name: str) -> list[Any]:
    """Read a column as Python objects."""
    with opened(path) as file:
        check_name(file, name, path)
        cells: list[Any] = file.read(columns=[name]).column(name).to_pylist()
        return cells
