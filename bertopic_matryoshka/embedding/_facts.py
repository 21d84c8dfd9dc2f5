"""What is known about a model: trained widths, prompt, step before slicing, dead dimensions."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

HUB_NAME = r"[\w.-]+(/[\w.-]+)?"
"""Name of a model on the hub, with or without its organisation."""


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
        Step between the model's last module and truncation; None where one of its modules is that
        step, as in a model that MatryoshkaBackend.save_pretrained wrote.
    dims_source : str
        Source of `dims`, for messages.
    any_width : bool
        Whether config.json declares a Matryoshka model (``is_matryoshka``) and no width is known.
    near_zero : tuple of int
        Dimensions that are known hardly to vary, ascending; empty where none is known.
    near_zero_source : str
        Source of `near_zero`, for messages.
    layers : tuple of int or None
        Numbers of first layers that the model was trained to be cut to, descending; None where
        unknown. Read from config.json (``matryoshka_layers``), then in the registry.
    """

    dims: tuple[int, ...] | None = None
    prompt: str | None = None
    encode_kwargs: dict[str, Any] = field(default_factory=dict)
    before_slicing: str | None = None
    dims_source: str = "unknown"
    any_width: bool = False
    near_zero: tuple[int, ...] = ()
    near_zero_source: str = "unknown"
    layers: tuple[int, ...] | None = None


def facts_of(model: SentenceTransformer, name: str | None, width: int) -> ModelFacts:
    """Gather the published facts about a model.

    Its widths are read from its config.json (``matryoshka_dimensions``), then in the
    MatryoshkaLoss that its model card records, then in the registry of published models. Its
    clustering prompt is the one saved with the model, else the registry's.

    The registry is asked for names of models. A folder's own name says nothing: it counts as a
    published model only if it lies in the model hub's cache, or if its config.json
    (``_name_or_path``) or model card (``base_model``, or the line that loads the model) names one.

    Parameters
    ----------
    model : SentenceTransformer
    name : str or None
        Name or folder that it was loaded from. None if it was passed loaded; then the name that
        the model itself records is used.

    Returns
    -------
    facts : ModelFacts

    Warns
    -----
    RuntimeWarning
        If a folder is only called as a published model, whose prompt is then not used.
    """
    name = name or _remembered_name(model)
    published = _published(_published_names(model, name), width)
    if not published and name and (alike := _published([Path(name).name], width)):
        warnings.warn(
            f"{name} is called as the model of {alike['source']}, but nothing in the folder says "
            "that it is this model: its published widths, prompt and steps are not used. If it "
            "is, add the model card (README.md) to the folder.",
            RuntimeWarning,
            stacklevel=2,
        )
    configs = _configs(model, name)
    dims, source = _from_configs(configs, "matryoshka_dimensions"), "config.json"
    if dims is None or dims[0] > width:
        dims, source = _dims_from_card(model), "the model card"
    if dims is None or dims[0] > width:
        dims, source = tuple(published.get("dims", ())), published.get("source", "unknown")
    task = published.get("task")
    own_steps = {type(module).__name__ for module in model}
    return ModelFacts(
        dims=dims or None,
        prompt=_saved_clustering_prompt(model, default=published.get("prompt")),
        encode_kwargs={"task": task} if task else {},
        before_slicing=None if "LayerNorm" in own_steps else published.get("before_slicing"),
        dims_source=source,
        any_width=not dims and any(config.get("is_matryoshka") for config in configs),
        layers=_from_configs(configs, "matryoshka_layers") or _published_layers(published),
        **_near_zero(*name_of(model, name), width),
    )


def facts_by_name(name: str, width: int | None = None) -> ModelFacts:
    """Gather what the registries know of a name, with that width if known; nothing is loaded."""
    published = _published([name], width)
    task = published.get("task")
    return ModelFacts(
        dims=tuple(published.get("dims", ())) or None,
        prompt=published.get("prompt"),
        encode_kwargs={"task": task} if task else {},
        before_slicing=published.get("before_slicing"),
        dims_source=published.get("source", "unknown"),
        layers=_published_layers(published),
        **_near_zero(name, is_on_hub=True, width=width),
    )


