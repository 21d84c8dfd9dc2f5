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

BLOCK_BYTES = {"cpu": 4 * 2**20, "cuda": 2**30}
"""Memory for a block of similarities; on a CPU about what a core's cache holds."""

HALF_ERROR = 2**-9
"""Error bound of an inner product of unit rows in half precision: 2**-11 for each factor, for the
result, and for sums in half precision."""


def all_candidates(
    chunks: Chunks,
    queries: Chunks,
    n_rows: int,
    n_queries: int,
    n_candidates: int,
    *,
    own: bool,
    n_sure: int | None = None,
) -> torch.Tensor:
    """Find candidates among all rows. Blocks are halved where a GPU's memory runs out.

    Parameters
    ----------
    chunks, queries : callable
        Return an iterable of (position of the first row, rows), where rows is a Tensor of shape
        (n, n_dims), float32.
    n_rows, n_queries : int
        Number of rows in all chunks, and of queries.
    n_candidates : int
        Number of candidates for each query.
    own : bool
        Whether the queries are the rows; a row is then not among its own candidates.
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
    size = BLOCK_ROWS
    if rows.shape[0] == n_rows:  # else rows are read for each block: fewer blocks are better
        block_bytes = BLOCK_BYTES.get(rows.device.type, BLOCK_BYTES["cpu"])
        size = min(size, block_bytes // (4 * n_rows))
    coarse = chunks
    if n_sure is not None:
        try:
            coarse = _in_half(chunks, n_rows)
        except torch.cuda.OutOfMemoryError:  # no room for a copy: single precision throughout
            n_sure = None
    for low, rows in queries():

        def look(start: int, stop: int, low: int = low, rows: torch.Tensor = rows) -> None:
            part = slice(low + start, low + stop)
            mine = torch.arange(part.start, part.stop, device=rows.device) if own else None
            block = rows[start:stop]
            found[part] = _of_block(chunks, coarse, block, mine, n_candidates, n_sure)

        in_blocks(look, rows.shape[0], size, device=rows.device.type)
    return found


def _of_block(
    chunks: Chunks,
    coarse: Chunks,
    block: torch.Tensor,
    own: torch.Tensor | None,
    n: int,
    n_sure: int | None,
) -> torch.Tensor:
    """Find the candidates of a block of queries.

    `coarse` has the chunks, in half precision if `n_sure` is given. `own` has the positions of the
    queries among the rows, or is None if they are other rows.
    """
    scores, found = top(coarse, block, own, n)
    if n_sure is not None:
        _mend(chunks, block, own, scores, found, n_sure)
    return found


def _in_half(chunks: Chunks, n_rows: int) -> Chunks:
    low, rows = next(iter(chunks()))
    if rows.shape[0] == n_rows:
        whole = [(low, rows.half())]
        return lambda: whole
    return lambda: ((low, rows.half()) for low, rows in chunks())


def _mend(
    chunks: Chunks,
    block: torch.Tensor,
    own: torch.Tensor | None,
    scores: torch.Tensor,
    found: torch.Tensor,
    n_sure: int,
) -> None:
    """Search again, in single precision, where half precision may have missed a neighbour."""
    # A row that was left out scored no higher than the last candidate.
    ranked = scores.sort(dim=1, descending=True).values
    sure = ranked[:, n_sure - 1] - ranked[:, -1] > 2 * HALF_ERROR
    again = torch.nonzero(~sure)[:, 0]
    if again.numel():
        mine = None if own is None else own[again]
        found[again] = top(chunks, block[again], mine, found.shape[1])[1]


def top(
    chunks: Chunks, block: torch.Tensor, own: torch.Tensor | None, n: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the similarities and indices of the `n` most similar rows, in no order.

    `own` has the positions of the queries among the rows, of shape (n_queries,), or is None.
    """
    scores = torch.empty((block.shape[0], 0), device=block.device)
    found = torch.empty((block.shape[0], 0), dtype=torch.int64, device=block.device)
    for low, rows in chunks():
        similar = block.to(rows.dtype) @ rows.T
        if own is not None:
            mine = torch.nonzero((own >= low) & (own < low + rows.shape[0]))[:, 0]
            similar[mine, own[mine] - low] = -torch.inf
        best = largest(similar, min(n, rows.shape[0]))
        scores = torch.cat([scores, similar.gather(1, best).float()], dim=1)
        found = torch.cat([found, best + low], dim=1)
        if low:
            scores, kept = scores.topk(min(n, scores.shape[1]), dim=1, sorted=False)
            found = found.gather(1, kept)
    return scores, found
