"""The embedding model of a topic model whose embeddings were made elsewhere: none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from bertopic.backend import BaseEmbedder

from bertopic_matryoshka._constraints import check_arguments, whole

if TYPE_CHECKING:
    from collections.abc import Iterable


class NoModelError(ValueError):
    """Texts were to be embedded, and only embeddings are known."""


class PrecomputedBackend(BaseEmbedder):  # type: ignore[misc]
    """A backend that embeds nothing, for embeddings that were made elsewhere.

    Takes the place of the embedding model where only its embeddings are at hand. Topics and their
    words by c-TF-IDF are found without it. What embeds texts or words fails and says what is
    missing: ``transform`` without ``embeddings=``, ``find_topics``, KeyBERTInspired, zero-shot and
    guided topics.

    Parameters
    ----------
    width : int
        Width of the embeddings, >= 1.

    Raises
    ------
    TypeError, ValueError
        If `width` is not an int, or below 1. In :meth:`embed`, always.

    See Also
    --------
    MatryoshkaBackend : The model that made the embeddings, if it is at hand.
    read_embeddings : Embeddings of a file.

    Notes
    -----
    A topic model with this backend is saved as it is. ``load_topic_model(path, backend=model)``
    gives it the model that made the embeddings; another model of the same width is another space,
    which nothing can tell.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import PrecomputedBackend, build_topic_model
    >>> topic_model = build_topic_model(PrecomputedBackend(384))
    >>> topic_model.embedding_model.embed(["a text"])
    Traceback (most recent call last):
    bertopic_matryoshka.embedding._precomputed.NoModelError: Of the model there are only ...
    """

    embeds_texts = False

    def __init__(self, width: int) -> None:
        super().__init__()
        check_arguments(locals(), width=whole(1))
        self.width = int(width)

    def embed(self, documents: Iterable[str], verbose: bool = False) -> NoReturn:  # noqa: ARG002
        """Raise an error that says what is missing."""
        raise NoModelError(
            f"Of the model there are only embeddings, {self.width} wide, and texts or words cannot "
            "be embedded without it. Pass the embeddings of the texts, as in transform(texts, "
            "embeddings=...) or by --embeddings; or the model that made them, as in "
            "build_topic_model(model) or load_topic_model(path, backend=model)."
        )

    def recipe(self) -> dict[str, Any]:
        """Return the arguments that build this backend again, as JSON types."""
        return {"width": self.width}
