"""How much of the full width's Spearman correlation each width keeps, trained and untrained.

    python -m benchmarks.training.spearman --model FOLDER --pairs simlex999 wordsim353 --out OUT
    python -m benchmarks.training.spearman --model NAME --pairs sentence-transformers/stsb --out OUT

Trains on the scored pairs of the first of --pairs, by CoSENTLoss at every width (MatryoshkaLoss)
and, with the same pairs and steps, at the full width alone. Judges both, and the untrained model,
on test pairs of all of --pairs. A source is simlex999 or wordsim353, which gensim brings; a file
with two columns of texts and one of scores (CSV, TSV, JSON Lines, Parquet); or the name
of a data set on the Hugging Face Hub. Where a source has no test split, half of its pairs, drawn at
random, are the test; words may then be in pairs of both halves.

Writes spearman.csv to OUT. Its interval is the 2.5th to 97.5th percentile over draws of the test
pairs with replacement, of the mean over seeds: the chance of the pairs, given these trainings.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from datasets import Dataset, DatasetDict, load_dataset
from scipy.stats import rankdata
from sentence_transformers import SentenceTransformer

from benchmarks.corpus import machine
from bertopic_matryoshka import train_matryoshka, truncate

if TYPE_CHECKING:
    from numpy.typing import NDArray

GENSIM = {"simlex999": "simlex999.txt", "wordsim353": "wordsim353.tsv"}
READERS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}
WIDTHS = (16, 32, 64, 128, 256, 384, 512, 768)
TRAINING = {"per_device_train_batch_size": 32, "learning_rate": 2e-5, "save_strategy": "no"}
N_RESAMPLES = 1000
PACKAGES = ("torch", "sentence-transformers")


def load(source: str) -> DatasetDict:
    """Read scored pairs, in the source's own splits."""
    if source in GENSIM:
        from gensim.test.utils import datapath

        table = pd.read_csv(
            datapath(GENSIM[source]), sep="\t", comment="#", names=["first", "second", "score"]
        )
        return DatasetDict(train=Dataset.from_pandas(table))
    if Path(source).is_file():
        suffix = Path(source).suffix
        settings = {"sep": "\t"} if suffix == ".tsv" else {}
        return load_dataset(READERS[suffix], data_files=source, **settings)
    return load_dataset(source)


def as_table(data: Dataset) -> pd.DataFrame:
    """Keep the two columns of texts and the one of scores."""
    table = data.to_pandas()
    is_text = [name for name in table if isinstance(table[name].iloc[0], str)]
    scores = [name for name in table if table[name].dtype.kind == "f"]
    if len(is_text) != 2 or len(scores) != 1:
        raise ValueError(f"{list(table)} are not two columns of texts and one of scores.")
    return table[[*is_text, *scores]].set_axis(["first", "second", "score"], axis=1)


def split_pairs(source: str, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the pairs to train on and those to judge on."""
    data = load(source)
    if "test" in data:
        return as_table(data["train"]), as_table(data["test"])
    table = as_table(data["train"])
    order = np.random.default_rng(seed).permutation(len(table))
    half = len(table) // 2
    return table.iloc[order[:half]], table.iloc[order[half:]]


def cosines(model: SentenceTransformer, pairs: pd.DataFrame, dims: list[int]) -> NDArray[Any]:
    """Cosine similarities, shape (n_dims, n_pairs)."""
    first, second = (model.encode(pairs[side].tolist()) for side in ("first", "second"))
    rows = [
        np.einsum("ij,ij->i", truncate(first, dim), truncate(second, dim), dtype=float)
        for dim in dims
    ]
    return np.stack(rows)


def correlations(found: NDArray[Any], scores: NDArray[Any]) -> NDArray[Any]:
    """Spearman's correlation with the scores along the last axis."""
    ranks, goal = rankdata(found, axis=-1), rankdata(scores)
    ranks = ranks - ranks.mean(axis=-1, keepdims=True)
    goal = goal - goal.mean()
    return ranks @ goal / np.sqrt((ranks**2).sum(axis=-1) * (goal**2).sum())


def summary(found: NDArray[Any], scores: NDArray[Any], dims: list[int]) -> pd.DataFrame:
    """Correlation at each width, and its ratio to that at the widest, with bootstrap intervals.

    `found` has shape (n_seeds, n_dims, n_pairs), the widest first.
    """

    def both(rows: NDArray[np.intp]) -> NDArray[Any]:
        each = correlations(found[..., rows], scores[rows])  # (n_seeds, n_dims)
        return np.stack([each.mean(axis=0), (each / each[:, :1]).mean(axis=0)])

    rng = np.random.default_rng(0)
    n_pairs = len(scores)
    draws = [both(rng.integers(n_pairs, size=n_pairs)) for _ in range(N_RESAMPLES)]
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    spearman, kept = both(np.arange(n_pairs))
    columns: dict[str, Any] = {"dim": dims, "spearman": spearman, "kept": kept}
    columns |= {"spearman_low": low[0], "spearman_high": high[0]}
    columns |= {"kept_low": low[1], "kept_high": high[1]}
    return pd.DataFrame(columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--pairs", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    print(machine(PACKAGES))

    train, _ = split_pairs(options.pairs[0])
    tests = {source: split_pairs(source)[1] for source in options.pairs}
    untrained = SentenceTransformer(options.model, device="cpu")
    full = int(untrained.get_embedding_dimension())
    dims = [full, *sorted((dim for dim in WIDTHS if dim < full), reverse=True)]
    found = {
        ("untrained", source): [cosines(untrained, pairs, dims)] for source, pairs in tests.items()
    }
    seconds = {"untrained": 0.0}
    for name, widths in (("MatryoshkaLoss", dims), ("without", [full])):
        seconds[name] = 0.0
        for seed in range(options.seeds):
            folder = options.out / f"{name}_{seed}"
            shutil.rmtree(folder, ignore_errors=True)
            arguments = TRAINING | {"num_train_epochs": options.epochs, "disable_tqdm": True}
            done = train_matryoshka(
                untrained, train, out=folder, dims=widths, arguments=arguments, random_state=seed
            )
            seconds[name] += done.seconds
            trained = SentenceTransformer(str(folder), device="cpu")
            for source, pairs in tests.items():
                found.setdefault((name, source), []).append(cosines(trained, pairs, dims))
    parts = []
    for (name, source), each in found.items():
        scores = tests[source]["score"].to_numpy()
        part = summary(np.stack(each), scores, dims)
        part.insert(0, "model", name)
        part.insert(1, "pairs", Path(source).name)
        part.insert(2, "n_pairs", len(scores))
        part["seconds"] = seconds[name]
        parts.append(part)
        print(part.round(3).to_string(index=False), flush=True)
    pd.concat(parts).to_csv(options.out / "spearman.csv", index=False)
    print(f"Trained on {len(train)} pairs of {options.pairs[0]}; a tenth of them held out.")


if __name__ == "__main__":
    main()
