from .clustering import LeidenClustering
from .comparison import DimensionComparison, TopicScorer, compare_dimensions
from .embedding import MatryoshkaBackend, truncate
from .evaluation import (
    TopicCoherence,
    TopicEvaluation,
    embedding_coherence,
    evaluate_topics,
    inverted_rbo,
    topic_balance,
    topic_diversity,
    topic_stability,
)
from .exceptions import (
    DamagedFileWarning,
    LossySaveWarning,
    SavedModelError,
    TruncationWarning,
)
from .neighbors import compare_prefixes, nearest_neighbors
from .report import (
    plot_comparison,
    plot_topic_map,
    write_png,
    write_report,
    write_topic_map,
)
from .selection import DimensionInspection, DimensionSelector, inspect_dimensions
from .topics import (
    DistinctDocuments,
    ExpectWidth,
    TopicLevels,
    allow_missing_hdbscan,
    build_topic_model,
    get_stop_words,
    load_topic_model,
    save_topic_model,
    topic_levels,
    topic_linkage,
)

__all__ = [
    "DamagedFileWarning",
    "DimensionComparison",
    "DimensionInspection",
    "DimensionSelector",
    "DistinctDocuments",
    "ExpectWidth",
    "LeidenClustering",
    "LossySaveWarning",
    "MatryoshkaBackend",
    "SavedModelError",
    "TopicCoherence",
    "TopicEvaluation",
    "TopicLevels",
    "TopicScorer",
    "TruncationWarning",
    "allow_missing_hdbscan",
    "build_topic_model",
    "compare_dimensions",
    "compare_prefixes",
    "embedding_coherence",
    "evaluate_topics",
    "get_stop_words",
    "inspect_dimensions",
    "inverted_rbo",
    "load_topic_model",
    "nearest_neighbors",
    "plot_comparison",
    "plot_topic_map",
    "save_topic_model",
    "topic_balance",
    "topic_diversity",
    "topic_levels",
    "topic_linkage",
    "topic_stability",
    "truncate",
    "write_png",
    "write_report",
    "write_topic_map",
]
