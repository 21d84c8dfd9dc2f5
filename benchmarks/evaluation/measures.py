"""Which measure of coherence ranks topic models as labels do, at equal numbers of topics.

    python -m benchmarks.evaluation.measures --corpora FOLDER... --embeddings FOLDER... \
        --names MODEL_CORPUS...

For each corpus and model, topics are found at widths from 4 to the full one by LeidenClustering and
by k-means, 10, 20 and 50 of them. Prints, for each number, Spearman's rank correlation between AMI
against the labels and each measure: the narrow widths are bad on purpose, and a measure that cannot
tell them from good ones tells nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import Corpus, machine, parser_of, read
from bertopic_matryoshka import LeidenClustering, TopicCoherence, truncate
from bertopic_matryoshka.evaluation._measures import MEASURES

WIDTHS = (4, 8, 16, 32, 64, 128, 256)
N_TOPICS = (10, 20, 50)
MOST_ROWS = 8_000


def correlations(X: np.ndarray, corpus: Corpus, coherences: list[TopicCoherence], n: int):
    rows = []
    for width in WIDTHS:
        cut = truncate(X, width)
        kmeans = MiniBatchKMeans(n, n_init=1, random_state=0)
        for clusterer in (LeidenClustering(n), kmeans):
            found = clusterer.fit_predict(cut)
            topics = corpus.topics(found)
            agreement = adjusted_mutual_info_score(corpus.labels, found)
            rows.append([agreement, *(coherence.score(topics) for coherence in coherences)])
    agreement, *scores = np.array(rows).T
    return [spearmanr(agreement, score).statistic for score in scores]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    args = parser.parse_args()
    print("| data | topics |", " | ".join(MEASURES), "|\n|---|--:|" + "--:|" * len(MEASURES))
    found = []
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        table, X = table[:MOST_ROWS], X[:MOST_ROWS]
        corpus = Corpus(table)
        coherences = [
            TopicCoherence(table["text"].tolist(), measure=m, vectorizer=corpus.vectorizer)
            for m in MEASURES
        ]
        for n in N_TOPICS:
            found.append(correlations(X, corpus, coherences, n))
            print(f"| {name} | {n} |", " | ".join(f"{c:.2f}" for c in found[-1]), "|", flush=True)
    print("| mean | |", " | ".join(f"{c:.2f}" for c in np.mean(found, axis=0)), "|")
    print(f"\n{machine(('scikit-learn', 'scipy', 'graspologic-native'))} torch {torch.__version__}")


if __name__ == "__main__":
    main()
