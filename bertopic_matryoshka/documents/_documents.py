"""A list of texts -> the documents that can be embedded, and counts of the other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bertopic_matryoshka._surrogates import replace_lone_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Documents:
    """Documents of a source that can be embedded, with their positions among its rows.

    Attributes
    ----------
    texts : list of str
        Documents in the source's order, unchanged but for lone surrogates.
    rows : ndarray of shape (n_documents,), int
        Position of each document among the rows of the source, from 0, ascending.
    n_rows : int
        Number of rows of the source: documents, empty rows and non-string rows.
    labels : ndarray of shape (n_documents,), object, or None
        Label of each document as a str; ``""`` where it is missing, which evaluate_topics and
        compare_dimensions do not count as a class. None without labels.
    n_empty : int
        Number of rows whose text is empty or white space.
    n_non_string : int
        Number of rows whose text is not a string: None, NaN, a number, a list.
    source : str
        Name of the source, for messages and reports.
    n_repaired : int
        Number of documents with lone surrogates, halves of a character of UTF-16 that no file
        takes; each was replaced by U+FFFD.
    ids : ndarray of shape (n_rows,), object, or None
        Id of each row of the source, documents or not, as it was read. None without ids.
    """

    texts: list[str]
    rows: NDArray[np.intp]
    n_rows: int
    labels: NDArray[np.object_] | None
    n_empty: int
    n_non_string: int
    source: str
    n_repaired: int = 0
    ids: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.texts)

    def spread(self, values: Iterable[Any], fill: Any = -1) -> list[Any]:
        """Put one value per document at its row in the source.

        Parameters
        ----------
        values : iterable of length n_documents
            For example the topics of the documents.
        fill : object, default=-1
            Value of the rows that hold no document; -1 is BERTopic's outlier topic.

        Returns
        -------
        spread : list of length n_rows
            `values` at `rows` and `fill` elsewhere. The values of an ndarray become Python numbers,
            ready for JSON.

        Raises
        ------
        ValueError
            If there is not one value per document.
        """
        items = values.tolist() if isinstance(values, np.ndarray) else list(values)
        if len(items) != len(self.texts):
            raise ValueError(
                f"values has {len(items):,} items but {self.source} holds {len(self.texts):,} "
                "documents. Pass one value per document, in the order of `texts`."
            )
        out = [fill] * self.n_rows
        for row, item in zip(self.rows.tolist(), items, strict=True):
            out[row] = item
        return out

    def summary(self) -> str:
        """Describe the counts in one line.

        Returns
        -------
        summary : str
            For example "7,600 rows, 7,591 documents, 6 empty and 3 non-string rows kept in place
            as topic -1".
        """
        line = f"{_count(self.n_rows, 'row')}, {_count(len(self.texts), 'document')}"
        unused = _unused(self.n_empty, self.n_non_string)
        line = f"{line}, {unused} kept in place as topic -1" if unused else line
        if self.n_repaired:
            line += f", broken characters replaced in {_count(self.n_repaired, 'document')}"
        return line


def clean_documents(
    values: Iterable[Any],
    *,
    labels: Iterable[Any] | None = None,
    ids: Iterable[Any] | None = None,
    source: str = "the list of documents",
) -> Documents:
    """Separate the values that can be embedded from the others, and count both.

    Parameters
    ----------
    values : iterable
        One value per row. A str that is not all white space is a document. Lone surrogates in it
        are replaced by U+FFFD; nothing else is changed.
    labels : iterable of the same length, optional
        One label per row. Labels become str without surrounding white space; None, NaN, NaT and
        pandas.NA become ``""``. A document without a label is kept.
    ids : iterable of the same length, optional
        One id per row, kept as it is.
    source : str, default="the list of documents"
        Name of the source, for messages and reports.

    Returns
    -------
    documents : Documents

    Raises
    ------
    TypeError
        If `values` is a single string or bytes.
    ValueError
        If no value is a document, or `labels` or `ids` has another length.
    """
    if isinstance(values, str | bytes):
        raise TypeError(
            f"values must be a list of documents, got one {type(values).__name__}. "
            "Wrap it in a list: [document]."
        )
    cells = list(values)
    strings = [isinstance(cell, str) for cell in cells]
    kept = [is_str and bool(cell.strip()) for cell, is_str in zip(cells, strings, strict=True)]
    rows = np.flatnonzero(np.asarray(kept, dtype=bool))
    n_non_string = len(cells) - sum(strings)
    n_empty = sum(strings) - len(rows)
    if not cells:
        raise ValueError(f"{source} holds no rows. Pass at least one document.")
    if not len(rows):
        raise ValueError(
            f"{source} holds no usable document: of {_count(len(cells), 'row')}, "
            f"{_unused(n_empty, n_non_string)}. Check that the right column is read."
        )
    texts = [str(cells[row]) for row in rows]
    n_repaired = len(replace_lone_surrogates(texts))
    return Documents(
        texts=texts,
        rows=rows,
        n_rows=len(cells),
        labels=None if labels is None else _clean_labels(labels, len(cells), source)[rows],
        n_empty=n_empty,
        n_non_string=n_non_string,
        source=source,
        n_repaired=n_repaired,
        ids=None if ids is None else _one_a_row("ids", ids, len(cells), source),
    )


def _clean_labels(labels: Iterable[Any], n_rows: int, source: str) -> NDArray[np.object_]:
    cells = _one_a_row("labels", labels, n_rows, source)
    # NaN, NaT and pandas.NA count as missing; a list is a label like any other.
    missing = [cell is None or (np.ndim(cell) == 0 and bool(pd.isna(cell))) for cell in cells]
    clean = ["" if gone else str(cell).strip() for cell, gone in zip(cells, missing, strict=True)]
    return np.array(clean, dtype=object)


def _one_a_row(name: str, values: Iterable[Any], n_rows: int, source: str) -> NDArray[np.object_]:
    cells = list(values)
    if len(cells) != n_rows:
        raise ValueError(
            f"{name} has {len(cells):,} items but {source} holds {n_rows:,} rows. "
            f"Pass one {name.removesuffix('s')} a row."
        )
    return np.fromiter(cells, dtype=object, count=n_rows)  # np.array would make a table of lists


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _unused(n_empty: int, n_non_string: int) -> str:
    """Name the rows that hold no document: "6 empty and 3 non-string rows", or nothing."""
    counts = [(n_empty, "empty"), (n_non_string, "non-string")]
    parts = [f"{number:,} {kind}" for number, kind in counts if number]
    last = n_non_string or n_empty
    return f"{' and '.join(parts)} row{'' if last == 1 else 's'}" if parts else ""
