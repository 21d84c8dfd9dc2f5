"""Documents and topic models -> one fit for each width and seed, measured."""

from __future__ import annotations

import os
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import Parallel, delayed

from bertopic_matryoshka._constraints import Constraint, check_arguments, instance
from bertopic_matryoshka._validation import check_labels, list_of_strings
from bertopic_matryoshka.comparison._comparison import DimensionComparison, EmbeddingModel
from bertopic_matryoshka.comparison._embedding_models import find_sources
from bertopic_matryoshka.comparison._fit import Fitting
from bertopic_matryoshka.comparison._progress import Progress, Steps
from bertopic_matryoshka.comparison._provenance import versions
from bertopic_matryoshka.comparison._replicates import (
    SHARE,
    Replicate,
    measure_replicate,
    plan_replicates,
    replicate_rows,
)
from bertopic_matryoshka.comparison._result import ARRAYS, Run, measure_run
from bertopic_matryoshka.comparison._scorer import TopicScorer, check_scorer
from bertopic_matryoshka.comparison._setting import (
    PARTS,
    Condition,
    check_seeds,
    part_rows,
    plan,
)
from bertopic_matryoshka.comparison._store import (
    RunStore,
    keys_of_replicates,
    keys_of_runs,
    keys_of_topic_models,
)
from bertopic_matryoshka.comparison._topic_models import (
    check_enough_documents,
    clone_topic_model,
    described,
    how_words_are_found,
    named_topic_models,
    reducer_of,
    short_name_of,
)
from bertopic_matryoshka.evaluation import TopicCoherence, tokens_of
from bertopic_matryoshka.neighbors import compare_distinct, distinct_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bertopic import BERTopic
    from numpy.typing import ArrayLike, NDArray

    from bertopic_matryoshka.comparison._embedding_models import Source
    from bertopic_matryoshka.comparison._setting import Setting
    from bertopic_matryoshka.embedding import MatryoshkaBackend


STORE = instance(str, os.PathLike, none=True, words="a path")
JOBS = Constraint(
    "an int",
    "at least 1, or less than 0 for so many fewer than there are processors",
    lambda value: isinstance(value, Integral) and not isinstance(value, bool),
    lambda value: value != 0,
)
PROGRESS = Constraint(
    "True, False or a callable",
    "",
    lambda value: isinstance(value, (bool, np.bool_)) or callable(value),
    lambda _: True,
)


