"""One cell: what is measured of a fit, and its way to a file and back."""

import json
import math
import warnings

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from bertopic.dimensionality import BaseDimensionalityReduction
from made_cells import make_cell
from sklearn.cluster import DBSCAN, KMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import TopicCoherence, topic_diversity
from bertopic_matryoshka.comparison._grid import Line, Spec
from bertopic_matryoshka.comparison._result import ARRAYS, Cell, Fitted, fit_cell, measure_cell
from bertopic_matryoshka.evaluation._bootstrap import bootstrap_coherence
from bertopic_matryoshka.evaluation._diversity import inverted_rbo, topic_balance

SPEC = Spec(Line("m", "prefix", "none", "", "KMeans"), 8, 0)
TEXTS = ["a b c", "a b", "a c", "d e", "d e f", "d f"] * 5 + ["a d"] * 3
FOUND = np.array([0, 0, 0, 1, 1, 1] * 5 + [-1] * 3)
SECONDS = {"reduce": 1.0, "cluster": 2.0, "represent": 4.0}
FITTED = Fitted([(1, ("d", "e", "f"), 15), (0, ("a", "b"), 15)], FOUND, SECONDS)


@pytest.fixture(scope="module")
def coherence():
    analyzer = CountVectorizer(token_pattern=r"\w+").build_analyzer()
    return TopicCoherence([analyzer(text) for text in TEXTS], measure="c_npmi")


def measured(coherence, fitted=FITTED, labels=None, n_samples=30):
    return measure_cell(SPEC, fitted, coherence=coherence, labels=labels, n_samples=n_samples)


def test_what_is_measured(coherence):
    cell = measured(coherence)
    words = [["d", "e", "f"], ["a", "b"]]
    scores = coherence.score_per_topic(words)
    assert cell.spec == SPEC
    assert (cell.dim, cell.line) == (8, SPEC.line)
    assert (cell.n_topics, cell.outlier_share) == (2, pytest.approx(3 / 33))
    assert cell.coherence == pytest.approx(scores.mean())
    assert cell.topic_error == pytest.approx(abs(scores[0] - scores[1]) / 2)
    samples = bootstrap_coherence(coherence, words, n_samples=30)
    np.testing.assert_allclose(cell.coherence_samples, samples)
    assert cell.document_error == pytest.approx(samples.std(ddof=1))
    assert cell.diversity == pytest.approx(topic_diversity(words))
    assert cell.inverted_rbo == pytest.approx(inverted_rbo(words))
    assert cell.balance == pytest.approx(topic_balance([15, 15]))
    assert [(t.id, t.words, t.size) for t in cell.topics] == FITTED.topics
    assert [t.coherence for t in cell.topics] == pytest.approx(list(scores))
    assert cell.words == words
    assert (cell.ami, cell.ari, cell.v_measure) == (None, None, None)
    assert cell.umap_compile_seconds is None


def test_seconds_leave_measuring_out(coherence):
    cell = measured(coherence, FITTED._replace(umap_compile_seconds=9.0))
    assert (cell.reduce_seconds, cell.cluster_seconds, cell.represent_seconds) == (1, 2, 4)
    assert cell.seconds == 7
    assert cell.evaluate_seconds > 0
    assert cell.umap_compile_seconds == 9


def test_outliers_are_a_class_of_their_own(coherence):
    labels = np.where(FOUND == -1, 7, 1 - FOUND)
    assert measured(coherence, labels=labels).ami == pytest.approx(1)
    without = np.where(FOUND == -1, 0, FOUND)
    cell = measured(coherence, labels=without)
    assert 0 < cell.ami < 1
    assert 0 < cell.ari < 1
    assert 0 < cell.v_measure < 1


