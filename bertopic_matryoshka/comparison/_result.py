"""One fitted topic model -> one run of a comparison, with its measures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka.comparison._provenance import device_name, machine_name
from bertopic_matryoshka.comparison._setting import Setting
from bertopic_matryoshka.comparison._stopwatch import Stopwatch
from bertopic_matryoshka.evaluation import (
    agreement,
    bootstrap_coherence,
    inverted_rbo,
    topic_balance,
    topic_diversity,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bertopic_matryoshka.comparison._fit import Fitted
    from bertopic_matryoshka.evaluation import TopicCoherence

ARRAYS = ("document_topics", "coherence_resamples")
"""Fields of a run that are arrays."""


@dataclass(frozen=True)
class Topic:
    """One topic of a run: its words, most important first, its documents and its coherence.

    `id` is the topic's number in Run.document_topics.
    """

    id: int
    words: tuple[str, ...]
    size: int
    coherence: float


@dataclass(frozen=True)
class Run:
    """Measures of one fitted topic model.

    Attributes
    ----------
    setting : Setting
        Topic model, width, seed and part of the documents.
    n_topics : int
        Number of topics, without the outlier topic.
    outlier_share : float in [0, 1], lower is better
    coherence : float, higher is better
        Mean of the comparison's coherence measure over the topics that can be scored; NaN without
        any.
    se_topics : float
        Standard error of the coherence over topics; NaN for fewer than two.
    se_documents : float
        Standard error of the coherence over documents: its standard deviation over the bootstrap
        samples in which a topic can be scored.
    diversity, inverted_rbo : float in [0, 1], higher is better
        See topic_diversity and inverted_rbo.
    balance : float in [0, 1]
        See topic_balance; higher is not better as such.
    reduce_seconds, cluster_seconds, represent_seconds, evaluate_seconds : float
        Wall clock of the reduction, the clustering without its neighbour graph, the rest of
        BERTopic's fit (c-TF-IDF and representations) and the evaluation.
    umap_compile_seconds : float or None
        Wall clock of UMAP's first fit in the process, mostly compilation, before this one was
        timed; None if UMAP was compiled before or is not used.
    ami, ari, v_measure : float or None
        Agreement with the labels over the labelled documents, with the outliers as one cluster;
        None without labels. AMI and ARI in [-1, 1], 0 by chance; V-measure in [0, 1]; higher is
        better.
    topics : tuple of Topic
        Largest first.
    document_topics : ndarray of shape (n_documents of the part,), int
        Topic of each document; -1 for outliers.
    coherence_resamples : ndarray of shape (n_resamples,), float64
        Coherence on bootstrap samples of the documents, the same samples for all runs.
    graph_seconds : float
        Wall clock of building LeidenClustering's graph of neighbours. Fits of the same rows share
        it, and each has the seconds that building it took. 0 for other clusterers, and where the
        clusterer has a `memory` of its own.
    machine : str
        Processor, number of cores and device that the run was computed with.
    """

    setting: Setting
    n_topics: int
    outlier_share: float
    coherence: float
    se_topics: float
    se_documents: float
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
    coherence_resamples: NDArray[np.float64] = field(repr=False, compare=False)
    graph_seconds: float = 0.0
    machine: str = ""

    @property
    def dim(self) -> int:
        """Width of the embeddings, before the reduction."""
        return self.setting.dim

    @property
    def topic_model(self) -> str:
        """Name of the topic model; runs at its other widths have the same."""
        return self.setting.topic_model

    @property
    def seed(self) -> int | None:
        """Seed of the fit."""
        return self.setting.seed

    @property
    def words(self) -> list[list[str]]:
        """Words of each topic."""
        return [list(topic.words) for topic in self.topics]

    @property
    def seconds(self) -> float:
        """Wall clock of the whole fit, without the evaluation."""
        stages = self.reduce_seconds, self.graph_seconds, self.cluster_seconds
        return sum(stages) + self.represent_seconds

    def sample(self, n_topics: int = 3, n_words: int = 4) -> str:
        """Format the first words of the largest topics in one line."""
        return " | ".join(", ".join(topic.words[:n_words]) for topic in self.topics[:n_topics])

    def record(self) -> dict[str, Any]:
        """All but the arrays, as JSON types."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ARRAYS}
        plain["topics"] = [asdict(topic) for topic in self.topics]
        return {**plain, "setting": asdict(self.setting)}

    @classmethod
    def of_record(cls, record: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Run:
        """Rebuild a run from :meth:`record` and its arrays."""
        topics = record["topics"]
        return cls(
            **{
                **record,
                "setting": Setting(**record["setting"]),
                "topics": tuple(Topic(**{**t, "words": tuple(t["words"])}) for t in topics),
                **arrays,
            }
        )


def measure_run(
    setting: Setting,
    fitted: Fitted,
    *,
    coherence: TopicCoherence,
    labels: NDArray[Any] | None,
    n_resamples: int,
) -> Run:
    """Measure a fitted topic model.

    Parameters
    ----------
    setting : Setting
    fitted : Fitted
    coherence : TopicCoherence
        Coherence over all documents, including those of other parts.
    labels : ndarray of shape (n_documents of the part,) or None
    n_resamples : int
        Number of bootstrap samples of the documents, >= 2.

    Returns
    -------
    run : Run
    """
    watch = Stopwatch()
    with watch.running("evaluate"):
        words = [list(of) for _, of, _ in fitted.topics]
        scores = coherence.score_per_topic(words)
        scored = scores[~np.isnan(scores)]
        samples = bootstrap_coherence(coherence, words, n_resamples=n_resamples)
        agreed = agreement(labels, fitted.document_topics)
        diversity = topic_diversity(words, coherence.top_n)
        rbo = inverted_rbo(words, coherence.top_n)
    return Run(
        setting=setting,
        n_topics=len(fitted.topics),
        outlier_share=float(np.mean(fitted.document_topics == -1)),
        coherence=float(scored.mean()) if scored.size else float("nan"),
        se_topics=_standard_error(scored),
        se_documents=_deviation(samples[~np.isnan(samples)]),
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
        coherence_resamples=samples,
        graph_seconds=fitted.seconds["graph"],
        machine=f"{machine_name()}, {device_name(None)}",
    )


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(_deviation(values) / np.sqrt(max(values.size, 1)))


def _deviation(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else float("nan")
