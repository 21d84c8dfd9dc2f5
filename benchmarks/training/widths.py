"""What training at every width gives, beside the same without MatryoshkaLoss, and a rotation.

    python -m benchmarks.training.widths --model FOLDER --corpus FILE.parquet --out FOLDER

Reads texts and labels. Halves them at random, trains on texts of the one half without their labels,
and judges on texts of the other. Writes a line of widths.csv in OUT for each model and width as
soon as it is measured, and prints the machine.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from sentence_transformers import SentenceTransformer
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine
from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    nearest_neighbors,
    train_matryoshka,
    truncate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTHS = (16, 32, 64, 128, 384)
N_NEIGHBORS = 15
MAX_TOKENS = 64
TRAINING = {
    "per_device_train_batch_size": 64,
    "learning_rate": 1e-4,
    "num_train_epochs": 2,
    "save_strategy": "no",
}
PACKAGES = ("torch", "sentence-transformers")


def neighbor_pairs(texts: list[str], X: np.ndarray) -> list[tuple[str, str]]:
    nearest = nearest_neighbors(X, 1, method="exact")[0][:, 0]
    return [(text, texts[near]) for text, near in zip(texts, nearest, strict=True)]


def models(
    base: MatryoshkaBackend, texts: list[str], out: Path, seed: int
) -> Iterator[tuple[str, MatryoshkaBackend, float]]:
    """Give each model's name, backend, and seconds of training."""
    yield "untrained", base, 0.0
    start = time.perf_counter()
    rotated = base.rotated(texts)
    yield "rotation", rotated, time.perf_counter() - start
    pairs = neighbor_pairs(texts, base.embed(texts))
    runs: dict[str, tuple[MatryoshkaBackend, Any, tuple[int, ...]]] = {
        "distilled": (base, texts, WIDTHS),
        "neighbour pairs": (base, pairs, WIDTHS),
        "neighbour pairs, full width alone": (base, pairs, (WIDTHS[-1],)),
        "rotated, then distilled": (rotated, texts, WIDTHS),
    }
    for name, (begin, data, dims) in runs.items():
        folder = out / name.replace(", ", "_").replace(" ", "_")
        shutil.rmtree(folder, ignore_errors=True)
        done = train_matryoshka(
            begin, data, out=folder, dims=dims, arguments=TRAINING, random_state=seed
        )
        yield name, MatryoshkaBackend(folder), done.seconds


def judged(X: np.ndarray, labels: np.ndarray, nearest: np.ndarray, seed: int) -> dict[str, float]:
    found = nearest_neighbors(X, N_NEIGHBORS, method="exact")[0]
    kept = (found[:, :, None] == nearest[:, None]).any(axis=2).mean()
    topics = LeidenClustering(len(np.unique(labels)), random_state=seed).fit_predict(X)
    return {
        "neighbors_kept": float(kept),
        "AMI": adjusted_mutual_info_score(labels, topics),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=2000, help="most texts of each half")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    print(machine(PACKAGES))

    table = pd.read_parquet(options.corpus).drop_duplicates("text")
    order = np.random.default_rng(options.seed).permutation(len(table))
    half = len(table) // 2
    ours, theirs = order[:half][: options.texts], order[half:][: options.texts]
    texts = table["text"].to_numpy()
    labels = pd.factorize(table["label"])[0][theirs]
    model = SentenceTransformer(str(options.model), device="cpu")
    model.max_seq_length = MAX_TOKENS
    rows = []
    nearest = None
    for name, backend, seconds in models(
        MatryoshkaBackend(model), list(texts[ours]), options.out, options.seed
    ):
        X = backend.truncated(None).embed(list(texts[theirs]))
        if nearest is None:
            nearest = nearest_neighbors(X, N_NEIGHBORS, method="exact")[0]
        for dim in WIDTHS:
            measures = judged(truncate(X, dim), labels, nearest, options.seed)
            rows.append({"model": name, "dim": dim, "seconds": seconds, **measures})
        frame = pd.DataFrame(rows)
        frame.to_csv(options.out / "widths.csv", index=False)
        print(frame.tail(len(WIDTHS)).round(3).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
