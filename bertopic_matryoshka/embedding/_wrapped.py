"""A BERTopic backend or a function of texts -> what MatryoshkaBackend needs of a model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from tqdm import tqdm

from bertopic_matryoshka.embedding._adapters import Adapter, adapter_of
from bertopic_matryoshka.embedding._facts import ModelFacts, facts_by_name
from bertopic_matryoshka.embedding._hosted import own_width, service_of, takes_width, with_width

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
        if service_of(model) is not None:  # else it costs nothing to look
            self._width = max(self.known_facts().dims or (), default=None)
        # Rows of calls that failed, by (whether a word, width asked for, text).
        self._kept: dict[tuple[bool, int | None, str], NDArray[np.floating]] = {}

    def load(self) -> Any:
        """Return the model as it was given."""
        return self._model

    def width(self) -> int:
        """Width of its full rows; the first call encodes one word where the width is unknown."""
        if self._width is None:
            self._width = self._rows(["width"], self._asking(None)).shape[1]
        return self._width

    @property
    def known_width(self) -> int | None:
        """The full width; None as long as it is unknown and nothing is encoded."""
        return self._width

    def default_dim(self) -> int:
        """Width of the rows that the model gives by itself, as it may be set to truncate."""
        return own_width(self._model) or self.width()

    def own_facts(self) -> ModelFacts:
        """Gather what is known; finds the width, to check widths by."""
        self.width()
        return self.known_facts()

    def known_facts(self) -> ModelFacts:
        """Facts of a saved topic model, else those of the registries; nothing is encoded."""
        if self.facts is not None or self._adapter.name is None:
            return self.facts or ModelFacts()
        # An encode_kwargs is one of sentence-transformers.
        return replace(facts_by_name(self._adapter.name, self._width), encode_kwargs={})

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
        asked = width if takes_width(self._model) and width < self.width() else None
        adapter = self._asking(asked)
        keys = [(words, asked, prompt + text) for text in texts]
        done = {key: self._kept.pop(key) for key in keys if key in self._kept}
        missing = [key for key in keys if key not in done]
        size = min(batch_size, adapter.batch_size or batch_size)
        try:
            for start in tqdm(range(0, len(missing), size), disable=not verbose):
                batch = missing[start : start + size]
                rows = self._rows(
                    [text for *_, text in batch],
                    adapter,
                    width=asked or self._width,
                    words=words,
                    progress=(len(done), len(texts)),
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

    def _asking(self, width: int | None) -> Adapter:
        """Adapt the model to give a width where it can; None is its full width."""
        if not takes_width(self._model):
            return self._adapter
        return adapter_of(with_width(self._model, width))

    def _rows(
        self,
        texts: list[str],
        adapter: Adapter,
        *,
        width: int | None = None,
        words: bool = False,
        progress: tuple[int, int] = (0, 1),
    ) -> NDArray[np.floating]:
        """Embed a batch, before which `progress[0]` of `progress[1]` texts are done."""
        try:
            found = (adapter.words if words else adapter.documents)(texts)
        except Exception as error:
            raise RuntimeError(
                f"{self.label} failed with {progress[0]} of {progress[1]} texts encoded "
                f"({type(error).__name__}: {error}). Their rows are kept: embed the same texts "
                "again, and only the others are encoded."
            ) from error
        try:
            rows: NDArray[np.floating] = np.asarray(
                found.toarray() if issparse(found) else found, dtype=np.float32
            )
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{self.label} gave a {type(found).__name__} that is no array of numbers: {error}"
            ) from error
        wanted = width or (rows.shape[1] if rows.ndim == 2 else "width")
        if rows.shape != (len(texts), wanted):
            raise ValueError(
                f"{self.label} gave an array of shape {rows.shape} for {len(texts)} texts; it must "
                f"be ({len(texts)}, {wanted}), one row for each."
            )
        return rows
