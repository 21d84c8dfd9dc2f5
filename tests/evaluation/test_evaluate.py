"""A fitted model's topics, measured as by hand with BERTopic's own preprocessing and vectorizer."""

import copy

import numpy as np
import pandas as pd
import pytest
from bertopic import BERTopic
from bertopic.representation import BaseRepresentation
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score

from bertopic_matryoshka import TopicCoherence, embedding_coherence, topic_diversity
from bertopic_matryoshka.evaluation._diversity import inverted_rbo, topic_balance
from bertopic_matryoshka.evaluation._evaluate import evaluate_topics, tokens_of, topics_of
from bertopic_matryoshka.evaluation._measures import MEASURES


@pytest.fixture(scope="module")
def evaluation(topic_model, docs, doc_labels):
    return evaluate_topics(topic_model, docs, labels=doc_labels)


@pytest.fixture(scope="module")
def words(topic_model):
    return [[word for word, _ in topic_model.get_topic(topic)] for topic in range(9)]


def fitted(docs, embeddings, clusterer=None, **kwargs):
    """A plain BERTopic that knows no embedding model."""
    clusterer = clusterer or KMeans(5, n_init=1, random_state=0)
    model = BERTopic(umap_model=PCA(5, random_state=0), hdbscan_model=clusterer, **kwargs)
    return model.fit(docs, embeddings)


def by_hand(model, docs, words, measure, **kwargs):
    tokens = [
        model.vectorizer_model.build_analyzer()(text) for text in model._preprocess_text(docs)
    ]
    return TopicCoherence(tokens, measure=measure, **kwargs).score_per_topic(words)


@pytest.mark.parametrize("measure", MEASURES)
def test_coherence_is_that_of_the_models_own_words(evaluation, topic_model, docs, words, measure):
    expected = by_hand(topic_model, docs, words, measure)
    np.testing.assert_allclose(evaluation.per_topic[measure], expected)
    assert evaluation.summary[measure] == pytest.approx(expected.mean())


def test_summary(evaluation, topic_model, doc_labels, words):
    summary = evaluation.summary
    assert (summary["n_topics"], summary["outlier_share"]) == (9, 0)
    assert summary["diversity"] == pytest.approx(topic_diversity(words))
    assert summary["inverted_rbo"] == pytest.approx(inverted_rbo(words))
    sizes = [topic_model.topic_sizes_[topic] for topic in range(9)]
    assert summary["balance"] == pytest.approx(topic_balance(sizes))
    embedding = embedding_coherence(words, topic_model.embedding_model)
    assert summary["embedding"] == pytest.approx(embedding.mean())
    found = topic_model.topics_
    assert summary["ami"] == pytest.approx(adjusted_mutual_info_score(doc_labels, found))
    assert summary["ari"] == pytest.approx(adjusted_rand_score(doc_labels, found))
    assert summary["v_measure"] == pytest.approx(v_measure_score(doc_labels, found))


def test_per_topic(evaluation, topic_model, words):
    table = evaluation.per_topic
    assert table["topic"].tolist() == list(range(9))
    assert table["size"].tolist() == [topic_model.topics_.count(topic) for topic in range(9)]
    assert table["size"].is_monotonic_decreasing
    assert table["words"].tolist() == [", ".join(of) for of in words]
    assert table["unseen"].tolist() == [0] * 9
    assert table["embedding"].between(0, 1).all()


def test_it_prints_itself(evaluation):
    lines = dict(line.split() for line in str(evaluation).splitlines())
    assert lines["n_topics"] == "9.000"
    assert lines["c_v"] == f"{evaluation.summary['c_v']:.3f}"


def test_ngrams_and_case_are_those_of_the_vectorizer(docs, full_embeddings):
    vectorizer = CountVectorizer(stop_words="english", ngram_range=(2, 2), lowercase=False)
    model = fitted(docs, full_embeddings, vectorizer_model=vectorizer)
    found = evaluate_topics(model, docs, measures=["npmi"])
    words = [list(words) for _, words, _ in topics_of(model)]
    assert all(" " in word for topic in words for word in topic)
    assert any(word != word.lower() for topic in words for word in topic)
    assert found.per_topic["unseen"].tolist() == [0] * 5
    np.testing.assert_allclose(found.per_topic["npmi"], by_hand(model, docs, words, "npmi"))


def test_other_documents_are_counted_in_where_they_are_given(topic_model, docs, words):
    found = evaluate_topics(
        topic_model, docs[:100], measures=["c_npmi"], labels=topic_model.topics_
    )
    np.testing.assert_allclose(
        found.per_topic["c_npmi"], by_hand(topic_model, docs[:100], words, "c_npmi")
    )
    assert found.per_topic["unseen"].sum() > 0
    assert found.summary["ami"] == pytest.approx(1)


class Inventing(BaseRepresentation):
    """Puts two words that no document has before the others."""

    def extract_topics(self, topic_model, documents, c_tf_idf, topics):
        return {t: [("zyxw", 1.0), ("wxyz", 0.9), *words[:8]] for t, words in topics.items()}


def test_words_that_never_occur_are_counted(docs, full_embeddings):
    model = fitted(docs, full_embeddings, representation_model=Inventing())
    model.set_topic_labels({0: "a label is no word"})
    found = evaluate_topics(model, docs, measures=["npmi", "c_v"])
    assert found.per_topic["unseen"].tolist() == [2] * 5
    assert found.per_topic["words"].str.startswith("zyxw, wxyz, ").all()
    # What gensim has leaves such words out, and "npmi" gives their pairs -1.
    known = [list(words[2:]) for _, words, _ in topics_of(model)]
    np.testing.assert_allclose(found.per_topic["c_v"], by_hand(model, docs, known, "c_v"))
    expected = (by_hand(model, docs, known, "npmi") * 28 - 17) / 45
    np.testing.assert_allclose(found.per_topic["npmi"], expected)


