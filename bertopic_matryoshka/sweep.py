"""Documents -> one topic model for each width and reduction, encoded once and measured."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka.cell import measure_cell
from bertopic_matryoshka.checks import (
    check_dim,
    check_embeddings,
    check_enough,
    check_labels,
    list_of_strings,
)
from bertopic_matryoshka.coherence import TopicCoherence
from bertopic_matryoshka.comparison import DimensionComparison
from bertopic_matryoshka.embedding import MatryoshkaBackend
from bertopic_matryoshka.progress import Progress, Steps
from bertopic_matryoshka.topics import (
    MIN_TOPIC_SIZE,
    build_clusterer,
    build_reducer,
    check_reductions,
)
from bertopic_matryoshka.truncation import truncate
from bertopic_matryoshka.versions import versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

SMALLEST_HALVING = 32
"""Where the halvings of an unknown model's width end."""

UMAP_WARM_UP_ROWS = 5000
"""Rows enough for UMAP to compile what it uses on larger inputs too (it switches at 4,096)."""


def compare_dimensions(
    documents: Sequence[str],
    backend: MatryoshkaBackend | None = None,
    *,
    dims: Sequence[int] | None = None,
    reductions: Sequence[str] | Mapping[str, Sequence[int] | None] = ("variance", "umap"),
    embeddings: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    random_state: int | None = 0,
    clustering: str | None = None,
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
    reductions : sequence or dict, default=("variance", "umap")
        Some of "variance", "pca", "umap" and "none". A dict gives a reduction its own widths:
        ``{"variance": None, "umap": [768]}`` compares "variance" at all of `dims` and "umap" at
        768 alone.
    embeddings : array-like of shape (n_documents, full_dim) or None, default=None
        The documents at full width, where they are encoded already.
    labels : array-like of shape (n_documents,) or None, default=None
        Classes to measure AMI and ARI against.
    random_state : int or None, default=0
        Seed of PCA, UMAP and Leiden.
    clustering : {"leiden", "hdbscan"} or None, default=None
        What finds the topics, see build_topic_model. An `hdbscan_model` is taken instead.
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
    ImportError
        If umap-learn or hdbscan is needed and not installed.

    Examples
    --------
    >>> from bertopic_matryoshka import MatryoshkaBackend, compare_dimensions
    >>> comparison = compare_dimensions(docs, MatryoshkaBackend(), dims=[256, 64])  # doctest: +SKIP
    >>> comparison.recommend().dim  # doctest: +SKIP
    """
    documents = list_of_strings(documents)
    min_topic_size = int(bertopic_kwargs.get("min_topic_size", MIN_TOPIC_SIZE))
    check_enough(documents, min_topic_size)
    labels = check_labels(labels, len(documents))
    dims_of = _dims_of(reductions, dims)
    bertopic_kwargs.setdefault("vectorizer_model", CountVectorizer(stop_words="english"))
    given = None if embeddings is None else check_embeddings(embeddings, len(documents))
    if given is None:
        backend = backend or MatryoshkaBackend()
        full_dim = backend.full_dim
    else:
        full_dim = given.shape[1]
    plan = _plan(dims_of, backend, full_dim)
    uses_umap = any(reduction == "umap" for _, reduction in plan)
    if uses_umap:
        build_reducer("umap")  # says so where it is not installed, before anything is encoded
    if bertopic_kwargs.get("hdbscan_model") is None:
        for reduction in dims_of:
            build_clusterer(reduction, clustering, min_topic_size, random_state)
    encode_seconds = compile_seconds = None
    cells = []
    with Steps(1 + uses_umap + len(plan), progress) as steps:
        steps.begin(f"encoding {len(documents):,} documents")
        if given is None:
            assert backend is not None  # noqa: S101  (set above)
            full, encode_seconds = _encode(documents, backend)
        else:
            full = truncate(given, full_dim)
        coherence = TopicCoherence(
            documents,
            measure="npmi",
            vectorizer=bertopic_kwargs["vectorizer_model"],
            top_n=top_n,
        )
        if uses_umap:
            steps.begin("compiling UMAP")
            compile_seconds = _warm_up_umap(full, n_components)
        for dim, reduction in plan:
            steps.begin(f"{dim} dims, {reduction}")
            own = copy.deepcopy(bertopic_kwargs)
            if own.get("hdbscan_model") is None:
                own["hdbscan_model"] = build_clusterer(
                    reduction, clustering, min_topic_size, random_state
                )
            topic_model = BERTopic(
                embedding_model=backend.truncated(dim) if backend else BaseEmbedder(),
                umap_model=build_reducer(
                    reduction,
                    n_features_to_select=n_features_to_select if reduction == "variance" else None,
                    n_components=n_components if reduction in ("pca", "umap") else None,
                    random_state=random_state,
                ),
                **own,
            )
            cells.append(
                measure_cell(
                    topic_model,
                    documents,
                    truncate(full, dim),
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
        full_dim=full_dim,
        encode_seconds=encode_seconds,
        umap_compile_seconds=compile_seconds,
        embeddings=full,
        made_with=versions(),
    )


def _encode(documents: list[str], backend: MatryoshkaBackend) -> tuple[NDArray[np.floating], float]:
    full_backend = backend.truncated(backend.full_dim)  # loads the model before the clock runs
    start = time.perf_counter()
    full = full_backend.embed(documents)
    return full, time.perf_counter() - start


def _dims_of(
    reductions: Sequence[str] | Mapping[str, Sequence[int] | None], dims: Sequence[int] | None
) -> dict[str, Sequence[int] | None]:
    """Give each reduction its own widths, or all of them."""
    names = check_reductions(reductions)
    own = reductions if isinstance(reductions, Mapping) else {}
    dims_of = {name: dims if own.get(name) is None else own[name] for name in names}
    for name, widths in dims_of.items():
        if widths is not None and not len(widths):
            raise ValueError(f"dims={widths!r} names no width for {name!r}. Leave it out for all.")
    return dims_of


def _plan(
    dims_of: dict[str, Sequence[int] | None], backend: MatryoshkaBackend | None, full_dim: int
) -> list[tuple[int, str]]:
    """List the cells to run: widths descending, at each width the reductions in their order."""
    plan = set()
    for reduction, dims in dims_of.items():
        widths = _default_dims(backend, full_dim) if dims is None else dims
        plan |= {
            (check_dim(d, full_dim, of="the embeddings", name="dims"), reduction) for d in widths
        }
    order = list(dims_of)
    return sorted(plan, key=lambda cell: (-cell[0], order.index(cell[1])))


def _default_dims(backend: MatryoshkaBackend | None, full_dim: int) -> list[int]:
    """List the widths that the model was trained at, else halvings of its width."""
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
