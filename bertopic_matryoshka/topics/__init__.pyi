from ._build import (
    MIN_TOPIC_SIZE,
    build_clusterer,
    build_reducer,
    build_topic_model,
    check_reductions,
)
from ._expect_width import ExpectWidth
from ._persistence import load_topic_model, save_topic_model
from ._tables import documents_table, topics_table

__all__ = [
    "MIN_TOPIC_SIZE",
    "ExpectWidth",
    "build_clusterer",
    "build_reducer",
    "build_topic_model",
    "check_reductions",
    "documents_table",
    "load_topic_model",
    "save_topic_model",
    "topics_table",
]
