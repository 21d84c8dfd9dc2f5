"""What our BERTopic mends, and what BERTopic's own save says with our backend."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest
from bertopic import BERTopic
from hdbscan import HDBSCAN

from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    LossySaveWarning,
    MatryoshkaBERTopic,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)


@pytest.fixture(scope="module")
def fitted(backend, docs, embeddings):
    """Twelve topics or so, no outliers, a probability for each."""
    clusterer = LeidenClustering(12, calculate_probabilities=True)
    return build_topic_model(backend, hdbscan_model=clusterer).fit(docs, embeddings)


@pytest.fixture(scope="module")
def with_outliers(backend, docs, embeddings):
    """BERTopic's own clusterer after PCA, whose clusters are not numbered by size."""
    clusterer = HDBSCAN(8, min_samples=1, cluster_selection_method="leaf", prediction_data=True)
    topic_model = build_topic_model(
        backend, reduction="pca", hdbscan_model=clusterer, calculate_probabilities=True
    )
    return topic_model.fit(docs, embeddings)


def own(topic_model):
    """A copy that may be changed; the backend is shared with the original."""
    backend = topic_model.embedding_model
    return copy.deepcopy(topic_model, {id(backend): backend})


def test_its_parameters_are_bertopics(backend):
    topic_model = build_topic_model(backend, top_n_words=6)
    assert type(topic_model) is MatryoshkaBERTopic
    assert list(topic_model.get_params()) == list(BERTopic().get_params())
    assert topic_model.get_params()["top_n_words"] == 6


def test_without_outliers_none_are_reduced(fitted, docs):
    assert -1 not in fitted.topics_
    for strategy in ("distributions", "c-tf-idf", "embeddings", "probabilities"):
        assert fitted.reduce_outliers(docs, fitted.topics_, strategy=strategy) == fitted.topics_
    assert fitted.reduce_outliers(docs, np.array(fitted.topics_)) == fitted.topics_
    with pytest.raises(ValueError, match="No outliers"):
        BERTopic.reduce_outliers(fitted, docs, fitted.topics_)


def test_outliers_are_reduced_as_in_bertopic(with_outliers, docs):
    topics = with_outliers.reduce_outliers(docs, with_outliers.topics_, strategy="c-tf-idf")
    expected = BERTopic.reduce_outliers(
        with_outliers, docs, with_outliers.topics_, strategy="c-tf-idf"
    )
    assert topics == expected
    assert -1 in with_outliers.topics_
    assert topics.count(-1) < with_outliers.topics_.count(-1)


@pytest.mark.parametrize("nr_topics", [3, "auto"])
def test_a_number_that_is_no_fewer_keeps_the_probabilities(fitted, docs, nr_topics):
    topic_model = own(fitted)
    topic_model.reduce_topics(docs, nr_topics=nr_topics)
    topics, probabilities = list(topic_model.topics_), topic_model.probabilities_
    assert probabilities.shape == (len(docs), len(topic_model.get_topics()))
    for again in (12, 30):
        assert topic_model.reduce_topics(docs, nr_topics=again) is topic_model
        assert topic_model.topics_ == topics
        np.testing.assert_array_equal(topic_model.probabilities_, probabilities)
    topic_model.reduce_topics(docs, nr_topics=2)  # and fewer are merged again
    assert topic_model.probabilities_.shape == (len(docs), 2)
    np.testing.assert_allclose(topic_model.probabilities_.sum(axis=1), 1)


def test_columns_of_the_probabilities_stay_those_of_their_topics(with_outliers, docs):
    topic_model, bertopics = own(with_outliers), own(with_outliers)
    columns = topic_model.probabilities_.copy()
    topic_model.reduce_topics(docs, nr_topics=100)
    np.testing.assert_array_equal(topic_model.probabilities_, columns)
    BERTopic.reduce_topics(bertopics, docs, nr_topics=100)
    assert not np.array_equal(bertopics.probabilities_, columns)


def test_the_probabilities_survive_an_error(fitted, docs):
    topic_model = own(fitted)
    with pytest.raises(TypeError):
        topic_model.reduce_topics("no list", nr_topics=30)
    assert topic_model.probabilities_ is not None


