"""Rows that repeat others: they count once in the graph, and in sizes as often as they stand."""

import copy
import logging
import pickle
import warnings

import numpy as np
import pytest
from bertopic import BERTopic
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_rand_score

from bertopic_matryoshka import (
    CoreWords,
    DistinctDocuments,
    LeidenClustering,
    build_topic_model,
    nearest_neighbors,
)
from bertopic_matryoshka.neighbors import equal_rows
from bertopic_matryoshka.neighbors._copies import near_copies


@pytest.fixture(scope="module")
def distinct(embeddings):
    """Rows of text without near copies."""
    clustering = LeidenClustering().fit(embeddings)
    return embeddings[np.unique(clustering.copy_of_)]


def with_copies(X, chosen, times, noise=0.0):
    copies = np.repeat(X[chosen], times, axis=0)
    copies = copies + noise * np.random.default_rng(0).normal(size=copies.shape)
    return np.vstack([X, copies / np.linalg.norm(copies, axis=1, keepdims=True)]).astype(X.dtype)


# ---- equal rows


@settings(max_examples=15)
@given(st.data())
def test_copies_of_any_rows_in_any_order_change_no_cluster(embeddings, data):
    X = embeddings[::2]
    parameters = {"n_clusters": data.draw(st.sampled_from([None, 4])), "min_cluster_size": 10}
    chosen = data.draw(st.lists(st.integers(0, len(X) - 1), max_size=200))
    rows = np.r_[np.arange(len(X)), np.array(chosen, dtype=int)]
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(rows))
    alone = LeidenClustering(**parameters).fit_predict(X)
    clustering = LeidenClustering(**parameters).fit(X[rows[order]])
    labels = np.empty(len(rows), dtype=int)
    labels[order] = clustering.labels_
    assert adjusted_rand_score(labels[: len(X)], alone) == 1
    assert clustering.n_clusters_ == alone.max() + 1
    np.testing.assert_array_equal(labels, labels[rows])
    sizes = np.bincount(clustering.labels_)
    assert sizes.tolist() == sorted(sizes, reverse=True)  # all rows counted
    assert clustering.n_copies_ >= len(chosen)


def test_a_text_that_is_repeated_makes_no_topic(distinct):
    """Each has sixty copies, more than a row has neighbours."""
    repeated = with_copies(distinct, np.arange(0, 400, 20), 59)
    for n_clusters in (None, 5):
        alone = LeidenClustering(n_clusters).fit_predict(distinct)
        clustering = LeidenClustering(n_clusters).fit(repeated)
        assert adjusted_rand_score(clustering.labels_[: len(distinct)], alone) == 1
        assert clustering.n_copies_ == 20 * 59


def test_a_copy_has_all_that_its_first_has(distinct):
    clustering = LeidenClustering(calculate_probabilities=True, min_membership=0.5)
    clustering.fit(with_copies(distinct, [7, 3], 30))
    first = np.r_[np.arange(len(distinct)), np.repeat([7, 3], 30)]
    np.testing.assert_array_equal(clustering.copy_of_, first)
    np.testing.assert_array_equal(clustering.labels_, clustering.labels_[first])
    np.testing.assert_array_equal(clustering.probabilities_, clustering.probabilities_[first])
    alone = LeidenClustering(calculate_probabilities=True, min_membership=0.5).fit(distinct)
    # New rows have distinct rows as their neighbours.
    ours, theirs = clustering.predict_proba(distinct), alone.predict_proba(distinct)
    np.testing.assert_allclose(np.sort(ours, axis=1), np.sort(theirs, axis=1))


def test_clusters_are_numbered_by_the_size_that_copies_give_them(distinct):
    alone = LeidenClustering().fit(distinct)
    smallest = np.flatnonzero(alone.labels_ == alone.n_clusters_ - 1)
    clustering = LeidenClustering().fit(with_copies(distinct, smallest, 50))
    assert (clustering.labels_[smallest] == 0).all()
    assert np.bincount(clustering.labels_)[0] == 51 * smallest.size


def test_copies_count_where_there_would_be_outliers_else():
    angles = np.radians([0, 1, 2, 120, 121, 122, 240, 240, 240, 240])
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    clustering = LeidenClustering(n_neighbors=1, min_cluster_size=5)
    assert clustering.fit_predict(X).tolist() == [-1] * 3 + [0] * 7
    assert clustering.fit_predict(X[:7]).tolist() == [-1] * 7


def test_a_dozen_texts_a_hundred_times_each_have_topics(embeddings):
    X = np.repeat(embeddings[::40], 100, axis=0)
    assert (LeidenClustering().fit_predict(X) >= 0).all()
    assert np.bincount(LeidenClustering(4).fit_predict(X)).min() >= 200


def test_zero_rows_are_no_copies(distinct):
    X = np.vstack([np.zeros((3, 64), np.float32), distinct])
    clustering = LeidenClustering().fit(X)
    np.testing.assert_array_equal(clustering.copy_of_, np.arange(len(X)))
    assert clustering.n_copies_ == 0


