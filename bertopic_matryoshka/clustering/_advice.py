"""What LeidenClustering says to its user: a fact about the fit, and the remedy."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka._validation import named_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

LARGE, UNEVEN = 0.25, 1.5
"""Share of the rows, and multiple of an even share, above which a cluster gets a warning."""

MANY = 0.1
"""Share of near copies among the rows above which a warning is given."""


def warn_of_zero_rows(rows: NDArray[np.floating]) -> None:
    """Warn of zero rows, which are in no cluster."""
    zero = np.logical_not(rows.any(axis=1))
    if zero.any():
        _warn(
            f"{int(zero.sum()):,} of {zero.size:,} rows are zero and have the label -1, which is "
            f"topic -1 in BERTopic: nothing can be near them. {named_rows(zero)} Their texts are "
            "empty, or have no word that the embedding model knows.",
            stacklevel=4,  # fit calls this function itself
        )


def report_copies(n_copies: int, n_near: int, n_rows: int) -> None:
    """Log how many rows repeat others, and warn if many do so nearly."""
    message = (
        f"{n_copies:,} of {n_rows:,} rows repeat others and count once: {n_copies - n_near:,} are "
        f"equal to another, {n_near:,} nearly so."
    )
    logger.info(message)
    if n_near > MANY * n_rows:
        _warn(f"{message} copy_of_ says which; copy_distance=0 counts the near ones each.")


def report_batch(batch: int, n_rows: int, n_new: int, n_waiting: int) -> None:
    """Log what became of a batch of partial_fit."""
    logger.info(
        "batch %d of %d rows: %d new clusters, %d rows wait for one (topic_changes_ has the rest)",
        batch,
        n_rows,
        n_new,
        n_waiting,
    )


def warn_of_number(n_clusters: int, n_found: int, min_cluster_size: int, n_coreless: int) -> None:
    """Warn if fewer clusters were found than asked for, or some of them have no core."""
    if n_found < n_clusters:
        _warn(
            f"n_clusters={n_clusters}, but only {n_found} clusters of at least "
            f"min_cluster_size={min_cluster_size} rows were found. Ask for fewer, or lower "
            "min_cluster_size."
        )
    elif n_coreless:
        _warn(
            f"n_clusters={n_clusters} were found, but {n_coreless} of them have no row with at "
            "least half of its neighbours in its cluster: they are borders between others. "
            "Ask for fewer, or lower min_cluster_size."
        )


def warn_of_largest(share: float, n_clusters: int, resolution: float) -> None:
    """Warn of a cluster with more than LARGE of the rows, and much more than an even share."""
    if n_clusters > 1 and share > max(LARGE, UNEVEN / n_clusters):
        _warn(
            f"The largest of {n_clusters} clusters has {share:.0%} of the rows. If it is too "
            "coarse, ask for more with n_clusters, or with labels_at after fitting, or raise "
            f"resolution={resolution}."
        )


def warn_of_outside(share: float, wanted: int, outside: int, n_rows: int, size: int) -> None:
    """Warn that more rows than `outlier_share` can be in no cluster."""
    _warn(
        f"outlier_share={share} is {wanted:,} of {n_rows:,} rows, but {outside:,} can be in no "
        "cluster and are outliers: zero rows, or rows in parts of the graph with fewer than "
        f"min_cluster_size={size}.",
        stacklevel=6,
    )


def warn_of_emptied(share: float, n_left: int, n_found: int) -> None:
    """Warn that `outlier_share` leaves clusters without rows."""
    _warn(
        f"outlier_share={share} leaves rows in only {n_left} of {n_found} clusters. Lower it, or "
        "ask for fewer clusters.",
        stacklevel=6,
    )


def _warn(message: str, *, stacklevel: int = 5) -> None:
    # In the caller of fit or labels_at, which call a method that calls a function here. The two
    # about outlier_share are one method deeper.
    warnings.warn(message, RuntimeWarning, stacklevel=stacklevel)
