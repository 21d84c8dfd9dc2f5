"""Rows and their clusters -> how near each row is to the centre of its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def centrality(
    rows: NDArray[np.floating], group: NDArray[np.int_], labels: NDArray[np.int_]
) -> NDArray[np.float64]:
    """Cosine of each sample with the mean of its cluster's distinct rows.

    Parameters
    ----------
    rows : ndarray of shape (n_distinct, n_dims)
        Of unit length.
    group : ndarray of shape (n_samples,), int
        Index of the row that each sample is or repeats; -1 for none.
    labels : ndarray of shape (n_samples,), int
        -1 is no cluster.

    Returns
    -------
    cosines : ndarray of shape (n_samples,), float64, in [-1, 1] but for rounding
        -1 for samples without a cluster or a row.
    """
    cosines = np.full(labels.size, -1.0)
    inside = np.flatnonzero((labels >= 0) & (group >= 0))
    # A cluster at a time, so that no second array as large as the rows is made.
    for label in np.unique(labels[inside]):
        members = inside[labels[inside] == label]
        distinct, of_member = np.unique(group[members], return_inverse=True)
        own = rows[distinct]
        mean = own.mean(axis=0, dtype=np.float64)
        length = float(np.linalg.norm(mean))
        cosines[members] = (own @ (mean / length if length > 0 else mean))[of_member]
    return cosines
