"""A file -> documents: CSV, JSON Lines, Parquet or plain text."""

from __future__ import annotations

import difflib
import gzip
import io
import json
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bertopic_matryoshka.documents._documents import clean_documents
from bertopic_matryoshka.documents._parquet import cells_of, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from os import PathLike

    from bertopic_matryoshka.documents._documents import Documents

    _Columns = dict[str, "_Column"]

# Names of the whole text; those of the second group are used only if none of the first is there.
_TEXT_NAMES = (
    ("text", "texts", "document", "documents", "doc", "docs", "content", "body"),
    ("title", "headline", "sentence", "abstract", "review", "comment", "message", "description"),
)

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

_NAMES_SHOWN = 10
"""Columns that an error names."""


@dataclass(frozen=True)
class _Column:
    """Cells of a column, read when they are called for: a file may also hold embeddings."""

    cells: Callable[[], list[Any]]
    may_be_text: bool = True

    def holds_text(self) -> bool:
        """Whether any cell is a string that is not a number; in CSV numbers are strings."""
        return self.may_be_text and any(
            isinstance(cell, str) and cell.strip() and not _is_number(cell) for cell in self.cells()
        )


def read_documents(
    path: str | PathLike[str],
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    id_column: str | None = None,
) -> Documents:
    """Read documents from a file; every row is counted and none is dropped.

    Parameters
    ----------
    path : str or path-like
        CSV (.csv, .tsv), JSON Lines (.jsonl, .ndjson) or plain text with one document a line
        (.txt), in UTF-8 with or without a byte order mark, or in UTF-16 with one, and optionally
        compressed (.gz); or Parquet (.parquet), which needs the extra ``cli``. No other encoding
        is guessed.
    text_column : str, optional
        Column of the texts. None takes the column with a usual name (text, document, content,
        body, ...; failing these title, abstract, review, ...), else the only column that holds
        text. For this choice, strings that are numbers are not text.
    label_column : str, optional
        Column of the labels. See `clean_documents` for missing labels.
    id_column : str, optional
        Column of the ids, which are kept for all rows.

    Returns
    -------
    documents : Documents
        Its ``source`` is the file's name and the column.

    Raises
    ------
    ImportError
        If `path` is Parquet and pyarrow is not installed.
    OSError
        If the file cannot be opened.
    ValueError
        If the suffix is not supported, a column is missing or cannot be chosen, the file cannot
        be decoded or parsed, or it holds no document.

    Notes
    -----
    Every cell of a CSV file is a string: "NA", "null" and "123" are documents, and a missing cell
    is an empty row. In JSON Lines and Parquet a number or a missing value is a non-string row.
    A blank line is an empty row in all three line formats.
    """
    path = Path(path)
    suffix = _suffix(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Pass one file.")
    others = {"label_column": label_column, "id_column": id_column}
    if suffix == ".txt":
        for name, value in {"text_column": text_column, **others}.items():
            if value is not None:
                raise ValueError(
                    f"{name}={value!r} cannot be read from {path.name}: plain text has no columns. "
                    f"Leave {name} out, or use CSV, JSON Lines or Parquet."
                )
        # Iterating splits at line ends alone; str.splitlines would also split inside a document.
        lines = io.StringIO(_read_text(path), newline=None)
        return clean_documents((line.rstrip("\n") for line in lines), source=path.name)
    columns = columns_of(path)
    for name, value in others.items():
        if value is not None:
            check_column(name, value, columns, path)
    if text_column is None:
        text_column = _choose_text_column(columns, {label_column, id_column}, path)
    else:
        check_column("text_column", text_column, columns, path)
    return clean_documents(
        columns[text_column].cells(),
        labels=None if label_column is None else columns[label_column].cells(),
        ids=None if id_column is None else columns[id_column].cells(),
        source=f"{path.name}, column {text_column!r}",
    )


def columns_of(path: Path) -> _Columns:
    """Read the columns of a file, by name.

    Raises
    ------
    ValueError
        If it holds no rows.
    """
    columns = _READERS[_suffix(path)](path)
    if not columns:
        raise ValueError(f"{path.name} holds no rows. Pass a file with at least one document.")
    return columns


def _suffix(path: Path) -> str:
    """Return the supported suffix of a path, without .gz."""
    name = path.name.lower()
    inner = Path(name.removesuffix(".gz")).suffix
    if inner not in {".txt", *_READERS} or (inner == ".parquet" and name.endswith(".gz")):
        supported = ", ".join([*_READERS, ".txt"])
        raise ValueError(
            f"{path.name} has the suffix {''.join(path.suffixes[-2:])!r}; supported are "
            f"{supported}, and .gz after all but .parquet. Convert the file or rename it."
        )
    return inner


def _read_text(path: Path) -> str:
    """Read a whole file; the error names the position of the first byte that is not UTF-8."""
    data = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(
                f"{path.name} cannot be decompressed: {error}. Remove the suffix .gz if it is not "
                "compressed, or write it again."
            ) from error
    encoding = "utf-16" if data.startswith(_UTF16_BOMS) else "utf-8"
    try:
        text = data.removeprefix(_BOM).decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise ValueError(
                f"{path.name} begins as UTF-16 does but is not: {error}. Save it as UTF-8."
            ) from error
        position = error.start + (len(_BOM) if data.startswith(_BOM) else 0)
        line = data.count(b"\n", 0, position) + 1
        raise ValueError(
            f"{path.name} is not UTF-8: byte 0x{data[position]:02x} on line {line:,}, "
            f"position {position:,} of the file. Save it as UTF-8, for example with "
            "iconv -f LATIN1 -t UTF-8."
        ) from error
    if text.count("\0") > len(text) // 10:
        raise ValueError(
            f"{path.name} is not text: more than a tenth of its characters are NUL. If it is "
            "UTF-16 without a byte order mark, save it as UTF-8."
        )
    return text


def _read_csv(path: Path) -> _Columns:
    """Read every cell as a string; blank lines are rows."""
    try:
        frame = pd.read_csv(
            io.StringIO(_read_text(path)),
            sep="\t" if _suffix(path) == ".tsv" else ",",
            dtype=object,
            na_filter=False,
            skip_blank_lines=False,
        )
    except pd.errors.EmptyDataError:
        return {}
    except pd.errors.ParserError as error:
        raise ValueError(
            f"{path.name} cannot be parsed: {error}. Quote the cells that hold the separator, a "
            "line end or a quote, and double the quotes inside them."
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        # pandas took the surplus cells for an index, which would shift every column by one.
        raise ValueError(  # noqa: TRY004 - a row of the file is wrong, not an argument's kind
            f"{path.name} has rows with more cells than its header, which has "
            f"{len(frame.columns)}. Quote the cells that hold the separator, or name every column."
        )
    return {str(name): _Column(frame[name].tolist) for name in frame.columns if len(frame)}


def _read_jsonl(path: Path) -> _Columns:
    """Read one JSON object per line; the columns are the keys, in order of appearance."""
    records: list[dict[str, Any]] = []
    blank: set[int] = set()
    for number, line in enumerate(io.StringIO(_read_text(path), newline=None), start=1):
        if not line.strip():
            blank.add(number - 1)
            records.append({})
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{path.name}, line {number:,} is not valid JSON: {error}. Write one JSON object a "
                "line, without a list around them."
            ) from error
        if not isinstance(record, dict):
            raise ValueError(  # noqa: TRY004 - the file's content is wrong, not an argument's kind
                f"{path.name}, line {number:,} is a JSON {type(record).__name__}, not an object. "
                'Write one object a line, such as {"text": "a document"}.'
            )
        records.append(record)

    def cells(name: str) -> list[Any]:
        return ["" if i in blank else record.get(name) for i, record in enumerate(records)]

    names = dict.fromkeys(name for record in records for name in record)
    return {name: _Column(partial(cells, name)) for name in names}


def _read_parquet(path: Path) -> _Columns:
    """Read a Parquet file with pyarrow."""
    with opened(path) as file:
        if not file.metadata.num_rows:
            return {}
        from pyarrow import types

        is_other = {
            field.name: types.is_primitive(field.type) or types.is_nested(field.type)
            for field in file.schema_arrow
        }
    return {
        name: _Column(partial(cells_of, path, name), may_be_text=not other)
        for name, other in is_other.items()
    }


_READERS: dict[str, Callable[[Path], _Columns]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
}


def check_column(parameter: str, name: str, columns: Collection[str], path: Path) -> None:
    """Raise if a column is not in the file, and suggest the closest name."""
    if name in columns:
        return
    by_lower = {column.lower(): column for column in columns}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    hint = f"Did you mean {by_lower[close[0]]!r}?" if close else f"Pass one of them as {parameter}."
    raise ValueError(
        f"{parameter}={name!r} is not a column of {path.name}, which has {_listed(columns)}. {hint}"
    )


def _listed(columns: Collection[str]) -> str:
    """List the first names of columns, and count the others."""
    first = ", ".join(map(repr, list(columns)[:_NAMES_SHOWN]))
    n_more = len(columns) - _NAMES_SHOWN
    return f"{first} and {n_more:,} more" if n_more > 0 else first


def _choose_text_column(columns: _Columns, taken: set[str | None], path: Path) -> str:
    """Return the only column, of those not taken, that can be the text."""
    others = [name for name in columns if name not in taken]
    for names in _TEXT_NAMES:
        named = [c for c in others if c.strip().lower() in names and columns[c].holds_text()]
        if len(named) == 1:
            return named[0]
        if named:
            break
    else:
        textual = [name for name in others if columns[name].holds_text()]
        if len(textual) == 1:
            return textual[0]
    raise ValueError(
        f"text_column=None, but no single column of {path.name} is plainly the text. It has "
        f"{_listed(columns)}. Pass the one to read as text_column."
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
