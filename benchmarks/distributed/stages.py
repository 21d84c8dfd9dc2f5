"""What each step of fit_distributed costs a core, and what that makes of a hundred million texts.

    python -m benchmarks.topics.sentences --out FOLDER
    python -m benchmarks.distributed.stages --texts FOLDER/sentences.parquet --minilm 290

Processor seconds of each step, in this process, with the bundled model at 128 dims and the default
sample. The second table is arithmetic: it divides them over machines. What it assumes is in the
constants below, with where it is from.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd

from benchmarks.corpus import machine
from bertopic_matryoshka import MatryoshkaBackend, build_topic_model
from bertopic_matryoshka.distributed._engine import Engine
from bertopic_matryoshka.distributed._run import DistributedRun
from bertopic_matryoshka.distributed._sampled_fit import Sample
from bertopic_matryoshka.distributed._settings import Settings

MILLION = 1_000_000
N_TEXTS = 100 * MILLION
GPU_TEXTS = 14_200  # a second; all-MiniLM-L6-v2 on one V100, sentence-transformers' table of models
GPU_DOLLARS, NODE_DOLLARS = 3.0, 0.8  # an hour; assumed
GPU_CORES, NODE_CORES = 8, 16  # beside each GPU; of a CPU node; assumed
START = 60  # seconds until workers have started and loaded a model, in each of two steps; assumed


def measure(texts: Path, n_rows: int, sample_size: int, folder: Path) -> dict[str, float]:
    """Run all steps in this process: processor seconds of each, and bytes."""
    table = pd.read_parquet(texts)[:n_rows]
    table.assign(id=range(len(table))).to_parquet(folder / "texts.parquet")
    settings = Settings("text", "id", sample_size, 1, 50_000, 0)
    model = build_topic_model(MatryoshkaBackend(truncate_dim=128))
    model.embedding_model.embed(["the model is loaded"])
    run = DistributedRun(folder / "texts.parquet", model, folder / "out", settings, Engine("local"))
    (folder / "out").mkdir()
    seconds = {}

    def timed(name, step, *arguments):
        start = time.process_time()
        found = step(*arguments)
        seconds[name] = time.process_time() - start
        return found

    partitions = timed("read", run.claimed)
    timed("embed", run.embed, partitions)
    sample = timed("gather the sample", Sample.gathered, run.folder, partitions, sample_size)
    timed("fit the sample", sample.fit, run.folder, model)
    timed("assign and count", run.assign, partitions)
    timed("add up the counts", run.count, partitions, 2)
    for name in ("embeddings", "topics", "words", "vocabulary"):
        files = (run.folder.path / name).glob("*.parquet")
        seconds[f"{name} MB"] = sum(file.stat().st_size for file in files) / 1e6
    return seconds


def plan(rates: dict[str, float], fit: float, minilm: float) -> pd.DataFrame:
    """Divide the steps over machines; rates are processor seconds for a million texts."""
    kinds = {
        "8 GPUs": (8 * GPU_TEXTS, 8 * GPU_CORES, 8 * GPU_DOLLARS),
        "64 GPUs": (64 * GPU_TEXTS, 64 * GPU_CORES, 64 * GPU_DOLLARS),
        "100 CPU nodes, MiniLM": (100 * NODE_CORES * minilm, 100 * NODE_CORES, 100 * NODE_DOLLARS),
        "100 CPU nodes, bundled": (
            100 * NODE_CORES * MILLION / rates["embed"],
            100 * NODE_CORES,
            100 * NODE_DOLLARS,
        ),
    }
    rows = []
    for name, (texts, cores, dollars) in kinds.items():
        steps = {
            "read": rates["read"] * N_TEXTS / MILLION / cores,
            "embed": N_TEXTS / texts,
            "fit": fit,
            "assign and count": rates["assign and count"] * N_TEXTS / MILLION / cores,
            "add up": rates["add up the counts"] * N_TEXTS / MILLION / min(cores, 32),
            "start": 2 * START,
        }
        total = sum(steps.values())
        row = {"machines": name, **{step: s / 60 for step, s in steps.items()}}
        rows.append({**row, "minutes": total / 60, "dollars": total / 3600 * dollars})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--sample", type=int, default=100_000)
    parser.add_argument("--minilm", type=float, required=True, help="its texts a second and core")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    print(machine(["bertopic", "pyarrow", "sentence-transformers", "torch"]), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(arguments.texts, arguments.rows, arguments.sample, Path(folder))
    for name, value in found.items():
        print(f"{name}: {value:.1f}, for a million {value * MILLION / arguments.rows:.1f}")
    rates = {name: value * MILLION / arguments.rows for name, value in found.items()}
    fit = found["gather the sample"] + found["fit the sample"]
    print(plan(rates, fit, arguments.minilm).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
