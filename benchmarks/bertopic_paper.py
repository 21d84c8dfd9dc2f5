"""The BERTopic paper's protocol on OCTIS's BBC News: UMAP + HDBSCAN as there, and ours beside it.

    python benchmarks/bertopic_paper.py --corpus octis_bbc.parquet --models FOLDER --out FOLDER
    python benchmarks/bertopic_paper.py --corpus octis_bbc.parquet --out FOLDER \
        --embeddings all-mpnet-base-v2=FILE.npy all-MiniLM-L6-v2=FILE.npy

M. Grootendorst, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure", 2022: 10 to 50
topics, three runs each, ten words a topic. Reads a parquet file (columns text, preprocessed, and
label). Embeds it where no file is given, and keeps OUT/MODEL.npy. Each run goes to OUT/MODEL.csv
at once, and one that is there already is not made again; then markdown tables are printed. Needs
umap-learn, hdbscan and gensim.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
from bertopic import BERTopic
from corpus import machine
from no_umap import append, done_in
from no_umap_figure import print_table, share
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.pairwise import cosine_similarity
from umap import UMAP

from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.coherence import TopicCoherence
from bertopic_matryoshka.diversity import topic_diversity

# Means of the three runs in MaartenGr/BERTopic_evaluation, "results/Basic/BBC News": NPMI and
# diversity at each number of topics, and over all, which is what the paper has.
PAPER = {
    "all-mpnet-base-v2": (
        {
            "NPMI": (0.166, 0.156, 0.177, 0.175, 0.160),
            "diversity": (0.890, 0.808, 0.790, 0.760, 0.724),
        },
        {"NPMI": 0.167, "diversity": 0.794},
    ),
    "all-MiniLM-L6-v2": (
        {
            "NPMI": (0.167, 0.170, 0.175, 0.171, 0.165),
            "diversity": (0.873, 0.810, 0.802, 0.776, 0.749),
        },
        {"NPMI": 0.170, "diversity": 0.802},
    ),
}
WITHIN = 0.02
N_TOPICS = (10, 20, 30, 40, 50)
RUNS = (0, 1, 2)
SMALLEST = (5, 15)  # min_topic_size: of the paper's result files, and of its other corpora
NOW, ONE_MORE = "UMAP + HDBSCAN, nr_topics", "UMAP + HDBSCAN, nr_topics + 1"
THEN = "UMAP + HDBSCAN, merged as in 0.9"
OURS = {"ours, all dims": None} | {f"ours, {width}": width for width in (256, 128, 64, 32)}
METHODS = (THEN, NOW, ONE_MORE, *OURS)
KEYS = "method", "smallest", "wanted", "run"
MEASURES = ("NPMI", "diversity", "topics", "outliers", "AMI", "seconds")
SPREAD = ("NPMI", "diversity", "AMI")


class Corpus:
    def __init__(self, table: pd.DataFrame):
        self.documents = table["text"].tolist()
        self.labels = table["label"]
        self.tokens = [document.split() for document in self.documents]
        self.vocabulary = set(itertools.chain.from_iterable(self.tokens))
        self.coherence = TopicCoherence(self.tokens, measure="c_npmi")

    def words(self, topic_model: BERTopic) -> list[list[str]]:
        """Give ten words of each topic; the corpus's first stands for any that it does not have."""
        topics = [topic_model.get_topic(i)[:10] for i in sorted(set(topic_model.topics_) - {-1})]
        return [
            [word if word in self.vocabulary else self.tokens[0][0] for word, _ in topic]
            for topic in topics
        ]

    def score(self, topic_model: BERTopic) -> dict[str, float]:
        topics, found = self.words(topic_model), np.asarray(topic_model.topics_)
        values = self.coherence.score(topics), topic_diversity(topics), len(topics)
        values += np.mean(found < 0), adjusted_mutual_info_score(self.labels, found)
        return dict(zip(MEASURES, values, strict=False))

    def difference_from_gensim(self, topic_model: BERTopic) -> float:
        """Give the largest difference of a topic's NPMI from that of gensim, which OCTIS calls."""
        from gensim.corpora import Dictionary
        from gensim.models import CoherenceModel

        topics, options = self.words(topic_model), {"coherence": "c_npmi", "topn": 10}
        dictionary = Dictionary(self.tokens)
        model = CoherenceModel(topics, None, self.tokens, None, dictionary, processes=1, **options)
        theirs = model.get_coherence_per_topic()
        return float(np.abs(self.coherence.score_per_topic(topics) - theirs).max())