def name_of(model: SentenceTransformer, name: str | None) -> tuple[str, bool]:
    """Find what to call a model in its card, and whether that is its name on the model hub.

    The ``_name_or_path`` of a folder's config.json does not count: it may be the model that this
    one was trained from.
    """
    name = name or _remembered_name(model) or "a SentenceTransformer"
    folder = Path(name)
    if not folder.is_dir():
        return name, re.fullmatch(HUB_NAME, name) is not None
    if folder.parent.name == "snapshots":
        return _published_names(model, name)[0], True
    loaded = _loading_line(model)
    # A trainer's card has a placeholder there, without an organisation.
    return (loaded, True) if loaded and "/" in loaded else (folder.name, False)


@cache
def published_models() -> list[dict[str, Any]]:
    """Read the registry that ships with the package, published_models.json."""
    text = files(__package__).joinpath("published_models.json").read_text("utf-8")
    models: list[dict[str, Any]] = json.loads(text)
    return models


@cache
def near_zero_dimensions() -> list[dict[str, Any]]:
    """Read what is known of dimensions that hardly vary, near_zero_dimensions.json."""
    text = files(__package__).joinpath("near_zero_dimensions.json").read_text("utf-8")
    models: list[dict[str, Any]] = json.loads(text)
    return models


def _near_zero(name: str, is_on_hub: bool, width: int | None) -> dict[str, Any]:
    """Look up a model itself, since one that was trained from it may have other dimensions."""
    for model in near_zero_dimensions() if is_on_hub else ():
        names = {model["name"].lower(), model["name"].rpartition("/")[2].lower()}
        if name.lower() in names and width in (None, model["width"]):
            return {"near_zero": tuple(model["near_zero"]), "near_zero_source": model["source"]}
    return {}


def _published(names: list[str], width: int | None) -> dict[str, Any]:
    """Look up the first of the names that is a published model of this width; None is any."""
    for name in names:
        for model in published_models():
            pattern = f"(^|/){model['pattern']}"
            is_named = re.search(pattern, name, re.IGNORECASE)
            if is_named and width in (None, model["dims"][0]):
                return model
    return {}


def _published_names(model: SentenceTransformer, name: str | None) -> list[str]:
    """List the names on the model hub that the model goes by, the surest first."""
    from huggingface_hub import ModelCard

    folder = Path(name or "")
    if name is None or not folder.is_dir():
        return [name] if name else []
    if folder.parent.name == "snapshots":  # the hub's cache: models--org--name/snapshots/<commit>
        return [folder.parent.parent.name.removeprefix("models--").replace("--", "/")]
    recorded = [config.get("_name_or_path") for config in _config_file(folder)]
    card = _card_text(model)
    base = None
    if card.startswith("---"):  # it has metadata
        base = ModelCard(card, ignore_metadata_errors=True).data.get("base_model")
    bases = base if isinstance(base, list) else [base]
    found = [*recorded, _loading_line(model), *bases]
    return [name for name in found if isinstance(name, str) and re.fullmatch(HUB_NAME, name)]


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
    return found + (_config_file(Path(name)) if name else [])


def _config_file(folder: Path) -> list[dict[str, Any]]:
    """Read a folder's config.json into a list; empty if there is none."""
    file = folder / "config.json"
    return [json.loads(file.read_text("utf-8"))] if file.is_file() else []


def _loading_line(model: SentenceTransformer) -> str | None:
    """Find the name that the model card tells to load."""
    loaded = re.search(r"""SentenceTransformer\(\s*["']([^"']+)["']""", _card_text(model))
    return loaded[1] if loaded else None


def _card_text(model: SentenceTransformer) -> str:
    return getattr(model, "_model_card_text", None) or ""


def _from_configs(configs: list[dict[str, Any]], key: str) -> tuple[int, ...] | None:
    for config in configs:
        if config.get(key):
            return _descending(config[key])
    return None


def _published_layers(published: dict[str, Any]) -> tuple[int, ...] | None:
    return tuple(range(published.get("n_layers", 0), 0, -1)) or None


def _dims_from_card(model: SentenceTransformer) -> tuple[int, ...] | None:
    """Read the widths of the loss that sentence-transformers' trainer records in its card."""
    recorded = re.search(r'"matryoshka_dims"\s*:\s*\[([\d\s,]+)\]', _card_text(model))
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
