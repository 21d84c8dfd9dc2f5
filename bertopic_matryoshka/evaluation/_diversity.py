"""Topics -> diversity of their words, and balance of their sizes."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.special import entr

from bertopic_matryoshka._constraints import check_arguments, flag, number, whole
from bertopic_matryoshka._validation import real_array
from bertopic_matryoshka.evaluation._folding import folded_forms
from bertopic_matryoshka.evaluation._words_of_topics import words_of_topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray


def topic_diversity(
    topics: Iterable[Sequence[str]], top_n: int = 10, *, fold: bool = True
) -> float:
    """Share of distinct words among the top words of all topics [1]_, near duplicates counted once.

    Parameters
    ----------
    topics : iterable of sequences of str
        Words of each topic, most important first. Empty words and repetitions within a topic are
        left out.
    top_n : int, default=10
        Number of words per topic that count.
    fold : bool, default=True
        Whether words that differ only in case, hyphens or an English plural are one word, so that
        topics with "game" and with "games" share it. False is the measure of the literature.

    Returns
    -------
    diversity : float in (0, 1], higher is better
        1 if no two topics share a word; NaN without any word.

    Raises
    ------
    TypeError
        If `topics` is one topic, or a word is not a string.
    ValueError
        If `top_n` is less than 1.

    References
    ----------
    .. [1] A. B. Dieng, F. J. R. Ruiz, D. M. Blei, "Topic modeling in embedding spaces",
       TACL 2020.

    Examples
    --------
    >>> from bertopic_matryoshka import topic_diversity
    >>> topics = [["game", "cup"], ["games", "play"]]
    >>> topic_diversity(topics), topic_diversity(topics, fold=False)
    (0.75, 1.0)
    """
    check_arguments(locals(), top_n=whole(1), fold=flag())
    found = distinct_of_each(words_of_topics(topics), top_n)
    if fold:
        forms = folded_forms(chain(*found))
        found = [distinct(map(forms.__getitem__, words)) for words in found]
    words = list(chain(*found))
    return len(set(words)) / len(words) if words else float("nan")


def inverted_rbo(topics: Iterable[Sequence[str]], top_n: int = 10, p: float = 0.9) -> float:
    """One minus the mean rank-biased overlap of pairs of topics' ranked words [1]_ [2]_.

    Unlike :func:`topic_diversity`, it weights shared words by their ranks and is a mean over pairs
    of topics.

    Parameters
    ----------
    topics : iterable of sequences of str
        Words of each topic, most important first. Empty words and repetitions within a topic are
        left out, and so are topics without words.
    top_n : int, default=10
        Number of words per topic that count, >= 1.
    p : float in (0, 1), default=0.9
        Weight of each rank relative to the one before it. A lower `p` gives more weight to the
        first words.

    Returns
    -------
    inverted_rbo : float in [0, 1], higher is better
        1 if no two topics share a word, 0 if all have the same words in the same order; NaN for
        fewer than two topics.

    Raises
    ------
    TypeError
        If `topics` is one topic, or a word is not a string.
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The overlap is extrapolated beyond the last word (equation 32 of [1]_). If all topics have
    `top_n` words, the result equals OCTIS's InvertedRBO.

    References
    ----------
    .. [1] W. Webber, A. Moffat, J. Zobel, "A similarity measure for indefinite rankings",
       ACM TOIS 2010.
    .. [2] F. Bianchi, S. Terragni, D. Hovy, "Pre-training is a hot topic: contextualized document
       embeddings improve topic coherence", ACL 2021.

    Examples
    --------
    >>> from bertopic_matryoshka import inverted_rbo
    >>> round(inverted_rbo([["red", "apple"], ["apple", "red"]]), 3)
    0.1
    """
    check_arguments(locals(), top_n=whole(1), p=number("(0, 1)", remedy="The literature uses 0.9."))
    words = distinct_of_each(words_of_topics(topics), top_n)
    if len(words) < 2:
        return float("nan")
    lengths = np.array([len(topic) for topic in words])
    one, other = np.triu_indices(len(words), 1)
    short, long = np.sort([lengths[one], lengths[other]], axis=0)
    agreement = shared_to_short = overlap = np.zeros(one.size)
    for depth, counts in enumerate(shared_words(words, words), 1):
        shared = counts[one, other]
        shared_to_short = np.where(depth <= short, shared, shared_to_short)
        # Beyond its end, the shorter topic is assumed to keep its share of common words.
        assumed = shared_to_short / short * np.maximum(depth - short, 0)
        agreement = np.where(depth <= long, (shared + assumed) / depth, agreement)
        overlap = overlap + (1 - p) * p ** (depth - 1) * agreement
    overlap += p ** lengths.max() * agreement
    return float(max(1 - overlap.mean(), 0.0))  # rounding may leave -2e-16


def topic_balance(sizes: ArrayLike) -> float:
    """Evenness of the topics' sizes: Pielou's evenness [1]_.

    Shannon entropy of the topics' shares of the documents, divided by its maximum, log(n_topics).
    It is near 0 if one topic has nearly all documents.

    Parameters
    ----------
    sizes : array-like of shape (n_topics,)
        Number of documents of each topic, >= 0, without the outliers.

    Returns
    -------
    balance : float in [0, 1]
        1 if all topics have the same size. Higher is not better as such: the topics of a corpus
        need not be equally frequent. NaN for fewer than two topics, and without documents.

    Raises
    ------
    TypeError
        If a size is no number.
    ValueError
        If `sizes` is not one-dimensional, or a size is negative or not finite.

    References
    ----------
    .. [1] E. C. Pielou, "The measurement of diversity in different types of biological
       collections", Journal of Theoretical Biology 1966.

    Examples
    --------
    >>> from bertopic_matryoshka import topic_balance
    >>> topic_balance([50, 50]), round(topic_balance([99, 1]), 3)
    (1.0, 0.081)
    """
    counts = real_array(sizes, "sizes").astype(np.float64)
    if counts.ndim != 1:
        raise ValueError(f"sizes has shape {counts.shape} and must have shape (n_topics,).")
    wrong = np.flatnonzero(~(np.isfinite(counts) & (counts >= 0)))
    if wrong.size:
        raise ValueError(
            f"sizes[{wrong[0]}]={counts[wrong[0]]:g} must be a number of documents, at least 0."
        )
    if counts.size < 2 or not counts.any():
        return float("nan")
    entropy = entr(counts / counts.sum()).sum()
    return float(min(entropy / np.log(counts.size), 1.0))  # rounding may leave 1 + 2e-16


def distinct(words: Iterable[str]) -> list[str]:
    """Drop empty words and repetitions, keep the order."""
    return [word for word in dict.fromkeys(words) if word]


def distinct_of_each(topics: Iterable[Sequence[str]], top_n: int) -> list[list[str]]:
    """Get the distinct words among each topic's first `top_n`, for topics that have any."""
    return [words for topic in topics if (words := distinct(topic[:top_n]))]


