"""A batch of documents with topics -> how often each word occurs in each topic."""

from __future__ import annotations

from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic import BERTopic
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from bertopic_matryoshka._constraints import TOPIC_MODEL
from bertopic_matryoshka._validation import list_of_strings
from bertopic_matryoshka.distributed._assign_batch import TOPIC
from bertopic_matryoshka.distributed._columns import NAME, TEXT, check_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

WORD, COUNT = "word", "count"
"""Names of the columns of a partial sum, beside the topic's."""


class CountWordsBatch:
    """Counts the words of each topic in a batch: a partial sum, for engines to add up.

    Words are those of the model's CountVectorizer, of texts cleaned as BERTopic cleans them. Each
    document is counted by itself; BERTopic joins those of a topic, so that its n-grams also span
    the end of one and the beginning of the next. The vectorizer's `min_df`, `max_df` and
    `max_features` are for the whole, and cut nothing here.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted or not: only its vectorizer and its language are kept, which is all that travels.
    text_column, topic_column : str, default="text", "topic"
        Names of the columns.

    Raises
    ------
    TypeError
        If the model's vectorizer is not a CountVectorizer, or is one that weights or forgets counts
        (TfidfVectorizer, OnlineCountVectorizer).

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import CountWordsBatch, build_topic_model
    >>> count = CountWordsBatch(build_topic_model())
    >>> batch = {"text": np.array(["red apples", "an apple", "red"]), "topic": np.array([0, 0, 1])}
    >>> sums = count(batch)
    >>> list(zip(sums["word"], sums["topic"].tolist(), sums["count"].tolist()))
    [('apple', 0, 1), ('apples', 0, 1), ('red', 0, 1), ('red', 1, 1)]
    """

    def __init__(
        self, topic_model: BERTopic, *, text_column: str = TEXT, topic_column: str = TOPIC
    ) -> None:
        TOPIC_MODEL.check(topic_model, "topic_model")
        NAME.check(text_column, "text_column")
        NAME.check(topic_column, "topic_column")
        self.vectorizer = clone(checked_vectorizer(topic_model.vectorizer_model))
        fixed = self.vectorizer.vocabulary
        self.vocabulary = None if fixed is None else frozenset(fixed)
        self.language = topic_model.language
        self.text_column = text_column
        self.topic_column = topic_column

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Count a batch.

        Parameters
        ----------
        batch : mapping of str to array of shape (n_rows,)
            With the columns of texts and of topics.

        Returns
        -------
        sums : dict of str to ndarray of shape (n_sums,)
            "word", object (str); "topic", int64; "count", int64, at least 1. Each pair of word and
            topic occurs once; sorted by both.

        Raises
        ------
        KeyError
            If a column is missing.
        TypeError
            If a text is not a string.
        """
        texts = check_column(batch, self.text_column, "text_column")
        topics = check_column(batch, self.topic_column, "topic_column")
        analyze = self.vectorizer.build_analyzer()
        sums: dict[int, Counter[str]] = defaultdict(Counter)
        for text, topic in zip(self._cleaned(texts), np.asarray(topics).tolist(), strict=True):
            words = analyze(text)
            if self.vocabulary is not None:
                words = [word for word in words if word in self.vocabulary]
            sums[topic].update(words)
        rows = sorted((word, topic, n) for topic in sums for word, n in sums[topic].items())
        found, of, counts = zip(*rows, strict=True) if rows else ((), (), ())
        return {
            WORD: np.array(found, dtype=object),
            TOPIC: np.array(of, dtype=np.int64),
            COUNT: np.array(counts, dtype=np.int64),
        }

    def _cleaned(self, texts: Any) -> list[str]:
        """Clean texts as BERTopic does; it puts a word of its own where nothing is left."""
        language = SimpleNamespace(language=self.language)
        cleaned = BERTopic._preprocess_text(language, list_of_strings(texts))  # noqa: SLF001
        (none,) = BERTopic._preprocess_text(language, [""])  # noqa: SLF001
        return ["" if text == none else text for text in cleaned]


def checked_vectorizer(vectorizer: Any) -> CountVectorizer:
    """Check that a vectorizer's counts can be added up.

    Raises
    ------
    TypeError
        If they cannot.
    """
    adds_up = isinstance(vectorizer, CountVectorizer) and not hasattr(vectorizer, "partial_fit")
    if not adds_up or isinstance(vectorizer, TfidfVectorizer):
        raise TypeError(
            f"vectorizer_model is of type {type(vectorizer).__name__}, whose counts cannot be "
            "added up over batches. Build the topic model with a CountVectorizer."
        )
    return vectorizer
