"""BERTopic where hdbscan is not installed: its transform, which fails there, and the remedy."""

from __future__ import annotations

import warnings
from typing import Any

from bertopic import _bertopic


def allow_missing_hdbscan() -> None:
    """Let BERTopic's transform work where hdbscan is not installed.

    BERTopic 0.17 asks whether a clusterer is an HDBSCAN by ``isinstance(clusterer, None)`` there,
    so that ``transform``, and a fit with ``calculate_probabilities``, end in a TypeError with any
    clusterer. No argument of BERTopic avoids the question, so this call replaces the function that
    asks it, ``bertopic._bertopic.is_supported_hdbscan``, for the rest of the process: a clusterer
    is then no HDBSCAN. Once a process is enough, before or after fitting and loading.

    Where hdbscan is installed, or BERTopic gives an answer of its own, nothing is changed.

    Examples
    --------
    >>> from bertopic_matryoshka import allow_missing_hdbscan
    >>> allow_missing_hdbscan()
    """
    if not _fails():
        return
    ask = _bertopic.is_supported_hdbscan

    def is_supported_hdbscan(model: Any) -> bool:
        try:
            return bool(ask(model))
        except TypeError:
            return False

    _bertopic.is_supported_hdbscan = is_supported_hdbscan


def warn_of_missing_hdbscan() -> None:
    """Say what will fail, and how to mend it, where it will."""
    if _fails():
        warnings.warn(
            "hdbscan is not installed, and this BERTopic then fails in transform with any "
            "clusterer. Call bertopic_matryoshka.allow_missing_hdbscan() before transform, or "
            "install hdbscan.",
            RuntimeWarning,
            stacklevel=3,
        )


def _fails() -> bool:
    ask = getattr(_bertopic, "is_supported_hdbscan", None)
    if ask is None:
        return False
    try:
        ask(None)
    except TypeError:
        return True
    return False
