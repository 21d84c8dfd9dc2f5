"""New rows beside a large fit: seconds of predict, singly and in batches, and what it agrees with.

    python -m benchmarks.clustering.transform [--rows 800000] [--new 100000]

Synthetic rows of benchmarks/clustering/scale.py, 64 selected dimensions. "exact" compares with all
rows, as predict did before it had an index.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.clustering.no_umap import mebibytes
from benchmarks.clustering.scale import write_rows
from benchmarks.corpus import machine
from bertopic_matryoshka import DimensionSelector, LeidenClustering

N_EXACT, N_SINGLE = 2_000, 50


def timed(function: object, *args: object) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    found = function(*args)
    return time.perf_counter() - start, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=800_000, help="rows of the fit")
    parser.add_argument("--new", type=int, default=100_000, help="new rows")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        write_rows(path, args.rows + args.new)
        rows = np.load(path, mmap_mode="r")
        selector = DimensionSelector(64, criterion="laplacian").fit(rows[: args.rows])
        selected = selector.transform(rows)
    old, new = selected[: args.rows], selected[args.rows :]
    seconds, clustering = timed(LeidenClustering().fit, old)
    lines = {f"fit to {args.rows:,} x {old.shape[1]}, s": seconds}
    lines["first row, which builds the index, s"] = timed(clustering.predict, new[:1])[0]
    single = [timed(clustering.predict, new[i : i + 1]) for i in range(N_SINGLE)]
    lines["one row, median, ms"] = 1000 * float(np.median([s for s, _ in single]))
    lines[f"{args.new:,} rows, s"], labels = timed(clustering.predict, new)
    alone = np.concatenate([found for _, found in single])
    lines["the same singly and in a batch, share"] = np.mean(alone == labels[:N_SINGLE])
    clustering._index.method = "exact"  # noqa: SLF001
    lines[f"{N_EXACT:,} rows, exact, s"], exact = timed(clustering.predict, new[:N_EXACT])
    lines["the same as exact, share"] = np.mean(exact == labels[:N_EXACT])
    clustering._index.method = "auto"  # noqa: SLF001
    fitted = np.arange(args.new) * args.rows // args.new
    lines[f"{args.new:,} rows of the fit, s"], again = timed(clustering.predict, old[fitted])
    lines["rows of the fit with their label, share"] = np.mean(again == clustering.labels_[fitted])
    lines["peak memory, MiB"] = mebibytes("VmHWM")
    print("| | |\n|---|--:|")
    for name, value in lines.items():
        print(f"| {name} | {value:.4g} |")
    print("\n" + machine(("numpy", "torch", "scikit-learn")))


if __name__ == "__main__":
    main()
