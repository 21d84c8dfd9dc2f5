"""The bundled model against its teacher: AMI of k-means at each width, and documents a second.

    python -m benchmarks.embedding.default_model --corpora FOLDER --embeddings FOLDER

Reads FOLDER/NAME.parquet (columns text, label) and the teacher's rows FOLDER/minilm_NAME.npy.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.preprocessing import normalize

from bertopic_matryoshka.embedding._bundled import load_default_model

WIDTHS = (384, 256, 128, 64, 32)
SEEDS = (0, 1, 2)
N_INIT = 5


def ami(X: np.ndarray, labels: np.ndarray, width: int) -> str:
    """Return the mean over the seeds, rows cut and renormalised; a dash if X is narrower."""
    if width > X.shape[1]:
        return "-"
    X = normalize(X[:, :width].astype(np.float32))
    k = len(np.unique(labels))
    runs = [KMeans(k, n_init=N_INIT, random_state=seed).fit_predict(X) for seed in SEEDS]
    return f"{np.mean([adjusted_mutual_info_score(labels, run) for run in runs]):.3f}"


def main() -> None:
    """Print both tables as markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--embeddings", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=["ag", "bbc", "so"])
    parser.add_argument("--max-documents", type=int, default=10_000, help="a corpus, at random")
    args = parser.parse_args()

    torch.set_num_threads(1)  # and one thread for the tokenizer:
    os.environ.update(TOKENIZERS_PARALLELISM="false")
    began = time.perf_counter()
    model = load_default_model(device="cpu")
    loading = time.perf_counter() - began

    print("| corpus | rows |", " | ".join(map(str, WIDTHS)), "|")
    print("|---|---|" + "---|" * len(WIDTHS))
    speeds = []
    for name in args.names:
        corpus = pd.read_parquet(args.corpora / f"{name}.parquet")
        labels, texts = corpus["label"].to_numpy(), corpus["text"].tolist()
        began = time.perf_counter()
        ours = model.encode(texts, show_progress_bar=False)
        speed = len(texts) / (time.perf_counter() - began)
        speeds.append((name, len(texts), corpus["text"].str.len().mean(), speed))
        keep = np.random.default_rng(0).permutation(len(texts))[: args.max_documents]
        rows = {
            "all-MiniLM-L6-v2": np.load(args.embeddings / f"minilm_{name}.npy"),
            "bundled": ours,
        }
        for source, X in rows.items():
            cells = [ami(X[keep], labels[keep], width) for width in WIDTHS]
            print(f"| {name} | {source} |", " | ".join(cells), "|", flush=True)

    print("\n| corpus | documents | mean characters | documents a second, one core |")
    print("|---|---|---|---|")
    for name, n, length, speed in speeds:
        print(f"| {name} | {n:,} | {length:,.0f} | {speed:,.0f} |")

    packages = ("torch", "sentence-transformers", "scikit-learn", "numpy")
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in packages)
    print(f"\nLoaded in {loading:.2f} s, imports and all. k-means with n_init={N_INIT},", end=" ")
    print(f"mean of seeds {SEEDS}, at most {args.max_documents:,} documents a corpus.", end=" ")
    print(
        f"{platform.machine()}, {os.cpu_count()} cores; Python {platform.python_version()},",
        end=" ",
    )
    print(f"{versions}.")


if __name__ == "__main__":
    main()
