"""Saving topic models without pickle, and loading them without losing anything in silence."""

from __future__ import annotations

import copy
import json
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from bertopic.vectorizers import OnlineCountVectorizer
from hdbscan import HDBSCAN
from saved_files import edit_state, files_in
from sentence_transformers import SentenceTransformer
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity
from tiny_models import StaticEmbedding
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from bertopic_matryoshka import (
    DimensionSelector,
    ExpectWidth,
    LeidenClustering,
    LossySaveWarning,
    MatryoshkaBackend,
    MatryoshkaBERTopic,
    TruncationWarning,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.embedding._bundled import DEFAULT_MODEL, load_default_model
from bertopic_matryoshka.topics._estimator_state import pack, unpack
from bertopic_matryoshka.topics._persistence import (
    ARRAYS_FILE,
    FORMAT_VERSION,
    MODEL_FOLDER,
    SAFE_ESTIMATORS,
    STATE_FILE,
)

NEW_DOCS = [
    "Design a digital Butterworth filter and return its frequency response.",
    "Convert the sparse matrix to compressed row format.",
    "The cumulative distribution function of a random variable.",
]


def kmeans():
    return KMeans(9, n_init=3, random_state=0)


def build(backend, **kwargs):
    kwargs = {"hdbscan_model": kmeans(), **kwargs}
    return build_topic_model(
        backend, vectorizer_model=CountVectorizer(stop_words="english"), **kwargs
    )


def saved_and_loaded(topic_model, folder, **kwargs):
    """Save where nothing may be lost, and load."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", LossySaveWarning)
        save_topic_model(topic_model, folder)
    return load_topic_model(folder, **kwargs)


@pytest.fixture
def saved(topic_model, tmp_path):
    """A folder that may be changed."""
    save_topic_model(topic_model, tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture(scope="session")
def from_loaded_model(docs, embeddings):
    """A model whose backend was built from a SentenceTransformer, so has no name."""
    model = load_default_model()
    backend = MatryoshkaBackend(model, truncate_dim=64, dims=[256, 64], batch_size=16)
    return build(backend).fit(docs, embeddings)


@pytest.fixture(scope="module")
def with_hdbscan(backend, docs, embeddings):
    clusterer = HDBSCAN(
        min_cluster_size=5, min_samples=1, cluster_selection_method="leaf", prediction_data=True
    )
    return build(backend, n_features_to_select=32, hdbscan_model=clusterer).fit(docs, embeddings)


# ---- what comes back


@pytest.mark.parametrize("reduction", ["variance", "pca", "none"])
@pytest.mark.parametrize("clusterer", [KMeans, MiniBatchKMeans])
def test_transform_gives_the_same_topics(backend, docs, embeddings, tmp_path, reduction, clusterer):
    options = {
        "variance": {"n_features_to_select": 24},
        "pca": {"n_components": 8, "random_state": 0},
        "none": {},
    }
    topic_model = build(
        backend,
        reduction=reduction,
        hdbscan_model=clusterer(9, n_init=3, random_state=0),
        **options[reduction],
    ).fit(docs, embeddings)
    loaded = saved_and_loaded(topic_model, tmp_path)
    assert type(loaded) is MatryoshkaBERTopic
    topics, _ = topic_model.transform(docs, embeddings)
    assert loaded.transform(docs, embeddings)[0] == topics
    assert loaded.transform(NEW_DOCS)[0] == topic_model.transform(NEW_DOCS)[0]
    assert len(set(topics)) == 9
    assert type(loaded.umap_model) is ExpectWidth
    reducer = topic_model.umap_model
    # PCA rounds by the order of its components in memory.
    np.testing.assert_allclose(
        loaded.umap_model.transform(embeddings), reducer.transform(embeddings), atol=1e-6
    )
    assert loaded.umap_model.get_params().keys() == reducer.get_params().keys()


def test_every_attribute_of_reducer_and_clusterer_comes_back(topic_model, saved):
    loaded = load_topic_model(saved)
    for before, after in (
        (topic_model.umap_model.reducer_, loaded.umap_model.reducer_),
        (topic_model.hdbscan_model, loaded.hdbscan_model),
    ):
        assert type(before) is type(after)
        assert vars(before).keys() == vars(after).keys()
        for name, value in vars(before).items():
            assert np.array_equal(value, getattr(after, name)), name
            assert getattr(value, "dtype", None) == getattr(
                getattr(after, name), "dtype", None
            ) or (
                isinstance(value, np.generic)  # a NumPy number comes back as Python's
            ), name


def test_topics_and_their_tables_come_back(topic_model, saved, docs):
    loaded = load_topic_model(saved)
    assert loaded.topics_ == topic_model.topics_
    words = {topic: [word for word, _ in pairs] for topic, pairs in loaded.get_topics().items()}
    assert words == {t: [word for word, _ in p] for t, p in topic_model.get_topics().items()}
    np.testing.assert_allclose(loaded.topic_embeddings_, topic_model.topic_embeddings_, atol=1e-6)
    for query in ("digital filter", "sparse matrix"):
        found, similarity = loaded.find_topics(query)
        expected, expected_similarity = topic_model.find_topics(query)
        assert found == expected
        np.testing.assert_allclose(similarity, expected_similarity, atol=1e-6)
    before, _ = topic_model.approximate_distribution(docs[:5])
    after, _ = loaded.approximate_distribution(docs[:5])
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_reduced_topics_come_back(topic_model, backend, docs, embeddings, tmp_path):
    reduced = copy.deepcopy(topic_model, {id(backend): backend})
    reduced.reduce_topics(docs, nr_topics=4)
    loaded = saved_and_loaded(reduced, tmp_path)
    assert loaded.transform(docs, embeddings)[0] == reduced.topics_
    assert set(reduced.topics_) == {0, 1, 2, 3}


def test_a_loaded_model_can_be_saved_and_loaded_again(saved, tmp_path, docs, embeddings):
    first = load_topic_model(saved)
    second = saved_and_loaded(first, tmp_path / "again")
    assert second.transform(docs, embeddings)[0] == first.transform(docs, embeddings)[0]
    assert json.loads((saved / STATE_FILE).read_text()) == json.loads(
        (tmp_path / "again" / STATE_FILE).read_text()
    )


def test_a_model_built_by_hand_comes_back(backend, docs, embeddings, tmp_path):
    by_hand = BERTopic(
        embedding_model=backend, umap_model=DimensionSelector(16), hdbscan_model=kmeans()
    ).fit(docs, embeddings)
    loaded = saved_and_loaded(by_hand, tmp_path)
    assert loaded.transform(docs, embeddings)[0] == by_hand.transform(docs, embeddings)[0]


def test_a_loaded_model_refuses_embeddings_of_another_width(saved, docs, full_embeddings):
    loaded = load_topic_model(saved)
    with pytest.raises(ValueError, match="256 wide but the backend produces 64"):
        loaded.transform(docs, full_embeddings)


def test_an_online_model_comes_back(backend, docs, embeddings, tmp_path):
    online = build_topic_model(
        backend,
        hdbscan_model=MiniBatchKMeans(9, random_state=0, n_init=3),
        vectorizer_model=OnlineCountVectorizer(stop_words="english", decay=0.01),
    )
    for rows in np.array_split(np.arange(len(docs)), 3):
        online.partial_fit([docs[i] for i in rows], embeddings[rows])
    vectorizer = online.vectorizer_model
    loaded = saved_and_loaded(online, tmp_path)
    assert online.vectorizer_model is vectorizer
    topics = online.transform(docs, embeddings)[0]
    assert loaded.transform(docs, embeddings)[0] == topics
    assert loaded.find_topics("sparse matrix")[0] == online.find_topics("sparse matrix")[0]
    before, _ = online.approximate_distribution(docs[:5])
    after, _ = loaded.approximate_distribution(docs[:5])
    np.testing.assert_allclose(after, before, atol=1e-6)
    # The clusterer can go on, and draws the numbers that it would have drawn.
    loaded.hdbscan_model.partial_fit(loaded.umap_model.transform(embeddings))
    online.hdbscan_model.partial_fit(online.umap_model.transform(embeddings))
    drawn = [m.hdbscan_model._random_state.randint(2**31 - 1, size=5) for m in (online, loaded)]
    assert np.array_equal(*drawn)


@pytest.mark.parametrize("kwargs", [{"max_features": 200}, {"min_df": 2, "ngram_range": (1, 2)}])
def test_any_count_vectorizer_can_be_saved(backend, docs, embeddings, tmp_path, kwargs):
    vectorizer = CountVectorizer(stop_words=["the", "of"], **kwargs)
    topic_model = build_topic_model(backend, hdbscan_model=kmeans(), vectorizer_model=vectorizer)
    topic_model.fit(docs, embeddings)
    loaded = saved_and_loaded(topic_model, tmp_path)
    assert topic_model.vectorizer_model is vectorizer
    assert loaded.vectorizer_model.get_params() == vectorizer.get_params()
    before, _ = topic_model.approximate_distribution(docs[:5])
    after, _ = loaded.approximate_distribution(docs[:5])
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_a_selector_goes_on_streaming_after_loading(saved, topic_model, embeddings):
    loaded = load_topic_model(saved).umap_model
    loaded.partial_fit(embeddings[:100])
    assert loaded.n_samples_seen_ == len(embeddings) + 100
    assert np.array_equal(loaded.support_, topic_model.umap_model.support_)


@pytest.mark.parametrize("reduction", ["variance", "none"])
def test_the_default_clusterer_comes_back(backend, docs, embeddings, tmp_path, reduction):
    topic_model = build_topic_model(backend, reduction=reduction).fit(docs, embeddings)
    loaded = saved_and_loaded(topic_model, tmp_path)
    assert type(loaded.hdbscan_model) is LeidenClustering
    topics, _ = topic_model.transform(docs, embeddings)
    assert loaded.transform(docs, embeddings)[0] == topics
    assert len(set(topics)) > 3
    assert loaded.transform(NEW_DOCS)[0] == topic_model.transform(NEW_DOCS)[0]


def test_incremental_pca_comes_back(backend, docs, embeddings, tmp_path):
    topic_model = BERTopic(
        embedding_model=backend, umap_model=IncrementalPCA(6), hdbscan_model=kmeans()
    ).fit(docs, embeddings)
    loaded = saved_and_loaded(topic_model, tmp_path)
    assert loaded.transform(docs, embeddings)[0] == topic_model.topics_


def test_a_zero_shot_model_comes_back(backend, docs, embeddings, tmp_path):
    topic_model = build(
        backend,
        zeroshot_topic_list=["digital filter design", "sparse matrix"],
        zeroshot_min_similarity=0.45,
    ).fit(docs, embeddings)
    assert type(topic_model.hdbscan_model) is BaseCluster
    loaded = saved_and_loaded(topic_model, tmp_path)
    assert type(loaded.hdbscan_model) is BaseCluster
    topics, similarity = topic_model.transform(docs, embeddings)
    again, similarity_again = loaded.transform(docs, embeddings)
    assert np.array_equal(again, topics)
    np.testing.assert_allclose(similarity_again, similarity, atol=1e-6)
    assert loaded.transform(NEW_DOCS[:2])[0].tolist() == [0, 1]
    # BERTopic.load forgets which topics the zero-shot names belong to.
    assert loaded.topic_labels_[1] != topic_model.topic_labels_[1] == "sparse matrix"


def test_topics_given_by_hand_come_back(backend, docs, embeddings, doc_labels, tmp_path):
    y = [sorted(set(doc_labels)).index(label) for label in doc_labels]
    topic_model = build(backend, hdbscan_model=BaseCluster()).fit(docs, embeddings, y=y)
    loaded = saved_and_loaded(topic_model, tmp_path)
    assert loaded.topics_ == topic_model.topics_
    again = loaded.transform(docs, embeddings)[0]
    assert np.array_equal(again, topic_model.transform(docs, embeddings)[0])


# ---- what is written


def test_the_folder_holds_no_pickle(saved):
    assert files_in(saved) == {
        "config.json",
        "ctfidf.safetensors",
        "ctfidf_config.json",
        "topic_embeddings.safetensors",
        "topics.json",
        ARRAYS_FILE,
        STATE_FILE,
    }


def test_the_folder_with_the_embedding_model_holds_no_pickle_either(from_loaded_model, tmp_path):
    save_topic_model(from_loaded_model, tmp_path, save_embedding_model=True)
    endings = {name.rpartition(".")[2] for name in files_in(tmp_path)}
    assert endings <= {"json", "safetensors", "md"}
    assert f"{MODEL_FOLDER}/model.safetensors" in files_in(tmp_path)


def test_the_state_is_json_that_names_what_is_needed(saved):
    state = json.loads((saved / STATE_FILE).read_text("utf-8"))
    assert state["format_version"] == FORMAT_VERSION
    assert state["width"] == 64
    assert state["backend"]["truncate_dim"] == 64
    assert state["backend"]["model"] is None  # the bundled model, wherever the package lies
    assert "device" not in state["backend"]
    assert state["reducer"]["class"] == "DimensionSelector"
    assert state["clusterer"]["class"] == "KMeans"
    assert str(DEFAULT_MODEL.parent) not in (saved / STATE_FILE).read_text("utf-8")


def test_the_path_may_be_a_string_and_is_made(topic_model, tmp_path, docs, embeddings):
    path = str(tmp_path / "a" / "b")
    save_topic_model(topic_model, path)
    assert load_topic_model(path).transform(docs, embeddings)[0] == topic_model.topics_


def test_bertopic_load_reads_the_folder_too(saved, backend, topic_model):
    assert BERTopic.load(saved, embedding_model=backend).topics_ == topic_model.topics_


def test_saving_changes_nothing_and_says_nothing(topic_model, tmp_path, caplog):
    before = (topic_model.umap_model, topic_model.hdbscan_model, topic_model.vectorizer_model)
    save_topic_model(topic_model, tmp_path)
    after = (topic_model.umap_model, topic_model.hdbscan_model, topic_model.vectorizer_model)
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert not caplog.records


# ---- a second save over the first


def test_a_second_save_leaves_nothing_of_the_first(
    topic_model, from_loaded_model, backend, docs, embeddings, tmp_path
):
    save_topic_model(from_loaded_model, tmp_path, save_embedding_model=True)
    pca = build(backend, reduction="pca", random_state=0).fit(docs, embeddings)
    loaded = saved_and_loaded(pca, tmp_path)
    assert type(loaded.umap_model.reducer) is PCA
    assert loaded.embedding_model._source.name == str(DEFAULT_MODEL)  # not the folder's old one
    assert loaded.embedding_model.batch_size == backend.batch_size
    assert loaded.transform(docs, embeddings)[0] == pca.topics_
    loaded = saved_and_loaded(topic_model, tmp_path)
    assert loaded.transform(docs, embeddings)[0] == topic_model.topics_
    assert not hasattr(loaded.umap_model, "components_")


def test_a_second_save_without_a_clusterer_leaves_none(topic_model, with_hdbscan, tmp_path):
    save_topic_model(topic_model, tmp_path)
    with pytest.warns(LossySaveWarning, match="HDBSCAN"):
        save_topic_model(with_hdbscan, tmp_path)
    assert type(load_topic_model(tmp_path).hdbscan_model) is BaseCluster


def test_a_merged_model_does_not_inherit_the_words_of_an_older_save(topic_model, backend, tmp_path):
    merged = BERTopic.merge_models([topic_model, topic_model], min_similarity=0.99)
    assert merged.c_tf_idf_ is None
    save_topic_model(topic_model, tmp_path)
    assert load_topic_model(tmp_path).c_tf_idf_ is not None
    loaded = saved_and_loaded(merged, tmp_path)
    assert loaded.c_tf_idf_ is None
    assert np.array_equal(loaded.transform(NEW_DOCS)[0], merged.transform(NEW_DOCS)[0])


def test_a_save_that_fails_leaves_the_older_one_whole(
    topic_model, backend, docs, embeddings, tmp_path
):
    save_topic_model(topic_model, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)}
    custom = build(backend, criterion=lambda X: np.ptp(X, axis=0)).fit(docs, embeddings)
    with pytest.raises(TypeError):
        save_topic_model(custom, tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)} == before


# ---- the backend


def test_loading_loads_no_embedding_model_until_it_is_needed(saved, docs, embeddings):
    loaded = load_topic_model(saved)
    source = loaded.embedding_model._source
    assert not source.is_loaded
    loaded.transform(docs, embeddings)
    loaded.get_topic_info()
    assert not source.is_loaded
    loaded.transform(NEW_DOCS)
    assert source.is_loaded


def test_the_backends_recipe_comes_back(docs, embeddings, tmp_path):
    backend = MatryoshkaBackend(
        truncate_dim=48,
        dims=[48, 96],
        prompt="cluster: ",
        batch_size=7,
        dtype="float32",
        encode_kwargs={"chunk_size": 64},
    )
    topic_model = build(backend)
    topic_model.fit(docs, np.ascontiguousarray(embeddings[:, :48]))
    loaded = saved_and_loaded(topic_model, tmp_path).embedding_model
    assert loaded.recipe() == backend.recipe()
    assert loaded.truncate_dim == 48
    assert loaded.dims == (96, 48)
    assert loaded.prompt == loaded.effective_prompt == "cluster: "
    assert loaded.batch_size == 7
    assert loaded.encode_kwargs == {"chunk_size": 64}
    assert loaded._source.dtype == "float32"


@pytest.mark.parametrize("prompt", [None, "", "query: ", ...])
def test_no_prompt_and_the_models_own_prompt_are_told_apart(topic_model, tmp_path, prompt):
    changed = copy.copy(topic_model)
    changed.embedding_model = MatryoshkaBackend(truncate_dim=64, prompt=prompt)
    loaded = saved_and_loaded(changed, tmp_path).embedding_model
    assert loaded.prompt is prompt or loaded.prompt == prompt


def test_name_and_revision_come_back_without_the_hub(topic_model, tmp_path):
    changed = copy.copy(topic_model)
    changed.embedding_model = MatryoshkaBackend(
        "no-such-owner/no-such-model", truncate_dim=64, revision="v1.5"
    )
    loaded = saved_and_loaded(changed, tmp_path, device="cpu").embedding_model
    assert loaded.name == "no-such-owner/no-such-model"
    assert (loaded._source.revision, loaded._source.devices) == ("v1.5", ("cpu",))
    assert not loaded._source.is_loaded


def test_the_device_is_the_loading_machines(topic_model, tmp_path):
    changed = copy.copy(topic_model)
    changed.embedding_model = MatryoshkaBackend(truncate_dim=64, device="cuda")
    assert saved_and_loaded(changed, tmp_path).embedding_model._source.devices == ()


def test_a_model_by_folder_name(docs, embeddings, tmp_path):
    folder = tmp_path / "model"
    load_default_model().save_pretrained(str(folder))
    topic_model = build(MatryoshkaBackend(folder, truncate_dim=64)).fit(docs, embeddings)
    loaded = saved_and_loaded(topic_model, tmp_path / "saved")
    assert loaded.embedding_model.name == str(folder)
    assert not loaded.embedding_model._source.is_loaded
    assert loaded.transform(NEW_DOCS)[0] == topic_model.transform(NEW_DOCS)[0]


def test_a_model_by_relative_folder_name(docs, embeddings, tmp_path, monkeypatch):
    (tmp_path / "work" / "model").mkdir(parents=True)
    load_default_model().save_pretrained(str(tmp_path / "work" / "model"))
    monkeypatch.chdir(tmp_path / "work")
    topic_model = build(MatryoshkaBackend("model", truncate_dim=64)).fit(docs, embeddings)
    save_topic_model(topic_model, "saved")
    monkeypatch.chdir(tmp_path)
    expected = topic_model.transform(NEW_DOCS, MatryoshkaBackend(truncate_dim=64).embed(NEW_DOCS))
    assert load_topic_model("work/saved").transform(NEW_DOCS)[0] == expected[0]


def test_a_loaded_model_has_no_name_so_one_must_be_given(from_loaded_model, backend, tmp_path):
    with pytest.warns(LossySaveWarning, match="save_embedding_model=True"):
        save_topic_model(from_loaded_model, tmp_path)
    with pytest.raises(ValueError, match=r"load_topic_model\(path, backend=\.\.\.\)"):
        load_topic_model(tmp_path)
    topics = from_loaded_model.transform(NEW_DOCS)[0]
    by_backend = load_topic_model(tmp_path, backend=backend)
    assert by_backend.embedding_model is backend
    assert by_backend.transform(NEW_DOCS)[0] == topics
    given = from_loaded_model.embedding_model.embedding_model
    by_model = load_topic_model(tmp_path, backend=given)
    assert by_model.embedding_model.embedding_model is given
    assert (by_model.embedding_model.truncate_dim, by_model.embedding_model.batch_size) == (64, 16)
    assert by_model.transform(NEW_DOCS)[0] == topics


def test_the_saved_embedding_model_is_enough(from_loaded_model, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", LossySaveWarning)
        save_topic_model(from_loaded_model, tmp_path / "saved", save_embedding_model=True)
    moved = shutil.move(tmp_path / "saved", tmp_path / "elsewhere")
    loaded = load_topic_model(moved)
    assert loaded.embedding_model._source.is_loaded  # the folder may be replaced at any time
    embedded = loaded.embedding_model.embed(NEW_DOCS)
    np.testing.assert_allclose(
        embedded, from_loaded_model.embedding_model.embed(NEW_DOCS), atol=1e-6
    )
    assert loaded.embedding_model.batch_size == 16
    assert loaded.transform(NEW_DOCS)[0] == from_loaded_model.transform(NEW_DOCS)[0]
    # Saved again over itself, while its weights come from there.
    save_topic_model(loaded, moved, save_embedding_model=True)
    again = load_topic_model(moved)
    np.testing.assert_allclose(again.embedding_model.embed(NEW_DOCS), embedded, atol=1e-6)


@pytest.fixture(scope="session")
def published(docs, tmp_path_factory):
    """A model known by its place in the hub's cache: widths, prompt, what comes before the cut."""
    cache = tmp_path_factory.mktemp("models") / "models--nomic-ai--nomic-embed-text-v1.5"
    folder = cache / "snapshots" / "0a1b2c"
    vocabulary = sorted({"[UNK]", "clustering", ":", *" ".join(docs).split()})
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(vocabulary)}, "[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    weights = np.random.default_rng(0).normal(0.3, 1, (len(vocabulary), 768)).astype(np.float32)
    static = StaticEmbedding(tokenizer, embedding_weights=weights)
    SentenceTransformer(modules=[static], device="cpu").save_pretrained(str(folder))
    return folder


