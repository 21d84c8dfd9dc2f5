"""Real text, embedded once a session with the bundled model: no test downloads anything."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from sentence_transformers import SentenceTransformer
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import MatryoshkaBackend, build_topic_model
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.embedding import _source

settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
settings.load_profile("unhurried")

# Subpackages whose docstrings speak of different things: filters, sparse matrices, splines...
LABELS = (
    "scipy.interpolate",
    "scipy.ndimage",
    "scipy.signal",
    "scipy.sparse",
    "scipy.spatial",
    "scipy.stats",
    "sklearn.metrics",
)
MAX_PER_LABEL = 80


@pytest.fixture(scope="session")
def _labelled_docs():
    corpus = load_docstrings(("scipy", "sklearn"))
    taken = Counter()
    picked = []
    for text, label in zip(corpus.texts, corpus.labels, strict=True):
        if label in LABELS and taken[label] < MAX_PER_LABEL:
            taken[label] += 1
            picked.append((text, label))
    return picked


@pytest.fixture(scope="session")
def docs(_labelled_docs):
    """About 500 docstrings of scipy and scikit-learn, the same at each run."""
    return [text for text, _ in _labelled_docs]


@pytest.fixture(scope="session")
def doc_labels(_labelled_docs):
    """The subpackage of each document, one of LABELS."""
    return [label for _, label in _labelled_docs]


@pytest.fixture(scope="session")
def backend():
    """The bundled model cut to 64 of its 256 dimensions. Shared: not to be changed."""
    return MatryoshkaBackend(truncate_dim=64)


@pytest.fixture(scope="session")
def embeddings(backend, docs):
    """Of shape (n_documents, 64) and read-only; guided modelling writes into a copy."""
    return _read_only(backend.embed(docs))


@pytest.fixture(scope="session")
def full_embeddings(backend, docs):
    """Of shape (n_documents, 256) and read-only: the same model without truncation."""
    return _read_only(backend.truncated(None).embed(docs))


@pytest.fixture(scope="session")
def topic_model(backend, docs, embeddings):
    """A fitted model with nine topics and no outliers. Shared: copy it before changing it."""
    return build_topic_model(
        backend,
        n_features_to_select=32,
        hdbscan_model=KMeans(9, n_init=10, random_state=0),
        vectorizer_model=CountVectorizer(stop_words="english"),
    ).fit(docs, embeddings)


@pytest.fixture
def encoded(monkeypatch):
    """Lists what any model encodes."""
    texts = []
    original, static = SentenceTransformer.encode, _source.static_rows

    def counted(self, sentences, **kwargs):
        texts.extend(sentences)
        return original(self, sentences, **kwargs)

    def counted_words(module, sentences, *args, **kwargs):
        texts.extend(sentences)
        return static(module, sentences, *args, **kwargs)

    monkeypatch.setattr(SentenceTransformer, "encode", counted)
    monkeypatch.setattr(_source, "static_rows", counted_words)  # the bundled model's
    return texts


def _read_only(array):
    array.setflags(write=False)
    return array