def compare_dimensions(
    documents: Sequence[str],
    topic_models: BERTopic | Mapping[str, BERTopic] | None = None,
    *,
    dims: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    seeds: int | Sequence[int | None] = 3,
    labels: ArrayLike | None = None,
    embeddings: ArrayLike | Mapping[str, ArrayLike] | None = None,
    scorer: TopicScorer | None = None,
    store: str | Path | None = None,
    n_jobs: int = 1,
    progress: bool | Progress = True,
) -> DimensionComparison:
    """Fit and measure topic models at several widths of their embeddings.

    Each embedding model encodes the documents once, at full width; these embeddings are truncated
    to every width. Each fit uses a clone: the topic models that are passed are never changed, and
    their fitted state is not used.

    Parameters
    ----------
    documents : sequence of str
    topic_models : BERTopic, dict of them by name, or None, default=None
        Topic models to compare. Embedding model, reduction, clustering, number of topics,
        vectorizer and representation are those of the topic model. None is
        ``build_topic_model()`` on the bundled model, or on `embeddings` alone if these are given.
        A single one is named after its reduction and clustering, such as "selection + Leiden".
    dims : sequence of int, dict of them by the topic model's name, or None, default=None
        Widths to compare. None, and a name that is not in the dict, uses the widths that the
        embedding model was trained at, if known, else its full width and its halvings down to 32.
    seeds : int or sequence of int, default=3
        Number of seeds, 0, 1, ..., or the seeds themselves; see Notes. Use three or more to see
        how far results depend on the seed.
    labels : array-like of shape (n_documents,) or None, default=None
        Classes for AMI, ARI and V-measure. None, NaN, pandas.NA and empty strings are missing
        labels: their documents are left out, and a RuntimeWarning gives their number.
    embeddings : array-like of shape (n_documents, full_dim), dict of them or None, default=None
        Precomputed embeddings of the documents at full width, or a dict of them by the topic
        model's name. A single array is used for the topic models without an embedding model, and
        for those whose embedding model has the same width.
    scorer : TopicScorer or None, default=None
        Coherence measure, number of top words, of bootstrap samples and of replicates, device, and
        whether halves of the documents are fitted too. None is ``TopicScorer()``.
    store : str, Path or None, default=None
        Folder in which embeddings and finished runs are stored. An interrupted comparison resumes
        where it stopped, and a later one computes only what is new.
    n_jobs : int, default=1
        Number of runs that are fitted in parallel, in processes; -1 for all cores. Parallel runs
        slow each other down, so that their timings are longer.
    progress : bool or callable, default=True
        Whether to show a progress bar with the time left. A callable is called with the number of
        finished steps, the number of all steps, and the name of the next one.

    Returns
    -------
    comparison : DimensionComparison

    Raises
    ------
    TypeError
        If a document is not a string, a topic model is not a BERTopic, or an estimator in it cannot
        be cloned.
    ValueError
        If there are fewer documents than a topic needs, a width is out of range, documents cannot
        be embedded, `embeddings` or `labels` do not match the number of documents, or with a
        `store` a part of a topic model cannot be pickled.

    See Also
    --------
    build_topic_model : A topic model in one call.
    MatryoshkaBackend.permuted : Control with permuted dimensions instead of the first ones.

    Notes
    -----
    **Seeds.** Each seed replaces every parameter called ``random_state`` of `umap_model`,
    `hdbscan_model`, `vectorizer_model`, `ctfidf_model` and `representation_model`, and of the
    estimators nested in them. HDBSCAN has none. A permuted backend uses the seed too, so that each
    seed draws other dimensions. The seed None leaves all of them as they are.

    **Replicates.** Whether a narrower width finds the topics of the widest one is measured on fits
    of their own (see topic_agreement): replicate r is fitted, at every width, to the same 80 % of
    the documents, exact copies together, with seed r. A LeidenClustering without `n_clusters` is
    asked for as many topics as the widest found in all documents with the first seed. Replicates
    find no words unless topics depend on them, and no representations, so that five of them take
    about as long as three seeds. Controls on permuted dimensions have none, nor has a topic model
    at a single width.

    **Number of topics.** Every measure depends on it: compare topic models with equal numbers, by
    `n_clusters` of a LeidenClustering or k-means and `nr_topics` of BERTopic. BERTopic counts the
    outliers among its `nr_topics`, so that 20 gives 19 topics with outliers and 20 without; here
    `nr_topics` is the number of topics without outliers in both cases. If fewer are found, nothing
    is merged.

    **Embedding models.** A SentenceTransformer, or the name of one, is wrapped in a
    MatryoshkaBackend, with the prompt that MatryoshkaBackend finds for it. Others, such as spaCy's,
    need `embeddings`; representation models that embed words then fail. Backends that load the same
    model with the same prompt encode once.

    **Lexical views.** A view is joined after truncation and stays whole at every width (see
    LexicalView): `dims`, `embeddings`, and the neighbours kept are of the embeddings without it.
    Backends that differ in their view only encode once, so that topics with and without one can be
    compared.

    **Words.** Words are counted with each topic model's own vectorizer: compare models with equal
    vectorizers, as coherence depends on them. BERTopic removes punctuation from English documents
    if it has no embedding model; clones never do.

    **Clones.** Estimators are rebuilt from their constructor parameters, as by scikit-learn's
    clone. A custom estimator that does not store these under their names is deep-copied, with its
    fitted state. Other objects, such as the client of a language model or a spaCy pipeline in a
    representation model, are shared by all clones; with `n_jobs` they must be picklable.

    Examples
    --------
    >>> from bertopic import BERTopic
    >>> from bertopic_matryoshka import DimensionSelector, LeidenClustering, MatryoshkaBackend
    >>> backend = MatryoshkaBackend()
    >>> topic_models = {
    ...     "selection": BERTopic(
    ...         embedding_model=backend,
    ...         umap_model=DimensionSelector(),
    ...         hdbscan_model=LeidenClustering(20),
    ...     ),
    ...     "UMAP": BERTopic(embedding_model=backend, nr_topics=20),
    ... }
    >>> comparison = compare_dimensions(docs, topic_models, dims=[256, 64])  # doctest: +SKIP
    >>> comparison.summary  # doctest: +SKIP
    """
    check_arguments(
        locals(),
        store=STORE,
        n_jobs=JOBS,
        progress=PROGRESS,
    )
    documents = list_of_strings(documents)
    labels = check_labels(labels, len(documents))
    scorer = check_scorer(scorer)
    numbers = check_seeds(seeds)
    named = named_topic_models(topic_models, has_embeddings=embeddings is not None)
    sampled = round(SHARE * len(documents)) if scorer.n_replicates else None
    check_enough_documents(named, len(documents), halved=scorer.split_half, sampled=sampled)
    templates = {name: clone_topic_model(topic_model) for name, topic_model in named.items()}
    sources, backends = find_sources(named, embeddings, len(documents))
    conditions = {
        name: _condition(templates[name], sources[name], backends[name]) for name in named
    }
    settings = plan(conditions, sources, dims=dims, seeds=numbers, split_half=scorer.split_half)
    of_samples = plan_replicates(settings, conditions, scorer.n_replicates)
    coherences = _coherences(templates, documents, scorer)  # says what is wrong with a vectorizer
    kept = RunStore(store)
    known = (
        keys_of_topic_models(templates, sources, backends, documents, labels, scorer, numbers)
        if kept
        else {}
    )
    shares_graphs = len(numbers) > 1 or len(named) > 1
    shared = tempfile.TemporaryDirectory() if shares_graphs else nullcontext()
    of_sources = {source.name: source for source in sources.values()}
    n_steps = 2 * len(of_sources) + len(settings) + len(of_samples)
    with Steps(n_steps, progress) as steps, shared as memory:
        embedding_models: dict[str, EmbeddingModel] = {}
        for name, source in of_sources.items():
            widths = {s.dim for s in settings if sources[s.topic_model] is source}
            embedding_models[name] = _embedded(
                source, widths, documents, kept, steps, scorer.device
            )
        fitting = Fitting(
            documents=documents,
            topic_models=templates,
            conditions=conditions,
            backends=backends,
            embeddings={name: of.embeddings for name, of in embedding_models.items()},
            memory=memory,
            views={
                name: backend.lexical_view.transform(documents)
                for name, backend in backends.items()
                if backend is not None and backend.lexical_view is not None
            },
        )
        keys = keys_of_runs(settings, known, conditions, embedding_models)
        n_resamples = scorer.n_resamples
        runs = list(
            _runs(settings, keys, fitting, kept, steps, coherences, labels, n_resamples, n_jobs)
        )
        fitting = replace(fitting, n_topics=_numbers_of_topics(runs))
        keys = keys_of_replicates(of_samples, known, conditions, embedding_models, fitting.n_topics)
        replicates = tuple(_replicates(of_samples, keys, fitting, kept, steps, labels, n_jobs))
    return DimensionComparison(
        runs=tuple(run for run in runs if run.setting.part == PARTS[0]),
        half_runs=tuple(run for run in runs if run.setting.part != PARTS[0]),
        replicates=replicates,
        conditions=conditions,
        embedding_models=embedding_models,
        n_documents=len(documents),
        measure=scorer.measure,
        documents=documents,
        provenance=versions(scorer.device),
        controls=tuple(name for name, of in conditions.items() if of.is_permuted),
    )


