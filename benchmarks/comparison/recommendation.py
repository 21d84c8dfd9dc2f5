"""What agreement with the full width's topics says of a width: calibration, rules, error rates.

    python -m benchmarks.comparison.recommendation calibration --corpora FOLDER \
        --embeddings FOLDER --names minilm_ag matryoshka_bbc --documents 3000 --out calibration.csv

calibration: for prefixes, selections and rotations of each MODEL_CORPUS, the agreement with the
topics of the full width and the share that is left of the AMI with the labels. Replicates as in
compare_dimensions, LeidenClustering with as many topics as at full width (--topics 0) or a number.

rules: what recommend() keeps for the default topic model, what the rule before it kept, and the AMI
with the labels at both. --draws samples of the documents of each size; labels are not shown to the
rule without --labels.

simulation: how often a width with a planted agreement is recommended.
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
from scipy.special import xlogy
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.cluster import expected_mutual_information

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
from bertopic_matryoshka.evaluation._topic_agreement import ratio_of_means

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


def simulation(arguments: argparse.Namespace) -> None:
    """How often is a width recommended whose agreement is planted?

    Documents have 8 topics. A replicate has 80 % of them and gives 5 % of these (15 % where
    documents are few) any topic. The narrower width has another topic for a fixed share of the
    documents, chosen so that its agreement is 1, 0.9 (the limit at tolerance 0.1) or 0.85.
    """
    for n_documents, noise in ((300, 0.15), (3_000, 0.05)):
        rng = np.random.default_rng(0)
        full = rng.integers(8, size=n_documents)
        order, others = rng.permutation(n_documents), rng.integers(8, size=n_documents)

        def replicates(truth, n, rng=rng, noise=noise):
            is_noise = rng.random((n, truth.size)) < noise
            return np.where(is_noise, rng.integers(8, size=is_noise.shape), truth)

        def planted(share, full=full, order=order, others=others):
            changed = order[: round(share * full.size)]
            truth = full.copy()
            truth[changed] = others[changed]
            return truth

        def true_agreement(truth, n=20, full=full, rng=rng, replicates=replicates):
            sets = replicates(truth, n), replicates(full, n), sampled(rng, n, full.size)
            return ratio_of_means(*matrices(*sets)).agreement

        shares = np.linspace(0, 0.16, 9)
        agreements = np.array([true_agreement(planted(share)) for share in shares])
        line = np.polyfit(shares, agreements, 2)  # smooths what is left of chance
        for wanted in (1.0, 0.9, 0.85):
            fine = np.linspace(0, 0.16, 1601)
            nearest = fine[np.argmin(abs(np.polyval(line, fine) - wanted))]
            share = 0.0 if wanted == 1 else float(nearest)
            truth = planted(share)
            true = true_agreement(truth, n=60)
            for n in (3, 5, 10):
                kept = 0
                for _ in range(arguments.draws):
                    rows_of = sampled(rng, n, n_documents)
                    pair = matrices(replicates(truth, n), replicates(full, n), rows_of)
                    kept += ratio_of_means(*pair).low > 1 - 0.1
                low, high = exact_interval(kept, arguments.draws)
                print(
                    f"{n_documents:,} documents | agreement {true:.3f} | {n} replicates | "
                    f"{kept / arguments.draws:.3f} ({low:.3f} to {high:.3f})",
                    flush=True,
                )
    print(f"{arguments.draws} draws; {machine(('scikit-learn', 'numpy', 'scipy'))}")


def sampled(rng: np.random.Generator, n: int, n_documents: int) -> np.ndarray:
    """Draw 80 % of the documents for each replicate, as a mask."""
    return np.argsort(rng.random((n, n_documents)), axis=1) < 0.8 * n_documents


def matrices(topics, reference, rows) -> tuple[np.ndarray, np.ndarray]:
    """AMI of each replicate with the reference's others, and of the reference's with each other."""
    n = len(topics)
    across, within = np.full((2, n, n), np.nan)
    for r in range(n):
        for s in range(n):
            if r != s:
                both = rows[r] & rows[s]
                across[r, s] = fast_ami(topics[r][both], reference[s][both])
            if r < s:
                within[r, s] = within[s, r] = fast_ami(reference[r][both], reference[s][both])
    return across, within


def fast_ami(one: np.ndarray, other: np.ndarray) -> float:
    """adjusted_mutual_info_score without its checks, for labels from 0 to 7."""
    counts = np.bincount(8 * one + other, minlength=64).reshape(8, 8)
    p = counts / one.size
    entropies = [-xlogy(of, of).sum() for of in (p.sum(axis=0), p.sum(axis=1))]
    mutual = sum(entropies) + xlogy(p, p).sum()
    expected = expected_mutual_information(counts, one.size)
    return float((mutual - expected) / (np.mean(entropies) - expected))


def exact_interval(n_found: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share."""
    low = stats.beta.ppf(0.025, n_found, n - n_found + 1) if n_found else 0.0
    high = stats.beta.ppf(0.975, n_found + 1, n - n_found) if n_found < n else 1.0
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=["calibration", "rules", "simulation"])
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
