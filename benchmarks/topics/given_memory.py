"""Peak memory of a fit on given embeddings: an array in memory beside a memory-mapped file.

python -m benchmarks.topics.given_memory --texts sentences.parquet --embeddings sentences.npy

Memory is anonymous memory, without pages of mapped files, which the system takes back when it needs
them; its peak is sampled. Each way is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.corpus import machine
from bertopic_matryoshka import PrecomputedBackend, build_topic_model, truncate
from bertopic_matryoshka.documents import read_documents, read_embeddings

WAYS = ("array", "truncated copy", "memory map")
EVERY = 0.02
"""Seconds between samples."""


def anonymous() -> float:
    """Anonymous memory of this process, in MB."""
    text = Path("/proc/self/status").read_text("utf-8")
    return int(text.partition("RssAnon:")[2].split()[0]) / 1000


class Peak(threading.Thread):
    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest, self.go = anonymous(), True

    def run(self) -> None:
        while self.go:
            self.highest = max(self.highest, anonymous())
            time.sleep(EVERY)


def fit(way: str, texts: Path, embeddings: Path) -> None:
    warnings.simplefilter("ignore")
    start = anonymous()
    documents = read_documents(texts, text_column="text")
    X = read_embeddings(embeddings, documents=documents)
    X = {"array": np.array, "truncated copy": lambda rows: truncate(rows, rows.shape[1])}.get(
        way, lambda rows: rows
    )(X)
    topic_model = build_topic_model(PrecomputedBackend(X.shape[1]))
    before = anonymous()
    peak = Peak()
    peak.start()
    wall, cpu = time.perf_counter(), time.process_time()
    topic_model.fit_transform(documents.texts, X)
    peak.go = False
    peak.join()
    line = {
        "documents": len(documents),
        "embeddings": way,
        "texts MB": sum(map(sys.getsizeof, documents.texts)) / 1e6,
        "before the fit MB": before - start,
        "peak MB": peak.highest - start,
        "s": time.perf_counter() - wall,
        "cpu s": time.process_time() - cpu,
    }
    print(json.dumps(line))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--embeddings", type=Path, required=True)
    parser.add_argument("--way", help="used by the script itself")
    arguments = parser.parse_args()
    if arguments.way:
        fit(arguments.way, arguments.texts, arguments.embeddings)
        return
    print(machine(["bertopic", "numpy", "scikit-learn"]))
    lines = []
    for way in WAYS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.topics.given_memory", *sys.argv[1:], "--way", way],
            check=True,
            capture_output=True,
            text=True,
        )
        lines.append(json.loads(done.stdout.splitlines()[-1]))
    print(pd.DataFrame(lines).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
