"""A workaround for BERTopic's transform, which fails if hdbscan is not installed."""

from __future__ import annotations

import warnings
from typing import Any

from bertopic import _bertopic


def allow_missing_hdbscan() -> None:
    """Let BERTopic's transform work where hdbscan is not installed.

    Without hdbscan, BERTopic 0.17 checks for an HDBSCAN by ``isinstance(clusterer, None)``, so that
    ``transform``, and a fit with ``calculate_probabilities``, raise a TypeError with any clusterer.
    No argument of BERTopic avoids the check, so this call replaces the function
    ``bertopic._bertopic.is_supported_hdbscan`` for the rest of the process; it then returns False
    instead of failing. Call it once per process, before or after fitting and loading.

    If hdbscan is installed, or BERTopic's check does not fail, nothing changes.

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
    """Warn that transform will fail, with the remedy, if it will."""
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
