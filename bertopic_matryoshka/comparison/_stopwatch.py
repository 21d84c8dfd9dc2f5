"""Wall clock of the stages inside a fit, read from the estimators that do the work."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_METHODS = ("fit", "fit_transform", "partial_fit", "transform", "predict")


class Stopwatch:
    """Adds up seconds by stage.

    Attributes
    ----------
    seconds : dict of str to float
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._running: set[str] = set()

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage; nested blocks of the same stage are not added."""
        if stage in self._running:
            yield
            return
        self._running.add(stage)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start
            self._running.discard(stage)

    @contextmanager
    def watching(self, estimator: Any, stage: str) -> Iterator[None]:
        """Within the block, add the time of an estimator's fit, transform and predict."""
        watched = [name for name in _METHODS if callable(getattr(estimator, name, None))]
        for name in watched:
            setattr(estimator, name, self._timed(getattr(estimator, name), stage))
        try:
            yield
        finally:
            for name in watched:
                delattr(estimator, name)

    def _timed(self, method: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @wraps(method)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.running(stage):
                return method(*args, **kwargs)

        return timed
