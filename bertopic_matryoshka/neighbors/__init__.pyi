from ._copies import equal_rows
from ._graph import distinct_neighbor_graph, neighbor_graph
from ._prefixes import compare_prefixes, halvings
from ._search import METHODS, nearest_neighbors

__all__ = [
    "METHODS",
    "compare_prefixes",
    "distinct_neighbor_graph",
    "equal_rows",
    "halvings",
    "nearest_neighbors",
    "neighbor_graph",
]