def test_what_is_known_by_a_models_name_survives_without_the_name(published, docs, tmp_path):
    backend = MatryoshkaBackend(published, truncate_dim=64)
    assert backend.effective_prompt == "clustering: "
    assert backend.facts.before_slicing == "layer_norm"
    topic_model = build(backend).fit(docs[:200])
    expected = backend.embed(docs[:5])
    save_topic_model(topic_model, tmp_path / "first", save_embedding_model=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TruncationWarning)
        from_folder = load_topic_model(tmp_path / "first")
        # Its weights lie in "first" still, under a name that tells nothing.
        handed_on = saved_and_loaded(from_folder, tmp_path / "second")
        given = SentenceTransformer(str(tmp_path / "first" / MODEL_FOLDER), device="cpu")
        from_given = load_topic_model(tmp_path / "first", backend=given)
        for loaded in (from_folder, handed_on, from_given):
            np.testing.assert_allclose(loaded.embedding_model.embed(docs[:5]), expected, atol=1e-6)
            assert loaded.embedding_model.facts.near_zero == ()  # a tuple, as before
            assert loaded.embedding_model.dims == (768, 512, 256, 128, 64)
            assert loaded.transform(docs[:200])[0] == topic_model.topics_


def test_a_backend_of_another_width_is_refused(saved, backend):
    with pytest.raises(ValueError, match=r"32 wide.*fitted on 64.*backend.truncated\(64\)"):
        load_topic_model(saved, backend=backend.truncated(32))
    assert load_topic_model(saved, backend=backend.truncated(32).truncated(64))


