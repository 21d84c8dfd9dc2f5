"""What each cell's topic model is built of."""

import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from bertopic.backend import BaseEmbedder
from sklearn.cluster import DBSCAN, KMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import DimensionSelector, LeidenClustering, MatryoshkaBackend, truncate
from bertopic_matryoshka.comparison._fit import Fitting, part_rows, random_dims
from bertopic_matryoshka.comparison._grid import Line, Spec

LINE = Line("m", "prefix", "variance", "variance", "leiden")
SPEC = Spec(LINE, 32, 7)
ROWS = truncate(np.random.default_rng(0).normal(size=(40, 64)).astype(np.float32), 64)


def by_last(X):
    """Rank the last dimension highest."""
    return np.arange(X.shape[1], dtype=float)


def fitting(**changes):
    values = {
        "documents": [f"text {i}" for i in range(40)],
        "embeddings": {"m": ROWS},
        "backends": {"m": None},
        "criteria": {"variance": "variance", "by_last": by_last},
        "n_topics": None,
        "n_features_to_select": None,
        "n_components": None,
        "device": None,
        "memory": None,
        "reseed": False,
        "bertopic_kwargs": {},
    }
    return Fitting(**{**values, **changes})


def of(**changes):
    return replace(SPEC, line=replace(LINE, **changes))


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


def test_reducers():
    selector = fitting(n_features_to_select=8, n_components=3).topic_model(SPEC).umap_model
    assert isinstance(selector, DimensionSelector)
    assert (selector.n_features_to_select, selector.criterion) == (8, "variance")
    selector = fitting().topic_model(of(criterion="by_last")).umap_model
    assert selector.criterion is by_last
    pca = fitting(n_features_to_select=8, n_components=3).topic_model(
        of(reduction="pca", criterion="")
    )
    assert (pca.umap_model.n_components, pca.umap_model.random_state) == (3, 7)


def test_a_backend_embeds_at_the_width_of_the_cell():
    backend = MatryoshkaBackend()
    models = {"backends": {"m": backend}}
    found = fitting(**models).topic_model(SPEC).embedding_model
    assert (found.truncate_dim, found.name) == (32, backend.name)
    assert backend.truncate_dim is None
    assert type(fitting().topic_model(SPEC).embedding_model) is BaseEmbedder


def test_words_are_embedded_into_the_random_dimensions_of_the_cell():
    backend, words = MatryoshkaBackend(), ["spline", "matrix"]
    spec = of(cut="random")
    built = fitting(backends={"m": backend}).topic_model(spec).embedding_model
    full = backend.truncated(None).embed(words)
    np.testing.assert_allclose(built.embed_words(words), random_dims(full, spec))
    columns = np.sort(np.random.default_rng(spec.seed).permutation(full.shape[1])[: spec.dim])
    np.testing.assert_allclose(built.embed(words), truncate(full[:, columns], spec.dim))


def test_widths_are_compared_without_a_warning_for_each():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitting(backends={"m": MatryoshkaBackend()}).topic_model(replace(SPEC, dim=77))


def test_leiden_is_told_everything():
    built = fitting(
        n_topics=4,
        device="cpu",
        memory="folder",
        bertopic_kwargs={"min_topic_size": 5, "calculate_probabilities": True},
    )
    model = built.topic_model(SPEC)
    assert isinstance(model.hdbscan_model, LeidenClustering)
    parameters = model.hdbscan_model.get_params()
    assert parameters["n_clusters"] == 4
    assert parameters["min_cluster_size"] == 5
    assert parameters["random_state"] == 7
    assert parameters["device"] == "cpu"
    assert parameters["memory"] == "folder"
    assert parameters["calculate_probabilities"]
    assert model.min_topic_size == 5
    assert model.nr_topics is None


def test_hdbscan_is_bertopics_own():
    model = fitting(bertopic_kwargs={"min_topic_size": 5}).topic_model(of(clustering="hdbscan"))
    assert type(model.hdbscan_model).__name__ == "HDBSCAN"
    assert model.hdbscan_model.min_cluster_size == 5


