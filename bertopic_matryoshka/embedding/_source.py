"""Name, folder or model -> a sentence-transformers model, loaded once, and what it gives."""

from __future__ import annotations

import copy
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from tqdm import tqdm

from bertopic_matryoshka._memory import halve_if_out_of_memory
from bertopic_matryoshka._validation import find_device
from bertopic_matryoshka.embedding._adapters import is_model
from bertopic_matryoshka.embedding._bundled import DEFAULT_MODEL, load_default_model
from bertopic_matryoshka.embedding._contents import contents_of
from bertopic_matryoshka.embedding._facts import ModelFacts, facts_by_name, facts_of
from bertopic_matryoshka.embedding._first_layers import count_layers, first_layers
from bertopic_matryoshka.embedding._hosted import refuse_hosted_name
from bertopic_matryoshka.embedding._hosted_model import HostedModel
from bertopic_matryoshka.embedding._loading import (
    checked_backend,
    checked_devices,
    checked_model_kwargs,
    checked_n_layers,
    dtype_name,
)
from bertopic_matryoshka.embedding._long_texts import by_tokens, window_of
from bertopic_matryoshka.embedding._static import static_rows
from bertopic_matryoshka.embedding._wrapped import WrappedSource
from bertopic_matryoshka.exceptions import TruncationWarning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    from bertopic_matryoshka.embedding._long_texts import Window

FEWEST_TEXTS = 1000
"""Fewest texts for each device for which processes are started."""


