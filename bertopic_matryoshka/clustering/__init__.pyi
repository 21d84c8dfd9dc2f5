from ._leiden import LeidenClustering
from ._membership import one_hot
from ._parameters import smallest_cluster

__all__ = [
    "LeidenClustering",
    "one_hot",
    "smallest_cluster",
]
