"""Seconds of a fit on a busy machine, and on fewer processors than torch sees.

    python -m benchmarks.clustering.busy [--rows 100000] [--repetitions 3]

Fits LeidenClustering on synthetic rows (as benchmarks/clustering/scale.py writes them, 64 selected
dimensions), each time in a process of its own, after a first fit that is not timed. Beside it run
0, 2 or 4 processes of two threads each, which multiply matrices. The fair share is the part of the
processors that goes to a fit of as many threads as there are processors, if all threads get the
same: the seconds of an idle machine, times all threads, over those of the fit. Then one processor
of a machine on which torch believes to have sixteen.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.clustering.scale import write_rows
from benchmarks.corpus import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADS = (0, 2, 4)
LOAD_THREADS = 2
MANY = 16  # threads that torch believes to have
LOAD = (
    f"import torch; torch.set_num_threads({LOAD_THREADS}); a = torch.randn(1000, 1000)\n"
    "while True: a = torch.tanh(a @ a)"
)


@contextmanager
def beside(n_loads: int) -> Iterator[None]:
    """Keep the processors busy with other processes."""
    loads = [subprocess.Popen([sys.executable, "-c", LOAD]) for _ in range(n_loads)]
    try:
        time.sleep(10 if loads else 0)  # until they have imported torch
        yield
    finally:
        for load in loads:
            load.kill()
            load.wait()


def fit(path: Path, n_threads: int) -> None:
    """Fit in this process; print the seconds."""
    import graspologic_native  # noqa: F401
    import torch

    from bertopic_matryoshka import LeidenClustering

    if n_threads:
        torch.set_num_threads(n_threads)
    warnings.simplefilter("ignore", RuntimeWarning)
    rows = np.load(path)
    LeidenClustering().fit(rows[:10_000])
    clock, processor = time.perf_counter(), time.process_time()
    LeidenClustering().fit(rows)
    print(json.dumps([time.perf_counter() - clock, time.process_time() - processor]))


def apart(path: Path, *, n_threads: int = 0, cores: set[int] | None = None) -> np.ndarray:
    """Fit in a process of its own, on some of the processors."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.clustering.busy", "--fit", str(path), str(n_threads)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )
    return np.array(json.loads(done.stdout.splitlines()[-1]))


def measure(path: Path, repetitions: int) -> None:
    n_cores = len(os.sched_getaffinity(0))
    print("| beside it | seconds | of the processor | fair share | times the fair share |")
    print("|---|--:|--:|--:|--:|")
    idle = 0.0
    for n_loads in LOADS:
        with beside(n_loads):
            seconds, processor = np.median([apart(path) for _ in range(repetitions)], axis=0)
        idle = idle or seconds
        fair = idle * (1 + n_loads * LOAD_THREADS / n_cores)
        load = f"{n_loads} processes of {LOAD_THREADS} threads" if n_loads else "nothing"
        print(f"| {load} | {seconds:.1f} | {processor:.1f} | {fair:.1f} | {seconds / fair:.2f} |")
    one = {min(os.sched_getaffinity(0))}
    runs = {n: [apart(path, n_threads=n, cores=one) for _ in range(repetitions)] for n in (1, MANY)}
    alone, crowded = (np.median(found, axis=0)[0] for found in runs.values())
    print(f"\nOn one processor: {alone:.1f} s with one thread of torch, {crowded:.1f} with {MANY}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--fit", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        fit(Path(options.fit[0]), int(options.fit[1]))
        return
    from bertopic_matryoshka import DimensionSelector

    with tempfile.TemporaryDirectory() as folder:
        wide, path = Path(folder) / "wide.npy", Path(folder) / "rows.npy"
        write_rows(wide, options.rows)
        selector = DimensionSelector(64, criterion="laplacian")
        np.save(path, selector.fit_transform(np.load(wide, mmap_mode="r")))
        measure(path, options.repetitions)
    print(machine(("numpy", "torch", "scipy", "graspologic-native")))


if __name__ == "__main__":
    main()
