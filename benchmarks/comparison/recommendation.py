"""What agreement with the full width's topics says of a width: calibration, rules, error rates.

    python -m benchmarks.comparison.recommendation calibration --corpora FOLDER \
        --embeddings FOLDER --names minilm_ag matryoshka_bbc --documents 3000 --out calibration.csv

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
from scipy import stats
from scipy.optimize import brentq
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, read
from bertopic_matryoshka import (
    DimensionComparison,
    DimensionSelector,
    LeidenClustering,
    TopicScorer,
    build_topic_model,
    compare_dimensions,
    nearest_neighbors,
    topic_agreement,
    truncate,
)
from bertopic_matryoshka.comparison import by_width, paired_difference, replicate_rows, seed_spread

HALVINGS = {16, 32, 64, 128, 256, 512}
DIMS = (16, 32, 64, 128, 256, 384, 512)


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
        drawn = np.random.default_rng(0).permutation(len(X))[: arguments.documents[0]]
        drawn = np.sort(drawn)
        table, X = table.iloc[drawn], X[drawn]
        labels = pd.factorize(table["label"])[0]
        samples = [replicate_rows(table["text"], r) for r in range(arguments.replicates)]
        for topics in arguments.topics:
            n_topics = topics or LeidenClustering(method="exact").fit(X).n_clusters_

            def fits(Z, samples=samples, n_topics=n_topics):
                return [
                    LeidenClustering(n_topics, random_state=r, method="exact").fit(Z[at]).labels_
                    for r, at in enumerate(samples)
                ]

            def label_ami(found, samples=samples, labels=labels):
                pairs = zip(found, samples, strict=True)
                return np.array([adjusted_mutual_info_score(labels[at], of) for of, at in pairs])

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


def old_rule(comparison: DimensionComparison) -> int:
    """Find the smallest width not significantly lower in coherence than the best: the rule before.

    One-sided tests with Holm's correction, alpha = 0.05.
    """
    by_dim = by_width(comparison.runs_of())
    means = {dim: float(np.mean([run.coherence for run in at])) for dim, at in by_dim.items()}
    scored = [d for d in means if not np.isnan(means[d]) and all(r.n_topics > 1 for r in by_dim[d])]
    best = max(scored, key=lambda dim: (means[dim], -dim))
    spread = seed_spread(by_dim.values())
    p_values = {}
    for dim in scored:
        if dim != best:
            found = paired_difference(by_dim[dim], by_dim[best], spread)
            reach = (found.mean - found.low) / found.se
            df = brentq(lambda df, reach=reach: stats.t.ppf(0.975, df) - reach, 0.6, 1e7)
            p_values[dim] = stats.t.cdf(found.mean / found.se, df)
    worse = set()
    for rank, dim in enumerate(sorted(p_values, key=p_values.__getitem__)):
        if p_values[dim] > 0.05 / (len(p_values) - rank):
            break
        worse.add(dim)
    return min(dim for dim in scored if dim not in worse)


def rules(arguments: argparse.Namespace) -> None:
    rows = []
    for n_documents in arguments.documents:
        for draw in range(arguments.draws):
            for name in arguments.names:
                table, X = read(name, arguments.corpora, arguments.embeddings)
                if (n_documents > len(X) and draw) or n_documents > 2 * len(X):
                    continue
                drawn = np.random.default_rng(draw).permutation(len(X))[:n_documents]
                table, X = table.iloc[np.sort(drawn)], X[np.sort(drawn)]
                topic_model = build_topic_model()
                topic_model.embedding_model = None  # its embeddings are given
                start = time.perf_counter()
                comparison = compare_dimensions(
                    table["text"].tolist(),
                    topic_model,
                    embeddings=X,
                    labels=table["label"] if arguments.labels else None,
                    dims=[X.shape[1], *(d for d in DIMS if d < X.shape[1] and d in HALVINGS)],
                    seeds=arguments.seeds,
                    scorer=TopicScorer(n_replicates=arguments.replicates),
                    progress=False,
                )
                seconds = time.perf_counter() - start
                classes = table["label"].to_numpy()
                ami = {
                    dim: np.mean(
                        [adjusted_mutual_info_score(classes, r.document_topics) for r in at]
                    )
                    for dim, at in by_width(comparison.runs_of()).items()
                }
                found, old = comparison.recommend(), old_rule(comparison)
                agreements = comparison.agreements()
                rows.append(
                    {
                        "data": name,
                        "documents": len(X),
                        "draw": draw,
                        "full": X.shape[1],
                        "topics": comparison.runs[0].n_topics,
                        "full_ami": ami[X.shape[1]],
                        "old": old,
                        "old_left": ami[old] / ami[X.shape[1]],
                        "new": found.dim,
                        "new_left": ami[found.dim] / ami[X.shape[1]],
                        "answer": found.answer,
                        "low": agreements[found.dim].low,
                        "reference_ami": agreements[X.shape[1]].reference_ami,
                        "stopped": next(
                            (e.verdict for e in found.evidence.values() if e.verdict != "kept"), ""
                        ),
                        "seconds": seconds,
                    }
                )
                print(rows[-1], found, flush=True)
                pd.DataFrame(rows).to_csv(arguments.out, index=False)
    print(machine(("bertopic", "scikit-learn", "numpy", "graspologic-native")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=["calibration", "rules"])
    parser.add_argument("--corpora", type=Path, nargs="+")
    parser.add_argument("--embeddings", type=Path, nargs="+")
    parser.add_argument("--names", nargs="+")
    parser.add_argument("--documents", type=int, nargs="+", default=[3_000])
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", action="store_true")
    parser.add_argument("--topics", type=int, nargs="+", default=[0, 20])
    parser.add_argument("--replicates", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    globals()[arguments.part](arguments)


if __name__ == "__main__":
    main()
