"""Other backends than sentence-transformers': truncated alike, and no text is paid twice."""

import numpy as np
import pytest
from bertopic.backend import BaseEmbedder, WordDocEmbedder
from bertopic.representation import KeyBERTInspired
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.pipeline import make_pipeline

from bertopic_matryoshka import (
    LexicalView,
    LossySaveWarning,
    MatryoshkaBackend,
    build_topic_model,
    compare_dimensions,
    inspect_models,
    load_topic_model,
    save_topic_model,
    truncate,
)
from bertopic_matryoshka.embedding import EmbeddingStore

TEXTS = [f"{kind} number {i}" for kind in ("spline", "matrix", "gamma") for i in range(20)]
HASHING = HashingVectorizer(n_features=64, analyzer="char_wb", ngram_range=(3, 3))


def hashed(texts):
    return HASHING.transform(texts).toarray()


class Counting(BaseEmbedder):
    """Counts the texts that it embeds; fails while `broken` is in one of them."""

    def __init__(self, broken=None, error=ConnectionError):
        super().__init__()
        self.broken, self.error, self.paid = broken, error, []

    def embed(self, documents, verbose=False):
        if self.broken in documents:
            raise self.error("the service is away")
        self.paid += documents
        return hashed(documents)


@pytest.mark.parametrize("model", [hashed, Counting(), make_pipeline(HASHING)])
def test_rows_are_the_models_own_truncated(model):
    if not callable(model) and not isinstance(model, BaseEmbedder):
        model.fit(TEXTS)
    backend = MatryoshkaBackend(model, truncate_dim=16, dims=[16])
    np.testing.assert_allclose(backend.embed(TEXTS), truncate(hashed(TEXTS), 16), atol=1e-6)
    np.testing.assert_array_equal(backend.embed_words(TEXTS[:3]), backend.embed(TEXTS[:3]))
    assert backend.full_dim == 64


def test_a_rotation_of_a_function_keeps_similarities():
    rotated = MatryoshkaBackend(hashed).rotated(TEXTS)
    rows, plain = rotated.embed(TEXTS), truncate(hashed(TEXTS), 64)
    np.testing.assert_allclose(rows @ rows.T, plain @ plain.T, atol=1e-5)


@pytest.mark.parametrize("error", [ConnectionError, KeyboardInterrupt])
def test_texts_that_were_encoded_before_a_failure_are_not_encoded_again(error):
    model = Counting(broken=TEXTS[35], error=error)
    backend = MatryoshkaBackend(model, batch_size=10)
    message = "30 of 60 texts encoded" if error is ConnectionError else "the service is away"
    with pytest.raises((RuntimeError, KeyboardInterrupt), match=message):
        backend.embed(TEXTS)
    model.broken = None
    np.testing.assert_allclose(backend.embed(TEXTS), truncate(hashed(TEXTS), 64), atol=1e-6)
    assert sorted(model.paid) == sorted(["width", *TEXTS])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_topic_model_is_saved_without_the_function(tmp_path):
    backend = MatryoshkaBackend(hashed, truncate_dim=32, dims=[32], name="mine")
    topic_model = build_topic_model(backend, reduction="none").fit(TEXTS)
    with pytest.raises(ValueError, match="save_embedding_model=True"):
        save_topic_model(topic_model, tmp_path / "saved", save_embedding_model=True)
    with pytest.warns(LossySaveWarning, match=r"backend=\.\.\."):
        save_topic_model(topic_model, tmp_path / "saved")
    with pytest.raises(ValueError, match=r"backend=\.\.\."):
        load_topic_model(tmp_path / "saved")
    for given in (backend, hashed):
        loaded = load_topic_model(tmp_path / "saved", backend=given)
        assert loaded.transform(TEXTS)[0] == topic_model.transform(TEXTS)[0]


def test_a_width_beyond_the_model_is_refused_before_any_document_is_paid():
    model = Counting()
    with pytest.raises(ValueError, match="truncate_dim=65"):
        MatryoshkaBackend(model, truncate_dim=65).embed(TEXTS)
    assert model.paid == ["width"]


def test_a_name_tells_rows_in_a_store(tmp_path):
    first, again, other, store = Counting(), Counting(), Counting(), EmbeddingStore(tmp_path)
    rows = store.embed(MatryoshkaBackend(first, truncate_dim=16, dims=[16], name="mine"), TEXTS)
    np.testing.assert_allclose(rows, truncate(hashed(TEXTS), 64), atol=1e-6)
    np.testing.assert_array_equal(store.embed(MatryoshkaBackend(again, name="mine"), TEXTS), rows)
    assert again.paid == ["width"]
    store.embed(MatryoshkaBackend(other, name="mine, trained further"), TEXTS)
    assert sorted(other.paid) == sorted(["width", *TEXTS])


