r"""Words from the core of topics, from all of their documents, and from those of UMAP + HDBSCAN.

    python -m benchmarks.topics.core_words --corpora FOLDER... --embeddings FOLDER... --out FOLDER \
        --names minilm_bbc minilm_ag --seeds 0 1 2

Reads CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy. "targets" compares words at equal
numbers of topics, as benchmarks.clustering.no_umap does; UMAP + HDBSCAN get words from the core
too. "choices" compares measures and shares of the core on the same topics: on the documents of the
fit, and with fit and words from one half of the documents and all measures from the other half.
Each row goes to OUT/*.csv at once, and one that is there already is not computed again. Needs
umap-learn and hdbscan for "targets".
"""

from __future__ import annotations

import itertools
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.clustering.no_umap import append, done_in, merged, umap_hdbscan
from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import (
    CoreWords,
    DimensionSelector,
    LeidenClustering,
    TopicCoherence,
    topic_diversity,
)
from bertopic_matryoshka.clustering._outliers import typicality
from bertopic_matryoshka.topics._core import likeness

NAMES = ["minilm_bbc", "matryoshka_bbc", "minilm_ag", "mpnet_ag", "matryoshka_ag", "minilm_so"]
OWN = 0  # stands for UMAP + HDBSCAN's own number of topics
N_TOPICS = (OWN, 5, 10, 20, 50, 100)
SHARES = (0.1, 0.25, 0.33, 0.5)
MEASURES = ("NPMI", "c_v", "diversity")
COSTS = ("coverage", "seconds")
OURS, UMAP = "ours", "UMAP + HDBSCAN"
PACKAGES = ("bertopic", "scikit-learn", "graspologic-native", "umap-learn", "hdbscan")


class Found(ClusterMixin, BaseEstimator):
    """Clusters that were found before, without centres."""

    def __init__(self, labels: np.ndarray):
        self.labels = labels

    def fit(self, X: np.ndarray, y: None = None) -> Found:  # noqa: ARG002
        self.labels_ = self.labels
        return self


class ByMembership(CoreWords):
    """The core by the share of a document's neighbours in its topic."""

    def _scores(self, topic_model: BERTopic, documents, topics, kept) -> np.ndarray:  # noqa: ARG002
        return topic_model.hdbscan_model.probabilities_[documents["ID"].to_numpy()[kept]]


class ByTypicality(CoreWords):
    """The core by the score of LeidenClustering's `outlier_share`: both, the first averaged."""

    def _scores(self, topic_model: BERTopic, documents, topics, kept) -> np.ndarray:  # noqa: ARG002
        own = vars(topic_model.hdbscan_model)
        graph = topic_model.hdbscan_model._graph()  # noqa: SLF001
        score = typicality(graph, own["_fit_labels"], own["_fit_rows"])[1]
        group = own["_group"][documents["ID"].to_numpy()[kept]]
        return np.append(score, -1.0)[group]


class ByWords(CoreWords):
    """The core by the cosine between a document's words and those of its topic."""

    def _scores(self, topic_model: BERTopic, documents, topics, kept) -> np.ndarray:
        return likeness(topic_model, documents["Document"][kept], topics[kept])


ALL, CORE, FOLDED = "all documents", "core", "core, folded"
WAYS = {ALL: None, CORE: CoreWords(), FOLDED: CoreWords(fold=True)}
CHOICES = {
    "nearest to the centre": CoreWords,
    "words most like the topic's": ByWords,
    "membership": ByMembership,
    "membership and centre": ByTypicality,
}


