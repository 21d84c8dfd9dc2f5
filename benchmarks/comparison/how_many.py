"""How many topics: estimates from the data beside the number of classes, and what they give.

    python -m benchmarks.comparison.how_many --corpora FOLDER... --embeddings FOLDER... \
        --out FOLDER

Reads CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy, and draws samples. Each
estimate goes to OUT/how_many.csv at once, and one that is there already is not computed again; then
markdown tables are printed. The estimates:

- recommended: compare_topic_numbers(...).recommend(); where it decides on none, the own number
- own: that of LeidenClustering, the cut with the largest modularity
- silhouette: the largest mean silhouette (cosine) of k-means from 2 to 60 clusters
- eigengap, cosine: of the normalised Laplacian of all cosine similarities above 0, as
  arXiv 2511.19350 does it, without its sampling, which so few documents do not need
- eigengap, neighbours: the same for the nearest-neighbour graph
"""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from scipy.linalg import eigvalsh
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering, compare_topic_numbers
from bertopic_matryoshka.neighbors import neighbor_graph

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("minilm_bbc", "matryoshka_bbc", "minilm_ag", "mpnet_ag", "matryoshka_ag", "minilm_so")
SAMPLES = range(3)
SIZE = 2_000
LARGEST = 60
PACKAGES = ("bertopic", "graspologic-native", "numpy", "scikit-learn", "scipy")


def eigengap(similarity: np.ndarray) -> int:
    """Give the number of eigenvalues below the largest gap of the normalised Laplacian."""
    scale = 1 / np.sqrt(np.maximum(similarity.sum(axis=1), 1e-12))
    values = 1 - eigvalsh(scale[:, None] * similarity * scale)[::-1]
    return int(np.argmax(np.diff(values[1 : LARGEST + 1]))) + 2


def by_silhouette(X: np.ndarray, seed: int) -> int:
    numbers = range(2, LARGEST + 1)
    scores = [
        silhouette_score(X, KMeans(n, n_init=1, random_state=seed).fit_predict(X), metric="cosine")
        for n in numbers
    ]
    return numbers[int(np.argmax(scores))]


def estimates(texts: list[str], X: np.ndarray, seed: int) -> Iterator[tuple[str, int, bool]]:
    """Yield each estimate, and whether it decided."""
    topic_model = BERTopic(
        embedding_model=BaseEmbedder(),
        umap_model=DimensionSelector(),
        hdbscan_model=LeidenClustering(random_state=seed),
        vectorizer_model=CountVectorizer(stop_words="english"),
    )
    comparison = compare_topic_numbers(topic_model, texts, embeddings=X)
    number = comparison.recommend().n_topics
    yield "recommended", number or comparison.own_number, number is not None
    yield "own", comparison.own_number, True
    yield "silhouette", by_silhouette(X, seed), True
    cosine = np.maximum(X @ X.T, 0)
    np.fill_diagonal(cosine, 0)
    yield "eigengap, cosine", eigengap(cosine), True
    yield "eigengap, neighbours", eigengap(neighbor_graph(X, 15).toarray()), True


def measure(name: str, table: pd.DataFrame, X: np.ndarray, file: Path) -> None:
    done = set()
    if file.exists():
        old = pd.read_csv(file)
        done = set(zip(old["data"], old["sample"], strict=True))
    for sample in SAMPLES:
        if (name, sample) in done:
            continue
        drawn = np.random.default_rng(sample).permutation(len(X))[:SIZE]
        rows, labels = X[drawn], pd.factorize(table["label"].iloc[drawn])[0]
        clustering = LeidenClustering(random_state=sample)
        clustering.fit(DimensionSelector().fit_transform(rows))
        lines = []
        for estimate, number, decided in estimates(
            table["text"].iloc[drawn].tolist(), rows, sample
        ):
            kmeans = KMeans(number, n_init=3, random_state=sample).fit_predict(rows)
            ours = clustering.labels_at(number)
            line = {"data": name, "sample": sample, "classes": labels.max() + 1}
            line |= {"estimate": estimate, "number": number, "decided": decided}
            line |= {"k-means": adjusted_mutual_info_score(labels, kmeans)}
            line |= {"ours": adjusted_mutual_info_score(labels, ours)}
            lines.append(line)
        with file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(lines[0]))
            if stream.tell() == 0:
                writer.writeheader()
            writer.writerows(lines)


def print_tables(results: pd.DataFrame) -> None:
    estimated = list(dict.fromkeys(results["estimate"]))
    print(f"\nNumbers in {len(SAMPLES)} samples of {SIZE:,}; in brackets where none stood out.\n")
    print("| data | classes |", " | ".join(estimated), "|")
    print("|---|--:|", "--:|" * len(estimated))
    for name, of in results.groupby("data", sort=False):
        cells = [
            ", ".join(
                str(number) if decided else f"({number})"
                for number, decided in zip(at["number"], at["decided"], strict=True)
            )
            for at in (of[of["estimate"] == estimate] for estimate in estimated)
        ]
        print(f"| {name} | {of['classes'].iloc[0]} |", " | ".join(cells), "|")
    by = results.assign(
        error=(results["number"] - results["classes"]).abs(),
        ratio=np.abs(np.log2(results["number"] / results["classes"])),
    ).groupby("estimate", sort=False)
    print("\n| estimate | absolute error | factor | AMI, ours | AMI, k-means |")
    print("|---|--:|--:|--:|--:|")
    for estimate, of in by:
        factor = 2 ** of["ratio"].mean()
        print(f"| {estimate} | {of['error'].mean():.1f} | {factor:.2f} |", end="")
        print(f" {of['ours'].mean():.3f} | {of['k-means'].mean():.3f} |")


def main() -> None:
    warnings.simplefilter("ignore", RuntimeWarning)
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=NAMES)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "how_many.csv"
    for name in args.names:
        measure(name, *read(name, args.corpora, args.embeddings), file)
    print_tables(pd.read_csv(file))
    print(f"\n{machine(PACKAGES)}")


if __name__ == "__main__":
    main()
