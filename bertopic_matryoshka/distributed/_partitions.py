"""Parquet files -> partitions of documents; tables -> Parquet files that are whole or absent."""

from __future__ import annotations

import errno
import os
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY = ".tmp"
"""Suffix of a file that is being written."""


class Partition(NamedTuple):
    """Consecutive rows of a Parquet file.

    Attributes
    ----------
    number : int
        Its place among the partitions.
    file : Path
    start, stop : int
        Rows of the file.
    text_column, id_column : str
    """

    number: int
    file: Path
    start: int
    stop: int
    text_column: str
    id_column: str

    @property
    def name(self) -> str:
        """Name of the files that are made of it."""
        return f"part-{self.number:05d}.parquet"

    def read(self) -> tuple[pa.Table, int]:
        """Read the documents of the partition.

        Returns
        -------
        documents : Table
            With the columns "id" and "text". Rows without text, where it is null, empty or white
            space, are left out.
        n_rows : int
            Number of rows, those included.

        Raises
        ------
        ValueError
            If a document has no ID.
        """
        file = pq.ParquetFile(self.file)
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        ends = np.cumsum(sizes)
        groups = np.flatnonzero((ends > self.start) & (ends - sizes < self.stop))
        before = int(ends[groups[0]] - sizes[groups[0]])
        table = file.read_row_groups(groups.tolist(), columns=[self.id_column, self.text_column])
        table = table.slice(self.start - before, self.stop - self.start)
        ids, texts = table.column(self.id_column), table.column(self.text_column).to_pylist()
        if ids.null_count:
            raise ValueError(
                f"id_column={self.id_column!r} has {ids.null_count:,} rows without an ID, among "
                f"rows {self.start:,} to {self.stop - 1:,} of {self.file}. Give each row one."
            )
        is_document = pa.array([bool(text and text.strip()) for text in texts], pa.bool_())
        documents = pa.table({"id": plain(ids), "text": plain(table.column(self.text_column))})
        return documents.filter(is_document), len(texts)


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Make plain strings or integers of a column, however they are stored."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return column.cast(kind if pa.types.is_integer(kind) else pa.string())


def partitions_of(
    dataset: str | os.PathLike[str], text_column: str, id_column: str, n_rows: int
) -> list[Partition]:
    """Divide a Parquet file, or the Parquet files in a folder, into partitions of so many rows.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or none in the folder.
    ValueError
        If a file is not Parquet, a column is missing or of a kind that is neither text nor ID, or
        there are no rows.
    """
    path = Path(dataset).absolute()
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
    if not files:
        kind = "has no file that ends in .parquet" if path.is_dir() else "does not exist"
        raise FileNotFoundError(
            f"dataset={str(dataset)!r} {kind}. Pass a Parquet file, a folder of them, or a Ray "
            "Dataset."
        )
    found: list[Partition] = []
    for file in files:
        try:
            metadata = pq.read_metadata(file)
            schema = metadata.schema.to_arrow_schema()
        except pa.ArrowException as error:
            raise ValueError(
                f"{file} is not a readable Parquet file: {error}. Write it again, or take it out "
                "of the folder."
            ) from error
        check_schema(schema, text_column, id_column, str(file))
        for start in range(0, metadata.num_rows, n_rows):
            stop = min(start + n_rows, metadata.num_rows)
            found.append(Partition(len(found), file, start, stop, text_column, id_column))
    if not found:
        raise ValueError(f"dataset={str(dataset)!r} has no rows. Pass one with documents.")
    return found


def check_schema(schema: pa.Schema, text_column: str, id_column: str, source: str) -> None:
    """Check that the columns of texts and IDs are there, and of a kind that they can be.

    Raises
    ------
    ValueError
        If one is not.
    """
    for parameter, name in (("text_column", text_column), ("id_column", id_column)):
        if name not in schema.names:
            raise ValueError(
                f"{parameter}={name!r} is not a column of {source}, which has "
                f"{', '.join(map(repr, schema.names))}. Pass one of them as {parameter}."
            )
        kind = schema.field(name).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        if not (is_text or (parameter == "id_column" and pa.types.is_integer(kind))):
            wanted = "strings" if parameter == "text_column" else "strings or integers"
            raise ValueError(
                f"{parameter}={name!r} of {source} holds {kind} and must hold {wanted}. Convert "
                "the column, or pass another one."
            )


def fingerprint(documents: pa.Table) -> int:
    """Hash a partition's documents to 64 bits; sums of them depend neither on order nor on cuts."""
    frame = documents.to_pandas()
    hashes = pd.util.hash_pandas_object(frame, index=False, categorize=False)
    return int(hashes.to_numpy().sum(dtype=np.uint64))  # modulo 2**64


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there at the end is moved to `path`, at once and whole.

    Raises
    ------
    OSError
        If the disk is full, or the folder cannot be written to; nothing is left then.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{TEMPORARY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OSError(
            error.errno or errno.EIO,
            f"{path} could not be written: {error}. What is whole in the folder stays, and the "
            "same call goes on from there",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_tables(path: Path, tables: list[pa.Table]) -> None:
    """Write tables of one schema as the row groups of a Parquet file, whole or not at all."""
    with written(path) as temporary, pq.ParquetWriter(temporary, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=max(1, table.num_rows))


def matrix_column(rows: np.ndarray) -> pa.FixedSizeListArray:
    """Make a column of lists of one length of a matrix."""
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])


def column_matrix(column: pa.ChunkedArray) -> np.ndarray:
    """Make a matrix of a column of lists of one length."""
    array = column.combine_chunks()
    width = array.type.list_size
    return np.asarray(array.flatten(), dtype=np.float32).reshape(-1, width)
