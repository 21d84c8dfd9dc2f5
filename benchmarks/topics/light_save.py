"""What transform loses where a saved topic model keeps centroids instead of the rows of its fit.

python -m benchmarks.topics.light_save --corpora FOLDER --embeddings FOLDER

Half of each corpus is fitted, three times, and the other half gets topics: by the neighbours among
all rows of the fit, which is the full save, and by what is smaller. Prints the share of documents
with the topic of the full save, and agreement with the labels (AMI).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering, nearest_neighbors

NAMES = ("minilm_ag", "minilm_so", "mpnet_ag", "matryoshka_ag", "minilm_bbc")
SEEDS = range(3)
SHARE = 0.1
N_NEIGHBORS = 15


def unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def centroids(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    sums = np.zeros((labels.max() + 1, rows.shape[1]))
    np.add.at(sums, labels[labels >= 0], rows[labels >= 0])
    return unit(sums)


def nearest(rows: np.ndarray, centers: np.ndarray) -> np.ndarray:
    return np.argmax(unit(rows) @ centers.T, axis=1)


def leaves_of(clusters: LeidenClustering) -> np.ndarray:
    """Number the pairs of leaf and cluster: rows that moved away from their leaf's cluster."""
    leaf, label = clusters.leaf_labels_, clusters.labels_
    kept = (leaf >= 0) & (label >= 0)
    pairs = np.full(leaf.size, -1)
    pairs[kept] = np.unique(leaf[kept] * (label.max() + 1) + label[kept], return_inverse=True)[1]
    return pairs


def first_label(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Give the label of each group, all of whose rows have the same."""
    rows = np.flatnonzero(groups >= 0)
    _, first = np.unique(groups[rows], return_index=True)
    return labels[rows[first]]


def of_half(X: np.ndarray, classes: np.ndarray, seed: int) -> list[dict[str, object]]:
    order = np.random.default_rng(seed).permutation(len(X))
    fit, new = order[: len(X) // 2], order[len(X) // 2 :]
    selector = DimensionSelector().fit(X[fit])
    rows, others = unit(selector.transform(X[fit])), selector.transform(X[new])
    clusters = LeidenClustering(random_state=seed).fit(rows)
    full = clusters.predict(others)
    pairs = leaves_of(clusters)
    sample = np.random.default_rng(seed).choice(len(rows), int(SHARE * len(rows)), replace=False)
    neighbors, similar = nearest_neighbors(rows[sample], N_NEIGHBORS, queries=others)
    member = np.eye(clusters.n_clusters_ + 1)[clusters.labels_[sample][neighbors]]
    votes = (member * similar[..., None]).sum(axis=1)[:, :-1]
    found = {
        "all rows of the fit": (full, len(rows), rows.shape[1]),
        "topic embeddings": (
            nearest(X[new], centroids(X[fit], clusters.labels_)),
            clusters.n_clusters_,
            X.shape[1],
        ),
        "centroids of leaves": (
            first_label(pairs, clusters.labels_)[nearest(others, centroids(rows, pairs))],
            pairs.max() + 1,
            rows.shape[1],
        ),
        "a tenth of the rows": (votes.argmax(axis=1), len(sample), rows.shape[1]),
    }
    return [
        {
            "kept": kept,
            "rows": n_rows,
            "kB": 4 * n_rows * n_dims / 1000,
            "agree": (labels == full).mean(),
            "AMI": adjusted_mutual_info_score(classes[new], labels),
        }
        for kept, (labels, n_rows, n_dims) in found.items()
    ]


def main() -> None:
    arguments = parser_of(__doc__).parse_args()
    print(machine(["scikit-learn", "numpy", "graspologic-native"]))
    lines = []
    for name in NAMES:
        table, X = read(name, arguments.corpora, arguments.embeddings)
        classes = pd.factorize(table["label"])[0]
        for seed in SEEDS:
            lines += [{"corpus": name, **line} for line in of_half(X, classes, seed)]
    frame = pd.DataFrame(lines)
    means = frame.groupby(["corpus", "kept"], sort=False).mean()
    print(means.round({"rows": 0, "kB": 0, "agree": 3, "AMI": 3}).to_string())


if __name__ == "__main__":
    main()