def test_widths_are_compared_and_stored(tmp_path):
    model = Counting()
    topic_model = build_topic_model(MatryoshkaBackend(model, name="mine"), random_state=0)
    for _ in range(2):
        comparison = compare_dimensions(TEXTS, topic_model, dims=[64, 16], seeds=1, store=tmp_path)
    assert list(comparison.summary["dim"]) == [64, 16]
    assert sorted(model.paid) == sorted(["width", *TEXTS])


def test_a_function_is_inspected_beside_a_model():
    constant = MatryoshkaBackend(lambda texts: np.c_[hashed(texts), np.ones(len(texts))])
    seen = inspect_models({"function": hashed, "constant": constant}, TEXTS, dims=[16])
    assert list(seen.models["full_dim"]) == [64, 65]


def test_words_lie_in_the_documents_space():
    backend = MatryoshkaBackend(hashed).rotated(TEXTS).truncated(16)
    backend = backend.with_view(LexicalView(2).fit(TEXTS))
    topic_model = build_topic_model(backend, representation_model=KeyBERTInspired()).fit(TEXTS)
    assert topic_model.topic_embeddings_.shape[1] == 18
    np.testing.assert_array_equal(backend.embed_words(["spline"]), backend.embed(["spline"]))
    assert topic_model.transform(TEXTS[:9])[0] == topic_model.topics_[:9]
    assert topic_model.find_topics("spline number")[0][0] == topic_model.topics_[0]


class QueriesAsWords(BaseEmbedder):
    """Embeds documents and words in ways of its own, and nothing else."""

    def embed_documents(self, document, verbose=False):
        return hashed([f"passage: {text}" for text in document])

    def embed_words(self, words, verbose=False):
        return hashed([f"query: {text}" for text in words])


def test_a_backends_own_way_with_words_is_taken():
    backend = MatryoshkaBackend(QueriesAsWords(), prompt="say ")
    np.testing.assert_allclose(
        backend.embed_documents(["spline"]), truncate(hashed(["passage: say spline"]), 64)
    )
    np.testing.assert_allclose(
        backend.embed_words(["spline"]), truncate(hashed(["query: say spline"]), 64)
    )


def test_bertopics_wrapper_of_a_sentence_transformer_is_taken_off(backend):
    from bertopic.backend._sentencetransformers import SentenceTransformerBackend

    model = backend.embedding_model
    wrapped = MatryoshkaBackend(SentenceTransformerBackend(model), truncate_dim=64)
    assert wrapped.embedding_model is model
    np.testing.assert_allclose(wrapped.embed(TEXTS[:3]), backend.embed(TEXTS[:3]), atol=1e-6)


@pytest.mark.parametrize(
    ("model", "remedy"),
    [
        (Counting, r"instance of it, such as Counting\(...\)"),
        (WordDocEmbedder(Counting(), Counting()), "its embedding_model"),
        (MatryoshkaBackend(hashed), r"model\.truncated\(truncate_dim\)"),
        (3, "a BERTopic backend, a function of texts"),
    ],
)
def test_what_is_no_model_of_one_space_is_refused(model, remedy):
    with pytest.raises(TypeError, match=remedy):
        MatryoshkaBackend(model)


def test_what_cannot_be_done_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be stored. Name them by .*name=\.\.\."):
        EmbeddingStore(tmp_path).embed(MatryoshkaBackend(hashed), TEXTS)
    with pytest.raises(TypeError, match="name='' must be a string that is not empty"):
        MatryoshkaBackend(hashed, name="")
    with pytest.raises(ValueError, match="known by its contents"):
        MatryoshkaBackend(name="bundled")
    with pytest.raises(ValueError, match="one row for each"):
        MatryoshkaBackend(lambda texts: np.ones((1, 4)), truncate_dim=4).embed(TEXTS)
    with pytest.raises(NotFittedError):
        MatryoshkaBackend(make_pipeline(HASHING, TruncatedSVD(4)))
    with pytest.raises(ValueError, match="device='cpu' is for loading"):
        MatryoshkaBackend(hashed, device="cpu")
    with pytest.raises(ValueError, match="encode_kwargs"):
        MatryoshkaBackend(hashed, encode_kwargs={"task": "clustering"})
