"""Coherence and diversity: by hand, and against plain counting."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import TopicCoherence, topic_diversity

words = st.sampled_from(["ant", "bee", "cat", "dog"])
texts = st.lists(st.lists(words, max_size=6).map(" ".join), min_size=1, max_size=12).filter(any)


def npmi_by_counting(documents, a, b):
    n = len(documents)
    p_a, p_b, p_ab = (
        sum(all(w in document.split() for w in needed) for document in documents) / n
        for needed in ([a], [b], [a, b])
    )
    if p_ab == 0:
        return -1.0
    return 1.0 if p_ab == 1 else math.log(p_ab / (p_a * p_b)) / -math.log(p_ab)


def test_by_hand():
    documents = ["a b", "a b", "a c", "d"]
    vectorizer = CountVectorizer(token_pattern=r"\w")
    coherence = TopicCoherence(documents, vectorizer=vectorizer)
    # p(a, b) = 1/2, p(a) = 3/4, p(b) = 1/2
    expected = math.log((1 / 2) / (3 / 4 * 1 / 2)) / -math.log(1 / 2)
    np.testing.assert_allclose(coherence.score_per_topic([["a", "b"]]), [expected])
    assert coherence.score([["a", "b"], ["b", "c"]]) == pytest.approx((expected - 1) / 2)


@given(texts, st.lists(st.lists(words, min_size=2, max_size=4, unique=True), min_size=1))
def test_equals_plain_counting(documents, topics):
    expected = [
        np.mean([npmi_by_counting(documents, a, b) for a, b in combinations(topic, 2)])
        for topic in topics
    ]
    scores = TopicCoherence(documents).score_per_topic(topics)
    np.testing.assert_allclose(scores, expected, atol=1e-12)
    assert (np.abs(scores) <= 1 + 1e-12).all()


def test_words_that_never_occur_meet_no_other():
    coherence = TopicCoherence(["red apple", "blue sky"])
    scores = coherence.score_per_topic([["red", "unheard"], ["unheard", "unseen"]])
    np.testing.assert_array_equal(scores, [-1, -1])


def test_padding_and_repetitions_do_not_count():
    coherence = TopicCoherence(["red apple", "red apple", "sky"])
    scores = coherence.score_per_topic([["red", "red", "apple", "", ""], ["red", ""], []])
    np.testing.assert_allclose(scores, [1, np.nan, np.nan])


def test_no_topic_can_be_scored():
    assert math.isnan(TopicCoherence(["red apple"]).score([["red"]]))


def test_only_the_first_words_are_scored():
    coherence = TopicCoherence(["red apple", "red apple", "sky"], top_n=2)
    np.testing.assert_allclose(coherence.score_per_topic([["red", "apple", "sky"]]), [1])


def test_the_vectorizer_decides_what_a_word_is():
    documents = ["New York is big", "new york again", "old york"]
    topic = [["new york", "york"]]
    bigrams = TopicCoherence(documents, vectorizer=CountVectorizer(ngram_range=(1, 2)))
    assert bigrams.score(topic) == pytest.approx(math.log(1) / -math.log(2 / 3))
    assert TopicCoherence(documents).score(topic) == -1


def test_diversity_by_hand():
    assert topic_diversity([["a", "b"], ["b", "c"]]) == 3 / 4
    assert topic_diversity([["a", "b"], ["b", "c"]], top_n=1) == 1
    assert topic_diversity([["a", "", ""]]) == 1
    assert math.isnan(topic_diversity([]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"measure": "c_x"}, "measure='c_x' must be one of npmi"), ({"top_n": 1}, "top_n=1")],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        TopicCoherence(["red apple"], **parameters)
