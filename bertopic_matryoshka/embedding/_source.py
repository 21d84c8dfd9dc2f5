"""Name, folder or model -> a model that is loaded once, shared between widths, pickled by name."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka._validation import find_device
from bertopic_matryoshka.embedding._bundled import DEFAULT_MODEL, load_default_model

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

    from bertopic_matryoshka.embedding._facts import ModelFacts


class ModelSource:
    """A sentence-transformers model, or how to load it.

    Attributes
    ----------
    name : str or None
        Name or folder to load from; None if a loaded model was passed.
    label : str
        Name in messages.
    facts : ModelFacts or None
        Facts about the model, set by the backend at first use.
    """

    def __init__(
        self,
        name: str | None,
        *,
        label: str,
        model: SentenceTransformer | None = None,
        device: str | None = None,
        dtype: str | torch.dtype | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        self.name = name
        self.label = label
        self.device = device
        self.dtype = _dtype_name(dtype)
        self.revision = revision
        self.trust_remote_code = trust_remote_code
        self.facts: ModelFacts | None = None
        self._model = model
        self._width: int | None = None

    @classmethod
    def of(cls, model: str | Path | SentenceTransformer | None, **loading: Any) -> ModelSource:
        """Make a source from a name, a folder, a loaded model, or None for the bundled one."""
        if model is None:
            return cls(str(DEFAULT_MODEL), label="the bundled model", **loading)
        if isinstance(model, (str, Path)):
            if not str(model):
                raise ValueError(
                    "model='' is empty. Give a name, a folder, or None for the bundled model."
                )
            return cls(str(model), label=str(model), **loading)
        from sentence_transformers import SentenceTransformer

        if not isinstance(model, SentenceTransformer):
            raise TypeError(
                f"model is of type {type(model).__name__} and must be a name, a folder, a "
                "SentenceTransformer, or None for the bundled model."
            )
        for parameter, value in loading.items():
            if value:
                raise ValueError(
                    f"{parameter}={value!r} is for loading, but the model is loaded already and is "
                    "not changed. Set it on the model, or give the model's name."
                )
        return cls(None, label="the given SentenceTransformer", model=model)

    @property
    def is_bundled(self) -> bool:
        """Whether it is the model that ships with this package."""
        return self.name == str(DEFAULT_MODEL)

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._model is not None

    def load(self) -> SentenceTransformer:
        """Return the model, loaded at the first call."""
        if self._model is None:
            self._model = self._loaded()
            if self.dtype:
                import torch

                # Static models ignore model_kwargs.
                self._model.to(dtype=getattr(torch, self.dtype))
        return self._model

    def _loaded(self) -> SentenceTransformer:
        if self.device is not None:
            find_device(self.device)
        if self.is_bundled:
            return load_default_model(self.device)
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(
                self.name,
                device=self.device,
                revision=self.revision,
                trust_remote_code=self.trust_remote_code,
                model_kwargs={"dtype": self.dtype} if self.dtype else None,
            )
        except OSError as error:
            raise OSError(f"model={self.name!r} could not be loaded: {error}") from error

    def width(self, model: SentenceTransformer) -> int:
        """Width of the model's last module, whatever truncation the model is set to."""
        if self._width is None:
            own, model.truncate_dim = model.truncate_dim, None
            try:
                # Some custom last modules do not give their width.
                told = model.get_embedding_dimension()
                self._width = told or int(model.encode(["width"]).shape[1])
            finally:
                model.truncate_dim = own
        return self._width

    def recipe(self) -> dict[str, Any]:
        """Return the arguments that load the model again, as JSON types."""
        recipe: dict[str, Any] = {
            "dtype": self.dtype,
            "revision": self.revision,
            "trust_remote_code": self.trust_remote_code,
        }
        if self.name is not None:
            recipe["model"] = None if self.is_bundled else self.name
        return recipe

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self.name is not None:
            state["_model"] = None
        if self.is_bundled:
            state["name"] = None  # the package may lie elsewhere where it is unpickled
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.name is None and self._model is None:
            self.name = str(DEFAULT_MODEL)


def without_normalize(model: SentenceTransformer) -> SentenceTransformer:
    """Return a model of the same modules without a Normalize at the end; memory is shared."""
    modules = dict(model._modules)  # noqa: SLF001  (torch has no public way to leave one out)
    while len(modules) > 1 and type(next(reversed(modules.values()))).__name__ == "Normalize":
        modules.popitem()
    bare = copy.copy(model)
    bare._modules = modules  # noqa: SLF001
    return bare


def _dtype_name(dtype: str | torch.dtype | None) -> str | None:
    if dtype is None:
        return None
    name = str(dtype).removeprefix("torch.")
    allowed = ("float32", "float16", "bfloat16")
    if name not in allowed:
        raise ValueError(
            f"dtype={dtype!r} must be one of {', '.join(allowed)}, or None to leave it."
        )
    return name