def _condition(
    topic_model: BERTopic, source: Source, backend: MatryoshkaBackend | None
) -> Condition:
    reducer, clusterer = reducer_of(topic_model), topic_model.hdbscan_model
    return Condition(
        embedding_model=source.name,
        reduction=short_name_of(reducer),
        clustering=short_name_of(clusterer),
        reducer=described(reducer),
        clusterer=described(clusterer),
        is_permuted=backend is not None and backend.permutation_seed is not None,
    )


def _coherences(
    topic_models: Mapping[str, BERTopic], documents: list[str], scorer: TopicScorer
) -> dict[str, TopicCoherence]:
    """Build a coherence for each topic model; those with equal vectorizers share one."""
    shared: dict[str, TopicCoherence] = {}
    coherences = {}
    for name, topic_model in topic_models.items():
        key = how_words_are_found(topic_model)
        if key not in shared:
            shared[key] = TopicCoherence(
                tokens_of(topic_model, documents),
                measure=scorer.measure,
                top_n=scorer.top_n,
                device=scorer.device,
            )
        coherences[name] = shared[key]
    return coherences


def _embedded(
    source: Source,
    dims: set[int],
    documents: list[str],
    kept: RunStore,
    steps: Steps,
    device: str | None,
) -> EmbeddingModel:
    """Embed the documents, or use precomputed embeddings, and compare their neighbourhoods."""
    steps.begin(f"encoding {len(documents):,} documents, {source.name}")
    seconds = None
    if source.given is not None:
        rows = source.given
    else:
        assert source.backend is not None  # noqa: S101  (there is one or the other)
        backend = source.backend.truncated(source.full_dim)  # loads it before the clock runs
        rows, seconds = kept.embed(backend, documents)
    steps.begin(f"neighbourhoods, {source.name}")
    widths = sorted(dims | {rows.shape[1]})
    rotated = source.backend is not None and source.backend.rotation is not None
    distinct = distinct_rows(rows)
    neighborhoods = compare_distinct(rows, distinct, widths, device=device, rotated=rotated)
    return EmbeddingModel(rows.shape[1], seconds, neighborhoods, rows)


