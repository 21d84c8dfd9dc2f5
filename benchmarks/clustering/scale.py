"""How time, memory and recall grow with the rows: selection, neighbours and clusters, to a million.

    python -m benchmarks.clustering.scale --out FOLDER [--sizes 10000 100000 1000000] \
        [--dims 768] [--device cuda] [--flavor cugraph]

Writes synthetic rows, of 768 dimensions unless --dims says otherwise, as a memory-mapped float16
file, and runs each size in a process of its own. One topic is a direction: 500 topics of Zipf's
sizes lie around 25 themes, each theme and topic a normal vector in a subspace of 64 dimensions that
decays as 1/sqrt(rank), as the spectra of sentence embeddings do; a row is its theme + its topic +
noise in all 64 dimensions + a little in all others, turned at random and scaled to unit length.
Results go to OUT/scale.csv at once,
and a size that is there already is not run again. Without a GPU the GPU's column stays empty.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.clustering.no_umap import mebibytes

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
N_DIMS, SUBSPACE, KEPT = 768, 64, 128
N_TOPICS, N_THEMES = 500, 25
SAMPLE = 1_000  # rows on which the neighbours are checked
STAGES = ("select", "neighbours", "clusters")


def write_rows(path: Path, n_rows: int, n_dims: int) -> None:
    """Write unit rows to a .npy file in float16, and their topics beside it."""
    rng = np.random.default_rng(0)
    decay = 1 / np.sqrt(np.arange(1, SUBSPACE + 1))
    themes = rng.normal(size=(N_THEMES, SUBSPACE)) * decay
    topics = (
        themes[rng.integers(N_THEMES, size=N_TOPICS)]
        + rng.normal(size=(N_TOPICS, SUBSPACE)) * decay
    )
    turn = np.linalg.qr(rng.normal(size=(n_dims, SUBSPACE)))[0].astype(np.float32)
    shares = 1 / np.arange(1, N_TOPICS + 1)
    labels = rng.choice(N_TOPICS, size=n_rows, p=shares / shares.sum())
    rows = np.lib.format.open_memmap(path, "w+", np.float16, (n_rows, n_dims))
    for start in range(0, n_rows, 20_000):
        part = labels[start : start + 20_000]
        inside = topics[part] + 0.7 * rng.normal(size=(part.size, SUBSPACE)) * decay
        block = inside.astype(np.float32) @ turn.T
        block += 0.01 * rng.standard_normal(block.shape, dtype=np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
        rows[start : start + part.size] = block
    rows.flush()
    np.save(path.with_suffix(".labels.npy"), labels)


def measure(path: Path, device: str, flavor: str) -> dict[str, float]:
    """Select, find neighbours and cluster in this process; time the stages and check the result."""
    # Loaded when they are used, by our modules; here they do not count.
    import graspologic_native  # noqa: F401
    import torch
    from sklearn.metrics import adjusted_mutual_info_score

    from bertopic_matryoshka import DimensionSelector, LeidenClustering
    from bertopic_matryoshka.neighbors import NeighborIndex
    from bertopic_matryoshka.neighbors import _graph as neighbor_graph

    rows, labels = np.load(path, mmap_mode="r"), np.load(path.with_suffix(".labels.npy"))
    found: dict[str, Any] = {}

    class Timed(NeighborIndex):
        def search(self, *args: Any) -> tuple[np.ndarray, np.ndarray]:
            start = time.perf_counter()
            indices, similarities = super().search(*args)
            found.setdefault("rows", self.embeddings)  # later searches are for few rows
            found.setdefault("neighbours", indices)
            found["seconds"] = found.get("seconds", 0) + time.perf_counter() - start
            return indices, similarities

    neighbor_graph.NeighborIndex = Timed
    begun = time.perf_counter()
    selected = DimensionSelector(
        min(KEPT, rows.shape[1] // 2), criterion="laplacian"
    ).fit_transform(rows)
    selection = time.perf_counter() - begun
    clusterer = LeidenClustering(device=device, flavor=flavor).fit(selected)
    total = time.perf_counter() - begun
    peak = mebibytes("VmHWM")  # before the check below
    sample = np.linspace(0, len(found["rows"]) - 1, SAMPLE).round().astype(int)
    base = torch.from_numpy(found["rows"])
    similar = base[sample] @ base.T
    similar[torch.arange(SAMPLE), torch.from_numpy(sample)] = -2
    true = similar.topk(found["neighbours"].shape[1], dim=1).indices.numpy()
    shared = [np.isin(a, b).mean() for a, b in zip(found["neighbours"][sample], true, strict=True)]
    return {
        "rows": rows.shape[0],
        "dims": rows.shape[1],
        "device": "cuda" if device == "cuda" else "cpu",
        "flavor": flavor,
        "select": selection,
        "neighbours": found["seconds"],
        "clusters": total - selection - found["seconds"],
        "total": total,
        "peak_mib": peak,
        "recall": float(np.mean(shared)),
        "topics": clusterer.n_clusters_,
        "AMI": adjusted_mutual_info_score(labels, clusterer.labels_),
    }


def measure_elsewhere(path: Path, device: str, flavor: str) -> dict[str, float]:
    code = "from benchmarks.clustering import scale; scale.measure_from_arguments()"
    command = [sys.executable, "-c", code, str(path.resolve()), device, flavor]
    answer = subprocess.run(
        command, cwd=Path(__file__).parents[2], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(answer.stdout.splitlines()[-1])


def measure_from_arguments() -> None:
    path, device, flavor = sys.argv[1:]
    print(json.dumps(measure(Path(path), device, flavor)))


def print_table(results: pd.DataFrame) -> None:
    names = [
        "rows",
        "dims",
        "device",
        "flavor",
        *STAGES,
        "total",
        "peak_mib",
        "recall",
        "topics",
        "AMI",
    ]
    print("|", " | ".join(names), "|")
    print("|--:" * len(names) + "|")
    for row in results[names].to_dict("records"):
        cells = [
            f"{value:,.3g}"
            if isinstance(value, float)
            else f"{value:,}"
            if isinstance(value, int)
            else value
            for value in row.values()
        ]
        print("|", " | ".join(cells), "|")
    for on, part in results.groupby(["device", "flavor", "dims"]):
        for stage in (*STAGES, "total"):
            steps = np.diff(np.log(part[stage])) / np.diff(np.log(part["rows"]))
            powers = ", ".join(f"{step:.2f}" for step in steps)
            print(f"{', '.join(map(str, on))}, {stage}: grows as rows ** {powers}")
    if "cuda" not in set(results["device"]):
        print("cuda: not measured, there is no GPU here. On one: --device cuda")


def main() -> None:
    import torch

    from benchmarks.corpus import machine

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--dims", type=int, default=N_DIMS)
    parser.add_argument("--device", choices=["cpu", "cuda"], default=None)
    parser.add_argument("--flavor", choices=["graspologic", "cugraph"], default="graspologic")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    file = args.out / "scale.csv"
    columns = {"rows": int, "dims": int, "device": str, "flavor": str}
    done = pd.read_csv(file) if file.exists() else pd.DataFrame(columns=columns).astype(columns)
    for size in args.sizes:
        same = (done["device"] == device) & (done["flavor"] == args.flavor)
        same &= done["dims"] == args.dims
        if (same & (done["rows"] == size)).any():
            continue
        path = args.out / f"rows_{size}_{args.dims}.npy"
        if not path.exists():
            write_rows(path, size, args.dims)
        done = pd.concat([done, pd.DataFrame([measure_elsewhere(path, device, args.flavor)])])
        done.to_csv(file, index=False)
        print(done.iloc[-1].to_dict(), file=sys.stderr)
    print_table(done)
    print(machine(("numpy", "torch", "scipy", "graspologic-native", "scikit-learn")))


if __name__ == "__main__":
    main()
