"""Rows -> candidates for their nearest neighbours, by inverted files."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import torch

from bertopic_matryoshka._threads import in_threads
from bertopic_matryoshka.neighbors._largest import largest_column, reaching
from bertopic_matryoshka.neighbors._packed import best_of, names_in, packed

if TYPE_CHECKING:
    from collections.abc import Sequence

N_FILES = 3
"""Number of inverted files. With one, rows at the border of a list would have neighbours on their
own side of it only, and topics would follow the lists; see docs/measurements/neighbors.md."""

LIST_ROWS = 600
"""Mean number of rows of a list, unless there would be too many lists."""

MOST_LISTS = 4.0
"""Maximum number of lists, in multiples of the square root of the number of rows."""

PIECE_ROWS = 512
"""Maximum number of queries that are compared together."""

FEW_LISTS = 16
"""Number of lists that mostly have as many rows as are compared, so that others are not ordered."""

SAMPLE_PER_LIST = 16
"""Number of rows per list in the sample on which k-means runs."""

KMEANS_ROUNDS = 2

BLOCK_ROWS = 1024
"""Number of rows compared with all centres at a time."""

STEPS = 63
"""Largest integer to which values are rounded for k-means. Sums of products of such integers are
exact in float32 up to 4,000 dimensions, so that the lists do not depend on the number of threads.
The same is meant to hold on a GPU, on which it was not tried."""


@dataclass(frozen=True)
class InvertedFile:
    """Rows divided into lists by k-means, and the lists into pieces that are not too large.

    Attributes
    ----------
    centres : Tensor of shape (n_lists, n_dims), float32
    list_of : Tensor of shape (n_rows,), int64
        List of each row.
    """

    centres: torch.Tensor
    list_of: torch.Tensor

    @cached_property
    def ordered(self) -> tuple[torch.Tensor, list[list[slice]]]:
        """The rows list by list, and the places of each list's pieces among them, see _pieces."""
        return _pieces(self.list_of, self.centres.shape[0])


