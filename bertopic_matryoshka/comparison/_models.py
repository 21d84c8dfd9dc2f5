"""Backends and embeddings as they are handed in -> the models of a comparison, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka._validation import check_embeddings
from bertopic_matryoshka.embedding import MatryoshkaBackend, truncate
from bertopic_matryoshka.neighbors import halvings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GIVEN = "given embeddings"
"""Name of a model of which only the embeddings are known."""


@dataclass(frozen=True)
class ComparedModel:
    """A model whose widths are compared: a backend, full embeddings, or both.

    Attributes
    ----------
    name : str
    backend : MatryoshkaBackend or None
    given : ndarray of shape (n_documents, full_dim), unit rows, or None
    is_control : bool
    """

    name: str
    backend: MatryoshkaBackend | None
    given: NDArray[np.floating] | None
    is_control: bool

    @property
    def full_dim(self) -> int:
        """Width of the full embeddings."""
        if self.given is not None:
            return int(self.given.shape[1])
        assert self.backend is not None  # noqa: S101  (there is one or the other)
        return self.backend.full_dim

    @property
    def default_dims(self) -> list[int]:
        """The widths that the model was trained at, else halvings of its width."""
        known = (self.backend.dims if self.backend else None) or ()
        return [dim for dim in known if dim <= self.full_dim] or halvings(self.full_dim)


def compared_models(
    backend: Any, embeddings: Any, controls: Sequence[Any], n_documents: int
) -> dict[str, ComparedModel]:
    """Name the models: those of `backend` and `embeddings` in their order, then further controls.

    See compare_dimensions for the parameters.

    Raises
    ------
    ValueError
        If several models have the same name, or embeddings are given for one of several backends
        without its name, or are not as many as the documents.
    TypeError
        If `controls` is no list.
    """
    if not isinstance(controls, Sequence) or isinstance(controls, str):
        raise TypeError(f"controls={controls!r} must be a list, such as [{controls!r}].")
    backends = _named(backend)
    further = [c for c in controls if c != "random" and not (isinstance(c, str) and c in backends)]
    if embeddings is None:
        given: dict[str, Any] = {}
        backends = backends or _named(MatryoshkaBackend())
    elif isinstance(embeddings, Mapping):
        given = dict(embeddings)
        further = [c for c in further if not (isinstance(c, str) and c in given)]
    elif len(backends) > 1:
        raise ValueError(
            f"embeddings are given once, but there are {len(backends)} backends. Name them: "
            "embeddings={name: array, ...}."
        )
    else:
        given = {next(iter(backends), GIVEN): embeddings}
    extra = _named(further)
    if twice := set(extra) & {*backends, *given}:
        raise ValueError(
            f"controls={controls!r} names {', '.join(twice)}, which is compared already."
        )
    models = {}
    for name in dict.fromkeys([*backends, *given, *extra]):
        rows = None
        if name in given:
            rows = check_embeddings(given[name], n_documents)
            rows = truncate(rows, rows.shape[1])
        own = backends.get(name) or extra.get(name)
        is_control = name in extra or any(isinstance(c, str) and c == name for c in controls)
        models[name] = ComparedModel(name, own, rows, is_control)
    if all(model.is_control for model in models.values()):
        raise ValueError(
            f"controls={controls!r} are all models that there are. Leave one to hold them against."
        )
    # What is decided for comes first.
    return dict(sorted(models.items(), key=lambda item: item[1].is_control))


def _named(backend: Any) -> dict[str, MatryoshkaBackend]:
    if backend is None:
        return {}
    if isinstance(backend, Mapping):
        return {name: _backend(one) for name, one in backend.items()}
    several = backend if isinstance(backend, (list, tuple)) else [backend]
    backends = [_backend(one) for one in several]
    names = [one.name for one in backends]
    if len(set(names)) < len(names):
        raise ValueError(
            f"The backends are named {', '.join(names)}, which does not tell them apart. Give them "
            "names: backend={name: backend, ...}."
        )
    return dict(zip(names, backends, strict=True))


def _backend(model: Any) -> MatryoshkaBackend:
    return model if isinstance(model, MatryoshkaBackend) else MatryoshkaBackend(model)