def test_remote_code_runs_only_if_the_loading_side_says_so(topic_model, backend, tmp_path):
    changed = copy.copy(topic_model)
    changed.embedding_model = MatryoshkaBackend(
        "some/model", truncate_dim=64, trust_remote_code=True
    )
    save_topic_model(changed, tmp_path)
    with pytest.raises(ValueError, match="some/model was saved with trust_remote_code=True"):
        load_topic_model(tmp_path)
    trusted = load_topic_model(tmp_path, trust_remote_code=True).embedding_model
    assert trusted._source.trust_remote_code is True
    assert load_topic_model(tmp_path, backend=backend).embedding_model is backend


# ---- what has no safe format


def assert_nearest_topic_embedding(loaded, folder, backend, docs, embeddings):
    stock = BERTopic.load(folder, embedding_model=backend)
    topics, similarity = loaded.transform(docs, embeddings)
    stock_topics, stock_similarity = stock.transform(docs, embeddings)
    assert np.array_equal(topics, stock_topics)
    assert np.array_equal(similarity, stock_similarity)
    has_outliers = -1 in loaded.topic_sizes_
    nearest = cosine_similarity(embeddings, loaded.topic_embeddings_).argmax(axis=1) - has_outliers
    assert np.array_equal(topics, nearest)


