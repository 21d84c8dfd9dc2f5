"""All calls, and the cases that they make with the hostile values."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import bertopic_matryoshka as bm
from tests.hostile.data_calls import DATA_CALLS
from tests.hostile.distributed_calls import DISTRIBUTED_CALLS
from tests.hostile.model_calls import MODEL_CALLS
from tests.hostile.values import VALUES, Value

if TYPE_CHECKING:
    from tests.hostile.judge import Call

CALLS = [*DATA_CALLS, *MODEL_CALLS, *DISTRIBUTED_CALLS]
MADE_BY_FUNCTIONS = {
    "DamagedFileWarning",
    "DimensionComparison",
    "DimensionInspection",
    "DistributedTopics",
    "LossySaveWarning",
    "MatryoshkaBERTopic",
    "MatryoshkaTraining",
    "ModelInspection",
    "SavedModelError",
    "TopicEvaluation",
    "TopicLevels",
    "TopicNumberComparison",
    "TruncationWarning",
}
"""Results, warnings, and a BERTopic with BERTopic's own parameters: made by other calls."""

NEED_THE_EXTRA = {"SimilarityDistillationLoss", "train_matryoshka"}
"""They train, for which the environment of the tests has no packages."""


def cases() -> list[tuple[Call, str, Value]]:
    """List all calls with one hostile value each that are to be tried."""
    return [
        (call, parameter, value)
        for call in CALLS
        for parameter in call.takes
        for value in VALUES
        if not (call.slow and value.means & (call.meanings(parameter) | {"perhaps"}))
    ]


def missing_parameters() -> list[str]:
    """Name the parameters of public callables that no call above tries."""
    tried = {call.name: set(call.takes) for call in CALLS}
    return [
        f"{name}({parameter})"
        for name in bm.__all__
        if name not in MADE_BY_FUNCTIONS | NEED_THE_EXTRA
        for parameter in inspect.signature(getattr(bm, name)).parameters
        if parameter not in tried.get(name, set()) | {"bertopic_kwargs"}
    ]
