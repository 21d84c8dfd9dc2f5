"""A topic model of embeddings alone: fitted, saved, loaded, and plain about what it lacks."""

import pickle

import numpy as np
import pytest

from bertopic_matryoshka import (
    MatryoshkaBackend,
    PrecomputedBackend,
    build_topic_model,
    compare_dimensions,
    evaluate_topics,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.embedding import EmbeddingStore

NO_MODEL = "Of the model there are only embeddings, 64 wide"


@pytest.fixture(scope="module")
def fitted(docs, embeddings):
    return build_topic_model(PrecomputedBackend(64)).fit(docs, embeddings)


def test_saved_and_loaded_it_needs_embeddings_or_their_model(
    fitted, docs, embeddings, backend, tmp_path, recwarn
):
    save_topic_model(fitted, tmp_path)
    assert not [w for w in recwarn if "LossySave" in w.category.__name__]
    loaded = load_topic_model(tmp_path)
    assert loaded.transform(docs, embeddings)[0] == fitted.topics_
    for fails in (loaded.transform, loaded.embedding_model.embed, loaded.find_topics):
        with pytest.raises(ValueError, match=NO_MODEL):
            fails(docs[0] if fails == loaded.find_topics else docs[:2])
    with pytest.raises(ValueError, match="device='cpu' is of an embedding model"):
        load_topic_model(tmp_path, device="cpu")
    with pytest.raises(ValueError, match=r"256 wide.*fitted on 64"):
        load_topic_model(tmp_path, backend=MatryoshkaBackend())
    with_model = load_topic_model(tmp_path, backend=backend)
    assert with_model.transform(docs)[0] == fitted.topics_
    assert len(with_model.find_topics("spline")[0]) > 0


def test_other_widths_are_refused_and_prefixes_are_not(docs, full_embeddings, embeddings):
    with pytest.raises(ValueError, match="256 wide but the backend produces 64"):
        build_topic_model(PrecomputedBackend(64)).fit(docs, full_embeddings)
    backend = MatryoshkaBackend(PrecomputedBackend(256), dims=[256, 64]).truncated(64)
    topic_model = build_topic_model(backend).fit(docs, embeddings)
    assert topic_model.topic_embeddings_.shape[1] == 64
    with pytest.raises(ValueError, match="truncate_dim=257 must be between 1 and 256"):
        backend.truncated(257)
    with pytest.raises(ValueError, match="width=0 must be at least 1"):
        PrecomputedBackend(0)


def test_evaluation_and_comparison_embed_nothing(fitted, docs, full_embeddings, encoded):
    table = evaluate_topics(fitted, docs, measures=["npmi"]).per_topic
    assert "npmi" in table
    assert "embedding" not in table
    model = build_topic_model(PrecomputedBackend(256))
    comparison = compare_dimensions(
        docs[:100], model, dims=[64], seeds=1, embeddings=full_embeddings[:100], progress=False
    )
    assert comparison.summary["dim"].tolist() == [64]
    assert encoded == []


def test_what_needs_the_model_says_so(fitted, docs, embeddings, tmp_path):
    backend = MatryoshkaBackend(PrecomputedBackend(64))
    assert not backend.embeds_texts
    with pytest.raises(ValueError, match=NO_MODEL):
        EmbeddingStore(tmp_path).embed(backend, docs)
    with pytest.raises(ValueError, match="is no model of sentence-transformers"):
        save_topic_model(fitted, tmp_path, save_embedding_model=True)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.transform(docs[:5], embeddings[:5])[0] == fitted.topics_[:5]
    np.testing.assert_array_equal(backend.embed([]), np.zeros((0, 64)))
