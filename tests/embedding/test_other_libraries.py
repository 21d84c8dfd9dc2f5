"""Models of other libraries, given as they are: skipped where a library is not installed."""

import importlib
import sys
import types

import numpy as np
import pytest
import transformers
from tiny_models import make_model
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from bertopic_matryoshka import MatryoshkaBackend, TruncationWarning, build_topic_model, truncate

WIDTH = 16
WORDS = ["spline", "matrix", "gamma", "a", "b", "c", "d", "e", "f", "g"]
VECTORS = np.random.default_rng(0).normal(size=(len(WORDS), WIDTH)).astype(np.float32)
TEXTS = [
    f"{kind} {first} {second}" for kind in WORDS[:3] for first in "abcdefg" for second in "abcdefg"
]


def mean_of_words(texts):
    places = [[WORDS.index(word) for word in text.split() if word in WORDS] for text in texts]
    return np.array([VECTORS[known].sum(0) / max(len(known), 1) for known in places])


def a_static_model(_):
    model2vec = pytest.importorskip("model2vec")
    places = {word: place for place, word in enumerate([*WORDS, "[UNK]"])}
    tokenizer = Tokenizer(WordLevel(places, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    vectors = np.vstack([VECTORS, np.zeros(WIDTH, np.float32)])
    return model2vec.StaticModel(vectors, tokenizer, normalize=False)


def a_model2vec_backend(folder):
    model = a_static_model(folder)
    return importlib.import_module("bertopic.backend._model2vec").Model2VecBackend(model)


def a_spacy_pipeline(_):
    pipeline = pytest.importorskip("spacy").blank("en")
    for word, vector in zip(WORDS, VECTORS, strict=True):
        pipeline.vocab.set_vector(word, vector)
    return pipeline


def gensim_vectors(_):
    vectors = pytest.importorskip("gensim").models.KeyedVectors(WIDTH)
    vectors.add_vectors(WORDS, VECTORS)
    return vectors


def a_flair_embedding(_):
    data = pytest.importorskip("flair", exc_type=ImportError).data
    embeddings = importlib.import_module("flair.embeddings")
    torch = importlib.import_module("torch")

    class Means(embeddings.DocumentEmbeddings):
        name, embedding_length = "means", WIDTH

        def _add_embeddings_internal(self, sentences: list[data.Sentence]):
            for sentence in sentences:
                row = mean_of_words([sentence.to_plain_string()])[0]
                sentence.set_embedding(self.name, torch.from_numpy(row))

    return Means()


@pytest.mark.parametrize(
    "make",
    [a_static_model, a_model2vec_backend, a_spacy_pipeline, gensim_vectors, a_flair_embedding],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_means_of_word_vectors(make, tmp_path):
    model = make(tmp_path)
    backend = MatryoshkaBackend(model, truncate_dim=8, dims=[8])
    assert backend.full_dim == WIDTH
    np.testing.assert_allclose(backend.embed(TEXTS), truncate(mean_of_words(TEXTS), 8), atol=1e-5)
    np.testing.assert_allclose(backend.embed_words(WORDS), truncate(VECTORS, 8), atol=1e-5)
    topic_model = build_topic_model(backend, reduction="none", random_state=0).fit(TEXTS)
    assert topic_model.transform(TEXTS[:20])[0] == topic_model.topics_[:20]


def test_texts_of_which_spacy_knows_no_word_have_zero_rows(tmp_path):
    backend = MatryoshkaBackend(a_spacy_pipeline(tmp_path), truncate_dim=8, dims=[8])
    with pytest.warns(TruncationWarning, match="1 rows are zero"):
        assert not backend.embed(["nowhere"]).any()


def test_a_transformers_pipeline(tmp_path):
    sentence_transformer = MatryoshkaBackend(make_model(tmp_path / "model"))
    folder = tmp_path / "model" / "raw"
    pipeline = transformers.pipeline(
        "feature-extraction",
        model=transformers.BertModel.from_pretrained(folder),
        tokenizer=transformers.AutoTokenizer.from_pretrained(folder),
    )
    texts = ["a b c", "c d", "e f g h i"]
    np.testing.assert_allclose(
        MatryoshkaBackend(pipeline).embed(texts), sentence_transformer.embed(texts), atol=1e-5
    )


def test_fastembeds_models_are_known_by_their_names(monkeypatch):
    """By a stand-in: the library's own models are downloaded."""

    class TextEmbedding:
        def __init__(self, model_name):
            self.model_name, self.seen = model_name, []

        @staticmethod
        def list_supported_models():
            return [{"model": "nomic-ai/nomic-embed-text-v1.5"}]

        def embed(self, documents, **_):
            self.seen += documents
            rows = np.random.default_rng(0).normal(size=(len(documents), 768))
            yield from rows.astype(np.float32)

    fastembed = types.SimpleNamespace(TextEmbedding=TextEmbedding)
    monkeypatch.setitem(sys.modules, "fastembed", fastembed)
    monkeypatch.setitem(sys.modules, "bertopic.backend._fastembed", None)  # to be restored
    del sys.modules["bertopic.backend._fastembed"]
    module = importlib.import_module("bertopic.backend._fastembed")
    model = module.FastEmbedBackend("nomic-ai/nomic-embed-text-v1.5")
    backend = MatryoshkaBackend(model, truncate_dim=64)
    assert backend.dims == (768, 512, 256, 128, 64)
    assert backend.facts.before_slicing == "layer_norm"
    assert backend.embed(["a"]).shape == (1, 64)
    assert model.embedding_model.seen[-1] == "clustering: a"
