"""Where a fit of LeidenClustering spends its time: seconds of the processor, stage by stage.

    python -m benchmarks.clustering.stages --embeddings FILE.npy [--sizes 20000 100000]

Half of the dimensions are kept. One thread, so that seconds of the processor are those of a clock
on an idle machine; the least of three fits, evenly spaced rows.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is loaded

import numpy as np
import torch

from benchmarks.corpus import machine
from benchmarks.topics.whole import Stopwatch
from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.clustering import _division, _partition, _tree_clusters
from bertopic_matryoshka.neighbors import _graph, _search

SIZES, REPETITIONS = (20_000, 100_000), 3
OTHER = "the rest of BERTopic"  # what the stopwatch calls what is not in a stage
STAGES = {
    "ordering the rows": (_tree_clusters, "row_order"),
    "searching candidates for neighbours": (_search.NeighborIndex, "_candidates"),
    "ranking them": (_search, "_rescored"),
    "copies": (_graph, "near_copies"),
    "the graph": (_graph, "_joined"),
    "Leiden": (_division, "communities"),
    "the tree of merges": (_division, "merge_tree"),
    "the number of topics": (_division, "modularity_terms"),
    "k-means on the leaves": (_partition, "move_leaves"),
    "label propagation": (_partition, "prune_clusters"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--embeddings", type=Path, required=True, help=".npy file")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    args = parser.parse_args()
    torch.set_num_threads(1)
    X = np.load(args.embeddings, mmap_mode="r")
    columns: dict[str, list[float]] = {}
    originals = {stage: getattr(*place) for stage, place in STAGES.items()}
    LeidenClustering().fit(X[:500])
    for size in args.sizes:
        rows = np.asarray(X[np.arange(size) * len(X) // size], dtype=np.float32)
        runs = []
        for _ in range(REPETITIONS):
            stopwatch = Stopwatch()
            for stage, (owner, name) in STAGES.items():
                setattr(owner, name, stopwatch.timed(stage, originals[stage]))
            stopwatch.start()
            selected = DimensionSelector(0.5, criterion="laplacian").fit_transform(rows)
            selection = stopwatch.stop()
            stopwatch = Stopwatch()
            for stage, (owner, name) in STAGES.items():
                setattr(owner, name, stopwatch.timed(stage, originals[stage]))
            stopwatch.start()
            LeidenClustering().fit(selected)
            runs.append({"selection": sum(selection.values())} | stopwatch.stop())
        best = min(runs, key=lambda run: sum(run.values()))
        for stage in ("selection", *STAGES, OTHER):
            columns.setdefault(stage, []).append(best.get(stage, 0.0))
    print("|", " | ".join(["stage", *(f"{size:,}" for size in args.sizes)]), "|")
    print("|---" + "|--:" * len(args.sizes) + "|")
    for stage, values in columns.items():
        name = "the rest" if stage == OTHER else stage
        print("|", " | ".join([name, *(f"{value:.2f}" for value in values)]), "|")
    print(
        "|",
        " | ".join(["**all**", *(f"{sum(v):.2f}" for v in zip(*columns.values(), strict=True))]),
        "|",
    )
    print("\n" + machine(("graspologic-native", "torch", "numpy", "scipy")))


if __name__ == "__main__":
    main()
