"""Word ids -> intervals of the sliding windows that contain each word."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch

from bertopic_matryoshka._memory import halve_if_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertopic_matryoshka.evaluation._tokens import Chunk

OVERLAPS = {"cpu": 2**22, "cuda": 2**26}
"""Number of overlaps of intervals that are listed at a time, by type of device."""


class Intervals(NamedTuple):
    """Intervals of windows that contain a word, from `start` to `end` inclusive, sorted by start.

    All are int64 tensors of shape (n_intervals,). Windows are numbered across the documents of a
    chunk, and each lies in one document. A word's intervals are disjoint.
    """

    word: torch.Tensor
    document: torch.Tensor
    start: torch.Tensor
    end: torch.Tensor


def count_windows(lengths: torch.Tensor, window_size: int | None) -> torch.Tensor:
    """Count the windows of each document: at least one, even if it is empty."""
    if window_size is None:
        return torch.ones_like(lengths)
    return (lengths - window_size + 1).clamp(min=1)


def seen_in(chunk: Chunk, window_size: int | None, device: str) -> Intervals:
    """Find the windows that contain each word, as gensim's sliding windows do.

    A window slides over a document one token at a time; a document that is no longer than the
    window is one window. When a token leaves the window, its word counts as absent until it enters
    again, even if the window contains it a second time. This is gensim's treatment of repeated
    words, kept here so that the counts are equal.

    Parameters
    ----------
    chunk : Chunk
        Tokens with the id -1 are not counted, but occupy a position.
    window_size : int or None
        Size of the window in tokens; None is a window over the whole document.
    device : str

    Returns
    -------
    intervals : Intervals
    """
    ids = torch.from_numpy(chunk.ids).to(device)
    lengths = torch.from_numpy(chunk.lengths).to(device)
    n_tokens = int(ids.shape[0])
    place = torch.nonzero(ids >= 0)[:, 0]
    word = ids[place].long()
    first = lengths.cumsum(0) - lengths  # place of each document's first token
    document = torch.searchsorted(lengths.cumsum(0), place, right=True)
    windows = count_windows(lengths, window_size)
    # Position at which the first window that contains the token begins.
    enters = first[document]
    if window_size is not None:
        enters = torch.maximum(enters, place - window_size + 1)
    # The word is gone once its first token in that window has left.
    keys = word * n_tokens + place
    order = keys.argsort()
    word, document, enters, keys = word[order], document[order], enters[order], keys[order]
    leaver = torch.searchsorted(keys, word * n_tokens + enters)
    leaves = place[order][leaver] if leaver.numel() else enters
    # Of tokens that share their leaver, the first has entered first, and the rest add nothing.
    new = torch.ones_like(leaver, dtype=torch.bool)
    new[1:] = leaver[1:] != leaver[:-1]
    word, document, enters, leaves = word[new], document[new], enters[new], leaves[new]
    offset = windows.cumsum(0) - windows - first
    last = (windows.cumsum(0) - 1)[document]
    start = enters + offset[document]
    end = torch.minimum(leaves + offset[document], last)
    by_start = start.argsort(stable=True)
    return Intervals(*(field[by_start] for field in (word, document, start, end)))


def overlaps_within(
    intervals: Intervals,
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """List each overlap among intervals once, in blocks that fit in memory.

    Yields
    ------
    i, j, windows : Tensor of shape (n_overlaps,), int64
        Indices of two intervals, and the number of windows in both.
    """
    low = torch.arange(1, intervals.start.shape[0] + 1, device=intervals.start.device)
    high = torch.searchsorted(intervals.start, intervals.end, right=True)
    count = (high - low).clamp(min=0)
    before = count.cumsum(0)
    size = OVERLAPS.get(before.device.type, OVERLAPS["cpu"])
    row = 0
    while row < count.shape[0]:
        block = partial(_block, intervals, low, count, before, row)
        (overlapping, row), size = halve_if_out_of_memory(block, size, unit="overlaps")
        yield overlapping


def _block(
    intervals: Intervals,
    low: torch.Tensor,
    count: torch.Tensor,
    before: torch.Tensor,
    row: int,
    size: int,
) -> tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], int]:
    """List about `size` overlaps, from `row` on, and return the next row."""
    done = int(before[row - 1]) if row else 0
    until = max(int(torch.searchsorted(before, done + size, right=True)), row + 1)
    n = count[row:until]
    i = torch.repeat_interleave(torch.arange(row, until, device=n.device), n)
    begins = n.cumsum(0) - n
    j = torch.arange(i.shape[0], device=n.device) + (low[row:until] - begins)[i - row]
    windows = torch.minimum(intervals.end[i], intervals.end[j]) - intervals.start[j] + 1
    return (i, j, windows), until
