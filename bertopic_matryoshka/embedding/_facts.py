"""What is known about a model: trained widths, clustering prompt, step before slicing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class ModelFacts:
    """Facts that a model's authors publish about truncating and prompting it.

    Attributes
    ----------
    dims : tuple of int or None
        Widths that the model was trained at, descending; None where unknown.
    prompt : str or None
        Text to put before documents for clustering; None where unknown.
    encode_kwargs : dict
        Keyword arguments that its ``encode`` needs for clustering, such as ``task``.
    before_slicing : {"layer_norm"} or None
        Step between the model's last module and truncation.
    dims_source : str
        Source of `dims`, for messages.
    any_width : bool
        Whether config.json declares a Matryoshka model (``is_matryoshka``) and no width is known.
    """

    dims: tuple[int, ...] | None = None
    prompt: str | None = None
    encode_kwargs: dict[str, Any] = field(default_factory=dict)
    before_slicing: str | None = None
    dims_source: str = "unknown"
    any_width: bool = False


def facts_of(model: SentenceTransformer, name: str | None, width: int) -> ModelFacts:
    """Gather the published facts about a model.

    Its widths are read from its config.json (``matryoshka_dimensions``), then in the
    MatryoshkaLoss that its model card records, then in the registry of published models. Its
    clustering prompt is the one saved with the model, else the registry's.

    Parameters
    ----------
    model : SentenceTransformer
    name : str or None
        Name or folder that it was loaded from. None if it was passed loaded; then the name that
        the model itself records is used.

    Returns
    -------
    facts : ModelFacts
    """
    name = name or _remembered_name(model)
    published = _published(name, width)
    configs = _configs(model, name)
    dims, source = _dims_from_configs(configs), "config.json"
    if dims is None or dims[0] > width:
        dims, source = _dims_from_card(model), "the model card"
    if dims is None or dims[0] > width:
        dims, source = tuple(published.get("dims", ())), published.get("source", "unknown")
    task = published.get("task")
    return ModelFacts(
        dims=dims or None,
        prompt=_saved_clustering_prompt(model, default=published.get("prompt")),
        encode_kwargs={"task": task} if task else {},
        before_slicing=published.get("before_slicing"),
        dims_source=source,
        any_width=not dims and any(config.get("is_matryoshka") for config in configs),
    )


@cache
def published_models() -> list[dict[str, Any]]:
    """Read the registry that ships with the package, published_models.json."""
    text = files(__package__).joinpath("published_models.json").read_text("utf-8")
    models: list[dict[str, Any]] = json.loads(text)
    return models


def _published(name: str | None, width: int) -> dict[str, Any]:
    # A model from the hub's cache lies in models--org--name/snapshots/<commit>.
    parts = [name, *Path(name).parts] if name else []
    for model in published_models():
        named = any(re.search(model["pattern"], part, re.IGNORECASE) for part in parts)
        if named and model["dims"][0] == width:
            return model
    return {}


def _remembered_name(model: SentenceTransformer) -> str | None:
    for module in model:
        name = getattr(getattr(module, "auto_model", None), "name_or_path", None)
        if name:
            return str(name)
    return getattr(model.model_card_data, "base_model", None)


def _configs(model: SentenceTransformer, name: str | None) -> list[dict[str, Any]]:
    """Gather the configurations of the model's modules, and its folder's config.json."""
    configs = [getattr(getattr(module, "auto_model", None), "config", None) for module in model]
    found = [config.to_dict() for config in configs if config is not None]
    # Static models have no transformers config, but may have the file.
    file = Path(name or "", "config.json")
    if file.is_file():
        found.append(json.loads(file.read_text("utf-8")))
    return found


def _dims_from_configs(configs: list[dict[str, Any]]) -> tuple[int, ...] | None:
    for config in configs:
        if config.get("matryoshka_dimensions"):
            return _descending(config["matryoshka_dimensions"])
    return None


def _dims_from_card(model: SentenceTransformer) -> tuple[int, ...] | None:
    """Read the widths of the loss that sentence-transformers' trainer records in its card."""
    card = getattr(model, "_model_card_text", None) or ""
    recorded = re.search(r'"matryoshka_dims"\s*:\s*\[([\d\s,]+)\]', card)
    return _descending(re.findall(r"\d+", recorded[1])) if recorded else None


def _descending(dims: Any) -> tuple[int, ...]:
    return tuple(sorted({int(dim) for dim in dims}, reverse=True))


def _saved_clustering_prompt(model: SentenceTransformer, default: str | None) -> str | None:
    for name, prompt in model.prompts.items():
        if name.lower() == "clustering":
            return prompt
    if default is None and model.default_prompt_name is not None:
        return model.prompts[model.default_prompt_name]
    return default
