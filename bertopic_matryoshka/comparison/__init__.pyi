from ._compare import compare_dimensions
from ._comparison import DimensionComparison, EmbeddingModel
from ._matching import SMALLEST_MATCH, Pair, pair_topics
from ._result import Run, Topic
from ._scorer import TopicScorer
from ._setting import Condition, Setting
from ._significance import (
    MANY_OUTLIERS,
    TOPICS_RATIO,
    Difference,
    Recommendation,
    SeedSpread,
    by_width,
    paired_difference,
    seed_spread,
)
from ._topic_models import short_name

__all__ = [
    "MANY_OUTLIERS",
    "SMALLEST_MATCH",
    "TOPICS_RATIO",
    "Condition",
    "Difference",
    "DimensionComparison",
    "EmbeddingModel",
    "Pair",
    "Recommendation",
    "Run",
    "SeedSpread",
    "Setting",
    "Topic",
    "TopicScorer",
    "by_width",
    "compare_dimensions",
    "pair_topics",
    "paired_difference",
    "seed_spread",
    "short_name",
]
