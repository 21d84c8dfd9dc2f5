"""Cells and comparisons written by hand, for what reads them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bertopic_matryoshka.comparison._comparison import DimensionComparison, ModelRun
from bertopic_matryoshka.comparison._grid import Line, Spec
from bertopic_matryoshka.comparison._result import Cell, Topic

NAN = float("nan")
MODEL = "a model"
MEASURED = {
    "coherence": 0.1,
    "topic_error": 0.02,
    "document_error": 0.01,
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
N_SAMPLES = 50


def make_cell(
    dim,
    reduction="variance",
    *,
    model=MODEL,
    cut="prefix",
    seed=0,
    part="all",
    words=("cat", "dog"),
    document_topics=None,
    coherence_samples=None,
    **measured,
):
    """Build a cell whose topics are those of `document_topics`, with a word of their own each.

    Bootstrap samples lie around the coherence, by a hundredth, the same for all cells.
    """
    found = np.array([0, 0, 0, 1, 1, -1] if document_topics is None else document_topics)
    ids, sizes = np.unique(found[found != -1], return_counts=True)
    by_size = sorted(zip(ids.tolist(), sizes.tolist(), strict=True), key=lambda t: (-t[1], t[0]))
    values = {**MEASURED, **measured}
    if coherence_samples is None:
        around = np.random.default_rng(0).normal(scale=0.01, size=N_SAMPLES)
        coherence_samples = values["coherence"] + around
    line = Line(
        model,
        cut,
        reduction,
        "variance" if reduction == "variance" else "",
        "hdbscan" if reduction == "umap" else "leiden",
    )
    return Cell(
        spec=Spec(line, dim, seed, part),
        n_topics=len(by_size),
        outlier_share=float(np.mean(found == -1)),
        topics=tuple(Topic(i, (*words, f"word{i}"), size, 0.1) for i, size in by_size),
        document_topics=found,
        coherence_samples=coherence_samples,
        **values,
    )


def make_model(full_dim=8, *, encode_seconds=1.5, is_control=False, n_documents=6):
    dims = [full_dim // 2**i for i in range(full_dim.bit_length())]
    return ModelRun(
        full_dim=full_dim,
        encode_seconds=encode_seconds,
        is_control=is_control,
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


def make_comparison(*cells, half_cells=(), **changes):
    """Put cells into a comparison of models that are 8 wide, with six documents."""
    values = {
        "cells": cells,
        "half_cells": half_cells,
        "models": {cell.line.model: make_model() for cell in cells},
        "n_documents": 6,
        "measure": "c_v",
        "documents": [f"document {i}" for i in range(6)],
        "made_with": {"bertopic": "0.17.4", "python": "3.12", "device": "cpu"},
    }
    return DimensionComparison(**{**values, **changes})
