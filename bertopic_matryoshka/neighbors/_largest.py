"""A table of similarities -> the columns with the largest of each row."""

from __future__ import annotations

import numpy as np
import torch

NARROW = 8
"""Number of columns, per one that is looked for, up to which torch's own topk is as fast."""

HALVED = 4
"""Number of columns, per one that is looked for, above which pairs of columns are joined."""

GROUP = 64
"""Number of columns in a group, of which the largest is found first on a GPU."""

GROUPS = 4
"""Number of groups, per column that is looked for, above which columns are grouped."""


def largest(table: torch.Tensor, n: int) -> torch.Tensor:
    """Find the columns of the `n` largest values of each row, in no order.

    Parameters
    ----------
    table : Tensor of shape (n_rows, n_columns), float32
    n : int
        At most n_columns.

    Returns
    -------
    columns : Tensor of shape (n_rows, n), int64
    """
    columns, values = reaching(table, n)
    if columns.shape[1] == n:
        return columns
    return columns.gather(1, values.topk(n, dim=1, sorted=False).indices)


def reaching(table: torch.Tensor, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Find a few columns of each row with the `n` largest values among them.

    Most of torch's topk is spent on values far from the largest. On a CPU the larger of two columns
    is taken here, again and again, until a few columns are left. Their n-th largest value is a
    bound: at least `n` values of the row reach it, and not many more do. For a GPU see
    largest_by_groups.

    Parameters
    ----------
    table, n
        See largest.

    Returns
    -------
    columns : Tensor of shape (n_rows, n_reaching), int64
        At least `n` different ones in each row. Where there are fewer than in another row, column 0
        fills up.
    values : Tensor of shape (n_rows, n_reaching), float32
        Their values; minus infinity where a row was filled up.
    """
    n_rows, n_columns = table.shape
    if table.device.type != "cpu" or n_columns <= NARROW * n or n_rows == 0:
        largest = largest_by_groups(table, n)
        return largest, table.gather(1, largest)
    values = table.numpy()
    bounds = values
    while bounds.shape[1] > HALVED * n:
        half = bounds.shape[1] // 2
        bounds = np.maximum(bounds[:, :half], bounds[:, half : 2 * half])
    last = bounds.shape[1] - n
    reached = np.flatnonzero(values >= np.partition(bounds, last, axis=1)[:, last, None])
    row = reached // n_columns
    counts = np.bincount(row, minlength=n_rows)
    is_there = np.arange(counts.max()) < counts[:, None]
    columns = np.zeros(is_there.shape, dtype=np.int64)
    columns[is_there] = reached - row * n_columns
    few = np.full(is_there.shape, -np.inf, dtype=np.float32)
    few[is_there] = values.ravel()[reached]
    return torch.from_numpy(columns), torch.from_numpy(few)


def largest_column(table: torch.Tensor) -> torch.Tensor:
    """Find the column of the largest value of each row, of shape (n_rows,), int64; the first."""
    if table.device.type == "cpu":  # a quarter of the time of torch's
        return torch.from_numpy(table.numpy().argmax(axis=1))
    return table.argmax(dim=1)


def largest_by_groups(table: torch.Tensor, n: int) -> torch.Tensor:
    """Find the same among the columns of the `n` groups with the largest values.

    They are all there: a value of another group is at most that group's largest, and so at most `n`
    others. It takes one pass over the table and has no result whose size is not known before, for
    which a GPU would have to wait.
    """
    n_rows, n_columns = table.shape
    n_groups = n_columns // GROUP
    if n_groups < GROUPS * n or n_rows == 0:
        return table.topk(n, dim=1, sorted=False).indices
    grouped = table[:, : n_groups * GROUP].reshape(n_rows, n_groups, GROUP).amax(dim=2)
    groups = grouped.topk(n, dim=1, sorted=False).indices
    members = torch.arange(GROUP, device=table.device)
    inside = (groups[:, :, None] * GROUP + members).flatten(1)
    rest = torch.arange(n_groups * GROUP, n_columns, device=table.device).expand(n_rows, -1)
    columns = torch.cat([inside, rest], dim=1)
    best = table.gather(1, columns).topk(n, dim=1, sorted=False).indices
    return columns.gather(1, best)