class ModelSource:
    """A sentence-transformers model, or how to load it; shared between backends, pickled by name.

    Attributes
    ----------
    name : str or None
        Name or folder to load from; None if a loaded model was passed.
    label : str
        Name in messages.
    facts : ModelFacts or None
        Facts about the model; None until `own_facts` gathers them.
    """

    saves_weights = embeds_texts = True

    def __init__(
        self,
        name: str | None,
        *,
        label: str,
        model: SentenceTransformer | None = None,
        device: str | Sequence[str] | None = None,
        dtype: str | torch.dtype | None = None,
        backend: str | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
        n_layers: int | None = None,
    ) -> None:
        self.name = name
        self.label = label
        self.devices = checked_devices(device)
        self.dtype = dtype_name(dtype)
        self.backend = checked_backend(backend, self.dtype, is_bundled=self.is_bundled)
        self.model_kwargs = checked_model_kwargs(model_kwargs, is_bundled=self.is_bundled)
        self.n_layers = checked_n_layers(n_layers, self.backend, is_bundled=self.is_bundled)
        self.revision = revision
        self.trust_remote_code = trust_remote_code
        self.facts: ModelFacts | None = None
        self._model = None if model is None else self._cut(model)
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
                "SentenceTransformer, a BERTopic backend, a function of texts, or None for the "
                "bundled model."
            )
        n_layers = loading.pop("n_layers", None)
        refuse_loading(loading)
        return cls(None, label="the given SentenceTransformer", model=model, n_layers=n_layers)

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
            self._model = self._cut(self._loaded())
            if self.dtype:
                import torch

                # Static models ignore model_kwargs.
                self._model.to(dtype=getattr(torch, self.dtype))
        return self._model

    def _cut(self, model: SentenceTransformer) -> SentenceTransformer:
        """Cut a model to its first layers; warn if it is not known to be trained for it."""
        if self.n_layers is None:
            return model
        cut = first_layers(model, self.n_layers)
        total = count_layers(model)
        layers = facts_of(model, self.name, int(model.get_embedding_dimension() or 0)).layers or ()
        if self.n_layers not in (total, *layers):
            known = f"It is for {_listed(layers)}. " if layers else "No numbers are known. "
            warnings.warn(
                f"n_layers={self.n_layers}, of {total}, is not a number of layers that "
                f"{self.label} is known to be good at. {known}Compare its topics with those of all "
                "layers, or train it: train_matryoshka(..., layers=...).",
                TruncationWarning,
                stacklevel=2,
            )
        return cut

    def _loaded(self) -> SentenceTransformer:
        for name in self.devices:
            find_device(name)
        device = self.devices[0] if self.devices else None
        if self.is_bundled:
            return load_default_model(device)
        if self.backend is not None and find_spec("optimum") is None:
            raise ImportError(
                f"backend={self.backend!r} needs optimum: "
                f'pip install "sentence-transformers[{self.backend}]".'
            )
        from sentence_transformers import SentenceTransformer

        dtype = {"dtype": self.dtype} if self.dtype else {}
        try:
            return SentenceTransformer(
                self.name,
                device=device,
                backend=self.backend or "torch",  # type: ignore[arg-type]
                revision=self.revision,
                trust_remote_code=self.trust_remote_code,
                model_kwargs={**self.model_kwargs, **dtype} or None,
            )
        except OSError as error:
            raise OSError(f"model={self.name!r} could not be loaded: {error}") from error

    def width(self) -> int:
        """Width of the model's last module, whatever truncation it is set to; loads the model."""
        if self._width is None:
            model = self.load()
            own, model.truncate_dim = model.truncate_dim, None
            try:
                # Some custom last modules do not give their width.
                told = model.get_embedding_dimension()
                self._width = told or int(model.encode(["width"]).shape[1])
            finally:
                model.truncate_dim = own
        return self._width

    @property
    def known_width(self) -> int | None:
        """The width; None as long as the model is not loaded."""
        return self.width() if self.is_loaded else None

    def default_dim(self) -> int:
        """Width of the rows that the model gives by itself, as it may be set to truncate."""
        return self.load().truncate_dim or self.width()

    def own_facts(self) -> ModelFacts:
        """Gather what is known about the model, once; loads it."""
        if self.facts is None:
            self.facts = facts_of(self.load(), self.name, self.width())
        return self.facts

    def known_facts(self) -> ModelFacts:
        """Gather what is known without loading a model from the hub."""
        if self.is_loaded or self.is_bundled or Path(self.label).is_dir():
            return self.own_facts()
        return facts_by_name(self.label)

    def encode(
        self,
        texts: list[str],
        width: int,
        *,
        prompt: str,
        batch_size: int,
        encode_kwargs: dict[str, Any],
        verbose: bool,
        raw: bool = False,
        words: bool = False,  # noqa: ARG002  (all texts take the same path)
    ) -> NDArray[np.floating]:
        """Encode texts, in smaller batches where a GPU's memory runs out.

        Parameters
        ----------
        texts : list of str
        width : int
            Number of leading dimensions to give.
        prompt : str
            Text to put before each text.
        batch_size : int
        encode_kwargs : dict
            Further arguments of the model's ``encode``.
        verbose : bool
            Whether to show a progress bar.
        raw : bool, default=False
            Whether to leave out a Normalize at the end of the model.
        words : bool, default=False
            Whether the texts are words, which makes no difference.

        Returns
        -------
        rows : ndarray of shape (n_texts, width), of any length
        """
        model = without_normalize(self.load()) if raw else self.load()
        kwargs = {**self.own_facts().encode_kwargs, **encode_kwargs}
        if self.is_bundled and not (self.dtype or kwargs) and model.device.type == "cpu":
            prompted = [prompt + text for text in texts] if prompt else texts
            module = cast("StaticEmbedding", model[0])
            return static_rows(module, prompted, width, verbose=verbose)

        def encode(texts: list[str], size: int, **more: Any) -> NDArray[np.floating]:
            encoded: NDArray[np.floating] = model.encode(
                texts,
                prompt=prompt,
                batch_size=size,
                convert_to_numpy=True,
                normalize_embeddings=False,
                truncate_dim=width,
                **kwargs,
                **more,
            )
            return encoded

        # Processes are started for each call, which pays for many texts alone.
        if len(self.devices) > 1 and len(texts) >= FEWEST_TEXTS * len(self.devices):
            try:
                return encode(
                    texts, batch_size, device=list(self.devices), show_progress_bar=verbose
                )
            finally:  # sentence-transformers leaves the model on the CPU
                self.load().to(self.devices[0])
        window = self.window(prompt)
        if window is None:
            return halve_if_out_of_memory(
                lambda size: encode(texts, size, show_progress_bar=verbose),
                batch_size,
                unit="texts",
            )[0]
        # sentence-transformers sorts by characters, and pads a batch to the most tokens in it.
        order = by_tokens(texts, window) if len(texts) > batch_size else np.arange(len(texts))
        parts, start = [], 0
        with tqdm(total=len(texts), unit=" texts", disable=not verbose) as bar:
            while start < len(texts):

                def encode_next(size: int, start: int = start) -> NDArray[np.floating]:
                    batch = [texts[place] for place in order[start : start + size]]
                    return encode(batch, size, show_progress_bar=False)

                part, batch_size = halve_if_out_of_memory(encode_next, batch_size, unit="texts")
                parts.append(part)
                start += len(part)
                bar.update(len(part))
        rows = np.concatenate(parts)
        rows[order] = rows.copy()
        return rows

    def window(self, prompt: str) -> Window | None:
        """Find the room for a text after a prompt; loads the model."""
        return window_of(self.load(), prompt)

    def contents(self) -> dict[str, Any]:
        """Describe what of the model its embeddings depend on, as JSON types; loads the model."""
        return contents_of(self.load())

    def recipe(self) -> dict[str, Any]:
        """Return the arguments that load the model again, as JSON types."""
        recipe: dict[str, Any] = {
            "dtype": self.dtype,
            "revision": self.revision,
            "trust_remote_code": self.trust_remote_code,
        }
        if self.backend is not None:
            recipe["backend"] = self.backend
        if self.n_layers is not None:
            recipe["n_layers"] = self.n_layers
        if self.model_kwargs:
            recipe["model_kwargs"] = self.model_kwargs
        if self.name is not None:
            recipe["model"] = None if self.is_bundled else self.name
        return recipe

    def why_not_saved(self) -> str:
        """Why `recipe` has no model; empty if it has one."""
        if self.name is not None:
            return ""
        return "The backend was built from a loaded model, whose name is not known here."

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


