"""Models fitted to parts of a corpus and merged, beside one fit and one stream.

    python -m benchmarks.topics.shards --corpora FOLDER... --embeddings FOLDER... \
        [--names minilm_bbc ...] [--seeds 0 1]

Four random parts. BERTopic.merge_models keeps the topics of the first model and adds those of the
others whose mean embeddings are not similar to any; documents of similar topics join. "stream" is
partial_fit, part by part. AMI with the classes, over all documents.
"""

from __future__ import annotations

import sys
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("minilm_bbc", "minilm_ag", "minilm_so")
N_PARTS = 4
SIMILARITIES = (0.7, 0.8, 0.9)  # 0.7 is BERTopic's default


def fitted(texts: list[str], X: np.ndarray, seed: int) -> BERTopic:
    model = BERTopic(
        embedding_model=BaseEmbedder(),
        umap_model=DimensionSelector(0.5, criterion="laplacian"),
        hdbscan_model=LeidenClustering(random_state=seed),
        vectorizer_model=CountVectorizer(stop_words="english"),
    )
    return model.fit(texts, X)


def found(texts: list[str], X: np.ndarray, seed: int) -> Iterator[tuple[str, np.ndarray, float]]:
    """Give each way's name, its topic of each document, and its seconds."""
    start = time.perf_counter()
    yield "one fit", np.array(fitted(texts, X, seed).topics_), time.perf_counter() - start
    parts = np.array_split(np.random.default_rng(seed).permutation(len(X)), N_PARTS)
    start = time.perf_counter()
    models = [fitted([texts[i] for i in part], X[part], seed) for part in parts]
    seconds = time.perf_counter() - start
    for similarity in SIMILARITIES:
        start = time.perf_counter()
        merged = BERTopic.merge_models(models, min_similarity=similarity)
        topics = np.empty(len(X), int)
        topics[np.concatenate(parts)] = merged.topics_
        merging = time.perf_counter() - start
        yield f"merge_models, {similarity}", topics, seconds + merging
    start = time.perf_counter()
    selector, clustering = DimensionSelector(0.5, criterion="laplacian"), LeidenClustering()
    selector.fit(X[parts[0]])
    topics = np.empty(len(X), int)
    for part in parts:
        topics[part] = clustering.partial_fit(selector.transform(X[part])).labels_
    yield "stream, without words", topics, time.perf_counter() - start


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=NAMES, help="MODEL_CORPUS")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        for seed in args.seeds:
            for way, topics, seconds in found(table["text"].tolist(), X, seed):
                score = adjusted_mutual_info_score(table["label"], topics)
                rows.append((name, way, score, topics.max() + 1, seconds))
                print(*rows[-1], file=sys.stderr)
    columns = ["data", "way", "AMI", "topics", "seconds"]
    means = pd.DataFrame(rows, columns=columns).groupby(["data", "way"], sort=False).mean()
    print("| data | way | AMI | topics | seconds |\n|---|---|--:|--:|--:|")
    for (name, way), row in means.iterrows():
        print(f"| {name} | {way} | {row.AMI:.3f} | {row.topics:.0f} | {row.seconds:.1f} |")
    print(f"\nSeeds {args.seeds}. {machine(('bertopic', 'scikit-learn', 'torch'))}")


if __name__ == "__main__":
    main()
