from ._leiden import LeidenClustering, smallest_cluster

__all__ = [
    "LeidenClustering",
    "smallest_cluster",
]
