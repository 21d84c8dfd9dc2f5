"""Building topic models, and all that users do with a BERTopic, on models that were built so."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from collections import Counter

import numpy as np
import plotly.graph_objects as go
import pytest
from bertopic import BERTopic
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from bertopic.representation import KeyBERTInspired, MaximalMarginalRelevance
from bertopic.vectorizers import OnlineCountVectorizer
from hdbscan import HDBSCAN
from sklearn.base import clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.pairwise import cosine_similarity

from bertopic_matryoshka import (
    CoreWords,
    DimensionSelector,
    ExpectWidth,
    LeidenClustering,
    MatryoshkaBackend,
    MatryoshkaBERTopic,
    PrincipalRotation,
    build_topic_model,
    get_stop_words,
    truncate,
)
from bertopic_matryoshka.topics._build import N_AXES, N_COMPONENTS, build_reducer, check_reductions

N_TOPICS = 9  # of the topic_model in conftest.py
QUERIES = {  # what is asked, and a word that the topic found must have
    "digital filter design": "filter",
    "sparse matrix": "sparse",
    "spline interpolation": "spline",
    "probability distribution": "distribution",
}
NEW_DOCS = [
    "Design a digital Butterworth filter and return its frequency response.",
    "Convert the sparse matrix to compressed row format.",
]
WRONG_WIDTH = r"embeddings are 256 wide but the backend produces 64"


def kmeans(n_clusters=N_TOPICS):
    return KMeans(n_clusters, n_init=10, random_state=0)


def leaf_hdbscan(min_cluster_size=5):
    """Many small clusters where the default settings find two."""
    return HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=1,
        cluster_selection_method="leaf",
        prediction_data=True,
    )


def words():
    return CountVectorizer(stop_words="english")


def words_of(topic_model, topic):
    return [word for word, _ in topic_model.get_topic(topic)]


def topic_of(topic_model, query):
    return topic_model.find_topics(query, top_n=1)[0][0]


def assert_finds_its_topics(topic_model, queries=QUERIES):
    for query, word in queries.items():
        assert word in words_of(topic_model, topic_of(topic_model, query)), query


@pytest.fixture(scope="module")
def with_outliers(backend, docs, embeddings):
    """HDBSCAN: about twenty topics, half of the documents outliers, probabilities."""
    topic_model = build_topic_model(
        backend,
        n_features_to_select=32,
        hdbscan_model=leaf_hdbscan(),
        vectorizer_model=words(),
        calculate_probabilities=True,
    )
    return topic_model.fit(docs, embeddings)


@pytest.fixture
def own(topic_model, backend):
    """A copy that may be changed; the backend is shared with the original."""
    return copy.deepcopy(topic_model, {id(backend): backend})


@pytest.fixture(scope="module")
def hierarchy(topic_model, docs):
    return topic_model.hierarchical_topics(docs)


@pytest.fixture
def outliers_of(with_outliers):
    return [i for i, topic in enumerate(with_outliers.topics_) if topic == -1]


# ---- building


@pytest.mark.parametrize(
    ("reduction", "reducer_class"),
    [
        ("variance", DimensionSelector),
        ("rotation", PrincipalRotation),
        ("pca", PCA),
        ("none", BaseDimensionalityReduction),
    ],
)
def test_it_builds_a_bertopic_around_the_reduction(backend, reduction, reducer_class):
    topic_model = build_topic_model(backend, reduction=reduction, min_topic_size=4, top_n_words=6)
    assert type(topic_model) is MatryoshkaBERTopic
    assert topic_model.embedding_model is backend
    assert type(topic_model.umap_model) is ExpectWidth
    assert type(topic_model.umap_model.reducer) is reducer_class
    assert topic_model.umap_model.width == 64
    assert (topic_model.min_topic_size, topic_model.top_n_words) == (4, 6)


def test_arguments_reach_the_reducer(backend):
    pca = build_topic_model(backend, reduction="pca", n_components=3, random_state=7).umap_model
    assert (pca.reducer.n_components, pca.reducer.random_state) == (3, 7)
    assert build_reducer("pca").n_components == N_COMPONENTS == 5
    rotation = build_topic_model(backend, reduction="rotation", random_state=7).umap_model.reducer
    assert (rotation.n_components, rotation.random_state, rotation.normalize) == (N_AXES, 7, True)
    narrow = build_topic_model(backend.truncated(8), reduction="rotation").umap_model.reducer
    assert narrow.n_components == 8
    assert build_reducer("rotation", n_components=9).n_components == 9
    selector = build_topic_model(backend, n_features_to_select=0.5, criterion=np.ptp).umap_model
    assert (selector.reducer.n_features_to_select, selector.reducer.criterion) == (0.5, np.ptp)


@pytest.mark.parametrize(
    ("reduction", "clustering", "clusterer_class"),
    [
        ("variance", None, LeidenClustering),
        ("none", None, LeidenClustering),
        ("pca", None, HDBSCAN),
        ("pca", "leiden", LeidenClustering),
        ("variance", "hdbscan", HDBSCAN),
    ],
)
def test_the_clusterer_follows_the_reduction(backend, reduction, clustering, clusterer_class):
    topic_model = build_topic_model(
        backend, reduction=reduction, clustering=clustering, min_topic_size=6
    )
    assert type(topic_model.hdbscan_model) is clusterer_class
    assert topic_model.hdbscan_model.min_cluster_size == 6


def test_a_clusterer_that_is_given_is_taken(backend):
    given = kmeans()
    assert build_topic_model(backend, hdbscan_model=given).hdbscan_model is given


def test_whatever_is_no_backend_is_handed_to_one(backend):
    assert build_topic_model().umap_model.width == 256
    given = build_topic_model(backend.embedding_model)
    assert isinstance(given.embedding_model, MatryoshkaBackend)
    assert given.embedding_model.embedding_model is backend.embedding_model


def test_building_loads_no_model_where_the_width_is_given():
    backend = MatryoshkaBackend(truncate_dim=32)
    build_topic_model(backend)
    assert not backend._source.is_loaded


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        (
            {"reduction": "tsne"},
            "reduction='tsne' must be one of variance, rotation, pca, umap, none",
        ),
        (
            {"n_components": 5},
            "n_components is for reduction='pca' or 'umap' or 'rotation'.*'variance'",
        ),
        ({"reduction": "none", "n_components": 5}, "n_components is for"),
        (
            {"reduction": "pca", "n_features_to_select": 8},
            "n_features_to_select is for reduction='variance', not for reduction='pca'",
        ),
        ({"reduction": "none", "criterion": np.ptp}, "criterion is for reduction='variance'"),
        ({"clustering": "dbscan"}, "clustering='dbscan' must be one of leiden, hdbscan"),
        (
            {"clustering": "leiden", "hdbscan_model": BaseCluster()},
            "clustering='leiden' and hdbscan_model are both given",
        ),
        ({"embedding_model": "all-MiniLM-L6-v2"}, "embedding_model=.* `backend` decides"),
        ({"umap_model": None}, "umap_model=None is what `reduction` decides"),
    ],
)
def test_arguments_that_contradict_are_refused(backend, kwargs, message):
    with pytest.raises(ValueError, match=message):
        build_topic_model(backend, **kwargs)


def test_an_argument_that_bertopic_does_not_know_is_refused(backend):
    with pytest.raises(TypeError, match="min_topic_sise"):
        build_topic_model(backend, min_topic_sise=3)


def test_names_of_reductions_are_checked():
    assert check_reductions(["pca", "none", "pca"]) == ("pca", "none")
    for wrong in ("pca", [], ()):
        with pytest.raises(ValueError, match="must be a list"):
            check_reductions(wrong)
    with pytest.raises(ValueError, match="reduction='PCA' must be one of"):
        check_reductions(["PCA"])


def test_without_umap_only_umap_is_refused(monkeypatch, backend, docs, embeddings):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match="pip install umap-learn"):
        build_topic_model(backend, reduction="umap")
    fitted = build_topic_model(backend, hdbscan_model=kmeans()).fit(docs, embeddings)
    assert len(fitted.get_topics()) == N_TOPICS


# ---- ExpectWidth by itself


def test_expect_width_does_what_its_reducer_does(embeddings):
    wrapped = ExpectWidth(DimensionSelector(16), 64)
    by_hand = DimensionSelector(16).fit(embeddings)
    assert np.array_equal(wrapped.fit_transform(embeddings), by_hand.transform(embeddings))
    assert np.array_equal(wrapped.support_, by_hand.support_)  # read through the wrapper
    assert wrapped.fit(embeddings) is wrapped
    assert np.array_equal(wrapped.transform(embeddings[:3]), by_hand.transform(embeddings[:3]))


def test_expect_width_leaves_its_parameter_as_it_is(embeddings):
    for method in ("fit", "fit_transform", "partial_fit"):
        reducer = DimensionSelector(16)
        wrapped = ExpectWidth(reducer, 64)
        getattr(wrapped, method)(embeddings)
        assert not hasattr(reducer, "support_")
        assert wrapped.reducer_.support_.sum() == 16
        assert wrapped.support_ is wrapped.reducer_.support_


def test_expect_width_goes_on_with_what_a_streamed_reducer_has_seen(embeddings):
    streamed = DimensionSelector(16, update_support=True).partial_fit(embeddings)
    wrapped = ExpectWidth(streamed, 64).partial_fit(embeddings[:5])
    assert wrapped.n_samples_seen_ == len(embeddings) + 5
    assert streamed.n_samples_seen_ == len(embeddings)


def test_expect_width_is_not_fitted_by_being_built(embeddings):
    with pytest.raises(NotFittedError, match="This ExpectWidth instance is not fitted yet"):
        ExpectWidth(DimensionSelector(16), 64).transform(embeddings)


def test_expect_width_uses_the_reducers_own_fit_transform(embeddings):
    class Own:
        def fit_transform(self, X, y=None):
            return "own way"

    assert ExpectWidth(Own(), 64).fit_transform(embeddings) == "own way"
    # BERTopic's empty reduction has none.
    assert ExpectWidth(BaseDimensionalityReduction(), 64).fit_transform(embeddings) is embeddings


def test_expect_width_hands_y_on(embeddings):
    class Remember:
        def fit(self, X, y=None):
            self.y_ = y
            return self

        def transform(self, X):
            return X

    wrapped = ExpectWidth(Remember(), 64)
    wrapped.fit_transform(embeddings, y=[1, 2])
    assert wrapped.y_ == [1, 2]
    assert wrapped.fit(embeddings, y=[3]).y_ == [3]


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform", "partial_fit"])
def test_each_method_refuses_another_width(method, embeddings, full_embeddings):
    wrapped = ExpectWidth(DimensionSelector(), 64).fit(embeddings)
    with pytest.raises(ValueError, match=WRONG_WIDTH) as error:
        getattr(wrapped, method)(full_embeddings)
    assert "truncate(embeddings, 64)" in str(error.value)
    with pytest.raises(ValueError, match=r"of shape \(64,\) but the backend produces 64"):
        getattr(wrapped, method)(embeddings[0])


def test_partial_fit_is_there_where_the_reducer_has_it():
    assert hasattr(ExpectWidth(DimensionSelector(), 8), "partial_fit")
    assert hasattr(ExpectWidth(IncrementalPCA(2), 8), "partial_fit")
    assert not hasattr(ExpectWidth(PCA(2), 8), "partial_fit")


def test_expect_width_can_be_cloned_pickled_and_asked_for_what_it_lacks(embeddings):
    wrapped = ExpectWidth(DimensionSelector(16), 64).fit(embeddings)
    for again in (pickle.loads(pickle.dumps(wrapped)), copy.deepcopy(wrapped)):
        assert np.array_equal(again.transform(embeddings), wrapped.transform(embeddings))
    unfitted = clone(wrapped)
    assert unfitted.get_params()["reducer__n_features_to_select"] == 16
    assert not hasattr(unfitted, "support_")
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = wrapped.no_such_thing


# ---- fit and transform


@pytest.mark.parametrize("clusterer", [kmeans, leaf_hdbscan])
def test_topics_are_those_of_the_two_liner(backend, docs, embeddings, clusterer):
    built = build_topic_model(backend, hdbscan_model=clusterer())
    by_hand = BERTopic(
        embedding_model=backend,
        umap_model=DimensionSelector(),
        hdbscan_model=clusterer(),
        vectorizer_model=CountVectorizer(stop_words=get_stop_words("english")),
        representation_model=CoreWords(),
    )
    topics, _ = built.fit_transform(docs, embeddings)
    topics_by_hand, _ = by_hand.fit_transform(docs, embeddings)
    assert topics == topics_by_hand
    assert built.get_topics() == by_hand.get_topics()
    assert len(set(topics)) >= N_TOPICS


def test_the_default_finds_topics_without_outliers(backend, docs, doc_labels, embeddings):
    built = build_topic_model(backend, vectorizer_model=words())
    by_hand = BERTopic(
        embedding_model=backend,
        umap_model=DimensionSelector(),
        hdbscan_model=LeidenClustering(),
    )
    topics, _ = built.fit_transform(docs, embeddings)
    assert topics == by_hand.fit_transform(docs, embeddings)[0]
    assert -1 not in topics
    assert 4 <= len(set(topics)) <= 20
    assert normalized_mutual_info_score(doc_labels, topics) > 0.25
    assert built.transform(docs, embeddings)[0] == topics
    assert_finds_its_topics(built, {"digital filter": "filter", "sparse matrix": "sparse"})


def test_topics_are_those_of_scikit_learns_own_steps(backend, docs, embeddings):
    built = build_topic_model(backend, n_features_to_select=16, hdbscan_model=kmeans())
    topics, _ = built.fit_transform(docs, embeddings)
    selected = embeddings[:, np.argsort(-embeddings.var(axis=0))[:16]]
    selected /= np.linalg.norm(selected, axis=1, keepdims=True)
    assert built.umap_model.support_.sum() == 16
    # Columns stand in another order here: the same clusters but for a document at a border.
    labels = kmeans().fit_predict(selected)
    assert normalized_mutual_info_score(topics, labels) > 0.9


def test_topics_tell_what_the_documents_are_about(topic_model, doc_labels, docs):
    assert len(topic_model.topics_) == len(docs)
    assert sorted(topic_model.get_topics()) == list(range(N_TOPICS))
    assert normalized_mutual_info_score(doc_labels, topic_model.topics_) > 0.2  # 0.35 measured
    assert_finds_its_topics(topic_model)


@pytest.mark.parametrize("reduction", ["variance", "rotation", "pca", "none"])
def test_embedding_inside_and_outside_give_the_same_topics(backend, docs, embeddings, reduction):
    def build():
        # PCA draws random numbers for some shapes, this one too.
        seed = {"random_state": 0} if reduction == "pca" else {}
        return build_topic_model(backend, reduction=reduction, hdbscan_model=kmeans(), **seed)

    inside, outside = build(), build()
    topics, _ = inside.fit_transform(docs)
    assert topics == outside.fit_transform(docs, embeddings)[0]
    np.testing.assert_allclose(inside.topic_embeddings_, outside.topic_embeddings_, atol=1e-6)
    # The topics' embeddings keep the backend's width, whatever the reduction.
    assert inside.topic_embeddings_.shape == (N_TOPICS, 64)


@pytest.mark.parametrize("reduction", ["variance", "pca", "none"])
@pytest.mark.parametrize("clusterer", [kmeans, leaf_hdbscan])
def test_transform_gives_training_documents_their_topics(
    backend, docs, embeddings, reduction, clusterer
):
    built = build_topic_model(backend, reduction=reduction, hdbscan_model=clusterer())
    topics, _ = built.fit_transform(docs, embeddings)
    again, _ = built.transform(docs, embeddings)
    assert np.mean(np.array(topics) == again) > 0.98  # all of them, measured


def test_transform_embeds_new_documents_itself(topic_model, backend):
    topics, _ = topic_model.transform(NEW_DOCS)
    assert topics == topic_model.transform(NEW_DOCS, backend.embed(NEW_DOCS))[0]
    assert "filter" in words_of(topic_model, topics[0])
    assert "sparse" in words_of(topic_model, topics[1])
    assert topic_model.transform(NEW_DOCS[0])[0] == topics[:1]  # a single string


def test_embeddings_of_the_full_width_can_be_cut_for_the_model(
    topic_model, docs, embeddings, full_embeddings
):
    cut = truncate(full_embeddings, 64)
    assert topic_model.transform(docs, cut)[0] == topic_model.transform(docs, embeddings)[0]


def test_embeddings_may_be_read_only_and_stay_as_they_are(backend, docs, embeddings):
    before = embeddings.copy()
    assert not embeddings.flags.writeable
    for reduction in ("variance", "pca", "none"):
        build_topic_model(backend, reduction=reduction, hdbscan_model=leaf_hdbscan()).fit(
            docs, embeddings
        )
    assert np.array_equal(embeddings, before)


def test_probabilities_of_all_topics(with_outliers, docs, backend):
    n_topics = len(with_outliers.get_topics()) - 1
    assert n_topics > 5
    assert with_outliers.probabilities_.shape == (len(docs), n_topics)
    topics, probabilities = with_outliers.transform(NEW_DOCS)
    assert len(topics) == 2
    assert probabilities.shape == (2, n_topics)
    assert (probabilities >= 0).all()
    assert (probabilities.sum(axis=1) <= 1 + 1e-6).all()
    # Documents in a topic are likeliest to be in it.
    inside = [i for i, topic in enumerate(with_outliers.topics_) if topic != -1]
    likeliest = with_outliers.probabilities_[inside].argmax(axis=1)
    assert np.mean(likeliest == np.array(with_outliers.topics_)[inside]) > 0.8


# ---- bad embeddings


@pytest.mark.parametrize("reduction", ["variance", "pca", "none"])
def test_fit_refuses_embeddings_of_another_width(backend, docs, full_embeddings, reduction):
    built = build_topic_model(backend, reduction=reduction, hdbscan_model=kmeans())
    with pytest.raises(ValueError, match=WRONG_WIDTH):
        built.fit(docs, full_embeddings)


def test_transform_refuses_embeddings_of_another_width(topic_model, docs, full_embeddings):
    with pytest.raises(ValueError, match=WRONG_WIDTH):
        topic_model.transform(docs, full_embeddings)


def test_zero_shot_refuses_embeddings_of_another_width(backend, docs, full_embeddings):
    built = build_topic_model(backend, zeroshot_topic_list=["sparse matrix"])
    with pytest.raises(ValueError, match=WRONG_WIDTH):
        built.fit_transform(docs, full_embeddings)


@pytest.mark.parametrize("reduction", ["variance", "pca", "none"])
def test_partial_fit_refuses_embeddings_of_another_width(
    backend, docs, embeddings, full_embeddings, reduction
):
    built = build_topic_model(
        backend,
        reduction=reduction,
        hdbscan_model=MiniBatchKMeans(3, random_state=0, n_init=1),
        vectorizer_model=OnlineCountVectorizer(),
    )
    with pytest.raises(ValueError, match=WRONG_WIDTH):
        built.partial_fit(docs[:50], full_embeddings[:50])
    built.partial_fit(docs[:50], embeddings[:50])
    with pytest.raises(ValueError, match=WRONG_WIDTH):
        built.partial_fit(docs[:50], full_embeddings[:50])


def test_identical_documents_are_refused_with_a_reason(backend):
    with pytest.raises(ValueError, match="all 64 dimensions are constant"):
        build_topic_model(backend).fit(["the same text"] * 20)


# ---- fewer topics


@pytest.mark.parametrize("reduction", ["variance", "pca", "none"])
def test_nr_topics_while_fitting(backend, docs, embeddings, reduction):
    built = build_topic_model(backend, reduction=reduction, hdbscan_model=kmeans(), nr_topics=4)
    topics, _ = built.fit_transform(docs, embeddings)
    assert set(topics) == set(range(4))
    assert built.transform(docs, embeddings)[0] == topics
    assert built.topic_embeddings_.shape == (4, 64)


def test_nr_topics_auto(backend, docs, embeddings):
    free = build_topic_model(backend, hdbscan_model=leaf_hdbscan()).fit(docs, embeddings)
    auto = build_topic_model(backend, hdbscan_model=leaf_hdbscan(), nr_topics="auto")
    auto.fit(docs, embeddings)
    assert 1 < len(auto.get_topics()) < len(free.get_topics())


def test_reduce_topics_after_fitting(own, docs, embeddings):
    before = own.topics_
    assert own.reduce_topics(docs, nr_topics=3) is own
    assert set(own.topics_) == {0, 1, 2}
    # Topics are merged whole.
    assert len(set(zip(before, own.topics_, strict=True))) == N_TOPICS
    assert own.transform(docs, embeddings)[0] == own.topics_
    assert own.topic_embeddings_.shape == (3, 64)


def test_merge_and_delete_topics(own, docs):
    sizes = Counter(own.topics_)
    own.merge_topics(docs, [0, 1])
    assert max(Counter(own.topics_).values()) == sizes[0] + sizes[1]
    own.delete_topics([0])
    assert Counter(own.topics_)[-1] == sizes[0] + sizes[1]


@pytest.mark.parametrize("strategy", ["probabilities", "distributions", "c-tf-idf", "embeddings"])
def test_reduce_outliers(with_outliers, docs, embeddings, outliers_of, strategy):
    topics = with_outliers.topics_
    # BERTopic assigns every outlier of "probabilities", also where all of them are 0.
    given = {
        "probabilities": {"probabilities": with_outliers.probabilities_},
        "embeddings": {"embeddings": embeddings},
    }.get(strategy, {})
    reduced = with_outliers.reduce_outliers(docs, topics, strategy=strategy, **given)
    assert len(outliers_of) > 100
    assert Counter(reduced)[-1] < len(outliers_of) / 3
    kept = [i for i in range(len(docs)) if topics[i] != -1]
    assert [reduced[i] for i in kept] == [topics[i] for i in kept]


def test_outliers_go_to_the_nearest_topic_embedding(with_outliers, docs, embeddings, outliers_of):
    embedded_inside = with_outliers.reduce_outliers(
        docs, with_outliers.topics_, strategy="embeddings"
    )
    similarity = cosine_similarity(embeddings, with_outliers.topic_embeddings_[1:])
    nearest = similarity.argmax(axis=1)
    assert [embedded_inside[i] for i in outliers_of] == [nearest[i] for i in outliers_of]


# ---- what a model tells


def test_find_topics_compares_in_the_backends_space(topic_model, backend):
    found, similarity = topic_model.find_topics("digital filter", top_n=3)
    expected = cosine_similarity(backend.embed(["digital filter"]), topic_model.topic_embeddings_)
    assert found == np.argsort(-expected[0])[:3].tolist()
    np.testing.assert_allclose(similarity, np.sort(expected[0])[::-1][:3], atol=1e-6)


def test_tables(topic_model, docs):
    info = topic_model.get_topic_info()
    assert info["Count"].sum() == len(docs)
    assert info["Topic"].tolist() == list(range(N_TOPICS))
    assert info["Count"].is_monotonic_decreasing
    documents = topic_model.get_document_info(docs)
    assert documents["Document"].tolist() == docs
    assert documents["Topic"].tolist() == topic_model.topics_
    assert topic_model.get_topic_freq(0) == info["Count"][0]
    assert set(topic_model.get_representative_docs(0)) <= set(docs)


def test_labels(own):
    own.set_topic_labels({topic: f"Topic {topic}!" for topic in range(N_TOPICS)})
    assert own.get_topic_info()["CustomName"][2] == "Topic 2!"
    assert len(own.generate_topic_labels(nr_words=2)) == N_TOPICS


def test_hierarchical_topics(topic_model, hierarchy):
    assert len(hierarchy) == N_TOPICS - 1
    root = hierarchy.loc[hierarchy["Distance"].idxmax(), "Topics"]
    assert sorted(root) == list(range(N_TOPICS))
    tree = topic_model.get_topic_tree(hierarchy)
    assert tree.count("Topic: ") == N_TOPICS


def test_topics_over_time(topic_model, docs):
    years = [2000 + i % 4 for i in range(len(docs))]
    over_time = topic_model.topics_over_time(docs, years)
    assert over_time["Frequency"].sum() == len(docs)
    assert set(over_time["Timestamp"]) == {2000, 2001, 2002, 2003}
    assert isinstance(topic_model.visualize_topics_over_time(over_time), go.Figure)


def test_topics_per_class(topic_model, docs, doc_labels):
    per_class = topic_model.topics_per_class(docs, classes=doc_labels)
    assert per_class["Frequency"].sum() == len(docs)
    statistics = per_class[per_class["Class"] == "scipy.stats"]
    most = statistics.loc[statistics["Frequency"].idxmax(), "Topic"]
    assert most == topic_of(topic_model, "probability distribution")
    assert isinstance(topic_model.visualize_topics_per_class(per_class), go.Figure)


def test_approximate_distribution(topic_model, docs):
    distribution, tokens = topic_model.approximate_distribution(docs[:20], calculate_tokens=True)
    assert distribution.shape == (20, N_TOPICS)
    assert len(tokens) == 20
    rows = distribution.sum(axis=1)
    assert np.all(np.isclose(rows, 1) | (rows == 0))
    about_filters, _ = topic_model.approximate_distribution(NEW_DOCS[0])
    assert about_filters[0].argmax() == topic_of(topic_model, "digital filter")
    # visualize_approximate_distribution needs a pandas that still has Styler.applymap.
    assert isinstance(topic_model.visualize_distribution(about_filters[0]), go.Figure)


def test_approximate_distribution_by_embeddings(topic_model, docs):
    distribution, _ = topic_model.approximate_distribution(
        NEW_DOCS[1], use_embedding_model=True, min_similarity=0
    )
    assert distribution[0].argmax() == topic_of(topic_model, "sparse matrix")


def test_update_topics(own, docs):
    topics = own.topics_
    own.update_topics(docs, vectorizer_model=CountVectorizer(ngram_range=(2, 2)), top_n_words=4)
    assert own.topics_ == topics
    for topic in range(N_TOPICS):
        assert len(own.get_topic(topic)) == 4
        assert all(" " in word for word in words_of(own, topic))


def test_update_topics_with_reduced_outliers(with_outliers, backend, docs):
    own = copy.deepcopy(with_outliers, {id(backend): backend})
    topics = own.reduce_outliers(docs, own.topics_, strategy="c-tf-idf")
    own.update_topics(docs, topics=topics, vectorizer_model=words())
    assert own.topics_ == topics
    assert -1 not in own.get_topics()
    assert len(own.topic_embeddings_) == len(own.get_topics())


# ---- topics that are given


def test_zero_shot(backend, docs, embeddings):
    wanted = ["digital filter design", "sparse matrix"]
    built = build_topic_model(
        backend,
        n_features_to_select=32,
        zeroshot_topic_list=wanted,
        zeroshot_min_similarity=0.45,
        hdbscan_model=kmeans(5),
        vectorizer_model=words(),
    )
    topics, _ = built.fit_transform(docs, embeddings)
    names = built.topic_labels_
    assert [names[0], names[1]] == wanted
    assert len(set(topics)) == 2 + 5
    similarity = cosine_similarity(embeddings, backend.embed(wanted))
    near = similarity.max(axis=1) >= 0.45
    assert 20 < near.sum() < len(docs) / 2
    assert np.array(topics)[near].tolist() == similarity.argmax(axis=1)[near].tolist()
    assert (np.array(topics)[~near] >= 2).all()
    # BERTopic drops the clusterer, and new documents go to the nearest topic embedding.
    assert type(built.hdbscan_model) is BaseCluster
    assert built.transform(NEW_DOCS)[0].tolist() == [0, 1]


def test_zero_shot_topics_that_match_nothing_change_nothing(backend, docs, embeddings):
    kwargs = {"hdbscan_model": kmeans(), "vectorizer_model": words()}
    plain = build_topic_model(backend, **kwargs).fit(docs, embeddings)
    kwargs["hdbscan_model"] = kmeans()
    unmatched = build_topic_model(
        backend, zeroshot_topic_list=["goulash"], zeroshot_min_similarity=0.99, **kwargs
    ).fit(docs, embeddings)
    assert unmatched.topics_ == plain.topics_


def test_guided(backend, docs, embeddings):
    seeds = [["filter", "frequency", "signal"], ["sparse", "matrix", "csr"]]
    guided = build_topic_model(
        backend, seed_topic_list=seeds, hdbscan_model=kmeans(), vectorizer_model=words()
    )
    own_embeddings = embeddings.copy()  # BERTopic writes into them
    topics, _ = guided.fit_transform(docs, own_embeddings)
    changed = np.flatnonzero((own_embeddings != embeddings).any(axis=1))
    assert 10 < changed.size < len(docs) / 2
    seeded = backend.embed([" ".join(seed) for seed in seeds])
    similarity = cosine_similarity(embeddings, np.vstack([seeded, embeddings.mean(axis=0)]))
    assert changed.tolist() == np.flatnonzero(similarity.argmax(axis=1) < 2).tolist()
    # Documents near a seed come to lie in one topic, no less than they do unguided.
    near_filters = np.flatnonzero(similarity.argmax(axis=1) == 0)
    unguided = build_topic_model(backend, hdbscan_model=kmeans()).fit(docs, embeddings)

    def largest_share(of):
        return Counter(np.array(of)[near_filters].tolist()).most_common(1)[0][1] / near_filters.size

    assert largest_share(topics) >= max(0.8, largest_share(unguided.topics_))
    assert_finds_its_topics(guided, {"digital filter": "filter", "sparse matrix": "sparse"})


def test_y_is_left_to_the_reducer_which_ignores_it_unless_it_is_umap(
    backend, topic_model, docs, embeddings, doc_labels
):
    y = [sorted(set(doc_labels)).index(label) for label in doc_labels]
    y[::2] = [-1] * len(y[::2])
    built = build_topic_model(backend, n_features_to_select=32, hdbscan_model=kmeans())
    supervised = built.fit(docs, embeddings, y=y)
    assert supervised.topics_ == topic_model.topics_


def test_supervised_by_a_classifier(backend, docs, embeddings, doc_labels):
    y = [sorted(set(doc_labels)).index(label) for label in doc_labels]
    classifier = LogisticRegression(C=10, max_iter=1000)
    built = build_topic_model(backend, hdbscan_model=classifier).fit(docs, embeddings, y=y)
    of_label = set(zip(built.topics_, doc_labels, strict=True))
    assert len(of_label) == len(set(doc_labels)) == len(set(built.topics_))
    predicted, _ = built.transform(docs, embeddings)
    assert np.mean(np.array(predicted) == built.topics_) > 0.8


def test_topics_given_by_hand(backend, docs, embeddings, doc_labels):
    y = [sorted(set(doc_labels)).index(label) for label in doc_labels]
    built = build_topic_model(backend, hdbscan_model=BaseCluster(), vectorizer_model=words())
    built.fit(docs, embeddings, y=y)
    of_label = set(zip(built.topics_, doc_labels, strict=True))
    assert len(of_label) == len(set(doc_labels)) == len(set(built.topics_))
    # BERTopic takes the nearest topic embedding.
    nearest = cosine_similarity(embeddings, built.topic_embeddings_).argmax(axis=1)
    assert built.transform(docs, embeddings)[0].tolist() == nearest.tolist()


# ---- batch by batch


def test_partial_fit_fixes_the_columns_and_goes_on_with_the_moments(
    backend, docs, doc_labels, embeddings
):
    order = np.random.default_rng(0).permutation(len(docs))
    built = build_topic_model(
        backend,
        n_features_to_select=24,
        hdbscan_model=MiniBatchKMeans(N_TOPICS, random_state=0, n_init=3),
        vectorizer_model=OnlineCountVectorizer(stop_words="english", decay=0.01),
    )
    supports, sizes = [], []
    for rows in np.array_split(order, 4):
        built.partial_fit([docs[i] for i in rows], embeddings[rows])
        supports.append(built.umap_model.support_.copy())
        sizes.append(built.umap_model.n_samples_seen_)
    first = np.array_split(order, 4)[0]
    expected = DimensionSelector(24).fit(embeddings[first]).support_
    assert all(np.array_equal(support, expected) for support in supports)
    assert sizes == np.cumsum([len(rows) for rows in np.array_split(order, 4)]).tolist()
    np.testing.assert_allclose(built.umap_model.variances_, embeddings.var(axis=0), rtol=1e-4)
    assert sum(built.topic_sizes_.values()) == len(docs)
    topics, _ = built.transform(docs, embeddings)
    assert normalized_mutual_info_score(doc_labels, topics) > 0.15  # 0.2 measured
    # BERTopic makes the topics' embeddings from their words here.
    assert built.topic_embeddings_.shape == (len(built.get_topics()), 64)


def test_partial_fit_embeds_the_batch_itself(backend, docs, embeddings):
    def online():
        return build_topic_model(
            backend,
            hdbscan_model=MiniBatchKMeans(4, random_state=0, n_init=1),
            vectorizer_model=OnlineCountVectorizer(stop_words="english"),
        )

    inside, outside = online(), online()
    for start in (0, 100):
        batch = slice(start, start + 100)
        inside.partial_fit(docs[batch])
        outside.partial_fit(docs[batch], embeddings[batch])
        assert inside.topics_ == outside.topics_


@pytest.mark.parametrize("reduction", ["pca", "none"])
def test_partial_fit_with_a_reducer_that_has_none(backend, docs, embeddings, reduction):
    built = build_topic_model(
        backend,
        reduction=reduction,
        hdbscan_model=MiniBatchKMeans(4, random_state=0, n_init=1),
        vectorizer_model=OnlineCountVectorizer(stop_words="english"),
    )
    built.partial_fit(docs[:200], embeddings[:200])
    before = built.umap_model.transform(embeddings)
    built.partial_fit(docs[200:400], embeddings[200:400])
    # The first batch has fitted it; later ones are only transformed.
    assert np.array_equal(built.umap_model.transform(embeddings), before)
    assert sum(built.topic_sizes_.values()) == 400


# ---- merging models


def test_merge_models(backend, docs, embeddings):
    halves = [slice(0, len(docs), 2), slice(1, len(docs), 2)]
    models = [
        build_topic_model(backend, hdbscan_model=kmeans(), vectorizer_model=words()).fit(
            docs[half], embeddings[half]
        )
        for half in halves
    ]
    merged = BERTopic.merge_models(models, min_similarity=0.8)
    assert merged.embedding_model is backend
    assert len(merged.topics_) == len(docs)
    assert N_TOPICS <= len(merged.get_topics()) < 2 * N_TOPICS
    assert merged.topic_embeddings_.shape == (len(merged.get_topics()), 64)
    assert_finds_its_topics(merged, {"sparse matrix": "sparse"})
    assert "sparse" in words_of(merged, merged.transform(NEW_DOCS)[0][1])


# ---- words chosen by their embeddings


def nearness(topic_model, topic, chosen):
    """How near words are to the embedding of a topic, on average."""
    embedded = topic_model.embedding_model.embed(chosen)
    return cosine_similarity(embedded, topic_model.topic_embeddings_[[topic]]).mean()


def test_keybert_inspired_takes_words_near_the_topic(topic_model, backend, docs, embeddings):
    built = build_topic_model(
        backend,
        n_features_to_select=32,
        hdbscan_model=kmeans(),
        vectorizer_model=words(),
        representation_model=KeyBERTInspired(top_n_words=5, random_state=0),
    ).fit(docs, embeddings)
    assert built.topics_ == topic_model.topics_
    vocabulary = built.vectorizer_model.get_feature_names_out()
    for topic in range(N_TOPICS):
        scores = [score for _, score in built.get_topic(topic)]
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)
        any_words = nearness(built, topic, vocabulary[::20])
        assert nearness(built, topic, words_of(built, topic)) > any_words + 0.1


def test_mmr_takes_words_that_differ(topic_model, backend, docs, embeddings):
    built = build_topic_model(
        backend,
        n_features_to_select=32,
        hdbscan_model=kmeans(),
        vectorizer_model=words(),
        representation_model={"Diverse": MaximalMarginalRelevance(diversity=0.9, top_n_words=5)},
    ).fit(docs, embeddings)
    assert built.topics_ == topic_model.topics_

    def likeness(chosen):
        embedded = backend.embed(chosen)
        return (embedded @ embedded.T)[np.triu_indices(len(chosen), 1)].mean()

    less_alike = 0
    for topic in range(N_TOPICS):
        # BERTopic fills topics of few words up with empty ones.
        diverse = [word for word, _ in built.topic_aspects_["Diverse"][topic] if word]
        assert 1 < len(diverse) <= 5
        less_alike += likeness(diverse) < likeness(words_of(built, topic)[:5])
    assert less_alike >= N_TOPICS - 2


# ---- figures


def test_figures_of_topics(topic_model, hierarchy):
    figures = {
        "hierarchy": topic_model.visualize_hierarchy(hierarchical_topics=hierarchy),
        "heatmap": topic_model.visualize_heatmap(),
        "heatmap of words": topic_model.visualize_heatmap(use_ctfidf=True),
        "barchart": topic_model.visualize_barchart(top_n_topics=N_TOPICS),
        "term rank": topic_model.visualize_term_rank(),
    }
    assert all(isinstance(figure, go.Figure) for figure in figures.values())
    assert np.array(figures["heatmap"].data[0].z).shape == (N_TOPICS, N_TOPICS)
    bars = [trace for trace in figures["barchart"].data if trace.type == "bar"]
    assert len(bars) == N_TOPICS
    assert json.loads(figures["hierarchy"].to_json())["data"]


def test_figures_of_documents(topic_model, hierarchy, docs):
    topics = np.array(topic_model.topics_)
    flat = np.column_stack([topics, np.arange(len(docs))]).astype(float)
    figure = topic_model.visualize_documents(docs, reduced_embeddings=flat)
    drawn = [trace.x for trace in figure.data if trace.mode and "markers" in trace.mode]
    assert sum(len(x) for x in drawn if x is not None) >= len(docs)
    # As many levels as there are merges at most, or BERTopic fails with an IndexError.
    levels = topic_model.visualize_hierarchical_documents(
        docs, hierarchy, reduced_embeddings=flat, nr_levels=3
    )
    assert isinstance(levels, go.Figure)
    assert len(levels.layout.sliders[0].steps) >= 3


def test_figure_of_a_documents_probabilities(with_outliers):
    likely = int(with_outliers.probabilities_.max(axis=1).argmax())
    figure = with_outliers.visualize_distribution(with_outliers.probabilities_[likely])
    assert isinstance(figure, go.Figure)
    assert max(figure.data[0].x) == pytest.approx(with_outliers.probabilities_[likely].max())


# ---- BERTopic's own saving


def test_pickle_keeps_the_whole_model(topic_model, docs, embeddings, tmp_path):
    topic_model.save(tmp_path / "model", serialization="pickle")
    loaded = BERTopic.load(tmp_path / "model")
    assert loaded.transform(docs, embeddings)[0] == topic_model.topics_
    assert loaded.embedding_model.truncate_dim == 64
    assert loaded.transform(NEW_DOCS)[0] == topic_model.transform(NEW_DOCS)[0]
    # The bundled model is not in the file: its name is, and it is loaded from the package.
    assert (tmp_path / "model").stat().st_size < 5e6


def test_safetensors_keep_topics_and_their_embeddings(topic_model, backend, tmp_path):
    topic_model.save(
        tmp_path, serialization="safetensors", save_ctfidf=True, save_embedding_model=False
    )
    loaded = BERTopic.load(tmp_path, embedding_model=backend)
    assert loaded.topics_ == topic_model.topics_
    assert loaded.find_topics("sparse matrix")[0] == topic_model.find_topics("sparse matrix")[0]
    # BERTopic drops reducer and clusterer; save_topic_model does not.
    assert type(loaded.umap_model) is BaseDimensionalityReduction
    assert type(loaded.hdbscan_model) is BaseCluster


# ---- with UMAP, last: it compiles for seconds


def test_umap_has_bertopics_settings_and_gives_its_topics(backend, docs, embeddings):
    umap_model = build_reducer("umap")
    stock = BERTopic().umap_model
    for parameter in ("n_neighbors", "n_components", "min_dist", "metric", "low_memory"):
        assert getattr(umap_model, parameter) == getattr(stock, parameter), parameter
    built = build_topic_model(
        backend, reduction="umap", random_state=0, hdbscan_model=kmeans(), vectorizer_model=words()
    )
    topics, _ = built.fit_transform(docs, embeddings)
    by_hand = BERTopic(
        embedding_model=backend,
        umap_model=build_reducer("umap", random_state=0),
        hdbscan_model=kmeans(),
    )
    assert by_hand.fit_transform(docs, embeddings)[0] == topics
    assert built.umap_model.embedding_.shape == (len(docs), N_COMPONENTS)
    assert_finds_its_topics(built, {"sparse matrix": "matrix"})
    with pytest.raises(ValueError, match="64 wide but the backend produces 32"):
        ExpectWidth(built.umap_model.reducer, 32).transform(embeddings)


def test_umap_takes_low_memory_and_n_components_from_the_call(backend):
    umap_model = build_topic_model(
        backend, reduction="umap", n_components=2, low_memory=True, random_state=3
    ).umap_model.reducer
    assert (umap_model.n_components, umap_model.low_memory) == (2, True)
    assert (umap_model.random_state, umap_model.n_jobs) == (3, 1)


def test_figures_that_bertopic_draws_with_umap(topic_model, docs, embeddings):
    topics = topic_model.visualize_topics()
    assert isinstance(topics, go.Figure)
    assert len(topics.data[0].x) == N_TOPICS
    documents = topic_model.visualize_documents(docs, embeddings=embeddings)
    assert isinstance(documents, go.Figure)
