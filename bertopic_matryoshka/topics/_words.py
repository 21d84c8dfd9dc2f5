"""Documents with their topics -> the topics' words, with repeated documents counted once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic.representation import BaseRepresentation

from bertopic_matryoshka.topics._ignored import warn_of_ignored

if TYPE_CHECKING:
    import pandas as pd
    from bertopic import BERTopic
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    Words = dict[int, list[tuple[str, float]]]


class DistinctDocuments(BaseRepresentation):  # type: ignore[misc]
    """Topic words by c-TF-IDF in which a document that is repeated in a topic counts once.

    A BERTopic representation model. Without it, a text that was posted sixty times counts sixty
    times in the words of its topic. Copies are equal texts and, with a LeidenClustering, its near
    copies too. Words, their weights and `c_tf_idf_` are computed from the distinct documents; the
    vocabulary stays that of all documents. If no document is repeated, nothing changes.

    Chain other representation models after it: ``[DistinctDocuments(), KeyBERTInspired()]``.

    See Also
    --------
    LeidenClustering : Clusters distinct documents.

    Examples
    --------
    >>> from bertopic import BERTopic
    >>> from bertopic_matryoshka import DistinctDocuments
    >>> topic_model = BERTopic(representation_model=DistinctDocuments())
    """

    def extract_topics(
        self,
        topic_model: BERTopic,
        documents: pd.DataFrame,
        c_tf_idf: csr_matrix,
        topics: Words,
    ) -> Words:
        """Count the words of the topics' distinct documents; called by BERTopic.

        Parameters
        ----------
        topic_model : BERTopic
        documents : DataFrame
            With columns "Document", "ID" and "Topic".
        c_tf_idf : csr_matrix of shape (n_topics, n_words)
            Weights from all documents; overwritten by those from the distinct ones.
        topics : dict of int to list of (str, float)

        Returns
        -------
        topics : dict of int to list of (str, float)
            The words with the largest weights: `top_n_words` of them, or as many as BERTopic
            offers where another representation model comes next.
        """
        chain = chain_of(self, topic_model)
        is_last = not chain or chain[-1] is self
        n_words = topic_model.top_n_words if is_last else max(map(len, topics.values()))
        # Batches of online learning and time slices are only part of the matrix's documents.
        is_whole = c_tf_idf is topic_model.c_tf_idf_
        is_whole &= not hasattr(topic_model.vectorizer_model, "partial_fit")
        if is_whole:
            warn_of_ignored(topic_model)
            kept = self._count_only(topic_model, documents)
            if not kept.all():
                counted, topics = _counted(topic_model, documents[kept], 2 * n_words)
                # In place, since BERTopic passes the same matrix on and keeps it.
                c_tf_idf.data, c_tf_idf.indices = counted.data, counted.indices
                c_tf_idf.indptr = counted.indptr
        return {topic: self._first(words, n_words) for topic, words in topics.items()}

    def _count_only(self, topic_model: BERTopic, documents: pd.DataFrame) -> NDArray[np.bool_]:
        """Mark the documents whose words are counted."""
        return distinct_documents(documents, copies_in(topic_model))

    def _first(self, words: list[tuple[str, float]], n_words: int) -> list[tuple[str, float]]:
        """Take the first words of a topic."""
        return words[:n_words]


def chain_of(model: BaseRepresentation, topic_model: BERTopic) -> list[BaseRepresentation]:
    """Get the chain, the main one or an aspect's, that a representation model is part of, or []."""
    chains = topic_model.representation_model
    for chain in chains.values() if isinstance(chains, dict) else [chains]:
        models = chain if isinstance(chain, list) else [chain]
        if any(each is model for each in models):
            return models
    return []


def copies_in(topic_model: BERTopic) -> NDArray[np.int_] | None:
    """Get the row that each row of the clusterer's fit repeats, if the clusterer knows it."""
    copy_of: NDArray[np.int_] | None = getattr(topic_model.hdbscan_model, "copy_of_", None)
    return copy_of


def row_ids(documents: pd.DataFrame, n_rows: int) -> NDArray[np.int_] | None:
    """Get the row of the clusterer's fit that each document is; None if they were not its rows.

    They need not be: zero-shot topics take documents before the fit.
    """
    if "ID" not in documents or n_rows != len(documents):
        return None
    ids: NDArray[np.int_] = documents["ID"].to_numpy()
    return ids if np.array_equal(np.sort(ids), np.arange(ids.size)) else None


def distinct_documents(
    documents: pd.DataFrame, copy_of: NDArray[np.int_] | None
) -> NDArray[np.bool_]:
    """Mark the distinct documents of each topic: the first of equal texts, without near copies."""
    kept: NDArray[np.bool_] = ~documents.duplicated(["Topic", "Document"]).to_numpy()
    ids = None if copy_of is None else row_ids(documents, len(copy_of))
    if copy_of is not None and ids is not None:
        topics = documents["Topic"].to_numpy()
        topic_of = np.empty_like(topics)
        topic_of[ids] = topics
        kept &= (copy_of[ids] == ids) | (topic_of[copy_of[ids]] != topics)
    return kept


def _counted(
    topic_model: BERTopic, documents: pd.DataFrame, n_words: int
) -> tuple[csr_matrix, Words]:
    """Compute c-TF-IDF and topic words as BERTopic does, with the vocabulary already fitted."""
    vectorizer, top_n_words = topic_model.vectorizer_model, topic_model.top_n_words
    joined = documents.groupby(["Topic"], as_index=False).agg({"Document": " ".join})
    topic_model.vectorizer_model, topic_model.top_n_words = _Fitted(vectorizer), n_words
    try:
        with np.errstate(divide="ignore"):
            counted, words = topic_model._c_tf_idf(joined)  # noqa: SLF001
        # A word that occurs only in dropped copies has count 0, by which BERTopic divides.
        idf = topic_model.ctfidf_model._idf_diag.data  # noqa: SLF001
        idf[np.isinf(idf)] = idf[np.isfinite(idf)].max()
        topics = topic_model._extract_words_per_topic(  # noqa: SLF001
            words, documents, counted, fine_tune_representation=False, calculate_aspects=False
        )
    finally:
        topic_model.vectorizer_model, topic_model.top_n_words = vectorizer, top_n_words
    return counted, topics


class _Fitted:
    """A vectorizer that keeps its fitted vocabulary."""

    def __init__(self, vectorizer: Any) -> None:
        self.fit_transform = vectorizer.transform
        self.get_feature_names_out = vectorizer.get_feature_names_out
