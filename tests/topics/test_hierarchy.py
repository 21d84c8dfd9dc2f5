"""BERTopic's hierarchy on the graph's linkage, and levels, through real topic models."""

from functools import partial

import numpy as np
import pytest
from bertopic import BERTopic
from scipy.cluster.hierarchy import is_monotonic, is_valid_linkage
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    load_topic_model,
    save_topic_model,
    topic_levels,
    topic_linkage,
)


def build(backend, **parameters):
    return BERTopic(
        embedding_model=backend,
        umap_model=DimensionSelector(),
        hdbscan_model=LeidenClustering(12, **parameters),
        vectorizer_model=CountVectorizer(stop_words="english"),
    )


@pytest.fixture(scope="module")
def topic_model(backend, docs, embeddings):
    return build(backend, outlier_share=0.1).fit(docs, embeddings)


def topics_of(row):
    return frozenset(row)


def test_the_linkage_merges_topics_as_the_tree_does(topic_model):
    Z = topic_linkage(topic_model)
    assert is_valid_linkage(Z)
    assert is_monotonic(Z)
    assert Z.shape == (11, 4)
    clusterer = topic_model.hdbscan_model
    # BERTopic may number topics of equal size in another order.
    np.testing.assert_array_equal(Z, clusterer.linkage(topic_model.topics_))
    np.testing.assert_allclose(Z[:, 2], clusterer.linkage()[:, 2])
    # Leaves merge into the tree that the fit keeps.
    whole = clusterer.linkage(clusterer.leaf_labels_)
    np.testing.assert_array_equal(whole[:, :2], clusterer.children_)
    np.testing.assert_allclose(whole[:, 2], clusterer.distances_)


def test_bertopic_draws_the_tree(topic_model, docs):
    function = partial(topic_linkage, topic_model)
    tree = topic_model.hierarchical_topics(docs, linkage_function=function)
    assert len(tree) == 11
    # Its rows are the merges, and the last is of all topics.
    assert {topics_of(topics) for topics in tree["Topics"]} >= {frozenset(range(12))}
    np.testing.assert_allclose(np.sort(tree["Distance"].astype(float)), function()[:, 2], atol=1e-6)
    first = frozenset(function()[0, :2].astype(int).tolist())
    assert first in {topics_of(topics) for topics in tree["Topics"]}
    printed = topic_model.get_topic_tree(tree)
    assert all(f"── Topic: {topic}\n" in printed for topic in range(12))
    figure = topic_model.visualize_hierarchy(hierarchical_topics=tree, linkage_function=function)
    heights = {round(float(x), 6) for trace in figure.data for x in trace["x"]}
    assert {round(height, 6) for height in function()[:, 2]} <= heights
    some = partial(function, topics=[1, 4, 7])
    assert topic_model.visualize_hierarchy(topics=[1, 4, 7], linkage_function=some).data
    with pytest.raises(ValueError, match="distances are those of 3 topics, but there are 12"):
        topic_model.visualize_hierarchy(topics=[1, 4, 7], linkage_function=function)


def test_topics_that_changed_since_the_fit(backend, docs, embeddings, tmp_path):
    changed = build(backend).fit(docs, embeddings)
    before = np.array(changed.topics_)
    changed.merge_topics(docs, [[1, 2], [5, 6]])
    assert topic_linkage(changed).shape == (9, 4)
    merged = topic_levels(changed, docs, [10, 3])
    assert merged.documents.loc[before == 1, "level_10"].nunique() == 1
    save_topic_model(changed, tmp_path / "model")
    loaded = load_topic_model(tmp_path / "model")
    np.testing.assert_array_equal(topic_linkage(loaded), topic_linkage(changed))
    changed.reduce_topics(docs, nr_topics=5)
    assert topic_linkage(changed).shape == (len(changed.get_topics()) - 1, 4)
    labels = changed.hdbscan_model.labels_at(20)
    changed.update_topics(docs, topics=labels.tolist(), vectorizer_model=changed.vectorizer_model)
    assert topic_linkage(changed).shape == (19, 4)
    assert topic_levels(changed, docs, [20, 6, 2]).documents["level_6"].nunique() == 6


