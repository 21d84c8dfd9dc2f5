"""Documents and a topic model -> its topics at several numbers, from one fit, measured."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from bertopic.backend._utils import select_backend
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from sklearn.metrics import silhouette_score

from bertopic_matryoshka._constraints import TOPIC_MODEL, check_each, whole
from bertopic_matryoshka._validation import (
    check_embeddings,
    check_enough,
    check_labels,
    list_of_strings,
)
from bertopic_matryoshka.clustering import LeidenClustering, smallest_cluster
from bertopic_matryoshka.comparison._number_recommendation import (
    NumberRecommendation,
    recommend_number,
)
from bertopic_matryoshka.comparison._replicates import SHARE, replicate_rows
from bertopic_matryoshka.comparison._scorer import TopicScorer, check_scorer
from bertopic_matryoshka.comparison._setting import PARTS, part_rows
from bertopic_matryoshka.comparison._topic_models import clone_topic_model, set_seed
from bertopic_matryoshka.evaluation import (
    TopicCoherence,
    agreement,
    replicate_ami,
    tokens_of,
    topic_diversity,
    topic_stability,
    topics_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bertopic import BERTopic
    from numpy.typing import ArrayLike, NDArray

NUMBERS = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
"""Numbers of topics that are compared by default, as far as the documents can make them.

