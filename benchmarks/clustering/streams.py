"""A corpus in ten batches beside one fit to all of it: agreement, new classes, stable numbers.

    python -m benchmarks.clustering.streams --corpora FOLDER... --embeddings FOLDER... \
        [--names minilm_bbc ...] [--seeds 0 1 2]

Half of the dimensions are kept, chosen on the first batch. "random" is the corpus in random order;
in "held back" all documents of one class, another one with each seed, come in the last five
batches. AMI is that of the labels as they were given, batch by batch. With "recluster", it is
called after batches two, four and eight, and AMI is that of predict at the end. MiniBatchKMeans is
what BERTopic's documentation takes for online topics, with as many clusters as ours had at last.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("minilm_bbc", "minilm_ag", "mpnet_ag", "matryoshka_ag", "minilm_so")
N_BATCHES, HELD_UNTIL = 10, 5
RECLUSTERED = (1, 3, 7)  # batches, from 0
SMALL, NUMBERS = 4_000, {True: (None, 10), False: (None, 20)}


def batches_of(classes: np.ndarray, held: int | None, seed: int) -> list[np.ndarray]:
    """Divide rows into batches at random; those of a class come late."""
    order = np.random.default_rng(seed).permutation(classes.size)
    late = order[classes[order] == held] if held is not None else order[:0]
    parts = np.array_split(np.setdiff1d(order, late, assume_unique=True), N_BATCHES)
    for number, part in enumerate(np.array_split(late, N_BATCHES - HELD_UNTIL)):
        parts[HELD_UNTIL + number] = np.concatenate([parts[HELD_UNTIL + number], part])
    return parts


def stream(
    X: np.ndarray, batches: list[np.ndarray], n: int | None, *, recluster: bool
) -> tuple[LeidenClustering, np.ndarray, np.ndarray]:
    """Give the clustering, the labels as they were given, and whether the rows waited then."""
    clustering = LeidenClustering(n)
    labels, waited = np.full(len(X), -1), np.zeros(len(X), dtype=bool)
    for number, batch in enumerate(batches):
        clustering.partial_fit(X[batch])
        labels[batch], waited[batch] = clustering.labels_, clustering.waiting_
        if recluster and number in RECLUSTERED:
            clustering.recluster(n)
    return clustering, labels, waited


def minibatch(X: np.ndarray, batches: list[np.ndarray], n: int, seed: int) -> np.ndarray:
    clustering, labels = MiniBatchKMeans(n, random_state=seed, n_init=3), np.empty(len(X), int)
    for batch in batches:
        labels[batch] = clustering.partial_fit(X[batch]).labels_
    return labels


def measure(name: str, table: pd.DataFrame, X: np.ndarray, seeds: list[int]) -> Iterator[dict]:
    classes = pd.factorize(table["label"])[0]
    for seed in seeds:
        for held in (None, seed % (classes.max() + 1)):
            batches = batches_of(classes, held, seed)
            selector = DimensionSelector(0.5, criterion="laplacian").fit(X[batches[0]])
            selected = selector.transform(X)
            for n in NUMBERS[len(X) < SMALL]:
                whole = DimensionSelector(0.5, criterion="laplacian").fit_transform(X)
                one = LeidenClustering(n, random_state=seed).fit_predict(whole)
                clustering, labels, waited = stream(selected, batches, n, recluster=False)
                anew = stream(selected, batches, n, recluster=True)[0]
                last = clustering.predict(selected)
                changes = clustering.topic_changes_
                told = changes[changes["change"] == "new"]
                kmeans = minibatch(selected, batches, clustering.n_clusters_, seed)
                is_new, is_held = np.isin(last, told["new"]), classes == held
                scores = {
                    "one fit": one,
                    "stream": labels,
                    "recluster": anew.predict(selected),
                    "MiniBatchKMeans": kmeans,
                }
                row = {"data": name, "seed": seed, "asked": n or "own"}
                row["order"] = "random" if held is None else "held back"
                row |= {k: adjusted_mutual_info_score(classes, v) for k, v in scores.items()}
                row |= {
                    "topics": clustering.n_clusters_,
                    "new": told["new"].nunique(),
                    "first new batch": told["batch"].min() + 1,
                    "recall": is_new[is_held].mean() if is_held.any() else np.nan,
                    "precision": is_held[is_new].mean() if is_new.any() else np.nan,
                    "same at the end": np.mean(last == labels),
                    "waited": waited.mean(),
                }
                print(*row.values(), file=sys.stderr)
                yield row


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=NAMES, help="MODEL_CORPUS")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name in args.names:
        rows += measure(name, *read(name, args.corpora, args.embeddings), args.seeds)
    table = pd.DataFrame(rows)
    means = table.drop(columns="seed").groupby(["data", "order", "asked"], sort=False).mean()
    means.insert(2, "stream / one fit", means["stream"] / means["one fit"])
    means.insert(4, "recluster / one fit", means["recluster"] / means["one fit"])
    print("| data | order | topics asked |", *(f" {column} |" for column in means), sep="")
    print("|---|---|--:|" + "--:|" * means.shape[1])
    for keys, row in means.iterrows():
        cells = ["" if np.isnan(v) else f"{v:.0f}" if v >= 2 else f"{v:.3f}" for v in row]
        print("|", " | ".join(map(str, (*keys, *cells))), "|")
    print(f"\nSeeds {args.seeds}. {machine(('scikit-learn', 'torch', 'graspologic-native'))}")


if __name__ == "__main__":
    main()
