"""Word ids -> in which sliding windows each word is seen, as intervals of windows."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch

from bertopic_matryoshka._memory import halve_if_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bertopic_matryoshka.evaluation._tokens import Chunk

OVERLAPS = {"cpu": 2**22, "cuda": 2**26}
"""Overlaps of intervals that are listed at a time."""


class Intervals(NamedTuple):
    """Windows in which a word is seen: from `start` to `end`, both included, by start.

    All are int64 tensors of shape (n_intervals,). Windows are numbered through all documents of a
    chunk, so that no interval reaches into another document. A word's intervals are disjoint.
    """

    word: torch.Tensor
    document: torch.Tensor
    start: torch.Tensor
    end: torch.Tensor

    def of(self, wanted: torch.Tensor) -> Intervals:
        """Keep the intervals where `wanted`, a bool tensor of shape (n_intervals,), is true."""
        return Intervals(*(field[wanted] for field in self))


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch on one thread of the CPU, as long as the block lasts.

    Steps are so short that a second one gains little, and where other work takes its core each step
    waits for it: 30 times as long was measured.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def count_windows(lengths: torch.Tensor, window_size: int | None) -> torch.Tensor:
    """Count the windows of documents: at least one in each, also in an empty one."""
    if window_size is None:
        return torch.ones_like(lengths)
    return (lengths - window_size + 1).clamp(min=1)


def seen_in(chunk: Chunk, window_size: int | None, device: str) -> Intervals:
    """Find the windows in which words are seen, as gensim's sliding windows see them.

    A window moves over a document a token at a time; a document that is no longer than the window
    is one window. When a token leaves the window, its word counts as gone until it enters again,
    though it may stand in the window a second time: gensim's treatment of repeated words, kept here
    so that the counts are equal.

    Parameters
    ----------
    chunk : Chunk
        Tokens with the id -1 are no words, but take their places.
    window_size : int or None
        In tokens; None is a window over the whole document.
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
    # The first window that the token is in, as the place where that window begins.
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
    return Intervals(word, document, start, end).of(by_start)


def overlaps(
    some: Intervals, others: Intervals, *, strictly_later: bool
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """List the overlaps of intervals with those that start while they last, in blocks.

    Parameters
    ----------
    some, others : Intervals
    strictly_later : bool
        Whether intervals of `others` that start in the same window are left out.

    Yields
    ------
    i, j, windows : Tensor of shape (n_overlaps,), int64
        Indices into `some` and `others`, and how many windows both are in.
    """
    low = torch.searchsorted(others.start, some.start, right=strictly_later)
    high = torch.searchsorted(others.start, some.end, right=True)
    yield from _listed(some, others, low, high)


def overlaps_within(
    intervals: Intervals,
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """List each overlap among intervals once, as :func:`overlaps` does."""
    low = torch.arange(1, intervals.start.shape[0] + 1, device=intervals.start.device)
    high = torch.searchsorted(intervals.start, intervals.end, right=True)
    yield from _listed(intervals, intervals, low, high)


def _listed(
    some: Intervals, others: Intervals, low: torch.Tensor, high: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """List the overlaps of some[i] with others[low[i]:high[i]], fewer at a time if memory ends."""
    count = (high - low).clamp(min=0)
    before = count.cumsum(0)
    size = OVERLAPS.get(before.device.type, OVERLAPS["cpu"])
    row = 0
    while row < count.shape[0]:
        block = partial(_block, some, others, low, count, before, row)
        (overlapping, row), size = halve_if_out_of_memory(block, size, unit="overlaps")
        yield overlapping


def _block(
    some: Intervals,
    others: Intervals,
    low: torch.Tensor,
    count: torch.Tensor,
    before: torch.Tensor,
    row: int,
    size: int,
) -> tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], int]:
    """List about `size` overlaps, from `row` on, and give the row that comes next."""
    done = int(before[row - 1]) if row else 0
    until = max(int(torch.searchsorted(before, done + size, right=True)), row + 1)
    n = count[row:until]
    i = torch.repeat_interleave(torch.arange(row, until, device=n.device), n)
    begins = n.cumsum(0) - n
    j = torch.arange(i.shape[0], device=n.device) + (low[row:until] - begins)[i - row]
    windows = torch.minimum(some.end[i], others.end[j]) - others.start[j] + 1
    return (i, j, windows), until
