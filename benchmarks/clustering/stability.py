"""How far topics move when the documents are shuffled, when the seed changes, and without some.

    python -m benchmarks.clustering.stability --corpora FOLDER --embeddings FOLDER \
        --names MODEL_CORPUS...

AMI between two clusterings of the same documents, higher is more stable; mean over three shuffles,
three pairs of seeds, and three random tenths of the documents that are left out.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.clustering.no_umap import ALL, EVOC, HALF, KMEANS, METHODS, UMAP
from benchmarks.clustering.no_umap_figure import PACKAGES, print_table
from benchmarks.corpus import machine, parser_of, read

N_CLUSTERS = 20  # for k-means, which must be told
REPEATS = 3


def measure(X: np.ndarray, method: str) -> list[float]:
    fit = METHODS[method]()
    number = N_CLUSTERS if method == KMEANS else None
    first = fit(X, number, 0)
    shuffled, seeded, left_out = [], [], []
    for repeat in range(1, REPEATS + 1):
        order = np.random.default_rng(repeat).permutation(len(X))
        back = np.empty_like(first)
        back[order] = fit(X[order], number, 0)
        shuffled.append(adjusted_mutual_info_score(first, back))
        seeded.append(adjusted_mutual_info_score(first, fit(X, number, repeat)))
        kept = np.sort(order[len(X) // 10 :])
        left_out.append(adjusted_mutual_info_score(first[kept], fit(X[kept], number, 0)))
    return [float(np.mean(values)) for values in (shuffled, seeded, left_out)]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    args = parser.parse_args()
    rows = []
    for name in args.names:
        X = read(name, args.corpora, args.embeddings)[1]
        rows += [
            [name, method, *(f"{value:.3f}" for value in measure(X, method))]
            for method in (UMAP, EVOC, KMEANS, ALL, HALF)
        ]
    header = ["data", "method", "shuffled", "another seed", "a tenth left out"]
    print_table(header, rows, n_left=2)
    print(f"\n{KMEANS}: {N_CLUSTERS} clusters. {machine(PACKAGES)}")


if __name__ == "__main__":
    main()
