"""Folders and tables that commands write."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that make a spreadsheet run a cell as a formula, after OWASP's CSV injection."""


def check_output(folder: Path, names: Sequence[str], *, force: bool) -> None:
    """Check, before the work, that files can be written to a folder.

    Nothing stays behind: a folder that is made for the check is removed.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Files and subfolders that the command writes.
    force : bool
        Whether these may be there already.

    Raises
    ------
    OSError
        If the folder cannot be made or written to, or holds one of the names and not `force`.
    """
    there = [name for name in names if (folder / name).exists()]
    if there and not force:
        raise FileExistsError(
            f"{folder} already holds {', '.join(there)}. Give another --out, or --force to replace "
            "them."
        )
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"--out={folder} cannot be written to: {error.strerror or error}. Give another folder."
        ) from error
    finally:
        for path in missing:
            if path.is_dir():
                path.rmdir()


def write_csv(table: pd.DataFrame, path: Path) -> int:
    """Write a table for spreadsheets.

    UTF-8 with a byte order mark, without which Excel takes it for another encoding. A text that a
    spreadsheet would run as a formula gets an apostrophe before it.

    Returns
    -------
    n_defused : int
        Number of cells that got an apostrophe.
    """
    table = table.copy()
    n_defused = 0
    for column in table.columns:
        cells = table[column]
        if not (cells.dtype == object or cells.dtype.name in {"str", "string"}):
            continue
        risky = cells.map(lambda cell: isinstance(cell, str) and cell.startswith(FORMULA_STARTS))
        table[column] = cells.where(~risky, "'" + cells.astype(str))
        n_defused += int(risky.sum())
    from bertopic_matryoshka._files import replacing

    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, encoding="utf-8-sig")
    return n_defused


def write_documents(table: pd.DataFrame, folder: Path, kind: str) -> str:
    """Write the table of documents as csv, jsonl or parquet, and say what was changed."""
    path = folder / f"documents.{kind}"
    if kind == "csv":
        n_defused = write_csv(table, path)
        if n_defused:
            return (
                f"Texts in documents.csv with an apostrophe before them: {n_defused:,}, which a "
                "spreadsheet would run as formulas. --format jsonl or parquet changes none."
            )
        return ""
    from bertopic_matryoshka._files import replacing

    with replacing(path) as temporary:
        if kind == "jsonl":
            table.to_json(temporary, orient="records", lines=True, force_ascii=False)
        else:
            table.to_parquet(temporary, index=False)
    return ""
