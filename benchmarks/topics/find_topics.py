r"""What find_topics' similarities depend on: the number of topics, or the parts that found them?

    python -m benchmarks.topics.find_topics --corpora FOLDER --embeddings FOLDER \
        --model FOLDER/all-MiniLM-L6-v2

1,000 texts of AG News with embeddings of all-MiniLM-L6-v2; words to search for are embedded by the
same model. "ours" is selection and Leiden with a MatryoshkaBackend, the others are BERTopic's own
parts with a SentenceTransformer. Each cell has the similarity of the nearest topic, and the mean of
the five nearest, as find_topics returns them.
"""

from __future__ import annotations

import numpy as np
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from hdbscan import HDBSCAN
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from benchmarks.corpus import machine, parser_of, read
from benchmarks.topics.first_lines import print_rows
from bertopic_matryoshka import DimensionSelector, LeidenClustering, MatryoshkaBackend

QUERIES = ("car", "oil", "football", "computer", "election")
NUMBERS = (5, 12, 30, 60)
N_TEXTS = 1000


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--model", required=True)
    args = parser.parse_args()
    table, X = read("minilm_ag", args.corpora, args.embeddings)
    drawn = np.random.default_rng(0).choice(len(table), N_TEXTS, replace=False)
    docs, X = table["text"].iloc[drawn].tolist(), X[drawn]
    backend = MatryoshkaBackend(args.model)
    difference = np.abs(backend.embed_words(QUERIES) - backend.embed(QUERIES)).max()
    print(f"Largest difference between a word embedded as a word and as a document: {difference}")
    own = {"embedding_model": backend.embedding_model}
    ours = {"embedding_model": backend, "umap_model": DimensionSelector()}
    plain = own | {"umap_model": BaseDimensionalityReduction()}
    leaf = HDBSCAN(min_cluster_size=3, min_samples=1, cluster_selection_method="leaf")
    ways = [
        *(
            ("ours", ours | {"hdbscan_model": LeidenClustering(k, min_cluster_size=3)})
            for k in NUMBERS
        ),
        *(
            ("k-means", plain | {"hdbscan_model": KMeans(k, n_init=1, random_state=0)})
            for k in NUMBERS
        ),
        ("PCA + HDBSCAN", own | {"umap_model": PCA(5, random_state=0), "hdbscan_model": leaf}),
    ]
    rows = []
    for name, kwargs in ways:
        topic_model = BERTopic(**kwargs).fit(docs, X)
        found = [topic_model.find_topics(query)[1] for query in QUERIES]
        topics = np.array(topic_model.topics_)
        rows.append([
            name,
            len(set(topics.tolist()) - {-1}),
            f"{np.mean(topics == -1):.0%}",
            *(f"{values[0]:.2f}, {np.mean(values):.2f}" for values in found),
        ])  # fmt: skip
    print_rows(["parts", "topics", "outliers", *QUERIES], rows)
    print(f"\n{machine(('bertopic', 'sentence-transformers', 'scikit-learn'))}")


if __name__ == "__main__":
    main()
