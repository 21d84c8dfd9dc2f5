"""Steps of a comparison, shown as a progress bar or passed to a callable."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

if TYPE_CHECKING:
    from types import TracebackType

Progress = Callable[[int, int, str], None]
"""Callable of the number of finished steps, the number of all steps, and the next one's name."""


class Steps:
    """Counts steps; a context manager that closes its bar.

    Parameters
    ----------
    total : int
        Number of steps.
    progress : bool or callable
        Whether to show a tqdm bar, or a callable to use instead.
    """

    def __init__(self, total: int, progress: bool | Progress) -> None:
        self._total = total
        self._tell = progress if callable(progress) else None
        self._bar = tqdm(total=total, desc="Comparing", disable=progress is not True)
        self._begun = 0

    def begin(self, step: str) -> None:
        """Begin a step, which ends the one before."""
        self._show(self._begun, step)
        self._begun += 1

    def _show(self, done: int, step: str) -> None:
        self._bar.set_postfix_str(step, refresh=False)
        self._bar.update(done - self._bar.n)
        if self._tell:
            self._tell(done, self._total, step)

    def __enter__(self) -> Steps:  # noqa: PYI034  (Self is not in Python 3.10)
        return self

    def __exit__(
        self,
        error: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._show(self._total, "done")
        self._bar.close()
