"""What users do with a BERTopic, on the default: LeidenClustering after DimensionSelector."""

from __future__ import annotations

import copy
import warnings
from collections import Counter

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.cluster import BaseCluster
from bertopic.vectorizers import OnlineCountVectorizer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.pairwise import cosine_similarity

from bertopic_matryoshka import (
    LeidenClustering,
    LossySaveWarning,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)

NEW_DOCS = [
    "Design a digital Butterworth filter and return its frequency response.",
    "Convert the sparse matrix to compressed row format.",
]


def build(backend, **kwargs):
    return build_topic_model(
        backend, vectorizer_model=CountVectorizer(stop_words="english"), **kwargs
    )


def words_of(topic_model, topic):
    return [word for word, _ in topic_model.get_topic(topic)]


def assert_new_documents_find_their_topics(topic_model):
    about_filters, about_sparse = topic_model.transform(NEW_DOCS)[0]
    assert "filter" in words_of(topic_model, about_filters)
    assert "sparse" in words_of(topic_model, about_sparse)


def saved_and_loaded(topic_model, folder):
    """Save where nothing may be lost, and load."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", LossySaveWarning)
        save_topic_model(topic_model, folder)
    return load_topic_model(folder)


@pytest.fixture(scope="module")
def leiden(backend, docs, embeddings):
    """Seven topics and no outliers. Shared: take `own` to change it."""
    return build(backend).fit(docs, embeddings)


@pytest.fixture
def own(leiden, backend):
    return copy.deepcopy(leiden, {id(backend): backend})


@pytest.fixture(scope="module")
def with_outliers(backend, docs, embeddings):
    """The same with every ninth document, whose neighbours lie elsewhere, an outlier."""
    return build(backend, hdbscan_model=LeidenClustering(min_membership=0.6)).fit(docs, embeddings)


@pytest.fixture(scope="module")
def merge_clusters(backend, docs, embeddings):
    """Two models, of the documents in even and odd places, made one."""
    halves = [slice(0, len(docs), 2), slice(1, len(docs), 2)]
    models = [build(backend).fit(docs[half], embeddings[half]) for half in halves]
    n_topics = [len(model.get_topics()) for model in models]
    return BERTopic.merge_models(models, min_similarity=0.8), n_topics


# ---- transform


def test_transform_gives_training_documents_their_topics(leiden, docs, embeddings):
    topics, _ = leiden.transform(docs, embeddings)
    assert topics == leiden.topics_


def test_transform_is_what_the_clusterer_predicts(leiden, embeddings, docs):
    selected = leiden.umap_model.transform(embeddings[::7])
    predicted = leiden.hdbscan_model.predict(selected)
    mapping = leiden.topic_mapper_.get_mappings()
    topics, _ = leiden.transform(docs[::7], embeddings[::7])
    assert topics == [mapping[label] for label in predicted]


def test_transform_embeds_new_documents_itself(leiden, backend):
    assert_new_documents_find_their_topics(leiden)
    topics, _ = leiden.transform(NEW_DOCS)
    assert topics == leiden.transform(NEW_DOCS, backend.embed(NEW_DOCS))[0]
    assert topics[:1] == leiden.transform(NEW_DOCS[0])[0]


# ---- probabilities


def test_probabilities_are_the_clusterers(leiden, with_outliers, docs):
    for topic_model in (leiden, with_outliers):
        probabilities = topic_model.probabilities_
        assert np.array_equal(probabilities, topic_model.hdbscan_model.probabilities_)
        assert probabilities.shape == (len(docs),)
        outlier = np.array(topic_model.topics_) == -1
        assert (probabilities[outlier] == 0).all()
        assert (probabilities[~outlier] > 0).all()
        assert probabilities.max() <= 1
    info = leiden.get_document_info(docs)
    assert info["Probability"].tolist() == leiden.probabilities_.tolist()


def test_the_surer_agree_more_with_the_labels(leiden, doc_labels):
    """A probability that said nothing would be as high for the documents that lie wrong."""
    labels, topics = np.array(doc_labels), np.array(leiden.topics_)
    sure = leiden.probabilities_ > np.median(leiden.probabilities_)
    unsure = leiden.probabilities_ < 0.6
    assert 0.05 < unsure.mean() < 0.5
    assert adjusted_mutual_info_score(labels[sure], topics[sure]) > (
        adjusted_mutual_info_score(labels[unsure], topics[unsure]) + 0.2
    )


def test_probabilities_of_all_topics(leiden, backend, docs, embeddings):
    built = build(backend, calculate_probabilities=True)
    topics, probabilities = built.fit_transform(docs, embeddings)
    assert topics == leiden.topics_
    assert probabilities.shape == (len(docs), len(built.get_topics()))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(probabilities[np.arange(len(docs)), topics], leiden.probabilities_)
    info = built.get_document_info(docs)
    assert info["Probability"].tolist() == probabilities.max(axis=1).tolist()
    assert built.visualize_distribution(probabilities[0]).data
    built.reduce_topics(docs, nr_topics=3)  # BERTopic adds the columns up
    assert built.probabilities_.shape == (len(docs), 3)
    assert np.mean(built.probabilities_.argmax(axis=1) == built.topics_) > 0.95


def test_probabilities_of_all_topics_for_new_documents(backend, docs, embeddings):
    """BERTopic's transform has them from hdbscan alone; the clusterer has them."""
    built = build(backend, calculate_probabilities=True).fit(docs[::2], embeddings[::2])
    topics, probabilities = built.transform(docs[1::2], embeddings[1::2])
    assert probabilities is None
    selected = built.umap_model.transform(embeddings[1::2])
    probabilities = built.hdbscan_model.predict_proba(selected)
    assert probabilities.shape == (len(docs) // 2, len(built.get_topics()))
    topic_of = built.topic_mapper_.get_mappings()  # BERTopic orders topics of equal size itself
    assert [topic_of[label] for label in probabilities.argmax(axis=1)] == topics


def test_one_probability_a_document_unless_all_are_asked_for(leiden):
    assert leiden.hdbscan_model.calculate_probabilities is False
    assert leiden.probabilities_.ndim == 1


# ---- outliers


@pytest.mark.parametrize("strategy", ["distributions", "c-tf-idf", "embeddings"])
def test_reduce_outliers(with_outliers, docs, embeddings, doc_labels, strategy):
    topics = np.array(with_outliers.topics_)
    outlier = topics == -1
    assert 0.05 < outlier.mean() < 0.5
    given = {"embeddings": embeddings} if strategy == "embeddings" else {}
    reduced = np.array(
        with_outliers.reduce_outliers(docs, topics.tolist(), strategy=strategy, **given)
    )
    assert (reduced[~outlier] == topics[~outlier]).all()
    assert -1 not in reduced
    # Better than chance on the hardest documents; 0.16 to 0.17 measured.
    assert adjusted_mutual_info_score(np.array(doc_labels)[outlier], reduced[outlier]) > 0.1


def test_one_probability_a_document_cannot_reduce_outliers(with_outliers, docs):
    reduced = with_outliers.reduce_outliers(
        docs,
        with_outliers.topics_,
        strategy="probabilities",
        probabilities=with_outliers.probabilities_,
    )
    # BERTopic takes the position of the largest of one number.
    outlier = np.array(with_outliers.topics_) == -1
    assert set(np.array(reduced)[outlier]) == {0}


def test_reduce_outliers_by_probabilities(backend, docs, embeddings, doc_labels):
    clusterer = LeidenClustering(min_membership=0.6, calculate_probabilities=True)
    built = build(backend, hdbscan_model=clusterer)
    topics, probabilities = built.fit_transform(docs, embeddings)
    outlier = np.array(topics) == -1
    reduced = np.array(
        built.reduce_outliers(docs, topics, strategy="probabilities", probabilities=probabilities)
    )
    assert -1 not in reduced
    assert (reduced[~outlier] == np.array(topics)[~outlier]).all()
    assert adjusted_mutual_info_score(np.array(doc_labels)[outlier], reduced[outlier]) > 0.15


def test_update_topics_with_reduced_outliers(with_outliers, backend, docs):
    changed = copy.deepcopy(with_outliers, {id(backend): backend})
    topics = changed.reduce_outliers(docs, changed.topics_, strategy="c-tf-idf")
    changed.update_topics(docs, topics=topics)
    assert changed.topics_ == topics
    assert -1 not in changed.get_topics()


def test_there_are_no_outliers_to_reduce_by_default(leiden, docs):
    assert leiden.reduce_outliers(docs, leiden.topics_) == leiden.topics_


# ---- fewer topics


@pytest.mark.parametrize("when", ["while fitting", "afterwards"])
def test_fewer_topics(own, backend, docs, embeddings, when):
    before = own.topics_
    if when == "afterwards":
        own.reduce_topics(docs, nr_topics=4)
    else:
        own = build(backend, nr_topics=4).fit(docs, embeddings)
    assert set(own.topics_) == set(range(4))
    assert len(set(zip(before, own.topics_, strict=True))) == len(set(before))  # merged whole
    assert np.mean(np.array(own.transform(docs, embeddings)[0]) == own.topics_) > 0.95


def test_nr_topics_auto(backend, docs, embeddings):
    def many():
        return LeidenClustering(resolution=4, min_cluster_size=5, copy_distance=0)

    free = build(backend, hdbscan_model=many()).fit(docs, embeddings)
    auto = build(backend, hdbscan_model=many(), nr_topics="auto").fit(docs, embeddings)
    assert 1 < len(auto.get_topics()) < len(free.get_topics())


def test_hierarchical_topics(leiden, docs):
    n_topics = len(leiden.get_topics())
    hierarchy = leiden.hierarchical_topics(docs)
    assert len(hierarchy) == n_topics - 1
    root = hierarchy.loc[hierarchy["Distance"].idxmax(), "Topics"]
    assert sorted(root) == list(range(n_topics))
    assert leiden.get_topic_tree(hierarchy).count("Topic: ") == n_topics
    assert leiden.visualize_hierarchy(hierarchical_topics=hierarchy).data


# ---- models made one


def test_merge_models(merge_clusters, backend, docs):
    topic_model, n_topics = merge_clusters
    assert topic_model.embedding_model is backend
    assert len(topic_model.topics_) == len(docs)
    # Those of the first, and of the second those that it lacks.
    assert n_topics[0] <= len(topic_model.get_topics()) < sum(n_topics)
    assert topic_model.topic_embeddings_.shape == (len(topic_model.get_topics()), 64)
    assert_new_documents_find_their_topics(topic_model)


def test_merge_models_takes_a_topic_that_only_one_has(backend, docs, embeddings, doc_labels):
    about_signals = np.array(doc_labels) == "scipy.signal"
    models = [
        build(backend).fit([docs[i] for i in rows], embeddings[rows])
        for rows in (np.flatnonzero(~about_signals), np.flatnonzero(about_signals))
    ]
    merge_clusters = BERTopic.merge_models(models, min_similarity=0.9)
    # Those of the first model keep their numbers, and those of the second follow.
    assert merge_clusters.topics_[: len(models[0].topics_)] == models[0].topics_
    about_digital = [
        t for t in merge_clusters.get_topics() if "digital" in words_of(merge_clusters, t)
    ]
    assert about_digital
    assert min(about_digital) >= len(models[0].get_topics())


# ---- topics that are wanted


def test_zero_shot(backend, docs, embeddings):
    wanted = ["digital filter design", "sparse matrix"]
    built = build(backend, zeroshot_topic_list=wanted, zeroshot_min_similarity=0.45)
    topics = np.array(built.fit_transform(docs, embeddings)[0])
    assert [built.topic_labels_[topic] for topic in (0, 1)] == wanted
    similarity = cosine_similarity(embeddings, backend.embed(wanted))
    near = similarity.max(axis=1) >= 0.45
    assert 20 < near.sum() < len(docs) / 2
    assert topics[near].tolist() == similarity.argmax(axis=1)[near].tolist()
    # Leiden finds the topics of all others.
    assert (topics[~near] >= 2).all()
    assert len(set(topics[~near])) >= 4
    # BERTopic drops the clusterer, and new documents go to the nearest topic embedding.
    assert type(built.hdbscan_model) is BaseCluster
    assert built.transform(NEW_DOCS)[0].tolist() == [0, 1]


def test_zero_shot_topics_that_match_nothing_change_nothing(leiden, backend, docs, embeddings):
    unmatched = build(backend, zeroshot_topic_list=["goulash"], zeroshot_min_similarity=0.99)
    assert unmatched.fit(docs, embeddings).topics_ == leiden.topics_
    assert type(unmatched.hdbscan_model) is LeidenClustering


@pytest.mark.parametrize(
    ("seed", "word"),
    [
        (["filter", "frequency", "signal"], "filter"),
        (["spline", "interpolation"], "spline"),
    ],
)
def test_guided(leiden, backend, docs, embeddings, seed, word):
    guided = build(backend, seed_topic_list=[seed])
    topics, _ = guided.fit_transform(docs, embeddings.copy())  # BERTopic writes into them
    others = np.vstack([backend.embed([" ".join(seed)]), embeddings.mean(axis=0)])
    near = cosine_similarity(embeddings, others).argmax(axis=1) == 0

    def largest_share(of):
        topic, count = Counter(np.array(of)[near].tolist()).most_common(1)[0]
        return topic, count / near.sum()

    topic, share = largest_share(topics)
    # Documents near the seed come to lie in one topic, more of them than unguided.
    assert share > 0.9
    assert share > largest_share(leiden.topics_)[1] + 0.05
    assert word in words_of(guided, topic)


@pytest.fixture(scope="module")
def classes(doc_labels):
    return np.unique(doc_labels, return_inverse=True)[1]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_semi_supervised(leiden, backend, docs, embeddings, classes, share):
    known = np.random.default_rng(0).random(len(docs)) < share
    y = np.where(known, classes, -1)
    topics = np.array(build(backend).fit(docs, embeddings, y=y.tolist()).topics_)
    before = np.array(leiden.topics_)

    def score(of, rows):
        return adjusted_mutual_info_score(classes[rows], of[rows])

    assert score(topics, known) > score(before, known) + 0.05
    assert score(topics, ~known) > score(before, ~known) - 0.05


def test_no_class_known_changes_nothing(leiden, backend, docs, embeddings):
    assert build(backend).fit(docs, embeddings, y=[-1] * len(docs)).topics_ == leiden.topics_


def test_y_of_all_documents_after_zero_shot_is_not_used(backend, docs, embeddings):
    built = build(backend, zeroshot_topic_list=["sparse matrix"], zeroshot_min_similarity=0.45)
    with pytest.warns(RuntimeWarning, match=r"y has 501 classes for \d+ rows and is not used"):
        built.fit(docs, embeddings, y=[0] * len(docs))


# ---- batch by batch


def online(backend):
    vectorizer = OnlineCountVectorizer(stop_words="english")
    return build_topic_model(backend, vectorizer_model=vectorizer)


def test_partial_fit_finds_a_topic_that_comes_late(backend, docs, embeddings, doc_labels, tmp_path):
    late = np.array(doc_labels) == "scipy.sparse"
    rows = np.random.default_rng(0).permutation(np.flatnonzero(~late))
    batches = [*np.array_split(rows, 3), np.flatnonzero(late)]
    model, topics = online(backend), np.full(len(docs), -1)
    for number, batch in enumerate(batches):
        model.partial_fit([docs[i] for i in batch], embeddings[batch])
        topics[batch] = model.topics_
        if number == 2:
            save_topic_model(model, tmp_path / "saved")
    assert (topics >= 0).all()
    changes = model.hdbscan_model.topic_changes_
    new = changes.loc[(changes["batch"] == 3) & (changes["change"] == "new"), "new"].unique()
    is_new = np.isin(topics, new)
    assert late[is_new].mean() > 0.9
    assert is_new[late].mean() > 0.7
    assert any("sparse" in [word for word, _ in model.get_topic(topic)] for topic in new)
    assert sum(model.topic_sizes_.values()) == len(docs)
    # Earlier documents keep their topics; a model that was saved before goes on as this one did.
    before = np.concatenate(batches[:3])
    assert model.transform([docs[i] for i in before], embeddings[before])[0] == list(topics[before])
    loaded = load_topic_model(tmp_path / "saved")
    loaded.partial_fit([docs[i] for i in batches[3]], embeddings[batches[3]])
    assert loaded.topics_ == model.topics_


def test_a_first_outlier_in_a_later_batch_is_refused_before_words_are_mixed_up(
    backend, docs, embeddings
):
    model = online(backend)
    model.partial_fit(docs[::2], embeddings[::2])
    words = model.get_topics()
    batch = embeddings[1::2].copy()
    batch[3] = 0
    with pytest.raises(ValueError, match=r"1 embeddings .* document 3: .* Leave them out"):
        model.partial_fit(docs[1::2], batch)
    assert model.get_topics() == words
    keep = np.arange(len(batch)) != 3
    model.partial_fit(
        [doc for doc, kept in zip(docs[1::2], keep, strict=True) if kept], batch[keep]
    )
    assert -1 not in model.topics_


# ---- saving


@pytest.mark.parametrize(
    "clusterer",
    [
        LeidenClustering(),
        LeidenClustering(5),
        LeidenClustering(min_membership=0.6),
        LeidenClustering(random_state=np.random.RandomState(3)),
        LeidenClustering(calculate_probabilities=True),
    ],
    ids=["default", "n_clusters", "outliers", "RandomState", "probabilities"],
)
def test_save_and_load(backend, docs, embeddings, tmp_path, clusterer):
    topic_model = build(backend, hdbscan_model=clusterer).fit(docs, embeddings)
    loaded = saved_and_loaded(topic_model, tmp_path)
    topics, _ = topic_model.transform(docs, embeddings)
    assert loaded.transform(docs, embeddings)[0] == topics
    assert loaded.topics_ == topic_model.topics_
    assert (-1 in topics) == (clusterer.min_membership > 0)
    assert_new_documents_find_their_topics(loaded)
    before, after = (
        model.hdbscan_model.predict_strength(model.umap_model.transform(embeddings))
        for model in (topic_model, loaded)
    )
    assert np.array_equal(before, after)
    saved, found = clusterer.probabilities_, loaded.hdbscan_model.probabilities_
    assert np.array_equal(saved, found)


def test_save_and_load_with_fewer_topics(own, docs, embeddings, tmp_path):
    own.reduce_topics(docs, nr_topics=3)
    loaded = saved_and_loaded(own, tmp_path)
    topics, _ = loaded.transform(docs, embeddings)
    assert topics == own.transform(docs, embeddings)[0]
    assert set(topics) == {0, 1, 2}


def test_save_and_load_a_merged_model(merge_clusters, docs, embeddings, tmp_path):
    topic_model, _ = merge_clusters
    loaded = saved_and_loaded(topic_model, tmp_path)
    topics, _ = topic_model.transform(docs, embeddings)
    assert np.array_equal(loaded.transform(docs, embeddings)[0], topics)
    assert_new_documents_find_their_topics(loaded)


def test_loaded_models_can_be_merged(leiden, backend, tmp_path):
    loaded = saved_and_loaded(leiden, tmp_path)
    merge_clusters = BERTopic.merge_models([leiden, loaded], min_similarity=0.9)
    assert len(merge_clusters.get_topics()) == len(leiden.get_topics())
    assert len(merge_clusters.topics_) == 2 * len(leiden.topics_)


def test_pickle(leiden, docs, embeddings, tmp_path):
    leiden.save(tmp_path / "model", serialization="pickle")
    loaded = BERTopic.load(tmp_path / "model")
    assert loaded.transform(docs, embeddings)[0] == leiden.transform(docs, embeddings)[0]
