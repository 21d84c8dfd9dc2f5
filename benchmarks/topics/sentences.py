"""A large corpus of distinct real texts that every machine has: the sentences of docstrings.

    python -m benchmarks.topics.sentences --out FOLDER [--rows 200000] [--longest WORDS] \
        [--folders FOLDER ...]

Parses every Python file of site-packages and of the standard library, and keeps each sentence of at
least six words once. Folders given are read in their place: Python files as above, JSON files,
packed or not, for what their "description" and "documentation" say, and WordNet's data.noun and the
like for its glosses. Of these, evenly spaced ones go to OUT/sentences.parquet (column text), and
their embeddings by the bundled model at 128 dims to OUT/sentences.npy. The texts depend on what is
installed.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import html
import json
import re
import sysconfig
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bertopic_matryoshka import MatryoshkaBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SMALLEST = 6  # words of two letters or more
DOCUMENTED = (ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef, ast.Module)
DESCRIBED = ("description", "documentation")


def docstrings(path: Path) -> Iterator[str]:
    """Read the docstrings of a Python file."""
    try:
        tree = ast.parse(path.read_text("utf-8", "replace"))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED):
            yield ast.get_docstring(node) or ""


def descriptions(path: Path) -> Iterator[str]:
    """Read the descriptions in a JSON file, such as those of the calls of a web service."""
    try:
        content = path.read_bytes()
        todo: list[Any] = [
            json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        ]
    except (OSError, ValueError):
        return
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            told = [value[key] for key in DESCRIBED if isinstance(value.get(key), str)]
            yield from (html.unescape(re.sub(r"<[^>]*>", " ", text)) for text in told)
        todo += (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        )


def glosses(path: Path) -> Iterator[str]:
    """Read the definitions and examples in one of WordNet's data files."""
    for line in path.read_text("utf-8").splitlines():
        yield from (part.strip(' "') for part in line.partition(" | ")[2].split(";"))


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    "*.py": docstrings,
    "*.json": descriptions,
    "*.json.gz": descriptions,
    **{f"data.{part}": glosses for part in ("noun", "verb", "adj", "adv")},
}


def sentences(roots: list[Path], kinds: list[str], longest: int | None = None) -> list[str]:
    """Read the distinct sentences of all texts below the folders, in the files' order."""
    found: dict[str, None] = {}
    files = {path: kind for root in roots for kind in kinds for path in sorted(root.rglob(kind))}
    for path, kind in files.items():
        for text in READERS[kind](path):
            for paragraph in re.split(r"\n\s*\n", text):
                for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(paragraph.split())):
                    n_words = len(re.findall(r"[A-Za-z]{2,}", sentence))
                    if n_words >= SMALLEST and (longest is None or n_words <= longest):
                        found.setdefault(sentence)
    return list(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--longest", type=int, help="words of two letters or more")
    parser.add_argument("--folders", type=Path, nargs="+")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", SyntaxWarning)
    if arguments.folders:
        texts = sentences(arguments.folders, list(READERS), arguments.longest)
    else:
        paths = sysconfig.get_paths()
        roots = [Path(paths["purelib"]), Path(paths["stdlib"])]
        texts = sentences(roots, ["*.py"], arguments.longest)
    n_rows = min(arguments.rows, len(texts))
    print(f"{len(texts):,} distinct sentences, {n_rows:,} kept")
    texts = [texts[i * len(texts) // n_rows] for i in range(n_rows)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"text": texts}).to_parquet(arguments.out / "sentences.parquet")
    rows = MatryoshkaBackend(truncate_dim=128).embed_documents(texts)
    np.save(arguments.out / "sentences.npy", rows)


if __name__ == "__main__":
    main()
