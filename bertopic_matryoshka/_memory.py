"""Computation in blocks of rows, which are halved where a GPU's memory runs out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from bertopic_matryoshka._threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

logger = logging.getLogger(__name__)


def halve_if_out_of_memory(
    compute: Callable[[int], T], size: int, *, unit: str = "rows"
) -> tuple[T, int]:
    """Call ``compute(size)``, again with half the size each time a GPU's memory runs out.

    Parameters
    ----------
    compute : callable
        Function of the size of a block. Calling it again must be safe.
    size : int
        Initial size, >= 1.
    unit : str, default="rows"
        Unit of the size, for the log.

    Returns
    -------
    result
        Result of `compute`.
    size : int
        Size at which it succeeded, for the next block.

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
    compute: Callable[[int, int], T], n: int, size: int, *, device: str, unit: str = "rows"
) -> list[tuple[int, T]]:
    """Call ``compute(start, stop)`` for blocks of `n` rows, halved if a GPU's memory runs out.

    On a CPU blocks are computed on several threads, see in_threads; on a GPU one after another.

    Parameters
    ----------
    compute : callable
        Function of the first row of a block and the one after its last.
    n, size : int
        Number of rows, and the maximum in a block; a `size` below 1 is 1.
    device : str
        Device that computes.
    unit : str, default="rows"
        Unit of the size, for the log.

    Returns
    -------
    blocks : list of (start, result)
        First row of each block, and the result of `compute`, in order.
    """
    size = max(1, min(size, n))
    span = size if device.startswith("cpu") else max(1, n)

    def part(start: int) -> list[tuple[int, T]]:
        return list(_halved(compute, start, min(start + span, n), size, unit))

    return [block for blocks in in_threads(part, range(0, n, span)) for block in blocks]


def _halved(
    compute: Callable[[int, int], T], start: int, end: int, size: int, unit: str
) -> Iterator[tuple[int, T]]:
    """Compute block after block; a size that ran out of memory is not tried again."""
    while start < end:

        def block(size: int, start: int = start) -> T:
            return compute(start, min(start + size, end))

        result, size = halve_if_out_of_memory(block, size, unit=unit)
        yield start, result
        start += size
