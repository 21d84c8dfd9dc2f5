"""Topic models and precomputed embeddings -> sources of the embeddings, without duplicates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka._validation import check_embeddings, embeddings_array
from bertopic_matryoshka.comparison._topic_models import backend_of
from bertopic_matryoshka.embedding import truncate
from bertopic_matryoshka.neighbors import halvings

if TYPE_CHECKING:
    import numpy as np
    from bertopic import BERTopic
    from numpy.typing import NDArray

    from bertopic_matryoshka.embedding import MatryoshkaBackend

GIVEN = "given embeddings"
"""Name of an embedding model of which only the embeddings are known."""


@dataclass
class Source:
    """Source of the embeddings of one or more topic models: a backend, embeddings, or both.

    Attributes
    ----------
    name : str
    backend : MatryoshkaBackend or None
        Backend without truncation, permutation and lexical view.
    given : ndarray of shape (n_documents, full_dim), unit rows, or None
        Precomputed embeddings.
    """

    name: str
    backend: MatryoshkaBackend | None
    given: NDArray[np.floating] | None

    @property
    def full_dim(self) -> int:
        """Width of the full embeddings; loads the model if there are no precomputed ones."""
        if self.given is not None:
            return int(self.given.shape[1])
        assert self.backend is not None  # noqa: S101  (there is one or the other)
        return self.backend.full_dim

    @property
    def default_dims(self) -> list[int]:
        """The widths that the model was trained at, else halvings of its width."""
        known = (self.backend.dims if self.backend else None) or ()
        return [dim for dim in known if dim <= self.full_dim] or halvings(self.full_dim)


def find_sources(
    topic_models: Mapping[str, BERTopic], embeddings: Any, n_documents: int
) -> tuple[dict[str, Source], dict[str, MatryoshkaBackend | None]]:
    """Find the source of each topic model's embeddings; equal backends share one.

    Parameters
    ----------
    topic_models : dict of str to BERTopic
    embeddings : array-like, dict of them by the topic model's name, or None
        See compare_dimensions.
    n_documents : int

    Returns
    -------
    sources : dict of str to Source
        Source of each topic model, by name.
    backends : dict of str to MatryoshkaBackend or None
        Backend of each topic model, by name.

    Raises
    ------
    ValueError
        If a topic model has neither a backend nor embeddings, if embeddings do not match the number
        of documents, are wider than their model or belong to no topic model, or if a single array
        could belong to several models.
    """
    backends = {name: backend_of(topic_model) for name, topic_model in topic_models.items()}
    arrays = _arrays_by_name(backends, embeddings)
    for name, backend in backends.items():
        if backend is None and name not in arrays:
            raise ValueError(_no_backend(name, topic_models[name].embedding_model))
    found: dict[tuple[str, int], Source] = {}
    sources: dict[str, Source] = {}
    for name, backend in backends.items():
        array = arrays.get(name)
        key = _key_of(backend), id(array)
        if key not in found:
            given = None if array is None else _unit(name, backend, array, n_documents)
            plain = None
            if backend is not None:
                plain = backend.permuted(None).with_view(None).truncated(None)
            label = (GIVEN if embeddings is array else name) if plain is None else plain.name
            taken = {source.name for source in found.values()}
            found[key] = Source(f"{label}, {name}" if label in taken else label, plain, given)
        sources[name] = found[key]
    return sources, backends


def _arrays_by_name(
    backends: Mapping[str, MatryoshkaBackend | None], embeddings: Any
) -> dict[str, Any]:
    """Assign each topic model its own embeddings, or those of another one with an equal backend."""
    if embeddings is None:
        return {}
    if not isinstance(embeddings, Mapping):
        return _share(backends, embeddings)
    if unknown := [name for name in embeddings if name not in backends]:
        raise ValueError(
            f"embeddings names {', '.join(map(str, unknown))}, but the topic models are "
            f"{', '.join(backends)}."
        )
    arrays = dict(embeddings)
    by_key: dict[str, list[Any]] = {}
    for name, array in arrays.items():
        if backends[name] is not None:
            by_key.setdefault(_key_of(backends[name]), []).append(array)
    for name, backend in backends.items():
        alike = by_key.get(_key_of(backend), [])
        if name not in arrays and len({id(array) for array in alike}) == 1:
            arrays[name] = alike[0]
    return arrays


def _share(backends: Mapping[str, MatryoshkaBackend | None], embeddings: Any) -> dict[str, Any]:
    """Assign one array to the topic models without a backend, and to those of its width."""
    width = embeddings_array(embeddings).shape[1]
    distinct = {_key_of(backend): backend for backend in backends.values() if backend is not None}
    fitting = list(distinct)
    if len(distinct) > 1:
        fitting = [key for key, backend in distinct.items() if backend.full_dim == width]
    if len(fitting) > 1:
        raise ValueError(
            f"embeddings are given once, but {len(fitting)} embedding models are {width} wide. "
            "Name them: embeddings={name of the topic model: array, ...}."
        )
    shared = {
        name: embeddings
        for name, backend in backends.items()
        if backend is None or _key_of(backend) in fitting
    }
    if not shared:
        raise ValueError(
            f"embeddings are {width} wide, and none of the embedding models is. Give the full "
            "embeddings of one of them, or leave them out."
        )
    return shared


def _unit(
    name: str, backend: MatryoshkaBackend | None, array: Any, n_documents: int
) -> NDArray[np.floating]:
    rows = check_embeddings(array, n_documents)
    width = rows.shape[1]
    # A prefix does, but no permutation of all dimensions can be cut from one.
    if backend is not None and (
        width > backend.full_dim
        or (backend.permutation_seed is not None and width < backend.full_dim)
    ):
        raise ValueError(
            f"The embeddings of {name!r} are {width} wide, but its model is {backend.full_dim}. "
            "Give the embeddings of this model at full width."
        )
    return truncate(rows, width)


def _key_of(backend: MatryoshkaBackend | None) -> str:
    """Key that is equal for backends with equal embeddings at full width."""
    if backend is None:
        return ""
    recipe = backend.recipe()
    left_out = {"truncate_dim", "permutation_seed", "batch_size", "dims"}
    same = {name: value for name, value in recipe.items() if name not in left_out}
    if "model" not in same:  # it was handed over loaded
        same["loaded"] = id(backend.embedding_model)
    return json.dumps(same, sort_keys=True, default=repr)


def _no_backend(name: str, embedding_model: Any) -> str:
    """Message: why documents cannot be embedded for a topic model, and the remedy."""
    if embedding_model is None:
        return (
            f"topic_models[{name!r}] has no embedding_model. BERTopic would take all-MiniLM-L6-v2: "
            'name it, as embedding_model=MatryoshkaBackend("all-MiniLM-L6-v2"), or give embeddings.'
        )
    return (
        f"topic_models[{name!r}] embeds by a {type(embedding_model).__name__}, which is not "
        "truncated. Wrap it, as embedding_model=MatryoshkaBackend(model), or give embeddings of "
        "the documents."
    )
