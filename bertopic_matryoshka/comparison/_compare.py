"""Documents -> one topic model for each width and whatever else is compared, measured."""

from __future__ import annotations

import tempfile
import time
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from joblib import Parallel, delayed
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka._validation import (
    check_at_least,
    check_enough,
    check_labels,
    find_device,
    list_of_strings,
)
from bertopic_matryoshka.comparison._cache import RunStore
from bertopic_matryoshka.comparison._comparison import DimensionComparison, ModelRun
from bertopic_matryoshka.comparison._fit import Fitting, part_rows
from bertopic_matryoshka.comparison._grid import PARTS, plan
from bertopic_matryoshka.comparison._grid_arguments import (
    check_installed,
    check_parts,
    check_seeds,
    clusterings_of,
    named_criteria,
)
from bertopic_matryoshka.comparison._models import ComparedModel, compared_models
from bertopic_matryoshka.comparison._progress import Progress, Steps
from bertopic_matryoshka.comparison._provenance import package_versions, versions
from bertopic_matryoshka.comparison._result import ARRAYS, Cell, measure_cell
from bertopic_matryoshka.evaluation import TopicCoherence, tokens_of
from bertopic_matryoshka.neighbors import compare_prefixes
from bertopic_matryoshka.topics import (
    MIN_TOPIC_SIZE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from bertopic_matryoshka.comparison._grid import Spec
    from bertopic_matryoshka.embedding import MatryoshkaBackend
    from bertopic_matryoshka.selection import Criterion

N_NEIGHBORS = 10
"""Neighbours of a document of which each width keeps a share."""


def compare_dimensions(
    documents: Sequence[str],
    backend: MatryoshkaBackend
    | Sequence[MatryoshkaBackend]
    | Mapping[str, MatryoshkaBackend]
    | None = None,
    *,
    dims: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    reductions: Sequence[str] | Mapping[str, Sequence[int] | None] = ("variance", "umap"),
    criterion: str | Criterion | Sequence[str | Criterion] = "variance",
    clustering: str | Sequence[str] | None = None,
    random_state: int | Sequence[int] | None = 0,
    n_topics: int | None = None,
    controls: Sequence[Any] = (),
    halves: bool = False,
    embeddings: ArrayLike | Mapping[str, ArrayLike] | None = None,
    labels: ArrayLike | None = None,
    measure: str = "c_v",
    n_samples: int = 200,
    n_features_to_select: float | None = None,
    n_components: int | None = None,
    top_n: int = 10,
    store: str | Path | None = None,
    n_jobs: int = 1,
    device: str | None = None,
    progress: bool | Progress = True,
    **bertopic_kwargs: Any,
) -> DimensionComparison:
    """Fit and measure one topic model for each width, and whatever else is compared.

    Documents are encoded once by each model, at full width, and cut to each of `dims`. Words are
    counted once. UMAP is compiled on a part of the documents before the clock runs.

    Parameters
    ----------
    documents : sequence of str
    backend : MatryoshkaBackend, sequence or dict of them, or None, default=None
        The embedding models; a dict names them. None is the bundled one, or none at all where
        `embeddings` are given: then nothing can be embedded later, and representation models that
        embed words fail.
    dims : sequence of int, dict or None, default=None
        Widths to compare, or those of each model by its name. None takes those that a model was
        trained at, where known, else the full width and its halvings down to 32.
    reductions : sequence or dict, default=("variance", "umap")
        Some of "variance", "pca", "umap" and "none". A dict gives a reduction its own widths:
        ``{"variance": None, "umap": [768]}`` compares "variance" at all of `dims` and "umap" at
        768 alone.
    criterion : str, callable or sequence of them, default="variance"
        For "variance": what ranks the dimensions, see DimensionSelector. It matters with
        `n_features_to_select`.
    clustering : str, sequence or None, default=None
        "leiden", "hdbscan" or both, see build_topic_model. An `hdbscan_model` is taken instead.
    random_state : int, sequence of int or None, default=0
        Seed of PCA, UMAP and Leiden, and of an `hdbscan_model` where several are given. Three or
        more show how far results depend on it.
    n_topics : int or None, default=None
        How many topics every model is to have, as the number moves every measure. Clusterers with
        `n_clusters` find them, the others' are merged by BERTopic's `nr_topics`, and may be fewer.
    controls : sequence, default=()
        What to hold the first model against, with the first reduction, criterion and clustering:
        "random" for random dimensions of it, drawn by the seed, in place of the first ones; a
        backend, or the name of one of the models, such as one not trained to be cut.
    halves : bool, default=False
        Whether to fit the first seed to both halves of the documents too, for their stability.
    embeddings : array-like of shape (n_documents, full_dim), dict of them or None, default=None
        The documents at full width, where they are encoded already, or those of each model.
    labels : array-like of shape (n_documents,) or None, default=None
        Classes to measure AMI, ARI and V-measure against.
    measure : str, default="c_v"
        Of coherence, see TopicCoherence.
    n_samples : int, default=200
        Bootstrap samples of the documents, >= 2, for the error of the coherence.
    n_features_to_select : int, float or None, default=None
        For "variance", see DimensionSelector. A float is a share of each width.
    n_components : int or None, default=None
        For "pca" and "umap": dimensions to leave; None is 5.
    top_n : int, default=10
        Words of each topic that are measured.
    store : str, Path or None, default=None
        Folder that keeps embeddings and finished cells. A run that was killed goes on where it was,
        and a later one computes only what is new.
    n_jobs : int, default=1
        Cells that are fitted at the same time, in processes; -1 for all cores. Seconds are then
        those of a busy machine.
    device : str or None, default=None
        Where neighbours are found and words counted, such as "cuda" or "cpu"; None takes a GPU
        where there is one. A backend has its own.
    progress : bool or callable, default=True
        Whether to show a progress bar with the time left. A callable is given the number of
        finished steps, of all steps, and what comes next.
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
        unknown, `embeddings` or `labels` are not as many as the documents, or a BERTopic argument
        cannot be told from others for the `store`.
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
    if len(documents) < 3:
        raise ValueError(f"{len(documents)} documents have no neighbourhoods. Add documents.")
    check_at_least(n_samples, 2, name="n_samples")
    labels = check_labels(labels, len(documents))
    find_device(device)
    seeds = check_seeds(random_state)
    if n_topics is not None:
        check_at_least(n_topics, 1, name="n_topics")
        if bertopic_kwargs.get("nr_topics") is not None:
            raise ValueError("n_topics and nr_topics are both given. Leave nr_topics out.")
    criteria = named_criteria(criterion)
    bertopic_kwargs.setdefault("vectorizer_model", CountVectorizer(stop_words="english"))
    models = compared_models(backend, embeddings, controls, len(documents))
    clusterings = clusterings_of(reductions, clustering, bertopic_kwargs.get("hdbscan_model"))
    specs = plan(
        {name: model.full_dim for name, model in models.items()},
        {name: model.default_dims for name, model in models.items()},
        dims=dims,
        reductions=reductions,
        criteria=list(criteria),
        clusterings=clusterings,
        seeds=seeds,
        controls=[name for name, model in models.items() if model.is_control],
        random_control="random" in controls,
        halves=halves,
    )
    given = bertopic_kwargs.get("hdbscan_model")
    check_installed(specs, min_topic_size, given=given)
    check_parts(specs, len(documents), min_topic_size, n_topics)
    several = len(seeds) > 1
    kept = RunStore(
        store,
        documents,
        settings={
            "versions": package_versions(),
            "labels": labels,
            "measure": measure,
            "n_samples": n_samples,
            "n_topics": n_topics,
            "n_features_to_select": n_features_to_select,
            "n_components": n_components,
            "top_n": top_n,
            "reseed": several and given is not None,
            "criterion": {name: c for name, c in criteria.items() if not isinstance(c, str)},
            **bertopic_kwargs,
        },
    )
    shared = tempfile.TemporaryDirectory() if several or len(criteria) > 1 else nullcontext()
    with Steps(2 * len(models) + len(specs), progress) as steps, shared as memory:
        rows: dict[str, NDArray[np.floating]] = {}
        fitting = Fitting(
            documents=documents,
            embeddings=rows,
            backends={name: model.backend for name, model in models.items()},
            criteria=criteria,
            n_topics=n_topics,
            n_features_to_select=n_features_to_select,
            n_components=n_components,
            device=device,
            memory=memory,
            reseed=several,
            bertopic_kwargs=bertopic_kwargs,
        )
        # Before anything is encoded: this says what is wrong with arguments of BERTopic and others.
        coherence = TopicCoherence(
            tokens_of(fitting.topic_model(specs[0]), documents),
            measure=measure,
            top_n=top_n,
            device=device,
        )
        runs = {}
        for name, model in models.items():
            steps.begin(f"encoding {len(documents):,} documents, {name}")
            rows[name], seconds = _encoded(model, documents, kept)
            steps.begin(f"neighbourhoods, {name}")
            full_dim = rows[name].shape[1]
            widths = sorted({s.dim for s in specs if s.line.model == name} | {full_dim})
            neighborhoods = compare_prefixes(
                rows[name],
                widths,
                n_neighbors=min(N_NEIGHBORS, (len(documents) - 1) // 2),
                device=device,
            )
            runs[name] = ModelRun(full_dim, seconds, model.is_control, neighborhoods, rows[name])
        cells = list(_cells(specs, fitting, kept, steps, coherence, labels, n_samples, n_jobs))
    return DimensionComparison(
        cells=tuple(cell for cell in cells if cell.spec.part == PARTS[0]),
        half_cells=tuple(cell for cell in cells if cell.spec.part != PARTS[0]),
        models=runs,
        n_documents=len(documents),
        measure=measure,
        documents=documents,
        made_with=versions(device),
    )


def _cells(
    specs: Sequence[Spec],
    fitting: Fitting,
    kept: RunStore,
    steps: Steps,
    coherence: TopicCoherence,
    labels: NDArray[Any] | None,
    n_samples: int,
    n_jobs: int,
) -> Iterator[Cell]:
    """Give the cells in the order of their specs: read from the store, or fitted and kept there."""
    keys = {spec: {**asdict(spec), "rows": kept.fingerprint(spec.line.model)} for spec in specs}
    found = {spec: kept.get(keys[spec]) for spec in specs}
    missing = [spec for spec in specs if found[spec] is None]
    if n_jobs == 1 or len(missing) < 2:
        fits: Iterator[Any] = map(fitting, missing)
    else:
        fits = Parallel(n_jobs, return_as="generator")(delayed(fitting)(s) for s in missing)
    for spec in specs:
        steps.begin(str(spec))
        contents = found[spec]
        if contents is not None:
            yield Cell.of_record(contents.record, contents.arrays)
            continue
        rows = part_rows(len(fitting.documents), spec.part)
        cell = measure_cell(
            spec,
            next(fits),
            coherence=coherence,
            labels=None if labels is None else labels[rows],
            n_samples=n_samples,
        )
        kept.put(keys[spec], cell.record(), {name: getattr(cell, name) for name in ARRAYS})
        yield cell


def _encoded(
    model: ComparedModel, documents: list[str], kept: RunStore
) -> tuple[NDArray[np.floating], float | None]:
    """Give a model's full embeddings, and the seconds that encoding took."""
    if model.given is not None:
        kept.know(model.name, model.given)
        return model.given, None
    assert model.backend is not None  # noqa: S101  (there is one or the other)
    full_backend = model.backend.truncated(model.full_dim)  # loads it before the clock runs
    start = time.perf_counter()
    full = kept.embed(full_backend, documents)
    seconds = time.perf_counter() - start
    kept.know(model.name, full)
    return full, kept.seconds(model.name, seconds)
