"""How much of the topics a share of neighbours kept promises: the calibration of compare_prefixes.

    python -m benchmarks.neighbors.expected_topics measure --corpora FOLDER... \
        --embeddings FOLDER... --names MODEL_CORPUS... --out measured.csv
    python -m benchmarks.neighbors.expected_topics fit measured.csv...

Replicate r clusters, at every width, the same 80 % of the documents (drawn without replacement,
equal rows together) with seed r, into as many topics at all widths; a width that gives fewer is
left out. Agreement of a width is the mean AMI(width_r, full_s) over the mean AMI(full_r, full_s),
r != s, each on the documents that both have. Prefixes, the dimensions of highest Laplacian score
and rotated dimensions are measured apart. The second command fits 1 - (1 - kept) ** exponent to
them, and judges it on pairs, corpora and models that it was not fitted to.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import LeidenClustering, compare_prefixes, truncate
from bertopic_matryoshka.neighbors._expected import (
    FEWEST_ROWS,
    LEAST_KEPT,
    MARGIN,
    MARGIN_OF_LOST,
)
from bertopic_matryoshka.selection import laplacian

REPLICATES = 4
SHARE = 0.8
DOCUMENTS_PER_TOPIC = 80
"""Least number of documents for each topic that is asked for."""
WIDTHS = (704, 640, 512, 384, 352, 320, 256, 240, 224, 192, 128, 96, 64, 48, 32, 16, 8)
KINDS = ("prefix", "selection", "rotation")
ROTATION_ROWS = 5000


def arranged(X: np.ndarray, kind: str) -> np.ndarray:
    """Put the dimensions in the order in which a kind of reduction keeps them."""
    if kind == "selection":
        return X[:, np.argsort(-laplacian(X), kind="stable")]
    if kind == "rotation":
        rows = X[np.linspace(0, len(X) - 1, min(len(X), ROTATION_ROWS)).astype(int)]
        return X @ np.linalg.svd(rows, full_matrices=False)[2].T
    return X


def drawn(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw 80 % of the distinct rows, with all their copies; indices ascending."""
    group = np.unique(X, axis=0, return_inverse=True)[1].ravel()
    n = group.max() + 1
    return np.flatnonzero(np.isin(group, rng.permutation(n)[: round(SHARE * n)]))


def agreements(
    X: np.ndarray, widths: list[int], n_topics: list[int]
) -> dict[tuple[int, int], tuple[float, float]]:
    """Measure agreement, and AMI between replicates at full width, by width and number."""
    full = X.shape[1]
    labels: dict[tuple[int, int, int], np.ndarray] = {}
    for r in range(REPLICATES):
        rows = drawn(X, np.random.default_rng(r))
        for width in [full, *widths]:
            cut = truncate(X[rows], width)
            with tempfile.TemporaryDirectory() as memory:
                for k in n_topics:
                    found = np.full(len(X), -2)
                    fitted = LeidenClustering(k, random_state=r, memory=memory).fit(cut)
                    found[rows] = fitted.labels_
                    if fitted.n_clusters_ == k:
                        labels[r, width, k] = found
    result = {}
    for k in n_topics:
        at = {w for w in [full, *widths] if all((r, w, k) in labels for r in range(REPLICATES))}
        mean = {width: mean_ami(labels, width, full, k) for width in at} if full in at else {}
        result.update({(w, k): (mean[w] / mean[full], mean[full]) for w in mean if w != full})
    return result


def mean_ami(
    labels: dict[tuple[int, int, int], np.ndarray], width: int, full: int, k: int
) -> float:
    """Average AMI(width_r, full_s), r != s, on the documents that both replicates have."""
    values = []
    for r, s in permutations(range(REPLICATES), 2):
        one, other = labels[r, width, k], labels[s, full, k]
        both = (one != -2) & (other != -2)
        values.append(adjusted_mutual_info_score(one[both], other[both]))
    return float(np.mean(values))


