"""What is computed in blocks, in smaller ones where a GPU's memory runs out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

logger = logging.getLogger(__name__)


def halve_if_out_of_memory(
    compute: Callable[[int], T], size: int, *, unit: str = "rows"
) -> tuple[T, int]:
    """Call ``compute(size)``; where a GPU's memory runs out, again with half the size.

    Parameters
    ----------
    compute : callable
        Takes the size of a block. What it changes must be the same when it is called again.
    size : int
        To begin with, >= 1.
    unit : str, default="rows"
        What the size counts, for the log.

    Returns
    -------
    result
        What `compute` returned.
    size : int
        The size at which it did: the one to go on with.

    Raises
    ------
    torch.cuda.OutOfMemoryError
        If memory runs out at a size of 1.
    """
    import torch

    while True:
        try:
            return compute(size), size
        except torch.cuda.OutOfMemoryError:  # noqa: PERF203  (the loop is for it)
            if size == 1:
                raise
            size //= 2
            logger.info("out of memory: continuing with blocks of %d %s", size, unit)


def in_blocks(
    compute: Callable[[int, int], T], n: int, size: int, *, unit: str = "rows"
) -> Iterator[tuple[int, T]]:
    """Call ``compute(start, stop)`` for blocks of `n` rows, smaller ones if memory runs out.

    Parameters
    ----------
    compute : callable
        Takes the first row of a block and the one after its last.
    n, size : int
        How many there are, and how many a block has at most; below 1 is 1.
    unit : str, default="rows"
        What they count, for the log.

    Yields
    ------
    start : int
    result
        What `compute` returned.
    """
    start, size = 0, max(1, min(size, n))
    while start < n:

        def block(size: int, start: int = start) -> T:
            return compute(start, min(start + size, n))

        result, size = halve_if_out_of_memory(block, size, unit=unit)
        yield start, result
        start += size
