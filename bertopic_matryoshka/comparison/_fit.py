"""A setting -> a BERTopic, fitted and timed: what one worker of a comparison does."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from bertopic.vectorizers import ClassTfidfTransformer
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka.clustering import LeidenClustering
from bertopic_matryoshka.comparison._graph_cache import GraphCache
from bertopic_matryoshka.comparison._replicates import replicate_rows
from bertopic_matryoshka.comparison._setting import part_rows
from bertopic_matryoshka.comparison._stopwatch import Stopwatch
from bertopic_matryoshka.comparison._topic_models import (
    clone_topic_model,
    estimators_of,
    needs_words,
    number_of_topics,
    reducer_of,
    set_number_of_clusters,
    set_seed,
    set_width,
)
from bertopic_matryoshka.embedding import join_rows, permutation_of, truncate
from bertopic_matryoshka.evaluation import topics_of
from bertopic_matryoshka.exceptions import TruncationWarning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bertopic import BERTopic
    from numpy.typing import NDArray

    from bertopic_matryoshka.comparison._setting import Condition, Setting
    from bertopic_matryoshka.embedding import MatryoshkaBackend

UMAP_WARM_UP_ROWS = 5000
"""Rows enough for UMAP to compile what it uses on larger inputs too (it switches at 4,096)."""

ANY_TEXT = "any text"
"""Text of each document where only its embedding matters; BERTopic needs two words."""

_warm: set[str] = set()
"""Not empty once UMAP is compiled in this process."""


class Fitted(NamedTuple):
    """Results of a fit.

    Attributes
    ----------
    topics : list of (int, tuple of str, int)
        Id, words and size of each topic, largest first, without outliers.
    document_topics : ndarray of shape (n_documents,), int
    seconds : dict of str to float
        Wall clock of "reduce", "graph", "cluster" and "represent".
    umap_compile_seconds : float or None
    """

    topics: list[tuple[int, tuple[str, ...], int]]
    document_topics: NDArray[np.int_]
    seconds: dict[str, float]
    umap_compile_seconds: float | None = None


@dataclass
class Fitting:
    """Builds and fits the topic models of a comparison.

    Attributes
    ----------
    documents : list of str
    topic_models : dict of str to BERTopic
        By name; never fitted themselves.
    conditions : dict of str to Condition
    backends : dict of str to MatryoshkaBackend or None
        Backend of each topic model; None if there are only embeddings.
    embeddings : dict of str to ndarray of shape (n_documents, full_dim)
        Full embeddings by embedding model.
    memory : str or None
        Folder for neighbour graphs that several fits share.
    views : dict of str to ndarray of shape (n_documents, n_components)
        Rows of the lexical views, of the topic models that have one.
    n_topics : dict of str to int
        Number of topics at the widest, which replicates at all widths are to find.
    """

    documents: list[str]
    topic_models: Mapping[str, BERTopic]
    conditions: Mapping[str, Condition]
    backends: Mapping[str, MatryoshkaBackend | None]
    embeddings: Mapping[str, NDArray[np.floating]]
    memory: str | None
    views: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    n_topics: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, setting: Setting) -> Fitted:
        """Fit the topic model of a setting."""
        topic_model = self.topic_model(setting)
        compile_seconds = None
        if type(reducer_of(topic_model)).__name__ == "UMAP" and not _warm:
            compile_seconds = self._compile_umap(setting)
        rows = part_rows(len(self.documents), setting.part)
        fitted = fit_topic_model(
            topic_model,
            [self.documents[row] for row in rows],
            self._cut(setting, rows),
            n_topics=number_of_topics(self.topic_models[setting.topic_model]),
        )
        return fitted._replace(umap_compile_seconds=compile_seconds)

    def replicate(self, setting: Setting) -> NDArray[np.int_]:
        """Fit a replicate, and return the topics of its documents.

        Words are found only where topics depend on them: otherwise all documents have one text.
        """
        assert setting.seed is not None  # noqa: S101  (it is the replicate's number)
        rows = replicate_rows(self.documents, setting.seed)
        topic_model = self.topic_model(setting)
        documents = [self.documents[row] for row in rows]
        n_distinct = len(set(documents))
        topic_model.representation_model = None
        if not needs_words(topic_model):
            topic_model.vectorizer_model = CountVectorizer()
            topic_model.ctfidf_model = ClassTfidfTransformer()
            documents = [ANY_TEXT] * rows.size
        for estimator in estimators_of(topic_model):
            if isinstance(estimator, LeidenClustering):
                estimator.memory = None  # no other fit has this graph
        set_number_of_clusters(topic_model, self.n_topics.get(setting.topic_model), n_distinct)
        with warnings.catch_warnings():  # the fits to all documents have warned
            warnings.simplefilter("ignore", RuntimeWarning)
            return fit_topic_model(
                topic_model,
                documents,
                self._cut(setting, rows),
                n_topics=number_of_topics(self.topic_models[setting.topic_model]),
            ).document_topics

    def topic_model(self, setting: Setting) -> BERTopic:
        """Clone the topic model of a setting, with its seed and for its width."""
        template = self.topic_models[setting.topic_model]
        embedder = self._embedder(setting)
        topic_model = clone_topic_model(template, embedder)
        set_seed(topic_model, setting.seed)
        set_width(topic_model, setting.dim if embedder is None else embedder.embedding_dim)
        n_topics = number_of_topics(template)
        if n_topics is not None:
            topic_model.nr_topics = n_topics + 1  # BERTopic counts the outlier topic
        for estimator in estimators_of(topic_model):
            if isinstance(estimator, LeidenClustering) and estimator.memory is None:
                estimator.memory = GraphCache(self.memory)
        return topic_model

    def _embedder(self, setting: Setting) -> MatryoshkaBackend | None:
        backend = self.backends[setting.topic_model]
        if backend is None:
            return None
        if backend.permutation_seed is not None:
            backend = backend.permuted(setting.seed)
        with warnings.catch_warnings():  # the quality of a width is what is compared
            warnings.simplefilter("ignore", TruncationWarning)
            return backend.truncated(setting.dim)

    def _cut(self, setting: Setting, rows: NDArray[np.int_]) -> NDArray[np.floating]:
        """Truncate the embeddings of some documents into an array of its own; join their view."""
        condition = self.conditions[setting.topic_model]
        full = self.embeddings[condition.embedding_model]
        if condition.is_permuted:
            assert setting.seed is not None  # noqa: S101  (plan refuses it)
            full = full[:, permutation_of(full.shape[1], setting.seed)[: setting.dim]]
        part = full[:, : setting.dim]  # not a copy
        cut = truncate(part if rows.size == full.shape[0] else part[rows], setting.dim)
        backend = self.backends[setting.topic_model]
        if backend is None or backend.lexical_view is None:
            return cut
        words = self.views[setting.topic_model]
        return join_rows(cut, words[rows], backend.lexical_view.weight)

    def _compile_umap(self, setting: Setting) -> float:
        """Compile UMAP, which takes longer than its work on a few thousand rows; return seconds."""
        first = np.arange(min(UMAP_WARM_UP_ROWS, len(self.documents)))
        rows = self._cut(setting, first)
        start = time.perf_counter()
        reducer_of(self.topic_model(setting)).fit_transform(rows)
        _warm.add("umap")
        return time.perf_counter() - start


def fit_topic_model(
    topic_model: BERTopic,
    documents: list[str],
    embeddings: NDArray[np.floating],
    n_topics: int | None = None,
) -> Fitted:
    """Fit a topic model to documents and their embeddings, and time its stages.

    Parameters
    ----------
    topic_model : BERTopic
        Not fitted yet.
    documents : list of str
    embeddings : ndarray of shape (n_documents, dim)
        BERTopic's guided modelling writes into them.
    n_topics : int or None, default=None
        Largest number of topics; further ones are merged.

    Returns
    -------
    fitted : Fitted
    """
    watch = Stopwatch()
    with (
        watch.running("fit"),
        watch.watching(topic_model.umap_model, "reduce"),
        watch.watching(topic_model.hdbscan_model, "cluster"),
    ):
        topic_model.fit_transform(documents, embeddings)
        n_found = sum(topic != -1 for topic in topic_model.topic_sizes_)
        if n_topics is not None and n_found > n_topics:
            topic_model.reduce_topics(documents, nr_topics=n_topics)
    seconds = {stage: watch.seconds[stage] for stage in ("reduce", "cluster")}
    seconds["represent"] = watch.seconds["fit"] - sum(seconds.values())
    graphs = getattr(topic_model.hdbscan_model, "memory", None)
    seconds["graph"] = 0.0
    if isinstance(graphs, GraphCache):
        seconds["graph"] = graphs.graph_seconds
        seconds["cluster"] -= graphs.spent_seconds
    return Fitted(topics_of(topic_model), np.asarray(topic_model.topics_), seconds)