def test_only_the_first_words_count(topic_model, docs, words):
    found = evaluate_topics(topic_model, docs, measures=["c_v"], top_n=3)
    first = [topic[:3] for topic in words]
    np.testing.assert_allclose(found.per_topic["c_v"], by_hand(topic_model, docs, first, "c_v"))
    assert found.summary["diversity"] == pytest.approx(topic_diversity(first))
    assert found.summary["embedding"] == pytest.approx(
        embedding_coherence(first, topic_model.embedding_model).mean()
    )
    assert found.per_topic["words"].tolist() == [", ".join(topic) for topic in words]


def test_outliers_are_a_share_and_no_topic(docs, doc_labels, full_embeddings):
    model = fitted(docs, full_embeddings, DBSCAN(eps=0.15, min_samples=5))
    found = evaluate_topics(model, docs, measures=["c_v"], labels=doc_labels)
    share = np.mean(np.array(model.topics_) == -1)
    assert 0 < share < 1
    assert found.summary["outlier_share"] == pytest.approx(share)
    assert found.summary["n_topics"] == len(found.per_topic) == max(model.topics_) + 1
    assert -1 not in found.per_topic["topic"].tolist()
    assert found.summary["ami"] == pytest.approx(
        adjusted_mutual_info_score(doc_labels, model.topics_)
    )


def test_a_model_of_outliers_alone(docs, full_embeddings):
    model = fitted(docs, full_embeddings, DBSCAN(eps=1e-9, min_samples=len(docs)))
    found = evaluate_topics(model, docs)
    assert (found.summary["n_topics"], found.summary["outlier_share"]) == (0, 1)
    assert found.summary[["c_v", "npmi", "diversity", "balance"]].isna().all()
    assert found.per_topic.empty


def test_without_an_embedding_model_words_are_not_embedded(docs, full_embeddings, tmp_path):
    model = fitted(docs, full_embeddings)
    assert model.embedding_model is None
    found = evaluate_topics(model, docs, measures=["c_v"])
    assert "embedding" not in found.summary
    assert "embedding" not in found.per_topic
    model.save(tmp_path / "model", serialization="safetensors", save_ctfidf=True)
    loaded = BERTopic.load(tmp_path / "model")  # has a BaseEmbedder, which embeds nothing
    assert loaded.embedding_model is not None
    assert "embedding" not in evaluate_topics(loaded, docs, measures=["c_v"]).summary


def test_the_model_is_left_as_it_was(topic_model, docs):
    before = copy.deepcopy(topic_model.get_params()), dict(topic_model.topic_representations_)
    vocabulary = dict(topic_model.vectorizer_model.vocabulary_)
    evaluate_topics(topic_model, docs[:50], measures=["npmi"])
    assert dict(topic_model.topic_representations_) == before[1]
    assert topic_model.vectorizer_model.vocabulary_ == vocabulary


def test_tokens_are_the_models_before_it_is_fitted():
    model = BERTopic(vectorizer_model=CountVectorizer(stop_words="english"), language="english")
    (chunk,) = tokens_of(model, ["The\nplain text", "a te-xt!"]).chunks({"text": 0, "plain": 1})
    assert chunk.ids.tolist() == [1, 0, 0]  # BERTopic takes signs out of English
    assert chunk.lengths.tolist() == [2, 1]


def test_bad_input(topic_model, docs):
    with pytest.raises(ValueError, match="topic_model is not fitted"):
        evaluate_topics(BERTopic(), docs)
    with pytest.raises(ValueError, match=r"labels has shape \(3,\) and must have shape \(\d+,\)"):
        evaluate_topics(topic_model, docs, labels=[1, 2, 3])
    with pytest.raises(ValueError, match="measures='cv' must be one of"):
        evaluate_topics(topic_model, docs, measures=["cv"])
    with pytest.raises(TypeError, match=r"documents\[1\]=3 is of type int"):
        evaluate_topics(topic_model, ["a", 3])


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, "", "  "])
def test_documents_without_a_label_are_left_out_and_counted(topic_model, docs, doc_labels, missing):
    labels = [missing if i % 5 == 0 else label for i, label in enumerate(doc_labels)]
    kept = [i for i in range(len(docs)) if i % 5]
    n_missing = len(docs) - len(kept)
    with pytest.warns(RuntimeWarning, match=f"{n_missing} of {len(docs)} documents have no label"):
        summary = evaluate_topics(topic_model, docs, measures=[], labels=labels).summary
    found = np.array(topic_model.topics_)[kept]
    expected = adjusted_mutual_info_score(np.array(doc_labels)[kept], found)
    assert summary["ami"] == pytest.approx(expected)
    assert summary["n_unlabelled"] == n_missing


def test_numbers_are_classes_minus_one_too(topic_model, docs, doc_labels):
    numbers = np.unique(doc_labels, return_inverse=True)[1]
    measured = [
        evaluate_topics(topic_model, docs, measures=[], labels=labels).summary
        for labels in (doc_labels, numbers - 1, numbers.astype(float))
    ]
    assert [m["n_unlabelled"] for m in measured] == [0, 0, 0]
    assert measured[0]["ami"] == pytest.approx(measured[1]["ami"]) == measured[2]["ami"]


def test_no_label_at_all_is_an_error(topic_model, docs):
    with pytest.raises(ValueError, match="labels holds no label: all 501 are missing"):
        evaluate_topics(topic_model, docs, labels=[""] * len(docs))
