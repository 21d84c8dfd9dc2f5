"""Counts of words and pairs -> coherence of a topic: the measures, each with its paper.

Each measure takes the counts of one topic's words:

together : ndarray of shape (..., n_words, n_words)
    Number of windows that contain both words; on the diagonal, those that contain the word. Leading
    axes hold several counts of one topic, such as those of bootstrap samples.
n_windows : float or ndarray of shape (...)
    Number of all windows, including those without any of the words.
topic : ndarray of shape (n_positions,), int
    The topic as indices into the words, most important first; words may be repeated.

and returns an ndarray of shape (...), float64, NaN if too few words can be scored. The four
measures that gensim has too give the values of gensim 4, with its epsilon and its treatment of
repeated words; they leave out words that no window contains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

EPSILON = 1e-12
"""Constant added to the probability of a pair, so that its logarithm is finite: gensim's value."""


def c_uci(together: NDArray[Any], n_windows: Any, topic: NDArray[np.int_]) -> Scores:
    """Mean over pairs of log((p(a, b) + epsilon) / (p(a) p(b))) [1]_ [2]_.

    Pointwise mutual information: 0 for independent words, higher is better. Bounded only by epsilon
    and the size of the corpus.

    References
    ----------
    .. [1] D. Newman, J. H. Lau, K. Grieser, T. Baldwin, "Automatic evaluation of topic coherence",
       NAACL 2010.
    .. [2] M. Röder, A. Both, A. Hinneburg, "Exploring the space of topic coherence measures", WSDM
       2015.
    """
    both, alone = _probabilities(together, n_windows)
    return _mean_of_pairs(_log_ratio(both, alone), topic, alone > 0)


def c_npmi(together: NDArray[Any], n_windows: Any, topic: NDArray[np.int_]) -> Scores:
    """Mean over pairs of the log ratio of c_uci, divided by -log(p(a, b) + epsilon) [1]_ [2]_.

    In [-1, 1], higher is better, 0 for independent words. OCTIS calls this NPMI.

    References
    ----------
    .. [1] N. Aletras, M. Stevenson, "Evaluating topic coherence using distributional semantics",
       IWCS 2013.
    .. [2] M. Röder, A. Both, A. Hinneburg, "Exploring the space of topic coherence measures", WSDM
       2015.
    """
    both, alone = _probabilities(together, n_windows)
    return _mean_of_pairs(_npmi(both, alone), topic, alone > 0)


def c_v(together: NDArray[Any], n_windows: Any, topic: NDArray[np.int_]) -> Scores:
    """Mean over words of the cosine between a word's vector and the sum of all vectors [1]_.

    A word's vector has its NPMI with each word of the topic. In [-1, 1], mostly in [0, 1], higher
    is better. A topic of one word has 1.

    References
    ----------
    .. [1] M. Röder, A. Both, A. Hinneburg, "Exploring the space of topic coherence measures", WSDM
       2015.
    """
    both, alone = _probabilities(together, n_windows)
    seen = alone > 0
    repeats = np.bincount(topic, minlength=together.shape[-1])
    vectors = np.where(seen[..., None, :] & seen[..., None], _npmi(both, alone), 0) * repeats
    whole = repeats @ vectors  # (..., n_words)
    products = (vectors @ whole[..., None])[..., 0]
    norms = np.linalg.norm(vectors, axis=-1) * np.linalg.norm(whole, axis=-1)[..., None]
    with np.errstate(invalid="ignore"):  # a vector of zeros has no direction
        return _mean((products / norms)[..., topic], seen[..., topic])


def u_mass(together: NDArray[Any], n_windows: Any, topic: NDArray[np.int_]) -> Scores:
    """Mean over pairs of log((p(a, b) + epsilon) / p(b)), b before a in the topic [1]_.

    At most about 0, higher is better.

    References
    ----------
    .. [1] D. Mimno, H. Wallach, E. Talley, M. Leenders, A. McCallum, "Optimizing semantic coherence
       in topic models", EMNLP 2011.
    """
    both, alone = _probabilities(together, n_windows)
    with np.errstate(divide="ignore"):
        conditional = np.log((both + EPSILON) / alone[..., None, :])
    later, earlier = (topic[i] for i in np.tril_indices(topic.size, -1))
    seen = alone > 0
    return _mean(conditional[..., later, earlier], seen[..., later] & seen[..., earlier])


def npmi(together: NDArray[Any], n_windows: Any, topic: NDArray[np.int_]) -> Scores:
    """Mean over pairs of log(p(a, b) / (p(a) p(b))) / -log p(a, b) [1]_ [2]_.

    In [-1, 1], higher is better: 1 if the words only occur together, 0 if they are independent, -1
    if they never co-occur.

    References
    ----------
    .. [1] G. Bouma, "Normalized (pointwise) mutual information in collocation extraction", GSCL
       2009.
    .. [2] J. H. Lau, D. Newman, T. Baldwin, "Machine reading tea leaves: automatically evaluating
       topic coherence and topic model quality", EACL 2014.
    """
    both, alone = _probabilities(together, n_windows)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.log(both / (alone[..., :, None] * alone[..., None, :])) / -np.log(both)
    scores[both == 0] = -1
    scores[both == 1] = 1  # both words in every document: the limit of "only together"
    return _mean_of_pairs(scores, topic, np.ones_like(alone, dtype=bool))


class Measure(NamedTuple):
    """Function of a measure, and its windows.

    `window_size` is in tokens, None for whole documents. With `as_gensim`, words that never occur
    are left out and repeated ones are kept; otherwise each word counts once, seen or not.
    """

    of: Callable[[NDArray[Any], Any, NDArray[np.int_]], Scores]
    window_size: int | None
    as_gensim: bool


MEASURES = {
    "c_v": Measure(c_v, 110, as_gensim=True),
    "c_npmi": Measure(c_npmi, 10, as_gensim=True),
    "c_uci": Measure(c_uci, 10, as_gensim=True),
    "u_mass": Measure(u_mass, None, as_gensim=True),
    "npmi": Measure(npmi, None, as_gensim=False),
}
"""Measures by name, with the window sizes of gensim and of Röder et al. 2015."""


def _probabilities(together: NDArray[Any], n_windows: Any) -> tuple[Scores, Scores]:
    both = together / np.asarray(n_windows, dtype=np.float64)[..., None, None]
    return both, np.diagonal(both, axis1=-2, axis2=-1)


def _log_ratio(both: Scores, alone: Scores) -> Scores:
    with np.errstate(divide="ignore"):  # words that no window contains are left out of the means
        return np.log((both + EPSILON) / (alone[..., :, None] * alone[..., None, :]))


def _npmi(both: Scores, alone: Scores) -> Scores:
    return _log_ratio(both, alone) / -np.log(both + EPSILON)


def _mean_of_pairs(scores: Scores, topic: NDArray[np.int_], seen: NDArray[np.bool_]) -> Scores:
    one, other = (topic[i] for i in np.triu_indices(topic.size, 1))
    return _mean(scores[..., one, other], seen[..., one] & seen[..., other])


def _mean(scores: Scores, counted: NDArray[np.bool_]) -> Scores:
    """Mean over the last axis of the counted scores; NaN without any."""
    n = counted.sum(axis=-1)
    mean: Scores = np.where(counted, scores, 0).sum(axis=-1) / np.where(n, n, np.nan)
    return mean
