"""Topics -> how well their words go together, and how much the topics differ."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MEASURES = ("npmi",)


class TopicCoherence:
    """Coherence of topics' words over a corpus, counted once and looked up for every topic.

    Parameters
    ----------
    documents : iterable of str
        The corpus that the words are counted in.
    measure : {"npmi"}, default="npmi"
        Normalised pointwise mutual information over whole documents: the mean over a topic's
        pairs of words of log(p(a, b) / (p(a) p(b))) / -log p(a, b), where p is the share of the
        documents that hold the words [1]_ [2]_. In [-1, 1], higher is better: 1 where words only
        occur together, 0 where they are independent, -1 where they never meet.
    vectorizer : CountVectorizer, default=None
        What turns a document into words. Give the topic model's own `vectorizer_model`, and
        n-grams and stop words are right. None is ``CountVectorizer()``.
    top_n : int, default=10
        Words of each topic that are scored, the first ones.

    References
    ----------
    .. [1] G. Bouma, "Normalized (pointwise) mutual information in collocation extraction",
       GSCL 2009.
    .. [2] J. H. Lau, D. Newman, T. Baldwin, "Machine reading tea leaves: automatically
       evaluating topic coherence and topic model quality", EACL 2014.

    Examples
    --------
    >>> from bertopic_matryoshka import TopicCoherence
    >>> coherence = TopicCoherence(["red apple", "red apple", "blue sky", "sky"])
    >>> coherence.score_per_topic([["red", "apple"], ["red", "sky"]])
    array([ 1., -1.])
    """

    def __init__(
        self,
        documents: Iterable[str],
        *,
        measure: str = "npmi",
        vectorizer: CountVectorizer | None = None,
        top_n: int = 10,
    ) -> None:
        if measure not in MEASURES:
            raise ValueError(f"measure={measure!r} must be one of {', '.join(MEASURES)}.")
        if top_n < 2:
            raise ValueError(
                f"top_n={top_n} must be at least 2: coherence compares pairs of words."
            )
        self.measure = measure
        self.top_n = top_n
        analyzer = (vectorizer or CountVectorizer()).build_analyzer()
        counter = CountVectorizer(analyzer=analyzer, binary=True, dtype=np.int32)
        # One column a word, so that the words of a topic are a cheap slice.
        self._occurs = counter.fit_transform(documents).tocsc()
        self._column = counter.vocabulary_
        self.n_documents = self._occurs.shape[0]

    def score_per_topic(self, topics: Iterable[Sequence[str]]) -> NDArray[np.float64]:
        """Score each topic.

        Parameters
        ----------
        topics : iterable of sequences of str
            The words of each topic, most important first. Words beyond `top_n` and empty words,
            with which BERTopic pads short topics, are left out. A word that never occurs in the
            documents meets no other, so its pairs score -1. A word given twice counts once.

        Returns
        -------
        scores : ndarray of shape (n_topics,), float64, in [-1, 1]
            NaN for a topic of fewer than two words.
        """
        words_of = [_distinct(topic[: self.top_n]) for topic in topics]
        words = _distinct(chain.from_iterable(words_of))
        position = {word: i for i, word in enumerate(words)}
        pair_scores = self._pair_scores(words)
        scores = np.full(len(words_of), np.nan)
        for i, topic in enumerate(words_of):
            rows = [position[word] for word in topic]
            if len(rows) >= 2:
                scores[i] = np.mean([pair_scores[a, b] for a, b in combinations(rows, 2)])
        return scores

    def score(self, topics: Iterable[Sequence[str]]) -> float:
        """Mean of :meth:`score_per_topic` over the topics that can be scored; NaN without any."""
        scores = self.score_per_topic(topics)
        scored = scores[~np.isnan(scores)]
        return float(scored.mean()) if scored.size else float("nan")

    def _pair_scores(self, words: list[str]) -> NDArray[np.float64]:
        known = [i for i, word in enumerate(words) if word in self._column]
        occurs = self._occurs[:, [self._column[words[i]] for i in known]]
        together = (occurs.T @ occurs).toarray() / max(self.n_documents, 1)  # (known, known)
        alone = together.diagonal()
        with np.errstate(divide="ignore", invalid="ignore"):
            npmi = np.log(together / np.outer(alone, alone)) / -np.log(together)
        npmi[together == 0] = -1
        npmi[together == 1] = 1  # both words in every document: the limit of "only together"
        scores = np.full((len(words), len(words)), -1.0)
        scores[np.ix_(known, known)] = npmi
        return scores


def topic_diversity(topics: Iterable[Sequence[str]], top_n: int = 10) -> float:
    """Share of distinct words among the top words of all topics [1]_.

    Parameters
    ----------
    topics : iterable of sequences of str
        The words of each topic, most important first.
    top_n : int, default=10
        Words of each topic that count.

    Returns
    -------
    diversity : float in (0, 1], higher is better
        1 where no two topics share a word; NaN without any word.

    References
    ----------
    .. [1] A. B. Dieng, F. J. R. Ruiz, D. M. Blei, "Topic modeling in embedding spaces",
       TACL 2020.
    """
    words = [word for topic in topics for word in _distinct(topic[:top_n])]
    return len(set(words)) / len(words) if words else float("nan")


def _distinct(words: Iterable[str]) -> list[str]:
    """Drop empty words and repetitions, keep the order."""
    return [word for word in dict.fromkeys(words) if word]
