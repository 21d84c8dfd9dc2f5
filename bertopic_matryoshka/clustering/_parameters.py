"""Parameters of LeidenClustering: their checks, and the values that None stands for."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from bertopic_matryoshka._validation import check_at_least
from bertopic_matryoshka.clustering._communities import check_flavor
from bertopic_matryoshka.neighbors import METHODS, check_given

N_NEIGHBORS, MIN_CLUSTER_SIZE = 15, 10
"""Default values, where there are at least N_NEIGHBORS ** 2 distinct rows."""


def check_parameters(clustering: Any) -> None:
    """Check those parameters of a LeidenClustering that do not depend on the rows."""
    check_at_least(
        1 if clustering.n_clusters is None else clustering.n_clusters, 1, name="n_clusters"
    )
    check_at_least(
        1 if clustering.n_neighbors is None else clustering.n_neighbors, 1, name="n_neighbors"
    )
    size = 2 if clustering.min_cluster_size is None else clustering.min_cluster_size
    check_at_least(size, 2, name="min_cluster_size")
    if not (_is_real(clustering.resolution) and 0 < clustering.resolution < float("inf")):
        raise ValueError(
            f"resolution={clustering.resolution!r} must be above 0; more gives more clusters."
        )
    if not (_is_real(clustering.min_membership) and 0 <= clustering.min_membership <= 1):
        raise ValueError(
            f"min_membership={clustering.min_membership!r} must be in [0, 1], a share of "
            "neighbours."
        )
    if not (_is_real(clustering.outlier_share) and 0 <= clustering.outlier_share < 1):
        raise ValueError(
            f"outlier_share={clustering.outlier_share!r} must be in [0, 1), a share of the rows."
        )
    if clustering.outlier_share > 0 and clustering.min_membership > 0:
        raise ValueError(
            f"outlier_share={clustering.outlier_share} and "
            f"min_membership={clustering.min_membership} are both given, and each decides which "
            "rows are outliers. Leave one of them at 0."
        )
    if clustering.method not in METHODS:
        raise ValueError(f"method={clustering.method!r} must be one of {', '.join(METHODS)}.")
    check_given(clustering.neighbors)
    if clustering.neighbors is not None and clustering.method != "auto":
        raise ValueError(
            f"neighbors and method={clustering.method!r} are both given, and each decides how "
            "neighbours are found. Leave one of them out."
        )
    check_flavor(clustering.flavor)
    if not (_is_real(clustering.copy_distance) and 0 <= clustering.copy_distance < 0.2):
        raise ValueError(
            f"copy_distance={clustering.copy_distance!r} must be in [0, 0.2), a share of the usual "
            "distance between neighbours: from 0.2, five neighbours as far as usual would be "
            "copies."
        )


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


def _is_real(value: object) -> bool:
    return isinstance(value, Real)
