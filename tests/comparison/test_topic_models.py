"""Clones of topic models: with every representation and vectorizer of BERTopic, and seeds."""

import copy
import threading

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from bertopic.representation import (
    BaseRepresentation,
    KeyBERTInspired,
    MaximalMarginalRelevance,
    TextGeneration,
    ZeroShotClassification,
)
from bertopic.vectorizers import ClassTfidfTransformer, OnlineCountVectorizer
from compared import k_means, plain_model
from hdbscan import HDBSCAN
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from transformers import Pipeline
from umap import UMAP

from bertopic_matryoshka import (
    DimensionSelector,
    ExpectWidth,
    LeidenClustering,
    TopicScorer,
    compare_dimensions,
)
from bertopic_matryoshka.comparison._topic_models import (
    clone_topic_model,
    parameters_of,
    set_seed,
)


class Client:
    """Of a language model: with what can neither be copied nor pickled."""

    def __init__(self):
        self.lock = threading.Lock()


class CallsClient(BaseRepresentation):
    """Names topics by a client, as BERTopic's OpenAI, Cohere and LangChain do."""

    def __init__(self, client, prompt=None, nr_docs=4):
        self.client = client
        self.prompt = prompt or "the default prompt"
        self.nr_docs = nr_docs
        self.prompts_ = []

    def extract_topics(self, topic_model, documents, c_tf_idf, topics):
        assert self.client.lock is not None
        self.prompts_ += [self.prompt] * len(topics)
        return {topic: [(words[0][0], 1.0), *words[:2]] for topic, words in topics.items()}


class UnderAnotherName(BaseRepresentation):
    """Keeps its parameter under another name, which scikit-learn does not clone."""

    def __init__(self, n_words=3):
        self.n = n_words

    def extract_topics(self, topic_model, documents, c_tf_idf, topics):
        return {topic: words[: self.n] for topic, words in topics.items()}


class NoParameters:
    """A clusterer that is no scikit-learn estimator."""

    def fit(self, X, y=None):
        self.labels_ = np.arange(len(X)) % 3
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


PARTS = {
    "default": {},
    "KeyBERT": {"representation_model": KeyBERTInspired(top_n_words=4, nr_samples=50)},
    "MMR": {"representation_model": MaximalMarginalRelevance(0.3, top_n_words=4)},
    "chain": {"representation_model": [KeyBERTInspired(), MaximalMarginalRelevance(0.3)]},
    "aspects": {
        "representation_model": {
            "Main": [KeyBERTInspired(), MaximalMarginalRelevance(0.3)],
            "plain": MaximalMarginalRelevance(0.5),
        }
    },
    "client": {"representation_model": CallsClient(Client())},
    "another name": {"representation_model": UnderAnotherName(4)},
    "online": {"vectorizer_model": OnlineCountVectorizer(stop_words="english", decay=0.01)},
    "tokenizer": {
        "vectorizer_model": CountVectorizer(tokenizer=str.split, token_pattern=None, min_df=2)
    },
    "seed words": {"ctfidf_model": ClassTfidfTransformer(seed_words=["matrix"], seed_multiplier=3)},
    "guided": {"seed_topic_list": [["sparse", "matrix"], ["spline"]]},
    "zero-shot": {"zeroshot_topic_list": ["sparse matrix"], "zeroshot_min_similarity": 0.5},
    "no estimator": {"hdbscan_model": NoParameters()},
    "pipeline": {"umap_model": make_pipeline(PCA(20), PCA(5))},
    "metric": {"hdbscan_model": HDBSCAN(metric="minkowski", p=3, min_cluster_size=8)},
}


def model_of(parts, backend):
    return BERTopic(
        **{
            "embedding_model": backend,
            "umap_model": BaseDimensionalityReduction(),
            "hdbscan_model": KMeans(4, n_init=1, random_state=0),
            "vectorizer_model": CountVectorizer(stop_words="english"),
            **copy.copy(parts),
        }
    )


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_a_clone_finds_what_the_topic_model_would(parts, backend, docs, embeddings):
    """Twice: the topic model that is cloned is fitted by then."""
    topic_model = model_of(parts, backend)
    expected = clone_topic_model(topic_model, backend)
    expected.fit(docs[:150], embeddings[:150].copy())
    topic_model.fit(docs[:150], embeddings[:150].copy())
    cloned = clone_topic_model(topic_model, backend)
    assert cloned.topics_ is None
    if "zeroshot_topic_list" in parts:  # BERTopic puts a BaseCluster there
        cloned.hdbscan_model = KMeans(4, n_init=1, random_state=0)
    cloned.fit(docs[:150], embeddings[:150].copy())
    for found in (topic_model, cloned):
        assert found.topics_ == expected.topics_
        assert found.topic_representations_ == expected.topic_representations_
        assert found.topic_aspects_ == expected.topic_aspects_


def test_a_clone_has_estimators_of_its_own(backend):
    representation = {"Main": [KeyBERTInspired()], "other": MaximalMarginalRelevance()}
    topic_model = BERTopic(
        embedding_model=backend,
        umap_model=ExpectWidth(DimensionSelector(8), 64),
        hdbscan_model=LeidenClustering(5),
        representation_model=representation,
    )
    cloned = clone_topic_model(topic_model, backend)
    assert cloned.embedding_model is backend
    assert cloned.umap_model.reducer is not topic_model.umap_model.reducer
    assert cloned.umap_model.reducer.n_features_to_select == 8
    assert cloned.hdbscan_model is not topic_model.hdbscan_model
    assert cloned.representation_model is not representation
    assert cloned.representation_model["Main"][0] is not representation["Main"][0]


