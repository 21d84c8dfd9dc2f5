"""Topic models at several widths and reductions -> one comparison, measured cell by cell."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from sklearn.feature_extraction.text import CountVectorizer
from tqdm.auto import tqdm

from bertopic_matryoshka.cell import Cell, measure_cell
from bertopic_matryoshka.checks import (
    check_dim,
    check_embeddings,
    check_enough,
    check_labels,
    list_of_strings,
)
from bertopic_matryoshka.coherence import TopicCoherence
from bertopic_matryoshka.embedding import MatryoshkaBackend
from bertopic_matryoshka.recommendation import Recommendation, recommend
from bertopic_matryoshka.topics import build_reducer, check_reductions
from bertopic_matryoshka.truncation import truncate
from bertopic_matryoshka.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray
    from plotly.graph_objects import Figure

    Progress = Callable[[int, int, str], None]

SMALLEST_HALVING = 32
"""Where the halvings of an unknown model's width end."""

UMAP_WARM_UP_ROWS = 5000
"""Rows enough for UMAP to compile what it uses on larger inputs too (it switches at 4,096)."""


@dataclass(frozen=True)
class DimensionComparison:
    """What :func:`compare_dimensions` measured.

    Attributes
    ----------
    cells : tuple of Cell
        In the order in which they were run: widths descending, reductions as given.
    model : str
        Name of the embedding model.
    n_documents : int
    full_dim : int
        Width of the full embeddings.
    encode_seconds : float or None
        Wall clock of encoding all documents once at full width; None for given embeddings.
    umap_compile_seconds : float or None
        What UMAP's first fit of the process cost, for compiling most of all; not in the cells.
    embeddings : ndarray of shape (n_documents, full_dim)
    made_with : dict of str to str
        Versions of what computed it, and on what.
    """

    cells: tuple[Cell, ...]
    model: str
    n_documents: int
    full_dim: int
    encode_seconds: float | None
    umap_compile_seconds: float | None
    embeddings: NDArray[np.floating] = field(repr=False, compare=False)
    made_with: dict[str, str] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row a cell; the columns are Cell's, "encode_seconds", and a sample of topic words."""
        rows = []
        for cell in self.cells:
            row = {k: v for k, v in vars(cell).items() if k not in ("topics", "document_topics")}
            if cell.ami is None:
                del row["ami"], row["ari"]
            rows.append({**row, "encode_seconds": self.encode_seconds, "sample": cell.sample()})
        return pd.DataFrame(rows)

    def recommend(self, reduction: str | None = None) -> Recommendation:
        """Find the smallest width whose coherence is not worse than the best.

        "Not worse" is decided by the one-standard-error rule [1]_: of the cells with this
        reduction, take the one with the highest mean coherence, and accept every width whose mean
        is at most one standard error of that best mean below it. The error is that of a mean over
        topics: it says how well the topics determine the mean, not how it varies between seeds.

        Parameters
        ----------
        reduction : str or None, default=None
            Among the cells of which reduction; None takes the first that was compared.

        Returns
        -------
        recommendation : Recommendation
            With the width, the reason in words, and cautions where coherence alone misleads.

        Raises
        ------
        ValueError
            If no cell has this reduction, or none of them has topics.

        References
        ----------
        .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression
           Trees", 1984, section 3.4.3.
        """
        return recommend(self.cells, reduction or self.cells[0].reduction)

    def plot(self) -> Figure:
        """Draw coherence, diversity, outliers and seconds against width, a line a reduction."""
        from bertopic_matryoshka.figures import comparison_figure

        return comparison_figure(self)

    def to_html(self, path: str | Path) -> Path:
        """Write a report in one file that opens offline, and return its path."""
        from bertopic_matryoshka.report import write_report

        return write_report(self, Path(path))

    def to_csv(self, path: str | Path) -> None:
        """Write the table."""
        self.table.to_csv(path, index=False)

    def to_json(self, path: str | Path) -> None:
        """Write everything but the embeddings and the documents' topics."""
        cells = [
            {k: v for k, v in asdict(cell).items() if k != "document_topics"} for cell in self.cells
        ]
        content = {
            "model": self.model,
            "n_documents": self.n_documents,
            "full_dim": self.full_dim,
            "encode_seconds": self.encode_seconds,
            "umap_compile_seconds": self.umap_compile_seconds,
            "made_with": self.made_with,
            "cells": cells,
        }
        # NaN is no JSON: null says the same to every reader.
        text = json.dumps(_without_nan(content), indent=2, allow_nan=False)
        Path(path).write_text(text, "utf-8")


