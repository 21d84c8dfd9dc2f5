"""Rows in order, and their nearest neighbours -> the rows that repeat others and may count once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_EVIDENCE = 5
"""Number of near neighbours above which a row's radius grows no further."""

USUAL = 0.9
"""Quantile of the rows' distances that is the unit; high, since most rows may have copies."""

MIN_DIMS = 16
"""Number of dimensions below which near copies are not looked for: different rows are as close."""

ROUNDING = 1e-5
"""Distance that equal texts may have if a model embedded them in different batches."""


def equal_rows(ordered: NDArray[np.floating]) -> NDArray[np.int_]:
    """Find the first row that each row is equal to.

    Parameters
    ----------
    ordered : ndarray of shape (n, n_dims)
        Equal rows are adjacent, see row_order.

    Returns
    -------
    first : ndarray of shape (n,), int
        Index of the first equal row; a row's own index if no row before it is equal.
    """
    n = ordered.shape[0]
    new = np.ones(n, dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first: NDArray[np.int_] = np.maximum.accumulate(np.where(new, np.arange(n), 0))
    return first


def distinct_rows(array: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Mark the first of each group of equal rows, in any order.

    Parameters
    ----------
    array : ndarray of shape (n, n_dims)
        Read row by row; may be memory-mapped.

    Returns
    -------
    is_first : ndarray of shape (n,), bool
    """
    seen: set[bytes] = set()
    is_first = np.empty(array.shape[0], dtype=bool)
    for i, row in enumerate(array):
        before = len(seen)
        seen.add(hashlib.blake2b(row.tobytes(), digest_size=16).digest())
        is_first[i] = len(seen) > before
    return is_first


def near_copies(
    rows: NDArray[np.floating],
    indices: NDArray[np.integer],
    similarities: NDArray[np.floating],
    copy_distance: float,
) -> NDArray[np.int_]:
    """Find the row that each row nearly repeats.

    The unit is the usual cosine distance from a row to its fifth neighbour, since models and widths
    differ in their distances. A row has copies if its l nearest are within ``l * copy_distance``
    units, for any l; beyond 5 the distance grows no further. A single neighbour must be very close;
    several at some distance are a template, since different rows are rarely so dense.

    Copies are grouped around the row with the most copies, within its radius. Groups therefore do
    not grow along chains, and no copy is farther from its representative than
    ``5 * copy_distance`` units, rounding aside.

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
        Index of the row that each row repeats; its own if it repeats none. Representatives repeat
        none.
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
    # Within each part: most copies first, ties in the order of the rows.
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
