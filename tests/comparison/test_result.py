"""One run: what is measured of a fit, and its way to a file and back."""

import json
import math
import warnings

import numpy as np
import pytest
from made_runs import make_run
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import TopicCoherence, topic_diversity
from bertopic_matryoshka.comparison import Run, Setting
from bertopic_matryoshka.comparison._fit import Fitted
from bertopic_matryoshka.comparison._result import ARRAYS, measure_run
from bertopic_matryoshka.evaluation._bootstrap import bootstrap_coherence
from bertopic_matryoshka.evaluation._diversity import inverted_rbo, topic_balance

SETTING = Setting("k-means", 8, 0)
TEXTS = ["a b c", "a b", "a c", "d e", "d e f", "d f"] * 5 + ["a d"] * 3
FOUND = np.array([0, 0, 0, 1, 1, 1] * 5 + [-1] * 3)
SECONDS = {"reduce": 1.0, "graph": 8.0, "cluster": 2.0, "represent": 4.0}
FITTED = Fitted([(1, ("d", "e", "f"), 15), (0, ("a", "b"), 15)], FOUND, SECONDS)


@pytest.fixture(scope="module")
def coherence():
    analyzer = CountVectorizer(token_pattern=r"\w+").build_analyzer()
    return TopicCoherence([analyzer(text) for text in TEXTS], measure="c_npmi")


def measured(coherence, fitted=FITTED, labels=None, n_resamples=30):
    return measure_run(SETTING, fitted, coherence=coherence, labels=labels, n_resamples=n_resamples)


def test_what_is_measured(coherence):
    run = measured(coherence)
    words = [["d", "e", "f"], ["a", "b"]]
    scores = coherence.score_per_topic(words)
    assert run.setting == SETTING
    assert (run.dim, run.topic_model, run.seed) == (8, "k-means", 0)
    assert (run.n_topics, run.outlier_share) == (2, pytest.approx(3 / 33))
    assert run.coherence == pytest.approx(scores.mean())
    assert run.se_topics == pytest.approx(abs(scores[0] - scores[1]) / 2)
    samples = bootstrap_coherence(coherence, words, n_resamples=30)
    np.testing.assert_allclose(run.coherence_resamples, samples)
    assert run.se_documents == pytest.approx(samples.std(ddof=1))
    assert run.diversity == pytest.approx(topic_diversity(words))
    assert run.inverted_rbo == pytest.approx(inverted_rbo(words))
    assert run.balance == pytest.approx(topic_balance([15, 15]))
    assert [(t.id, t.words, t.size) for t in run.topics] == FITTED.topics
    assert [t.coherence for t in run.topics] == pytest.approx(list(scores))
    assert run.words == words
    assert (run.ami, run.ari, run.v_measure) == (None, None, None)
    assert run.umap_compile_seconds is None


def test_seconds_leave_measuring_out(coherence):
    run = measured(coherence, FITTED._replace(umap_compile_seconds=9.0))
    assert (run.reduce_seconds, run.cluster_seconds, run.represent_seconds) == (1, 2, 4)
    assert run.graph_seconds == 8
    assert run.seconds == 15
    assert run.evaluate_seconds > 0
    assert run.umap_compile_seconds == 9


def test_outliers_are_a_class_of_their_own(coherence):
    labels = np.where(FOUND == -1, 7, 1 - FOUND)
    assert measured(coherence, labels=labels).ami == pytest.approx(1)
    without = np.where(FOUND == -1, 0, FOUND)
    run = measured(coherence, labels=without)
    assert 0 < run.ami < 1
    assert 0 < run.ari < 1
    assert 0 < run.v_measure < 1


def test_no_topics(coherence):
    nothing = Fitted([], np.full(33, -1), SECONDS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = measured(coherence, nothing, labels=FOUND)
    assert (run.n_topics, run.outlier_share, run.topics) == (0, 1.0, ())
    for value in (run.coherence, run.se_topics, run.se_documents, run.diversity):
        assert math.isnan(value)
    assert np.isnan(run.coherence_resamples).all()
    assert run.ami == 0
    assert run.sample() == ""


def test_one_topic_has_no_error_over_topics(coherence):
    run = measured(coherence, Fitted([(0, ("a", "b"), 33)], np.zeros(33, int), SECONDS))
    assert run.coherence == pytest.approx(coherence.score([["a", "b"]]))
    assert math.isnan(run.se_topics)
    assert run.se_documents > 0


def test_a_topic_that_cannot_be_scored_is_left_out(coherence):
    run = measured(coherence, FITTED._replace(topics=[*FITTED.topics, (2, ("unheard",), 3)]))
    assert run.n_topics == 3
    assert run.coherence == measured(coherence).coherence
    assert run.se_topics == measured(coherence).se_topics
    assert math.isnan(run.topics[2].coherence)


def test_samples_that_cannot_be_scored_are_left_out_of_the_error():
    """Of three documents, none with the topic's words is in a third of the samples."""
    coherence = TopicCoherence([["a", "b"], ["c"], ["d"]], measure="c_npmi")
    run = measured(coherence, Fitted([(0, ("a", "b"), 1)], np.array([0, -1, -1]), SECONDS))
    scored = run.coherence_resamples[np.isfinite(run.coherence_resamples)]
    assert 2 < scored.size < 30
    assert run.se_documents == pytest.approx(scored.std(ddof=1))


def test_samples_are_the_same_for_all_runs(coherence):
    """Twice a topic is no difference on any sample of the documents."""
    twice = FITTED._replace(topics=[*FITTED.topics, *FITTED.topics])
    np.testing.assert_allclose(
        measured(coherence, twice).coherence_resamples, measured(coherence).coherence_resamples
    )


def test_a_sample_of_words():
    run = make_run(8, document_topics=[0, 0, 1, 1, 2, 3], words=("a", "b", "c", "d"))
    assert run.sample() == "a, b, c, d | a, b, c, d | a, b, c, d"
    assert run.sample(n_topics=1, n_words=2) == "a, b"


def test_to_json_and_back(coherence):
    run = measured(coherence, FITTED._replace(topics=[(2, ("unheard",), 3), *FITTED.topics]), FOUND)
    record = json.loads(json.dumps(run.record()))
    assert not set(ARRAYS) & set(record)
    arrays = {name: getattr(run, name) for name in ARRAYS}
    back = Run.of_record(record, arrays)
    assert repr(back) == repr(run)  # NaN is not equal to itself
    assert repr(back.topics) == repr(run.topics)
    assert back.setting == SETTING
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(run, name))
