"""What agreement with the full width's topics says of a width: calibration, rules, error rates.

    python -m benchmarks.comparison.recommendation calibration --corpora FOLDER --embeddings FOLDER \
        --names minilm_ag matryoshka_bbc --documents 3000 --out calibration.csv

calibration: for prefixes, selections and rotations of each MODEL_CORPUS, the agreement with the
topics of the full width and the share that is left of the AMI with the labels. Five replicates of
80 % of the documents, exact copies together, LeidenClustering with as many topics as at full width
(--topics 0) or a number.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, read
from bertopic_matryoshka import LeidenClustering, compare_prefixes, topic_agreement, truncate
from bertopic_matryoshka.selection import DimensionSelector

SHARE = 0.8
DIMS = (16, 32, 64, 128, 256, 384, 512)


def sample_of(texts, seed: int) -> np.ndarray:
    """Draw 80 % of the distinct texts; copies go together."""
    group = pd.factorize(np.asarray(texts))[0]
    n_groups = group.max() + 1
    drawn = np.random.default_rng(seed).permutation(n_groups)[: round(SHARE * n_groups)]
    return np.flatnonzero(np.isin(group, drawn))


def rotated(X: np.ndarray) -> np.ndarray:
    """Rotate rows by their right singular vectors, without centring."""
    sample = X[np.random.default_rng(0).permutation(len(X))[:5_000]]
    return X @ np.linalg.svd(sample, full_matrices=False)[2].T


def narrowed(X: np.ndarray, kind: str, dim: int) -> np.ndarray:
    if dim == X.shape[1]:
        return X
    if kind == "selection":
        return DimensionSelector(dim, criterion="laplacian").fit_transform(X)
    return truncate(rotated(X) if kind == "rotation" else X, dim)


def kept_of(X: np.ndarray, Z: np.ndarray, k: int = 10) -> float:
    from bertopic_matryoshka import nearest_neighbors

    rows = np.random.default_rng(0).permutation(len(X))[:1_000]
    sets = []
    for of in (X, Z / np.linalg.norm(Z, axis=1, keepdims=True)):
        found, _ = nearest_neighbors(of, k + 1, queries=of[rows], method="exact")
        sets.append([set(row) - {i} for row, i in zip(found.tolist(), rows, strict=True)])
    return float(np.mean([len(a & b) / len(a) for a, b in zip(*sets, strict=True)]))


def calibration(arguments: argparse.Namespace) -> None:
    rows = []
    for name in arguments.names:
        table, X = read(name, arguments.corpora, arguments.embeddings)
        drawn = np.sort(np.random.default_rng(0).permutation(len(X))[: arguments.documents])
        table, X = table.iloc[drawn], X[drawn]
        labels = pd.factorize(table["label"])[0]
        samples = [sample_of(table["text"], r) for r in range(arguments.replicates)]
        for topics in arguments.topics:
            n_topics = topics or LeidenClustering(method="exact").fit(X).n_clusters_

            def fits(Z, n_topics=n_topics):
                return [
                    LeidenClustering(n_topics, random_state=r, method="exact").fit(Z[at]).labels_
                    for r, at in enumerate(samples)
                ]

            def label_ami(found):
                pairs = zip(found, samples, strict=True)
                return np.array(
                    [adjusted_mutual_info_score(labels[at], of) for of, at in pairs]
                )

            full = fits(X)
            full_ami = label_ami(full)
            for kind in ("prefix", "selection", "rotation"):
                for dim in (d for d in DIMS if d < X.shape[1]):
                    start = time.perf_counter()
                    Z = narrowed(X, kind, dim)
                    found = fits(Z)
                    agreement = topic_agreement(found, full, samples)
                    ami = label_ami(found)
                    rows.append(
                        {
                            "data": name,
                            "documents": len(X),
                            "topics": n_topics,
                            "given": bool(topics),
                            "kind": kind,
                            "dim": dim,
                            "full": X.shape[1],
                            **agreement._asdict(),
                            "kept": kept_of(X, Z),
                            "label_ami": ami.mean(),
                            "full_label_ami": full_ami.mean(),
                            "left": ami.mean() / full_ami.mean(),
                        }
                    )
                    seconds = time.perf_counter() - start
                    print(f"{rows[-1]} {seconds:.1f} s", flush=True)
                    pd.DataFrame(rows).to_csv(arguments.out, index=False)
    print(machine(("scikit-learn", "numpy", "graspologic-native")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=["calibration"])
    parser.add_argument("--corpora", type=Path, nargs="+")
    parser.add_argument("--embeddings", type=Path, nargs="+")
    parser.add_argument("--names", nargs="+")
    parser.add_argument("--documents", type=int, default=3_000)
    parser.add_argument("--topics", type=int, nargs="+", default=[0, 20])
    parser.add_argument("--replicates", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    globals()[arguments.part](arguments)


if __name__ == "__main__":
    main()
