"""Topic words and examples from the core of each topic, through all that BERTopic does with them."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.representation import BaseRepresentation, KeyBERTInspired, MaximalMarginalRelevance
from hdbscan import HDBSCAN
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    CoreWords,
    DimensionSelector,
    DistinctDocuments,
    LeidenClustering,
    MatryoshkaBackend,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.topics._core import fold_words, in_core


def words():
    return CountVectorizer(stop_words="english")


def listed(topic_model):
    return {
        topic: [word for word, _ in topic_model.get_topic(topic)]
        for topic in topic_model.get_topics()
    }


def fitted(backend, docs, embeddings, representation_model, clusterer=None, **kwargs):
    return BERTopic(
        embedding_model=backend,
        umap_model=DimensionSelector(32),
        hdbscan_model=clusterer or LeidenClustering(6),
        vectorizer_model=words(),
        representation_model=representation_model,
        **kwargs,
    ).fit(docs, embeddings)


@pytest.fixture(scope="module")
def model(backend, docs, embeddings):
    """Six topics by LeidenClustering, words from their cores. Shared: copy before changing."""
    return fitted(backend, docs, embeddings, CoreWords())


@pytest.fixture
def own(model, backend):
    return copy.deepcopy(model, {id(backend): backend})


def core_by_hand(topic_model, docs, share=0.5, least=10):
    """Give the texts of each topic's core, one topic after the other, without the package."""
    topics, clusterer = np.array(topic_model.topics_), topic_model.hdbscan_model
    copy_of = clusterer.copy_of_  # a copy counts where the row that it repeats is elsewhere
    first = (copy_of == np.arange(len(docs))) | (topics[copy_of] != topics)
    cosines = clusterer.centrality(topics)
    core = {}
    for topic in sorted(set(topics)):
        members = np.flatnonzero((topics == topic) & first)
        members = sorted({docs[i]: i for i in members[::-1]}.values(), key=lambda i: -cosines[i])
        core[topic] = [docs[i] for i in members[: max(int(np.ceil(share * len(members))), least)]]
    return core


# ---- words


def test_words_are_those_of_a_model_of_the_core_alone(model, docs):
    core = core_by_hand(model, docs)
    assert 6 * 10 <= sum(map(len, core.values())) < 0.6 * len(docs)
    counts = words().fit([" ".join(texts) for texts in core.values()])
    by_topic = counts.transform([" ".join(texts) for texts in core.values()]).toarray()
    share = by_topic / by_topic.sum(axis=1, keepdims=True)
    idf = np.log(1 + int(by_topic.sum(axis=1).mean()) / by_topic.sum(axis=0))
    names = counts.get_feature_names_out()
    for topic, found in listed(model).items():
        weights = dict(zip(names, share[topic] * idf, strict=True))
        best = sorted(weights.values(), reverse=True)[:10]
        np.testing.assert_allclose([weights[word] for word in found], best)
        np.testing.assert_allclose([weight for _, weight in model.get_topic(topic)], best)


def test_every_document_keeps_its_topic(model, backend, docs, embeddings):
    plain = fitted(backend, docs, embeddings, None)
    assert plain.topics_ == model.topics_
    assert listed(plain) != listed(model)
    np.testing.assert_array_equal(plain.topic_embeddings_, model.topic_embeddings_)
    assert (
        plain.transform(docs[:20], embeddings[:20])[0]
        == model.transform(docs[:20], embeddings[:20])[0]
    )


def test_all_of_the_documents_are_distinct_documents(backend, docs, embeddings):
    every = fitted(backend, docs, embeddings, CoreWords(1.0))
    distinct = fitted(backend, docs, embeddings, DistinctDocuments())
    assert every.get_topics() == distinct.get_topics()
    small = fitted(backend, docs, embeddings, CoreWords(min_documents=len(docs)))
    assert small.get_topics() == distinct.get_topics()


def test_it_is_the_default(backend):
    assert type(build_topic_model(backend).representation_model) is CoreWords
    given = DistinctDocuments()
    built = build_topic_model(backend, representation_model=given)
    assert built.representation_model is given


def test_the_words_of_a_border_are_left_out():
    """Two topics whose centres are the axes; the documents between them speak of the border."""
    angles = np.r_[np.linspace(0, 5, 30), np.linspace(30, 40, 10)]
    angles = np.r_[angles, 90 - angles]
    X = np.column_stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])
    docs = [*(f"apple a{i}" for i in range(30)), *["apple fence fence fence"] * 10]
    docs += [*(f"pear p{i}" for i in range(30)), *["pear fence fence fence"] * 10]
    docs = [f"{doc} n{i}" for i, doc in enumerate(docs)]

    def first(representation_model):
        topic_model = BERTopic(
            embedding_model=None,
            umap_model=DimensionSelector(2),
            hdbscan_model=LeidenClustering(2),
            representation_model=representation_model,
            top_n_words=2,
        ).fit(docs, X)
        return {word for topic in listed(topic_model).values() for word in topic}

    assert "fence" in first(DistinctDocuments())
    assert "fence" not in first(CoreWords())


