"""Bootstrap samples of documents: equal to scoring each sample by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertopic_matryoshka import TopicCoherence
from bertopic_matryoshka.evaluation._bootstrap import bootstrap_coherence
from bertopic_matryoshka.evaluation._measures import MEASURES

words = st.sampled_from(list("abcdefg"))
corpora = st.lists(st.lists(words, max_size=12), min_size=1, max_size=8)
topic_lists = st.lists(st.lists(words, max_size=5), min_size=1, max_size=5)


@pytest.mark.parametrize("measure", MEASURES)
@given(corpus=corpora, topics=topic_lists, times=st.sampled_from([1, 1, 1, 40]))
def test_equals_scoring_the_samples(measure, corpus, topics, times):
    """A document that is drawn n times stands n times in the sample."""
    topics = topics * times  # many are scored in several groups
    coherence = TopicCoherence(corpus, measure=measure)
    scores = bootstrap_coherence(coherence, topics, n_resamples=5, random_state=3)
    times = np.random.default_rng([3, 0]).poisson(1.0, size=(len(corpus), 5))
    for sample, score in zip(times.T, scores, strict=True):
        drawn = [d for d, n in zip(corpus, sample, strict=True) for _ in range(n)]
        expected = TopicCoherence(drawn, measure=measure).score(topics)
        np.testing.assert_allclose(score, expected, atol=1e-9)


def test_it_says_how_far_samples_of_documents_differ():
    """The spread is that of coherence over corpora drawn from the same source."""
    rng = np.random.default_rng(0)

    def corpus():
        return [
            ["a", "b"] if rng.random() < 0.3 else ["a"] if rng.random() < 0.4 else ["b", "c"]
            for _ in range(400)
        ]

    topics = [["a", "b"], ["b", "c"]]
    scores = [TopicCoherence(corpus(), measure="c_npmi").score(topics) for _ in range(300)]
    samples = bootstrap_coherence(
        TopicCoherence(corpus(), measure="c_npmi"), topics, n_resamples=300
    )
    assert samples.std() == pytest.approx(np.std(scores), rel=0.25)


def test_samples_are_the_same_for_all_topics_and_differ_by_seed():
    coherence = TopicCoherence([["a", "b"], ["a"], ["b", "c"]] * 20)
    first = bootstrap_coherence(coherence, [["a", "b"]])
    assert first.shape == (200,)
    np.testing.assert_array_equal(first, bootstrap_coherence(coherence, [["a", "b"]]))
    both = bootstrap_coherence(coherence, [["a", "b"], ["a", "b"]])
    np.testing.assert_allclose(both, first)
    assert not np.array_equal(first, bootstrap_coherence(coherence, [["a", "b"]], random_state=1))


def test_no_topics():
    coherence = TopicCoherence([["a", "b"]])
    assert np.isnan(bootstrap_coherence(coherence, [], n_resamples=3)).all()
    assert np.isnan(bootstrap_coherence(coherence, [["unheard"]], n_resamples=3)).all()
