"""Independent pieces of work -> results in order, on threads that do not wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

import joblib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")


_allowed: ContextVar[int | None] = ContextVar("_allowed", default=None)
"""Number of threads that torch had before one_thread."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one CPU thread within the block; :func:`in_threads` still uses several.

    Where steps are short, a second thread gains little. On a busy machine each step waits for the
    slowest thread: 30 times as long was measured.
    """
    import torch

    before, token = torch.get_num_threads(), _allowed.set(count_threads())
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _allowed.reset(token)


def count_threads() -> int:
    """Count the threads that torch may use and that processors are there for.

    The limits of a container count, which torch does not see.
    """
    import torch

    allowed = _allowed.get()
    if allowed is None:
        allowed = max(1, min(torch.get_num_threads(), int(joblib.cpu_count())))
    return allowed


def in_threads(compute: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Call a function for each item, on as many threads as :func:`count_threads` says.

    Each thread takes the next item when it has done one, and torch does not divide an item's work
    further. So no thread waits for a slower one before the end, as the threads do that share each
    product of matrices. An item's result does not depend on the number of threads.

    Parameters
    ----------
    compute : callable
        Function of an item. It may write to its own part of an array.
    items : iterable
        Each should be worth a millisecond or more.

    Returns
    -------
    results : list
        In the order of the items.
    """
    import torch

    todo = list(items)
    n_threads = min(count_threads(), len(todo))
    with one_thread():
        if n_threads < 2:
            return [compute(item) for item in todo]
        pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
        try:
            return list(pool.map(compute, todo))
        finally:
            pool.shutdown(cancel_futures=True)