@pytest.mark.parametrize(
    "clusterer",
    [
        KMeans(6, n_init=1, random_state=0),  # knows neither centres of topics nor memberships
        HDBSCAN(min_cluster_size=5, min_samples=1, cluster_selection_method="leaf"),
    ],
)
def test_any_clusterer_will_do(backend, docs, embeddings, clusterer):
    plain = fitted(backend, docs, embeddings, DistinctDocuments(), clusterer)
    core = fitted(backend, docs, embeddings, CoreWords(), clusterer)
    assert core.topics_ == plain.topics_
    assert set(listed(core)) == set(listed(plain))
    assert {len(found) for found in listed(core).values()} == {10}
    differ = {topic for topic, found in listed(core).items() if found != listed(plain)[topic]}
    assert differ


def test_without_centres_the_core_is_most_like_its_topic(backend, docs, embeddings):
    """The documents that speak of something else go: their words are in no topic's words."""
    labels = KMeans(6, n_init=1, random_state=0).fit_predict(embeddings)
    odd = np.flatnonzero(labels == 0)[:15]
    texts = [f"zebra{i} zebra zebra zebra" if i in odd else doc for i, doc in enumerate(docs)]
    clusterer = KMeans(6, n_init=1, random_state=0)
    shown = [
        {
            word
            for found in listed(fitted(backend, texts, embeddings, m, clusterer)).values()
            for word in found
        }
        for m in (DistinctDocuments(), CoreWords())
    ]
    assert "zebra" in shown[0]
    assert "zebra" not in shown[1]


def test_two_dimensional_probabilities_change_nothing(model, backend, docs, embeddings):
    clusterer = LeidenClustering(6, calculate_probabilities=True)
    both = fitted(backend, docs, embeddings, CoreWords(), clusterer, calculate_probabilities=True)
    assert both.get_topics() == model.get_topics()
    assert np.shape(both.probabilities_) == (len(docs), 6)


# ---- in a chain


class Remember(BaseRepresentation):
    def extract_topics(self, topic_model, documents, c_tf_idf, topics):
        self.topics_, self.matrix_ = topics, c_tf_idf
        self.documents_ = topic_model._extract_representative_docs(c_tf_idf, documents, topics)[0]
        return {topic: words[:3] for topic, words in topics.items()}


def test_models_after_it_get_thirty_words_and_documents_of_the_core(
    model, backend, docs, embeddings
):
    last = Remember()
    chained = fitted(backend, docs, embeddings, [CoreWords(), last])
    assert {len(found) for found in last.topics_.values()} == {30}
    for topic, found in listed(model).items():
        assert [word for word, _ in last.topics_[topic]][:10] == found
    np.testing.assert_array_equal(last.matrix_.toarray(), model.c_tf_idf_.toarray())
    core = core_by_hand(chained, docs)
    for topic, texts in last.documents_.items():
        assert len(texts) == 5
        assert set(texts) <= set(core[topic])


@pytest.mark.parametrize(
    "chain",
    [
        [CoreWords(), KeyBERTInspired(random_state=0)],
        [CoreWords(), MaximalMarginalRelevance(diversity=0.3)],
        {"Main": [CoreWords(), KeyBERTInspired(random_state=0)], "Core": CoreWords()},
        {"Main": CoreWords(fold=True), "MMR": [CoreWords(), MaximalMarginalRelevance()]},
    ],
)
def test_bertopics_models_follow_it(backend, docs, embeddings, chain):
    chained = fitted(backend, docs, embeddings, chain)
    assert {len(found) for found in listed(chained).values()} == {10}
    for aspect in chained.topic_aspects_.values():
        assert {len(found) for found in aspect.values()} == {10}


# ---- after the fit


