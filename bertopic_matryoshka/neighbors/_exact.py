"""Rows -> candidates for their nearest neighbours among all rows, by blocked matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bertopic_matryoshka._memory import in_blocks
from bertopic_matryoshka.neighbors._largest import largest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Chunks = Callable[[], Iterable[tuple[int, torch.Tensor]]]

BLOCK_ROWS = 1024
"""Maximum number of queries in a block."""

BLOCK_BYTES = {"cpu": 4 * 2**20, "cuda": 2**32}
"""Memory for a block of similarities; on a CPU about what a core's cache holds."""

CHECKED_ROWS = 2**16
"""Number of rows that are rounded at a time, to see how far they move."""

HALF_UNIT = 2**-11
"""Relative error of rounding a number to half precision."""


def all_candidates(
    chunks: Chunks,
    queries: Chunks,
    n_rows: int,
    n_queries: int,
    n_candidates: int,
    *,
    own: int | None,
    n_sure: int | None = None,
) -> torch.Tensor:
    """Find candidates among all rows. Blocks are halved where a GPU's memory runs out.

    Parameters
    ----------
    chunks, queries : callable
        Return an iterable of (position of the first row, rows), where rows is a Tensor of shape
        (n, n_dims), float32. For each of the queries' all of the rows' are read once.
    n_rows, n_queries : int
        Number of rows in all chunks, and of queries.
    n_candidates : int
        Number of candidates for each query.
    own : int or None
        Position among the rows of the first query, if the queries are rows; a row is then not among
        its own candidates.
    n_sure : int or None, default=None
        Number of neighbours that must be among the candidates. Queries are then compared in half
        precision, on a GPU, and again in single precision if rounding could have left one out. None
        compares in single precision only.

    Returns
    -------
    found : Tensor of shape (n_queries, n_candidates), int32
        In no order.
    """
    _, rows = next(iter(chunks()))
    found = torch.empty((n_queries, n_candidates), dtype=torch.int32, device=rows.device)
    coarse, error = chunks, 0.0
    if n_sure is not None:
        try:
            coarse, error = _in_half(chunks, n_rows)
        except torch.cuda.OutOfMemoryError:  # no room for a copy: single precision throughout
            n_sure = None
    unsure = torch.zeros(n_queries, dtype=torch.bool, device=rows.device)
    for low, block in queries():
        part = slice(low, low + block.shape[0])
        scores, found[part] = top(coarse, block, _positions(part, own, block), n_candidates)
        if n_sure is not None:
            own_error = error if own is not None else _row_error(block)
            margin = error + own_error + HALF_UNIT + block.shape[1] * 2**-24
            ranked = scores.sort(dim=1, descending=True).values
            # A row that was left out scored no higher than the last candidate.
            unsure[part] = ranked[:, n_sure - 1] - ranked[:, -1] <= 2 * margin
    if n_sure is not None and bool(unsure.any()):
        for low, block in queries():
            part = slice(low, low + block.shape[0])
            again = torch.nonzero(unsure[part])[:, 0]
            if again.numel():
                positions = _positions(part, own, block)
                mine = None if positions is None else positions[again]
                found[low + again] = top(chunks, block[again], mine, n_candidates)[1]
    return found


def _positions(part: slice, own: int | None, block: torch.Tensor) -> torch.Tensor | None:
    """Positions among the rows of a part of the queries, or None if they are other rows."""
    if own is None:
        return None
    return torch.arange(own + part.start, own + part.stop, device=block.device)


def _in_half(chunks: Chunks, n_rows: int) -> tuple[Chunks, float]:
    """Give the chunks in half precision, and a bound of the distance of a row from its own."""
    low, rows = next(iter(chunks()))
    if rows.shape[0] == n_rows:
        whole = [(low, rows.half())]
        return lambda: whole, _row_error(rows)
    return lambda: ((low, rows.half()) for low, rows in chunks()), _largest_error(rows.shape[1])


def _row_error(rows: torch.Tensor) -> float:
    """Find the largest distance of a row from its copy in half precision."""

    def of_block(start: int, stop: int) -> float:
        block = rows[start:stop]
        lengths = torch.linalg.vector_norm(block - block.half().float(), dim=1)
        return float(lengths.max())

    blocks = in_blocks(of_block, rows.shape[0], CHECKED_ROWS, device=rows.device.type)
    return max(error for _, error in blocks)


def _largest_error(n_dims: int) -> float:
    """Bound the same for any row of unit length; the second term is of numbers below 2**-14."""
    return HALF_UNIT + 2**-25 * float(n_dims**0.5)


def top(
    chunks: Chunks, queries: torch.Tensor, own: torch.Tensor | None, n: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the similarities and indices of the `n` most similar rows, in no order.

    The chunks are read once. `own` has the positions of the queries among the rows, of shape
    (n_queries,), or is None.
    """
    scores = torch.full((queries.shape[0], n), -torch.inf, device=queries.device)
    found = torch.zeros((queries.shape[0], n), dtype=torch.int32, device=queries.device)
    block_bytes = BLOCK_BYTES.get(queries.device.type, BLOCK_BYTES["cpu"])
    for low, rows in chunks():

        def look(start: int, stop: int, low: int = low, rows: torch.Tensor = rows) -> None:
            part = slice(start, stop)
            similar = queries[part].to(rows.dtype) @ rows.T
            if own is not None:
                _leave_out(similar, own[part, None] - low)
            best = largest(similar, min(n, rows.shape[0]))
            values, names = similar.gather(1, best).float(), best.to(torch.int32) + low
            if low:
                values = torch.cat([scores[part], values], dim=1)
                values, kept = values.topk(n, dim=1, sorted=False)
                names = torch.cat([found[part], names], dim=1).gather(1, kept)
            scores[part, : values.shape[1]], found[part, : values.shape[1]] = values, names

        size = min(BLOCK_ROWS, block_bytes // (4 * rows.shape[0]))
        in_blocks(look, queries.shape[0], size, device=queries.device.type)
    return scores, found


def _leave_out(similar: torch.Tensor, column: torch.Tensor) -> None:
    """Give a column of each row, of shape (n_rows, 1), the lowest score, if it is there."""
    is_there = (column >= 0) & (column < similar.shape[1])
    column = column.clamp(0, similar.shape[1] - 1)
    scores = similar.gather(1, column).masked_fill_(is_there, -torch.inf)
    similar.scatter_(1, column, scores)
