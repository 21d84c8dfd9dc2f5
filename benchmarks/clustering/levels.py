"""Nested levels beside plain cuts of the tree and labels_at: AMI with the corpus's labels.

    python -m benchmarks.clustering.levels --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_bbc minilm_ag

A fit with 60 topics on half the dimensions, seeds 0 and 1; mean AMI of the levels above the first.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import cut_tree
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.topics._levels import nested_levels

N_TOPICS, SEEDS = 60, (0, 1)
LEVELS = (
    ([20, 5], 1),
    ([20, 5], 2),
    ([20, 5], 3),
    ([20, 10], 1),
    ([20, 10], 2),
    ([50, 20, 5], 1),
    ([50, 20, 5], 2),
)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    args = parser.parse_args()
    rows = []
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        classes = pd.factorize(table["label"])[0]
        half = DimensionSelector(0.5, criterion="laplacian").fit_transform(X)
        for seed in SEEDS:
            clustering = LeidenClustering(N_TOPICS, random_state=seed).fit(half)
            labels, n = clustering.labels_, clustering.n_clusters_

            def score(parts: np.ndarray, labels=labels, classes=classes) -> float:
                return adjusted_mutual_info_score(classes, np.append(parts, -1)[labels])

            Z, sizes = clustering.linkage(), np.bincount(labels[labels >= 0])
            means = np.stack([X[labels == topic].mean(axis=0) for topic in range(n)])
            cuts = cut_tree(Z)
            for numbers, min_children in LEVELS:
                nested = nested_levels(Z, means.astype(np.float64), sizes, numbers, min_children)
                above = range(1, len(numbers))
                at = [clustering.labels_at(numbers[i]) for i in above]
                rows.append(
                    {
                        "levels": str(numbers),
                        "min_children": min_children,
                        "nested": np.mean([score(nested[:, i]) for i in above]),
                        "plain cuts": np.mean([score(cuts[:, n - numbers[i]]) for i in above]),
                        "labels_at": np.mean(
                            [adjusted_mutual_info_score(classes, found) for found in at]
                        ),
                    }
                )
    results = pd.DataFrame(rows).groupby(["levels", "min_children"], sort=False).mean()
    print(results.round(3).to_string())
    print(f"\nSeeds {SEEDS}. {machine(['numpy', 'scikit-learn', 'scipy'])}")


if __name__ == "__main__":
    main()
