"""MatryoshkaBackend(..., n_layers=n): the first layers alone, known, warned of, saved."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from tiny_models import make_model

from bertopic_matryoshka import (
    MatryoshkaBackend,
    TruncationWarning,
    build_topic_model,
    first_layers,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.embedding import EmbeddingStore, facts_by_name

TEXTS = ["a b c", "d e", "f", "g h i j", "k"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A BERT of three layers."""
    return make_model(tmp_path_factory.mktemp("models") / "bert", config={"num_hidden_layers": 3})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The same, said to be trained after 3 layers and 1."""
    folder = make_model(
        tmp_path_factory.mktemp("models") / "trained", config={"num_hidden_layers": 3}
    )
    file = Path(folder) / "config.json"
    config = json.loads(file.read_text("utf-8")) | {"matryoshka_layers": [1, 3]}
    file.write_text(json.dumps(config), "utf-8")
    return folder


def backend_of(folder, **settings):
    return MatryoshkaBackend(folder, **{"dims": [24, 8], "device": "cpu", **settings})


def test_the_first_layers_alone_run(trained):
    model = SentenceTransformer(trained, device="cpu")
    expected = first_layers(model, 1).encode(TEXTS, normalize_embeddings=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_name = backend_of(trained, n_layers=1)
        np.testing.assert_allclose(by_name.embed(TEXTS), expected, atol=1e-6)
        given = backend_of(model, n_layers=1, device=None)
    np.testing.assert_allclose(given.embed(TEXTS), expected, atol=1e-6)
    assert len(model[0].auto_model.encoder.layer) == 3
    assert np.abs(backend_of(trained).embed(TEXTS) - expected).max() > 1e-3
    assert by_name.name == f"{trained}, 1 layers"
    assert by_name.facts.layers == (3, 1)


def test_a_number_that_is_not_trained_is_warned_of(folder, trained):
    with pytest.warns(TruncationWarning, match=r"n_layers=2, of 3, is not .*No numbers are known"):
        backend_of(folder, n_layers=2).embed(TEXTS)
    with pytest.warns(TruncationWarning, match=r"n_layers=2, of 3, .*It is for 3, 1\."):
        backend_of(trained, n_layers=2).embed(TEXTS)


def test_the_registry_knows_a_model(folder):
    assert facts_by_name("mixedbread-ai/mxbai-embed-2d-large-v1").layers == tuple(range(24, 0, -1))
    assert facts_by_name("mixedbread-ai/mxbai-embed-large-v1").layers is None
    assert backend_of(folder).facts.layers is None


def test_the_recipe_the_store_and_a_saved_model_know_of_it(trained, tmp_path, docs):
    backend = backend_of(trained, n_layers=1)
    assert MatryoshkaBackend(device="cpu", **backend.recipe()).name == backend.name
    store = EmbeddingStore(tmp_path / "store")
    np.testing.assert_allclose(store.embed(backend, TEXTS), backend.embed(TEXTS), atol=1e-6)
    assert np.abs(store.embed(backend_of(trained), TEXTS) - backend.embed(TEXTS)).max() > 1e-3
    topic_model = build_topic_model(backend, min_topic_size=5).fit(docs[:80])
    save_topic_model(topic_model, tmp_path / "saved")
    loaded = load_topic_model(tmp_path / "saved", device="cpu")
    assert loaded.embedding_model.name == backend.name
    np.testing.assert_allclose(loaded.embedding_model.embed(TEXTS), backend.embed(TEXTS), atol=1e-6)
    assert loaded.embedding_model.facts.layers == (3, 1)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n_layers": 0}, ValueError, "n_layers=0 must be at least 1"),
        ({"n_layers": 1.0}, TypeError, "n_layers=1.0"),
        ({"n_layers": 1, "backend": "onnx"}, ValueError, "is for torch; the layers of"),
        ({"n_layers": 4}, ValueError, "n_layers=4 must be between 1 and 3"),
    ],
)
def test_bad_input(folder, settings, error, message):
    with pytest.raises(error, match=message):
        backend_of(folder, **settings).embed(TEXTS)


def test_models_without_layers_are_refused():
    with pytest.raises(ValueError, match="the bundled model is a table of vectors"):
        MatryoshkaBackend(n_layers=2)
    static = SentenceTransformer(modules=[*MatryoshkaBackend().embedding_model])
    with pytest.raises(ValueError, match="no list of layers that could be cut"):
        MatryoshkaBackend(static, n_layers=2)
    with pytest.raises(ValueError, match="n_layers=2 is for models of sentence-transformers"):
        MatryoshkaBackend(lambda texts: np.ones((len(texts), 4)), n_layers=2)
