from ._compare import compare_dimensions
from ._comparison import DimensionComparison
from ._matching import SMALLEST_MATCH, Pair, pair_topics
from ._recommendation import Recommendation, by_width, caution_across
from ._result import Cell, Topic
from ._significance import Difference, SeedSpread, paired_difference, seed_spread

__all__ = [
    "SMALLEST_MATCH",
    "Cell",
    "Difference",
    "DimensionComparison",
    "Pair",
    "Recommendation",
    "SeedSpread",
    "Topic",
    "by_width",
    "caution_across",
    "compare_dimensions",
    "pair_topics",
    "paired_difference",
    "seed_spread",
]