def fit(
    method: str, corpus: Corpus, X: np.ndarray, smallest: int, n_topics: int, run: int
) -> BERTopic:
    seed = n_topics + run  # as in the paper, no two runs share a UMAP
    if method in OURS:
        width = OURS[method]
        selector = DimensionSelector(width, criterion="laplacian" if width else "variance")
        leiden = LeidenClustering(n_topics, min_cluster_size=smallest, random_state=seed)
        return BERTopic(umap_model=selector, hdbscan_model=leiden).fit(corpus.documents, X)
    umap = UMAP(15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    nr_topics = {NOW: n_topics, ONE_MORE: n_topics + 1, THEN: None}[method]
    topic_model = BERTopic(umap_model=umap, min_topic_size=smallest, nr_topics=nr_topics)
    topic_model.fit(corpus.documents, X)
    if method == THEN:
        merge_smallest(topic_model, corpus.documents, n_topics)
    return topic_model


def merge_smallest(topic_model: BERTopic, documents: list[str], n_topics: int) -> None:
    """Merge as BERTopic 0.9's nr_topics: the smallest joins its like by c-TF-IDF, maybe topic -1."""
    found = np.asarray(topic_model.topics_)
    first, merged = found.min(), found - found.min()
    sizes = np.bincount(merged)
    similarities = cosine_similarity(topic_model.c_tf_idf_)
    np.fill_diagonal(similarities, 0)
    while np.count_nonzero(sizes) > n_topics + 1:
        smallest = np.where(sizes, sizes, len(found)).argmin()
        merged[merged == smallest] = similarities[smallest].argmax()
        similarities[:, smallest] = -1
        sizes = np.bincount(merged, minlength=len(sizes))
    pairs = set(zip((merged + first).tolist(), found.tolist(), strict=True))
    groups = [[into, topic] for into, topic in pairs if into != topic]
    if groups:
        topic_model.merge_topics(documents, groups)


def embed(name: str, documents: list[str], models: Path | None, file: Path) -> np.ndarray:
    if not file.exists():
        if models is None:
            raise FileNotFoundError(
                f"{file} is not there. Give --embeddings {name}=FILE or --models."
            )
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(models / name))
        np.save(file, model.encode(documents, normalize_embeddings=True))
    return np.load(file).astype(np.float32)


def measure(corpus: Corpus, X: np.ndarray, sizes: list[int], file: Path) -> None:
    done = done_in(file, KEYS)
    for key in itertools.product(METHODS, sizes, N_TOPICS, RUNS):
        if key not in done:
            start = time.perf_counter()
            topic_model = fit(key[0], corpus, X, *key[1:])
            seconds = time.perf_counter() - start
            row = dict(zip(KEYS, key, strict=True)) | corpus.score(topic_model)
            append(file, row | {"seconds": seconds})


def print_overall(name: str, results: pd.DataFrame) -> None:
    """Print means over all runs, with the deviation between runs of one number of topics."""
    groups = results.groupby(["method", "smallest"], sort=False)
    deviations = results.groupby(["method", "smallest", "wanted"])[list(SPREAD)].std()
    means, of_paper = [], PAPER[name][1]
    rows = [[f"the paper, {name}", "all", "5", *map(share, of_paper.values()), *["-"] * 4]]
    verdicts = []
    for (method, smallest), part in groups:
        means = part[list(MEASURES)].mean()
        spread = deviations.loc[method, smallest].mean()
        cells = {m: f"{share(means[m])} ± {share(spread[m])}" for m in SPREAD}
        cells |= {"topics": f"{means['topics']:.1f}", "outliers": f"{means['outliers']:.0%}"}
        cells["seconds"] = f"{part['seconds'].median():.1f}"  # the first fit compiles
        dims = str(OURS.get(method) or "all")
        rows.append([method.partition(",")[0] if method in OURS else method, dims, str(smallest)])
        rows[-1] += [cells[m] for m in MEASURES]
        if method not in OURS:
            off = {m: means[m] - value for m, value in of_paper.items()}
            met = "met" if max(map(abs, off.values())) <= WITHIN else "**missed**"
            off = ", ".join(f"{m} {share(value, '+')}" for m, value in off.items())
            verdicts.append(f"- {method}, min size {smallest}, less the paper: {off}: {met}")
    print(f"\n## {name}\n")
    print_table(["method", "dims", "min size", *MEASURES], rows)
    print("\n" + "\n".join(verdicts))


def print_by_number(name: str, results: pd.DataFrame, smallest: int) -> None:
    part = results[results["smallest"] == smallest]
    means = part.groupby(["method", "wanted"])[["NPMI", "diversity"]].mean()
    pairs = [("the paper", zip(*PAPER[name][0].values(), strict=True))]
    pairs += [(method, means.loc[method].to_numpy()) for method in METHODS]
    rows = [[method, *(" / ".join(map(share, pair)) for pair in found)] for method, found in pairs]
    print(f"\n{name}, min size {smallest}, NPMI / diversity:\n")
    print_table(["method", *map(str, N_TOPICS)], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--embeddings", nargs="+", default=[], metavar="MODEL=FILE")
    parser.add_argument("--models", type=Path, help="folder of sentence-transformers models")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=list(PAPER), choices=list(PAPER))
    parser.add_argument("--smallest", type=int, nargs="+", default=SMALLEST, help="min_topic_size")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(pd.read_parquet(args.corpus))
    files = dict(pair.split("=", 1) for pair in args.embeddings)
    for name in args.names:
        file = Path(files.get(name, args.out / f"{name}.npy"))
        X = embed(name, corpus.documents, args.models, file)
        measure(corpus, X, args.smallest, args.out / f"{name}.csv")
        results = pd.read_csv(args.out / f"{name}.csv")
        print_overall(name, results)
        print_by_number(name, results, args.smallest[0])
        largest = corpus.difference_from_gensim(fit("ours, 32", corpus, X, 15, N_TOPICS[-1], 0))
        print(f"\nLargest difference of a topic's NPMI from gensim's: {largest:.0e}")
    packages = "bertopic", "bertopic-matryoshka", "umap-learn", "hdbscan", "gensim", "scikit-learn"
    print(f"\nMean of {len(N_TOPICS) * len(RUNS)} runs. {machine(packages)}")


if __name__ == "__main__":
    main()
