"""Recall and seconds of each way to find neighbours, beside pynndescent and faiss.

    python -m benchmarks.neighbors.neighbors --embeddings FOLDER... --names MODEL_CORPUS...

Recall is the share of the 15 true neighbours that are found, over 1,000 rows. pynndescent compiles
in its first run, which is timed on its own. A library that is not installed is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.corpus import find, machine
from bertopic_matryoshka import DimensionSelector, nearest_neighbors

if TYPE_CHECKING:
    from collections.abc import Callable

K, SAMPLE, REPETITIONS, SLOW = 15, 1_000, 3, 10
PACKAGES = ("numpy", "torch")


def ours(**options: object) -> Callable[[np.ndarray], np.ndarray]:
    return lambda X: nearest_neighbors(X, K, **options)[0]


def pynndescent(X: np.ndarray) -> np.ndarray:
    from pynndescent import NNDescent

    return NNDescent(X, metric="dot", n_neighbors=K + 1, random_state=0).neighbor_graph[0][:, 1:]


def faiss_exact(X: np.ndarray) -> np.ndarray:
    import faiss

    return faiss.knn(X, X, K + 1, metric=faiss.METRIC_INNER_PRODUCT)[1][:, 1:]


def faiss_cells(X: np.ndarray) -> np.ndarray:
    import faiss

    n_lists = int(len(X) ** 0.5)
    flat = faiss.IndexFlatIP(X.shape[1])
    index = faiss.IndexIVFFlat(flat, X.shape[1], n_lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = 5
    index.train(X[:: max(1, len(X) // (50 * n_lists))])
    index.add(X)
    index.nprobe = 8
    return index.search(X, K + 1)[1][:, 1:]


METHODS = {
    "exact": ours(method="exact"),
    "two_stage": ours(method="two_stage"),
    "approximate, 4 cells": ours(method="approximate", n_probes=4),
    "approximate, 8 cells (default)": ours(method="approximate", n_probes=8),
    "approximate, 16 cells": ours(method="approximate", n_probes=16),
    "pynndescent": pynndescent,
    "faiss, exact": faiss_exact,
    "faiss, inverted file, 8 cells": faiss_cells,
}
LIBRARIES = {"pynndescent": "pynndescent", "faiss, exact": "faiss"}
LIBRARIES["faiss, inverted file, 8 cells"] = "faiss"
QUADRATIC = ("exact", "two_stage", "faiss, exact")


def measure(name: str, X: np.ndarray, max_exact: int) -> None:
    sample = np.linspace(0, len(X) - 1, SAMPLE).round().astype(int)
    similar = X[sample] @ X.T
    similar[np.arange(SAMPLE), sample] = -2
    true = np.argpartition(-similar, K, axis=1)[:, :K]
    for method, search in METHODS.items():
        library = LIBRARIES.get(method)
        if library and importlib.util.find_spec(library) is None:
            continue
        if method in QUADRATIC and len(X) > max_exact:
            continue
        seconds = []
        while len(seconds) <= REPETITIONS and (len(seconds) < 2 or seconds[-1] < SLOW):
            start = time.perf_counter()
            found = search(X)
            seconds.append(time.perf_counter() - start)
        shared = [np.isin(a, b).mean() for a, b in zip(found[sample], true, strict=True)]
        first, later = seconds[0], np.median(seconds[1:])
        print(
            f"| {name} | {len(X):,} x {X.shape[1]} | {method} | {np.mean(shared):.3f} "
            f"| {first:.2f} | {later:.2f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    parser.add_argument(
        "--max-exact", type=int, default=50_000, help="rows to compare all pairs of"
    )
    args = parser.parse_args()
    print("| data | rows | method | recall | first s | later s |\n|---|--:|---|--:|--:|--:|")
    for name in args.names:
        X = np.load(find(args.embeddings, f"{name}.npy")).astype(np.float32)
        lengths = np.linalg.norm(X, axis=1, keepdims=True)
        X = np.ascontiguousarray(X[lengths[:, 0] > 0] / lengths[lengths[:, 0] > 0])
        measure(name, X, args.max_exact)
        selected = DimensionSelector(128, criterion="laplacian").fit_transform(X)
        measure(f"{name}, selected", selected, args.max_exact)
    print(machine(PACKAGES))


if __name__ == "__main__":
    main()
