from ._leiden import LeidenClustering
from ._parameters import smallest_cluster

__all__ = [
    "LeidenClustering",
    "smallest_cluster",
]
