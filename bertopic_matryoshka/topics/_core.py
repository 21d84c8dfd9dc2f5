"""Documents with their topics -> the topics' words and examples, from each topic's core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic.vectorizers import ClassTfidfTransformer
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import normalize

from bertopic_matryoshka._constraints import check_arguments, flag, number, whole
from bertopic_matryoshka.clustering import one_hot
from bertopic_matryoshka.evaluation import folded_forms
from bertopic_matryoshka.topics._representatives import choose_representatives_from
from bertopic_matryoshka.topics._words import (
    DistinctDocuments,
    copies_in,
    distinct_documents,
    row_ids,
)

if TYPE_CHECKING:
    import pandas as pd
    from bertopic import BERTopic
    from numpy.typing import NDArray

PADDING = ("", 0.00001)
"""What BERTopic puts where a topic has too few words."""


class CoreWords(DistinctDocuments):
    """Topic words by c-TF-IDF of each topic's core, the documents nearest to its centre.

    A BERTopic representation model. The words of documents at the border of a topic are often those
    of its neighbours too. Without them the words are more coherent and differ more between topics;
    every document keeps its topic. A document that is repeated in a topic counts once, see
    DistinctDocuments. Words, their weights, `c_tf_idf_` and representative documents come from the
    core; the vocabulary stays that of all documents. Outliers have no core: all of them count.

    Chain other representation models after it: ``[CoreWords(), KeyBERTInspired()]``.

    Parameters
    ----------
    share : float, default=0.5
        Share, in (0, 1], of each topic's distinct documents that are its core. Documents as near as
        the last one belong to it too.
    min_documents : int, default=10
        Minimum number of documents in a core, >= 1; smaller topics count whole.
    fold : bool, default=False
        Whether words that differ only in case, hyphens or an English plural ("game", "games") are
        one word: the form of the largest weight stands for them, with the sum of their weights, and
        further words fill up. Off by default, as it lowers the coherence of most topics a little.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong type or out of range.

    See Also
    --------
    DistinctDocuments : The same from all documents of a topic.

    Notes
    -----
    With a LeidenClustering, the core are the documents with the largest cosine with the mean of
    their topic (LeidenClustering.centrality), in the space in which they were clustered. Any other
    clusterer, and documents that it did not cluster, have the core whose words are most like those
    of the topic: the largest cosine between a document's c-TF-IDF and that of the topic. Membership
    probabilities are not used: many are equal to 1 in HDBSCAN, and those of LeidenClustering gave
    less coherent words. Share and measure were chosen on three corpora, the share on documents that
    were not fitted, see docs/measurements/core-words.md.

    Time slices, classes and batches of online learning are part of the documents. Their words are
    BERTopic's, averaged with those of the core as BERTopic does.

    Examples
    --------
    >>> from bertopic import BERTopic
    >>> from bertopic_matryoshka import CoreWords
    >>> topic_model = BERTopic(representation_model=CoreWords())
    """

    def __init__(self, share: float = 0.5, *, min_documents: int = 10, fold: bool = False) -> None:
        # BERTopic would only use them after minutes of clustering.
        check_arguments(
            locals(),
            share=number(
                "(0, 1]", remedy="Pass 0.5 for half of each topic's documents, 1 for all."
            ),
            min_documents=whole(1),
            fold=flag(),
        )
        self.share = share
        self.min_documents = min_documents
        self.fold = fold

    def _count_only(self, topic_model: BERTopic, documents: pd.DataFrame) -> NDArray[np.bool_]:
        kept = distinct_documents(documents, copies_in(topic_model))
        topics = documents["Topic"].to_numpy(dtype=np.int64)
        scores = self._scores(topic_model, documents, topics, kept)
        kept[kept] = in_core(scores, topics[kept], self.share, self.min_documents)
        choose_representatives_from(documents.loc[kept, "ID"], topic_model, self)
        return kept

    def _scores(
        self,
        topic_model: BERTopic,
        documents: pd.DataFrame,
        topics: NDArray[np.int_],
        kept: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """Score how central in their topics the documents marked as kept are."""
        scores = nearness(topic_model.hdbscan_model, documents, topics)
        if scores is not None:
            return scores[kept]
        return likeness(topic_model, documents["Document"][kept], topics[kept])

    def _first(self, words: list[tuple[str, float]], n_words: int) -> list[tuple[str, float]]:
        if not self.fold:
            return words[:n_words]
        folded = fold_words(words)[:n_words]
        # BERTopic embeds topics on the assumption that all have as many words.
        return folded + [PADDING] * (min(n_words, len(words)) - len(folded))


def in_core(
    scores: NDArray[np.float64], topics: NDArray[np.int_], share: float, min_documents: int
) -> NDArray[np.bool_]:
    """Mark each topic's documents of the highest scores; all of topic -1.

    Parameters
    ----------
    scores : ndarray of shape (n_documents,), float64
        Documents as high as the last one are in the core too, so that their order does not matter.
    topics : ndarray of shape (n_documents,), int
    share : float in (0, 1]
    min_documents : int

    Returns
    -------
    core : ndarray of shape (n_documents,), bool
    """
    order = np.lexsort((-scores, topics))
    found, starts, place, sizes = np.unique(
        topics[order], return_index=True, return_inverse=True, return_counts=True
    )
    wanted = np.minimum(np.maximum(np.ceil(share * sizes).astype(int), min_documents), sizes)
    wanted[found < 0] = sizes[found < 0]
    lowest = scores[order[starts + wanted - 1]]
    core = np.empty(scores.size, dtype=bool)
    core[order] = scores[order] >= lowest[place]
    return core


def fold_words(words: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Join near duplicates of a topic: the form of the largest weight, with the sum of weights."""
    forms = folded_forms(word for word, _ in words)
    first: dict[str, str] = {}
    total: dict[str, float] = {}
    for word, weight in sorted(words, key=lambda pair: -pair[1]):
        if word:
            first.setdefault(forms[word], word)
            total[forms[word]] = total.get(forms[word], 0.0) + weight
    return [(first[form], total[form]) for form in sorted(total, key=lambda form: -total[form])]


