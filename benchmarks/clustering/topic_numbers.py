"""Every number of topics from one fit: how good, how many, how fast, beside k-means.

    python -m benchmarks.clustering.topic_numbers --corpora FOLDER... --embeddings FOLDER... \
        --out FOLDER

Reads CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy. Writes each measurement to
OUT/numbers_MODEL_CORPUS.csv, leaves out what is there already, and prints markdown tables. Run with
another version of the package on the path and ``--ours NAME``, its rows are added under this name.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from benchmarks.clustering.no_umap import append
from benchmarks.corpus import MEASURES, Corpus, machine, parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("minilm_bbc", "matryoshka_bbc", "minilm_ag", "mpnet_ag", "matryoshka_ag", "minilm_so")
NUMBERS = (3, 4, 5, 10, 20, 50, 100)
SEEDS = (0, 1, 2)
KMEANS, OURS, BEFORE = "k-means", "one tree", "a search for each"
METHODS = (KMEANS, BEFORE, OURS)
PACKAGES = ("graspologic-native", "numpy", "scikit-learn", "torch")


def clusterings(
    X: np.ndarray, method: str, seed: int, numbers: list[int]
) -> Iterator[tuple[int, np.ndarray]]:
    if method == KMEANS:
        for n in numbers:
            yield n, KMeans(n, n_init=3, random_state=seed).fit_predict(X)
        return
    half = DimensionSelector(0.5, criterion="laplacian").fit_transform(X)
    fitted = LeidenClustering(random_state=seed).fit(half)
    for n in numbers:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            if hasattr(fitted, "labels_at"):
                yield n, fitted.labels_at(n)
            else:
                yield n, LeidenClustering(n, random_state=seed).fit_predict(half)


def measure(name: str, table: pd.DataFrame, X: np.ndarray, file: Path, ours: str) -> None:
    done = set()
    if file.exists():
        old = pd.read_csv(file)
        done = set(zip(old["method"], old["seed"], old["wanted"], strict=True))
    corpus = Corpus(table)
    numbers = sorted({*NUMBERS, table["label"].nunique()})
    for seed in SEEDS:
        for method in (KMEANS, ours):
            missing = [n for n in numbers if (method, seed, n) not in done]
            for n, found in clusterings(X, method, seed, missing) if missing else ():
                row = {"data": name, "method": method, "seed": seed, "wanted": n}
                row |= {"largest": np.bincount(found[found >= 0]).max() / len(found)}
                append(file, row | corpus.score(found))


def print_tables(results: pd.DataFrame) -> None:
    methods = [method for method in METHODS if method in set(results["method"])]
    classes = {"ag": 4, "bbc": 5, "so": 20}
    measures = [*MEASURES[:4], "largest"]
    means = results.groupby(["data", "wanted", "method"])[[*measures, "topics"]].mean()
    for measure_name in measures:
        table = means[measure_name].unstack("wanted")
        own = {c for c in table.columns if c not in NUMBERS}
        over = table.drop(columns=own).groupby("method").mean().loc[methods]
        print(f"\n{measure_name}, mean of {results['data'].nunique()} pairs\n")
        print("| |", " | ".join(f"{n}" for n in over.columns), "| mean |")
        print("|---|" + "--:|" * (len(over.columns) + 1))
        for method, row in over.iterrows():
            print(f"| {method} |", " | ".join(f"{v:.3f}" for v in row), f"| {row.mean():.3f} |")
    print("\nAMI, by pair (classes):", " / ".join(methods), "\n")
    columns = list(NUMBERS)
    print("| |", " | ".join(f"{n}" for n in columns), "|\n|---|" + "--:|" * len(columns))
    for name in results["data"].unique():
        cells = [
            " / ".join(f"{means.loc[(name, n, m), 'AMI']:.3f}" for m in methods) for n in columns
        ]
        print(f"| {name} ({classes.get(name.partition('_')[2], '')}) |", " | ".join(cells), "|")
    print("\nTopics found, mean, by pair:\n")
    for name in results["data"].unique():
        cells = [
            " / ".join(f"{means.loc[(name, n, m), 'topics']:g}" for m in methods if m != KMEANS)
            for n in columns
        ]
        print(f"| {name} |", " | ".join(cells), "|")
    print_below(means, methods)


def print_below(means: pd.DataFrame, methods: list[str]) -> None:
    """Count the cells in which the tree is below each other method, and the worst of them."""
    for measure_name in MEASURES[:4]:
        table = means[measure_name].unstack("method")
        for other in (method for method in methods if method != OURS):
            less = table[OURS] - table[other]
            print(
                f"{measure_name}, tree less {other}: below in {(less < 0).sum()} of {less.size}, "
                f"by more than .03 in {(less < -0.03).sum()}; worst {less.min():+.3f} at "
                f"{less.idxmin()}; mean {less.mean():+.3f}"
            )


def print_time(X: np.ndarray, n_rows: int) -> None:
    """Time fits on rows between near ones, with noise, where the embeddings have too few."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(X), size=n_rows)
    Y = X[chosen, :64] + rng.normal(scale=0.5 * X[:, :64].std(), size=(n_rows, 64))
    Y = Y.astype(np.float32)
    LeidenClustering().fit(Y[:2000])  # imports and first calls
    times: dict[str, list[float]] = {}

    def timed(what: str, call: object) -> object:
        start = time.perf_counter(), time.process_time()
        result = call()  # type: ignore[operator]
        spent = time.perf_counter() - start[0], time.process_time() - start[1]
        times.setdefault(what, []).append(spent)
        return result

    for _ in range(3):
        fitted = timed("fit without a number", lambda: LeidenClustering().fit(Y))
        if hasattr(fitted, "labels_at"):
            timed("then the tree and 10, 20, ..., 200", lambda: ten_to_200(fitted))  # noqa: B023
        for n in (20, 100, 1000, 2000):
            found = timed(f"fit with n_clusters={n}", lambda: LeidenClustering(n).fit(Y))  # noqa: B023
            print(n, "asked,", found.n_clusters_, "found")
    print(f"\n| {n_rows:,} rows, 64 dimensions | seconds | of the processor |\n|---|--:|--:|")
    for what, spent in times.items():
        wall, cpu = np.median(spent, axis=0)
        print(f"| {what} | {wall:.1f} | {cpu:.1f} |")


def ten_to_200(fitted: LeidenClustering) -> None:
    for n in range(10, 201, 10):
        fitted.labels_at(n)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=NAMES, help="MODEL_CORPUS")
    parser.add_argument("--ours", default=OURS, help="a name for the rows of this version")
    parser.add_argument("--time", metavar="MODEL_CORPUS", help="whose rows to time")
    parser.add_argument("--rows", type=int, default=100_000, help="rows to time")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.time:
        print_time(read(args.time, args.corpora, args.embeddings)[1], args.rows)
    else:
        files = {name: args.out / f"numbers_{name}.csv" for name in args.names}
        for name, file in files.items():
            measure(name, *read(name, args.corpora, args.embeddings), file, args.ours)
        if args.ours == OURS:
            print_tables(pd.concat(map(pd.read_csv, files.values())))
    print(f"\nSeeds {SEEDS}. {machine(PACKAGES)}")


if __name__ == "__main__":
    main()