def test_no_topics(coherence):
    nothing = Fitted([], np.full(33, -1), SECONDS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cell = measured(coherence, nothing, labels=FOUND)
    assert (cell.n_topics, cell.outlier_share, cell.topics) == (0, 1.0, ())
    for value in (cell.coherence, cell.topic_error, cell.document_error, cell.diversity):
        assert math.isnan(value)
    assert np.isnan(cell.coherence_samples).all()
    assert cell.ami == 0
    assert cell.sample() == ""


def test_one_topic_has_no_error_over_topics(coherence):
    cell = measured(coherence, Fitted([(0, ("a", "b"), 33)], np.zeros(33, int), SECONDS))
    assert cell.coherence == pytest.approx(coherence.score([["a", "b"]]))
    assert math.isnan(cell.topic_error)
    assert cell.document_error > 0


def test_a_topic_that_cannot_be_scored_is_left_out(coherence):
    cell = measured(coherence, FITTED._replace(topics=[*FITTED.topics, (2, ("unheard",), 3)]))
    assert cell.n_topics == 3
    assert cell.coherence == measured(coherence).coherence
    assert cell.topic_error == measured(coherence).topic_error
    assert math.isnan(cell.topics[2].coherence)


def test_samples_that_cannot_be_scored_are_left_out_of_the_error():
    """Of three documents, none with the topic's words is in a third of the samples."""
    coherence = TopicCoherence([["a", "b"], ["c"], ["d"]], measure="c_npmi")
    cell = measured(coherence, Fitted([(0, ("a", "b"), 1)], np.array([0, -1, -1]), SECONDS))
    scored = cell.coherence_samples[np.isfinite(cell.coherence_samples)]
    assert 2 < scored.size < 30
    assert cell.document_error == pytest.approx(scored.std(ddof=1))


def test_samples_are_the_same_for_all_cells(coherence):
    """Twice a topic is no difference on any sample of the documents."""
    twice = FITTED._replace(topics=[*FITTED.topics, *FITTED.topics])
    np.testing.assert_allclose(
        measured(coherence, twice).coherence_samples, measured(coherence).coherence_samples
    )


def test_a_sample_of_words():
    cell = make_cell(8, document_topics=[0, 0, 1, 1, 2, 3], words=("a", "b", "c", "d"))
    assert cell.sample() == "a, b, c, d | a, b, c, d | a, b, c, d"
    assert cell.sample(n_topics=1, n_words=2) == "a, b"


def test_to_json_and_back(coherence):
    cell = measured(
        coherence, FITTED._replace(topics=[(2, ("unheard",), 3), *FITTED.topics]), FOUND
    )
    record = json.loads(json.dumps(cell.record()))
    assert not set(ARRAYS) & set(record)
    arrays = {name: getattr(cell, name) for name in ARRAYS}
    back = Cell.of_record(record, arrays)
    assert repr(back) == repr(cell)  # NaN is not equal to itself
    assert repr(back.topics) == repr(cell.topics)
    assert type(back.spec) is Spec
    assert hash(back.spec) == hash(SPEC)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(cell, name))


# ---- fitting


class TwelveClusters:
    """A clusterer that cannot be told how many, and calls nothing an outlier."""

    def fit(self, X, y=None):
        self.labels_ = KMeans(12, n_init=1, random_state=0).fit_predict(X)
        return self

    def predict(self, X):
        return self.labels_


def model_with(clusterer, **kwargs):
    return BERTopic(
        embedding_model=BaseEmbedder(),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=clusterer,
        **kwargs,
    )


def test_a_fit_leaves_topics_and_seconds_of_its_stages(docs, embeddings):
    clusterer = KMeans(6, n_init=1, random_state=0)
    model = model_with(clusterer)
    fitted = fit_cell(model, docs, embeddings)
    np.testing.assert_array_equal(fitted.document_topics, model.topics_)
    assert [size for _, _, size in fitted.topics] == np.bincount(model.topics_).tolist()
    assert fitted.topics[0][1] == tuple(word for word, _ in model.get_topic(0))
    assert set(fitted.seconds) == {"reduce", "cluster", "represent"}
    assert all(seconds > 0 for seconds in fitted.seconds.values())
    by_hand = KMeans(6, n_init=1, random_state=0).fit_predict(embeddings)
    for topic in range(6):
        assert len(set(by_hand[fitted.document_topics == topic])) == 1


@pytest.mark.parametrize("n_topics", [5, 11])
def test_no_more_topics_than_asked_for(docs, embeddings, n_topics):
    """BERTopic's nr_topics counts an outlier topic where there is none, and leaves one more."""
    model = model_with(TwelveClusters(), nr_topics=n_topics + 1)
    fitted = fit_cell(model, docs, embeddings, n_topics=n_topics)
    assert len(fitted.topics) == n_topics
    assert set(fitted.document_topics) == set(range(n_topics))
    counts = np.bincount(fitted.document_topics)
    assert sorted(counts, reverse=True) == [size for _, _, size in fitted.topics]


def test_with_outliers_bertopic_leaves_as_many_as_asked_for(docs, embeddings):
    model = model_with(DBSCAN(eps=0.55, min_samples=5), nr_topics=4)
    fitted = fit_cell(model, docs, embeddings, n_topics=3)
    assert set(fitted.document_topics) == {-1, 0, 1, 2}


def test_fewer_topics_are_left_alone(docs, embeddings):
    assert len(fit_cell(model_with(TwelveClusters()), docs, embeddings, n_topics=30).topics) == 12


def test_given_embeddings_are_not_written_to(docs, backend, embeddings):
    """Guided modelling does."""
    model = BERTopic(
        embedding_model=backend,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=KMeans(6, n_init=1, random_state=0),
        seed_topic_list=[["sparse", "matrix"]],
    )
    before = np.array(embeddings)
    fit_cell(model, docs, before)
    np.testing.assert_array_equal(before, embeddings)