def shared_words(
    topics: Sequence[Sequence[str]], others: Sequence[Sequence[str]]
) -> Iterator[NDArray[np.int_]]:
    """Count the words that topics share among their first word, their first two, and so on.

    Parameters
    ----------
    topics, others : sequence of sequences of str
        Distinct words, most important first.

    Yields
    ------
    shared : ndarray of shape (n_topics, n_others), int
        The k-th array, from 1, counts among the first k words; the last one among all words.
    """
    column = {word: i for i, word in enumerate(dict.fromkeys(chain(*topics, *others)))}
    ranks, other_ranks = (_ranks(lists, column) for lists in (topics, others))
    for depth in range(1, max(map(len, chain(topics, others)), default=0) + 1):
        yield (_within(ranks, depth) @ _within(other_ranks, depth).T).toarray()


def _ranks(topics: Sequence[Sequence[str]], column: dict[str, int]) -> Any:
    """Build a sparse array of shape (n_topics, n_words) of each word's rank, from 1."""
    lengths = [len(topic) for topic in topics]
    ranks = [rank for length in lengths for rank in range(1, length + 1)]
    columns = [column[word] for topic in topics for word in topic]
    starts = np.cumsum([0, *lengths])
    return csr_array((ranks, columns, starts), shape=(len(topics), len(column)), dtype=np.int_)


def _within(ranks: Any, depth: int) -> Any:
    inside = (ranks.data <= depth).astype(np.int_)
    return csr_array((inside, ranks.indices, ranks.indptr), shape=ranks.shape)
