"""One topic model -> one cell of a comparison: fitted, timed and measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from bertopic_matryoshka.diversity import topic_diversity
from bertopic_matryoshka.stopwatch import Stopwatch

if TYPE_CHECKING:
    from bertopic import BERTopic
    from numpy.typing import NDArray

    from bertopic_matryoshka.coherence import TopicCoherence


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
    """What was measured at one width with one reduction.

    Attributes
    ----------
    dim : int
        Width of the embeddings, before the reduction.
    reduction : str
    clustering : str
        Class of what found the topics, such as "LeidenClustering" or "HDBSCAN".
    seed : int or None
    n_topics : int
        Without the outlier topic.
    outlier_share : float in [0, 1], lower is better
    coherence : float in [-1, 1], higher is better
        NPMI over documents, mean over topics; NaN without topics.
    coherence_error : float
        Standard error of that mean over the topics; NaN for fewer than two.
    diversity : float in (0, 1], higher is better
    reduce_seconds, cluster_seconds, represent_seconds, evaluate_seconds : float
        Wall clock of the reduction, the clustering, the rest of BERTopic's fit (c-TF-IDF and
        representations) and the measuring.
    ami, ari : float or None
        Adjusted mutual information and adjusted Rand index against the labels, over all
        documents, outliers being a class of their own. In [-1, 1], higher is better, 0 by chance.
    topics : tuple of Topic
        Largest first.
    document_topics : ndarray of shape (n_documents,), int
    """

    dim: int
    reduction: str
    clustering: str
    seed: int | None
    n_topics: int
    outlier_share: float
    coherence: float
    coherence_error: float
    diversity: float
    reduce_seconds: float
    cluster_seconds: float
    represent_seconds: float
    evaluate_seconds: float
    ami: float | None
    ari: float | None
    topics: tuple[Topic, ...] = field(repr=False)
    document_topics: NDArray[np.int_] = field(repr=False, compare=False)

    def sample(self, n_topics: int = 3, n_words: int = 4) -> str:
        """Give the first words of the largest topics in one line."""
        return " | ".join(", ".join(topic.words[:n_words]) for topic in self.topics[:n_topics])


def measure_cell(
    topic_model: BERTopic,
    documents: list[str],
    embeddings: NDArray[np.floating],
    *,
    labels: NDArray[Any] | None,
    coherence: TopicCoherence,
    reduction: str,
    seed: int | None,
) -> Cell:
    """Fit a topic model to documents and their embeddings, and measure what came out.

    Parameters
    ----------
    topic_model : BERTopic
        Not fitted yet.
    documents : list of str
    embeddings : ndarray of shape (n_documents, dim)
    labels : ndarray of shape (n_documents,) or None
    coherence : TopicCoherence
        Counted on the same documents.
    reduction : str
    seed : int or None
        Both for the record alone.

    Returns
    -------
    cell : Cell
    """
    watch = Stopwatch()
    with (
        watch.running("fit"),
        watch.watching(topic_model.umap_model, "reduce"),
        watch.watching(topic_model.hdbscan_model, "cluster"),
    ):
        # BERTopic's guided modelling writes into the embeddings that it is given.
        document_topics, _ = topic_model.fit_transform(documents, embeddings.copy())
    with watch.running("evaluate"):
        sizes = topic_model.topic_sizes_
        order = sorted((t for t in sizes if t != -1), key=lambda t: (-sizes[t], t))
        words = [[word for word, _ in topic_model.get_topic(t) if word] for t in order]
        scores = coherence.score_per_topic(words)
        scored = scores[~np.isnan(scores)]
        found = np.asarray(document_topics)
        ami = None if labels is None else float(adjusted_mutual_info_score(labels, found))
        ari = None if labels is None else float(adjusted_rand_score(labels, found))
    return Cell(
        dim=embeddings.shape[1],
        reduction=reduction,
        clustering=type(topic_model.hdbscan_model).__name__,
        seed=seed,
        n_topics=len(order),
        outlier_share=float(np.mean(found == -1)),
        coherence=float(scored.mean()) if scored.size else float("nan"),
        coherence_error=_standard_error(scored),
        diversity=topic_diversity(words, coherence.top_n),
        reduce_seconds=watch.seconds["reduce"],
        cluster_seconds=watch.seconds["cluster"],
        represent_seconds=watch.seconds["fit"] - watch.seconds["reduce"] - watch.seconds["cluster"],
        evaluate_seconds=watch.seconds["evaluate"],
        ami=ami,
        ari=ari,
        topics=tuple(
            Topic(int(t), tuple(w), int(sizes[t]), float(s))
            for w, t, s in zip(words, order, scores, strict=True)
        ),
        document_topics=found,
    )


def _standard_error(values: NDArray[np.float64]) -> float:
    if values.size < 2:
        return float("nan")
    return float(values.std(ddof=1) / np.sqrt(values.size))
