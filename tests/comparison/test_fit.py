"""One fit: its stages timed, its number of topics, its part of the documents."""

import tracemalloc

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from bertopic.dimensionality import BaseDimensionalityReduction
from compared import brief_comparison, plain_model
from sklearn.cluster import DBSCAN, KMeans

from bertopic_matryoshka import TopicScorer, truncate
from bertopic_matryoshka.comparison._fit import fit_topic_model
from bertopic_matryoshka.comparison._setting import part_rows


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
    fitted = fit_topic_model(model, docs, embeddings)
    np.testing.assert_array_equal(fitted.document_topics, model.topics_)
    assert [size for _, _, size in fitted.topics] == np.bincount(model.topics_).tolist()
    assert fitted.topics[0][1] == tuple(word for word, _ in model.get_topic(0))
    assert fitted.seconds.pop("graph") == 0
    assert set(fitted.seconds) == {"reduce", "cluster", "represent"}
    assert all(seconds > 0 for seconds in fitted.seconds.values())
    by_hand = KMeans(6, n_init=1, random_state=0).fit_predict(embeddings)
    for topic in range(6):
        assert len(set(by_hand[fitted.document_topics == topic])) == 1


@pytest.mark.parametrize("n_topics", [5, 11])
def test_no_more_topics_than_asked_for(docs, embeddings, n_topics):
    """BERTopic's nr_topics counts an outlier topic where there is none, and leaves one more."""
    model = model_with(TwelveClusters(), nr_topics=n_topics + 1)
    fitted = fit_topic_model(model, docs, embeddings, n_topics=n_topics)
    assert len(fitted.topics) == n_topics
    assert set(fitted.document_topics) == set(range(n_topics))
    counts = np.bincount(fitted.document_topics)
    assert sorted(counts, reverse=True) == [size for _, _, size in fitted.topics]


def test_with_outliers_bertopic_leaves_as_many_as_asked_for(docs, embeddings):
    model = model_with(DBSCAN(eps=0.55, min_samples=5), nr_topics=4)
    fitted = fit_topic_model(model, docs, embeddings, n_topics=3)
    assert set(fitted.document_topics) == {-1, 0, 1, 2}


def test_fewer_topics_are_left_alone(docs, embeddings):
    assert (
        len(fit_topic_model(model_with(TwelveClusters()), docs, embeddings, n_topics=30).topics)
        == 12
    )


def test_given_embeddings_are_not_written_to(docs, backend, full_embeddings):
    """Guided modelling does."""
    model = BERTopic(
        embedding_model=backend,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=KMeans(6, n_init=1, random_state=0),
        seed_topic_list=[["sparse", "matrix"]],
    )
    given = np.array(full_embeddings)
    comparison = brief_comparison(docs, given, None)(model, dims=[256, 64])
    np.testing.assert_array_equal(given, full_embeddings)
    (embedded,) = comparison.embedding_models.values()
    np.testing.assert_array_equal(embedded.embeddings, truncate(full_embeddings, 256))


@pytest.mark.parametrize("split_half", [False, True])
def test_a_fit_holds_its_embeddings_once(monkeypatch, docs, split_half):
    """Beside those of all widths, which the comparison holds."""
    rows = np.random.default_rng(0).normal(size=(len(docs), 8_000)).astype(np.float32)
    held = []
    whole = BERTopic.fit_transform

    def fit_transform(self, documents, embeddings, y=None):
        share = tracemalloc.get_traced_memory()[0] - before
        held.append(share / embeddings.nbytes)
        return whole(self, documents, embeddings, y)

    model = plain_model(KMeans(3, n_init=1))
    compare = brief_comparison(docs, rows, None)
    scorer = TopicScorer(n_resamples=2, split_half=split_half)
    monkeypatch.setattr(BERTopic, "fit_transform", fit_transform)
    tracemalloc.start()
    before = rows.nbytes  # a copy of unit rows, made once for all fits
    compare(model, dims=[4_000], scorer=scorer)
    tracemalloc.stop()
    assert len(held) == (3 if split_half else 1)
    assert max(held) < 1.2


@pytest.mark.parametrize("n_documents", [40, 41])
def test_halves_are_disjoint_drawn_once_and_cover_all(n_documents):
    first, second = (part_rows(n_documents, f"{half} half") for half in ("first", "second"))
    assert sorted([*first, *second]) == part_rows(n_documents, "all").tolist()
    assert (first.size, second.size) == (20, n_documents - 20)
    for rows in (first, second):
        assert rows.tolist() == sorted(rows)
    # Else a corpus in order, such as by class, would have two halves of different topics.
    assert 5 < (first < n_documents // 2).sum() < 15
    np.testing.assert_array_equal(first, part_rows(n_documents, "first half"))
