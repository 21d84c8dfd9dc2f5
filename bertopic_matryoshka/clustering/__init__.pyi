from ._leiden import LeidenClustering

__all__ = [
    "LeidenClustering",
]
