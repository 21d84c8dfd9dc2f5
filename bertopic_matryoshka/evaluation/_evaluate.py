"""A fitted topic model -> measures of its topics."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bertopic.backend import BaseEmbedder
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score

from bertopic_matryoshka._constraints import (
    TOPIC_MODEL,
    check_arguments,
    check_each,
    choice,
    whole,
)
from bertopic_matryoshka._validation import check_labels, list_of_strings
from bertopic_matryoshka.evaluation._coherence import TopicCoherence, embedding_coherence
from bertopic_matryoshka.evaluation._diversity import inverted_rbo, topic_balance, topic_diversity
from bertopic_matryoshka.evaluation._measures import MEASURES
from bertopic_matryoshka.evaluation._tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertopic import BERTopic
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class TopicEvaluation:
    """Results of evaluate_topics.

    Attributes
    ----------
    summary : Series
        "n_topics", without the outlier topic; "outlier_share" in [0, 1]; the mean coherence of each
        measure over the topics that can be scored, and "embedding" (see embedding_coherence) if the
        model can embed words; "diversity", "inverted_rbo" and "balance" in [0, 1], see
        topic_diversity, inverted_rbo and topic_balance; with labels "ami", "ari" and "v_measure"
        over the labelled documents, with the outliers as one cluster, and "n_unlabelled", the
        number of documents without a label.
    per_topic : DataFrame
        One row per topic, largest first: "topic"; "size", in documents; "words"; "unseen", the
        number of the first `top_n` words that never occur in the documents; one column per measure.
    """

    summary: pd.Series[float]
    per_topic: pd.DataFrame

    def __str__(self) -> str:
        return self.summary.to_string(float_format="{:.3f}".format)


def evaluate_topics(
    topic_model: BERTopic,
    documents: Sequence[str],
    *,
    measures: Sequence[str] = tuple(MEASURES),
    labels: ArrayLike | None = None,
    top_n: int = 10,
    device: str | None = None,
) -> TopicEvaluation:
    """Measure the topics of a fitted BERTopic.

    Documents are tokenised with the model's own preprocessing and vectorizer, so that n-grams, stop
    words and case match its topic words.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted.
    documents : sequence of str
        Corpus for the word counts: the documents that the model was fitted to, or others. Repeated
        documents count each time, as in gensim; pass ``list(dict.fromkeys(documents))`` to count
        each text once.
    measures : sequence of str, default=("c_v", "c_npmi", "c_uci", "u_mass", "npmi")
        See TopicCoherence.
    labels : array-like of shape (n_documents,) or None, default=None
        Classes of the documents that the model was fitted to. None, NaN, pandas.NA and empty
        strings are missing labels, and their documents are left out; -1 is a class like any other.
    top_n : int, default=10
        Number of words per topic that are scored, >= 2.
    device : str or None, default=None
        See TopicCoherence.

    Returns
    -------
    evaluation : TopicEvaluation

    Raises
    ------
    ValueError
        If the model is not fitted, a measure is unknown, `top_n` is less than 2, or labels are all
        missing or do not match the number of documents that the model was fitted to.
    TypeError
        If a document is not a string; the message gives its position.

    Warns
    -----
    RuntimeWarning
        If documents have no label; it gives their number.

    Examples
    --------
    >>> from bertopic_matryoshka import evaluate_topics
    >>> print(evaluate_topics(topic_model, docs))  # doctest: +SKIP
    """
    check_arguments(locals(), topic_model=TOPIC_MODEL, top_n=whole(2))
    check_each(measures, choice(MEASURES), "measures", may_be_empty=True)
    if topic_model.topics_ is None:
        raise ValueError("topic_model is not fitted. Call its fit or fit_transform first.")
    found = np.asarray(topic_model.topics_)
    classes = check_labels(labels, found.size)
    topics = topics_of(topic_model)
    words = [list(topic[1]) for topic in topics]
    tokens = tokens_of(topic_model, list_of_strings(documents))
    table: dict[str, Any] = {
        "topic": [topic for topic, _, _ in topics],
        "size": [size for _, _, size in topics],
        "words": [", ".join(of) for of in words],
    }
    vocabulary = tokens.seen(chain.from_iterable(words))
    table["unseen"] = [sum(word not in vocabulary for word in of[:top_n]) for of in words]
    for measure in measures:
        coherence = TopicCoherence(tokens, measure=measure, top_n=top_n, device=device)
        table[measure] = coherence.score_per_topic(words)
    scored = list(measures)
    embedder = topic_model.embedding_model
    # A bare BaseEmbedder embeds nothing, nor does a PrecomputedBackend.
    is_bare = embedder is None or type(embedder).embed is BaseEmbedder.embed
    if not is_bare and getattr(embedder, "embeds_texts", True):
        table["embedding"] = embedding_coherence(words, embedder, top_n=top_n)
        scored.append("embedding")
    per_topic = pd.DataFrame(table)
    summary = {
        "n_topics": float(len(topics)),
        "outlier_share": float(np.mean(found == -1)),
        **{name: float(per_topic[name].mean()) for name in scored},
        "diversity": topic_diversity(words, top_n),
        "inverted_rbo": inverted_rbo(words, top_n),
        "balance": topic_balance(table["size"]),
        **agreement(classes, found),
    }
    if classes is not None:
        summary["n_unlabelled"] = float((classes < 0).sum())
    return TopicEvaluation(pd.Series(summary), per_topic)


def topics_of(topic_model: BERTopic) -> list[tuple[int, tuple[str, ...], int]]:
    """List the topics of a fitted model as (topic, words, size), largest first, without outliers.

    Words are sorted by importance, without the empty words with which BERTopic pads short topics.
    """
    sizes = topic_model.topic_sizes_
    order = sorted((t for t in sizes if t != -1), key=lambda t: (-sizes[t], t))
    return [
        (int(t), tuple(word for word, _ in topic_model.get_topic(t) if word), int(sizes[t]))
        for t in order
    ]


def tokens_of(topic_model: BERTopic, documents: list[str]) -> Tokens:
    """Tokenise documents with a topic model's preprocessing and vectorizer, fitted or not."""
    analyzer = topic_model.vectorizer_model.build_analyzer()
    return Tokens(topic_model._preprocess_text(documents), analyzer)  # noqa: SLF001


def agreement(classes: NDArray[np.int_] | None, found: NDArray[np.int_]) -> dict[str, float]:
    """Compare topics with labels by AMI, ARI and V-measure; empty without labels.

    Parameters
    ----------
    classes : ndarray of shape (n_documents,), int, or None
        Class of each document; -1 without a label, which leaves the document out. See check_labels.
    found : ndarray of shape (n_documents,), int
        Topic of each document; the outliers, -1, are one cluster.

    Returns
    -------
    measured : dict of str to float
        NaN where no document has a label.
    """
    if classes is None:
        return {}
    known = classes >= 0
    measures = {
        "ami": adjusted_mutual_info_score,
        "ari": adjusted_rand_score,
        "v_measure": v_measure_score,
    }
    if not known.any():
        return dict.fromkeys(measures, float("nan"))
    return {name: float(score(classes[known], found[known])) for name, score in measures.items()}
