"""What training at every width and after half the layers gives, beside a rotation.

    python -m benchmarks.training.widths --model FOLDER --corpus FILE.parquet --out FOLDER

Reads texts and labels. Halves them at random, trains on texts of the one half without their labels,
and judges on texts of the other:

- neighbors_kept: share of the 15 nearest neighbours that they have in the untrained model
- AMI, NPMI: of topics, as many as labels, with the labels and of their ten words by c-TF-IDF
- agreement: AMI of these topics with those of the untrained model at full width
- texts_per_second: texts encoded in a second of processor time

Writes a line of widths.csv in OUT for each model and width as soon as it is measured, and prints
the machine. --models names those to measure.
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

from benchmarks.corpus import Corpus, machine
from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    first_layers,
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
MODELS = (
    "untrained",
    "rotation",
    "distilled",
    "dropout pairs",
    "neighbour pairs",
    "neighbour pairs, full width alone",
    "rotated, then distilled",
    "distilled with half the layers",
)


def neighbor_pairs(texts: list[str], X: np.ndarray) -> list[tuple[str, str]]:
    nearest = nearest_neighbors(X, 1, method="exact")[0][:, 0]
    return [(text, texts[near]) for text, near in zip(texts, nearest, strict=True)]


def half_of(model: SentenceTransformer) -> int:
    return int(model[0].auto_model.config.num_hidden_layers) // 2


def models(
    base: MatryoshkaBackend, texts: list[str], names: list[str], out: Path, seed: int
) -> Iterator[tuple[str, SentenceTransformer | MatryoshkaBackend, float]]:
    """Give each model's name, the model, and seconds of training."""
    half = half_of(base.embedding_model)
    yield "untrained", base, 0.0
    yield f"untrained, {half} layers", first_layers(base.embedding_model, half), 0.0
    start = time.perf_counter()
    rotated = base.rotated(texts)
    if "rotation" in names:
        yield "rotation", rotated, time.perf_counter() - start
    pairs = neighbor_pairs(texts, base.embed(texts))
    one = (WIDTHS[-1],)
    runs: dict[str, tuple[MatryoshkaBackend, Any, dict[str, Any]]] = {
        "distilled": (base, texts, {"dims": WIDTHS}),
        "dropout pairs": (base, [(text, text) for text in texts], {"dims": WIDTHS}),
        "neighbour pairs": (base, pairs, {"dims": WIDTHS}),
        "neighbour pairs, full width alone": (base, pairs, {"dims": one}),
        "rotated, then distilled": (rotated, texts, {"dims": WIDTHS}),
        "distilled with half the layers": (base, texts, {"dims": WIDTHS, "layers": [half]}),
    }
    for name, (begin, data, sizes) in runs.items():
        if name not in names:
            continue
        folder = out / name.replace(", ", "_").replace(" ", "_")
        shutil.rmtree(folder, ignore_errors=True)
        done = train_matryoshka(
            begin, data, out=folder, arguments=TRAINING, random_state=seed, **sizes
        )
        trained = SentenceTransformer(str(folder), device="cpu")
        yield name, trained, done.seconds
        if "layers" in sizes:
            yield f"{name}, {half} layers", first_layers(trained, half), done.seconds


def encode(
    model: SentenceTransformer | MatryoshkaBackend, texts: list[str]
) -> tuple[np.ndarray, float]:
    """Embed texts at full width, and give texts a second."""
    if not isinstance(model, MatryoshkaBackend):
        model = MatryoshkaBackend(model)
    start = time.process_time()
    X = model.truncated(None).embed(texts)
    return X, len(texts) / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
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
    texts = list(table["text"].iloc[theirs])
    corpus = Corpus(table.iloc[theirs])
    n_topics = len(np.unique(corpus.labels))
    model = SentenceTransformer(str(options.model), device="cpu")
    model.max_seq_length = MAX_TOKENS
    base = MatryoshkaBackend(model)
    whole, _ = encode(base, texts)
    nearest = nearest_neighbors(whole, N_NEIGHBORS, method="exact")[0]
    topics = LeidenClustering(n_topics, random_state=options.seed).fit_predict(whole)
    rows = []
    training_texts = list(table["text"].iloc[ours])
    for name, judged, seconds in models(
        base, training_texts, options.models, options.out, options.seed
    ):
        X, speed = encode(judged, texts)
        for dim in WIDTHS:
            cut = truncate(X, dim)
            found = nearest_neighbors(cut, N_NEIGHBORS, method="exact")[0]
            kept = (found[:, :, None] == nearest[:, None]).any(axis=2).mean()
            labels = LeidenClustering(n_topics, random_state=options.seed).fit_predict(cut)
            scores = corpus.score(labels)
            row = {"model": name, "dim": dim, "seconds": seconds, "texts_per_second": speed}
            row |= {"neighbors_kept": kept, "AMI": scores["AMI"], "NPMI": scores["NPMI"]}
            rows.append(row | {"agreement": adjusted_mutual_info_score(topics, labels)})
        frame = pd.DataFrame(rows)
        frame.to_csv(options.out / "widths.csv", index=False)
        print(frame.tail(len(WIDTHS)).round(3).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
