"""Texts longer than a model's window: cut, or the mean of their pieces.

    python -m benchmarks.embedding.long_texts --model FOLDER --corpus FILE.parquet

Reads texts and labels. Prints for each way the share of a text's 15 nearest neighbours with its
label, AMI of topics with the labels, and processor seconds.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine
from bertopic_matryoshka import LeidenClustering, MatryoshkaBackend, nearest_neighbors
from bertopic_matryoshka.embedding._long_texts import LONG_TEXTS, long_texts, window_of

N_NEIGHBORS, SEEDS = 15, 5
PACKAGES = ("torch", "sentence-transformers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=None)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(machine(PACKAGES))
    table = pd.read_parquet(options.corpus).drop_duplicates("text")
    table = table.sample(min(options.texts or len(table), len(table)), random_state=0)
    texts, labels = list(table["text"]), pd.factorize(table["label"])[0]
    backend = MatryoshkaBackend(options.model, device="cpu")
    window = window_of(backend.embedding_model, backend.effective_prompt)
    if window is None:
        raise SystemExit("The model reads texts of any length.")
    start = time.process_time()
    n_long = len(long_texts(texts, window))
    counting = time.process_time() - start
    print(
        f"{options.corpus.stem}: {n_long:,} of {len(texts):,} texts are longer than "
        f"{window.max_seq_length} tokens; counting them took {counting:.1f} s"
    )
    rows = []
    for kind in LONG_TEXTS:
        start = time.process_time()
        X = MatryoshkaBackend(options.model, device="cpu", long_texts=kind).embed(texts)
        seconds = time.process_time() - start
        nearest = nearest_neighbors(X, N_NEIGHBORS, method="exact")[0]
        figures = {"same label": (labels[nearest] == labels[:, None]).mean(), "seconds": seconds}
        for n_topics in (len(np.unique(labels)), 20):
            found = [
                adjusted_mutual_info_score(
                    labels, LeidenClustering(n_topics, random_state=seed).fit_predict(X)
                )
                for seed in range(SEEDS)
            ]
            figures[f"AMI, {n_topics} topics"] = (
                f"{np.mean(found):.3f} ± {np.std(found, ddof=1):.3f}"
            )
        rows.append({"long_texts": kind, **figures})
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
