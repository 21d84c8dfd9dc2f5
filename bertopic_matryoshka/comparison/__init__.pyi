from ._compare import compare_dimensions
from ._comparison import DimensionComparison, EmbeddingModel
from ._hashing import hash_with_code
from ._matching import SMALLEST_MATCH, Pair, TopicChange, pair_topics, topic_changes
from ._recommendation import MANY_OUTLIERS, TOPICS_RATIO, Evidence, Recommendation, percent_below
from ._replicates import SHARE, Replicate, WidthAgreement, replicate_rows
from ._result import Run, Topic
from ._scorer import TopicScorer
from ._setting import Condition, Setting, part_rows
from ._significance import (
    Difference,
    SeedSpread,
    by_width,
    paired_difference,
    seed_spread,
)
from ._topic_models import clone_topic_model, reducer_of, short_name
from ._topic_numbers import TopicNumberComparison, compare_topic_numbers

__all__ = [
    "MANY_OUTLIERS",
    "SHARE",
    "SMALLEST_MATCH",
    "TOPICS_RATIO",
    "Condition",
    "Difference",
    "DimensionComparison",
    "EmbeddingModel",
    "Evidence",
    "Pair",
    "Recommendation",
    "Replicate",
    "Run",
    "SeedSpread",
    "Setting",
    "Topic",
    "TopicChange",
    "TopicNumberComparison",
    "TopicScorer",
    "WidthAgreement",
    "by_width",
    "clone_topic_model",
    "compare_dimensions",
    "compare_topic_numbers",
    "hash_with_code",
    "pair_topics",
    "paired_difference",
    "part_rows",
    "percent_below",
    "reducer_of",
    "replicate_rows",
    "seed_spread",
    "short_name",
    "topic_changes",
]
