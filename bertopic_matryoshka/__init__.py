"""BERTopic on Matryoshka embeddings: truncate, select dimensions, compare coherence.

documents -> embeddings -> truncated -> selected -> clustered -> topics -> report
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bertopic_matryoshka.cautions import (
        DamagedFileWarning,
        LossySaveWarning,
        SavedModelError,
        TruncationWarning,
    )
    from bertopic_matryoshka.clustering import LeidenClustering
    from bertopic_matryoshka.coherence import TopicCoherence, embedding_coherence
    from bertopic_matryoshka.comparison import DimensionComparison
    from bertopic_matryoshka.diversity import inverted_rbo, topic_balance, topic_diversity
    from bertopic_matryoshka.embedding import MatryoshkaBackend
    from bertopic_matryoshka.evaluation import TopicEvaluation, evaluate_topics
    from bertopic_matryoshka.expect_width import ExpectWidth
    from bertopic_matryoshka.inspection import DimensionInspection, inspect_dimensions
    from bertopic_matryoshka.matching import topic_stability
    from bertopic_matryoshka.neighbors import nearest_neighbors
    from bertopic_matryoshka.prefix_neighborhoods import compare_prefixes
    from bertopic_matryoshka.selection import DimensionSelector
    from bertopic_matryoshka.storage import load_topic_model, save_topic_model
    from bertopic_matryoshka.sweep import compare_dimensions
    from bertopic_matryoshka.topics import build_topic_model
    from bertopic_matryoshka.truncation import truncate

__version__ = "0.1.0"

# A name's module is imported when the name is used: the selector needs no torch.
_MODULE_OF = {
    "DamagedFileWarning": "cautions",
    "DimensionComparison": "comparison",
    "DimensionInspection": "inspection",
    "DimensionSelector": "selection",
    "ExpectWidth": "expect_width",
    "LeidenClustering": "clustering",
    "LossySaveWarning": "cautions",
    "MatryoshkaBackend": "embedding",
    "SavedModelError": "cautions",
    "TopicCoherence": "coherence",
    "TopicEvaluation": "evaluation",
    "TruncationWarning": "cautions",
    "build_topic_model": "topics",
    "compare_dimensions": "sweep",
    "compare_prefixes": "prefix_neighborhoods",
    "embedding_coherence": "coherence",
    "evaluate_topics": "evaluation",
    "inspect_dimensions": "inspection",
    "inverted_rbo": "diversity",
    "load_topic_model": "storage",
    "nearest_neighbors": "neighbors",
    "save_topic_model": "storage",
    "topic_balance": "diversity",
    "topic_diversity": "diversity",
    "topic_stability": "matching",
    "truncate": "truncation",
}

__all__ = [
    "DamagedFileWarning",
    "DimensionComparison",
    "DimensionInspection",
    "DimensionSelector",
    "ExpectWidth",
    "LeidenClustering",
    "LossySaveWarning",
    "MatryoshkaBackend",
    "SavedModelError",
    "TopicCoherence",
    "TopicEvaluation",
    "TruncationWarning",
    "build_topic_model",
    "compare_dimensions",
    "compare_prefixes",
    "embedding_coherence",
    "evaluate_topics",
    "inspect_dimensions",
    "inverted_rbo",
    "load_topic_model",
    "nearest_neighbors",
    "save_topic_model",
    "topic_balance",
    "topic_diversity",
    "topic_stability",
    "truncate",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
