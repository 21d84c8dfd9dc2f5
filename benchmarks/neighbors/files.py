"""Topics by the number of inverted files and their lists: what recall does not show.

    python -m benchmarks.neighbors.files --corpora FOLDER... --embeddings FOLDER... \
        [--names minilm_so] [--seeds 6]

All dimensions. AMI with the labels of LeidenClustering's topics, mean over the seeds; recall is the
share of the 15 true neighbours of 1,000 rows; seconds are the processor's, for one search.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import LeidenClustering
from bertopic_matryoshka.neighbors import NeighborIndex
from bertopic_matryoshka.neighbors import _graph as graph
from bertopic_matryoshka.neighbors import _inverted_file as inverted_file

WAYS = {  # files, rows of a list, probes
    "exact": None,
    "1 file, 20 lists of 150": (1, 150, 20),
    "1 file, 40 lists of 150": (1, 150, 40),
    "2 files, 10 lists of 150": (2, 150, 10),
    "3 files, 7 lists of 150": (3, 150, 7),
    "1 file, 6 lists of 600": (1, 600, 6),
    "3 files, 1 list of 600": (3, 600, 1),
    "3 files, 2 lists of 600 (default)": (3, 600, 2),
    "3 files, 4 lists of 600": (3, 600, 4),
}
N_TOPICS = (10, 20, 50)
N_NEIGHBORS, SAMPLE = 15, 1000


def measure(X: np.ndarray, labels: np.ndarray, way: tuple[int, int, int] | None, seeds: int) -> str:
    """Cluster with these neighbours; give the cells of a row."""

    def index(rows: np.ndarray, **options: object) -> NeighborIndex:
        given = options | ({"n_probes": way[2]} if way else {"method": "exact"})
        return NeighborIndex(rows, **given)

    with contextlib.ExitStack() as stack:
        for name, value in zip(("N_FILES", "LIST_ROWS"), way or (), strict=False):
            stack.enter_context(patch.object(inverted_file, name, value))
        stack.enter_context(patch.object(graph, "NeighborIndex", index))
        start = time.process_time()
        found = index(X, method="approximate").search(N_NEIGHBORS)[0]
        seconds = time.process_time() - start
        scores = []
        for seed in range(seeds):
            fitted = LeidenClustering(random_state=seed, method="approximate").fit(X)
            every = [fitted.labels_, *(fitted.labels_at(n) for n in N_TOPICS)]
            scores.append([adjusted_mutual_info_score(labels, found) for found in every])
    sample = np.linspace(0, len(X) - 1, SAMPLE).round().astype(int)
    similar = X[sample] @ X.T
    similar[np.arange(SAMPLE), sample] = -2
    true = np.argpartition(-similar, N_NEIGHBORS, axis=1)[:, :N_NEIGHBORS]
    recall = np.mean([np.isin(a, b).mean() for a, b in zip(found[sample], true, strict=True)])
    means = " | ".join(f"{mean:.3f}" for mean in np.mean(scores, axis=0))
    return f"{recall:.3f} | {seconds:.2f} | {means}"


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=["minilm_so"], help="MODEL_CORPUS")
    parser.add_argument("--seeds", type=int, default=6)
    args = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    numbers = " | ".join(f"{n} topics" for n in N_TOPICS)
    print(f"| data | neighbours | recall | processor s | AMI: own number | {numbers} |")
    print("|---|---|" + "--:|" * (3 + len(N_TOPICS)))
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        labels = pd.factorize(table["label"])[0]
        for row, way in WAYS.items():
            print(f"| {name} | {row} | {measure(X, labels, way, args.seeds)} |", flush=True)
    print(f"\n{args.seeds} seeds. {machine(('numpy', 'torch', 'graspologic-native'))}")


if __name__ == "__main__":
    main()