def source_of(
    model: Any, *, own_name: str | None = None, **loading: Any
) -> ModelSource | WrappedSource:
    """Make the source of a model, by its type.

    Parameters
    ----------
    model : object
    own_name : str or None, default=None
        Name that the caller gives the rows of a model that is wrapped.
    **loading
        Parameters of loading a model of sentence-transformers.

    Raises
    ------
    TypeError, ValueError
        If there is none for this type, or `loading` is set for a model that is loaded already.
    """
    if model is None or isinstance(model, (str, Path)):  # before the slow import
        refuse_hosted_name(str(model))
        _refuse_name(own_name)
        return ModelSource.of(model, **loading)
    from sentence_transformers import SentenceTransformer

    if type(model).__module__ == "bertopic.backend._sentencetransformers":
        model = model.embedding_model
    is_wrapped = isinstance(model, HostedModel) or is_model(model)
    # A SentenceTransformer can be called, too.
    if isinstance(model, SentenceTransformer) or not is_wrapped:
        _refuse_name(own_name)
        return ModelSource.of(model, **loading)
    if (n_layers := loading.pop("n_layers", None)) is not None:
        raise ValueError(
            f"n_layers={n_layers} is for models of sentence-transformers. Leave it out."
        )
    refuse_loading(loading)
    return WrappedSource(model, own_name)


def refuse_loading(loading: dict[str, Any]) -> None:
    """Refuse parameters of loading for a model that is loaded."""
    for parameter, value in loading.items():
        if value:
            raise ValueError(
                f"{parameter}={value!r} is for loading, but the model is loaded already and is "
                "not changed. Set it on the model, or give the model's name."
            )


def _refuse_name(name: str | None) -> None:
    if name is not None:
        raise ValueError(
            f"name={name!r} is for functions and other libraries' models. A model of "
            "sentence-transformers is known by its contents: leave it out."
        )


def without_normalize(model: SentenceTransformer) -> SentenceTransformer:
    """Return a model of the same modules without a Normalize at the end; memory is shared."""
    modules = dict(model._modules)  # noqa: SLF001  (torch has no public way to leave one out)
    while len(modules) > 1 and type(next(reversed(modules.values()))).__name__ == "Normalize":
        modules.popitem()
    bare = copy.copy(model)
    bare._modules = modules  # noqa: SLF001
    return bare


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