def compare_dimensions(
    documents: Sequence[str],
    backend: MatryoshkaBackend | None = None,
    *,
    dims: Sequence[int] | None = None,
    reductions: Sequence[str] = ("variance", "umap"),
    embeddings: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    random_state: int | None = 0,
    n_features_to_select: float | None = None,
    n_components: int | None = None,
    top_n: int = 10,
    progress: bool | Progress = True,
    **bertopic_kwargs: Any,
) -> DimensionComparison:
    """Fit and measure one topic model for each width and reduction.

    Documents are encoded once, at full width, and cut to each of `dims`. UMAP is compiled on a
    part of the documents before the clock runs, where it is compared.

    Parameters
    ----------
    documents : sequence of str
    backend : MatryoshkaBackend or None, default=None
        The embedding model. None is the bundled one, or none at all where `embeddings` are given:
        then nothing can be embedded later, and representation models that embed words fail.
    dims : sequence of int or None, default=None
        Widths to compare. None takes those that the model was trained at, where known, else the
        full width and its halvings down to 32.
    reductions : sequence of {"variance", "pca", "umap", "none"}, default=("variance", "umap")
    embeddings : array-like of shape (n_documents, full_dim) or None, default=None
        The documents at full width, where they are encoded already.
    labels : array-like of shape (n_documents,) or None, default=None
        Classes to measure AMI and ARI against.
    random_state : int or None, default=0
        Seed of PCA and UMAP.
    n_features_to_select : int, float or None, default=None
        For "variance", see DimensionSelector. A float is a share of each width.
    n_components : int or None, default=None
        For "pca" and "umap": dimensions to leave; None is 5.
    top_n : int, default=10
        Words of each topic that are measured.
    progress : bool or callable, default=True
        Whether to show a progress bar. A callable is given the number of finished steps, of all
        steps, and what comes next.
    **bertopic_kwargs
        Every other argument of BERTopic. `hdbscan_model`, `vectorizer_model` and others are
        copied for each cell. `vectorizer_model` is ``CountVectorizer(stop_words="english")``
        unless given: words that are everywhere are coherent and say nothing.

    Returns
    -------
    comparison : DimensionComparison

    Raises
    ------
    TypeError
        If a document is not a string; the message gives its position.
    ValueError
        If there are fewer documents than a topic needs, a width is out of range, a reduction is
        unknown, or `embeddings` or `labels` are not as many as the documents.

    Examples
    --------
    >>> from bertopic_matryoshka import MatryoshkaBackend, compare_dimensions
    >>> comparison = compare_dimensions(docs, MatryoshkaBackend(), dims=[256, 64])  # doctest: +SKIP
    >>> comparison.recommend().dim  # doctest: +SKIP
    """
    documents = list_of_strings(documents)
    check_enough(documents, int(bertopic_kwargs.get("min_topic_size", 10)))
    reductions = check_reductions(reductions)
    labels = check_labels(labels, len(documents))
    if backend is None and embeddings is None:
        backend = MatryoshkaBackend()
    bertopic_kwargs.setdefault("vectorizer_model", CountVectorizer(stop_words="english"))
    if embeddings is not None:
        full = check_embeddings(embeddings, len(documents))
        full, encode_seconds = truncate(full, full.shape[1]), None
    else:
        assert backend is not None  # noqa: S101  (set above)
        full, encode_seconds = _encode(documents, backend, verbose=progress is True)
    widths = _widths(dims, backend, full.shape[1])
    plan = [(dim, reduction) for dim in widths for reduction in reductions]
    coherence = TopicCoherence(
        documents, vectorizer=bertopic_kwargs["vectorizer_model"], top_n=top_n
    )
    compile_seconds = _warm_up_umap(full, n_components) if "umap" in reductions else None
    cells = []
    for dim, reduction in _with_progress(plan, progress):
        topic_model = BERTopic(
            embedding_model=backend.truncated(dim) if backend else BaseEmbedder(),
            umap_model=build_reducer(
                reduction,
                n_features_to_select=n_features_to_select if reduction == "variance" else None,
                n_components=n_components if reduction in ("pca", "umap") else None,
                random_state=random_state,
            ),
            **copy.deepcopy(bertopic_kwargs),
        )
        cut = truncate(full, dim)
        cells.append(
            measure_cell(
                topic_model,
                documents,
                cut,
                labels=labels,
                coherence=coherence,
                reduction=reduction,
                seed=random_state,
            )
        )
    return DimensionComparison(
        cells=tuple(cells),
        model=backend.name if backend else "given embeddings",
        n_documents=len(documents),
        full_dim=full.shape[1],
        encode_seconds=encode_seconds,
        umap_compile_seconds=compile_seconds,
        embeddings=full,
        made_with=versions(),
    )


def _encode(
    documents: list[str], backend: MatryoshkaBackend, *, verbose: bool
) -> tuple[NDArray[np.floating], float]:
    full_backend = backend.truncated(backend.full_dim)  # loads the model before the clock runs
    start = time.perf_counter()
    full = full_backend.embed(documents, verbose=verbose)
    return full, time.perf_counter() - start


def _widths(
    dims: Sequence[int] | None, backend: MatryoshkaBackend | None, full_dim: int
) -> list[int]:
    """List the widths to compare, descending."""
    if dims is not None:
        if not len(dims):
            raise ValueError("dims=[] names no width. Leave it out for the model's own.")
        checked = {check_dim(dim, full_dim, of="the embeddings", name="dims") for dim in dims}
        return sorted(checked, reverse=True)
    trained = [dim for dim in (backend.dims if backend else None) or () if dim <= full_dim]
    if trained:
        return trained
    halvings = [full_dim]
    while halvings[-1] // 2 >= SMALLEST_HALVING:
        halvings.append(halvings[-1] // 2)
    return halvings


def _warm_up_umap(full: NDArray[np.floating], n_components: int | None) -> float:
    """Let UMAP compile itself, which takes longer than its work on a few thousand rows."""
    rows = full[:UMAP_WARM_UP_ROWS]
    start = time.perf_counter()
    build_reducer("umap", n_components=n_components, random_state=0).fit_transform(rows)
    return time.perf_counter() - start


def _with_progress(
    plan: list[tuple[int, str]], progress: bool | Progress
) -> Iterator[tuple[int, str]]:
    bar = tqdm(plan, desc="Comparing", unit="model", disable=progress is not True)
    for done, (dim, reduction) in enumerate(bar):
        step = f"{dim} dims, {reduction}"
        bar.set_postfix_str(step)
        if callable(progress):
            progress(done, len(plan), step)
        yield dim, reduction
    if callable(progress):
        progress(len(plan), len(plan), "done")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
