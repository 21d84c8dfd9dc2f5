"""A topic model on rotated embeddings is saved with its rotation, and loaded with no other."""

import numpy as np
import pytest
from saved_files import edit_state
from sentence_transformers import SentenceTransformer
from sklearn.cluster import KMeans
from tiny_models import make_model

from bertopic_matryoshka import (
    MatryoshkaBackend,
    PrincipalRotation,
    SavedModelError,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.embedding._bundled import load_default_model

NEW = ["Design a digital filter.", "Convert a sparse matrix.", "A random variable."]


def build(backend, **arguments):
    clusterer = KMeans(8, n_init=1, random_state=0)
    return build_topic_model(backend, hdbscan_model=clusterer, random_state=0, **arguments)


@pytest.fixture(scope="module")
def rotated(docs):
    return MatryoshkaBackend(truncate_dim=32).rotated(docs[:400])


@pytest.fixture(scope="module")
def fitted(rotated, docs):
    return build(rotated).fit(docs)


@pytest.fixture
def saved(fitted, tmp_path):
    save_topic_model(fitted, tmp_path / "saved")
    return tmp_path / "saved"


def test_rows_words_and_topics_are_as_before(fitted, saved, docs):
    again = load_topic_model(saved)
    backend = again.embedding_model
    np.testing.assert_array_equal(
        backend.embed_documents(NEW), fitted.embedding_model.embed_documents(NEW)
    )
    assert backend.rotation.key == fitted.embedding_model.rotation.key
    assert backend.rotation.rank == fitted.embedding_model.rotation.rank
    assert backend.dims == (256, 128, 64, 32)
    assert list(again.transform(docs)[0]) == list(fitted.transform(docs)[0])
    assert again.find_topics("filter") == fitted.find_topics("filter")
    save_topic_model(again, saved)  # over itself
    assert load_topic_model(saved).embedding_model.rotation.key == backend.rotation.key


def test_weights_are_saved_beside_the_rotation(docs, tmp_path):
    model = load_default_model()
    backend = MatryoshkaBackend(model, truncate_dim=32, dims=[256, 32]).rotated(docs[:400])
    fitted = build(backend).fit(docs)
    save_topic_model(fitted, tmp_path, save_embedding_model=True)
    again = load_topic_model(tmp_path).embedding_model
    np.testing.assert_allclose(again.embed(NEW), backend.embed(NEW), atol=1e-6)
    assert again.truncated(None).rotated(None).dims == (256, 32)


def test_a_given_model_is_rotated_and_another_is_refused(fitted, saved, rotated, tmp_path):
    again = load_topic_model(saved, backend=load_default_model()).embedding_model
    np.testing.assert_allclose(again.embed(NEW), rotated.embed(NEW), atol=1e-6)
    assert load_topic_model(saved, backend=rotated).embedding_model is rotated
    other = SentenceTransformer(make_model(tmp_path / "other", width=256), device="cpu")
    with pytest.raises(ValueError, match="The rotation is of another model"):
        load_topic_model(saved, backend=other)


def test_a_backend_without_that_rotation_is_refused(saved, rotated, docs, tmp_path):
    with pytest.raises(ValueError, match="fitted with a rotation, and backend has none"):
        load_topic_model(saved, backend=rotated.rotated(None))
    with pytest.raises(ValueError, match="fitted with a rotation, and backend has another one"):
        load_topic_model(saved, backend=rotated.rotated(docs[:300]))
    plain = MatryoshkaBackend(truncate_dim=32)
    save_topic_model(build(plain).fit(docs), tmp_path / "plain")
    with pytest.raises(ValueError, match="fitted without a rotation, and backend has another one"):
        load_topic_model(tmp_path / "plain", backend=rotated)
    assert load_topic_model(tmp_path / "plain").embedding_model.rotation is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": "0" * 64}, "rotation: axes are not those of the rotation that was saved"),
        ({"rank": "many"}, "rotation: invalid literal"),
        ({"extra": 1}, "rotation, has an unknown key 'extra'"),
    ],
)
def test_a_damaged_recipe(saved, change, message):
    edit_state(saved, lambda state: state["backend"]["rotation"].update(change))
    with pytest.raises(SavedModelError, match=message):
        load_topic_model(saved)


def test_the_transformer_in_umaps_place(docs, embeddings, backend, tmp_path):
    fitted = build(backend, reduction="rotation", n_components=16).fit(docs, embeddings)
    reducer = fitted.umap_model.reducer_
    assert isinstance(reducer, PrincipalRotation)
    assert reducer.transform(embeddings).shape == (len(docs), 16)
    save_topic_model(fitted, tmp_path)
    again = load_topic_model(tmp_path)
    np.testing.assert_array_equal(
        again.umap_model.transform(embeddings), reducer.transform(embeddings)
    )
    assert list(again.transform(docs, embeddings)[0]) == list(fitted.transform(docs, embeddings)[0])
