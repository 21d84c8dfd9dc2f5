"""One topic model -> one cell of a comparison: fitted, timed and measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bertopic_matryoshka.comparison._grid import Line, Spec
from bertopic_matryoshka.comparison._stopwatch import Stopwatch
from bertopic_matryoshka.evaluation import (
    agreement,
    bootstrap_coherence,
    inverted_rbo,
    topic_balance,
    topic_diversity,
    topics_of,
)

if TYPE_CHECKING:
    from bertopic import BERTopic
    from numpy.typing import NDArray

    from bertopic_matryoshka.evaluation import TopicCoherence

ARRAYS = ("document_topics", "coherence_samples")
"""Fields of a cell that are arrays."""


@dataclass(frozen=True)
class Topic:
    """One topic of a cell: its words, most important first, its documents and its coherence.

    `id` is what the documents of the topic have in Cell.document_topics.
    """

    id: int
    words: tuple[str, ...]
    size: int
    coherence: float


@dataclass(frozen=True)
class Cell:
    """What was measured of one topic model.

    Attributes
    ----------
    spec : Spec
        What was fitted: line, width, seed and part of the documents.
    n_topics : int
        Without the outlier topic.
    outlier_share : float in [0, 1], lower is better
    coherence : float, higher is better
        Mean over topics of the comparison's measure; NaN without topics.
    topic_error : float
        Standard error of that mean over the topics; NaN for fewer than two.
    document_error : float
        Standard deviation of that mean over bootstrap samples of the documents, those in which a
        topic can be scored.
    diversity, inverted_rbo, balance : float in [0, 1], higher is better
        See topic_diversity, inverted_rbo and topic_balance.
    reduce_seconds, cluster_seconds, represent_seconds, evaluate_seconds : float
        Wall clock of the reduction, the clustering, the rest of BERTopic's fit (c-TF-IDF and
        representations) and the measuring.
    umap_compile_seconds : float or None
        What UMAP's first fit in the process cost before this one, for compiling most of all; None
        where it was not the first, or another reduction's.
    ami, ari, v_measure : float or None
        Agreement with the labels over all documents, outliers being a class of their own. AMI and
        ARI in [-1, 1], 0 by chance; V-measure in [0, 1]; higher is better.
    topics : tuple of Topic
        Largest first.
    document_topics : ndarray of shape (n_documents of the part,), int
    coherence_samples : ndarray of shape (n_samples,), float64
        Coherence on bootstrap samples of the documents, the same samples for all cells.
    """

    spec: Spec
    n_topics: int
    outlier_share: float
    coherence: float
    topic_error: float
    document_error: float
    diversity: float
    inverted_rbo: float
    balance: float
    reduce_seconds: float
    cluster_seconds: float
    represent_seconds: float
    evaluate_seconds: float
    umap_compile_seconds: float | None
    ami: float | None
    ari: float | None
    v_measure: float | None
    topics: tuple[Topic, ...] = field(repr=False)
    document_topics: NDArray[np.int_] = field(repr=False, compare=False)
    coherence_samples: NDArray[np.float64] = field(repr=False, compare=False)

    @property
    def dim(self) -> int:
        """Width of the embeddings, before the reduction."""
        return self.spec.dim

    @property
    def line(self) -> Line:
        """What the cell has in common with those of other widths."""
        return self.spec.line

    @property
    def words(self) -> list[list[str]]:
        """Words of each topic."""
        return [list(topic.words) for topic in self.topics]

    @property
    def seconds(self) -> float:
        """Wall clock of the whole fit; measuring is no part of it."""
        return self.reduce_seconds + self.cluster_seconds + self.represent_seconds

    def sample(self, n_topics: int = 3, n_words: int = 4) -> str:
        """Give the first words of the largest topics in one line."""
        return " | ".join(", ".join(topic.words[:n_words]) for topic in self.topics[:n_topics])

    def record(self) -> dict[str, Any]:
        """All but the arrays, as JSON types."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ARRAYS}
        plain["topics"] = [asdict(topic) for topic in self.topics]
        return {**plain, "spec": asdict(self.spec)}

    @classmethod
    def of_record(cls, record: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Cell:
        """Build a cell again from :meth:`record` and its arrays."""
        spec, topics = record["spec"], record["topics"]
        return cls(
            **{
                **record,
                "spec": Spec(**{**spec, "line": Line(**spec["line"])}),
                "topics": tuple(Topic(**{**t, "words": tuple(t["words"])}) for t in topics),
                **arrays,
            }
        )


class Fitted(NamedTuple):
    """What a fit leaves to measure.

    Attributes
    ----------
    topics : list of (int, tuple of str, int)
        Id, words and size of each topic, largest first, without outliers.
    document_topics : ndarray of shape (n_documents,), int
    seconds : dict of str to float
        Of "reduce", "cluster" and "represent".
    umap_compile_seconds : float or None
    """

    topics: list[tuple[int, tuple[str, ...], int]]
    document_topics: NDArray[np.int_]
    seconds: dict[str, float]
    umap_compile_seconds: float | None = None


def fit_cell(
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
    n_topics : int or None, default=None
        The most topics that may be left; further ones are merged.

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
        # BERTopic's guided modelling writes into the embeddings that it is given.
        topic_model.fit_transform(documents, embeddings.copy())
        n_found = sum(topic != -1 for topic in topic_model.topic_sizes_)
        if n_topics is not None and n_found > n_topics:
            topic_model.reduce_topics(documents, nr_topics=n_topics)
    seconds = {stage: watch.seconds[stage] for stage in ("reduce", "cluster")}
    seconds["represent"] = watch.seconds["fit"] - sum(seconds.values())
    return Fitted(topics_of(topic_model), np.asarray(topic_model.topics_), seconds)


def measure_cell(
    spec: Spec,
    fitted: Fitted,
    *,
    coherence: TopicCoherence,
    labels: NDArray[Any] | None,
    n_samples: int,
) -> Cell:
    """Measure what came out of a fit.

    Parameters
    ----------
    spec : Spec
    fitted : Fitted
    coherence : TopicCoherence
        Over all documents, those of other parts too.
    labels : ndarray of shape (n_documents of the part,) or None
    n_samples : int
        Bootstrap samples of the documents, >= 2.

    Returns
    -------
    cell : Cell
    """
    watch = Stopwatch()
    with watch.running("evaluate"):
        words = [list(of) for _, of, _ in fitted.topics]
        scores = coherence.score_per_topic(words)
        scored = scores[~np.isnan(scores)]
        samples = bootstrap_coherence(coherence, words, n_samples=n_samples)
        agreed = agreement(labels, fitted.document_topics)
        diversity = topic_diversity(words, coherence.top_n)
        rbo = inverted_rbo(words, coherence.top_n)
    return Cell(
        spec=spec,
        n_topics=len(fitted.topics),
        outlier_share=float(np.mean(fitted.document_topics == -1)),
        coherence=float(scored.mean()) if scored.size else float("nan"),
        topic_error=_standard_error(scored),
        document_error=_deviation(samples[~np.isnan(samples)]),
        diversity=diversity,
        inverted_rbo=rbo,
        balance=topic_balance([size for _, _, size in fitted.topics]),
        reduce_seconds=fitted.seconds["reduce"],
        cluster_seconds=fitted.seconds["cluster"],
        represent_seconds=fitted.seconds["represent"],
        evaluate_seconds=watch.seconds["evaluate"],
        umap_compile_seconds=fitted.umap_compile_seconds,
        ami=agreed.get("ami"),
        ari=agreed.get("ari"),
        v_measure=agreed.get("v_measure"),
        topics=tuple(
            Topic(topic, of, size, float(score))
            for (topic, of, size), score in zip(fitted.topics, scores, strict=True)
        ),
        document_topics=fitted.document_topics,
        coherence_samples=samples,
    )


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(_deviation(values) / np.sqrt(max(values.size, 1)))


def _deviation(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else float("nan")
