"""The BERTopic paper's protocol on OCTIS's BBC News: UMAP + HDBSCAN as there, and ours beside it.

    python -m benchmarks.comparison.bertopic_paper --corpus octis_bbc.parquet --models FOLDER \
        --out FOLDER
    python -m benchmarks.comparison.bertopic_paper --corpus octis_bbc.parquet --out FOLDER \
        --embeddings all-mpnet-base-v2=FILE.npy all-MiniLM-L6-v2=FILE.npy

M. Grootendorst, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure", 2022. Reads
a parquet file (columns text, which is preprocessed, and label). Embeds it where no file is given,
and keeps OUT/MODEL.npy. Each run goes to OUT/MODEL.csv at once, and one that is there already is
not made again; then markdown tables are printed. Needs umap-learn, hdbscan and gensim.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import pandas as pd
from bertopic import BERTopic
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.pairwise import cosine_similarity
from umap import UMAP

from benchmarks.clustering.no_umap import append, done_in
from benchmarks.clustering.no_umap_figure import print_table, share
from benchmarks.corpus import machine
from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.evaluation._coherence import TopicCoherence
from bertopic_matryoshka.evaluation._diversity import topic_diversity

# Means over the three runs in the paper's repository, MaartenGr/BERTopic_evaluation, results/Basic/
# BBC News: NPMI and diversity at each number of topics. Their means are the paper's figures.
PAPER = {
    "all-mpnet-base-v2": ((0.166, 0.156, 0.177, 0.175, 0.160), (0.890, 0.808, 0.790, 0.760, 0.724)),
    "all-MiniLM-L6-v2": ((0.167, 0.170, 0.175, 0.171, 0.165), (0.873, 0.810, 0.802, 0.776, 0.749)),
}
WITHIN = 0.02
N_TOPICS = (10, 20, 30, 40, 50)
RUNS = (0, 1, 2)
SMALLEST = (5, 15)  # min_topic_size: the paper's on this corpus, and on its others
NOW, ONE_MORE = "UMAP + HDBSCAN, nr_topics", "UMAP + HDBSCAN, nr_topics + 1"
THEN, NOT_OUT = "UMAP + HDBSCAN, merged as in 0.9", "UMAP + HDBSCAN, as in 0.9, none into -1"
OURS = {"ours, all dims": None} | {f"ours, {width} dims": width for width in (256, 128, 64, 32)}
METHODS = (THEN, NOT_OUT, NOW, ONE_MORE, *OURS)
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
        topics = (topic_model.get_topic(i)[:10] for i in sorted(set(topic_model.topics_) - {-1}))
        known, other = self.vocabulary, self.tokens[0][0]
        return [[word if word in known else other for word, _ in topic] for topic in topics]

    def score(self, topic_model: BERTopic) -> dict[str, float]:
        topics, found = self.words(topic_model), np.asarray(topic_model.topics_)
        values = self.coherence.score(topics), topic_diversity(topics, fold=False), len(topics)
        values += np.mean(found < 0), adjusted_mutual_info_score(self.labels, found)
        return dict(zip(MEASURES, values, strict=False))

    def difference_from_gensim(self, topic_model: BERTopic) -> float:
        """Give the largest difference of a topic's NPMI from that of gensim, which OCTIS calls."""
        from gensim.corpora import Dictionary
        from gensim.models import CoherenceModel

        topics = self.words(topic_model)
        corpus = {"texts": self.tokens, "dictionary": Dictionary(self.tokens)}
        theirs = CoherenceModel(topics=topics, **corpus, coherence="c_npmi", topn=10, processes=1)
        ours = self.coherence.score_per_topic(topics)
        return float(np.abs(ours - theirs.get_coherence_per_topic()).max())


def fit(corpus: Corpus, X: np.ndarray, method: str, smallest: int, n: int, run: int) -> BERTopic:
    seed = n + run  # as in the paper, no two runs share a UMAP
    if method in OURS:
        width = OURS[method]
        selector = DimensionSelector(width, criterion="laplacian" if width else "variance")
        leiden = LeidenClustering(n, min_cluster_size=smallest, random_state=seed)
        return BERTopic(umap_model=selector, hdbscan_model=leiden).fit(corpus.documents, X)
    umap = UMAP(15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    nr_topics = {NOW: n, ONE_MORE: n + 1}.get(method)
    topic_model = BERTopic(umap_model=umap, min_topic_size=smallest, nr_topics=nr_topics)
    topic_model.fit(corpus.documents, X)
    if method in {THEN, NOT_OUT}:
        merge_smallest(topic_model, corpus.documents, n, into_outliers=method == THEN)
    return topic_model


def merge_smallest(model: BERTopic, documents: list[str], n: int, *, into_outliers: bool) -> None:
    """Merge as BERTopic 0.9's nr_topics: the smallest joins its like by c-TF-IDF, even if -1."""
    found = np.asarray(model.topics_)
    merged = found - found.min()
    similarities = cosine_similarity(model.c_tf_idf_)
    np.fill_diagonal(similarities, 0)
    if not into_outliers:
        similarities[:, : -found.min()] = -1
    while np.count_nonzero(sizes := np.bincount(merged, minlength=len(similarities))) > n + 1:
        smallest = np.where(sizes, sizes, len(found)).argmin()
        merged[merged == smallest] = similarities[smallest].argmax()
        similarities[:, smallest] = -1
    pairs = set(zip((merged + found.min()).tolist(), found.tolist(), strict=True))
    groups = [[into, topic] for into, topic in pairs if into != topic]
    if groups:
        model.merge_topics(documents, groups)


def embed(name: str, documents: list[str], models: Path | None, file: Path) -> np.ndarray:
    if not file.exists():
        if models is None:
            raise FileNotFoundError(f"{file} is missing. Give --models, or {name} in --embeddings.")
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(models / name))
        np.save(file, model.encode(documents, normalize_embeddings=True))
    return np.load(file).astype(np.float32)


