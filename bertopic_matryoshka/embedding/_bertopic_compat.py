"""BERTopic where hdbscan is not installed: its transform, which fails there, is mended."""

from __future__ import annotations

from typing import Any

from bertopic import _bertopic


def mend_transform() -> None:
    """Let BERTopic find that a clusterer is no HDBSCAN where hdbscan is not installed.

    BERTopic 0.17 asks ``isinstance(clusterer, None)`` there, so that transform ends in a TypeError
    with any clusterer. Where its question has an answer, nothing is changed.
    """
    ask = getattr(_bertopic, "is_supported_hdbscan", None)
    if ask is None:
        return
    try:
        ask(None)
    except TypeError:

        def is_supported_hdbscan(model: Any) -> bool:
            try:
                return bool(ask(model))
            except TypeError:
                return False

        _bertopic.is_supported_hdbscan = is_supported_hdbscan
