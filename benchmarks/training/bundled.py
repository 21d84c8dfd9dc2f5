"""Whether the bundled model's first dimensions gain by a rotation, or by training it further.

    python -m benchmarks.training.bundled --teacher FOLDER --corpora FOLDER --out FOLDER

Fits on docstrings, of which the bundled model has seen some, and judges on labelled corpora that it
has not: AMI with the labels of as many topics as labels, on the first texts of ag, bbc and so.
Writes bundled.csv to OUT.

- bundled: as it ships
- rotation: principal axes of its own embeddings
- distilled: its own similarities at full width, by train_matryoshka
- distilled from the teacher: the similarities of the model that it was made from, likewise
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine
from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    SimilarityDistillationLoss,
    train_matryoshka,
    truncate,
)
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.training._data import read_training_data

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "torch", "transformers")
WIDTHS = (256, 128, 64, 32)
SEEDS = 5
TRAINING = {
    "per_device_train_batch_size": 512,
    "num_train_epochs": 3,
    "learning_rate": 5e-3,
    "save_strategy": "no",
    "disable_tqdm": True,
}
PACKAGES = ("torch", "sentence-transformers")


def models(texts: list[str], teacher: str, out: Path) -> Iterator[tuple[str, MatryoshkaBackend]]:
    plain = MatryoshkaBackend()
    yield "bundled", plain
    yield "rotation", plain.rotated(texts)
    trained_on = read_training_data(texts).split(0)[0].columns[0]  # in the order of its labels
    rows = MatryoshkaBackend(teacher, batch_size=64, device="cpu").embed(trained_on)
    losses = {
        "distilled": "auto",
        "distilled from the teacher": lambda model: SimilarityDistillationLoss(model, rows),
    }
    for name, loss in losses.items():
        folder = out / name.replace(" ", "_")
        shutil.rmtree(folder, ignore_errors=True)
        train_matryoshka(
            None, texts, out=folder, dims=WIDTHS, loss=loss, arguments=TRAINING, random_state=0
        )
        yield name, MatryoshkaBackend(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=5000, help="docstrings to fit on")
    parser.add_argument("--judged", type=int, default=5000, help="most texts of each corpus")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    print(machine(PACKAGES))
    texts = load_docstrings(LIBRARIES, limit=options.texts).texts
    print(f"{len(texts):,} docstrings")
    corpora = {
        name: pd.read_parquet(options.corpora / f"{name}.parquet").head(options.judged)
        for name in ("ag", "bbc", "so")
    }
    rows = []
    for name, backend in models(texts, options.teacher, options.out):
        for corpus, table in corpora.items():
            labels = pd.factorize(table["label"])[0]
            X = backend.truncated(None).embed(list(table["text"]))
            for dim in WIDTHS:
                found = [
                    adjusted_mutual_info_score(
                        labels,
                        LeidenClustering(labels.max() + 1, random_state=seed).fit_predict(
                            truncate(X, dim)
                        ),
                    )
                    for seed in range(SEEDS)
                ]
                row = {"model": name, "corpus": corpus, "dim": dim, "AMI": np.mean(found)}
                rows.append(row | {"sd": np.std(found, ddof=1)})
        frame = pd.DataFrame(rows)
        frame.to_csv(options.out / "bundled.csv", index=False)
        print(frame.tail(12).round(3).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
