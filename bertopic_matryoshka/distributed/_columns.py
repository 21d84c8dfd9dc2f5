"""The columns of a batch, which is a dict of arrays whatever the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._constraints import instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

TEXT = "text"
"""Usual name of the column of texts."""

NAME = instance(str, words="the name of a column")


def check_column(batch: Mapping[str, Any], name: str, parameter: str) -> Any:
    """Give a column of a batch.

    Raises
    ------
    KeyError
        If it is missing; the message names the parameter and the columns that there are.
    """
    if name not in batch:
        raise KeyError(
            f"{parameter}={name!r} is not a column of the batch, which has "
            f"{', '.join(map(repr, batch)) or 'none'}. Pass {parameter}=..., or rename the column."
        )
    return batch[name]


def as_rows(column: Any) -> NDArray[np.float32]:
    """Make a matrix of a column of embeddings, which some engines give as an array of arrays."""
    array = np.asarray(column)
    if array.dtype == object:
        array = np.stack(list(array)) if array.size else np.empty((0, 0))
    return array.astype(np.float32, copy=False)
