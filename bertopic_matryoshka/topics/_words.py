"""Documents with their topics -> the topics' words, with repeated documents counted once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic.representation import BaseRepresentation

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
        chain = topic_model.representation_model
        chain = chain["Main"] if isinstance(chain, dict) and "Main" in chain else chain
        is_last = (chain[-1] if isinstance(chain, list) else chain) is self
        n_words = topic_model.top_n_words if is_last else max(map(len, topics.values()))
        # Batches of online learning and time slices are only part of the matrix's documents.
        is_whole = c_tf_idf is topic_model.c_tf_idf_
        is_whole &= not hasattr(topic_model.vectorizer_model, "partial_fit")
        kept = distinct_documents(documents, getattr(topic_model.hdbscan_model, "copy_of_", None))
        if is_whole and not kept.all():
            counted, topics = _counted(topic_model, documents[kept], n_words)
            # In place, since BERTopic passes the same matrix on and keeps it.
            c_tf_idf.data, c_tf_idf.indices = counted.data, counted.indices
            c_tf_idf.indptr = counted.indptr
        return {topic: words[:n_words] for topic, words in topics.items()}


def distinct_documents(
    documents: pd.DataFrame, copy_of: NDArray[np.int_] | None
) -> NDArray[np.bool_]:
    """Mark the distinct documents of each topic: the first of equal texts, without near copies."""
    kept: NDArray[np.bool_] = ~documents.duplicated(["Topic", "Document"]).to_numpy()
    # `documents` need not be those that were clustered.
    if copy_of is not None and "ID" in documents and len(copy_of) == len(documents):
        ids, topics = documents["ID"].to_numpy(), documents["Topic"].to_numpy()
        if np.array_equal(np.sort(ids), np.arange(ids.size)):
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