def test_updating_topics(own, model, docs):
    own.update_topics(docs, vectorizer_model=words(), representation_model=CoreWords())
    assert own.get_topics() == model.get_topics()
    own.update_topics(docs, vectorizer_model=words())
    assert own.get_topics() != model.get_topics()
    merged = [topic // 2 for topic in own.topics_]
    own.update_topics(
        docs, topics=merged, vectorizer_model=words(), representation_model=CoreWords()
    )
    assert sorted(own.get_topics()) == [0, 1, 2]
    assert own.topics_ == merged


@pytest.mark.parametrize("how", ["reduce", "merge", "outliers"])
def test_topics_that_change_have_the_words_of_their_new_core(own, docs, how):
    if how == "reduce":
        own.reduce_topics(docs, nr_topics=3)
    elif how == "merge":
        own.merge_topics(docs, [[0, 1], [2, 3]])
    else:
        topics = [-1 if i % 5 == 0 else topic for i, topic in enumerate(own.topics_)]
        own.update_topics(
            docs, topics=topics, vectorizer_model=words(), representation_model=CoreWords()
        )
    core = core_by_hand(own, docs)
    if -1 in core:
        core[-1] = [doc for doc, topic in zip(docs, own.topics_, strict=True) if topic == -1]
    by_hand = words().fit_transform([" ".join(texts) for texts in core.values()])
    kept = own.vectorizer_model.get_feature_names_out()
    found = own.c_tf_idf_.toarray() > 0
    for row, topic in enumerate(core):
        expected = by_hand[row].indices.size
        assert found[row].sum() == expected, topic
    assert len(kept) >= by_hand.shape[1]
    if how != "outliers":
        for topic, texts in own.representative_docs_.items():
            assert set(texts) <= set(core[topic])


def test_number_of_topics_by_nr_topics(backend, docs, embeddings):
    reduced = fitted(backend, docs, embeddings, CoreWords(), nr_topics=4)
    core = core_by_hand(reduced, docs)
    assert sorted(core) == [0, 1, 2, 3]
    for topic, texts in reduced.representative_docs_.items():
        assert set(texts) <= set(core[topic])


def test_over_time_and_by_class(own, docs):
    n = len(docs)
    over_time = own.topics_over_time(docs, [2000 + i % 3 for i in range(n)])
    by_class = own.topics_per_class(docs, ["ab"[i % 2] for i in range(n)])
    for table in (over_time, by_class):
        assert set(table.Topic) == set(own.topics_)
        assert (table.Words.str.split(", ").str.len() == 5).all()
    hierarchy = own.hierarchical_topics(docs)
    assert len(hierarchy) == 5


def test_saved_loaded_and_updated(model, backend, docs, embeddings, tmp_path):
    save_topic_model(model, tmp_path / "ours", save_embedding_model=True)
    loaded = load_topic_model(tmp_path / "ours", backend=backend)
    assert listed(loaded) == listed(model)
    loaded.update_topics(docs, vectorizer_model=words(), representation_model=CoreWords())
    assert listed(loaded) == listed(model)  # the clusterer was saved, with its rows
    model.save(tmp_path / "theirs", serialization="safetensors", save_ctfidf=True)
    theirs = BERTopic.load(tmp_path / "theirs", embedding_model=backend)
    assert listed(theirs) == listed(model)
    theirs.update_topics(docs, vectorizer_model=words(), representation_model=CoreWords())
    assert {len(found) for found in listed(theirs).values()} == {10}


def test_a_model_that_an_earlier_version_saved(tmp_path):
    """Its clusterer kept no rows of its documents."""
    data = Path(__file__).parents[1] / "data"
    shutil.copytree(data / "saved_v1", tmp_path / "v1")
    saved = json.loads((data / "saved_v1_topics.json").read_text())
    loaded = load_topic_model(tmp_path / "v1", backend=MatryoshkaBackend(truncate_dim=32))
    assert loaded.topics_ == saved["topics"]
    loaded.update_topics(
        saved["docs"], vectorizer_model=words(), representation_model=CoreWords(min_documents=1)
    )
    assert {len(found) for found in listed(loaded).values()} == {10}
    assert loaded.topics_ == saved["topics"]


def test_pickled_and_copied(model, own, docs):
    again = pickle.loads(pickle.dumps(model))
    assert again.get_topics() == model.get_topics()
    for each in (again, own):
        each.merge_topics(docs, [0, 1])
        assert len(each.get_topics()) == 5
    assert len(model.get_topics()) == 6  # what was copied changed nothing in it


def test_zero_shot_topics(backend, docs, embeddings):
    """They take documents before the clusterer sees any: its rows are not the documents."""
    zero_shot = fitted(
        backend,
        docs,
        embeddings,
        CoreWords(),
        LeidenClustering(4),
        zeroshot_topic_list=["digital filter design"],
        zeroshot_min_similarity=0.4,
    )
    assert len(zero_shot.get_topics()) == 5
    assert {len(found) for found in listed(zero_shot).values()} == {10}


# ---- representative documents


def test_representative_documents_are_of_the_core(model, docs):
    core = core_by_hand(model, docs)
    for topic, texts in model.representative_docs_.items():
        assert len(texts) == 3
        assert set(texts) <= set(core[topic])


def test_an_old_core_is_not_used_for_other_topics(own, docs):
    """A topic that was made without CoreWords may have no document in the core that was."""
    core = {text for texts in core_by_hand(own, docs).values() for text in texts}
    topics = [
        min(topic, 4) if doc in core else 5 for doc, topic in zip(docs, own.topics_, strict=True)
    ]
    own.update_topics(docs, topics=topics, vectorizer_model=words())
    own.merge_topics(docs, [0, 1])
    assert len(own.representative_docs_) == 5
    assert not all(set(texts) <= core for texts in own.representative_docs_.values())


def test_without_core_words_they_are_bertopics_again(own, docs, backend):
    own.update_topics(docs, vectorizer_model=words())
    plain = copy.deepcopy(own, {id(backend): backend})
    del plain._extract_representative_docs
    for each in (own, plain):
        each.reduce_topics(docs, nr_topics=3)
    assert own.representative_docs_ == plain.representative_docs_


# ---- the core and folding, by hand


def test_the_core_by_hand():
    topics = np.array([0, 0, 0, 0, 1, 1, -1, -1])
    scores = np.array([0.1, 0.4, 0.3, 0.3, 0.9, 0.8, 0.0, 0.5])
    in_half = [False, True, True, True, True, False, True, True]  # ties stay, and outliers
    assert in_core(scores, topics, 0.5, 1).tolist() == in_half
    assert in_core(scores, topics, 0.01, 1).tolist() == [0, 1, 0, 0, 1, 0, 1, 1]
    assert in_core(scores, topics, 0.01, 3).tolist() == [0, 1, 1, 1, 1, 1, 1, 1]


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 5)), min_size=1, max_size=40),
    st.floats(0.01, 1.0),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_a_core_does_not_depend_on_the_order_and_is_large_enough(rows, share, least, random):
    topics, scores = (np.array(column) for column in zip(*rows, strict=True))
    core = in_core(scores / 5, topics, share, least)
    for topic in set(topics):
        members = topics == topic
        assert core[members].sum() >= min(least, members.sum())
        assert core[members].mean() >= share - 1e-9
        if topic >= 0 and not core[members].all():
            assert scores[members & core].min() > scores[members & ~core].max()
    order = list(range(len(rows)))
    random.shuffle(order)
    assert np.array_equal(in_core(scores[order] / 5, topics[order], share, least), core[order])