def nearness(
    clusterer: Any, documents: pd.DataFrame, topics: NDArray[np.int_]
) -> NDArray[np.float64] | None:
    """Cosine of each document with the centre of its topic; None if the clusterer has no rows."""
    if not hasattr(clusterer, "centrality"):
        return None
    ids = row_ids(documents, len(clusterer.labels_))
    if ids is None:
        return None
    topic_of = np.empty_like(topics)
    topic_of[ids] = topics
    try:
        cosines: NDArray[np.float64] = clusterer.centrality(topic_of)
    except NotFittedError:  # saved by an earlier version
        return None
    return cosines[ids]


def likeness(
    topic_model: BERTopic, documents: pd.Series, topics: NDArray[np.int_]
) -> NDArray[np.float64]:
    """Cosine of each document's c-TF-IDF with that of its topic, in [0, 1].

    It is counted in these documents alone, so that copies that were left out have no part in it.
    """
    texts = topic_model._preprocess_text(documents.to_numpy())  # noqa: SLF001
    counts = csr_matrix(topic_model.vectorizer_model.transform(texts))
    found, row_of = np.unique(topics, return_inverse=True)
    counts_of_topics = csr_matrix(one_hot(row_of, found.size).T @ counts)
    with np.errstate(divide="ignore"):  # words in copies only have count 0, and no use here
        weights = ClassTfidfTransformer().fit(counts_of_topics)
    of_documents, of_topics = (normalize(weights.transform(c)) for c in (counts, counts_of_topics))
    cosines = np.zeros(topics.size)
    for row in range(found.size):
        members = np.flatnonzero(row_of == row)
        cosines[members] = (of_documents[members] @ of_topics[row].T).toarray().ravel()
    return cosines
