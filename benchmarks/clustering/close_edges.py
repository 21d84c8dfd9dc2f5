"""Communities of all edges of the neighbour graph, or of the close ones: time and agreement.

    python -m benchmarks.clustering.close_edges --embeddings FOLDER... [--corpora FOLDER...] \
        --names minilm_bbc minilm_so [--rows SENTENCES.npy --size 200000]

LeidenClustering takes the close edges above 180,000 rows; here they are forced upon the smaller
corpora too. Half of the dimensions, several seeds. AMI with the corpus's labels, and between fits
of different seeds: all edges with all, close with close, all with close.
"""

from __future__ import annotations

import argparse
import time
from itertools import permutations
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.clustering import _division
from bertopic_matryoshka.clustering._division import Divider

EDGES = ("all", "close")
PLAIN = Divider._close_graph  # noqa: SLF001


def of_all(divider: Divider) -> object:
    return divider.graph


def of_close(divider: Divider) -> object:
    aim = divider._aim()  # noqa: SLF001
    with patch.object(_division, "MOST_LEAVES", min(aim, _division.MOST_LEAVES)):
        return PLAIN(divider)


def measure(name: str, X: np.ndarray, y: np.ndarray | None, seeds: int) -> list[dict[str, object]]:
    selected = DimensionSelector(0.5, criterion="laplacian").fit_transform(X)
    numbers = [None, 50] if y is None else [None, np.unique(y).size, 50]
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    facts: dict[str, list[float]] = {edges: [] for edges in EDGES}
    original = _division.communities

    def timed(*args: object) -> np.ndarray:
        start = time.process_time()
        labels = original(*args)
        spent[0] += time.process_time() - start
        return labels

    for edges, graph_of in zip(EDGES, (of_all, of_close), strict=True):
        for seed in range(seeds):
            spent = [0.0]
            with (
                patch.object(Divider, "_close_graph", graph_of),
                patch.object(_division, "communities", timed),
            ):
                fitted = LeidenClustering(random_state=seed).fit(selected)
                facts[edges].append(spent[0])
                found[edges, seed] = [
                    fitted.labels_ if number is None else fitted.labels_at(number)
                    for number in numbers
                ]
    rows = []
    for i, number in enumerate(numbers):
        for edges in EDGES:
            labels = [found[edges, seed][i] for seed in range(seeds)]
            row: dict[str, object] = {
                "data": name,
                "asked": number or "own",
                "edges": edges,
                "topics": np.mean([each.max() + 1 for each in labels]),
                "Leiden s": np.mean(facts[edges]),
            }
            if y is not None:
                row["AMI"] = np.mean([adjusted_mutual_info_score(y, each) for each in labels])
            for other in EDGES:
                pairs = permutations(range(seeds), 2)
                row[f"AMI, {other}"] = np.mean(
                    [
                        adjusted_mutual_info_score(found[edges, a][i], found[other, b][i])
                        for a, b in pairs
                    ]
                )
            rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", type=Path, nargs="+", default=[])
    parser.add_argument("--embeddings", type=Path, nargs="+", default=[])
    parser.add_argument("--names", nargs="*", default=[], help="MODEL_CORPUS")
    parser.add_argument("--rows", type=Path, help=".npy file, without labels")
    parser.add_argument("--size", type=int, default=200_000, help="evenly spaced rows of it")
    parser.add_argument("--seeds", type=int, default=4)
    args = parser.parse_args()
    rows = []
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        rows += measure(name, X, pd.factorize(table["label"])[0], args.seeds)
    if args.rows:
        X = np.load(args.rows, mmap_mode="r")
        X = np.asarray(X[np.arange(args.size) * len(X) // args.size], dtype=np.float32)
        rows += measure(f"{args.rows.stem}, {args.size:,}", X, None, args.seeds)
    print(pd.DataFrame(rows).round(3).to_string(index=False))
    print("\n" + machine(("graspologic-native", "scikit-learn", "torch")))


if __name__ == "__main__":
    main()
