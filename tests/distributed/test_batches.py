"""Batches: dicts of arrays in and out, whatever the engine, and cheap to send to workers."""

import pickle

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.cluster import BaseCluster
from bertopic.vectorizers import ClassTfidfTransformer, OnlineCountVectorizer
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from bertopic_matryoshka import (
    AssignTopicsBatch,
    CountWordsBatch,
    EmbedBatch,
    build_topic_model,
    save_topic_model,
)

WORDS = ("Red", "apple", "the", "café", "x1", "a", "!!", "tree\nhouse")


def test_a_batch_is_embedded_beside_its_other_columns(backend, docs):
    batch = {"body": np.array(docs[:5], object), "id": np.arange(5)}
    embedded = EmbedBatch(backend, text_column="body")(batch)
    np.testing.assert_array_equal(embedded["embedding"], backend.embed(docs[:5]))
    assert list(embedded) == ["body", "id", "embedding"]
    assert "embedding" not in batch


def test_a_loaded_model_of_a_name_is_not_sent(backend, docs):
    embed = EmbedBatch(backend)
    before = embed({"text": docs[:2]})["embedding"]
    sent = pickle.dumps(embed)
    assert len(sent) < 5_000
    np.testing.assert_array_equal(pickle.loads(sent)({"text": docs[:2]})["embedding"], before)


def test_topics_are_those_of_transform(topic_model, docs, embeddings):
    topics, _ = topic_model.transform(docs, embeddings)
    assigned = AssignTopicsBatch(topic_model)({"text": docs[:60], "embedding": embeddings[:60]})
    assert assigned["topic"].tolist() == topics[:60]
    assert np.isnan(assigned["probability"]).all()  # k-means has none
    by_text = AssignTopicsBatch(topic_model)({"text": docs[:60]})
    assert by_text["topic"].tolist() == topics[:60]


@pytest.mark.parametrize("nr_topics", [None, 3])
def test_probabilities_and_topics_of_leiden(backend, docs, embeddings, tmp_path, nr_topics):
    fitted = build_topic_model(backend, nr_topics=nr_topics).fit(docs[::2], embeddings[::2])
    save_topic_model(fitted, tmp_path)
    assign = AssignTopicsBatch(tmp_path)
    # Some engines hand over an array of arrays.
    rows = np.empty(len(docs), dtype=object)
    rows[:] = list(embeddings)
    assigned = assign({"embedding": rows})
    assert assigned["topic"].tolist() == fitted.transform(docs, embeddings)[0]
    assert assigned["topic"][::2].tolist() == fitted.topics_
    assert (assigned["probability"] > 0).all()
    assert len(pickle.dumps(assign)) < 2_000  # although it has loaded the model
    again = pickle.loads(pickle.dumps(assign))({"embedding": embeddings[:9]})
    assert again["topic"].tolist() == assigned["topic"][:9].tolist()


def test_the_probability_of_many_is_that_of_the_own_topic(backend, docs, embeddings):
    """Cosines with all topics, which BERTopic gives where a model has no clusterer."""
    fitted = build_topic_model(backend).fit(docs, embeddings)
    fitted.hdbscan_model, fitted.calculate_probabilities = BaseCluster(), True
    topics, cosines = fitted.transform(docs[:50], embeddings[:50])
    assigned = AssignTopicsBatch(fitted)({"embedding": embeddings[:50]})
    assert assigned["topic"].tolist() == list(topics)
    np.testing.assert_array_equal(assigned["probability"], cosines.max(axis=1))


def test_no_rows_give_none(topic_model):
    assigned = AssignTopicsBatch(topic_model)({"embedding": np.empty((0, 64), np.float32)})
    assert assigned["topic"].shape == assigned["probability"].shape == (0,)


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(WORDS), max_size=5), st.integers(-1, 2)),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 8),
    st.sampled_from([None, "english"]),  # BERTopic strips punctuation where it is English
)
def test_partial_sums_add_up_to_the_counts_of_joined_topics(rows, cut, language):
    """As BERTopic counts, who joins the documents of each topic."""
    texts = [" ".join(words) for words, _ in rows]
    topics = np.array([topic for _, topic in rows])
    model = BERTopic(umap_model=KMeans())
    model.language = language
    count = CountWordsBatch(model)
    total = {}
    for part in (slice(0, cut), slice(cut, None)):
        sums = count({"text": texts[part], "topic": topics[part]})
        pairs = list(zip(sums["word"], sums["topic"].tolist(), strict=True))
        assert pairs == sorted(set(pairs))
        for pair, n in zip(pairs, sums["count"].tolist(), strict=True):
            total[pair] = total.get(pair, 0) + n
    expected = {}
    for topic in set(topics.tolist()):
        joined = " ".join(t for t, of in zip(texts, topics, strict=True) if of == topic)
        for word in CountVectorizer().build_analyzer()(model._preprocess_text([joined])[0]):
            if word != "emptydoc":
                expected[word, topic] = expected.get((word, topic), 0) + 1
    assert total == expected


def test_words_are_those_of_the_vectorizer():
    vectorizer = CountVectorizer(
        ngram_range=(1, 2), stop_words=["the"], min_df=5, max_features=1, lowercase=False
    )
    count = CountWordsBatch(build_topic_model(vectorizer_model=vectorizer))
    sums = count({"text": ["the Red apple", "apple"], "topic": [4, 4]})
    assert sums["word"].tolist() == ["Red", "Red apple", "apple"]
    assert sums["count"].tolist() == [1, 1, 2]
    own = build_topic_model(vectorizer_model=CountVectorizer(vocabulary=["apple", "pear"]))
    sums = CountWordsBatch(own)({"text": ["red apple"], "topic": [0]})
    assert sums["word"].tolist() == ["apple"]


def test_what_cannot_be_added_up_is_refused():
    for vectorizer in (OnlineCountVectorizer(), TfidfVectorizer(), ClassTfidfTransformer()):
        model = build_topic_model(vectorizer_model=vectorizer)
        with pytest.raises(TypeError, match=f"{type(vectorizer).__name__}, whose counts"):
            CountWordsBatch(model)


def test_errors_name_the_column_and_the_remedy(backend, topic_model, tmp_path):
    with pytest.raises(KeyError, match=r"text_column='text' is not a column.*'body'"):
        EmbedBatch(backend)({"body": ["one"]})
    with pytest.raises(KeyError, match="topic_column='topic' is not a column"):
        CountWordsBatch(topic_model)({"text": ["one"]})
    with pytest.raises(TypeError, match="is of type NoneType"):
        EmbedBatch(backend)({"text": ["one", None]})
    with pytest.raises(TypeError, match="topic_model=3 must be a fitted BERTopic or the folder"):
        AssignTopicsBatch(3)
    with pytest.raises(FileNotFoundError, match=r"matryoshka\.json is missing"):
        AssignTopicsBatch(tmp_path)({"embedding": np.ones((1, 64))})
