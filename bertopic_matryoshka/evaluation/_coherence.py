"""Topics -> how well their words go together."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka._validation import find_device
from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.evaluation._measures import MEASURES
from bertopic_matryoshka.evaluation._tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bertopic_matryoshka.evaluation._counts import WordCounts


class TopicCoherence:
    """Coherence of topics' words over a corpus, counted once and looked up for every topic.

    The four measures that gensim has give gensim's values, to 1e-6.

    Parameters
    ----------
    documents_or_tokens : iterable of str, or of sequences of str
        The corpus that words are counted in: documents, or their tokens. A list is tokenised once.
        An object that can be iterated again and again but has no length, such as one that reads a
        file, is read anew whenever new words are counted, and is not held in memory. The `tokens`
        of another TopicCoherence are taken as they are. A document that is repeated counts each
        time, as in gensim; hand in distinct ones to count it once.
    measure : {"c_v", "c_npmi", "c_uci", "u_mass", "npmi"}, default="c_v"
        A mean over a topic's words or pairs, with p the share of windows that hold them:

        ========== =========================================== ========= ================= =========
        measure    formula                                     windows   range             source
        ========== =========================================== ========= ================= =========
        "c_v"      cosine of a word's NPMI vector and the sum  110       [-1, 1]           [1]_
        "c_npmi"   log(p(a, b) / (p(a) p(b))) / -log p(a, b)   10        [-1, 1]           [2]_
        "c_uci"    log(p(a, b) / (p(a) p(b)))                  10        unbounded         [3]_
        "u_mass"   log(p(a, b) / p(b)), b before a             documents about (-28, 0]    [4]_
        "npmi"     as "c_npmi"                                 documents [-1, 1]           [5]_ [6]_
        ========== =========================================== ========= ================= =========

        Higher is better. The first four add gensim's epsilon, 1e-12, to p(a, b), leave out words
        that never occur, and count a repeated word as often as the topic has it. OCTIS's NPMI is
        "c_npmi". "npmi" is exact at the limits, gives -1 to a pair that never meets, whether or not
        its words occur, and counts a repeated word once.
    vectorizer : CountVectorizer, default=None
        What turns a document into words. Give the topic model's own `vectorizer_model`, and
        n-grams and stop words are right. None is ``CountVectorizer()``. Not used for tokens.
    window_size : int or None, default=None
        Tokens in a sliding window, >= 1. None takes the measure's own, see above.
    top_n : int, default=10
        Words of each topic that are scored, the first ones.
    device : str or None, default=None
        What counts, such as "cuda" or "cpu". None takes a GPU where there is one. Counts are
        integers and the same everywhere.

    Raises
    ------
    ValueError
        If a parameter is out of range, or a GPU is asked for and absent.
    TypeError
        If the documents are one string; when words are counted, if an item of them is neither a
        string nor a list of strings.

    References
    ----------
    .. [1] M. Röder, A. Both, A. Hinneburg, "Exploring the space of topic coherence measures",
       WSDM 2015.
    .. [2] N. Aletras, M. Stevenson, "Evaluating topic coherence using distributional semantics",
       IWCS 2013.
    .. [3] D. Newman, J. H. Lau, K. Grieser, T. Baldwin, "Automatic evaluation of topic coherence",
       NAACL 2010.
    .. [4] D. Mimno, H. Wallach, E. Talley, M. Leenders, A. McCallum, "Optimizing semantic coherence
       in topic models", EMNLP 2011.
    .. [5] G. Bouma, "Normalized (pointwise) mutual information in collocation extraction",
       GSCL 2009.
    .. [6] J. H. Lau, D. Newman, T. Baldwin, "Machine reading tea leaves: automatically
       evaluating topic coherence and topic model quality", EACL 2014.

    Examples
    --------
    >>> from bertopic_matryoshka import TopicCoherence
    >>> coherence = TopicCoherence(["red apple", "red apple", "blue sky", "sky"], measure="npmi")
    >>> coherence.score_per_topic([["red", "apple"], ["red", "sky"]])
    array([ 1., -1.])
    """

    def __init__(
        self,
        documents_or_tokens: Iterable[str] | Iterable[Sequence[str]] | Tokens,
        *,
        measure: str = "c_v",
        vectorizer: CountVectorizer | None = None,
        window_size: int | None = None,
        top_n: int = 10,
        device: str | None = None,
    ) -> None:
        from bertopic_matryoshka.evaluation._counts import WordCounts  # needs torch

        if measure not in MEASURES:
            raise ValueError(f"measure={measure!r} must be one of {', '.join(MEASURES)}.")
        if top_n < 2:
            raise ValueError(
                f"top_n={top_n} must be at least 2: coherence compares pairs of words."
            )
        self._measure = MEASURES[measure]
        self.score_counts = self._measure.of
        if window_size is None:
            window_size = self._measure.window_size
        elif window_size < 1 or self._measure.window_size is None:
            raise ValueError(
                f"window_size={window_size} must be at least 1, and None for u_mass and npmi, "
                "which count whole documents."
            )
        self.measure = measure
        self.window_size = window_size
        self.top_n = top_n
        self.device = find_device(device)
        if not isinstance(documents_or_tokens, Tokens):
            analyzer = (vectorizer or CountVectorizer()).build_analyzer()
            documents_or_tokens = Tokens(documents_or_tokens, analyzer)
        self.tokens = documents_or_tokens
        self.counts: WordCounts = WordCounts(window_size)

    def score_per_topic(self, topics: Iterable[Sequence[str]]) -> NDArray[np.float64]:
        """Score each topic. Words that were not counted before are counted now, all at once.

        Parameters
        ----------
        topics : iterable of sequences of str
            The words of each topic, most important first. Words beyond `top_n` and empty words,
            with which BERTopic pads short topics, are left out.

        Returns
        -------
        scores : ndarray of shape (n_topics,), float64, higher is better
            NaN for a topic of fewer than two words, where gensim gives NaN too or fails; with "c_v"
            for a topic without any word, and 1 for one of a single word, as gensim has it.

        Raises
        ------
        TypeError
            If `topics` is one topic, or a word is not a string.
        """
        topics = self.cut(topics)
        self.count(chain.from_iterable(topics))
        scores = np.empty(len(topics))
        for members, rows, topic in self.alike(topics):
            together = self.counts.of(rows)
            scores[members] = self.score_counts(together, max(self.counts.n_windows, 1), topic)
        return scores

    def score(self, topics: Iterable[Sequence[str]]) -> float:
        """Mean of :meth:`score_per_topic` over the topics that can be scored; NaN without any."""
        scores = self.score_per_topic(topics)
        scored = scores[~np.isnan(scores)]
        return float(scored.mean()) if scored.size else float("nan")

    def count(self, words: Iterable[str]) -> None:
        """Count words that are not counted yet, so that scores of their topics are look-ups.

        Scoring counts what it needs by itself. To count the words of many topic models in one walk
        over the corpus, name them all here first.
        """
        self.counts.extend(self.tokens, words, self.device)

    def save_counts(self, path: str | Path) -> None:
        """Write the counts to a file, for :meth:`load_counts` on the same corpus."""
        self.counts.save(path)

    def load_counts(self, path: str | Path) -> None:
        """Take counts from a file that :meth:`save_counts` has written.

        Raises
        ------
        ValueError
            If they are of another window size; when words are counted, if they are of a corpus
            that differs in its number of documents or tokens.
        """
        from bertopic_matryoshka.evaluation._counts import WordCounts

        counts = WordCounts.load(path)
        if counts.window_size != self.window_size:
            raise ValueError(
                f"{path} has counts of window_size={counts.window_size}, but this has "
                f"window_size={self.window_size}. Take the same measure or window_size."
            )
        self.counts = counts

    def cut(self, topics: Iterable[Sequence[str]]) -> list[list[str]]:
        """Give the words of each topic that are scored."""
        kept = [[word for word in topic[: self.top_n] if word] for topic in _checked(topics)]
        return kept if self._measure.as_gensim else [list(dict.fromkeys(words)) for words in kept]

    def alike(
        self, topics: Sequence[Sequence[str]]
    ) -> Iterator[tuple[list[int], NDArray[np.intp], NDArray[np.intp]]]:
        """Put together the topics that can be scored at once; their words are counted already.

        Yields
        ------
        members : list of int
            Positions in `topics`.
        words : ndarray of shape (n_members, n_words), int
            The distinct words of each, as numbered in `counts`.
        topic : ndarray of shape (n_positions,), int
            All of them as indices into their words.
        """
        patterns: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        words_of = []
        for i, topic in enumerate(topics):
            place: dict[int, int] = {}
            pattern = []
            for number in map(self.counts.number.__getitem__, topic):
                if self._measure.as_gensim and not self.counts.alone[number]:
                    continue
                pattern.append(place.setdefault(number, len(place)))
            words_of.append(list(place))
            patterns[tuple(pattern)].append(i)
        for alike, members in patterns.items():
            words = np.array([words_of[i] for i in members], dtype=np.intp)
            yield members, words, np.array(alike, dtype=np.intp)


def embedding_coherence(
    topics: Iterable[Sequence[str]], backend: Any, *, top_n: int = 10
) -> NDArray[np.float64]:
    """Mean cosine of the pairs of a topic's words under an embedding model [1]_.

    Parameters
    ----------
    topics : iterable of sequences of str
        The words of each topic, most important first. Empty words are left out, and a word given
        twice counts once.
    backend : MatryoshkaBackend, or any embedder of BERTopic
    top_n : int, default=10
        Words of each topic that are scored, the first ones.

    Returns
    -------
    scores : ndarray of shape (n_topics,), float64, in [-1, 1], higher is better
        NaN for a topic of fewer than two words. The model that found the topics flatters them:
        score with another one where topics of several models are compared.

    References
    ----------
    .. [1] R. Ding, R. Nallapati, B. Xiang, "Coherence-aware neural topic modeling", EMNLP 2018.
    """
    words_of = [list(dict.fromkeys(filter(None, topic[:top_n]))) for topic in _checked(topics)]
    words = list(dict.fromkeys(chain.from_iterable(words_of)))
    if not words:
        return np.full(len(words_of), np.nan)
    vectors = unit_rows(np.asarray(backend.embed_words(words), dtype=np.float64))
    row = {word: i for i, word in enumerate(words)}
    scores = np.full(len(words_of), np.nan)
    for i, topic in enumerate(words_of):
        if len(topic) >= 2:
            unit = vectors[[row[word] for word in topic]]
            scores[i] = (unit @ unit.T)[np.triu_indices(len(topic), 1)].mean()
    return scores


def _checked(topics: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    checked = list(topics)
    for position, topic in enumerate(checked):
        if isinstance(topic, str) or not all(isinstance(word, str) for word in topic):
            raise TypeError(
                f"topics[{position}]={topic!r:.80} must be a list of words, each a string. Pass a "
                "list of topics, such as [[word for word, _ in topic_model.get_topic(0)]]."
            )
    return checked
