"""Runs and comparisons written by hand, for what reads them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bertopic_matryoshka import DimensionComparison
from bertopic_matryoshka.comparison import (
    Condition,
    EmbeddingModel,
    Replicate,
    Run,
    Setting,
    Topic,
)

NAN = float("nan")
MODEL = "a model"
MEASURED = {
    "coherence": 0.1,
    "se_topics": 0.02,
    "se_documents": 0.01,
    "diversity": 0.9,
    "inverted_rbo": 0.95,
    "balance": 0.8,
    "reduce_seconds": 1.0,
    "cluster_seconds": 0.5,
    "represent_seconds": 0.25,
    "evaluate_seconds": 0.1,
    "umap_compile_seconds": None,
    "ami": None,
    "ari": None,
    "v_measure": None,
}
N_RESAMPLES = 50


def make_run(
    dim,
    topic_model="selection",
    *,
    seed=0,
    part="all",
    words=("cat", "dog"),
    document_topics=None,
    coherence_resamples=None,
    **measured,
):
    """Build a run whose topics are those of `document_topics`, with a word of their own each.

    Bootstrap samples lie around the coherence, by a hundredth, the same for all runs.
    """
    found = np.array([0, 0, 0, 1, 1, -1] if document_topics is None else document_topics)
    ids, sizes = np.unique(found[found != -1], return_counts=True)
    by_size = sorted(zip(ids.tolist(), sizes.tolist(), strict=True), key=lambda t: (-t[1], t[0]))
    values = {**MEASURED, **measured}
    if coherence_resamples is None:
        around = np.random.default_rng(0).normal(scale=0.01, size=N_RESAMPLES)
        coherence_resamples = values["coherence"] + around
    return Run(
        setting=Setting(topic_model, dim, seed, part),
        n_topics=len(by_size),
        outlier_share=float(np.mean(found == -1)),
        topics=tuple(Topic(i, (*words, f"word{i}"), size, 0.1) for i, size in by_size),
        document_topics=found,
        coherence_resamples=coherence_resamples,
        **values,
    )


def make_replicates(
    dim, topic_model="selection", *, noise=0.03, n=5, n_documents=800, n_topics=4, ami=None
):
    """Build replicates of a width on 80 % of the documents, of which a share has any topic."""
    replicates = []
    for number in range(n):
        rng = np.random.default_rng([dim, number])
        drawn = np.random.default_rng(number).permutation(n_documents)  # the same at all widths
        rows = np.sort(drawn[: n_documents * 4 // 5])
        is_noise = rng.random(rows.size) < noise
        topics = np.where(is_noise, rng.integers(n_topics, size=rows.size), rows % n_topics)
        score = None if ami is None else ami[number]
        replicates.append(
            Replicate(Setting(topic_model, dim, number, "replicate"), score, rows, topics)
        )
    return replicates


def make_model(full_dim=8, *, encode_seconds=1.5, n_documents=6):
    dims = [full_dim // 2**i for i in range(full_dim.bit_length())]
    return EmbeddingModel(
        full_dim=full_dim,
        encode_seconds=encode_seconds,
        neighborhoods=pd.DataFrame(
            {
                "dim": dims,
                "memory_share": [dim / full_dim for dim in dims],
                "neighbors_kept": [0.8**i for i in range(len(dims))],
                "trustworthiness": [0.99**i for i in range(len(dims))],
                "spearman": [0.95**i for i in range(len(dims))],
            }
        ),
        embeddings=np.random.default_rng(0).normal(size=(n_documents, full_dim)),
    )


def make_condition(reduction="selection", *, embedding_model=MODEL, is_permuted=False):
    clustering = "HDBSCAN" if reduction == "UMAP" else "Leiden"
    return Condition(embedding_model, reduction, clustering, is_permuted=is_permuted)


def make_comparison(*runs, half_runs=(), replicates=(), conditions=None, **changes):
    """Put runs into a comparison of models that are 8 wide, with six documents.

    A topic model is named by its reduction where `conditions` does not say what it is made of.
    """
    named = {run.topic_model: make_condition(run.topic_model) for run in runs} | (conditions or {})
    values = {
        "runs": runs,
        "half_runs": half_runs,
        "replicates": tuple(replicates),
        "conditions": named,
        "embedding_models": {of.embedding_model: make_model() for of in named.values()},
        "n_documents": 6,
        "measure": "c_v",
        "documents": [f"document {i}" for i in range(6)],
        "provenance": {"bertopic": "0.17.4", "python": "3.12", "device": "cpu"},
    }
    return DimensionComparison(**{**values, **changes})