def test_known_classes_of_copies_are_those_of_most(distinct):
    X = with_copies(distinct, [5], 4)
    y = np.full(len(X), -1)
    y[[5, -1, -2, -3]] = [1, 0, 0, 1]
    y[6:60], y[60:120] = 0, 1
    labels = LeidenClustering().fit_predict(X, y)
    assert len(set(labels[[5, -1, -2, -3, -4]])) == 1


def test_what_was_clustered_is_found_in_memory(distinct, tmp_path):
    X = with_copies(distinct, [1, 2], 40, noise=0.005)
    first = LeidenClustering(memory=str(tmp_path), copy_distance=0.02).fit(X)
    again = LeidenClustering(memory=str(tmp_path), copy_distance=0.02, random_state=0).fit(X)
    np.testing.assert_array_equal(first.labels_, again.labels_)
    np.testing.assert_array_equal(first.copy_of_, again.copy_of_)
    other = LeidenClustering(memory=str(tmp_path), copy_distance=0).fit(X)
    assert other.n_copies_ == 0 < again.n_copies_


def test_copies_survive_pickling(distinct):
    clustering = LeidenClustering().fit(with_copies(distinct, [0], 20))
    loaded = pickle.loads(pickle.dumps(clustering))
    np.testing.assert_array_equal(loaded.copy_of_, clustering.copy_of_)
    np.testing.assert_array_equal(loaded.predict(distinct), clustering.predict(distinct))


def test_too_few_distinct_rows_are_an_error_that_says_so():
    X = np.repeat(np.eye(6), 20, axis=0)
    message = r"n_samples=120, of which 114 repeat others\. Ask for at most 3, or lower"
    with pytest.raises(ValueError, match=message):
        LeidenClustering(4).fit(X)
    assert LeidenClustering(1).fit(np.ones((30, 4))).labels_.tolist() == [0] * 30


def test_equal_rows_by_hand():
    rows = np.array([[0.0, 1], [0, 1], [0.5, 1], [1, 0], [1, 0], [1, 0]])
    assert equal_rows(rows).tolist() == [0, 0, 2, 3, 3, 3]
    assert equal_rows(rows[:0]).tolist() == []


# ---- near copies


def test_text_without_near_copies_has_none(distinct):
    assert LeidenClustering().fit(distinct).n_copies_ == 0


