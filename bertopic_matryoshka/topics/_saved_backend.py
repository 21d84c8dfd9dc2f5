"""A backend's model -> a folder of a saved topic model, and the backend back from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka.embedding import (
    HostedModel,
    LexicalView,
    MatryoshkaBackend,
    ModelFacts,
    PrecomputedBackend,
    Rotation,
)
from bertopic_matryoshka.exceptions import SavedModelError
from bertopic_matryoshka.topics._saved_checks import refuse_foreign_code
from bertopic_matryoshka.topics._saved_folder import REMEDY

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from bertopic_matryoshka.topics._estimator_state import Arrays
    from bertopic_matryoshka.topics._saved_folder import Version

MODEL_FOLDER = "embedding_model"
VIEW = "lexical_view"


def save_embedding_model(model: SentenceTransformer, folder: Path) -> None:
    """Save an embedding model, without references to code that it does not need.

    transformers keeps the ``auto_map`` of a configuration that it found code for among its own
    classes, and load_backend would refuse it.
    """
    model.save_pretrained(str(folder))
    if any(type(part).__module__.startswith("transformers_modules.") for part in model.modules()):
        return
    for file in folder.rglob("config.json"):
        config = json.loads(file.read_text("utf-8"))
        if config.pop("auto_map", None):
            file.write_text(json.dumps(config, indent=2), "utf-8")


def load_backend(
    version: Version,
    state: dict[str, Any],
    arrays: Arrays,
    given: Any,
    device: str | None,
    *,
    view: LexicalView | None,
    trust_remote_code: bool,
) -> MatryoshkaBackend:
    """Build the backend that was saved, around the caller's model where there is one.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The arrays of the backend's rotation, if it has one.
    view : LexicalView or None
        The one that was saved, if any.

    Raises
    ------
    SavedModelError
        If the saved embedding model would run code, or the recipe is not one.
    ValueError
        If the model needs `given` or `trust_remote_code`, or `given` has another width, rotation or
        view, or is another model than the rotation's.
    """
    if isinstance(given, MatryoshkaBackend):
        backend = given
        _check_rotation(given, state["backend"].get("rotation"))
    else:
        recipe, facts = dict(state["backend"]), state["facts"]
        rotation = _rotation(version, recipe.pop("rotation", None), arrays)
        if recipe.pop("trust_remote_code") and not trust_remote_code and given is None:
            raise ValueError(
                f"{recipe.get('model')} was saved with trust_remote_code=True. Pass "
                "trust_remote_code=True if you trust its authors, or backend=... to use another "
                "copy."
            )
        if given is None:
            backend = _from_recipe(version, state, recipe, device, trust=trust_remote_code)
        else:
            for loading in ("model", "hosted", "precomputed", "name", "dtype", "revision"):
                recipe.pop(loading, None)
            recipe["dims"] = recipe["dims"] or (facts and facts["dims"])  # checked at once
            backend = MatryoshkaBackend(given, **recipe)
        if facts is not None:
            dims = None if facts["dims"] is None else tuple(facts["dims"])
            near_zero = tuple(facts.get("near_zero", ()))
            layers = facts.get("layers") and tuple(facts["layers"])
            backend._source.facts = ModelFacts(  # noqa: SLF001
                **{**facts, "dims": dims, "near_zero": near_zero, "layers": layers}
            )
        if rotation is not None:
            backend = backend.rotated(rotation)
    backend = _with_saved_view(backend, view)
    if given is not None and backend.embedding_dim != state["width"]:
        dim = state["width"] - (0 if view is None else len(view.components_))
        raise ValueError(
            f"backend produces embeddings {backend.embedding_dim} wide, but the topic model was "
            f"fitted on {state['width']}. Pass backend.truncated({dim})."
        )
    return backend


def _with_saved_view(backend: MatryoshkaBackend, view: LexicalView | None) -> MatryoshkaBackend:
    """Give a backend the saved view; one of its own must be the same."""
    own = backend.lexical_view
    if own is None:
        return backend if view is None else backend.with_view(view)
    if (
        view is None
        or own.weight != view.weight
        or not np.array_equal(own.components_, view.components_)
    ):
        saved = "no lexical view" if view is None else "another lexical view"
        raise ValueError(
            f"backend has a lexical view, but the topic model was fitted with {saved}. Pass "
            "backend.with_view(None), which gets the one that was saved, if any."
        )
    return backend


def _rotation(version: Version, recipe: dict[str, Any] | None, arrays: Arrays) -> Rotation | None:
    """Build the rotation that was saved; None if there is none."""
    if recipe is None:
        return None
    try:
        return Rotation.from_recipe(recipe, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise SavedModelError(f"{version.file}, rotation: {error} {REMEDY}") from error


def _check_rotation(given: MatryoshkaBackend, saved: dict[str, Any] | None) -> None:
    """Check that the caller's backend rotates as the saved one did."""
    own = None if given.rotation is None else given.rotation.key
    if own != (None if saved is None else saved.get("key")):
        raise ValueError(
            f"The topic model was fitted {'without' if saved is None else 'with'} a rotation, and "
            f"backend has {'none' if own is None else 'another one'}. Pass the SentenceTransformer "
            "that it was fitted with, which is then rotated as before."
        )