def test_hdbscan_is_left_out_with_a_warning(with_hdbscan, backend, docs, embeddings, tmp_path):
    with pytest.warns(LossySaveWarning, match=r"hdbscan\.HDBSCAN has no safe format") as caught:
        save_topic_model(with_hdbscan, tmp_path)
    assert len(caught) == 1
    assert caught[0].filename == __file__  # it points to the caller
    loaded = load_topic_model(tmp_path)
    assert type(loaded.hdbscan_model) is BaseCluster
    # The selector is kept all the same, to be read.
    assert np.array_equal(loaded.umap_model.support_, with_hdbscan.umap_model.support_)
    assert_nearest_topic_embedding(loaded, tmp_path, backend, docs, embeddings)
    assert loaded.transform(NEW_DOCS)[0].shape == (3,)
    assert loaded.find_topics("sparse matrix")[0] == with_hdbscan.find_topics("sparse matrix")[0]


class UnknownReducer(BaseDimensionalityReduction):
    """A reducer of the user's own, as UMAP is one that this package cannot save."""


def test_a_clusterer_is_not_used_without_its_reducer(backend, docs, embeddings, tmp_path):
    topic_model = BERTopic(
        embedding_model=backend, umap_model=UnknownReducer(), hdbscan_model=kmeans()
    ).fit(docs, embeddings)
    with pytest.warns(LossySaveWarning, match="UnknownReducer has no safe format"):
        save_topic_model(topic_model, tmp_path)
    loaded = load_topic_model(tmp_path)
    assert type(loaded.umap_model) is BaseDimensionalityReduction
    assert type(loaded.hdbscan_model) is BaseCluster
    assert_nearest_topic_embedding(loaded, tmp_path, backend, docs, embeddings)


