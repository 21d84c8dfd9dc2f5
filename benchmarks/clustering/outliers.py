# ruff: noqa: SLF001
"""Outliers by share, beside UMAP + HDBSCAN's: which score chooses them best?

    python -m benchmarks.clustering.outliers --corpora FOLDER... --embeddings FOLDER... \
        --out FOLDER --names minilm_bbc minilm_ag

LeidenClustering at UMAP + HDBSCAN's own number of topics and share of outliers (copies and all), by
several scores; the one in use is the first. Each topic keeps its ten best documents, as in
LeidenClustering. Keeps UMAP's labels and the scores in OUT, and prints a table of the means.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from benchmarks.clustering.no_umap import SEEDS, SMALLEST, umap_hdbscan
from benchmarks.corpus import Corpus, machine, parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.clustering._membership import membership
from bertopic_matryoshka.clustering._outliers import cosines_with, least_typical, typicality

if TYPE_CHECKING:
    from collections.abc import Iterator

MEASURES = ["AMI", "ARI", "NPMI", "diversity"]
UMAP, NONE, USED = "UMAP + HDBSCAN", "ours, no outliers", "ours"
PACKAGES = "numpy", "scikit-learn", "umap-learn", "hdbscan"


def umap_labels(name: str, X: np.ndarray, seed: int, out: Path) -> np.ndarray:
    file = out / f"umap_{name}_{seed}.npy"
    if not file.exists():
        np.save(file, umap_hdbscan()(X, None, seed))
    return np.load(file)


def scores(clustering: LeidenClustering) -> Iterator[tuple[str, np.ndarray]]:
    """Give scores of the distinct rows; the lowest become outliers."""
    graph, labels, rows = clustering._graph(), clustering._fit_labels, clustering._fit_rows
    found, used = typicality(graph, labels, rows)
    degrees = np.diff(graph.indptr)
    averaged = [membership(graph, labels)]
    for _ in range(10):
        averaged.append(graph @ averaged[-1] / degrees)
    near = rankdata(cosines_with(rows, labels, found.centroids))
    yield USED, used
    yield "averaged twice (x 2) and nearness", 2 * rankdata(averaged[2]) + near
    yield "averaged five times and nearness", rankdata(averaged[5]) + near
    yield "share and nearness", rankdata(averaged[0]) + near
    yield "averaged five times alone", averaged[5]
    yield "averaged ten times alone", averaged[10]
    yield "share alone (before)", averaged[0]
    yield "nearness alone", near
    yield "at random", np.random.default_rng(0).random(near.size)


def measure(name: str, table: pd.DataFrame, X: np.ndarray, out: Path) -> Iterator[dict]:
    corpus = Corpus(table)
    half = DimensionSelector(0.5, criterion="laplacian").fit_transform(X)
    for seed in SEEDS:
        theirs = umap_labels(name, X, seed, out)
        n_topics, n_outliers = int(theirs.max()) + 1, int((theirs < 0).sum())
        clustering = LeidenClustering(n_topics, random_state=seed).fit(half)
        labels, counts = clustering._fit_labels, clustering._counts
        found = {UMAP: theirs, NONE: clustering.labels_}
        for score, values in scores(clustering):
            left_out = least_typical(values, labels, counts, n_outliers, SMALLEST)
            kept = labels.copy()
            kept[left_out] = -1
            found[score] = clustering._of_rows(kept)
        exact = LeidenClustering(n_topics, outlier_share=n_outliers / len(X), random_state=seed)
        # Numbered by size anew, so compared by the outliers alone.
        np.testing.assert_array_equal(exact.fit_predict(half) < 0, found[USED] < 0)
        for method, its_labels in found.items():
            names = np.unique(its_labels[its_labels >= 0])
            numbered = np.where(its_labels < 0, -1, np.searchsorted(names, its_labels))
            measured = corpus.score(numbered)
            yield {"data": name, "method": method, "seed": seed} | measured


def held_out(name: str, X: np.ndarray) -> str:
    """Fit half of the documents, and give the share of the others that become outliers."""
    order = np.random.default_rng(0).permutation(len(X))
    fitted, new = X[order[: len(X) // 2]], X[order[len(X) // 2 :]]
    selector = DimensionSelector(0.5, criterion="laplacian").fit(fitted)
    found = []
    for n_topics, share in ((None, 0.1), (None, 0.3), (50, 0.3)):
        clustering = LeidenClustering(n_topics, outlier_share=share)
        clustering.fit(selector.transform(fitted))
        left_out = np.mean(clustering.predict(selector.transform(new)) < 0)
        found.append(f"{n_topics or 'default'} topics, share {share}: {left_out:.2f}")
    return f"{name}, new documents: {'; '.join(found)}"


def print_table(table: pd.DataFrame) -> None:
    print("|", " | ".join(table.columns), "|")
    print("|" + "--|" * table.shape[1])
    for row in table.itertuples(index=False):
        print("|", " | ".join(map(str, row)), "|")
    print()


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        file = args.out / f"outliers_{name}.csv"
        if not file.exists():
            rows = measure(name, *read(name, args.corpora, args.embeddings), args.out)
            pd.DataFrame(rows).to_csv(file, index=False)
    results = pd.concat(pd.read_csv(args.out / f"outliers_{name}.csv") for name in args.names)
    means = results.groupby(["method", "data"], sort=False)[
        [*MEASURES, "topics", "outliers"]
    ].mean()
    less = means - means.loc[UMAP].reindex(means.index, level="data")
    by_score = less.groupby("method", sort=False)
    summary = means.groupby("method", sort=False)[MEASURES].mean().round(3)
    summary["AMI at least UMAP's"] = by_score["AMI"].agg(lambda d: f"{(d >= 0).sum()} of {d.size}")
    summary["NPMI at least UMAP's"] = by_score["NPMI"].agg(
        lambda d: f"{(d >= 0).sum()} of {d.size}"
    )
    summary["worst AMI less UMAP's"] = by_score["AMI"].min().round(3)
    print_table(summary.reset_index())
    print_table(means.loc[[UMAP, USED, NONE]].round(3).reset_index())
    for name in args.names:
        print(held_out(name, read(name, args.corpora, args.embeddings)[1]))
    print(f"\nSeeds {SEEDS}. {machine(PACKAGES)}")


if __name__ == "__main__":
    main()