def build_file(base: torch.Tensor, number: int) -> InvertedFile:
    """Divide rows, of shape (n_rows, n_dims), into lists; each `number` has other borders."""
    n_rows = base.shape[0]
    n_lists = max(1, min(n_rows // LIST_ROWS, int(MOST_LISTS * n_rows**0.5)))
    centres = _kmeans(base, n_lists, number)
    return InvertedFile(centres, _nearest(base, centres))


def inverted_file_candidates(
    base: torch.Tensor,
    queries: torch.Tensor | None,
    n_candidates: int,
    n_probes: int,
    files: Sequence[InvertedFile],
) -> torch.Tensor:
    """Search inverted files [1]_ for the rows most similar to each query.

    k-means divides the rows into lists of about 600 rows. The queries of a list are compared
    together, with the rows of the lists whose centres are most similar to theirs: one product of
    matrices for all of them. Three files, from other samples, have their borders elsewhere. What is
    found for a query does not depend on the other queries, rounding aside.

    Parameters
    ----------
    base : Tensor of shape (n_rows, n_dims), float32
        Rows, compared by inner product.
    queries : Tensor of shape (n_queries, n_dims) or None
        None takes the rows themselves, and a row is then not among its own candidates.
    n_candidates : int
        Number of candidates of each query, at most as many as there are other rows.
    n_probes : int
        Number of lists of each file whose rows are compared with a query. Lists are added until
        they have as many rows as so many lists have on average.
    files : sequence of InvertedFile
        Those of these rows, one of each number.

    Returns
    -------
    found : Tensor of shape (n_queries, n_candidates), int32
        Distinct rows, in no order.

    References
    ----------
    .. [1] J. Sivic, A. Zisserman, "Video Google: a text retrieval approach to object matching in
       videos", ICCV 2003.
    """
    n_queries = (base if queries is None else queries).shape[0]
    found = torch.empty((n_queries, n_candidates), dtype=torch.int64, device=base.device)
    for file in files:
        _search_file(file, base, queries, n_probes, found, is_first=file is files[0])
    return names_in(found)


def _search_file(
    file: InvertedFile,
    base: torch.Tensor,
    queries: torch.Tensor | None,
    n_probes: int,
    found: torch.Tensor,
    *,
    is_first: bool,
) -> None:
    """Search one file; keep the best of its candidates, packed, and after the first of those found.

    A work item is a piece of the queries: the name of its list, and its number there.
    """
    n_rows, n_candidates = base.shape[0], found.shape[1]
    centres, (order, lists) = file.centres, file.ordered
    own = queries is None
    # Rows in order are read faster; for other queries, often few, the copy would not be worth it.
    rows = base.index_select(0, order) if own else None
    asking, asked = order, lists
    if queries is not None:
        asking, asked = _pieces(_nearest(queries, centres), len(lists))
    sizes = torch.tensor([sum(map(_length, pieces)) for pieces in lists])
    # If the lists were made for more rows than there are, more of them are searched.
    list_rows = max(n_rows / len(lists), LIST_ROWS)
    least = math.ceil(max(n_probes * list_rows, n_candidates + own))

    def compared_with(name: int, number: int) -> list[slice]:
        """Choose the pieces whose rows are compared with the queries, their own ones first."""
        similar = centres @ centres[name]
        similar[name] = torch.inf
        near = similar.topk(min(FEW_LISTS, len(lists))).indices.cpu()
        last = int(torch.searchsorted(sizes[near].cumsum(0), least))
        if last == near.numel():  # very short lists
            near = similar.argsort(descending=True, stable=True).cpu()
            last = int(torch.searchsorted(sizes[near].cumsum(0), least))
        pieces = [piece for each in near[: last + 1].tolist() for piece in lists[each]]
        if own:
            pieces.insert(0, pieces.pop(number))
        n_needed = bisect_left(list(accumulate(map(_length, pieces))), least) + 1
        # Of other queries the whole list is taken: a row that equals one of these is in it.
        return pieces[: n_needed if own else max(n_needed, len(lists[name]))]

    def look(item: tuple[int, int]) -> None:
        """Find the candidates of the queries of a piece."""
        parts, place = compared_with(*item), asked[item[0]][item[1]]
        names, positions = torch.cat([order[part] for part in parts]), asking[place]
        if rows is not None:
            table = rows[place] @ torch.cat([rows[part] for part in parts]).T
            table.diagonal().fill_(-torch.inf)
        elif queries is not None:
            table = queries.index_select(0, positions) @ base.index_select(0, names).T
        columns, values = reaching(table, n_candidates)
        candidates = packed(names[columns], values)
        if not is_first:
            candidates = torch.cat([candidates, found.index_select(0, positions)], dim=1)
        found[positions] = best_of(candidates, n_candidates)

    in_threads(look, [(i, j) for i, pieces in enumerate(asked) for j in range(len(pieces))])


def _length(piece: slice) -> int:
    length: int = piece.stop - piece.start
    return length


def _pieces(list_of: torch.Tensor, n_lists: int) -> tuple[torch.Tensor, list[list[slice]]]:
    """Order rows by their lists, and divide the lists into equal pieces that are not too large.

    Returns
    -------
    order : Tensor of shape (n_rows,), int64
    lists : list of list of slice
        The place of each piece of each list in the order.
    """
    order = list_of.argsort(stable=True)
    lists, low = [], 0
    for size in torch.bincount(list_of, minlength=n_lists).tolist():
        n_pieces = -(-size // PIECE_ROWS)
        bounds = [low + size * i // n_pieces for i in range(n_pieces + 1)] if size else []
        lists.append([slice(*ends) for ends in pairwise(bounds)])
        low += size
    return order, lists


def _kmeans(rows: torch.Tensor, n_lists: int, number: int = 0) -> torch.Tensor:
    """Spherical k-means on evenly spaced rows; centres of shape (n_lists, n_dims).

    Each `number`, below N_FILES, has other rows in the sample, and begins with others.
    """
    n = rows.shape[0]
    sample = rows[_evenly(n, min(n, SAMPLE_PER_LIST * n_lists), number, rows.device)]
    centres = _whole_numbers(sample[_evenly(sample.shape[0], n_lists, number, rows.device)])
    whole = _whole_numbers(sample)
    for _ in range(KMEANS_ROUNDS):
        cell = _nearest(whole, centres, rounded=True)
        sums = torch.zeros_like(centres).index_add_(0, cell, whole)
        centres = torch.where((sums != 0).any(dim=1, keepdim=True), _whole_numbers(sums), centres)
    return centres


def _evenly(n: int, count: int, number: int, device: torch.device) -> torch.Tensor:
    """Spread `count` of `n` indices evenly; `number` of N_FILES shifts them within their gap."""
    return (N_FILES * torch.arange(count, device=device) + number) * n // (N_FILES * count)


def _whole_numbers(rows: torch.Tensor) -> torch.Tensor:
    """Scale each row to one length and round it to integers from -STEPS to STEPS, in float32.

    Values beyond six times the row's root mean square are clipped.
    """
    exact = rows.double()
    scale = exact.square().mean(dim=1, keepdim=True).sqrt().clamp(min=1e-30)
    return (exact / scale * (STEPS / 6)).round().clamp(-STEPS, STEPS).float()


def _nearest(rows: torch.Tensor, centres: torch.Tensor, *, rounded: bool = False) -> torch.Tensor:
    """Find the most similar centre of each row, of shape (n_rows,); rows may be rounded before."""
    # Small results between the blocks' products would keep malloc from using their memory again.
    nearest = torch.empty(rows.shape[0], dtype=torch.int64, device=rows.device)

    def compare(start: int) -> None:
        block = rows[start : start + BLOCK_ROWS]
        whole = block if rounded else _whole_numbers(block)
        nearest[start : start + BLOCK_ROWS] = largest_column(whole @ centres.T)

    in_threads(compare, range(0, rows.shape[0], BLOCK_ROWS))
    return nearest
