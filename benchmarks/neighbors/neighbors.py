"""Recall and seconds of each way to find neighbours, beside faiss, usearch and pynndescent.

    python -m benchmarks.neighbors.neighbors --embeddings FOLDER... --names MODEL_CORPUS... \
        [--synthetic 100000]

Recall is the share of the 15 true neighbours that are found, over 1,000 rows. pynndescent compiles
in its first run, which is timed on its own. "busy" is beside two processes of two threads each that
multiply matrices. Synthetic rows are those of benchmarks/clustering/scale.py, 64 selected
dimensions. A library that is not installed is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.clustering.busy import beside
from benchmarks.clustering.scale import write_rows
from benchmarks.corpus import find, machine
from bertopic_matryoshka import DimensionSelector, nearest_neighbors

if TYPE_CHECKING:
    from collections.abc import Callable

K, SAMPLE, REPETITIONS = 15, 1_000, 2
N_LOADS = 2
LIBRARIES = ("faiss", "usearch", "pynndescent")
PACKAGES = ("numpy", "torch")


def usearch(expansion: int) -> Callable[[np.ndarray], np.ndarray]:
    def search(X: np.ndarray) -> np.ndarray:
        from usearch.index import Index

        index = Index(ndim=X.shape[1], metric="ip", dtype="bf16", expansion_search=expansion)
        index.add(np.arange(len(X)), X)
        return index.search(X, K + 1).keys[:, 1:]

    return search


def ours(**options: object) -> Callable[[np.ndarray], np.ndarray]:
    return lambda X: nearest_neighbors(X, K, **options)[0]


def pynndescent(X: np.ndarray) -> np.ndarray:
    from pynndescent import NNDescent

    return NNDescent(X, metric="dot", n_neighbors=K + 1, random_state=0).neighbor_graph[0][:, 1:]


def faiss_exact(X: np.ndarray) -> np.ndarray:
    import faiss

    return faiss.knn(X, X, K + 1, metric=faiss.METRIC_INNER_PRODUCT)[1][:, 1:]


def faiss_lists(n_probes: int) -> Callable[[np.ndarray], np.ndarray]:
    def search(X: np.ndarray) -> np.ndarray:
        import faiss

        n_lists = int(len(X) ** 0.5)
        flat = faiss.IndexFlatIP(X.shape[1])
        index = faiss.IndexIVFFlat(flat, X.shape[1], n_lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.niter = 5
        index.train(X[:: max(1, len(X) // (50 * n_lists))])
        index.add(X)
        index.nprobe = n_probes
        return index.search(X, K + 1)[1][:, 1:]

    return search


METHODS = {
    "exact": ours(method="exact"),
    "approximate, 1 list": ours(method="approximate", n_probes=1),
    "approximate, 2 lists (default)": ours(method="approximate"),
    "approximate, 4 lists": ours(method="approximate", n_probes=4),
    "faiss, exact": faiss_exact,
    "faiss, inverted file, 4 lists": faiss_lists(4),
    "faiss, inverted file, 8 lists": faiss_lists(8),
    "usearch, bfloat16": usearch(64),
    "pynndescent": pynndescent,
}
QUADRATIC = ("exact", "faiss, exact")


def measure(name: str, X: np.ndarray, max_exact: int) -> None:
    sample = np.linspace(0, len(X) - 1, SAMPLE).round().astype(int)
    similar = X[sample] @ X.T
    similar[np.arange(SAMPLE), sample] = -2
    true = np.argpartition(-similar, K, axis=1)[:, :K]
    searches = {
        method: search
        for method, search in METHODS.items()
        if not (method in QUADRATIC and len(X) > max_exact)
        and (
            (library := method.partition(",")[0]) not in LIBRARIES
            or importlib.util.find_spec(library) is not None
        )
    }
    rows = {}
    for method, search in searches.items():
        first, found = timed(search, X)
        later = np.median([timed(search, X)[0] for _ in range(REPETITIONS)])
        shared = [np.isin(a, b).mean() for a, b in zip(found[sample], true, strict=True)]
        rows[method] = f"{np.mean(shared):.3f} | {first:.2f} | {later:.2f}"
    with beside(N_LOADS):
        for method, search in searches.items():
            busy = np.median([timed(search, X)[0] for _ in range(REPETITIONS)])
            row = f"{name} | {len(X):,} x {X.shape[1]} | {method} | {rows[method]} | {busy:.2f}"
            print(f"| {row} |", flush=True)


def timed(search: Callable[[np.ndarray], np.ndarray], X: np.ndarray) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    found = search(X)
    return time.perf_counter() - start, found


def unit(X: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(X.astype(np.float32), axis=1, keepdims=True)
    return np.ascontiguousarray(X[lengths[:, 0] > 0] / lengths[lengths[:, 0] > 0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    parser.add_argument("--synthetic", type=int, help="number of synthetic rows")
    parser.add_argument(
        "--max-exact", type=int, default=50_000, help="rows to compare all pairs of"
    )
    args = parser.parse_args()
    print("| data | rows | method | recall | first s | later s | busy s |")
    print("|---|--:|---|--:|--:|--:|--:|")
    for name in args.names:
        X = unit(np.load(find(args.embeddings, f"{name}.npy")).astype(np.float32))
        measure(name, X, args.max_exact)
        selected = DimensionSelector(128, criterion="laplacian").fit_transform(X)
        measure(f"{name}, selected", unit(selected), args.max_exact)
    if args.synthetic:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.npy"
            write_rows(path, args.synthetic)
            selector = DimensionSelector(64, criterion="laplacian")
            selected = selector.fit_transform(np.load(path, mmap_mode="r"))
        measure("synthetic", unit(selected), args.max_exact)
    print(machine(PACKAGES))


if __name__ == "__main__":
    main()
