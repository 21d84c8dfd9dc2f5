"""A fitted topic model -> the hierarchy of its topics by the graph of its documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from bertopic_matryoshka._constraints import TOPIC_MODEL, check_each, whole
from bertopic_matryoshka._validation import list_of_strings, real_array
from bertopic_matryoshka.clustering import LeidenClustering
from bertopic_matryoshka.topics._levels import check_levels, nested_levels
from bertopic_matryoshka.topics._words import distinct_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bertopic import BERTopic
    from numpy.typing import ArrayLike, NDArray

TOPIC = whole(0, 2**31 - 1)

N_WORDS, N_NAMED = 10, 3
"""Number of words of a topic of a level, and of those in its name."""


def topic_linkage(
    topic_model: BERTopic,
    distances: ArrayLike | None = None,
    *,
    topics: Iterable[int] | None = None,
) -> NDArray[np.float64]:
    """Merge the topics of a model as LeidenClustering merges communities.

    BERTopic's hierarchy joins topics whose words are similar. This one joins those whose documents
    are neighbours. The topics may have been merged, reduced or updated since the fit. BERTopic
    takes it with the model bound to it, see the example.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted with a LeidenClustering.
    distances : array-like or None, default=None
        Distances of the topics' words, which BERTopic hands over. Not used, but their number is
        checked.
    topics : iterable of int or None, default=None
        Topics to merge, others are left out; None is all but -1. Needed where BERTopic's figure
        shows some of them.

    Returns
    -------
    Z : ndarray of shape (n_topics - 1, 4), float64
        As scipy.cluster.hierarchy.linkage gives it, for the topics in ascending order: see
        LeidenClustering.linkage for the heights, in [0, 2].

    Raises
    ------
    TypeError
        If `topic_model` was not fitted with a LeidenClustering.
    ValueError
        If there are fewer than two topics, `distances` are not those of the topics, or the model
        has topics for other documents than its clusterer had.

    See Also
    --------
    topic_levels : Nested topics at several numbers.

    Examples
    --------
    >>> from functools import partial
    >>> from bertopic_matryoshka import build_topic_model, topic_linkage
    >>> topic_model = build_topic_model()
    >>> linkage_function = partial(topic_linkage, topic_model)

    Once it is fitted::

        tree = topic_model.hierarchical_topics(docs, linkage_function=linkage_function)
        print(topic_model.get_topic_tree(tree))
        topic_model.visualize_hierarchy(hierarchical_topics=tree, linkage_function=linkage_function)
    """
    clusterer, labels = _clusterer(topic_model), np.asarray(topic_model.topics_)
    known = np.unique(labels[labels >= 0])
    chosen = known
    if topics is not None:
        chosen = np.unique(np.array(check_each(topics, TOPIC, "topics"), dtype=np.int64))
    unknown = np.setdiff1d(chosen, known)
    if unknown.size:
        raise ValueError(f"topics has {unknown[0]}, which is none of the model's {known.size}.")
    if chosen.size < 2:
        raise ValueError(f"A hierarchy needs two topics or more, and there are {chosen.size}.")
    if distances is not None:
        given = real_array(distances, "distances")
        n_given = (
            given.shape[0] if given.ndim == 2 else round((1 + (1 + 8 * given.size) ** 0.5) / 2)
        )
        if n_given != chosen.size:
            raise ValueError(
                f"distances are those of {n_given} topics, but there are {chosen.size}. For a "
                "figure of some topics, pass the same topics=[...] to topic_linkage."
            )
    names = np.full(known.max() + 2, -1)  # the last is for -1
    names[chosen] = np.arange(chosen.size)
    return clusterer.linkage(names[labels])


@dataclass(frozen=True)
class TopicLevels:
    """Nested topics at several numbers.

    Attributes
    ----------
    documents : DataFrame of shape (n_documents, n_levels + 1)
        Columns: "topic", the model's own; and for each level "level_N", N being the number of its
        topics, from many to few. Topics are numbered from 0 by size, except where a level has all
        of the model's topics, which keep their numbers; -1 for outliers.
    topics : DataFrame
        One row per topic of each level, in the order of the levels. Columns: "level", N; "topic";
        "parent", the topic of the next level that it is in, -1 on the last; "size", in documents;
        "name"; "words", by c-TF-IDF of all its documents, most important first; "topics", those of
        the model that it is made of.
    """

    documents: pd.DataFrame
    topics: pd.DataFrame


def topic_levels(
    topic_model: BERTopic,
    documents: Iterable[str],
    numbers: Sequence[int],
    *,
    min_children: int = 2,
) -> TopicLevels:
    """Give nested topics at several numbers, such as 20, then 5, each with at least two children.

    The first level is a cut of :func:`topic_linkage`. Each other level groups the topics of the
    one below: k-means of their mean embeddings, from the cut of the tree, with at least
    `min_children` in each group. Documents stay together: a topic of one level is part of one topic
    of the next.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted with a LeidenClustering.
    documents : iterable of str of length n_documents
        Those of the fit, in the same order.
    numbers : sequence of int
        Number of topics of each level, from many to few; the first at most those of the model.
    min_children : int, default=2
        Least number of topics of the level below in each topic, >= 1. Of the first level nothing
        is asked.

    Returns
    -------
    levels : TopicLevels

    Raises
    ------
    TypeError, ValueError
        As :func:`topic_linkage`; and if `numbers` do not fall, the model has fewer topics, or they
        are too few for `min_children` of each.

    Examples
    --------
    After ``topic_model = build_topic_model(hdbscan_model=LeidenClustering(60)).fit(docs)``::

        levels = topic_levels(topic_model, docs, [20, 5])
        levels.topics[levels.topics["level"] == 5]
        levels.documents["level_5"]
    """
    _clusterer(topic_model)
    texts = list_of_strings(documents)
    labels = np.asarray(topic_model.topics_)
    if len(texts) != labels.size:
        raise ValueError(
            f"documents has {len(texts)} texts and must have the {labels.size} of the fit."
        )
    known = np.unique(labels[labels >= 0])
    numbers = check_levels(numbers, known.size, min_children)
    Z = topic_linkage(topic_model) if known.size > 1 else np.empty((0, 4))
    counts, words = _counted(topic_model, texts, labels, known)
    sizes = np.bincount(labels[labels >= 0])[known]
    parts = nested_levels(Z, _centroids(topic_model, counts), sizes, numbers, min_children)
    for i in range(len(numbers)):
        total = np.bincount(parts[:, i], sizes)
        order = np.lexsort((np.arange(total.size), -total))
        if numbers[i] < known.size:
            parts[:, i] = order.argsort()[parts[:, i]]
    of_topic = np.full((known.max() + 2, len(numbers)), -1)
    of_topic[known] = parts
    if numbers[0] == known.size:
        of_topic[known, 0] = known
    table = pd.DataFrame(of_topic[labels], columns=[f"level_{number}" for number in numbers])
    table.insert(0, "topic", labels)
    return TopicLevels(
        table, _topics_table(topic_model, numbers, of_topic[known], known, sizes, counts, words)
    )


def _topics_table(
    topic_model: BERTopic,
    numbers: Sequence[int],
    parts: NDArray[np.int_],
    known: NDArray[np.int_],
    sizes: NDArray[np.int_],
    counts: csr_matrix,
    words: NDArray[Any],
) -> pd.DataFrame:
    """List the topics of each level; `parts` are of shape (n_topics, n_levels)."""
    rows = []
    for i, number in enumerate(numbers):
        for part in np.unique(parts[:, i]):
            members = np.flatnonzero(parts[:, i] == part)
            if members.size == 1:
                described = [word for word, _ in topic_model.get_topic(known[members[0]]) if word]
            else:
                joined = csr_matrix(counts[members].sum(axis=0))
                weights = topic_model.ctfidf_model.transform(joined).toarray().ravel()
                best = np.argsort(-weights, kind="stable")[:N_WORDS]
                described = words[best[weights[best] > 0]].tolist()
            parent = parts[members[0], i + 1] if i + 1 < len(numbers) else -1
            rows.append(
                {
                    "level": number,
                    "topic": int(part),
                    "parent": int(parent),
                    "size": int(sizes[members].sum()),
                    "name": ", ".join(described[:N_NAMED]),
                    "words": ", ".join(described),
                    "topics": known[members].tolist(),
                }
            )
    table: pd.DataFrame = pd.DataFrame(rows)
    return table


def _clusterer(topic_model: BERTopic) -> LeidenClustering:
    """Get the fitted LeidenClustering of a topic model, and check that it had its documents."""
    TOPIC_MODEL.check(topic_model, "topic_model")
    clusterer = topic_model.hdbscan_model
    if not isinstance(clusterer, LeidenClustering):
        raise TypeError(
            f"hdbscan_model is a {type(clusterer).__name__}, which has no graph of the documents. "
            "Fit the topic model with LeidenClustering, or take BERTopic's own hierarchy of words: "
            "topic_model.hierarchical_topics(docs)."
        )
    if topic_model.topics_ is None or not hasattr(clusterer, "labels_"):
        raise ValueError("topic_model is not fitted. Fit it first.")
    if len(clusterer.labels_) != len(topic_model.topics_):
        raise ValueError(
            f"topic_model has topics for {len(topic_model.topics_)} documents, but its "
            f"LeidenClustering had {len(clusterer.labels_)}: zero-shot topics took the others, or "
            "models were merged. The graph does not know them."
        )
    return clusterer


def _counted(
    topic_model: BERTopic, texts: list[str], labels: NDArray[np.int_], known: NDArray[np.int_]
) -> tuple[csr_matrix, NDArray[Any]]:
    """Count the words of each topic in its distinct documents."""
    table = pd.DataFrame({"Document": texts, "ID": range(len(texts)), "Topic": labels})
    table = table[distinct_documents(table, topic_model.hdbscan_model.copy_of_)]
    joined = table.groupby("Topic")["Document"].agg(" ".join).reindex(known, fill_value="")
    clean = topic_model._preprocess_text(joined.to_numpy())  # noqa: SLF001
    vectorizer = topic_model.vectorizer_model
    return csr_matrix(vectorizer.transform(clean)), vectorizer.get_feature_names_out()


def _centroids(topic_model: BERTopic, counts: csr_matrix) -> NDArray[np.float64]:
    """Give the mean embedding of each topic; its words where BERTopic has no embeddings."""
    embeddings, outliers = topic_model.topic_embeddings_, topic_model._outliers  # noqa: SLF001
    if embeddings is None or len(embeddings) != counts.shape[0] + outliers:
        embeddings, outliers = topic_model.ctfidf_model.transform(counts).toarray(), 0
    return np.asarray(embeddings, dtype=np.float64)[outliers:]
