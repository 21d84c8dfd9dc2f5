"""Graph-based peers beside ours and UMAP + HDBSCAN, in one run: TriTopic and graphtopic.

    python -m benchmarks.clustering.peers --corpora FOLDER... --embeddings FOLDER... \
        [--names minilm_bbc ...] [--seeds 0 1]

Up to 6,000 evenly spaced documents of each corpus, the same embeddings for all. Topics are scored
by benchmarks/corpus.py, so that words are made alike. Seconds are those of a fit with that number
of topics, in one process after a fit that is not counted (numba compiles in it); those of TriTopic
and graphtopic include their words, which cannot be left out. graphtopic takes no number of topics:
its own are merged as BERTopic's nr_topics does. Needs tritopic, graphtopic, umap-learn and hdbscan.
Both peers depend on igraph and leidenalg, which are under the GPL.
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd

from benchmarks.clustering.no_umap import HALF, METHODS, UMAP, merged
from benchmarks.corpus import Corpus, machine, parser_of, read

NAMES = ("minilm_bbc", "minilm_ag", "mpnet_ag", "matryoshka_ag", "minilm_so")
LARGEST = 6_000
NUMBERS = (None, 20, 50)  # None is a method's own number
TRITOPIC, GRAPHTOPIC = "TriTopic", "graphtopic"
PACKAGES = ("tritopic", "graphtopic", "leidenalg", "umap-learn", "hdbscan", "torch")


def tritopic(texts: list[str], X: np.ndarray, n_topics: int | None, seed: int) -> np.ndarray:
    from tritopic import TriTopic

    model = TriTopic(n_topics=n_topics or "auto", random_state=seed, verbose=False)
    return np.asarray(model.fit(texts, embeddings=X).labels_)


def graphtopic(texts: list[str], X: np.ndarray, n_topics: int | None, seed: int) -> np.ndarray:
    from graphtopic import GraphTopic

    found = np.asarray(GraphTopic(random_state=seed).fit(texts, embeddings=X).topics_)
    return found if n_topics is None else merged(X, found, n_topics)


def fit(method: str, texts: list[str], X: np.ndarray, n: int | None, seed: int) -> np.ndarray:
    """Give the topic of each document, or None where the method found fewer than n."""
    if method in PEERS:
        return PEERS[method](texts, X, n, seed)
    found = METHODS[method]()(X, n, seed)
    return merged(X, found, n) if method == UMAP and n is not None else found


PEERS = {TRITOPIC: tritopic, GRAPHTOPIC: graphtopic}


def measure(name: str, table: pd.DataFrame, X: np.ndarray, seeds: list[int]) -> pd.DataFrame:
    """Fit every method for every number and seed; seconds, scores, and None for what is not."""
    picked = np.arange(min(LARGEST, len(X))) * len(X) // min(LARGEST, len(X))
    table, X = table.iloc[picked], np.ascontiguousarray(X[picked])
    corpus, texts = Corpus(table), table["text"].tolist()
    rows = []
    for method in (UMAP, HALF, *PEERS):
        fit(method, texts[:1_000], X[:1_000], None, 0)
        for seed in seeds:
            for n in NUMBERS:
                start = time.perf_counter()
                found = fit(method, texts, X, n, seed)
                seconds = time.perf_counter() - start
                scores = {} if found is None else corpus.score(found)
                rows.append({"data": name, "method": method, "asked": n or "own"} | scores)
                rows[-1]["seconds"] = seconds
                print(*rows[-1].values(), file=sys.stderr)
    return pd.DataFrame(rows)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=NAMES, help="MODEL_CORPUS")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    columns = ("AMI", "ARI", "NPMI", "diversity", "topics", "outliers", "seconds")
    print("| data | topics asked | method |", *(f" {column} |" for column in columns), sep="")
    print("|---|--:|---|" + "--:|" * len(columns))
    for name in args.names:
        runs = measure(name, *read(name, args.corpora, args.embeddings), args.seeds)
        for (asked, method), part in runs.groupby(["asked", "method"], sort=False):
            means = part[list(columns)].mean()
            cells = [f"{means[c]:.3f}" for c in columns[:4]]
            cells += [f"{means['topics']:.0f}", f"{means['outliers']:.2f}"]
            print(f"| {name} | {asked} | {method} |", " | ".join(cells), f"| {means.seconds:.1f} |")
        sys.stdout.flush()
    print("\n" + machine(PACKAGES))


if __name__ == "__main__":
    main()
