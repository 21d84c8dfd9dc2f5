from ._leiden import LeidenClustering, default_min_cluster_size

__all__ = [
    "LeidenClustering",
    "default_min_cluster_size",
]