class Judge:
    """Measures topics' words on documents."""

    def __init__(self, documents: list[str]):
        self.vectorizer = CountVectorizer(stop_words="english")
        self.has = self.vectorizer.fit_transform(documents).sign()
        self.npmi = TopicCoherence(documents, measure="npmi", vectorizer=self.vectorizer)
        self.c_v = TopicCoherence(documents, measure="c_v")

    def count(self, topics: list[list[str]]) -> None:
        """Count the words of several ways in one pass."""
        self.npmi.count(topics)
        self.c_v.count(topics)

    def score(self, topics: list[list[str]], found: np.ndarray) -> dict[str, float]:
        """Measure words; coverage is the share of a topic's documents with one of its words."""
        column = self.vectorizer.vocabulary_
        covered = []
        for topic, words in enumerate(topics):
            known = [column[word] for word in words if word in column]
            members = csr_matrix(self.has[found == topic][:, known])
            if members.shape[0]:
                covered.append(float((members.sum(axis=1) > 0).mean()))
        values = self.npmi.score(topics), self.c_v.score(topics), topic_diversity(topics)
        return dict(zip(MEASURES, values, strict=True)) | {"coverage": float(np.mean(covered))}


def words_by(
    ways: dict[Any, CoreWords | None], documents: list[str], X: np.ndarray, clusterer: Any
) -> list[tuple[Any, list[list[str]], np.ndarray, float]]:
    """Give each way's topics by size, the documents' topics, and the seconds for the words."""
    topic_model = BERTopic(
        language=None,  # English would be stripped of hyphens and dots before it is counted
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=clusterer,
        vectorizer_model=CountVectorizer(stop_words="english"),
    ).fit(documents, X)
    found, results = np.array(topic_model.topics_), []
    for way, model in ways.items():
        start = time.perf_counter()
        topic_model.update_topics(
            documents,
            vectorizer_model=CountVectorizer(stop_words="english"),
            representation_model=model,
        )
        seconds = time.perf_counter() - start
        topics = [
            [word for word, _ in topic_model.get_topic(topic)] for topic in range(found.max() + 1)
        ]
        results.append((way, topics, found, seconds))
    return results


def half_dims(X: np.ndarray) -> np.ndarray:
    return DimensionSelector(0.5, criterion="laplacian").fit_transform(X)


def measure_targets(table: pd.DataFrame, X: np.ndarray, seeds: list[int], file: Path) -> None:
    keys = "method", "seed", "wanted", "way"
    done = done_in(file, keys)
    documents, half = table["text"].tolist(), half_dims(X)
    judge = Judge(documents)
    for seed in seeds:
        cells = itertools.product((UMAP, OURS), N_TOPICS)
        missing = [c for c in cells if any((c[0], seed, c[1], w) not in done for w in WAYS)]
        own, n_own = umap_hdbscan()(X, None, seed) if missing else None, 0
        for method, n in missing:
            n_own = own.max() + 1
            if method == UMAP:
                labels = own if n == OWN else merged(X, own, n)
                if labels is None:
                    continue
                clusterer, rows = Found(labels), X
            else:
                clusterer, rows = LeidenClustering(n or int(n_own), random_state=seed), half
            results = words_by(WAYS, documents, rows, clusterer)
            judge.count([words for _, topics, _, _ in results for words in topics])
            for way, topics, found, seconds in results:
                cell = dict(zip(keys, (method, seed, n, way), strict=True))
                scores = judge.score(topics, found) | {"seconds": seconds}
                extra = {"topics": len(topics), "outliers": float(np.mean(found < 0))}
                append(file, cell | scores | extra)


def measure_choices(table: pd.DataFrame, X: np.ndarray, file: Path) -> None:
    """Compare ways on the same topics; held out, all measures are of the other half."""
    keys = "held_out", "wanted", "way", "share"
    done = done_in(file, keys)
    documents = np.array(table["text"], dtype=object)
    in_fit = np.random.default_rng(0).random(len(documents)) < 0.5
    for held_out in (False, True):
        fit = in_fit if held_out else np.ones(len(documents), dtype=bool)
        judged = ~fit if held_out else fit
        half, judge = DimensionSelector(0.5, criterion="laplacian").fit(X[fit]), None
        for n in (10, 20, 50):
            ways = {(ALL, 1.0): None}
            for way, share in itertools.product(CHOICES, SHARES):
                ways[way, share] = CHOICES[way](share)
            if all((held_out, n, *way) in done for way in ways):
                continue
            judge = judge or Judge(documents[judged].tolist())
            clusterer = LeidenClustering(n, random_state=0)
            rows, texts = half.transform(X[fit]), documents[fit].tolist()
            results = words_by(ways, texts, rows, clusterer)
            judge.count([words for _, topics, _, _ in results for words in topics])
            for way, topics, found, seconds in results:
                if held_out:  # BERTopic's numbers of the topics of the other half
                    mapped = dict(zip(clusterer.labels_, found, strict=True))
                    labels = clusterer.predict(half.transform(X[judged]))
                    found = np.array([mapped.get(label, -1) for label in labels])  # noqa: PLW2901
                cell = dict(zip(keys, (held_out, n, *way), strict=True))
                append(file, cell | judge.score(topics, found) | {"seconds": seconds})


