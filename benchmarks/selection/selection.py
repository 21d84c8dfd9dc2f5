"""Which dimensions and which graph clustering give the best topics without UMAP.

    python -m benchmarks.selection.selection --corpora FOLDER... --embeddings FOLDER... --out FOLDER

Everything at equal numbers of topics, because fewer topics raise AMI by themselves. Reads
CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy. Writes each measurement to
OUT/MODEL_CORPUS.csv, uses such a file where there is one already, and prints markdown tables. The
settings of docs/selection.md are the defaults.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import scipy.sparse as sp
from graspologic_native import leiden_csr
from sklearn.decomposition import PCA

from benchmarks.corpus import Corpus, machine, parser_of, read
from bertopic_matryoshka.clustering import _communities as communities
from bertopic_matryoshka.clustering import _division as division
from bertopic_matryoshka.clustering import _merge_tree as merge_tree
from bertopic_matryoshka.clustering import _partition as partition
from bertopic_matryoshka.clustering import _smoothing as smoothing
from bertopic_matryoshka.clustering._ordering import keep_clusters
from bertopic_matryoshka.neighbors._search import nearest_neighbors
from bertopic_matryoshka.selection._criteria import laplacian
from bertopic_matryoshka.selection._selector import DimensionSelector

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

NAMES = (
    "minilm_bbc",
    "matryoshka_bbc",
    "minilm_ag",
    "mpnet_ag",
    "matryoshka_ag",
    "minilm_so",
)
WIDTHS = (32, 64, 128, 256, 512)
CRITERIA = ("laplacian", "variance", "prefix", "random", "pca", "redundancy", "in twice the prefix")
SAMPLES = (500, 1000, 2000, 4000)
N_TOPICS = (10, 20, 50)
SEEDS = (0, 1, 2)
SMALLEST = 10
SEARCH_RUNS = 12
PACKAGES = ("graspologic-native", "numpy", "scikit-learn", "torch")
USED = "as used"
VARIANTS: dict[str, dict[str, Any]] = {
    USED: {},
    "Leiden alone, CPM": {"alone": "CPM"},
    "Leiden alone, CPM on weights of 1": {"alone": "CPM on weights of 1"},
    "Leiden alone, modularity": {"alone": "modularity"},
    "fine communities by modularity": {"objective": "modularity"},
    "two Leiden cycles": {"ITERATIONS": 2},
    "linkage exponent .5": {"EXPONENT": 0.5},
    "linkage exponent .8": {"EXPONENT": 0.8},
    "linkage exponent 1": {"EXPONENT": 1.0},
    "twice as many fine communities": {"LEAF_SIZES": 2.25},
    "half as many fine communities": {"LEAF_SIZES": 9.0},
    "Ward's criterion alone": {"N_TOP": 10**6},
    "the graph's linkage alone": {"N_TOP": 1},
    "without votes": {"ROUNDS": 0},
    "without the core rule": {"CORE": -1.0},
    "10 neighbours": {"k": 10},
    "20 neighbours": {"k": 20},
    "30 neighbours": {"k": 30},
    "mutual neighbours only": {"graph": "mutual"},
    "similarities as weights": {"graph": "weighted"},
    "approximate, 1 list": {"n_probes": 1},
    "approximate, 2 lists": {"n_probes": 2},
}
HOMES = {"ITERATIONS": communities, "EXPONENT": merge_tree}
HOMES |= dict.fromkeys(("LEAF_SIZES", "N_TOP"), division)
HOMES |= dict.fromkeys(("ROUNDS", "CORE"), smoothing)


def columns_of(X: np.ndarray, criterion: str, width: int, seed: int = 0) -> np.ndarray:
    if criterion == "pca":
        return PCA(width, svd_solver="covariance_eigh").fit_transform(X)
    if criterion in ("all", "prefix", "random", "redundancy"):
        order = {
            "random": np.random.default_rng(seed).permutation,
            "redundancy": lambda _: without_redundancy(X, width),
        }.get(criterion, np.arange)
        return X[:, order(X.shape[1])[:width]]
    if criterion == "in twice the prefix":
        X, criterion = X[:, : 2 * width], "laplacian"
    if criterion.startswith("sample "):
        rows = int(criterion.split()[1])
        return DimensionSelector(
            width, criterion=lambda Y: laplacian(Y, sample_size=rows)
        ).fit_transform(X)
    return DimensionSelector(width, criterion=criterion).fit_transform(X)


def without_redundancy(X: np.ndarray, width: int) -> list[int]:
    """Pivoted Cholesky on the correlations, what is not explained yet times the Laplacian score."""
    scores, varying = laplacian(X), X.std(axis=0) > 1e-6
    residual = np.corrcoef(np.where(varying, X, np.random.default_rng(0).normal(size=X.shape)).T)
    residual[:, ~varying] = residual[~varying] = 0
    kept: list[int] = []
    for _ in range(width):
        left = np.diag(residual) * scores
        left[kept] = -1
        kept.append(int(left.argmax()))
        column = residual[:, kept[-1]]
        residual = residual - np.outer(column, column) / max(column[kept[-1]], 1e-12)
    return kept


def graph_of(X: np.ndarray, k: int = 15, graph: str = "union", n_probes: int = 0) -> sp.csr_matrix:
    how = {"method": "approximate", "n_probes": n_probes} if n_probes else {"method": "exact"}
    indices, similarities = nearest_neighbors(X, k, **how)
    n = len(X)
    weights = (
        similarities.ravel().clip(1e-3).astype(float) if graph == "weighted" else np.ones(n * k)
    )
    directed = sp.csr_matrix((weights, indices.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    joined = directed.minimum(directed.T) if graph == "mutual" else directed.maximum(directed.T)
    return joined.tocsr().sorted_indices()


def leiden(objective: str, graph: sp.csr_matrix, resolution: float, seed: int) -> np.ndarray:
    n, mean_degree = graph.shape[0], graph.sum() / graph.shape[0]
    modularity, scale = objective == "modularity", 1.0
    gamma = resolution if modularity else resolution * mean_degree / n
    if objective == "CPM":
        scale, gamma = 1 / mean_degree, resolution / n
    rows = graph.indptr.astype(np.int64), graph.indices.astype(np.int32), graph.data * scale
    options = {"iterations": 2, "use_modularity": modularity, "seed": seed}
    _, found = leiden_csr(*rows, n, resolution=gamma, **options)
    return np.array([found[i] for i in range(n)])


def communities_in_number(
    graph: sp.csr_matrix,
    least: int,
    most: int,
    min_cluster_size: int,
    seed: int,
) -> np.ndarray:
    """Search a resolution that gives from `least` to `most` communities of sufficient size."""
    target = np.log2(np.sqrt(least * most))
    below: tuple[float, float] | None = None  # logarithms of resolution and number
    above: tuple[float, float] | None = None
    seen: list[tuple[int, np.ndarray]] = []
    exponent = 1.0
    for _ in range(SEARCH_RUNS):
        labels = communities.communities(graph, 2.0**exponent, seed)
        sizes = np.bincount(labels)
        large = sizes >= min_cluster_size
        count = int(large.sum())
        seen.append((count, labels))
        if least <= count <= most:
            break
        point = exponent, float(np.log2(max(count, 0.5)))
        # Where most rows are in small communities, the number of large ones falls again.
        if count > most or 2 * sizes[large].sum() < sizes.sum():
            above = point
        else:
            below = point
        if above is None:
            exponent += float(np.clip(target - point[1], 0.5, 4))
        elif below is None:
            exponent -= float(np.clip(point[1] - target, 0.5, 4))
        else:
            rise = above[1] - below[1]
            share = (target - below[1]) / rise if rise > 0 else 0.5
            exponent = below[0] + float(np.clip(share, 0.2, 0.8)) * (above[0] - below[0])
    enough = [run for run in seen if run[0] >= least]
    if enough:
        return min(enough, key=lambda run: run[0])[1]
    return max(seen, key=lambda run: run[0])[1]


def alone(graph: sp.csr_matrix, Y: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Search a resolution that gives the number or a tenth more; merge as modularity does."""
    found = communities_in_number(graph, n, round(1.1 * n), SMALLEST, seed)
    leaves = keep_clusters(found, np.bincount(found) >= SMALLEST)
    with patch.object(merge_tree, "EXPONENT", 1.0):
        tree = merge_tree.merge_tree(graph, leaves, Y, 1)
    return np.append(tree.cut(min(n, tree.n_leaves)), -1)[leaves]