Not two: two topics agree best between samples of almost any documents."""

ROWS_PER_TOPIC = 2
"""Smallest documents per topic by default, in multiples of the smallest topic."""

SILHOUETTE_ROWS = 2_000
"""Number of documents that are sampled for the silhouette, whose cost is quadratic."""


class NumberedTopics(NamedTuple):
    """Topics at one number.

    Attributes
    ----------
    topics : list of (int, tuple of str, int)
        Id, words and size of each topic, largest first, without outliers.
    document_topics : ndarray of shape (n_documents,), int
        Topic of each document, as in LeidenClustering.labels_at; -1 for outliers.
    """

    topics: list[tuple[int, tuple[str, ...], int]]
    document_topics: NDArray[np.int_]


@dataclass(frozen=True)
class TopicNumberComparison:
    """What compare_topic_numbers measured.

    Attributes
    ----------
    table : DataFrame
        One row for each number of topics, ascending, which is the index "n_topics". Columns:
        "found", topics found; "agreement", mean AMI between replicates, in [-1, 1], and
        "agreement_low", the lower bound of its ratio to that of the most stable number;
        "coherence"; "diversity"; "silhouette" in [-1, 1], of the reduced rows by cosine, outliers
        left out; "smallest", documents of the smallest topic; "largest_share" in [0, 1], of the
        documents in the largest topic; "outlier_share" in [0, 1]. With `split_half` "stability",
        the topic_stability between two halves; with labels "ami", "ari" and "v_measure".
    own_number : int
        Number of topics that the topic model finds by itself.
    measure : str
        Coherence measure.
    replicates : dict of int to ndarray of shape (n_replicates, n_replicates), float64
        AMI between replicates at each number; NaN on the diagonal.
    topics : dict of int to NumberedTopics
    """

    table: pd.DataFrame
    own_number: int
    measure: str
    replicates: Mapping[int, NDArray[np.float64]] = field(repr=False)
    topics: Mapping[int, NumberedTopics] = field(repr=False)

    def recommend(self, tolerance: float = 0.05) -> NumberRecommendation:
        """Recommend the largest number whose topics are shown to be about as stable as any.

        Parameters
        ----------
        tolerance : float, default=0.05
            Share, in (0, 1), of the most stable number's agreement that may be lost.

        Returns
        -------
        recommendation : NumberRecommendation

        Notes
        -----
        The number is the largest one for which the one-sided 95 % lower bound of the ratio of its
        agreement to the most stable number's is above ``1 - tolerance``. Bounds are those of
        topic_agreement, each by itself. Stable topics repeat between samples and seeds of these
        documents; they need not be those that a reader wants, and a finer number may be useful
        though it is less stable.
        """
        return recommend_number(self.replicates, tolerance)


def compare_topic_numbers(
    topic_model: BERTopic,
    documents: Iterable[str],
    numbers: Iterable[int] | None = None,
    *,
    embeddings: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    scorer: TopicScorer | None = None,
) -> TopicNumberComparison:
    """Compare the topics of a model at several numbers of topics, all from the same fits.

    Parameters
    ----------
    topic_model : BERTopic
        With a LeidenClustering as its `hdbscan_model`; fitted or not, it stays as it is.
    documents : iterable of str
    numbers : iterable of int or None, default=None
        Numbers of topics, >= 2. None is 3, 4, 5, 6, 8, 10, 12, 15, 20, ..., 100, as far as topics
        can have twice the rows of the smallest one on average, and the number that the topic model
        finds by itself.
    embeddings : array-like of shape (n_documents, n_dims) or None, default=None
        None embeds the documents with the topic model's embedding model.
    labels : array-like of shape (n_documents,) or None, default=None
        Known classes, to measure agreement with. They do not change the topics.
    scorer : TopicScorer or None, default=None
        Coherence measure, number of replicates, and whether to fit halves; None is TopicScorer().

    Returns
    -------
    comparison : TopicNumberComparison

    Raises
    ------
    TypeError
        If the topic model's clusterer is not a LeidenClustering, or an argument is of the wrong
        type.
    ValueError
        If a number is below 2 or more than a sample of the documents can make, or lengths differ.

    See Also
    --------
    LeidenClustering.labels_at : The topics at another number, without a new fit.
    compare_dimensions : The same question for widths.

    Notes
    -----
    **Cost.** One fit to all documents, one for each replicate and two for halves: each gives all
    numbers. Words are found once for each number, by c-TF-IDF alone, without representations.

    **Agreement.** Each replicate is fitted to 80 % of the distinct documents with a seed of its
    own. Agreement at a number is the mean AMI between replicates on the documents that both have.
    AMI is adjusted for chance, so that numbers can be compared; but few large topics repeat more
    easily than many small ones.

    Examples
    --------
    >>> from bertopic_matryoshka import build_topic_model, compare_topic_numbers
    >>> comparison = compare_topic_numbers(build_topic_model(), docs)  # doctest: +SKIP
    >>> print(comparison.recommend())  # doctest: +SKIP
    """
    TOPIC_MODEL.check(topic_model, "topic_model")
    documents = list_of_strings(documents)
    classes = check_labels(labels, len(documents))
    scorer = check_scorer(scorer)
    template = clone_topic_model(topic_model)
    clusterer = template.hdbscan_model
    if not isinstance(clusterer, LeidenClustering):
        raise TypeError(
            f"hdbscan_model={type(clusterer).__name__} gives no other number of topics without a "
            "new fit. Use a topic model with LeidenClustering, such as build_topic_model()."
        )
    check_enough(documents, 2 * smallest_cluster(clusterer.min_cluster_size, len(documents)))
    chosen = _numbers(numbers, clusterer, documents)
    rows = _embedded(topic_model, documents, embeddings)
    numbered = _Numbered(template, documents, rows)
    fitted, reduced = numbered.fit(np.arange(len(documents)), None)
    own = fitted.n_clusters_
    if numbers is None and own >= 2 and own <= _most(clusterer, documents):
        chosen = sorted({*chosen, own})
    coherence = TopicCoherence(
        tokens_of(template, documents),
        measure=scorer.measure,
        top_n=scorer.top_n,
        device=scorer.device,
    )
    of_all = numbered.topics(fitted, np.arange(len(documents)), chosen)
    samples = [replicate_rows(documents, r) for r in range(scorer.n_replicates)]
    of_samples = [numbered.labels(at, r, chosen) for r, at in enumerate(samples)]
    ami = {}
    if scorer.n_replicates > 1:
        ami = {n: replicate_ami([of[n] for of in of_samples], samples) for n in chosen}
    stability = numbered.stability(chosen, scorer.top_n) if scorer.split_half else {}
    stable = recommend_number(ami)
    table = []
    for n in chosen:
        found, words = of_all[n].document_topics, [words for _, words, _ in of_all[n].topics]
        sizes = np.bincount(found[found >= 0])
        row: dict[str, float] = {"n_topics": n, "found": sizes.size}
        if ami:
            row |= {"agreement": stable.agreement[n], "agreement_low": stable.low[n]}
        row |= {
            "coherence": coherence.score(words),
            "diversity": topic_diversity(words, scorer.top_n),
            "silhouette": _silhouette(reduced, found),
            "smallest": int(sizes.min(initial=len(documents))),
            "largest_share": sizes.max(initial=0) / len(documents),
            "outlier_share": float((found < 0).mean()),
        }
        if stability:
            row["stability"] = stability[n]
        table.append(row | agreement(classes, found))
    frame = pd.DataFrame(table).set_index("n_topics")
    return TopicNumberComparison(frame, own, scorer.measure, ami, of_all)


@dataclass
class _Numbered:
    """Fits clones of a topic model's parts, each to give the topics at every number."""

    template: BERTopic
    documents: list[str]
    embeddings: NDArray[np.floating]

    def fit(
        self, rows: NDArray[np.int_], seed: int | None
    ) -> tuple[LeidenClustering, NDArray[np.floating]]:
        """Reduce and cluster some of the documents, with a seed or the topic model's own."""
        topic_model = clone_topic_model(self.template)
        set_seed(topic_model, seed)
        reducer, X = topic_model.umap_model, self.embeddings[rows]
        if hasattr(reducer, "fit_transform"):
            reduced = reducer.fit_transform(X)
        else:  # BERTopic's empty reduction
            reduced = reducer.fit(X).transform(X)
        clusterer = topic_model.hdbscan_model
        if seed is not None:
            clusterer.memory = None  # no other fit has this graph
        with warnings.catch_warnings():
            if seed is not None:  # the fit to all documents has warned
                warnings.simplefilter("ignore", RuntimeWarning)
            return clusterer.set_params(n_clusters=None).fit(reduced), reduced

    def labels(
        self, rows: NDArray[np.int_], seed: int, numbers: Sequence[int]
    ) -> dict[int, NDArray[np.int_]]:
        """Fit some of the documents, and cut at each number."""
        return _cuts(self.fit(rows, seed)[0], numbers)

    def topics(
        self, fitted: LeidenClustering, rows: NDArray[np.int_], numbers: Sequence[int]
    ) -> dict[int, NumberedTopics]:
        """Cut at each number, and find the words of its topics with BERTopic's own c-TF-IDF."""
        documents = [self.documents[row] for row in rows]
        found = {}
        for n, labels in _cuts(fitted, numbers).items():
            topic_model = clone_topic_model(self.template)
            topic_model.umap_model = BaseDimensionalityReduction()
            topic_model.hdbscan_model = BaseCluster()
            topic_model.representation_model = topic_model.nr_topics = None
            topic_model.fit(documents, self.embeddings[rows], y=labels)
            found[n] = NumberedTopics(topics_of(topic_model), labels)
        return found

    def stability(self, numbers: Sequence[int], top_n: int) -> dict[int, float]:
        """Compare the words of the topics of two halves."""
        halves = []
        for seed, half in enumerate(PARTS[1:]):
            rows = part_rows(len(self.documents), half)
            halves.append(self.topics(self.fit(rows, seed)[0], rows, numbers))
        words = [{n: [w for _, w, _ in at.topics] for n, at in half.items()} for half in halves]
        return {n: topic_stability(words[0][n], words[1][n], top_n) for n in numbers}