@pytest.mark.parametrize(("n", "times"), [(20, 59), (2, 300), (150, 2)])
def test_near_copies_count_once(distinct, n, times):
    chosen = np.arange(n)
    X = with_copies(distinct, chosen, times, noise=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        clustering = LeidenClustering().fit(X)
    assert clustering.n_copies_ > 0.95 * n * times
    groups = clustering.copy_of_[len(distinct) :].reshape(n, times)
    own = clustering.copy_of_[:n]
    assert np.mean(groups == own[:, None]) > 0.9
    # Other rows are as they were: none went into a group of copies.
    assert (clustering.copy_of_[n : len(distinct)] == np.arange(n, len(distinct))).all()
    apart = LeidenClustering(copy_distance=0).fit(X)
    assert apart.n_copies_ == 0


def test_shuffled_near_copies_have_the_same_groups(distinct):
    X = with_copies(distinct, [1, 50, 99], 60, noise=0.02)
    order = np.random.default_rng(5).permutation(len(X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        straight, shuffled = LeidenClustering().fit(X), LeidenClustering().fit(X[order])
    np.testing.assert_array_equal(shuffled.labels_, straight.labels_[order])
    np.testing.assert_array_equal(order[shuffled.copy_of_], straight.copy_of_[order])


def test_a_chain_is_not_one_group():
    """Each is close to the next, and the ends are as far apart as rows can be."""
    angles = np.linspace(0, np.pi / 2, 400)
    rows = np.zeros((800, 64))
    rows[:400, 0], rows[:400, 1] = np.cos(angles), np.sin(angles)
    rows[400:, 2:] = np.random.default_rng(0).normal(size=(400, 62))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found, similarities = nearest_neighbors(rows, 15)
    representative = near_copies(rows, found, similarities, 0.025)
    assert (representative[400:] == np.arange(400, 800)).all()
    chain = representative[:400]
    assert 1 < len(set(chain)) < 40
    usual = np.quantile(1 - similarities[:, 4], 0.9)
    assert 1 - np.einsum("ij,ij->i", rows[:400], rows[chain]).min() <= 0.125 * usual + 1e-9
    assert (representative[chain] == chain).all()


def test_rows_of_few_dims_have_no_near_copies():
    X = np.random.default_rng(0).normal(size=(2000, 3))
    assert LeidenClustering().fit(X).n_copies_ == 0


def test_rounding_is_no_difference(distinct):
    """The same texts, six times, as if they went through a model in other batches."""
    X = with_copies(distinct, np.arange(len(distinct)), 6, noise=1e-7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        clustering = LeidenClustering().fit(X)
    assert clustering.n_copies_ == 6 * len(distinct)


def test_copies_are_reported(distinct, caplog):
    few = with_copies(distinct, [0], 20)
    with caplog.at_level(logging.INFO), warnings.catch_warnings():
        warnings.simplefilter("error")
        LeidenClustering().fit(few)
    assert f"20 of {len(few)} rows repeat others and count once: 20 are equal" in caplog.text
    many = with_copies(distinct, [0], 100, noise=0.001)
    with pytest.warns(RuntimeWarning, match=r"100 of \d+ rows repeat others .* copy_distance=0"):
        LeidenClustering().fit(many)


@pytest.mark.parametrize("copy_distance", [-0.1, 0.2, 1, float("nan"), "near"])
def test_bad_copy_distance(distinct, copy_distance):
    error = TypeError if isinstance(copy_distance, str) else ValueError
    with pytest.raises(error, match=r"copy_distance=.* must be (a number )?in \[0, 0.2\)"):
        LeidenClustering(copy_distance=copy_distance).fit(distinct)


# ---- words


class Given(KMeans):
    """Finds the clusters that it was given."""

    def __init__(self, labels=None):
        super().__init__()
        self.labels = labels

    def fit(self, X, y=None):
        self.labels_ = np.asarray(self.labels)
        return self

    def predict(self, X):
        return self.labels_


def words_of(model):
    return {frozenset(word for word, _ in model.get_topic(topic)) for topic in model.get_topics()}


@pytest.fixture(scope="module")
def repeated(docs, embeddings):
    """Rows of which three documents are repeated sixty times, and six clusters of all."""
    labels = KMeans(6, n_init=1, random_state=0).fit_predict(embeddings)
    rows = np.r_[np.arange(len(docs)), np.repeat([3, 50, 200], 60)]
    return rows, labels


@pytest.mark.parametrize("model", [DistinctDocuments, CoreWords])
def test_copies_have_one_say_on_the_words(backend, docs, embeddings, repeated, model):
    rows, labels = repeated
    built = [
        build_topic_model(
            backend,
            reduction="none",
            hdbscan_model=Given(labels[some]),
            vectorizer_model=CountVectorizer(stop_words="english"),
            **parameters,
        ).fit([docs[row] for row in some], embeddings[some])
        for some, parameters in (
            (np.arange(len(docs)), {"representation_model": model()}),
            (rows, {"representation_model": model()}),
            (rows, {"representation_model": [DistinctDocuments(), model()]}),
        )
    ]
    alone, ours, twice = map(words_of, built)
    assert ours == alone == twice
    assert {len(words) for words in ours} == {10}
    plain = BERTopic(
        embedding_model=backend,
        umap_model=built[0].umap_model,
        hdbscan_model=Given(labels[rows]),
        vectorizer_model=CountVectorizer(stop_words="english"),
    ).fit([docs[row] for row in rows], embeddings[rows])
    assert words_of(plain) != alone


def test_without_copies_the_words_are_bertopics(topic_model, docs, embeddings, backend):
    labels = topic_model.topics_
    topic_model = copy.deepcopy(topic_model, {id(backend): backend})
    topic_model.update_topics(
        docs,
        vectorizer_model=CountVectorizer(stop_words="english"),
        representation_model=DistinctDocuments(),
    )
    plain = BERTopic(
        embedding_model=backend,
        umap_model=topic_model.umap_model,
        hdbscan_model=Given(labels),
        vectorizer_model=CountVectorizer(stop_words="english"),
    ).fit(docs, embeddings)
    assert words_of(plain) == words_of(topic_model)


def test_near_copies_have_one_say_on_the_words(backend, docs, embeddings):
    edited = [f"{docs[10]} zebra zebra zebra {i}" for i in range(60)]
    texts = [*docs, *edited]
    rows = with_copies(embeddings, [10], 60, noise=0.005)
    model = build_topic_model(
        backend, vectorizer_model=CountVectorizer(stop_words="english"), random_state=0
    ).fit(texts, rows)
    assert "zebra" not in set().union(*words_of(model))
    assert np.isfinite(model.c_tf_idf_.data).all()
    topics, _ = model.transform(texts[:20], rows[:20])
    assert len(topics) == 20


# ---- few rows


@pytest.mark.parametrize(("n", "least"), [(30, 2), (60, 2), (120, 3)])
def test_a_few_texts_have_more_than_one_topic(embeddings, doc_labels, n, least):
    some = np.random.default_rng(0).permutation(len(embeddings))[:n]
    clustering = LeidenClustering().fit(embeddings[some])
    assert clustering.n_clusters_ >= least
    assert (clustering.labels_ >= 0).all()


def test_what_is_given_is_not_made_less(embeddings):
    some = embeddings[:60]
    assert LeidenClustering(min_cluster_size=31).fit(some).n_clusters_ == 1
    k = LeidenClustering(n_neighbors=15).fit(some)
    assert not np.array_equal(k.probabilities_, LeidenClustering().fit(some).probabilities_)
