"""Word counts of all documents -> the words of a topic model that was fitted to a sample."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.base import clone

from bertopic_matryoshka.distributed._tasks import Limits
from bertopic_matryoshka.topics import DistinctDocuments

if TYPE_CHECKING:
    import pyarrow as pa
    from bertopic import BERTopic
    from numpy.typing import NDArray


def limits_of(vectorizer: Any, n_topics: int, min_word_count: int) -> Limits:
    """Say which words a CountVectorizer would keep of so many topics.

    With a vocabulary of its own, it keeps that.
    """
    if vectorizer.vocabulary is not None:
        return Limits(1, 0, np.inf, None, binary=vectorizer.binary)
    low, high = (
        float(share if isinstance(share, (int, np.integer)) else share * n_topics)
        for share in (vectorizer.min_df, vectorizer.max_df)
    )
    return Limits(min_word_count, low, high, vectorizer.max_features, binary=vectorizer.binary)


def count_whole(
    model: BERTopic,
    given: BERTopic,
    sums: pa.Table,
    sizes: dict[int, int],
    documents: pd.DataFrame,
    embeddings: NDArray[np.float32],
) -> None:
    """Give a model the sizes, the vocabulary and the c-TF-IDF of all documents.

    Parameters
    ----------
    model : BERTopic
        Fitted to the sample; changed in place.
    given : BERTopic
        The same, not fitted: its vectorizer, c-TF-IDF and representation models are taken.
    sums : Table
        Columns "word", "topic" and "count": the words to keep, each pair once.
    sizes : dict of int to int
        Number of documents of each topic.
    documents : DataFrame
        Those of the sample, with columns "Document", "ID" and "Topic".
    embeddings : ndarray of shape (n_sampled, n_dims), float32
        Theirs.

    Raises
    ------
    ValueError
        If no word is left.
    """
    topics = sorted(sizes)
    words, counts = matrix_of(given.vectorizer_model, sums, topics)
    if -1 in sizes and -1 not in model.topic_sizes_:
        # No outlier was in the sample. Theirs is the first row, of no direction.
        rows = np.asarray(model.topic_embeddings_)
        model.topic_embeddings_ = np.vstack([np.zeros_like(rows[:1]), rows])
        model.representative_docs_ = {-1: [], **model.representative_docs_}
    model.topic_sizes_ = {topic: sizes[topic] for topic in topics}
    model.ctfidf_model = clone(given.ctfidf_model)
    model.vectorizer_model = _Counted(counts, words)
    # BERTopic only takes their number and, in these two columns, finds what was counted.
    joined = pd.DataFrame({"Topic": topics, "Document": ""})
    with np.errstate(divide="ignore"):  # words of a fixed vocabulary that occur nowhere
        model.c_tf_idf_, _ = model._c_tf_idf(joined)  # noqa: SLF001
    model.vectorizer_model = clone(given.vectorizer_model)
    model.vectorizer_model.vocabulary_ = {word: at for at, word in enumerate(words.tolist())}
    missing = sorted(set(topics) - set(documents["Topic"]))
    none = pd.DataFrame({"Document": "", "ID": -1, "Topic": missing})
    model.representation_model = without_counting(given.representation_model)
    try:
        model.topic_representations_ = model._extract_words_per_topic(  # noqa: SLF001
            words, pd.concat([documents, none]), model.c_tf_idf_, embeddings=embeddings
        )
    finally:
        model.representation_model = given.representation_model


def matrix_of(
    vectorizer: Any, sums: pa.Table, topics: list[int]
) -> tuple[NDArray[np.object_], csr_matrix]:
    """Make the matrix of counts that a CountVectorizer would make of the joined topics.

    Returns
    -------
    words : ndarray of shape (n_words,), object
        In the order of the columns: sorted, or that of the vectorizer's own vocabulary.
    counts : csr_matrix of shape (n_topics, n_words), int64
    """
    if vectorizer.vocabulary is not None:
        own = clone(vectorizer).fit([""]).vocabulary_
        words = np.array(sorted(own, key=own.__getitem__), dtype=object)
    else:
        words = np.array(sorted(sums.column("word").unique().to_pylist()), dtype=object)
    if not sums.num_rows:
        raise ValueError(
            "No word is left to describe the topics by. Lower min_word_count, or min_df of the "
            "vectorizer, or use fewer stop words."
        )
    columns = pd.Index(words).get_indexer(sums.column("word").to_pylist())
    rows = pd.Index(topics).get_indexer(sums.column("topic").to_numpy())
    counts = csr_matrix(
        (sums.column("count").to_numpy(), (rows, columns)), shape=(len(topics), len(words))
    )
    return words, counts


def without_counting(representation: Any) -> Any:
    """Leave out those representation models that count the words anew, in the sample."""
    if isinstance(representation, dict):
        return {aspect: without_counting(models) for aspect, models in representation.items()}
    models = representation if isinstance(representation, list) else [representation]
    kept = [model for model in models if not isinstance(model, (DistinctDocuments, type(None)))]
    return copy.copy(kept) if len(kept) != 1 else kept[0]


class _Counted:
    """A vectorizer for which everything is counted."""

    def __init__(self, counts: csr_matrix, words: NDArray[np.object_]) -> None:
        self.counts = counts
        self.words = words

    def fit_transform(self, _: Any) -> csr_matrix:
        return self.counts

    def get_feature_names_out(self) -> NDArray[np.object_]:
        return self.words