@pytest.mark.parametrize(
    ("clusterer", "n_clusters", "nr_topics"),
    [
        (KMeans(9), 4, None),
        (LeidenClustering(), 4, None),
        (DBSCAN(), None, 5),  # BERTopic counts the outlier topic
    ],
)
def test_equal_numbers_of_topics(clusterer, n_clusters, nr_topics):
    model = fitting(n_topics=4, bertopic_kwargs={"hdbscan_model": clusterer}).topic_model(SPEC)
    assert model.hdbscan_model.get_params().get("n_clusters") == n_clusters
    assert model.nr_topics == nr_topics
    assert fitting(n_topics=4).topic_model(of(clustering="hdbscan")).nr_topics == 5


def test_a_given_clusterer_takes_the_seed_where_there_are_several():
    kwargs = {"hdbscan_model": KMeans(3, random_state=1)}
    assert fitting(bertopic_kwargs=kwargs).topic_model(SPEC).hdbscan_model.random_state == 1
    reseeded = fitting(bertopic_kwargs=kwargs, reseed=True)
    assert reseeded.topic_model(SPEC).hdbscan_model.random_state == 7
    assert kwargs["hdbscan_model"].random_state == 1
    without = fitting(bertopic_kwargs={"hdbscan_model": DBSCAN()}, reseed=True)
    assert without.topic_model(SPEC).hdbscan_model.get_params() == DBSCAN().get_params()


def test_given_models_are_copied():
    kwargs = {"hdbscan_model": KMeans(3), "vectorizer_model": CountVectorizer(), "top_n_words": 5}
    before = copy.deepcopy(kwargs["hdbscan_model"].get_params())
    built = fitting(n_topics=4, bertopic_kwargs=kwargs)
    one, two = built.topic_model(SPEC), built.topic_model(SPEC)
    for name in ("hdbscan_model", "vectorizer_model"):
        assert getattr(one, name) is not kwargs[name]
        assert getattr(one, name) is not getattr(two, name)
    assert kwargs["hdbscan_model"].get_params() == before
    assert one.top_n_words == 5


class Recording:
    """A clusterer that keeps what it is given, and has no parameters to set."""

    seen = ()

    def fit(self, X, y=None):
        type(self).seen = X.copy()
        self.labels_ = np.arange(len(X)) % 2
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


def clustered(spec, **changes):
    kwargs = {"hdbscan_model": Recording()}
    fitted = fitting(bertopic_kwargs=kwargs, reseed=True, n_topics=None, **changes)(spec)
    return Recording.seen, fitted


def test_a_prefix_is_clustered_with_unit_rows():
    seen, fitted = clustered(of(reduction="none", criterion=""))
    np.testing.assert_allclose(seen, truncate(ROWS, 32), rtol=1e-6)
    assert fitted.umap_compile_seconds is None
    assert [size for _, _, size in fitted.topics] == [20, 20]


def test_random_dimensions_are_drawn_by_the_seed():
    spec = of(reduction="none", criterion="", cut="random")
    seen, _ = clustered(spec)
    columns = np.sort(np.random.default_rng(7).permutation(64)[:32])
    np.testing.assert_allclose(seen, truncate(ROWS[:, columns], 32), rtol=1e-6)
    again, _ = clustered(spec)
    np.testing.assert_array_equal(seen, again)
    other, _ = clustered(replace(spec, seed=8))
    assert np.abs(other - seen).max() > 0.01


def test_a_part_of_the_documents():
    spec = replace(of(reduction="none", criterion=""), part="second half")
    seen, fitted = clustered(spec)
    np.testing.assert_allclose(seen, truncate(ROWS, 32)[part_rows(40, "second half")], rtol=1e-6)
    assert fitted.document_topics.size == 20


def test_it_goes_to_another_process():
    """With all that a cell needs."""
    kwargs = {"hdbscan_model": KMeans(3, n_init=1, random_state=0)}
    built = fitting(bertopic_kwargs=kwargs)
    there = pickle.loads(pickle.dumps(built))
    np.testing.assert_array_equal(there(SPEC).document_topics, built(SPEC).document_topics)