def test_what_scikit_learns_clone_loses_is_kept():
    """What a constructor hands on as ``**kwargs`` is no parameter to get_params."""
    vectorizer = OnlineCountVectorizer(stop_words="english", ngram_range=(1, 2), decay=0.1)
    assert "stop_words" not in vectorizer.get_params()
    cloned = clone_topic_model(BERTopic(vectorizer_model=vectorizer)).vectorizer_model
    assert (cloned.stop_words, cloned.ngram_range, cloned.decay) == ("english", (1, 2), 0.1)
    metric = HDBSCAN(metric="wminkowski", w=np.ones(3))
    assert "w" in parameters_of(clone_topic_model(BERTopic(hdbscan_model=metric)).hdbscan_model)


def test_clients_are_shared_and_what_was_learnt_is_not():
    representation = CallsClient(Client(), nr_docs=2)
    representation.prompts_.append("an earlier fit's")
    cloned = clone_topic_model(BERTopic(representation_model=representation)).representation_model
    assert cloned.client is representation.client
    assert cloned.nr_docs == 2
    assert cloned.prompts_ == []


def test_bertopics_own_client():
    pytest.importorskip("openai")
    from bertopic.representation import OpenAI

    representation = OpenAI(Client(), prompt="[KEYWORDS]", nr_docs=2)
    cloned = clone_topic_model(BERTopic(representation_model=representation)).representation_model
    assert (cloned.client, cloned.prompt) == (representation.client, "[KEYWORDS]")


class NotLoaded(Pipeline):
    """A pipeline of transformers, of which none is at hand without a download."""

    preprocess = postprocess = _forward = _sanitize_parameters = None


@pytest.mark.parametrize("cls", [ZeroShotClassification, TextGeneration])
def test_pipelines_of_transformers_are_shared(cls):
    pipeline = object.__new__(NotLoaded)
    made = cls(["a topic"], pipeline) if cls is ZeroShotClassification else cls(pipeline)
    cloned = clone_topic_model(BERTopic(representation_model=made)).representation_model
    assert cloned.model is pipeline
    assert cloned is not made


def test_pipelines_of_spacy_are_shared():
    spacy = pytest.importorskip("spacy")
    from bertopic.representation import PartOfSpeech

    made = PartOfSpeech(spacy.blank("en"), top_n_words=4)
    cloned = clone_topic_model(BERTopic(representation_model=made)).representation_model
    assert cloned.model is made.model
    assert cloned.top_n_words == 4


class CannotBeCopied(BaseEstimator):
    def __init__(self, words=3):
        self.n = words
        self.lock = threading.Lock()


def test_what_cannot_be_cloned_is_named(docs, full_embeddings):
    topic_model = BERTopic(umap_model=CannotBeCopied())
    with pytest.raises(TypeError, match=r"(?s)umap_model=.*cannot be cloned.*under their names"):
        compare_dimensions(docs, topic_model, embeddings=full_embeddings)


def test_a_topic_model_that_finds_no_topics_is_refused(docs, full_embeddings):
    loaded = BERTopic(hdbscan_model=BaseCluster())
    with pytest.raises(ValueError, match=r"\['old'\] has a BaseCluster, which finds no topics"):
        compare_dimensions(docs, {"old": loaded}, embeddings=full_embeddings)


def test_seeds_are_set_in_every_part(backend):
    topic_model = BERTopic(
        embedding_model=backend,
        umap_model=make_pipeline(PCA(20, random_state=1), UMAP(n_jobs=2)),
        hdbscan_model=LeidenClustering(random_state=3),
        representation_model={"Main": [KeyBERTInspired()], "other": KeyBERTInspired()},
    )
    set_seed(topic_model, 7)
    pca, umap = (step for _, step in topic_model.umap_model.steps)
    representation = topic_model.representation_model
    of = [pca, umap, topic_model.hdbscan_model, representation["Main"][0], representation["other"]]
    assert [estimator.random_state for estimator in of] == [7] * 5
    assert umap.n_jobs == 1  # UMAP would warn of each fit
    set_seed(topic_model, None)
    assert pca.random_state == 7


def test_what_has_no_random_state_is_left(backend):
    topic_model = BERTopic(
        embedding_model=backend, umap_model=DimensionSelector(), hdbscan_model=DBSCAN()
    )
    before = topic_model.hdbscan_model.get_params()
    set_seed(topic_model, 7)
    assert topic_model.hdbscan_model.get_params() == before


def test_bertopics_defaults_are_seeded(docs, full_embeddings):
    """BERTopic's own UMAP has no seed, so that two fits differ; here they are the same."""
    topic_model = BERTopic(vectorizer_model=CountVectorizer(stop_words="english"))
    one, two = (
        compare_dimensions(
            docs[:120],
            topic_model,
            embeddings=full_embeddings[:120],
            dims=[64],
            seeds=[4],
            scorer=TopicScorer(n_replicates=0, n_resamples=5),
            progress=False,
        ).runs[0]
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.document_topics, two.document_topics)
    assert topic_model.umap_model.random_state is None


def test_words_are_comparable_with_and_without_an_embedding_model(docs, full_embeddings, backend):
    """BERTopic drops punctuation from English where it has no embedding model."""
    words = CountVectorizer(token_pattern=r"\S+")
    models = {
        "with": plain_model(k_means(4), backend, vectorizer_model=words),
        "without": plain_model(k_means(4), vectorizer_model=words),
    }
    assert models["without"].language == "english"
    with_one, without = compare_dimensions(
        docs[:120],
        models,
        embeddings=full_embeddings[:120],
        dims=[64],
        seeds=1,
        scorer=TopicScorer(n_replicates=0, n_resamples=5),
        progress=False,
    ).runs
    assert with_one.topics == without.topics
    assert any("." in word for topic in without.topics for word in topic.words)
