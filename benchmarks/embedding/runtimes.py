"""What runs a model on a CPU: texts a second, and whether its topics stay the same.

    python -m benchmarks.embedding.runtimes --model FOLDER --corpus FILE.parquet

Needs sentence-transformers' extra "openvino". All kinds embed the same texts in turn, several
times, on one thread; a time is the median of processor seconds. Prints a table and the machine.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine
from bertopic_matryoshka import LeidenClustering, MatryoshkaBackend, nearest_neighbors

if TYPE_CHECKING:
    from collections.abc import Callable

N_NEIGHBORS, N_TOPICS, SEEDS = 15, 20, 3
PACKAGES = ("torch", "sentence-transformers", "openvino", "optimum-intel")
ONE_THREAD = {"ov_config": {"INFERENCE_NUM_THREADS": 1}}

PLAIN = "SentenceTransformer.encode"

KINDS: dict[str, dict[str, Any]] = {
    "torch": {},
    "torch, bfloat16": {"dtype": "bfloat16"},
    "torch, batches of 128": {"batch_size": 128},
    "openvino": {"backend": "openvino", "model_kwargs": ONE_THREAD},
    "openvino, weights in int8": {
        "backend": "openvino",
        "model_kwargs": {**ONE_THREAD, "load_in_8bit": True},
    },
}


def padding(backend: MatryoshkaBackend, texts: list[str], batch_size: int = 32) -> float:
    """Share of the tokens of a pass that are padding, in the order of sentence-transformers."""
    model = backend.embedding_model
    tokens = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]
    lengths = np.array([len(row) for row in tokens])
    by_length = lengths[np.argsort([-len(text) for text in texts], kind="stable")]
    batches = np.split(by_length, range(batch_size, len(texts), batch_size))
    return 1 - lengths.sum() / sum(batch.max() * len(batch) for batch in batches)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(machine(PACKAGES))
    texts = list(pd.read_parquet(options.corpus)["text"].drop_duplicates()[: options.texts])
    backends = {
        name: MatryoshkaBackend(options.model, device="cpu", **settings)
        for name, settings in KINDS.items()
    }
    padded = padding(backends["torch"], texts)
    print(f"{options.corpus.stem}, {len(texts):,} texts; padding {padded:.1%} of the tokens")
    plain = backends["torch"].embedding_model
    kinds: dict[str, Callable[[list[str]], np.ndarray]] = {
        PLAIN: lambda texts: plain.encode(texts, normalize_embeddings=True),
        **{name: backend.embed for name, backend in backends.items()},
    }
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    rows = {}
    for embed in kinds.values():
        embed(texts[:64])  # loads and compiles
    for _ in range(options.rounds):
        for name, embed in kinds.items():
            start = time.process_time()
            rows[name] = embed(texts)
            seconds[name].append(time.process_time() - start)

    def topics(X: np.ndarray, seed: int) -> np.ndarray:
        return LeidenClustering(N_TOPICS, random_state=seed).fit_predict(X)

    reference = [topics(rows[PLAIN], seed) for seed in range(SEEDS)]
    nearest = nearest_neighbors(rows[PLAIN], N_NEIGHBORS, method="exact")[0]
    table = []
    for name, X in rows.items():
        found = nearest_neighbors(X, N_NEIGHBORS, method="exact")[0]
        others = [topics(X, seed) for seed in range(SEEDS)]
        # Of the first itself: between different seeds, which is as much as can be asked for.
        shift = int(name == PLAIN)
        agreement = [
            adjusted_mutual_info_score(reference[seed], others[(seed + shift) % SEEDS])
            for seed in range(SEEDS)
        ]
        table.append(
            {
                "kind": name,
                "texts a second": len(texts) / np.median(seconds[name]),
                "times plain": np.median(seconds[PLAIN]) / np.median(seconds[name]),
                "least cosine": np.einsum("ij,ij->i", X, rows[PLAIN]).min(),
                "neighbours kept": (found[:, :, None] == nearest[:, None]).any(axis=2).mean(),
                "topics' agreement": np.mean(agreement),
            }
        )
    print(pd.DataFrame(table).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