def test_folded_words_by_hand():
    words = [("game", 0.5), ("Cup", 0.4), ("games", 0.3), ("cup", 0.2), ("", 0.1), ("win", 0.7)]
    folded = fold_words(words)
    assert [word for word, _ in folded] == ["game", "win", "Cup"]
    np.testing.assert_allclose([weight for _, weight in folded], [0.8, 0.7, 0.6])


def test_folding_in_a_model(backend, docs, embeddings, model):
    folding = fitted(backend, docs, embeddings, CoreWords(fold=True))
    assert folding.topics_ == model.topics_
    assert any({f"{w}s" for w in found} & set(found) for found in listed(model).values())
    for found in listed(folding).values():
        assert len(found) == 10
        assert not {f"{word}s" for word in found} & set(found)
    np.testing.assert_array_equal(folding.c_tf_idf_.toarray(), model.c_tf_idf_.toarray())


def test_few_words_are_padded_as_bertopic_does():
    X = np.eye(2).repeat(10, axis=0) + 0.01 * np.random.default_rng(0).random((20, 2))
    docs = [f"{'game games' if i < 10 else 'sky skies'} x{i}" for i in range(20)]
    topic_model = BERTopic(
        embedding_model=None,
        umap_model=DimensionSelector(2),
        hdbscan_model=LeidenClustering(2, min_cluster_size=2),
        vectorizer_model=CountVectorizer(token_pattern=r"[a-z]{3,}"),
        representation_model=CoreWords(fold=True),
        top_n_words=4,
    ).fit(docs, X)
    assert sorted(found[0] for found in listed(topic_model).values()) == ["game", "skies"]
    assert {tuple(found[1:]) for found in listed(topic_model).values()} == {("", "", "")}


# ---- bad parameters


@pytest.mark.parametrize("share", [0, -0.1, 1.5, float("nan")])
def test_bad_share(share):
    with pytest.raises(ValueError, match=r"share=.* must be in \(0, 1\]. Pass 0.5"):
        CoreWords(share)


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"share": "half"}, TypeError, "share='half' must be a number"),
        ({"share": True}, TypeError, "share=True must be a number"),
        ({"min_documents": 0}, ValueError, "min_documents=0 must be at least 1"),
        ({"min_documents": 2.5}, TypeError, "min_documents=2.5 must be an int"),
        ({"fold": "yes"}, TypeError, "fold='yes' must be True or False"),
    ],
)
def test_bad_parameters(kwargs, error, message):
    with pytest.raises(error, match=message):
        CoreWords(**kwargs)
