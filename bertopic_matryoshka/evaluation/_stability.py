"""Topics of two models -> agreement of their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from bertopic_matryoshka._constraints import check_arguments, whole
from bertopic_matryoshka.evaluation._diversity import distinct_of_each, shared_words
from bertopic_matryoshka.evaluation._words_of_topics import words_of_topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def topic_stability(
    topics: Iterable[Sequence[str]], others: Iterable[Sequence[str]], top_n: int = 10
) -> float:
    """Agreement of two models' topics by their ranked words [1]_.

    Topics are matched one to one so that the sum of similarities is largest (Hungarian method).
    The similarity of two topics is the average Jaccard index: the mean of the Jaccard indices of
    the first word, the first two words, and so on to the end of the longer topic.

    Only words are compared, so that the models may differ in seed, width or documents.

    Parameters
    ----------
    topics, others : iterable of sequences of str
        Words of each topic of a model, most important first. Empty words and repetitions within a
        topic are left out, and so are topics without words.
    top_n : int, default=10
        Number of words per topic that count, >= 1.

    Returns
    -------
    stability : float in [0, 1], higher is better
        Mean similarity over the topics of the model with more topics; unmatched topics count 0, so
        that splitting or losing topics lowers it. Symmetric in the two models. NaN if neither has
        a topic.

    Raises
    ------
    TypeError
        If `topics` or `others` is one topic, or a word is not a string.
    ValueError
        If `top_n` is less than 1.

    References
    ----------
    .. [1] D. Greene, D. O'Callaghan, P. Cunningham, "How many topics? Stability analysis for
       topic models", ECML PKDD 2014; for models with equally many topics.

    Examples
    --------
    >>> from bertopic_matryoshka import topic_stability
    >>> topic_stability([["red", "apple"], ["sky"]], [["sky"], ["red", "pear"]])
    0.8333333333333333
    """
    check_arguments(locals(), top_n=whole(1))
    first = distinct_of_each(words_of_topics(topics), top_n)
    second = distinct_of_each(words_of_topics(others, "others"), top_n)
    if not first and not second:
        return float("nan")
    lengths = np.array([len(topic) for topic in first], dtype=np.int_)[:, None]
    other_lengths = np.array([len(topic) for topic in second], dtype=np.int_)
    long = np.maximum(lengths, other_lengths)
    similarity = np.zeros(long.shape)
    for depth, shared in enumerate(shared_words(first, second), 1):
        either = np.minimum(lengths, depth) + np.minimum(other_lengths, depth) - shared
        similarity += np.where(depth <= long, shared / either, 0) / long
    matched = similarity[linear_sum_assignment(similarity, maximize=True)]
    return float(min(matched.sum() / max(similarity.shape), 1.0))  # rounding may leave 1 + 2e-16
