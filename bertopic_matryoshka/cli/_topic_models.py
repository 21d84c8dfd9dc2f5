"""Options of `compare` and `demo` -> the topic models that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bertopic_matryoshka.clustering import LeidenClustering
from bertopic_matryoshka.comparison import short_name
from bertopic_matryoshka.selection import CRITERIA
from bertopic_matryoshka.topics import build_topic_model, check_reductions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertopic import BERTopic

    from bertopic_matryoshka.embedding import MatryoshkaBackend

RANDOM = "random"
"""The control with random dimensions instead of the first ones."""


class Compared(NamedTuple):
    """Topic models, widths and controls of a command.

    Attributes
    ----------
    topic_models : dict of str to BERTopic
        Topic models by unique names.
    dims : sequence of int, dict of them by name, or None
        See compare_dimensions.
    controls : tuple of str
        Names of the topic models that serve as controls.
    """

    topic_models: dict[str, BERTopic]
    dims: Sequence[int] | dict[str, Sequence[int]] | None
    controls: tuple[str, ...]


def compared(
    backends: Sequence[MatryoshkaBackend],
    *,
    dims: Sequence[int] | None = None,
    reductions: Sequence[str],
    widths_of: Mapping[str, Sequence[int]] | None = None,
    criteria: Sequence[str] = ("variance",),
    clusterings: Sequence[str] | None = None,
    controls: Sequence[str | MatryoshkaBackend] = (),
    **settings: Any,
) -> Compared:
    """Build a topic model for each backend, reduction, criterion and clustering, and the controls.

    Parameters
    ----------
    backends : sequence of MatryoshkaBackend
    dims : sequence of int or None, default=None
        Widths of all; None leaves each to its embedding model.
    reductions : sequence of str
        See build_topic_model.
    widths_of : dict of str to sequence of int or None, default=None
        Reductions that have widths of their own, where `dims` is None.
    criteria : sequence of str, default=("variance",)
        Criteria that rank dimensions, for "variance".
    clusterings : sequence of str or None, default=None
        None is the default for each reduction, see build_topic_model.
    controls : sequence of str or MatryoshkaBackend, default=()
        "random" for permuted dimensions of the first backend, and other backends: each with the
        first reduction, criterion and clustering.
    **settings
        See _topic_model.
    """
    for criterion in criteria:
        if criterion not in CRITERIA:
            raise ValueError(f"criterion={criterion!r} must be one of {', '.join(CRITERIA)}.")
    chosen: Sequence[str | None] = clusterings or [None]
    others = [control for control in controls if not isinstance(control, str)]
    several = len(backends) + len(others) > 1
    kinds = [
        (reduction, criterion, clustering)
        for reduction in check_reductions(reductions)
        for criterion in (criteria if reduction == "variance" else [""])
        for clustering in chosen
    ]
    entries = [(backend, kind, "") for backend in backends for kind in kinds]
    if RANDOM in controls:
        entries.append((backends[0].permuted(0), kinds[0], ", permuted"))
    entries += [(other, kinds[0], "") for other in others]
    topic_models: dict[str, BERTopic] = {}
    dims_by_name: dict[str, Sequence[int]] = {}
    for backend, (reduction, criterion, clustering), suffix in entries:
        topic_model = _topic_model(backend, reduction, criterion, clustering, **settings)
        name = short_name(topic_model)
        if criterion and len(criteria) > 1:
            name = name.replace("selection", f"selection by {criterion}", 1)
        name = f"{backend.name}, {name}{suffix}" if several else f"{name}{suffix}"
        if name in topic_models:
            raise ValueError(f"{backend.name} is named twice. Name each model and control once.")
        topic_models[name] = topic_model
        if widths_of and reduction in widths_of:
            dims_by_name[name] = widths_of[reduction]
    n_compared = len(backends) * len(kinds)
    return Compared(topic_models, dims_by_name or dims, tuple(topic_models)[n_compared:])


def _topic_model(
    backend: MatryoshkaBackend,
    reduction: str,
    criterion: str,
    clustering: str | None,
    *,
    n_topics: int | None = None,
    min_topic_size: int = 10,
    stop_words: str | None = "english",
    device: str | None = None,
) -> BERTopic:
    """Build a topic model that finds `n_topics`, or merges its topics down to them."""
    chosen: dict[str, Any] = {"criterion": criterion} if criterion else {}
    topic_model = build_topic_model(
        backend,
        reduction=reduction,
        clustering=clustering,
        min_topic_size=min_topic_size,
        stop_words=stop_words,
        **chosen,
    )
    if isinstance(topic_model.hdbscan_model, LeidenClustering):
        topic_model.hdbscan_model.set_params(n_clusters=n_topics, device=device)
    else:
        topic_model.nr_topics = n_topics
    return topic_model
