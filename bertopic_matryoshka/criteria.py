"""Scores by which dimensions are ranked: embeddings in, one score a dimension out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bertopic_matryoshka.moments import Moments

Criterion = Callable[[NDArray[np.floating]], NDArray[np.floating]]
"""From embeddings of shape (n_documents, n_dims) to scores of shape (n_dims,)."""


def variance(X: NDArray[np.floating] | None, moments: Moments) -> NDArray[np.float64]:  # noqa: ARG001
    """Variance of each dimension over the documents, higher is better.

    The moments say all, so this criterion can be streamed: `X` is not read.
    """
    return moments.variance


CRITERIA = {"variance": variance}
"""Criteria by name. Each takes the embeddings (None where only moments were streamed) and
their moments, which the selector has computed anyway."""

STREAMED = frozenset({"variance"})
"""The criteria that need the moments alone, and so work with ``partial_fit``."""