def test_a_custom_criterion_cannot_be_saved(backend, docs, embeddings, tmp_path):
    topic_model = build(backend, criterion=spread_of)
    topic_model.fit(docs, embeddings)
    with pytest.raises(
        TypeError, match=r"DimensionSelector\.criterion=<function spread_of.*pickle"
    ):
        save_topic_model(topic_model, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def spread_of(X):
    return np.ptp(X, axis=0)


def test_another_embedder_is_refused(docs, embeddings, tmp_path):
    for embedder in (None, BaseEmbedder()):
        with pytest.raises(TypeError, match="must be a MatryoshkaBackend"):
            save_topic_model(BERTopic(embedding_model=embedder), tmp_path)


def test_a_model_that_is_not_fitted_is_refused(backend, tmp_path):
    with pytest.raises(ValueError, match="is not fitted"):
        save_topic_model(build_topic_model(backend), tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


# ---- broken and strange folders


def test_a_folder_without_a_saved_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"matryoshka\.json is missing.*save_topic_model"):
        load_topic_model(tmp_path / "nowhere")


def test_what_bertopic_saved_by_itself_is_refused(topic_model, tmp_path):
    topic_model.save(tmp_path, serialization="safetensors", save_embedding_model=False)
    with pytest.raises(FileNotFoundError, match=r"BERTopic\.load reads"):
        load_topic_model(tmp_path)


def test_a_newer_format_is_refused(saved):
    edit_state(saved, lambda state: state.update(format_version=FORMAT_VERSION + 1))
    with pytest.raises(ValueError, match=r"format_version=3.*up to 2. Upgrade"):
        load_topic_model(saved)


@pytest.mark.parametrize("role", ["reducer", "clusterer"])
@pytest.mark.parametrize("name", ["Popen", "os.system", "FunctionTransformer", "__class__"])
def test_only_classes_of_the_list_are_built(saved, role, name):
    edit_state(saved, lambda state: state[role].update({"class": name}))
    with pytest.raises(ValueError, match=f"class '{name}' is not one of BaseCluster"):
        load_topic_model(saved)


def test_another_version_of_scikit_learn_is_mentioned(saved):
    edit_state(saved, lambda state: state["clusterer"].update(sklearn_version="1.0"))
    with pytest.warns(InconsistentVersionWarning, match=r"KMeans from version 1\.0"):
        load_topic_model(saved)


# ---- estimators by themselves


def test_feature_names_come_back(embeddings, tmp_path):
    frame = pd.DataFrame(embeddings, columns=[f"d{i}" for i in range(64)])
    selector = DimensionSelector(8).fit(frame)
    state, arrays = pack(selector)
    again = unpack(json.loads(json.dumps(state)), arrays, SAFE_ESTIMATORS)
    assert again.get_feature_names_out().tolist() == selector.get_feature_names_out().tolist()
    assert np.array_equal(again.transform(frame), selector.transform(frame))
    with pytest.raises(ValueError, match="feature names"):
        again.transform(frame[frame.columns[::-1]])


@pytest.mark.parametrize(
    "estimator",
    [
        KMeans(3, n_init=1, random_state=np.random.RandomState(3)),
        KMeans(3, n_init=1, init=np.eye(3, 64)),
        MiniBatchKMeans(3, n_init=1, random_state=0),
        PCA(0.9),
        PCA(3, svd_solver="randomized", random_state=0),
        PCA("mle", svd_solver="full"),
        IncrementalPCA(3, batch_size=100),
        DimensionSelector(0.5, near_zero=0.2, normalize=False),
    ],
    ids=lambda estimator: type(estimator).__name__,  # a str names addresses, and each run differs
)
def test_estimators_do_what_they_did(estimator, embeddings):
    estimator.fit(embeddings)
    state, arrays = pack(estimator)
    again = unpack(json.loads(json.dumps(state)), arrays, SAFE_ESTIMATORS)
    assert type(again) is type(estimator)
    np.testing.assert_allclose(
        again.transform(embeddings), estimator.transform(embeddings), atol=1e-6
    )
    assert again.get_params().keys() == estimator.get_params().keys()
    assert state["sklearn_version"] == sklearn.__version__


@pytest.mark.parametrize(
    ("estimator", "named"),
    [
        (KMeans(3, init=lambda X, k, random_state: X[:k]), r"KMeans\.init="),
        (PCA({"n": 1}), r"PCA\.n_components="),
        (KMeans(3, random_state=np.random.default_rng(0)), r"KMeans\.random_state="),
    ],
)
def test_what_cannot_be_saved_is_named(estimator, named):
    with pytest.raises(TypeError, match=named):
        pack(estimator)


# ---- with UMAP, last: it compiles for seconds


def test_umap_is_left_out_with_a_warning(backend, docs, embeddings, tmp_path):
    topic_model = build(backend, reduction="umap", random_state=0).fit(docs[:200], embeddings[:200])
    with pytest.warns(LossySaveWarning, match=r"umap\.UMAP has no safe format"):
        save_topic_model(topic_model, tmp_path)
    loaded = load_topic_model(tmp_path)
    assert type(loaded.hdbscan_model) is BaseCluster
    assert_nearest_topic_embedding(loaded, tmp_path, backend, docs, embeddings)


def test_without_the_rows_of_the_fit_the_nearest_topic_is_given(
    backend, docs, embeddings, tmp_path, recwarn
):
    topic_model = build_topic_model(backend).fit(docs[::2], embeddings[::2])
    save_topic_model(topic_model, tmp_path / "whole")
    save_topic_model(topic_model, tmp_path / "light", save_rows=False)
    assert not [w for w in recwarn if w.category is LossySaveWarning]
    sizes = {name: (tmp_path / name / ARRAYS_FILE).stat().st_size for name in ("whole", "light")}
    assert sizes["light"] < sizes["whole"] / 20
    loaded = load_topic_model(tmp_path / "light")
    found, _ = loaded.transform(docs[1::2])
    nearest = cosine_similarity(embeddings[1::2], topic_model.topic_embeddings_).argmax(axis=1)
    assert list(found) == (nearest - topic_model._outliers).tolist()
    whole = load_topic_model(tmp_path / "whole").transform(docs[1::2])[0]
    assert np.mean(np.array(whole) == found) > 0.7
    assert loaded.topics_ == topic_model.topics_


def test_other_clusterers_are_saved_with_or_without_rows(topic_model, docs, tmp_path):
    save_topic_model(topic_model, tmp_path, save_rows=False)
    assert isinstance(load_topic_model(tmp_path).hdbscan_model, KMeans)
