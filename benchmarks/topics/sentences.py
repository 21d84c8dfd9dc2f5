"""A large corpus of distinct real texts that every machine has: the sentences of docstrings.

    python -m benchmarks.topics.sentences --out FOLDER [--rows 200000]

Parses every Python file of site-packages and of the standard library, and keeps each sentence of at
least six words once. Of these, evenly spaced ones go to OUT/sentences.parquet (column text), and
their embeddings by the bundled model at 128 dims to OUT/sentences.npy. The texts depend on what is
installed.
"""

from __future__ import annotations

import argparse
import ast
import re
import sysconfig
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from bertopic_matryoshka import MatryoshkaBackend

SMALLEST = 6  # words of two letters or more
DOCUMENTED = (ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef, ast.Module)


def sentences(roots: list[Path]) -> list[str]:
    """Read the distinct sentences of all docstrings below the folders, in the files' order."""
    found: dict[str, None] = {}
    files = dict.fromkeys(path for root in roots for path in sorted(root.rglob("*.py")))
    for path in files:
        try:
            tree = ast.parse(path.read_text("utf-8", "replace"))
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, DOCUMENTED):
                continue
            for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
                for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(paragraph.split())):
                    if len(re.findall(r"[A-Za-z]{2,}", sentence)) >= SMALLEST:
                        found.setdefault(sentence)
    return list(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", SyntaxWarning)
    paths = sysconfig.get_paths()
    texts = sentences([Path(paths["purelib"]), Path(paths["stdlib"])])
    n_rows = min(arguments.rows, len(texts))
    print(f"{len(texts):,} distinct sentences, {n_rows:,} kept")
    texts = [texts[i * len(texts) // n_rows] for i in range(n_rows)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"text": texts}).to_parquet(arguments.out / "sentences.parquet")
    rows = MatryoshkaBackend(truncate_dim=128).embed_documents(texts)
    np.save(arguments.out / "sentences.npy", rows)


if __name__ == "__main__":
    main()
