"""Rows in order, and their nearest neighbours -> which rows repeat others, and may count once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EVIDENCE = 5
"""Near neighbours from which more of them widen a row's radius no further."""

USUAL = 0.9
"""Quantile of the rows' distances that is the usual one: most rows may have copies."""

MIN_DIMS = 16
"""Dims below which distances tell nothing: many rows that differ come close together."""

ROUNDING = 1e-5
"""Distance that equal texts may have which went through a model in different batches."""


def equal_rows(ordered: NDArray[np.floating]) -> NDArray[np.int_]:
    """Find the first row that each row is equal to.

    Parameters
    ----------
    ordered : ndarray of shape (n, n_dims)
        Equal rows stand together, see row_order.

    Returns
    -------
    first : ndarray of shape (n,), int
        A row's own index where it is equal to none before it.
    """
    n = ordered.shape[0]
    new = np.ones(n, dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first: NDArray[np.int_] = np.maximum.accumulate(np.where(new, np.arange(n), 0))
    return first


def near_copies(
    rows: NDArray[np.floating],
    indices: NDArray[np.integer],
    similarities: NDArray[np.floating],
    copy_distance: float,
) -> NDArray[np.int_]:
    """Find the row that each row nearly repeats.

    The unit is the usual cosine distance from a row to its fifth neighbour: models and widths
    differ in what is similar, and it follows them. A row has copies where its l nearest are within
    ``l * copy_distance`` units, for any l up to 5. One lone neighbour has to be very close; several
    at some distance are a template, since rows that differ hardly ever lie so dense.

    Copies are grouped around a row with the most of them and within its radius. So groups do not
    grow along chains, and no copy is farther from its representative than ``5 * copy_distance``.

    Parameters
    ----------
    rows : ndarray of shape (n, n_dims), unit rows
    indices : ndarray of shape (n, n_neighbors), int
        Nearest first.
    similarities : ndarray of shape (n, n_neighbors)
    copy_distance : float
        At least 0.

    Returns
    -------
    representative : ndarray of shape (n,), int
        A row's own index where it repeats none. Representatives repeat none.
    """
    n, k = indices.shape
    representative = np.arange(n)
    if k == 0 or copy_distance == 0 or rows.shape[1] < MIN_DIMS:
        return representative
    distances = 1 - similarities.astype(np.float64)
    evidence = np.minimum(np.arange(1, k + 1), MOST_EVIDENCE)
    usual = np.quantile(distances[:, min(k, MOST_EVIDENCE) - 1], USUAL)
    reach = np.append(0, np.maximum(evidence * (copy_distance * usual), ROUNDING))
    within = distances <= reach[1:]
    n_near = np.where(within, np.arange(1, k + 1), 0).max(axis=1)
    if not n_near.any():
        return representative
    radii = reach[n_near]
    near = np.arange(k) < n_near[:, None]
    ends = np.nonzero(near)[0], indices[near]
    joined = csr_matrix((np.ones(ends[0].size), ends), shape=(n, n))
    parts = connected_components(joined, directed=False)[1]
    n_joined = np.diff(joined.maximum(joined.T).tocsr().indptr)
    members = np.flatnonzero(n_joined)
    # Within each part those with the most copies first, then in the order of the rows.
    members = members[np.lexsort((members, -n_joined[members], parts[members]))]
    starts = np.flatnonzero(np.diff(parts[members], prepend=-1))
    for left in np.split(members, starts[1:]):
        while left.size:
            leader, left = left[0], left[1:]  # noqa: PLW2901
            # einsum's rounding does not depend on threads, as a matrix product's does.
            apart = 1 - np.einsum("ij,j->i", rows[left], rows[leader], dtype=np.float64)
            same = apart <= radii[leader]
            representative[left[same]] = leader
            left = left[~same]  # noqa: PLW2901
    return representative
