"""How large a sample is enough: topics of a fit on a sample, the rest assigned, against one fit.

    python -m benchmarks.topics.sentences --out FOLDER
    python -m benchmarks.distributed.sample_size --embeddings FOLDER/sentences.npy \\
        --texts FOLDER/sentences.parquet

The dimensions that are not near-zero, then LeidenClustering, as in build_topic_model. The sample is
drawn as fit_distributed draws it, and its seed is that of the clustering too. AMI and ARI are over
all documents, with each fit on all of them with another seed; beside it, those of these fits with
each other, which is what a seed changes. Words are those of all documents, and their NPMI too.
Where the texts have a column "label", AMI with it is what the topics are worth.
"""

from __future__ import annotations

import argparse
import time
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from benchmarks.corpus import Corpus, machine
from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.distributed._sample import hash_ids, smallest


def labels_of(
    X: np.ndarray, share: float, n_clusters: int | None, seed: int
) -> tuple[np.ndarray, dict[str, float]]:
    """Fit on a sample, and assign the other documents."""
    sample = smallest(hash_ids(np.arange(len(X)), seed), round(share * len(X)))
    start = time.process_time()
    selector = DimensionSelector().fit(X[sample])
    clustering = LeidenClustering(n_clusters, random_state=seed).fit(selector.transform(X[sample]))
    fitted = time.process_time()
    labels = np.full(len(X), -2)
    labels[sample] = clustering.labels_
    rest = np.flatnonzero(labels == -2)
    for part in (rest[i : i + 50_000] for i in range(0, len(rest), 50_000)):
        labels[part] = clustering.predict(selector.transform(X[part]))
    seconds = {"fit s": fitted - start, "assign s": time.process_time() - fitted}
    return labels, {"topics": clustering.n_clusters_, **seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--embeddings", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=None, help="so many, evenly spaced")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1, 0.2, 0.5])
    parser.add_argument("--topics", type=int, nargs="+", default=[50, 0], help="0: their own")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    X = np.load(arguments.embeddings, mmap_mode="r")
    n_rows = arguments.rows or len(X)
    picked = np.arange(n_rows) * len(X) // n_rows
    X, table = np.asarray(X[picked]), pd.read_parquet(arguments.texts).iloc[picked]
    has_labels = "label" in table
    corpus = Corpus(table if has_labels else table.assign(label=0))
    print(f"{len(X):,} documents, {X.shape[1]} dims", flush=True)
    print(machine(["graspologic-native", "scikit-learn", "torch"]), flush=True)
    rows = []
    for n_clusters in arguments.topics:
        whole = []
        for share in (1.0, *sorted(arguments.shares, reverse=True)):
            found = [labels_of(X, share, n_clusters or None, s) for s in range(arguments.seeds)]
            whole = whole or found
            # A fit on a sample is never compared with the fit of its own seed, so that both
            # comparisons are of different seeds.
            pairs = [(found[i][0], whole[j][0]) for i, j in permutations(range(arguments.seeds), 2)]
            amis = [adjusted_mutual_info_score(a, b) for a, b in pairs]
            aris = [adjusted_rand_score(a, b) for a, b in pairs]
            scores = pd.DataFrame([corpus.score(labels) for labels, _ in found]).mean()
            rows.append(
                {
                    "asked": n_clusters or "own",
                    "share": share,
                    "documents": round(share * len(X)),
                    **pd.DataFrame([facts for _, facts in found]).mean().to_dict(),
                    "AMI": np.mean(amis),
                    "AMI low": min(amis),
                    "ARI": np.mean(aris),
                    "ARI low": min(aris),
                    "NPMI": scores["NPMI"],
                    "diversity": scores["diversity"],
                    **({"AMI with labels": scores["AMI"]} if has_labels else {}),
                }
            )
            print(pd.DataFrame(rows[-1:]).round(3).to_string(index=False), flush=True)
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
