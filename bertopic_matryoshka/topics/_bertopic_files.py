"""BERTopic's own files: their names, and a save that works around BERTopic's failures."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sklearn.feature_extraction.text import CountVectorizer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bertopic import BERTopic


BERTOPIC_FILES = (
    "config.json",
    "ctfidf.bin",
    "ctfidf.safetensors",
    "ctfidf_config.json",
    "topic_embeddings.bin",
    "topic_embeddings.safetensors",
    "topics.json",
)
"""What BERTopic's save may write, beside IMAGES."""

IMAGES = "images"
"""The folder of the topics' images. BERTopic reads it where it has a 0.jpg."""


def write_bertopic_files(topic_model: BERTopic, folder: Path) -> None:
    """Write what ``BERTopic.load`` reads into an empty folder, c-TF-IDF included."""
    with _quiet_about_embedding_model(), _plain_vectorizer(topic_model):
        topic_model.save(
            folder, serialization="safetensors", save_ctfidf=True, save_embedding_model=False
        )


@contextmanager
def _quiet_about_embedding_model() -> Iterator[None]:
    """Suppress BERTopic's advice to name an embedding model: load would ignore its width."""
    logger = logging.getLogger("BERTopic")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _plain_vectorizer(topic_model: BERTopic) -> Iterator[None]:
    """Let BERTopic save the plain CountVectorizer that it will load.

    It fails on OnlineCountVectorizer, which hides the parameters that it inherits, and on the
    NumPy numbers in the vocabulary of a vectorizer with max_features.
    """
    vectorizer = topic_model.vectorizer_model
    if isinstance(vectorizer, CountVectorizer) and hasattr(vectorizer, "vocabulary_"):
        parameters = {name: getattr(vectorizer, name) for name in CountVectorizer().get_params()}
        topic_model.vectorizer_model = CountVectorizer(**parameters)
        columns = {word: int(column) for word, column in vectorizer.vocabulary_.items()}
        topic_model.vectorizer_model.vocabulary_ = columns
    try:
        yield
    finally:
        topic_model.vectorizer_model = vectorizer
