"""A model of another library -> what embeds documents and words by it, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic.backend import BaseEmbedder, WordDocEmbedder
from bertopic.backend._utils import select_backend
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from bertopic_matryoshka.embedding._hosted import service_of
from bertopic_matryoshka.embedding._precomputed import PrecomputedBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# BERTopic tells them by the name of their type, too.
_LIBRARIES = ("flair", "spacy", "gensim", "saved_model", "model2vec", "transformers.pipelines")


@dataclass(frozen=True)
class Adapter:
    """What embeds lists of texts by a model.

    Attributes
    ----------
    documents, words : callable
        From a list of texts to an array of shape (n_texts, width).
    label : str
        Name in messages.
    name : str or None
        Name by which the registries may know the model.
    batch_size : int or None
        Most texts that the model takes in a single request; None where it does not split them.
    width : int or None
        Width of its rows, where it is known without embedding a word.
    """

    documents: Callable[[list[str]], Any]
    words: Callable[[list[str]], Any]
    label: str
    name: str | None = None
    batch_size: int | None = None
    width: int | None = None


def is_model(model: Any) -> bool:
    """Whether a model is a BERTopic backend, one that BERTopic wraps, or a function."""
    return _is_known(model) or callable(model)


def adapter_of(model: Any) -> Adapter:
    """Find what embeds documents and words by a model.

    Raises
    ------
    TypeError
        If it is a class, or its words and documents lie in different spaces.
    ValueError
        If it would learn from the first texts that it sees.
    NotFittedError
        If it is a pipeline that is not fitted.
    """
    if isinstance(model, type):
        raise TypeError(
            f"model is the class {model.__name__} and must be an instance of it, such as "
            f"{model.__name__}(...)."
        )
    if isinstance(model, WordDocEmbedder):
        raise TypeError(
            "model is a WordDocEmbedder, which embeds words by another model than documents: they "
            "lie in different spaces, of which a prefix has nothing in common. Pass the model of "
            "the documents, its embedding_model."
        )
    if not _is_known(model):
        return Adapter(model, model, getattr(model, "__name__", type(model).__name__))
    if isinstance(model, PrecomputedBackend):
        return Adapter(model.embed, model.embed, "the embeddings' model", width=model.width)
    backend = select_backend(model)
    if (pipe := getattr(backend, "pipe", None)) is not None:
        check_is_fitted(pipe)  # BERTopic's backend would fit it to the first texts it sees
    if getattr(backend, "distill", False) and not backend._has_distilled:  # noqa: SLF001
        raise ValueError(
            "A Model2VecBackend with distill=True learns its vocabulary from the first texts that "
            "it sees. Distill the model first, and pass the StaticModel."
        )
    inner: Any = getattr(backend, "embedding_model", None)
    if type(backend).__module__ == "bertopic.backend._spacy" and inner.vocab.vectors_length:
        return Adapter(partial(_spacy_rows, inner), partial(_spacy_rows, inner), "SpacyBackend")
    name = inner if isinstance(inner, str) else getattr(inner, "model_name", None)  # FastEmbed's
    kind = type(backend).__name__
    service = service_of(backend)
    sizes = [getattr(backend, "batch_size", None), service and service.batch_size]
    return Adapter(
        backend.embed_documents,
        backend.embed_words,
        kind if name is None else f"{kind} of {name}",
        name,
        min((size for size in sizes if size), default=None),
    )


def _spacy_rows(pipeline: Any, texts: list[str]) -> NDArray[np.floating]:
    """Embed by a pipeline that has word vectors.

    BERTopic's backend fails on a text of unknown words, which has a zero row here.
    """
    rows = [document.vector for document in pipeline.pipe(texts)]
    return np.array([row.get() if hasattr(row, "get") else row for row in rows])  # from a GPU


def _is_known(model: Any) -> bool:
    """Whether BERTopic's select_backend takes it."""
    kind = str(type(model))
    return isinstance(model, (BaseEmbedder, Pipeline)) or any(name in kind for name in _LIBRARIES)
