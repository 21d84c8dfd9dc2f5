"""A transformer -> the same with its first layers only, which encodes faster."""

from __future__ import annotations

import copy
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from bertopic_matryoshka._constraints import instance
from bertopic_matryoshka._validation import check_at_least

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer


def first_layers(model: SentenceTransformer, n_layers: int) -> SentenceTransformer:
    """Cut a model's transformer to its first layers, which makes encoding faster.

    What comes after the transformer, such as pooling, stays. Unless the model was trained so, as
    by train_matryoshka with `layers`, expect embeddings that are worse.

    Parameters
    ----------
    model : SentenceTransformer
        Its first module is a transformer, such as BERT, RoBERTa, MPNet, DistilBERT, XLM-RoBERTa or
        ModernBERT. Not changed.
    n_layers : int
        Number of layers to keep, from 1 to all of them.

    Returns
    -------
    model : SentenceTransformer
        Shares its weights with `model`, and can be saved. A norm that follows the last layer, as in
        ModernBERT, follows layer `n_layers` now.

    Raises
    ------
    TypeError, ValueError
        If `model` is no SentenceTransformer, or `n_layers` is not an int, or out of range.
    ValueError
        If the model has no layers that can be cut: a static model, or one that uses the
        same layer several times.

    Examples
    --------
    >>> from sentence_transformers import SentenceTransformer
    >>> from bertopic_matryoshka import MatryoshkaBackend, first_layers
    >>> model = SentenceTransformer("all-MiniLM-L6-v2")  # doctest: +SKIP
    >>> backend = MatryoshkaBackend(first_layers(model, 3))  # doctest: +SKIP
    """
    from sentence_transformers import SentenceTransformer

    instance(SentenceTransformer, words="a SentenceTransformer").check(model, "model")
    check_at_least(n_layers, 1, name="n_layers")
    total = count_layers(model)
    if n_layers > total:
        raise ValueError(f"n_layers={n_layers} must be between 1 and {total}, the model's layers.")
    # What the memo has is not copied, so the weights are shared.
    memo = {id(weights): weights for weights in chain(model.parameters(), model.buffers())}
    cut: SentenceTransformer = copy.deepcopy(model, memo)
    if n_layers == total:
        return cut
    parent, name, layers = _layers_of(cut)
    setattr(parent, name, layers[:n_layers])
    config: Any = cast("Any", cut[0].auto_model).config
    config.num_hidden_layers = n_layers
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:n_layers]
    return cut


def count_layers(model: SentenceTransformer) -> int:
    """Return how many layers a model has that first_layers can cut.

    Raises
    ------
    ValueError
        If it has none.
    """
    return len(_layers_of(model)[2])


def norm_after_layers(model: SentenceTransformer) -> torch.nn.Module:
    """Return the norm that a model applies after its last layer; an Identity if it has none."""
    import torch

    parent, name, _ = _layers_of(model)
    names = [child for child, _ in parent.named_children()]
    for child in names[names.index(name) + 1 :]:
        module = getattr(parent, child)
        if "norm" in type(module).__name__.lower():
            return cast("torch.nn.Module", module)
    return torch.nn.Identity()


def _layers_of(model: SentenceTransformer) -> tuple[torch.nn.Module, str, Any]:
    """Find the list of layers, the module that holds it, and its name there."""
    import torch

    transformer = getattr(model[0], "auto_model", None)
    total = getattr(getattr(transformer, "config", None), "num_hidden_layers", None)
    found = [
        (parent, name, child)
        for parent in (transformer.modules() if transformer is not None else ())
        for name, child in parent.named_children()
        if isinstance(child, torch.nn.ModuleList) and len(child) == total
    ]
    # A layer may have lists of its own, such as experts: theirs come after the outermost.
    if not found:
        kind = type(model[0] if transformer is None else transformer).__name__
        raise ValueError(
            f"The model has no list of layers that could be cut: its first module is {kind}. Use "
            "a transformer with layers of their own, or cut its dimensions alone (truncate_dim)."
        )
    return found[0]
