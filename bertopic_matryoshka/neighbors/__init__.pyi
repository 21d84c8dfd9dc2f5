from ._copies import MIN_DIMS, ROUNDING, distinct_rows, equal_rows
from ._expected import expected_topics, prefix_sentences
from ._given import check_given, of_distinct
from ._graph import distinct_neighbor_graph, neighbor_graph
from ._lists import SearchLists
from ._prefixes import compare_distinct, compare_prefixes, halvings
from ._search import METHODS, NeighborIndex, nearest_neighbors

__all__ = [
    "METHODS",
    "MIN_DIMS",
    "ROUNDING",
    "NeighborIndex",
    "SearchLists",
    "check_given",
    "compare_distinct",
    "compare_prefixes",
    "distinct_neighbor_graph",
    "distinct_rows",
    "equal_rows",
    "expected_topics",
    "halvings",
    "nearest_neighbors",
    "neighbor_graph",
    "of_distinct",
    "prefix_sentences",
]
