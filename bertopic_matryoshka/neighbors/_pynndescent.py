"""Rows -> nearest neighbours by pynndescent's nearest-neighbour descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def descent_neighbors(
    rows: NDArray[np.float32], n_neighbors: int, queries: NDArray[np.float32] | None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find neighbours with pynndescent [1]_.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_dims), float32, unit rows
    n_neighbors : int
    queries : ndarray of shape (n_queries, n_dims), float32, unit rows, or None
        None takes the rows themselves, and a row is then not its own neighbour.

    Returns
    -------
    indices : ndarray of shape (n_queries, n_neighbors), int32, nearest first
    similarities : ndarray of shape (n_queries, n_neighbors), float32, in [-1, 1]

    Raises
    ------
    ImportError
        If pynndescent is not installed.

    References
    ----------
    .. [1] W. Dong, C. Moses, K. Li, "Efficient k-nearest neighbor graph construction for generic
       similarity measures", WWW 2011.
    """
    try:
        from pynndescent import NNDescent
    except ImportError as error:
        raise ImportError(
            'method="pynndescent" needs pynndescent: pip install pynndescent. "approximate" needs '
            "nothing."
        ) from error
    # One more than n_neighbors: the first is the row itself.
    index: Any = NNDescent(rows, metric="dot", n_neighbors=max(n_neighbors + 1, 15), random_state=0)
    if queries is not None:
        indices, distances = index.query(queries, k=n_neighbors)
    else:
        indices, distances = index.neighbor_graph
        own = indices == np.arange(rows.shape[0])[:, None]
        own[~own.any(axis=1), -1] = True  # duplicates may have crowded the row out
        keep = np.argsort(own, axis=1, kind="stable")[:, :n_neighbors]
        indices = np.take_along_axis(indices, keep, axis=1)
        distances = np.take_along_axis(distances, keep, axis=1)
    return indices.astype(np.int32), np.clip(1 - distances, -1, 1).astype(np.float32)
