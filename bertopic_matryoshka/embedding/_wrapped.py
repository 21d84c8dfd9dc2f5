"""A BERTopic backend or a function of texts -> what MatryoshkaBackend needs of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic.backend import BaseEmbedder
from bertopic.backend._utils import select_backend
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from bertopic_matryoshka.embedding._facts import ModelFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# BERTopic tells them by the name of their type, too.
_LIBRARIES = ("flair", "spacy", "gensim", "saved_model", "model2vec", "transformers.pipelines")


class WrappedSource:
    """A model that sentence-transformers does not load; it gives full rows of texts.

    Each batch is a call of its own. If one fails, the rows of those before it are kept until the
    same texts are encoded, so that a paid service is not paid twice.
    """

    name = None
    is_bundled = False
    is_loaded = True

    def __init__(self, model: Any) -> None:
        self.facts: ModelFacts | None = None
        self._model = model
        self._embed, self.label = _embedder(model)
        self._width: int | None = None
        self._kept: dict[str, NDArray[np.floating]] = {}

    @staticmethod
    def takes(model: Any) -> bool:
        """Whether a model is a BERTopic backend, one that BERTopic wraps, or a function."""
        return _is_known(model) or callable(model)

    def load(self) -> Any:
        """Return the model as it was given."""
        return self._model

    def width(self) -> int:
        """Width of its rows; the first call encodes one word."""
        if self._width is None:
            self._width = self._rows(["width"]).shape[1]
        return self._width

    @property
    def known_width(self) -> int | None:
        """The width; None as long as nothing is encoded."""
        return self._width

    def default_dim(self) -> int:
        """Width of its rows."""
        return self.width()

    def own_facts(self) -> ModelFacts:
        """Facts of a saved topic model, else none; finds the width, to check widths by."""
        self.width()
        return self.known_facts()

    def known_facts(self) -> ModelFacts:
        """Facts of a saved topic model, else none; nothing is encoded."""
        return self.facts or ModelFacts()

    def encode(
        self, texts: list[str], width: int, *, prompt: str, batch_size: int, **_: Any
    ) -> NDArray[np.floating]:
        """Encode texts in batches, and give the first `width` dimensions.

        Raises
        ------
        RuntimeError
            If a batch fails; the message says how many texts are done.
        ValueError
            If the model does not give one row of the same width for each text.
        """
        prompted = [prompt + text for text in texts]
        missing = [text for text in prompted if text not in self._kept]
        for start in range(0, len(missing), batch_size):
            batch = missing[start : start + batch_size]
            try:
                rows = self._rows(batch)
            except Exception as error:
                raise RuntimeError(
                    f"{self.label} failed with {len(texts) - len(missing) + start} of "
                    f"{len(texts)} texts encoded ({type(error).__name__}: {error}). Their rows are "
                    "kept: embed the same texts again, and only the others are encoded."
                ) from error
            self._kept.update(zip(batch, rows, strict=True))
        return np.stack([self._kept.pop(text) for text in prompted])[:, :width]

    def contents(self) -> dict[str, Any]:
        """Refuse: nothing tells its rows from another model's.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"The embeddings of {self.label} cannot be told from another model's, so that they "
            "cannot be stored. Embed the documents once, and pass embeddings=... without a store."
        )

    def recipe(self) -> dict[str, Any]:
        """Return no model: it may hold a key, or be a function."""
        return {"dtype": None, "revision": None, "trust_remote_code": False}

    def _rows(self, texts: list[str]) -> NDArray[np.floating]:
        found = self._embed(texts)
        rows: NDArray[np.floating] = np.asarray(
            found.toarray() if issparse(found) else found, dtype=np.float32
        )
        wanted = self._width or (rows.shape[1] if rows.ndim == 2 else "width")
        if rows.shape != (len(texts), wanted):
            raise ValueError(
                f"{self.label} gave an array of shape {rows.shape} for {len(texts)} texts; it must "
                f"be ({len(texts)}, {wanted}), one row for each."
            )
        return rows


def _is_known(model: Any) -> bool:
    """Whether BERTopic's select_backend takes it."""
    kind = str(type(model))
    return isinstance(model, (BaseEmbedder, Pipeline)) or any(name in kind for name in _LIBRARIES)


def _embedder(model: Any) -> tuple[Callable[[list[str]], Any], str]:
    """Get what embeds a list of texts, and a name for messages."""
    if not _is_known(model):
        return model, getattr(model, "__name__", type(model).__name__)
    backend = select_backend(model)
    if (pipe := getattr(backend, "pipe", None)) is not None:
        check_is_fitted(pipe)  # BERTopic's backend would fit it to the first texts it sees
    if getattr(backend, "distill", False) and not backend._has_distilled:  # noqa: SLF001
        raise ValueError(
            "A Model2VecBackend with distill=True learns its vocabulary from the first texts that "
            "it sees. Distill the model first, and pass the StaticModel."
        )
    name = getattr(backend, "embedding_model", None)
    kind = type(backend).__name__
    return backend.embed, f"{kind} of {name}" if isinstance(name, str) else kind