def print_table(table: pd.DataFrame) -> None:
    names = [*(name or "" for name in table.index.names), *map(str, table.columns)]
    print("\n| " + " | ".join(names) + " |\n|" + "---|" * table.index.nlevels, end="")
    print("--:|" * table.shape[1])
    for index, row in table.iterrows():
        first = index if isinstance(index, tuple) else (index,)
        cells = [f"{v:.3f}".replace("0.", ".", 1) if isinstance(v, float) else str(v) for v in row]
        print("| " + " | ".join([*map(str, first), *cells]) + " |")


def print_targets(results: pd.DataFrame) -> None:
    """Print cells met beside UMAP + HDBSCAN, without and with words from the core."""
    key = ["data", "seed", "wanted"]
    for their_way in (ALL, CORE):
        theirs = results[(results["method"] == UMAP) & (results["way"] == their_way)]
        theirs = theirs.set_index(key)[list(MEASURES)]
        met, gains = {}, {}
        for (method, way), rows in results.groupby(["method", "way"], sort=False):
            gain = (rows.set_index(key)[list(MEASURES)] - theirs).dropna()
            cells = gain.groupby(["data", "wanted"], sort=False).mean().round(9)
            met[f"{method}, {way}"] = (cells >= 0).sum().astype(str) + f" of {len(cells)}"
            gains[f"{method}, {way}"] = cells.mean()
            if (method, way, their_way) == (OURS, CORE, ALL):
                print(f"\nDifference of each cell, {OURS}, {CORE}, to {UMAP}, {ALL}:")
                print_table(cells)
        print(f"\nCells (means of seeds) that are not below those of {UMAP}, {their_way}:")
        print_table(pd.DataFrame(met).T)
        print("\nThe mean difference:")
        print_table(pd.DataFrame(gains).T)
    columns = [*MEASURES, *COSTS]
    print("\nMeans of all cells:")
    print_table(results.groupby(["method", "way"], sort=False)[columns].mean())
    print("\nMeans of the numbers of topics:")
    print_table(results.groupby(["data", "method", "way"], sort=False)[columns].mean())


def print_choices(results: pd.DataFrame) -> None:
    columns = [*MEASURES, *COSTS]
    for held_out, rows in results.groupby("held_out"):
        print(f"\nMeasured on {'the other half' if held_out else 'the documents of the fit'}:")
        print_table(rows.groupby(["way", "share"], sort=False)[columns].mean())
        by_data = rows[rows["share"].isin((0.25, 1.0))]
        print("\nShare .25, NPMI of each data:")
        print_table(by_data.pivot_table("NPMI", "way", "data", sort=False))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=NAMES, help="MODEL_CORPUS")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the targets")
    whats = ["targets", "choices"]
    parser.add_argument("--what", nargs="+", default=whats, choices=whats)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    args.out.mkdir(parents=True, exist_ok=True)
    for what in args.what:
        results = []
        for name in args.names:
            file = args.out / f"core_words_{what}_{name}.csv"
            data = read(name, args.corpora, args.embeddings)
            if what == "targets":
                measure_targets(*data, args.seeds, file)
            else:
                measure_choices(*data, file)
            results.append(pd.read_csv(file).assign(data=name))
        {"targets": print_targets, "choices": print_choices}[what](pd.concat(results))
    print(f"\nSeeds {args.seeds}. {machine(PACKAGES)}")


if __name__ == "__main__":
    main()
