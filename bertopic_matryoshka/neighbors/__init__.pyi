from ._graph import neighbor_graph
from ._prefixes import compare_prefixes, halvings
from ._search import METHODS, nearest_neighbors

__all__ = [
    "METHODS",
    "compare_prefixes",
    "halvings",
    "nearest_neighbors",
    "neighbor_graph",
]
