"""Widths and reductions compared on a corpus whose embeddings are on disk.

    python -m benchmarks.comparison.dimensions --corpus ag.parquet --embeddings matryoshka_ag.npy \
        --dims 768 512 256 128 64 --model "name of the model" [--methods UMAP]

--methods keeps the methods whose name has one of the words. The corpus has the columns text and
label. Prints a markdown table: mean over the seeds, with the standard deviation behind it where it
is not zero in the digits shown.
"""

import argparse
import itertools
import time

import numpy as np
import pandas as pd

from bertopic_matryoshka import LeidenClustering, build_topic_model, compare_dimensions
from bertopic_matryoshka.comparison._provenance import versions

EQUAL = "variance + Leiden, equal to UMAP's topics"
# What each row is called, the reduction and the clustering.
METHODS = (
    ("variance + Leiden (default)", "variance", "leiden"),
    ("none + Leiden", "none", "leiden"),
    ("UMAP + HDBSCAN (BERTopic)", "umap", "hdbscan"),
    (EQUAL, "variance", None),
    ("PCA + HDBSCAN", "pca", "hdbscan"),
    ("variance + HDBSCAN", "variance", "hdbscan"),
    ("none + HDBSCAN", "none", "hdbscan"),
)
COLUMNS = {
    "topics": ("n_topics", "{:.0f}"),
    "outliers": ("outlier_share", "{:.2f}"),
    "NPMI": ("coherence", "{:.3f}"),
    "diversity": ("diversity", "{:.2f}"),
    "AMI": ("ami", "{:.3f}"),
    "ARI": ("ari", "{:.3f}"),
    "reduce s": ("reduce_seconds", "{:.2f}"),
    "neighbours s": ("graph_seconds", "{:.2f}"),
    "cluster s": ("cluster_seconds", "{:.2f}"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--embeddings", required=True)
    parser.add_argument("--dims", type=int, nargs="+", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--methods", nargs="+", default=[""])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    corpus = pd.read_parquet(arguments.corpus)
    embeddings = np.load(arguments.embeddings).astype(np.float32)
    methods = [m for m in METHODS if any(word in m[0] for word in arguments.methods)]
    results = pd.DataFrame(columns=["method", "dim", "n_topics"])
    start = time.perf_counter()
    for name, reduction, clustering in methods:
        for dim, seed in itertools.product(arguments.dims, arguments.seeds):
            if clustering == "hdbscan" and reduction != "umap" and seed != arguments.seeds[0]:
                continue  # nothing in it depends on the seed
            clusterer = None
            if name == EQUAL:
                umap = results[results["method"].str.startswith("UMAP") & (results["dim"] == dim)]
                clusterer = LeidenClustering(round(umap["n_topics"].mean()), min_cluster_size=10)
            topic_model = build_topic_model(
                reduction=reduction, clustering=clustering, hdbscan_model=clusterer
            )
            topic_model.embedding_model = None  # its embeddings are given
            table = compare_dimensions(
                corpus["text"].tolist(),
                topic_model,
                embeddings=embeddings,
                labels=corpus["label"],
                dims=[dim],
                seeds=[seed],
                progress=False,
            ).table
            results = pd.concat([results, table.assign(method=name)])
    made_with = versions()
    print(
        f"{len(corpus):,} documents, {arguments.model}, seeds {arguments.seeds}, "
        f"{made_with['machine']}; bertopic {made_with['bertopic']}, umap-learn "
        f"{made_with['umap-learn']}, hdbscan {made_with['hdbscan']}; "
        f"{time.perf_counter() - start:.0f} s in all\n"
    )
    print("| method | dims | " + " | ".join(COLUMNS) + " |")
    print("|---|--:|" + "--:|" * len(COLUMNS))
    for name, _, _ in methods:
        for dim in sorted(arguments.dims, reverse=True):
            cells = results[(results["method"] == name) & (results["dim"] == dim)]
            values = [
                written(cells[column].to_numpy(dtype=float), form)
                for column, form in COLUMNS.values()
            ]
            print(f"| {name} | {dim} | " + " | ".join(values) + " |")


def written(values: np.ndarray, form: str) -> str:
    if np.isnan(values).all():
        return "-"
    spread = form.format(values.std())
    mean = form.format(values.mean())
    return mean if float(spread) == 0 else f"{mean} ± {spread}"


if __name__ == "__main__":
    main()
