"""Neighbour graphs that several fits share, each kept with the seconds that it took to build."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from joblib import Memory

if TYPE_CHECKING:
    from collections.abc import Callable


class GraphCache:
    """Stands for the `memory` of one LeidenClustering.

    A fit that finds its graph built is charged what building it took, so that the fits of several
    seeds compare like with like.

    Parameters
    ----------
    folder : str or None
        Folder that fits share; None keeps nothing.

    Attributes
    ----------
    graph_seconds : float
        Wall clock of building the graphs of the fit, whenever that was.
    spent_seconds : float
        Wall clock that the fit itself spent on them, with hashing, reading and writing.
    """

    def __init__(self, folder: str | None) -> None:
        self._cached = Memory(folder, verbose=0).cache(_timed, ignore=["function"])
        self.graph_seconds = self.spent_seconds = 0.0

    def cache(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Cache a function, as joblib.Memory does."""
        name = f"{function.__module__}.{function.__qualname__}"

        def cached(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            result, seconds = self._cached(function, name, *args, **kwargs)
            self.graph_seconds += seconds
            self.spent_seconds += time.perf_counter() - start
            return result

        return cached


def _timed(
    function: Callable[..., Any],
    name: str,  # noqa: ARG001  (stands for the function among what is hashed)
    *args: Any,
    **kwargs: Any,
) -> tuple[Any, float]:
    start = time.perf_counter()
    result = function(*args, **kwargs)
    return result, time.perf_counter() - start
