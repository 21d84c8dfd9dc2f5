"""Rows -> candidates for their nearest neighbours, by an inverted file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from bertopic_matryoshka._memory import in_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SAMPLE_PER_LIST = 32
"""Number of rows per list in the sample on which k-means runs."""

KMEANS_ROUNDS = 4

BLOCK_ROWS = 8192
"""Number of rows compared with all centres at a time."""

STEPS = 63
"""Largest integer to which values are rounded for k-means. Sums of products of such integers are
exact in float32 up to 4,000 dimensions, so that the lists do not depend on the number of threads.
The same is meant to hold on a GPU, on which it was not tried."""


def inverted_file_candidates(
    base: torch.Tensor,
    queries: torch.Tensor | None,
    n_candidates: int,
    n_probes: int,
    block_bytes: int,
) -> Iterator[tuple[int, torch.Tensor]]:
    """Search an inverted file [1]_ for the rows most similar to each query.

    k-means divides the n_rows rows into about ``sqrt(n_rows)`` lists. A query is compared with the
    rows in the `n_probes` lists with the most similar centres.

    Parameters
    ----------
    base : Tensor of shape (n_rows, n_dims), float32
        Rows, compared by inner product.
    queries : Tensor of shape (n_queries, n_dims) or None
        None takes the rows themselves, and a row is then not among its own candidates.
    n_candidates, n_probes : int
        Number of candidates and of lists for each query.
    block_bytes : int
        Memory for a table of similarities, in bytes.

    Yields
    ------
    start : int
        Position of the first query.
    found : Tensor of shape (<= a block, n_candidates), int64
        Best first; -1 where the lists had fewer rows.

    References
    ----------
    .. [1] J. Sivic, A. Zisserman, "Video Google: a text retrieval approach to object matching in
       videos", ICCV 2003.
    """
    n_rows = base.shape[0]
    n_lists = max(1, int(n_rows**0.5))
    centres = _kmeans(base, n_lists)
    cell = _nearest(base, centres, 1)[:, 0]
    order = cell.argsort(stable=True)
    rows = base[order]  # each list is contiguous
    position = torch.empty_like(order)
    position[order] = torch.arange(n_rows, device=order.device)
    # Lists differ in size: large ones are split, so that all fit one table of similarities.
    width = math.ceil(1.5 * n_rows / n_lists)
    sizes = torch.bincount(cell, minlength=n_lists)
    pieces, piece_centres = _pieces(sizes.tolist(), width), (sizes + width - 1) // width
    bounds = torch.tensor(pieces, device=base.device)  # (n_pieces, 2)
    centres = centres.repeat_interleave(piece_centres, dim=0)
    n_probes = min(n_probes, len(pieces))
    query_rows = base if queries is None else queries
    table = torch.empty(0, device=base.device)

    def look(start: int, stop: int) -> torch.Tensor:
        """Find the candidates of the queries from `start` to `stop`."""
        nonlocal table
        probes = _nearest(query_rows[start:stop], centres, n_probes)
        if not probes.numel() <= table.shape[0] <= 2 * probes.numel():
            table = torch.empty(0, device=base.device)  # frees the old one's memory first
            table = torch.empty((probes.numel(), width), device=base.device)
        similar = table[: probes.numel()]
        _compare(rows, pieces, query_rows[start:stop], probes, similar)
        similar = similar.view(probes.shape[0], -1)
        if queries is None:
            _leave_out(similar, position[start:stop], bounds[probes], width)
        best = similar.topk(min(n_candidates, similar.shape[1]), dim=1)
        positions = bounds[:, 0][probes.gather(1, best.indices // width)] + best.indices % width
        found = best.values > -torch.inf
        return torch.where(found, order[torch.where(found, positions, 0)], -1)

    yield from in_blocks(look, query_rows.shape[0], block_bytes // (4 * n_probes * width))


def _pieces(sizes: list[int], width: int) -> list[tuple[int, int]]:
    """Split the lists into pieces of at most `width` rows, as (start, stop) positions."""
    pieces, low = [], 0
    for size in sizes:
        high = low + size
        pieces += [(first, min(first + width, high)) for first in range(low, high, width)]
        low = high
    return pieces


def _compare(
    rows: torch.Tensor,
    pieces: list[tuple[int, int]],
    queries: torch.Tensor,
    probes: torch.Tensor,
    table: torch.Tensor,
) -> None:
    """Fill the table, of shape (n_queries * n_probes, width), piece by piece."""
    flat = probes.flatten()
    by_piece = flat.argsort(stable=True)  # pairs of a query and a piece
    counts = torch.bincount(flat, minlength=len(pieces)).tolist()
    for (low, high), pairs in zip(pieces, torch.split(by_piece, counts), strict=True):
        if pairs.numel():
            table[pairs, : high - low] = queries[pairs // probes.shape[1]] @ rows[low:high].T
            table[pairs, high - low :] = -torch.inf


def _leave_out(
    similar: torch.Tensor,
    own: torch.Tensor,
    bounds: torch.Tensor,
    width: int,
) -> None:
    """Set a query's similarity with itself below all others.

    `bounds` has the start and stop of each piece probed, of shape (n_queries, n_probes, 2).
    """
    inside = (bounds[:, :, 0] <= own[:, None]) & (own[:, None] < bounds[:, :, 1])
    query, probe = torch.nonzero(inside, as_tuple=True)
    similar[query, probe * width + own[query] - bounds[query, probe, 0]] = -torch.inf


def _kmeans(rows: torch.Tensor, n_lists: int) -> torch.Tensor:
    """Spherical k-means on evenly spaced rows; centres of shape (n_lists, n_dims)."""
    n = rows.shape[0]
    sample = rows[_evenly(n, min(n, SAMPLE_PER_LIST * n_lists), rows.device)]
    centres = _whole_numbers(sample[_evenly(sample.shape[0], n_lists, rows.device)])
    whole = _whole_numbers(sample)
    for _ in range(KMEANS_ROUNDS):
        cell = _most_similar(torch.split(whole, BLOCK_ROWS), centres, 1)[:, 0]
        sums = torch.zeros_like(centres).index_add_(0, cell, whole)
        centres = torch.where((sums != 0).any(dim=1, keepdim=True), _whole_numbers(sums), centres)
    return centres


def _evenly(n: int, count: int, device: torch.device) -> torch.Tensor:
    return torch.arange(count, device=device) * n // count


def _whole_numbers(rows: torch.Tensor) -> torch.Tensor:
    """Scale each row to one length and round it to integers from -STEPS to STEPS, in float32.

    Values beyond six times the row's root mean square are clipped.
    """
    exact = rows.double()
    scale = exact.square().mean(dim=1, keepdim=True).sqrt().clamp(min=1e-30)
    return (exact / scale * (STEPS / 6)).round().clamp(-STEPS, STEPS).float()


def _nearest(rows: torch.Tensor, centres: torch.Tensor, n: int) -> torch.Tensor:
    """Find the `n` most similar centres of each row; indices of shape (n_rows, n)."""
    return _most_similar(map(_whole_numbers, torch.split(rows, BLOCK_ROWS)), centres, n)


def _most_similar(blocks: Iterable[torch.Tensor], centres: torch.Tensor, n: int) -> torch.Tensor:
    return torch.cat([(block @ centres.T).topk(n, dim=1).indices for block in blocks])
