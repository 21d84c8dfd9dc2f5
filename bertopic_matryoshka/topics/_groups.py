"""A fitted topic model -> its topics as points, and groups of them, from the model alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from bertopic._utils import select_topic_representation
from scipy.cluster.hierarchy import linkage
from sklearn.preprocessing import normalize

from bertopic_matryoshka.topics._levels import nested_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertopic import BERTopic
    from numpy.typing import NDArray


class TopicGroup(NamedTuple):
    """Topics that belong together.

    Attributes
    ----------
    words : list of str
        Words of the largest weight, summed over the topics' documents.
    topics : list of int
        The largest first.
    size : int
        Number of documents.
    """

    words: list[str]
    topics: list[int]
    size: int


def topic_vectors(
    topic_model: BERTopic, topics: Sequence[int], *, use_ctfidf: bool = False
) -> NDArray[np.float64]:
    """Give a vector of unit length for each topic.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted.
    topics : sequence of int
    use_ctfidf : bool, default=False
        Whether to take the weights of words. They are also taken where the model has no topic
        embeddings.

    Returns
    -------
    vectors : ndarray of shape (n_topics, n_dims), float64
    """
    vectors, _ = select_topic_representation(
        topic_model.c_tf_idf_, topic_model.topic_embeddings_, use_ctfidf, output_ndarray=True
    )
    row_of = {topic: row for row, topic in enumerate(sorted(topic_model.get_topics()))}
    rows = np.asarray(vectors, dtype=np.float64)[[row_of[topic] for topic in topics]]
    unit: NDArray[np.float64] = normalize(rows)
    return unit


def group_topics(
    topic_model: BERTopic,
    topics: Sequence[int],
    sizes: Sequence[int],
    n_groups: int,
    *,
    n_words: int = 3,
) -> list[TopicGroup]:
    """Group topics as :func:`topic_levels` does, but without reading the documents again.

    K-means of the topic embeddings, with at least two topics in each group, from a cut of Ward's
    tree of them. So it takes any clusterer, loaded models, and as long for a million documents as
    for a thousand.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted.
    topics, sizes : sequence of int of length n_topics
        Topics and their numbers of documents.
    n_groups : int
        From 1 to n_topics / 2.
    n_words : int, default=3
        Number of words that describe a group.

    Returns
    -------
    groups : list of TopicGroup
        The largest first.
    """
    vectors, n_documents = topic_vectors(topic_model, topics), np.asarray(sizes)
    tree = linkage(vectors, "ward")
    parts = nested_levels(tree, vectors, n_documents, [len(topics), n_groups], 2)[:, 1]
    groups = []
    for part in np.unique(parts):
        members = [i for i in np.argsort(-n_documents, kind="stable").tolist() if parts[i] == part]
        weights: dict[str, float] = {}
        for i in members:
            for word, weight in topic_model.get_topic(topics[i]):
                if word:
                    weights[word] = weights.get(word, 0.0) + weight * sizes[i]
        words = sorted(weights, key=lambda word: -weights[word])[:n_words]
        total = sum(sizes[i] for i in members)
        groups.append(TopicGroup(words, [topics[i] for i in members], total))
    return sorted(groups, key=lambda group: -group.size)
