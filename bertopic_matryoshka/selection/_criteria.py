"""Embeddings -> one score per dimension, by which dimensions are ranked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bertopic_matryoshka.neighbors import nearest_neighbors
from bertopic_matryoshka.selection._moments import Moments

Criterion = Callable[[NDArray[np.floating]], NDArray[np.floating]]
"""Function from embeddings of shape (n_documents, n_dims) to scores of shape (n_dims,)."""


def variance(X: NDArray[np.floating]) -> NDArray[np.float64]:
    """Variance of each dimension over the documents, higher is better.

    Parameters
    ----------
    X : ndarray of shape (n_documents, n_dims)

    Returns
    -------
    scores : ndarray of shape (n_dims,), float64, >= 0
    """
    return Moments.of(X).variance


def laplacian(
    X: NDArray[np.floating], *, n_neighbors: int = 15, sample_size: int = 1000
) -> NDArray[np.float64]:
    """Variance over neighbourhood variance of each dimension, higher is better.

    It prefers dimensions that vary between neighbourhoods of documents to those that vary within
    them. Inspired by the Laplacian score of He, Cai and Niyogi [1]_, and another measure: theirs is
    lower for better dimensions, weights the edges of the graph, and sums squared differences over
    its edges. Here a row's neighbourhood variance is its squared distance to the mean of its
    neighbours.

    Parameters
    ----------
    X : ndarray of shape (n_documents, n_dims)
    n_neighbors : int, default=15
        Number of neighbours of a row; all other rows where there are fewer.
    sample_size : int, default=1000
        Number of rows in the sample, evenly spaced; all where there are fewer.

    Returns
    -------
    scores : ndarray of shape (n_dims,), float64, >= 0
        Infinite for dimensions that are constant within all neighbourhoods but not between them; 0
        for those that are constant in the sample.

    References
    ----------
    .. [1] X. He, D. Cai, P. Niyogi, "Laplacian score for feature selection", NIPS 2005.
    """
    n = X.shape[0]
    rows = np.linspace(0, n - 1, min(n, sample_size)).round().astype(int)
    sample = np.asarray(X[rows], dtype=np.float32)
    nearest, _ = nearest_neighbors(sample, min(n_neighbors, len(sample) - 1), method="exact")
    within = np.square(sample - sample[nearest].mean(axis=1)).mean(axis=0, dtype=np.float64)
    overall = Moments.of(sample).variance
    unseen = np.where(overall > 0, np.inf, 0.0)
    scores: NDArray[np.float64] = np.divide(overall, within, out=unseen, where=within > 0)
    return scores


CRITERIA: dict[str, Criterion] = {"variance": variance, "laplacian": laplacian}
"""Criteria by name."""

STREAMED = frozenset({"variance"})
"""Criteria computed from the moments alone, which therefore work with ``partial_fit``."""
