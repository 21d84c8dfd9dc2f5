"""Which dimensions and which graph give the best topics without UMAP, at equal numbers of topics.

    python benchmarks/selection.py --corpora FOLDER --embeddings FOLDER --out FOLDER

Reads CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy. Writes each measurement to
OUT/MODEL_CORPUS.csv, uses such a file where there is one already, and prints markdown tables. The
reference needs umap-learn and hdbscan. The settings of docs/selection.md are the defaults.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from corpus import MEASURES, Corpus, machine
from graspologic_native import leiden_csr
from hdbscan import HDBSCAN
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from umap import UMAP

from bertopic_matryoshka.communities import exactly, n_large
from bertopic_matryoshka.neighbors import nearest_neighbors
from bertopic_matryoshka.selection import DimensionSelector

NAMES = ("minilm_bbc", "matryoshka_bbc", "minilm_ag", "mpnet_ag", "matryoshka_ag", "minilm_so")
WIDTHS = (64, 128, 192, 384)
CRITERIA = ("laplacian", "variance", "prefix", "random", "pca")
N_TOPICS = (10, 20, 50)
SEEDS = (0, 1, 2)
SMALLEST = 10
PACKAGES = ("graspologic-native", "numpy", "scikit-learn", "umap-learn", "hdbscan")
GRAPHS = {  # objective, neighbours
    "modularity, 20 neighbours": ("modularity", 20),
    "modularity, 15 neighbours": ("modularity", 15),
    "modularity, 30 neighbours": ("modularity", 30),
    "CPM, weights scaled": ("scaled CPM", 20),
    "CPM, weights of 1": ("CPM", 20),
}


def neighbors_of(X: np.ndarray, criterion: str, width: int, seed: int = 0) -> np.ndarray:
    if criterion == "prefix":
        X = X[:, :width]
    elif criterion == "random":
        X = X[:, np.random.default_rng(seed).permutation(X.shape[1])[:width]]
    elif criterion == "pca":
        X = PCA(width, svd_solver="covariance_eigh").fit_transform(X)
    elif criterion != "all":
        X = DimensionSelector(width, criterion=criterion).fit_transform(X)
    return nearest_neighbors(X, 30)[0]


def graph_of(neighbors: np.ndarray, k: int) -> sp.csr_matrix:
    n = len(neighbors)
    cells = np.ones(n * k), neighbors[:, :k].ravel(), np.arange(0, n * k + 1, k)
    directed = sp.csr_matrix(cells, shape=(n, n))
    return directed.maximum(directed.T).tocsr().sorted_indices()


def leiden(graph: sp.csr_matrix, objective: str, resolution: float, seed: int) -> np.ndarray:
    n, modularity = graph.shape[0], objective == "modularity"
    mean_degree = graph.sum() / n
    scale = 1 / mean_degree if objective == "scaled CPM" else 1.0
    gamma = resolution if modularity else resolution * scale * mean_degree / n
    rows = graph.indptr.astype(np.int64), graph.indices.astype(np.int32), graph.data * scale
    options = {"iterations": 2, "use_modularity": modularity, "seed": seed}
    _, found = leiden_csr(*rows, n, resolution=gamma, **options)
    return np.array([found[i] for i in range(n)])


def topics_of(graph: sp.csr_matrix, objective: str, seed: int, n_topics: tuple[int, ...]) -> dict:
    """Search a resolution that gives each number, or up to a tenth more, and merge down to it."""
    runs: dict[float, tuple[int, np.ndarray]] = {}
    answers = {}
    for wanted in n_topics:
        x = 0.0
        for _ in range(9):
            if x not in runs:
                found = leiden(graph, objective, 2.0**x, seed)
                runs[x] = n_large(found, SMALLEST), found
            if any(wanted <= count <= 1.1 * wanted for count, _ in runs.values()):
                break
            low = max((x for x, run in runs.items() if run[0] < wanted), default=None)
            high = min((x for x, run in runs.items() if run[0] > wanted), default=None)
            x = high - 1.5 if low is None else low + 1.5 if high is None else (low + high) / 2
        enough = [run for run in runs.values() if run[0] >= wanted] or list(runs.values())
        best = min(enough, key=lambda run: abs(run[0] - wanted))[1]
        answers[wanted] = tidy(exactly(graph, best, wanted, SMALLEST))
    return answers


def tidy(found: np.ndarray) -> np.ndarray:
    """Number the clusters from 0; the rows of small ones become -1."""
    large = np.bincount(found) >= SMALLEST
    return np.where(large, np.cumsum(large) - 1, -1)[found]


def reference_rows(X: np.ndarray, half: sp.csr_matrix, corpus: Corpus, seed: int):
    for n in N_TOPICS:
        found = KMeans(n, n_init=3, random_state=seed).fit_predict(X)
        yield {"table": "reference", "row": "k-means", "wanted": n, **corpus.score(found)}
    umap = UMAP(15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    theirs = HDBSCAN(min_cluster_size=SMALLEST).fit_predict(umap.fit_transform(X))
    yield {"table": "reference", "row": "UMAP + HDBSCAN", **corpus.score(theirs)}
    for objective in ("modularity", "CPM"):
        (ours,) = topics_of(half, objective, seed, (int(theirs.max()) + 1,)).values()
        rows = np.repeat(np.arange(len(ours)), np.diff(half.indptr))
        member = np.bincount(rows, ours[half.indices] == ours[rows]) / np.diff(half.indptr)
        member[ours < 0] = -1
        ours[np.argsort(member, kind="stable")[: np.sum(theirs < 0)]] = -1
        ours = np.unique(ours, return_inverse=True)[1] - (ours.min() < 0)
        row = f"{objective}, as many of both"
        yield {"table": "reference", "row": row, **corpus.score(ours)}


def graph_rows(neighbors: np.ndarray, corpus: Corpus, seed: int):
    for row, (objective, k) in GRAPHS.items():
        found = topics_of(graph_of(neighbors, k), objective, seed, N_TOPICS)
        for wanted, labels in found.items():
            yield {"table": "graph", "row": row, "wanted": wanted, **corpus.score(labels)}


def scale_rows(X: np.ndarray):
    for n in sorted({n for n in (300, 1000, 3000, 10_000) if n < len(X)} | {len(X)}):
        part = X[np.random.default_rng(0).permutation(len(X))[:n]]
        graph = graph_of(neighbors_of(part, "laplacian", X.shape[1] // 2), 20)
        for r in (0.5, 1.0, 2.0, 4.0):
            found = leiden(graph, "modularity", r, 0)
            yield {"row": f"{r:g}", "width": n, "topics": n_large(found, SMALLEST)}


def criteria_rows(X: np.ndarray, corpus: Corpus):
    for width in (*(w for w in WIDTHS if w < X.shape[1]), X.shape[1]):
        for criterion in CRITERIA if width < X.shape[1] else ("all",):
            for seed in SEEDS:
                if seed == SEEDS[0] or criterion == "random":
                    graph = graph_of(neighbors_of(X, criterion, width, seed), 20)
                keys = {"row": criterion, "width": width, "seed": seed}
                for wanted, found in topics_of(graph, "modularity", seed, N_TOPICS).items():
                    yield keys | {"wanted": wanted} | corpus.score(found)


def measure(name: str, args: argparse.Namespace) -> pd.DataFrame:
    X = np.load(args.embeddings / f"{name}.npy").astype(np.float32)
    keep = np.sort(np.random.default_rng(0).permutation(len(X))[: args.max_documents])
    X, table = X[keep], pd.read_parquet(args.corpora / f"{name.split('_')[1]}.parquet")
    corpus = Corpus(table.iloc[keep])
    half = neighbors_of(X, "laplacian", X.shape[1] // 2)
    graph, rows = graph_of(half, 20), [{"table": "scale"} | row for row in scale_rows(X)]
    rows += [{"table": "criteria"} | row for row in criteria_rows(X, corpus)]
    for seed in SEEDS:
        found = [*graph_rows(half, corpus, seed), *reference_rows(X, graph, corpus, seed)]
        rows += [{"seed": seed} | row for row in found]
    return pd.DataFrame(rows).assign(data=f"{name}, {len(X):,}")


def print_rows(results: pd.DataFrame) -> None:
    print("| data | row |", " | ".join(MEASURES), "|\n|---|---" + "|---" * len(MEASURES) + "|")
    seeds = results.groupby(["data", "row", "seed"], sort=False)[list(MEASURES)].mean()
    for keys, group in seeds.groupby(["data", "row"], sort=False):
        cells = [f"{group[m].mean():.3f} ± {group[m].std():.3f}" for m in MEASURES]
        print("|", " | ".join([*keys, *cells]), "|")


def print_wide(results: pd.DataFrame, index: list[str], columns: str, measure: str) -> None:
    wide = results.pivot_table(index=index, columns=columns, values=measure, sort=False)
    print(f"\n{measure}\n\n|", " | ".join([*index, *map(str, wide.columns)]), "|")
    print("|---" * (len(index) + len(wide.columns)) + "|")
    for keys, row in wide.iterrows():
        cells = ["" if np.isnan(value) else f"{value:.3g}" for value in row]
        print("|", " | ".join([*map(str, keys), *cells]), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for folder in ("--corpora", "--embeddings", "--out"):
        parser.add_argument(folder, type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--max-documents", type=int, default=8000, help="a corpus, at random")
    args = parser.parse_args()
    torch.set_num_threads(2)
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        if not (args.out / f"{name}.csv").exists():
            measure(name, args).to_csv(args.out / f"{name}.csv", index=False)
    results = pd.concat(pd.read_csv(args.out / f"{name}.csv") for name in args.names)
    of = dict(list(results.groupby("table")))
    print("## Graph and objective\n")
    print_rows(of["graph"])
    print("\n## Reference: as many topics and outliers as UMAP + HDBSCAN, and k-means\n")
    print_rows(of["reference"])
    print("\n## Criterion and width")
    for name in ("AMI", "NPMI"):
        print_wide(of["criteria"].astype({"width": int}), ["data", "row"], "width", name)
    spread = (
        of["criteria"].groupby(["data", "row", "width", "wanted"])[["AMI", "ARI", "NPMI"]].std()
    )
    print("\nMedian deviation between seeds:", spread.median().round(4).to_dict())
    print("\n## Topics by documents and resolution")
    print_wide(of["scale"].astype({"width": int}), ["data", "width"], "row", "topics")
    print(f"\nSeeds {SEEDS}; topics {N_TOPICS}; at most {args.max_documents:,} documents.")
    print(machine(PACKAGES))


if __name__ == "__main__":
    main()
