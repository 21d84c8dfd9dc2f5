"""Seconds and memory of EmbeddingStore, without those of a model: rows are random.

    python -m benchmarks.embedding.store 200000 1000000
    python -m benchmarks.embedding.store 2500000 --width 1024 --stages "all new" "a thousand read"

Each stage is a process of its own, and its peak is above what it holds before: the texts, numpy and
the imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.corpus import machine
from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.embedding import EmbeddingStore

WIDTH = 128
CHANGED = 0.01
STAGES = ("all new", "all read", "a hundredth changed", "a thousand read")


def random_rows(texts: list[str], width: int) -> np.ndarray:
    rng = np.random.default_rng(len(texts[0]))
    return rng.standard_normal((len(texts), width), dtype=np.float32)


def texts_of(stage: str, n_texts: int) -> list[str]:
    texts = [f"the text of document number {i}, which is about {i % 97}" for i in range(n_texts)]
    if stage == "a hundredth changed":
        for i in range(0, n_texts, round(1 / CHANGED)):
            texts[i] += ", now"
    if stage == "a thousand read":
        texts = texts[:: n_texts // 1000]
    return texts


def run(stage: str, folder: str, n_texts: int, width: int) -> None:
    model = partial(random_rows, width=width)
    backend = MatryoshkaBackend(model, name=f"random {width}", batch_size=4096)
    texts = texts_of(stage, n_texts)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    new: list[int] = []
    EmbeddingStore(folder).embed(backend, texts, lambda done, _: new.append(done))
    line = {
        "texts": n_texts,
        "stage": stage,
        "s": time.perf_counter() - wall,
        "cpu s": time.process_time() - cpu,
        "embedded": max(new, default=0),
        "peak MB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000,
        "store MB": sum(file.stat().st_size for file in Path(folder).rglob("*.*")) / 1e6,
    }
    print(json.dumps(line))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("n_texts", type=int, nargs="+")
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--stage", help="used by the script itself")
    parser.add_argument("--folder", help="used by the script itself")
    arguments = parser.parse_args()
    if arguments.stage:
        run(arguments.stage, arguments.folder, arguments.n_texts[0], arguments.width)
        return
    print(machine(["numpy", "safetensors"]))
    lines = []
    for n_texts in arguments.n_texts:
        with tempfile.TemporaryDirectory() as folder:
            for stage in arguments.stages:
                options = [str(n_texts), "--stage", stage, "--folder", folder]
                options += ["--width", str(arguments.width)]
                command = [sys.executable, "-m", "benchmarks.embedding.store", *options]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                lines.append(json.loads(done.stdout.splitlines()[-1]))
    print(pd.DataFrame(lines).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