def measure(corpus: Corpus, X: np.ndarray, file: Path) -> pd.DataFrame:
    done = done_in(file, KEYS)
    for key in itertools.product(METHODS, SMALLEST, N_TOPICS, RUNS):
        if key not in done:
            start = time.perf_counter()
            topic_model = fit(corpus, X, *key)
            seconds = {"seconds": time.perf_counter() - start}
            append(file, dict(zip(KEYS, key, strict=True)) | corpus.score(topic_model) | seconds)
    return pd.read_csv(file)


def print_overall(name: str, results: pd.DataFrame) -> None:
    """Print means over all runs, with the deviation between runs at equal numbers of topics."""
    groups = ["method", "smallest"]
    means = results.groupby(groups)[list(MEASURES)].mean().loc[list(METHODS)]
    means["seconds"] = results.groupby(groups)["seconds"].median()  # the first fit compiles
    deviations = results.groupby([*groups, "wanted"])[list(SPREAD)].std().groupby(groups).mean()
    paper = np.mean(PAPER[name], axis=1)
    rows, differences = [["the paper", "all", "5", *map(share, paper), *["-"] * 4]], []
    for (method, smallest), mean in means.iterrows():
        spread = deviations.loc[method, smallest]
        cells = {m: f"{share(mean[m])} ± {share(spread[m])}" for m in SPREAD}
        cells |= {m: f"{mean[m]:.1f}" for m in ("topics", "seconds")}
        cells["outliers"] = f"{mean['outliers']:.0%}"
        keys = "ours" if method in OURS else method, str(OURS.get(method) or "all"), str(smallest)
        rows.append([*keys, *(cells[m] for m in MEASURES)])
        if method not in OURS:
            off = mean[["NPMI", "diversity"]].to_numpy() - paper
            met = "met" if max(abs(off)) <= WITHIN else "**missed**"
            differences.append([method, str(smallest), *(share(x, "+") for x in off), met])
    print(f"\n## {name}\n")
    print_table(["method", "dims", "min size", *MEASURES], rows)
    print("\nLess the paper:\n")
    print_table(["method", "min size", "NPMI", "diversity", f"within {share(WITHIN)}"], differences)


def print_by_number(name: str, results: pd.DataFrame) -> None:
    means = results.groupby(["method", "wanted"])[["NPMI", "diversity"]].mean()
    rows = [("the paper", np.transpose(PAPER[name]))]
    rows += [(method, means.loc[method].to_numpy()) for method in METHODS]
    print(f"\nNPMI / diversity at each number of topics, min size {SMALLEST[0]}:\n")
    cells = ([method, *(" / ".join(map(share, pair)) for pair in pairs)] for method, pairs in rows)
    print_table(["method", *map(str, N_TOPICS)], cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--embeddings", nargs="+", default=[], metavar="MODEL=FILE")
    parser.add_argument("--models", type=Path, help="folder of sentence-transformers models")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(pd.read_parquet(args.corpus))
    files = dict(pair.split("=", 1) for pair in args.embeddings)
    for name in PAPER:
        file = Path(files.get(name, args.out / f"{name}.npy"))
        X = embed(name, corpus.documents, args.models, file)
        results = measure(corpus, X, args.out / f"{name}.csv")
        print_overall(name, results)
        print_by_number(name, results[results["smallest"] == SMALLEST[0]])
        gap = corpus.difference_from_gensim(fit(corpus, X, METHODS[-1], 5, 50, 0))
        print(f"\nLargest difference of a topic's NPMI from gensim's: {gap:.0e}")
    packages = "bertopic", "bertopic-matryoshka", "umap-learn", "hdbscan", "gensim", "scikit-learn"
    print(f"\nMean of {len(N_TOPICS) * len(RUNS)} runs. {machine(packages)}")


if __name__ == "__main__":
    main()