def test_reduced_outliers_leave_no_row_behind(with_outliers, docs):
    topic_model = own(with_outliers)
    rows = topic_model.topic_embeddings_.copy()
    topics = topic_model.reduce_outliers(docs, topic_model.topics_, strategy="embeddings")
    topic_model.update_topics(docs, topics=topics)
    np.testing.assert_array_equal(topic_model.topic_embeddings_, rows[1:])
    topic, _ = topic_model.find_topics("sparse matrix", top_n=1)
    assert "sparse" in [word for word, _ in topic_model.get_topic(topic[0])]


def test_other_topics_get_embeddings_of_their_own(fitted, docs):
    topic_model = own(fitted)
    labels = topic_model.hdbscan_model.labels_at(6)
    vectorizer = topic_model.vectorizer_model
    topic_model.update_topics(docs, topics=labels.tolist(), vectorizer_model=vectorizer)
    assert topic_model.topic_embeddings_.shape == (6, 64)
    assert not np.allclose(topic_model.topic_embeddings_, fitted.topic_embeddings_[:6], atol=0.01)
    for query in ("sparse matrix", "digital filter"):
        topic, _ = topic_model.find_topics(query, top_n=1)
        assert query.split()[1] in [word for word, _ in topic_model.get_topic(topic[0])]


def test_words_alone_change_no_embedding(fitted, docs):
    topic_model = own(fitted)
    rows = topic_model.topic_embeddings_
    topic_model.update_topics(docs, top_n_words=3)
    assert topic_model.topic_embeddings_ is rows


# ---- BERTopic's own save


@pytest.mark.parametrize("serialization", ["safetensors", "pytorch"])
def test_bertopics_save_says_what_it_leaves_out(fitted, docs, tmp_path, serialization):
    with pytest.warns(LossySaveWarning, match="save_topic_model") as caught:
        fitted.save(tmp_path / "lossy", serialization=serialization)
    assert caught[0].filename == __file__
    loaded = MatryoshkaBERTopic.load(tmp_path / "lossy", embedding_model=fitted.embedding_model)
    assert type(loaded) is MatryoshkaBERTopic
    agreement = np.mean(loaded.transform(docs)[0] == np.array(fitted.topics_))
    assert 0.5 < agreement < 1  # so the warning is right


def test_a_bertopic_built_by_hand_says_it_too(backend, docs, embeddings, tmp_path):
    topic_model = BERTopic(
        embedding_model=backend, umap_model=DimensionSelector(), hdbscan_model=LeidenClustering(5)
    ).fit(docs, embeddings)
    with pytest.warns(LossySaveWarning, match="the reducer, the clusterer"):
        topic_model.save(tmp_path / "by_hand", serialization="safetensors")


def test_what_loses_nothing_says_nothing(fitted, docs, embeddings, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", LossySaveWarning)
        save_topic_model(fitted, tmp_path / "whole")
        fitted.save(tmp_path / "model.pickle", serialization="pickle")
    for loaded in (
        load_topic_model(tmp_path / "whole"),
        MatryoshkaBERTopic.load(tmp_path / "model.pickle"),
    ):
        assert type(loaded) is MatryoshkaBERTopic
        assert list(loaded.transform(docs, embeddings)[0]) == fitted.topics_
        assert loaded.reduce_outliers(docs, loaded.topics_) == fitted.topics_


# ---- documents without a known word


def test_zero_rows_are_named(backend, docs):
    topic_model = build_topic_model(backend, hdbscan_model=LeidenClustering(5))
    with pytest.warns(RuntimeWarning) as caught:
        topic_model.fit(["", *docs[:200], "   "])
    messages = [str(warning.message) for warning in caught]
    assert [message for message in messages if "Rows 0, 201." in message] == messages
    assert any("2 rows are zero in the first 64 dimensions" in message for message in messages)
    assert any("2 of 202 rows are zero" in m and "topic -1" in m for m in messages)
    assert topic_model.topics_.count(-1) == 2


@pytest.mark.parametrize(
    ("n_zero", "named"), [(1, r"Row 0\."), (3, r"Rows 0, 1, 2\."), (13, "8, 9 and 3 more")]
)
def test_of_many_zero_rows_ten_are_named(embeddings, n_zero, named):
    rows = embeddings.copy()
    rows[:n_zero] = 0
    with pytest.warns(RuntimeWarning, match=rf"^{n_zero} of 501 rows are zero.*{named}"):
        LeidenClustering(5).fit(rows)


def test_no_zero_row_no_warning(backend, embeddings, docs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LeidenClustering(5).fit(embeddings)
        backend.embed(docs)