def _runs(
    settings: Sequence[Setting],
    keys: Mapping[Setting, Mapping[str, Any]],
    fitting: Fitting,
    kept: RunStore,
    steps: Steps,
    coherences: Mapping[str, TopicCoherence],
    labels: NDArray[Any] | None,
    n_resamples: int,
    n_jobs: int,
) -> Iterator[Run]:
    """Yield the runs in the order of their settings: read from the store, or fitted and stored."""
    found = {setting: kept.get(keys[setting]) for setting in settings} if kept else {}
    fits = _fits(fitting, [s for s in settings if found.get(s) is None], n_jobs)
    for setting in settings:
        steps.begin(str(setting))
        contents = found.get(setting)
        if contents is not None:
            # The topic model may have had another name when the run was stored.
            yield replace(Run.of_record(contents.record, contents.arrays), setting=setting)
            continue
        rows = part_rows(len(fitting.documents), setting.part)
        run = measure_run(
            setting,
            next(fits),
            coherence=coherences[setting.topic_model],
            labels=None if labels is None else labels[rows],
            n_resamples=n_resamples,
        )
        if kept:
            kept.put(keys[setting], run.record(), {name: getattr(run, name) for name in ARRAYS})
        yield run


def _replicates(
    settings: Sequence[Setting],
    keys: Mapping[Setting, Mapping[str, Any]],
    fitting: Fitting,
    kept: RunStore,
    steps: Steps,
    labels: NDArray[Any] | None,
    n_jobs: int,
) -> Iterator[Replicate]:
    """Yield the replicates in the order of their settings, as _runs does the runs."""
    found = {setting: kept.get(keys[setting]) for setting in settings} if kept else {}
    fits = _fits(fitting.replicate, [s for s in settings if found.get(s) is None], n_jobs)
    numbers = {setting.seed for setting in settings if setting.seed is not None}
    rows = {number: replicate_rows(fitting.documents, number) for number in numbers}
    for setting in settings:
        steps.begin(str(setting))
        contents = found.get(setting)
        topics = next(fits) if contents is None else contents.arrays["document_topics"]
        if contents is None and kept:
            kept.put(keys[setting], {}, {"document_topics": topics})
        yield measure_replicate(setting, rows[setting.seed or 0], topics, labels)


def _fits(fit: Callable[[Setting], Any], settings: list[Setting], n_jobs: int) -> Iterator[Any]:
    """Fit in the order of the settings, in parallel where there are several."""
    if n_jobs == 1 or len(settings) < 2:
        return map(fit, settings)
    fits: Iterator[Any] = Parallel(n_jobs, return_as="generator")(delayed(fit)(s) for s in settings)
    return fits


def _numbers_of_topics(runs: Sequence[Run]) -> dict[str, int]:
    """Count the topics of each topic model at its widest, with its first seed."""
    return {run.topic_model: run.n_topics for run in reversed(runs)}
