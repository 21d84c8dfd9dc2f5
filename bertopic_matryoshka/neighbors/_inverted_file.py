"""Rows -> candidates for their nearest neighbours, by inverted files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from bertopic_matryoshka._threads import in_threads
from bertopic_matryoshka.neighbors._largest import largest

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
    order : Tensor of shape (n_rows,), int64
        Rows, list by list.
    pieces : list of slice
        Place of each piece in the order.
    list_of : Tensor of shape (n_pieces,), int64
        List of each piece.
    """

    centres: torch.Tensor
    order: torch.Tensor
    pieces: list[slice]
    list_of: torch.Tensor


def build_file(base: torch.Tensor, number: int) -> InvertedFile:
    """Divide rows, of shape (n_rows, n_dims), into lists; each `number` has other borders."""
    n_rows = base.shape[0]
    n_lists = max(1, min(n_rows // LIST_ROWS, int(MOST_LISTS * n_rows**0.5)))
    centres = _kmeans(base, n_lists, number)
    return InvertedFile(centres, *_pieces(_nearest(base, centres)))


def inverted_file_candidates(
    base: torch.Tensor,
    queries: torch.Tensor | None,
    n_candidates: int,
    n_probes: int,
    files: Sequence[InvertedFile] | None = None,
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
    files : sequence of InvertedFile or None, default=None
        The files of these rows, where they are searched more than once. None builds each, and
        drops it.

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
    found = torch.empty((n_queries, n_candidates), dtype=torch.int32, device=base.device)
    scores = torch.empty((n_queries, n_candidates), device=base.device)
    for number in range(N_FILES):
        file = build_file(base, number) if files is None else files[number]
        _search_file(file, base, queries, n_probes, found, scores, is_first=number == 0)
    return found


def _search_file(
    file: InvertedFile,
    base: torch.Tensor,
    queries: torch.Tensor | None,
    n_probes: int,
    found: torch.Tensor,
    scores: torch.Tensor,
    *,
    is_first: bool,
) -> None:
    """Search one file, and keep the best of its candidates and, after the first, those found."""
    n_rows, n_candidates = base.shape[0], found.shape[1]
    centres, order, pieces, list_of = file.centres, file.order, file.pieces, file.list_of
    sizes = torch.tensor([piece.stop - piece.start for piece in pieces])
    own = queries is None
    # Rows in order are read faster; for other queries, often few, the copy would not be worth it.
    rows = base[order] if own else None
    query_rows, asking, asked, asked_list = base, order, pieces, list_of
    if queries is not None:
        query_rows = queries
        asking, asked, asked_list = _pieces(_nearest(queries, centres))
    least = math.ceil(max(n_probes * n_rows / centres.shape[0], n_candidates + own))

    def look(piece: int) -> None:
        """Find the candidates of the queries of a piece."""
        similar = centres[list_of] @ centres[asked_list[piece]]
        # Of other queries the whole list comes first: a row that equals one of these is in it.
        first = piece if own else list_of == asked_list[piece]
        similar[first] = torch.inf
        near = similar.argsort(descending=True, stable=True).cpu()
        last = int(torch.searchsorted(sizes[near].cumsum(0), least))
        last = max(last, int(torch.isinf(similar).sum()) - 1)
        parts = [pieces[i] for i in near[: last + 1].tolist()]
        names = torch.cat([order[part] for part in parts])
        positions = asking[asked[piece]]
        compared = base[names] if rows is None else torch.cat([rows[part] for part in parts])
        table = query_rows[positions] @ compared.T
        if own:
            table.diagonal().fill_(-torch.inf)
        best = largest(table, n_candidates)
        near_names, values = names.to(torch.int32)[best], table.gather(1, best)
        if not is_first:
            near_names, values = _merged(near_names, values, found[positions], scores[positions])
        found[positions], scores[positions] = near_names, values

    in_threads(look, range(len(asked)))


def _merged(
    names: torch.Tensor, values: torch.Tensor, found: torch.Tensor, scores: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keep the best candidates of two lots, each once; all of shape (n_queries, n_candidates)."""
    n_candidates = names.shape[1]
    names, order = torch.cat([names, found], dim=1).sort(dim=1)
    values = torch.cat([values, scores], dim=1).gather(1, order)
    values[:, 1:].masked_fill_(names[:, 1:] == names[:, :-1], -torch.inf)
    best = values.topk(n_candidates, dim=1, sorted=False)
    return names.gather(1, best.indices), best.values


def _pieces(list_of: torch.Tensor) -> tuple[torch.Tensor, list[slice], torch.Tensor]:
    """Order rows by their lists, and divide the lists into equal pieces that are not too large.

    Returns
    -------
    order : Tensor of shape (n_rows,), int64
    pieces : list of slice
        Each piece's place in the order.
    list_of : Tensor of shape (n_pieces,), int64
        List of each piece.
    """
    order = list_of.argsort(stable=True)
    pieces, lists, low = [], [], 0
    for name, size in enumerate(torch.bincount(list_of).tolist()):
        n_pieces = -(-size // PIECE_ROWS)
        bounds = [low + size * i // n_pieces for i in range(n_pieces + 1)] if size else []
        pieces += [slice(*ends) for ends in pairwise(bounds)]
        lists += [name] * n_pieces
        low += size
    return order, pieces, torch.tensor(lists, device=list_of.device)


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
        nearest[start : start + BLOCK_ROWS] = (whole @ centres.T).argmax(dim=1)

    in_threads(compare, range(0, rows.shape[0], BLOCK_ROWS))
    return nearest