def divided(graph: sp.csr_matrix, Y: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Find `n` clusters as LeidenClustering does."""
    divider = division.Divider(graph, Y, SMALLEST, seed)
    return partition.in_number(divider, divider.divide(), n)


def variant_rows(X: np.ndarray, corpus: Corpus) -> Iterator[dict[str, Any]]:
    Y = X
    for row, settings in VARIANTS.items():
        graph = graph_of(X, **{k: settings[k] for k in ("k", "graph", "n_probes") if k in settings})
        for seed in SEEDS:
            with contextlib.ExitStack() as stack:
                for name in HOMES.keys() & settings.keys():
                    stack.enter_context(patch.object(HOMES[name], name, settings[name]))
                objective = settings.get("objective", settings.get("alone"))
                if objective:
                    own = lambda *args, objective=objective: leiden(objective, *args[:3])  # noqa: E731
                    for module in (communities, division):  # where it is, and where it is used
                        stack.enter_context(patch.object(module, "communities", own))
                for n in N_TOPICS:
                    if "alone" in settings:
                        found = alone(graph, Y, n, seed)
                    else:
                        found = divided(graph, Y, n, seed)
                    yield {"row": row, "seed": seed, "wanted": n, **corpus.score(found)}


def criteria_rows(X: np.ndarray, corpus: Corpus) -> Iterator[dict[str, Any]]:
    cells = [("all", X.shape[1])]
    for width in (w for w in WIDTHS if w < X.shape[1]):
        cells += [(criterion, width) for criterion in CRITERIA]
        cells += [(f"sample {rows}", width) for rows in SAMPLES if width == 128]
    for criterion, width in cells:
        for seed in SEEDS:
            if seed == SEEDS[0] or criterion == "random":
                Y = columns_of(X, criterion, width, seed)
                graph = graph_of(Y)
            keys = {"row": criterion, "width": width, "seed": seed}
            for n in N_TOPICS:
                found = divided(graph, Y, n, seed)
                yield keys | {"wanted": n} | corpus.score(found)


def scale_rows(X: np.ndarray) -> Iterator[dict[str, Any]]:
    for n in sorted({n for n in (300, 1000, 3000, 10_000) if n < len(X)} | {len(X)}):
        rows = X[np.random.default_rng(0).permutation(len(X))[:n]]
        divider = division.Divider(graph_of(rows), rows, SMALLEST, 0)
        for r in (0.5, 1.0, 2.0, 4.0):
            found = partition.at_resolution(divider, divider.divide(), r)
            yield {"row": f"{r:g}", "width": n, "topics": found.max() + 1}


def measure(name: str, args: argparse.Namespace) -> pd.DataFrame:
    table, X = read(name, args.corpora, args.embeddings)
    keep = np.sort(np.random.default_rng(0).permutation(len(X))[: args.max_documents])
    X, corpus = X[keep], Corpus(table.iloc[keep])
    rows = [{"table": "scale"} | row for row in scale_rows(X)]
    rows += [{"table": "criteria"} | row for row in criteria_rows(X, corpus)]
    rows += [{"table": "variants"} | row for row in variant_rows(X, corpus)]
    return pd.DataFrame(rows).assign(data=f"{name}, {len(X):,}")


def print_variants(results: pd.DataFrame) -> None:
    measures = ["AMI", "ARI", "NPMI", "diversity", "outliers"]
    means = results.groupby(["row", "wanted"], sort=False)[measures].mean()
    print("| variant |", " | ".join(f"{n} topics" for n in N_TOPICS), "|")
    print("|---" * (len(N_TOPICS) + 1) + "|")
    for row in results["row"].unique():
        cells = [" / ".join(f"{means.loc[row, n][m]:.3f}" for m in measures) for n in N_TOPICS]
        print("|", " | ".join([row, *cells]), "|")


def print_wide(results: pd.DataFrame, index: list[str], columns: str, measure: str) -> None:
    wide = results.pivot_table(index=index, columns=columns, values=measure, sort=False)
    print(f"\n{measure}\n\n|", " | ".join([*index, *map(str, wide.columns)]), "|")
    print("|---" * (len(index) + len(wide.columns)) + "|")
    for keys, row in wide.iterrows():
        cells = ["" if np.isnan(value) else f"{value:.3g}" for value in row]
        names = keys if isinstance(keys, tuple) else (keys,)
        print("|", " | ".join([*map(str, names), *cells]), "|")


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=NAMES)
    parser.add_argument("--max-documents", type=int, default=5000, help="a corpus, at random")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        if not (args.out / f"{name}.csv").exists():
            measure(name, args).to_csv(args.out / f"{name}.csv", index=False)
    results = pd.concat(pd.read_csv(args.out / f"{name}.csv") for name in args.names)
    of = dict(list(results.groupby("table")))
    print("## Graph and clusters: AMI / ARI / NPMI / diversity / outliers, mean over the data\n")
    print_variants(of["variants"])
    print("\n## Criterion and width, mean over the numbers of topics")
    for name in ("AMI", "NPMI"):
        print_wide(of["criteria"].astype({"width": int}), ["data", "width"], "row", name)
    keys = ["data", "row", "width", "wanted"]
    spread = of["criteria"].groupby(keys)[["AMI", "ARI", "NPMI"]].std().median()
    print("\nMedian deviation between seeds:", spread.round(4).to_dict())
    print("\n## Topics by documents and resolution")
    print_wide(of["scale"].astype({"width": int}), ["data", "width"], "row", "topics")
    print(f"\nSeeds {SEEDS}; topics {N_TOPICS}; at most {args.max_documents:,} documents.")
    print(machine(PACKAGES))


if __name__ == "__main__":
    main()
