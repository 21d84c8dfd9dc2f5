"""IDs -> those of the sample: the ones with the smallest hashes, whatever the partitions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

HASHES = 2**64
"""Number of hashes that there can be."""


def hash_ids(ids: Any, random_state: int) -> NDArray[np.uint64]:
    """Hash IDs, each by itself, with a seed.

    Parameters
    ----------
    ids : ndarray of shape (n_ids,), of strings or ints
    random_state : int
        Seed, from 0 to 2**32 - 1; another seed gives other hashes.

    Returns
    -------
    hashes : ndarray of shape (n_ids,), uint64
        SipHash of the ID as text, so that 7 and "7" are alike.
    """
    texts = np.asarray(ids).astype(str).astype(object)
    hashes: NDArray[np.uint64] = pd.util.hash_array(texts, hash_key=f"{random_state:016d}")
    return hashes


def bound_of(sample_size: int, n_documents: int) -> int:
    """Give a hash below which there are surely at least `sample_size` of so many documents.

    A partition can then give its candidates without knowing the others: six standard deviations
    more than are needed are expected below the bound.
    """
    expected = sample_size + 6 * math.sqrt(sample_size) + 36
    return HASHES if expected >= n_documents else int(expected / n_documents * HASHES)


def smallest(hashes: NDArray[np.uint64], sample_size: int) -> NDArray[np.intp]:
    """Give the positions of the smallest hashes, ascending by hash."""
    return np.argsort(hashes, kind="stable")[:sample_size]
