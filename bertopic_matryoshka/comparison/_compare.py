"""Documents and topic models -> one fit for each width and seed, measured."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from joblib import Parallel, delayed

from bertopic_matryoshka._validation import check_labels, list_of_strings
from bertopic_matryoshka.comparison._comparison import DimensionComparison, EmbeddingModel
from bertopic_matryoshka.comparison._embedding_models import find_sources
from bertopic_matryoshka.comparison._fit import Fitting
from bertopic_matryoshka.comparison._progress import Progress, Steps
from bertopic_matryoshka.comparison._provenance import versions
from bertopic_matryoshka.comparison._result import ARRAYS, Run, measure_run
from bertopic_matryoshka.comparison._scorer import TopicScorer
from bertopic_matryoshka.comparison._setting import (
    PARTS,
    Condition,
    check_seeds,
    part_rows,
    plan,
)
from bertopic_matryoshka.comparison._store import (
    RunStore,
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
from bertopic_matryoshka.neighbors import compare_prefixes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bertopic import BERTopic
    from numpy.typing import ArrayLike, NDArray

    from bertopic_matryoshka.comparison._embedding_models import Source
    from bertopic_matryoshka.comparison._setting import Setting
    from bertopic_matryoshka.embedding import MatryoshkaBackend

N_NEIGHBORS = 10
"""Neighbours of a document of which each width keeps a share."""


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

    Each embedding model encodes the documents once, at full width, and every width is cut from
    that. Words are counted once. Each fit is one of a clone: the topic models that are handed in
    are never changed, and nothing that they have learnt is used.

    Parameters
    ----------
    documents : sequence of str
    topic_models : BERTopic, dict of them by name, or None, default=None
        What to compare, as scikit-learn's searches take an estimator: embedding model, reduction,
        clustering, number of topics, words and representation are those of the topic model. None
        is ``build_topic_model()`` on the bundled model, or on `embeddings` alone where these are
        given. A single one is named by what it is made of, such as "selection + Leiden".
    dims : sequence of int, dict of them by the topic model's name, or None, default=None
        Widths to compare. None, and a name that the dict leaves out, takes those that the embedding
        model was trained at, where known, else its full width and its halvings down to 32.
    seeds : int or sequence of int, default=3
        How many seeds, 0, 1, ..., or the seeds themselves; see Notes. Three or more show how far
        results depend on them.
    labels : array-like of shape (n_documents,) or None, default=None
        Classes to measure AMI, ARI and V-measure against. None, NaN, pandas.NA and empty strings
        are no label: their documents are left out, and a RuntimeWarning says how many.
    embeddings : array-like of shape (n_documents, full_dim), dict of them or None, default=None
        The documents at full width where they are encoded already; a dict names those of each topic
        model. One array is that of the topic models without an embedding model, and of those whose
        embedding model is as wide.
    scorer : TopicScorer or None, default=None
        Measure of coherence, words, bootstrap samples, device, and whether halves of the documents
        are fitted too. None is ``TopicScorer()``.
    store : str, Path or None, default=None
        Folder that keeps embeddings and finished runs. A comparison that was killed goes on where
        it was, and a later one computes only what is new.
    n_jobs : int, default=1
        Runs that are fitted at the same time, in processes; -1 for all cores. Seconds are then
        those of a busy machine.
    progress : bool or callable, default=True
        Whether to show a progress bar with the time left. A callable is given the number of
        finished steps, of all steps, and what comes next.

    Returns
    -------
    comparison : DimensionComparison

    Raises
    ------
    TypeError
        If a document is not a string, a topic model is no BERTopic, or an estimator in it cannot
        be cloned.
    ValueError
        If there are fewer documents than a topic needs, a width is out of range, documents cannot
        be embedded, `embeddings` or `labels` are not as many as the documents, or a part of a topic
        model cannot be told from others for the `store`.

    See Also
    --------
    build_topic_model : A topic model in one call.
    MatryoshkaBackend.permuted : A control: permuted dimensions in place of the first ones.

    Notes
    -----
    **Seeds.** A seed is set as every parameter called ``random_state``, whatever it was: of
    `umap_model`, `hdbscan_model`, `vectorizer_model`, `ctfidf_model` and `representation_model`,
    and of estimators within these, as scikit-learn does with nested estimators. HDBSCAN has none.
    A permuted backend takes it too, so that each seed draws other dimensions. The seed None leaves
    all of them as they are.

    **Number of topics.** It moves every measure: compare topic models with equal numbers, by
    `n_clusters` of a LeidenClustering or k-means and `nr_topics` of BERTopic. BERTopic counts the
    outliers among its `nr_topics`, so that 20 give 19 topics where there are outliers and 20 where
    not; here `nr_topics` is the number of topics without outliers in both cases. A model that finds
    fewer keeps them.

    **Embedding models.** What is no MatryoshkaBackend is made one where it can be: a
    SentenceTransformer or the name of one, with the prompt that MatryoshkaBackend finds for it.
    Others, such as spaCy's, need `embeddings`; nothing can be embedded later then, so that
    representation models that embed words fail. Backends that load the same model with the same
    prompt encode once.

    **Words.** Each topic model's words are counted as its own vectorizer finds them: compare models
    with equal vectorizers, as coherence depends on them. BERTopic drops punctuation from English
    documents where it has no embedding model; no clone does.

    **Clones.** Estimators are built anew from the parameters of their constructors. An estimator of
    your own that does not keep these under their names, as scikit-learn asks, is deep-copied,
    with all that it has learnt. What is no estimator, such as the client of a language model or a
    spaCy pipeline in a representation model, is shared by all clones; with `n_jobs` it must be
    possible to pickle it.

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
    documents = list_of_strings(documents)
    labels = check_labels(labels, len(documents))
    scorer = TopicScorer() if scorer is None else scorer
    if not isinstance(scorer, TopicScorer):
        raise TypeError(f"scorer={scorer!r} must be a TopicScorer, such as TopicScorer().")
    numbers = check_seeds(seeds)
    named = named_topic_models(topic_models, has_embeddings=embeddings is not None)
    check_enough_documents(named, len(documents), halved=scorer.split_half)
    templates = {name: clone_topic_model(topic_model) for name, topic_model in named.items()}
    sources, backends = find_sources(named, embeddings, len(documents))
    conditions = {
        name: _condition(templates[name], sources[name], backends[name]) for name in named
    }
    settings = plan(conditions, sources, dims=dims, seeds=numbers, split_half=scorer.split_half)
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
    with Steps(2 * len(of_sources) + len(settings), progress) as steps, shared as memory:
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
        )
        keys = keys_of_runs(settings, known, conditions, embedding_models)
        n_resamples = scorer.n_resamples
        runs = list(
            _runs(settings, keys, fitting, kept, steps, coherences, labels, n_resamples, n_jobs)
        )
    return DimensionComparison(
        runs=tuple(run for run in runs if run.setting.part == PARTS[0]),
        half_runs=tuple(run for run in runs if run.setting.part != PARTS[0]),
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
    """Count words as each topic model finds them, once where several find the same ones."""
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
    """Embed the documents, or take the embeddings that are given, and measure neighbourhoods."""
    steps.begin(f"encoding {len(documents):,} documents, {source.name}")
    seconds = None
    if source.given is not None:
        rows = source.given
    else:
        assert source.backend is not None  # noqa: S101  (there is one or the other)
        backend = source.backend.truncated(source.full_dim)  # loads it before the clock runs
        rows, seconds = kept.embed(backend, documents)
    steps.begin(f"neighbourhoods, {source.name}")
    neighborhoods = compare_prefixes(
        rows,
        sorted(dims | {rows.shape[1]}),
        n_neighbors=min(N_NEIGHBORS, (len(documents) - 1) // 2),
        device=device,
    )
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
    """Give the runs in the order of their settings: read from the store, or fitted and kept."""
    found = {setting: kept.get(keys[setting]) for setting in settings} if kept else {}
    missing = [setting for setting in settings if found.get(setting) is None]
    if n_jobs == 1 or len(missing) < 2:
        fits: Iterator[Any] = map(fitting, missing)
    else:
        fits = Parallel(n_jobs, return_as="generator")(delayed(fitting)(s) for s in missing)
    for setting in settings:
        steps.begin(str(setting))
        contents = found.get(setting)
        if contents is not None:
            # Whatever the topic model is called this time.
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