def test_levels_are_nested_and_named(topic_model, docs):
    levels = topic_levels(topic_model, docs, [8, 3])
    documents, topics = levels.documents, levels.topics
    assert documents.columns.tolist() == ["topic", "level_8", "level_3"]
    assert documents["topic"].tolist() == topic_model.topics_
    outlier = documents["topic"] == -1
    assert outlier.sum() == round(0.1 * len(docs))
    assert (documents[outlier] == -1).all(axis=None)
    inside = documents[~outlier]
    assert (inside.groupby("topic")["level_8"].nunique() == 1).all()
    assert (inside.groupby("level_8")["level_3"].nunique() == 1).all()
    assert (inside.groupby("level_3")["level_8"].nunique() >= 2).all()
    for number in (8, 3):
        sizes = inside[f"level_{number}"].value_counts()
        level = topics[topics["level"] == number].set_index("topic")
        assert level.index.tolist() == list(range(number))
        assert level["size"].is_monotonic_decreasing
        assert (level["size"] == sizes.reindex(level.index)).all()
        for topic, row in level.iterrows():
            members = inside.loc[inside[f"level_{number}"] == topic, "topic"]
            assert sorted(members.unique()) == row["topics"]
            assert row["words"].startswith(row["name"])
            if len(row["topics"]) == 1:
                words = [word for word, _ in topic_model.get_topic(row["topics"][0])]
                assert row["words"] == ", ".join(words)
    finer = topics[topics["level"] == 8]
    parents = inside.groupby("level_8")["level_3"].first()
    assert finer["parent"].tolist() == parents.tolist()
    assert (topics.loc[topics["level"] == 3, "parent"] == -1).all()


def test_the_words_of_a_union_are_those_of_its_documents(topic_model, docs):
    levels = topic_levels(topic_model, docs, [12, 1], min_children=1)
    whole = levels.topics.iloc[-1]
    topics, copy_of = np.array(topic_model.topics_), topic_model.hdbscan_model.copy_of_
    repeats = (copy_of != np.arange(len(docs))) & (topics[copy_of] == topics)
    once = {(topics[i], docs[i]) for i in np.flatnonzero((topics >= 0) & ~repeats)}
    assert len(once) < (topics >= 0).sum()
    counts = topic_model.vectorizer_model.transform([" ".join(text for _, text in once)])
    weights = topic_model.ctfidf_model.transform(counts).toarray().ravel()
    names = topic_model.vectorizer_model.get_feature_names_out()
    assert set(whole["words"].split(", ")) == set(names[np.argsort(-weights)[:10]])
    # A level with all topics has their own numbers.
    assert levels.documents["level_12"].tolist() == topic_model.topics_


def test_what_has_no_hierarchy(topic_model, docs, embeddings, backend):
    other = BERTopic(
        embedding_model=backend, umap_model=DimensionSelector(), hdbscan_model=KMeans(4)
    ).fit(docs, embeddings)
    for function in (topic_linkage, lambda model: topic_levels(model, docs, [2])):
        with pytest.raises(TypeError, match="hdbscan_model is a KMeans, which has no graph"):
            function(other)
        with pytest.raises(ValueError, match="not fitted"):
            function(build(backend))
    with pytest.raises(ValueError, match="documents has 3 texts"):
        topic_levels(topic_model, docs[:3], [2])
    with pytest.raises(ValueError, match="topics has 99"):
        topic_linkage(topic_model, topics=[0, 99])
    with pytest.raises(ValueError, match="two topics or more, and there are 1"):
        topic_linkage(topic_model, topics=[0])
    zero_shot = build(backend)
    zero_shot.zeroshot_topic_list, zero_shot.zeroshot_min_similarity = ["sparse matrices"], 0.3
    zero_shot.fit(docs, embeddings)
    with pytest.raises((TypeError, ValueError), match="graph"):
        topic_linkage(zero_shot)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], r"labels has shape \(2,\) and must have shape \(501,\)"),
        ([0, 2], "without a gap"),
        ([-2, 0], "and -1 for no cluster"),
        ([0.0, 1.0], "whole numbers"),
    ],
)
def test_labels_that_can_not_be_linked(topic_model, labels, message):
    n = len(topic_model.topics_) if "shape" not in message else 2
    with pytest.raises(ValueError, match=message):
        topic_model.hdbscan_model.linkage(np.resize(labels, n))
