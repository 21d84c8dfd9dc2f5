from ._assign_batch import AssignTopicsBatch
from ._count_batch import CountWordsBatch
from ._embed_batch import EmbedBatch
from ._fit import DistributedTopics, fit_distributed

__all__ = [
    "AssignTopicsBatch",
    "CountWordsBatch",
    "DistributedTopics",
    "EmbedBatch",
    "fit_distributed",
]