def _cuts(fitted: LeidenClustering, numbers: Sequence[int]) -> dict[int, NDArray[np.int_]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the table says how many were found
        return {n: fitted.labels_at(n) for n in numbers}


def _most(clusterer: LeidenClustering, documents: list[str]) -> int:
    """Give the largest number of topics that every sample of the documents can make."""
    n_distinct = int(SHARE * len(set(documents)))
    return n_distinct // smallest_cluster(clusterer.min_cluster_size, n_distinct)


def _numbers(
    numbers: Iterable[int] | None, clusterer: LeidenClustering, documents: list[str]
) -> list[int]:
    most = _most(clusterer, documents)
    if numbers is None:
        return [n for n in NUMBERS if ROWS_PER_TOPIC * n <= most] or [2]
    number = whole(2, remedy="Give numbers of topics, such as [10, 20, 50], or None.")
    chosen = sorted(set(check_each(numbers, number, "numbers")))
    if chosen[-1] > most:
        raise ValueError(
            f"numbers holds {chosen[-1]}, but {SHARE:.0%} of the {len(set(documents)):,} distinct "
            f"documents make at most {most} topics. Ask for fewer, or lower min_cluster_size."
        )
    return chosen


def _embedded(
    topic_model: BERTopic, documents: list[str], embeddings: ArrayLike | None
) -> NDArray[np.floating]:
    if embeddings is not None:
        return check_embeddings(embeddings, len(documents))
    backend = select_backend(topic_model.embedding_model, language=topic_model.language)
    return np.asarray(backend.embed_documents(documents))


def _silhouette(rows: NDArray[np.floating], labels: NDArray[np.int_]) -> float:
    """Mean silhouette of a sample of the rows, by cosine; NaN for fewer than two clusters."""
    assigned = np.flatnonzero(labels >= 0)
    sampled = np.random.default_rng(0).permutation(assigned)[:SILHOUETTE_ROWS]
    n_seen = np.unique(labels[sampled]).size
    if not 2 <= n_seen < sampled.size:
        return float("nan")
    return float(silhouette_score(rows[sampled], labels[sampled], metric="cosine"))
