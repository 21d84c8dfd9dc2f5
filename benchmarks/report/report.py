"""A report on AG News: a Matryoshka model, and two models without Matryoshka training as controls.

    python -m benchmarks.report.report --corpora FOLDER... --embeddings FOLDER... --out FOLDER

Reads ag.parquet and MODEL_ag.npy of the three models. Selection + Leiden and UMAP + HDBSCAN at
equal numbers of topics, three seeds, halves of the documents; one random permutation of the
Matryoshka model's dimensions as a control too. Writes report.html, report.png and comparison.json,
prints the summary as a markdown table, and keeps its runs in OUT/store. Needs umap-learn, hdbscan
and kaleido.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from bertopic import BERTopic
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    TopicScorer,
    compare_dimensions,
    write_png,
    write_report,
)

MODELS = {
    "a Matryoshka model": "matryoshka",
    "all-mpnet-base-v2": "mpnet",
    "all-MiniLM-L6-v2": "minilm",
}
DIMS = (768, 512, 256, 128, 64, 32)
N_TOPICS = 20
SELECTION, UMAP, PERMUTED = "selection + Leiden", "UMAP + HDBSCAN", "permuted dimensions"
COLUMNS = {
    "topic_model": "{}",
    "dim": "{:d}",
    "n_topics": "{:.0f}",
    "outlier_share": "{:.2f}",
    "coherence": "{:.3f}",
    "se_coherence": "{:.3f}",
    "diversity": "{:.2f}",
    "inverted_rbo": "{:.3f}",
    "ami": "{:.3f}",
    "seed_stability": "{:.2f}",
    "half_stability": "{:.2f}",
    "neighbors_kept": "{:.2f}",
    "trustworthiness": "{:.3f}",
    "spearman": "{:.3f}",
    "seconds": "{:.2f}",
}


def topic_model(*, uses_umap: bool = False) -> BERTopic:
    words = CountVectorizer(stop_words="english")
    if uses_umap:
        return BERTopic(vectorizer_model=words, nr_topics=N_TOPICS)
    return BERTopic(
        umap_model=DimensionSelector(),
        hdbscan_model=LeidenClustering(N_TOPICS),
        vectorizer_model=words,
    )


def seeds_alike(table: pd.DataFrame, topic_model: str) -> float:
    """1 where a seed does nothing that is common to the widths, more where it does."""
    coherence = table[table["topic_model"] == topic_model].pivot_table("coherence", "dim", "seed")
    return float(len(coherence) * coherence.mean().var() / coherence.var(axis=1).mean())


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    tables = {
        name: read(f"{short}_ag", args.corpora, args.embeddings) for name, short in MODELS.items()
    }
    (table, prefixes), *_ = tables.values()
    others = {name: X for name, (_, X) in list(tables.items())[1:]}
    permutation = np.random.default_rng(0).permutation(prefixes.shape[1])
    embeddings = {
        SELECTION: prefixes,
        UMAP: prefixes,
        PERMUTED: prefixes[:, permutation],
        **others,
    }
    comparison = compare_dimensions(
        table["text"].tolist(),
        {name: topic_model(uses_umap=name == UMAP) for name in embeddings},
        embeddings=embeddings,
        dims={
            name: [X.shape[1], *(dim for dim in DIMS if dim < X.shape[1])]
            for name, X in embeddings.items()
        }
        | {PERMUTED: DIMS[1:], "all-MiniLM-L6-v2": [384, *DIMS[2:]]},
        labels=table["label"],
        scorer=TopicScorer(split_half=True),
        store=args.out / "store",
        progress=lambda done, total, step: print(done, total, step, file=sys.stderr),
    )
    comparison = replace(comparison, controls=(PERMUTED, *others))
    summary = comparison.summary
    # Later seeds find their graph of neighbours built.
    first = comparison.table.drop_duplicates(["topic_model", "dim"])
    stages = ["reduce_seconds", "graph_seconds", "cluster_seconds", "represent_seconds"]
    summary["seconds"] = first[stages].sum(axis=1).to_numpy()
    print("|", " | ".join(COLUMNS), "|")
    print("|---" + "|--:" * (len(COLUMNS) - 1), "|")
    for row in summary.to_dict("records"):
        texts = (
            "-" if pd.isna(row[column]) else form.format(row[column])
            for column, form in COLUMNS.items()
        )
        print("|", " | ".join(texts), "|")
    ratios = [seeds_alike(comparison.table, name) for name in comparison.conditions]
    print(
        "\nVariance of the seeds' means over widths, as a multiple of what independent seeds give: "
        f"{', '.join(f'{ratio:.2f}' for ratio in ratios)}; mean {np.mean(ratios):.2f}."
    )
    # The corpus is not ours to pass on: its texts stay out of the file.
    textless = replace(comparison, documents=[""] * comparison.n_documents)
    write_report(textless, args.out / "report.html")
    comparison.to_json(args.out / "comparison.json")
    write_png(comparison, args.out / "report.png")
    print(f"\n{machine(('bertopic', 'umap-learn', 'hdbscan', 'graspologic-native'))}")


if __name__ == "__main__":
    main()
