from ._build import (
    build_clusterer,
    build_reducer,
    build_topic_model,
    check_reductions,
)
from ._core import CoreWords
from ._expect_width import ExpectWidth
from ._groups import TopicGroup, group_topics, topic_vectors
from ._hierarchy import TopicLevels, topic_levels, topic_linkage
from ._missing_hdbscan import allow_missing_hdbscan
from ._model import MatryoshkaBERTopic
from ._persistence import SAFE_ESTIMATORS, load_topic_model, save_topic_model
from ._stop_words import get_stop_words
from ._tables import documents_table, topics_table
from ._words import DistinctDocuments

__all__ = [
    "SAFE_ESTIMATORS",
    "CoreWords",
    "DistinctDocuments",
    "ExpectWidth",
    "MatryoshkaBERTopic",
    "TopicGroup",
    "TopicLevels",
    "allow_missing_hdbscan",
    "build_clusterer",
    "build_reducer",
    "build_topic_model",
    "check_reductions",
    "documents_table",
    "get_stop_words",
    "group_topics",
    "load_topic_model",
    "save_topic_model",
    "topic_levels",
    "topic_linkage",
    "topic_vectors",
    "topics_table",
]
