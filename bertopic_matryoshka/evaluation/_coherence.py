"""Topics -> coherence of their words."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka._constraints import check_arguments, choice, instance, whole, with_methods
from bertopic_matryoshka._validation import find_device
from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.evaluation._measures import MEASURES
from bertopic_matryoshka.evaluation._tokens import Tokens
from bertopic_matryoshka.evaluation._words_of_topics import words_of_topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bertopic_matryoshka.evaluation._counts import WordCounts


EMBEDDER = with_methods("an embedder, such as a MatryoshkaBackend", "embed_words")


class TopicCoherence:
    """Coherence of topics' words over a corpus, from word counts that are kept.

    The four measures that gensim has too give gensim's values, to 1e-6.

    Parameters
    ----------
    documents_or_tokens : iterable of str, or of sequences of str
        Corpus for the word counts: documents, or their tokens. A list is tokenised once. A
        re-iterable object without a length, such as one that reads a file, is read again whenever
        new words are counted, and is not held in memory. The `tokens` of another TopicCoherence
        are used as they are. Repeated documents count each time, as in gensim; pass distinct ones
        to count each once.
    measure : {"c_v", "c_npmi", "c_uci", "u_mass", "npmi"}, default="c_v"
        Mean over a topic's words or pairs of words; p is the share of windows that contain them:

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
        "c_npmi". "npmi" has no epsilon, gives -1 to a pair that never co-occurs, even if a word of
        it never occurs, and counts a repeated word once.
    vectorizer : CountVectorizer or None, default=None
        Vectorizer that tokenises documents. Pass the topic model's own `vectorizer_model`, so that
        n-grams and stop words match. None is ``CountVectorizer()``. Not used for tokens.
    window_size : int or None, default=None
        Size of the sliding window in tokens, >= 1. None is the measure's own, see above; it must be
        None for "u_mass" and "npmi".
    top_n : int, default=10
        Number of words per topic that are scored, >= 2.
    device : str or None, default=None
        Device on which words are counted, such as "cuda" or "cpu". None uses a GPU if there is one.
        Counts are integers and do not depend on the device.

    Raises
    ------
    ValueError
        If a parameter is out of range, or `device` is a GPU that is not available.
    TypeError
        If the documents are a single string; when words are counted, if an item is neither a string
        nor a list of strings.

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

        check_arguments(
            locals(),
            measure=choice(MEASURES),
            top_n=whole(2, remedy="Coherence compares pairs of words."),
            window_size=whole(1, none=True),
            vectorizer=instance(CountVectorizer, none=True),
        )
        self._measure = MEASURES[measure]
        self.score_counts = self._measure.of
        if window_size is None:
            window_size = self._measure.window_size
        elif self._measure.window_size is None:
            raise ValueError(
                f"window_size={window_size} must be None for u_mass and npmi, "
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
        # A window longer than any document holds it whole, as a still longer one would.
        longest = np.iinfo(np.int32).max
        self.counts: WordCounts = WordCounts(window_size and min(int(window_size), longest))

    def score_per_topic(self, topics: Iterable[Sequence[str]]) -> NDArray[np.float64]:
        """Score each topic; words that are not counted yet are counted in one pass.

        Parameters
        ----------
        topics : iterable of sequences of str
            Words of each topic, most important first. Words beyond `top_n` and empty words, with
            which BERTopic pads short topics, are left out.

        Returns
        -------
        scores : ndarray of shape (n_topics,), float64, higher is better
            NaN for a topic with fewer than two scored words, where gensim gives NaN or fails. With
            "c_v" a topic with a single scored word has 1, as in gensim, and one with none has NaN.

        Raises
        ------
        TypeError
            If `topics` is one topic, or a word is not a string.
        """
        topics = self.cut(topics)
        self.counts.extend(self.tokens, topics, self.device)
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

    def count(self, topics: Iterable[Sequence[str]]) -> None:
        """Count the pairs of words in topics that are not counted yet; scoring is then a look-up.

        Scoring counts missing pairs by itself. To count those of many topic models in one pass over
        the corpus, pass the topics of all of them here first. Memory grows with the number of pairs
        within topics.
        """
        self.counts.extend(self.tokens, self.cut(topics), self.device)

    def save_counts(self, path: str | Path) -> None:
        """Write the counts to a .npz file, for :meth:`load_counts` on the same corpus."""
        self.counts.save(path)

    def load_counts(self, path: str | Path) -> None:
        """Load counts that :meth:`save_counts` wrote.

        The corpus is compared by a digest: it is read once, but not tokenised.

        Raises
        ------
        ValueError
            If the window sizes differ, or the counts are of other documents or another vectorizer.
        """
        from bertopic_matryoshka.evaluation._counts import WordCounts

        counts = WordCounts.load(path)
        if counts.window_size != self.window_size:
            raise ValueError(
                f"{path} has counts of window_size={counts.window_size}, but this has "
                f"window_size={self.window_size}. Take the same measure or window_size."
            )
        counts.check_corpus(self.tokens)
        self.counts = counts

    def cut(self, topics: Iterable[Sequence[str]]) -> list[list[str]]:
        """Truncate each topic to the words that are scored."""
        kept = [[word for word in topic[: self.top_n] if word] for topic in words_of_topics(topics)]
        return kept if self._measure.as_gensim else [list(dict.fromkeys(words)) for words in kept]

    def alike(
        self, topics: Sequence[Sequence[str]]
    ) -> Iterator[tuple[list[int], NDArray[np.intp], NDArray[np.intp]]]:
        """Group the topics that can be scored at once; their words are counted already.

        Yields
        ------
        members : list of int
            Positions in `topics`.
        words : ndarray of shape (n_members, n_words), int
            Distinct words of each topic, as numbered in `counts`.
        topic : ndarray of shape (n_positions,), int
            Each topic as indices into its row of `words`, the same for all members.
        """
        patterns: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        words_of = []
        alone = self.counts.alone
        for i, topic in enumerate(topics):
            place: dict[int, int] = {}
            pattern = []
            for number in map(self.counts.number.__getitem__, topic):
                if self._measure.as_gensim and not alone[number]:
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
    """Mean cosine similarity of the pairs of a topic's words in an embedding model [1]_.

    Parameters
    ----------
    topics : iterable of sequences of str
        Words of each topic, most important first. Empty words are left out, and a repeated word
        counts once.
    backend : MatryoshkaBackend, or any embedder of BERTopic
    top_n : int, default=10
        Number of words per topic that are scored.

    Returns
    -------
    scores : ndarray of shape (n_topics,), float64, in [-1, 1], higher is better
        NaN for a topic of fewer than two words. The model that found the topics may favour them:
        score with another one to compare topics of several models.

    Raises
    ------
    TypeError
        If `topics` is one topic, or a word is not a string.

    References
    ----------
    .. [1] R. Ding, R. Nallapati, B. Xiang, "Coherence-aware neural topic modeling", EMNLP 2018.
    """
    check_arguments(
        locals(), top_n=whole(2, remedy="Coherence compares pairs of words."), backend=EMBEDDER
    )
    words_of = [
        list(dict.fromkeys(filter(None, topic[:top_n]))) for topic in words_of_topics(topics)
    ]
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
