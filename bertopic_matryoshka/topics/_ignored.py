"""BERTopic's arguments beside a clusterer that is given -> those that BERTopic ignores."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

from bertopic import BERTopic

from bertopic_matryoshka.clustering import LeidenClustering

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_SIZE: int = inspect.signature(BERTopic).parameters["min_topic_size"].default
"""What `min_topic_size` is where nobody gave it."""


def refuse_ignored(
    clusterer: Any, min_topic_size: int | None, calculate_probabilities: bool
) -> None:
    """Refuse arguments that BERTopic would ignore.

    Raises
    ------
    ValueError
        If there is a `min_topic_size` other than the clusterer's `min_cluster_size`; or
        `calculate_probabilities`, and the clusterer is a LeidenClustering that computes none.
    """
    if min_topic_size == getattr(clusterer, "min_cluster_size", None):
        min_topic_size = None  # it says the same
    for problem in _ignored(clusterer, min_topic_size, calculate_probabilities):
        raise ValueError(problem)


def warn_of_ignored(topic_model: BERTopic) -> None:
    """Warn of arguments that BERTopic ignores, where the model was built by hand.

    The default of `min_topic_size` cannot be told from its absence, and is not warned of.
    """
    clusterer, size = topic_model.hdbscan_model, topic_model.min_topic_size
    if not isinstance(clusterer, LeidenClustering):
        return
    given = None if size in {DEFAULT_SIZE, clusterer.min_cluster_size} else size
    for problem in _ignored(clusterer, given, topic_model.calculate_probabilities):
        warnings.warn(problem, RuntimeWarning, stacklevel=2)


def _ignored(
    clusterer: Any, min_topic_size: int | None, calculate_probabilities: bool
) -> Iterator[str]:
    is_leiden = isinstance(clusterer, LeidenClustering)
    if min_topic_size is not None:
        own = f"LeidenClustering(min_cluster_size={min_topic_size})"
        yield (
            f"min_topic_size={min_topic_size} is ignored by BERTopic where hdbscan_model is given. "
            f"Leave it out, and set {own if is_leiden else 'a parameter of the hdbscan_model'}."
        )
    if calculate_probabilities and is_leiden and not clusterer.calculate_probabilities:
        yield (
            "calculate_probabilities=True is ignored by BERTopic where hdbscan_model is a "
            "LeidenClustering. Pass LeidenClustering(calculate_probabilities=True)."
        )
