"""Seconds and size of save_topic_model and load_topic_model, with and without the rows of the fit.

python -m benchmarks.topics.save_size --texts sentences.parquet --embeddings sentences.npy 200000

More rows than the file has are made of pairs of its rows, and their texts of pairs of its texts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.corpus import machine
from bertopic_matryoshka import (
    LeidenClustering,
    PrecomputedBackend,
    build_topic_model,
    load_topic_model,
    save_topic_model,
    truncate,
)

N_TOPICS, N_NEW = 100, 1000


def documents(texts: list[str], X: np.ndarray, n_rows: int) -> tuple[list[str], np.ndarray]:
    """Take the first rows, and pairs of random rows for those that lack."""
    if n_rows <= len(texts):
        return texts[:n_rows], np.array(X[:n_rows])
    pairs = np.random.default_rng(0).integers(len(texts), size=(n_rows - len(texts), 2))
    made = [f"{texts[a]} {texts[b]}" for a, b in pairs.tolist()]
    rows = np.concatenate([X, X[pairs[:, 0]] + X[pairs[:, 1]] / 2])
    return texts + made, truncate(rows, X.shape[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--embeddings", type=Path, required=True)
    parser.add_argument("n_rows", type=int, nargs="+")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(machine(["bertopic", "safetensors"]))
    texts = pd.read_parquet(arguments.texts)["text"].tolist()
    X = np.load(arguments.embeddings, mmap_mode="r")
    lines = []
    for n_rows in arguments.n_rows:
        docs, rows = documents(texts, X, n_rows)
        topic_model = build_topic_model(
            PrecomputedBackend(rows.shape[1]), hdbscan_model=LeidenClustering(N_TOPICS)
        )
        topic_model.fit(docs, rows)
        for save_rows in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                save_topic_model(topic_model, folder, save_rows=save_rows)
                saved = time.perf_counter()
                loaded = load_topic_model(folder)
                read = time.perf_counter()
                loaded.transform(docs[:N_NEW], rows[:N_NEW])
                lines.append(
                    {
                        "rows": n_rows,
                        "saved with rows": save_rows,
                        "save s": saved - start,
                        "load s": read - saved,
                        "first transform of 1,000 s": time.perf_counter() - read,
                        "MB": sum(f.stat().st_size for f in Path(folder).rglob("*.*")) / 1e6,
                    }
                )
        print(pd.DataFrame(lines).round(2).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