def _from_recipe(
    version: Version,
    state: dict[str, Any],
    recipe: dict[str, Any],
    device: str | None,
    *,
    trust: bool,
) -> MatryoshkaBackend:
    folder = version.file.parent
    if state["has_embedding_model"]:
        recipe |= {"model": str(version.content / MODEL_FOLDER), "revision": None}
    hosted, precomputed = recipe.pop("hosted", None), recipe.pop("precomputed", None)
    if precomputed is not None:
        return _precomputed(version, recipe, precomputed, device)
    if "model" not in recipe and hosted is None:
        raise ValueError(
            f"{folder} was saved from a loaded model, a function or another library's model. "
            "Pass it: load_topic_model(path, backend=...)."
        )
    if hosted is not None:
        return _hosted(version, recipe, hosted, device)
    model = recipe["model"]
    if isinstance(model, str) and Path(model).is_dir() and not trust:
        refuse_foreign_code(Path(model))
    try:
        backend = MatryoshkaBackend(device=device, trust_remote_code=trust, **recipe)
    except (TypeError, ValueError) as error:
        raise SavedModelError(f"{version.file}, backend: {error} {REMEDY}") from error
    if state["has_embedding_model"]:
        # Another save may take the folder's place before the model is used for the first time.
        source = backend._source  # noqa: SLF001
        source.load()
        source.name = source.label = str(folder / MODEL_FOLDER)
    return backend


def _hosted(
    version: Version, recipe: dict[str, Any], hosted: Any, device: str | None
) -> MatryoshkaBackend:
    """Build the backend of a hosted model, whose client is made at first use."""
    if device is not None:
        raise ValueError(f"device={device!r} is not for a hosted model. Leave it out.")
    if "model" in recipe:
        raise SavedModelError(f"{version.file} names two models. {REMEDY}")
    try:
        return MatryoshkaBackend(HostedModel.from_recipe(hosted), **recipe)
    except (TypeError, ValueError) as error:
        raise SavedModelError(f"{version.file}, backend: {error} {REMEDY}") from error


def _precomputed(
    version: Version, recipe: dict[str, Any], precomputed: Any, device: str | None
) -> MatryoshkaBackend:
    """Build the backend of embeddings whose model was not at hand."""
    if device is not None:
        raise ValueError(
            f"device={device!r} is of an embedding model, and the topic model has none. Leave it "
            "out, or pass backend=..."
        )
    try:
        return MatryoshkaBackend(PrecomputedBackend(**precomputed), **recipe)
    except (TypeError, ValueError) as error:
        raise SavedModelError(f"{version.file}, backend: {error} {REMEDY}") from error
