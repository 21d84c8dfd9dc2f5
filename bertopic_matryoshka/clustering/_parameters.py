"""Parameters of LeidenClustering: their checks, and the values that None stands for."""

from __future__ import annotations

import math
from typing import Any

from bertopic_matryoshka._constraints import check_arguments, choice, flag, number, seed, whole
from bertopic_matryoshka._validation import find_devices
from bertopic_matryoshka.clustering._communities import FLAVORS, check_flavor
from bertopic_matryoshka.neighbors import METHODS, check_given

N_NEIGHBORS, MIN_CLUSTER_SIZE = 15, 10
"""Default values, where there are at least N_NEIGHBORS ** 2 distinct rows."""


def check_parameters(clustering: Any) -> None:
    """Check those parameters of a LeidenClustering that do not depend on the rows."""
    check_arguments(
        vars(clustering),
        n_clusters=whole(1, none=True),
        resolution=number("(0, inf)", remedy="More gives more clusters."),
        n_neighbors=whole(1, none=True),
        min_cluster_size=whole(2, none=True),
        min_membership=number("[0, 1]", remedy="It is a share of neighbours."),
        outlier_share=number("[0, 1)", remedy="It is a share of the rows."),
        calculate_probabilities=flag(),
        random_state=seed(state=True),
        method=choice(METHODS),
        flavor=choice(FLAVORS),
        copy_distance=number(
            "[0, 0.2)",
            remedy="It is a share of the usual distance between neighbours: from 0.2, five "
            "neighbours as far as usual would be copies.",
        ),
        max_samples=whole(2, none=True),
    )
    if clustering.outlier_share > 0 and clustering.min_membership > 0:
        raise ValueError(
            f"outlier_share={clustering.outlier_share} and "
            f"min_membership={clustering.min_membership} are both given, and each decides which "
            "rows are outliers. Leave one of them at 0."
        )
    check_given(clustering.neighbors)
    if clustering.neighbors is not None and clustering.method != "auto":
        raise ValueError(
            f"neighbors and method={clustering.method!r} are both given, and each decides how "
            "neighbours are found. Leave one of them out."
        )
    check_flavor(clustering.flavor)
    if clustering.device is not None:
        find_devices(clustering.device)


def neighbors_of_each(n_neighbors: int | None, n_distinct: int) -> int:
    """Give the neighbours of each row in the graph of so many distinct rows."""
    return _lowered(n_neighbors, N_NEIGHBORS, n_distinct)


def smallest_cluster(min_cluster_size: int | None, n_distinct: int) -> int:
    """Give the core rows that make a cluster of a LeidenClustering among so many distinct rows."""
    return _lowered(min_cluster_size, MIN_CLUSTER_SIZE, n_distinct)


def _lowered(given: int | None, usual: int, n_distinct: int) -> int:
    """Return the given value, or else the usual one, lowered where there are few rows.

    In 30 rows, 15 neighbours are half of all, and clusters of 10 leave little room for others.
    """
    if given is not None:
        return given
    return max(2, min(usual, round(usual / N_NEIGHBORS * math.sqrt(n_distinct))))
