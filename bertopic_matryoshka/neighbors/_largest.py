"""A table of similarities -> the columns with the largest of each row."""

from __future__ import annotations

import numpy as np
import torch

NARROW = 8
"""Number of columns, per one that is looked for, up to which torch's own topk is as fast."""

HALVED = 4
"""Number of columns, per one that is looked for, above which pairs of columns are joined."""


def largest(table: torch.Tensor, n: int) -> torch.Tensor:
    """Find the columns of the `n` largest values of each row, in no order.

    On a CPU most of torch's topk is spent on values far from the largest. Here the larger of two
    columns is taken, again and again, until a few columns are left. Their n-th largest value is a
    bound: at least `n` values of the row reach it, and not many more do.

    Parameters
    ----------
    table : Tensor of shape (n_rows, n_columns), float32
    n : int
        At most n_columns.

    Returns
    -------
    columns : Tensor of shape (n_rows, n), int64
    """
    n_rows, n_columns = table.shape
    if table.device.type != "cpu" or n_columns <= NARROW * n or n_rows == 0:
        return table.topk(n, dim=1, sorted=False).indices
    values = table.numpy()
    bounds = values
    while bounds.shape[1] > HALVED * n:
        half = bounds.shape[1] // 2
        bounds = np.maximum(bounds[:, :half], bounds[:, half : 2 * half])
    last = bounds.shape[1] - n
    reached = np.flatnonzero(values >= np.partition(bounds, last, axis=1)[:, last, None])
    counts = np.bincount(reached // n_columns, minlength=n_rows)
    is_there = np.arange(counts.max()) < counts[:, None]
    columns = np.zeros(is_there.shape, dtype=np.int64)
    columns[is_there] = reached % n_columns
    few = np.full(is_there.shape, -np.inf, dtype=np.float32)
    few[is_there] = values.ravel()[reached]
    best = torch.from_numpy(few).topk(n, dim=1, sorted=False).indices
    return torch.from_numpy(columns).gather(1, best)
