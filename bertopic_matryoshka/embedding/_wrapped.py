"""A BERTopic backend or a function of texts -> what MatryoshkaBackend needs of a model."""

from __future__ import annotations

from dataclasses import replace
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from tqdm import tqdm

from bertopic_matryoshka.embedding._adapters import Adapter, adapter_of
from bertopic_matryoshka.embedding._facts import ModelFacts, facts_by_name
from bertopic_matryoshka.embedding._hosted import Service, service_of
from bertopic_matryoshka.embedding._hosted_model import HostedModel
from bertopic_matryoshka.embedding._precomputed import NoModelError, PrecomputedBackend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class WrappedSource:
    """A model that sentence-transformers does not load; it gives full rows of texts.

    Each batch is a call of its own. If one fails, the rows of those before it are kept until the
    same texts are encoded, so that a paid service is not paid twice.
    """

    name = None
    is_bundled = False
    n_layers = None
    saves_weights = False

    def __init__(self, model: Any, own_name: str | None = None) -> None:
        if not (own_name is None or (isinstance(own_name, str) and own_name)):
            raise TypeError(
                f"name={own_name!r} must be a string that is not empty, or None for no name."
            )
        self.facts: ModelFacts | None = None
        self._own_name = own_name
        self._model = model  # that of a saved topic model is a HostedModel until it is used
        self._known_as: str | None
        self._arguments: Mapping[str, Any] = {}
        self._width: int | None = None
        if isinstance(model, HostedModel):
            self.label, self._known_as = f"{model.backend} of {model.name}", model.name
            self._service: Service | None = model.service
            self._arguments = model.options
        else:
            adapter = adapter_of(model)
            self.label, self._known_as = adapter.label, adapter.name
            self._width = adapter.width
            self._service = service_of(model)
            if self._service is not None:
                self._arguments = dict(getattr(model, self._service.arguments))
        self.label = own_name or self.label
        if self._service is not None:  # else it costs nothing to look
            self._width = max(self.known_facts().dims or (), default=None)
        # Rows of calls that failed, by (whether a word, width asked for, text).
        self._kept: dict[tuple[bool, int | None, str], NDArray[np.floating]] = {}

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory, or the client of a hosted one is made."""
        return not isinstance(self._model, HostedModel)

    @property
    def embeds_texts(self) -> bool:
        """Whether there is a model, and not its embeddings alone."""
        return not isinstance(self._model, PrecomputedBackend)

    def load(self) -> Any:
        """Return the model as it was given; that of a saved topic model is made at first use."""
        if isinstance(self._model, HostedModel):
            self._model = self._model.build()
        return self._model

    def width(self) -> int:
        """Width of its full rows; the first call encodes one word where the width is unknown."""
        if self._width is None:
            self._width = self._rows(["width"], self._adapter(None)).shape[1]
        return self._width

    @property
    def known_width(self) -> int | None:
        """The full width; None as long as it is unknown and nothing is encoded."""
        return self._width

    def default_dim(self) -> int:
        """Width of the rows that the model gives by itself, as it may be set to truncate."""
        own = None if self._service is None else self._service.own_width(self._arguments)
        return own or self.width()

    def own_facts(self) -> ModelFacts:
        """Gather what is known; finds the width, to check widths by."""
        self.width()
        return self.known_facts()

    def known_facts(self) -> ModelFacts:
        """Facts of a saved topic model, else those of the registries; nothing is encoded."""
        if self.facts is not None or self._known_as is None:
            return self.facts or ModelFacts()
        # An encode_kwargs is one of sentence-transformers.
        return replace(facts_by_name(self._known_as, self._width), encode_kwargs={})

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
        asked = width if self._truncates and width < self.width() else None
        adapter = self._adapter(asked)
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

    def window(self, prompt: str) -> None:
        """Find the room for a text, which is unknown here."""

    def contents(self) -> dict[str, Any]:
        """Describe by what to know its rows again: the caller's name, or a hosted model's recipe.

        Raises
        ------
        ValueError
            If there is neither.
        """
        if self._own_name is not None:
            return {"named": self._own_name}
        if not self.embeds_texts:
            self._model.embed(())  # refuses
        if reason := self.why_not_saved():
            raise ValueError(
                f"The embeddings of {self.label} cannot be told from another model's, so that they "
                "cannot be stored. Name them by MatryoshkaBackend(model, name=...), or go on "
                f"without a store. {reason}"
            )
        described = self._described()
        return {
            "hosted": described.backend,
            "model": described.name,
            # A width that is asked for is cut from the full rows, which are stored.
            "options": {k: v for k, v in described.options.items() if k != described.service.width},
            "has_own_address": described.has_own_address,
        }

    def recipe(self) -> dict[str, Any]:
        """Return what makes a hosted model again, as JSON types; no other model, and no key."""
        recipe: dict[str, Any] = {"dtype": None, "revision": None, "trust_remote_code": False}
        if self._own_name is not None:
            recipe["name"] = self._own_name
        if not self.why_not_saved():
            if self.embeds_texts:
                recipe["hosted"] = self._described().recipe()
            else:
                recipe["precomputed"] = self._model.recipe()
        return recipe

    def why_not_saved(self) -> str:
        """Why `recipe` has no model; empty if it has one."""
        if not self.embeds_texts:
            return ""
        if self._service is None:
            return f"{self.label} is no model of sentence-transformers, and is not saved."
        try:
            self._described()
        except ValueError as error:
            return str(error)
        return ""

    def __getstate__(self) -> dict[str, Any]:
        """Leave a client out, which holds a key."""
        state = self.__dict__.copy()
        if self._service is not None:
            if reason := self.why_not_saved():
                raise PicklingError(f"{self.label} cannot be pickled without its key. {reason}")
            state["_model"] = self._described()
        return state

    def _described(self) -> HostedModel:
        return self._model if isinstance(self._model, HostedModel) else HostedModel.of(self._model)

    @property
    def _truncates(self) -> bool:
        """Whether the service gives fewer dimensions."""
        return self._service is not None and self._service.truncates(
            self._known_as or "", self._arguments
        )

    def _adapter(self, width: int | None) -> Adapter:
        """Adapt the model, to give a width where it can; None is its full width."""
        model = self.load()
        if self._service is not None and self._truncates:
            model = self._service.with_width(model, width)
        return adapter_of(model)

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
        except NoModelError:
            raise
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
