"""A rotation before truncation and a lexical view after it, in one backend."""

import numpy as np
import pytest

from bertopic_matryoshka import (
    LexicalView,
    MatryoshkaBackend,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.embedding import EmbeddingStore


@pytest.fixture(scope="module")
def view(docs):
    return LexicalView(8).fit(docs)


@pytest.fixture(scope="module")
def rotated(docs):
    return MatryoshkaBackend().rotated(docs)


@pytest.mark.parametrize("view_first", [False, True])
def test_the_rotated_row_is_cut_and_the_view_joined(docs, view, rotated, view_first):
    if view_first:
        backend = MatryoshkaBackend().with_view(view).rotated(docs).truncated(32)
    else:
        backend = rotated.with_view(view).truncated(32)
    assert backend.embedding_dim == 40
    expected = view.join(rotated.truncated(32).embed(docs[:20]), docs[:20])
    np.testing.assert_allclose(backend.embed(docs[:20]), expected, atol=1e-6)


def test_the_store_gives_the_same_rows(docs, view, rotated, tmp_path):
    backend = rotated.with_view(view)
    rows = EmbeddingStore(tmp_path).embed(backend, docs[:20])
    np.testing.assert_allclose(rows, backend.embed(docs[:20]), atol=1e-6)
    # What is stored is the model's own row.
    again = EmbeddingStore(tmp_path).embed(MatryoshkaBackend(), docs[:20])
    np.testing.assert_allclose(again, MatryoshkaBackend().embed(docs[:20]), atol=1e-6)


def test_both_come_back(docs, view, rotated, tmp_path):
    topic_model = build_topic_model(rotated.with_view(view).truncated(32)).fit(docs)
    save_topic_model(topic_model, tmp_path / "saved")
    loaded = load_topic_model(tmp_path / "saved")
    assert loaded.transform(docs)[0] == topic_model.topics_
    words = ["sparse matrix", "digital filter"]
    expected = topic_model.embedding_model.embed(words)
    np.testing.assert_allclose(loaded.embedding_model.embed(words), expected, atol=1e-6)