def measure(args: argparse.Namespace) -> None:
    out = Path(args.out)
    for name in args.names:
        every = read(name, args.corpora, args.embeddings)[1]
        for n_documents in args.documents:
            rng = np.random.default_rng(n_documents)
            n = min(n_documents, len(every))
            X = every[np.sort(rng.permutation(len(every))[:n])]
            for kind in args.kinds:
                start = time.perf_counter()
                Y = arranged(X, kind)
                widths = [w for w in WIDTHS if w < X.shape[1]]
                n_topics = [k for k in args.topics if k * DOCUMENTS_PER_TOPIC <= n]
                kept = compare_prefixes(Y, widths).set_index("dim")
                for (dim, k), (agree, stability) in agreements(Y, widths, n_topics).items():
                    row = {
                        "name": name,
                        "kind": kind,
                        "documents": n,
                        "dim": dim,
                        "full_dim": X.shape[1],
                        "topics": k,
                        **kept.loc[dim, ["neighbors_kept", "trustworthiness", "spearman"]],
                        "agreement": agree,
                        "stability": stability,
                    }
                    pd.DataFrame([row]).to_csv(out, mode="a", header=not out.exists(), index=False)
                print(name, n, kind, f"{time.perf_counter() - start:.0f} s", flush=True)


def fitted_exponent(table: pd.DataFrame) -> float:
    def error(exponent: float) -> float:
        return float(np.square(curve(table, exponent) - table["agreement"]).sum())

    return float(minimize_scalar(error, bounds=(1, 6), method="bounded").x)


def curve(table: pd.DataFrame, exponent: float) -> pd.Series:
    return 1 - (1 - table["neighbors_kept"]) ** exponent


def fit(files: list[Path]) -> None:
    """Print the exponent of each kind, its errors where one is left out, and the cells."""
    table = pd.concat([pd.read_csv(file) for file in files])
    key = ["name", "kind", "documents", "dim", "topics"]
    table = table.drop_duplicates(key, keep="last", ignore_index=True)
    table = table[(table["neighbors_kept"] >= LEAST_KEPT) & (table["documents"] >= FEWEST_ROWS)]
    table["model"] = table["name"].str.partition("_")[0]
    table["corpus"] = table["name"].str.partition("_")[2]
    half = MARGIN + MARGIN_OF_LOST * (1 - table["neighbors_kept"])
    print("| kind | left out | cells | exponent | RMSE | within the range |")
    print("|---|---|--:|--:|--:|--:|")
    for kind, cells in table.groupby("kind"):
        for left_out in ("name", "corpus", "model"):
            errors = pd.concat(
                [
                    part["agreement"] - curve(part, fitted_exponent(cells[cells[left_out] != one]))
                    for one, part in cells.groupby(left_out)
                ]
            )
            within = (errors.abs().sort_index() <= half[cells.index].sort_index()).mean()
            what = "pair" if left_out == "name" else left_out
            exponent, rmse = fitted_exponent(cells), np.sqrt(np.square(errors).mean())
            print(
                f"| {kind} | {what} | {len(cells)} | {exponent:.2f} | {rmse:.3f} | {within:.0%} |"
            )
    bins = (10 * table["neighbors_kept"]).astype(int) / 10
    print("\n| kind | neighbours kept | cells | agreement: mean | least | most |")
    print("|---|--:|--:|--:|--:|--:|")
    for (kind, low), cells in table.groupby(["kind", bins.rename("low")]):
        agree = cells["agreement"]
        values = f"{agree.mean():.3f} | {agree.min():.3f} | {agree.max():.3f}"
        print(f"| {kind} | {low:.1f} to {low + 0.1:.1f} | {len(cells)} | {values} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser(
        "measure", parents=[parser_of(__doc__)], conflict_handler="resolve"
    )
    measuring.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    measuring.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    measuring.add_argument("--documents", nargs="+", type=int, default=[5000, 1000])
    measuring.add_argument("--topics", nargs="+", type=int, default=[10, 20, 50])
    measuring.add_argument("--out", required=True, help="CSV file to which rows are added")
    fitting = commands.add_parser("fit")
    fitting.add_argument("files", nargs="+", type=Path)
    args = parser.parse_args()
    if args.command == "fit":
        fit(args.files)
    else:
        measure(args)
    print(f"\n{machine(('torch', 'numpy', 'scipy', 'graspologic-native'))}")


if __name__ == "__main__":
    main()
