"""A BERTopic backend or a function of texts -> what MatryoshkaBackend needs of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from tqdm import tqdm

from bertopic_matryoshka.embedding._adapters import adapter_of
from bertopic_matryoshka.embedding._facts import ModelFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
        self._adapter = adapter_of(model)
        self.label = self._adapter.label
        self._width: int | None = None
        # Rows of calls that failed, by (whether a word, text).
        self._kept: dict[tuple[bool, str], NDArray[np.floating]] = {}

    def load(self) -> Any:
        """Return the model as it was given."""
        return self._model

    def width(self) -> int:
        """Width of its rows; the first call encodes one word."""
        if self._width is None:
            self._width = self._rows(["width"], words=False).shape[1]
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
        self,
        texts: list[str],
        width: int,
        *,
        prompt: str,
        batch_size: int,
        words: bool = False,
        verbose: bool = False,
        **_: Any,
    ) -> NDArray[np.floating]:
        """Encode different texts in batches, and give the first `width` dimensions.

        Raises
        ------
        RuntimeError
            If a batch fails; the message says how many texts are done.
        ValueError
            If the model does not give one row of the same width for each text.
        """
        keys = [(words, prompt + text) for text in texts]
        done = {key: self._kept.pop(key) for key in keys if key in self._kept}
        missing = [key for key in keys if key not in done]
        size = min(batch_size, self._adapter.batch_size or batch_size)
        try:
            for start in tqdm(range(0, len(missing), size), disable=not verbose):
                batch = missing[start : start + size]
                rows = self._rows(
                    [text for _, text in batch],
                    words=words,
                    n_done=len(done),
                    n_texts=len(texts),
                )
                done.update(zip(batch, rows, strict=True))
        except BaseException:  # an interruption by the user, too
            self._kept.update(done)
            raise
        return np.stack([done[key] for key in keys])[:, :width]

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

    def _rows(
        self, texts: list[str], *, words: bool, n_done: int = 0, n_texts: int = 1
    ) -> NDArray[np.floating]:
        """Embed a batch; `n_done` of `n_texts` texts are done before it."""
        embed = self._adapter.words if words else self._adapter.documents
        try:
            found = embed(texts)
        except Exception as error:
            raise RuntimeError(
                f"{self.label} failed with {n_done} of {n_texts} texts encoded "
                f"({type(error).__name__}: {error}). Their rows are kept: embed the same texts "
                "again, and only the others are encoded."
            ) from error
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
