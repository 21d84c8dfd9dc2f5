"""A comparison -> the width to keep, and how far to believe it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertopic_matryoshka.cell import Cell

MANY_OUTLIERS = 0.5
"""Share of outliers from which coherence speaks of a minority of the documents."""

TOPICS_RATIO = 1.5
"""Ratio between numbers of topics from which these alone move coherence noticeably."""


@dataclass(frozen=True)
class Recommendation:
    """The smallest width that is not worse than the best.

    Attributes
    ----------
    dim : int
        The width to keep.
    reduction : str
        The reduction that it was decided for.
    best_dim : int
        The width with the highest coherence.
    reason : str
        How it was decided, with figures.
    cautions : tuple of str
        Why coherence alone may mislead here; empty where nothing was noticed.
    """

    dim: int
    reduction: str
    best_dim: int
    reason: str
    cautions: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([self.reason, *self.cautions])


def recommend(cells: Sequence[Cell], reduction: str) -> Recommendation:
    """Apply the one-standard-error rule to the cells of a reduction.

    See DimensionComparison.recommend, which calls it.
    """
    candidates = [cell for cell in cells if cell.reduction == reduction]
    if not candidates:
        there = ", ".join(sorted({cell.reduction for cell in cells}))
        raise ValueError(f"reduction={reduction!r} was not compared; there are: {there}.")
    scored = [cell for cell in candidates if not math.isnan(cell.coherence)]
    if not scored:
        raise ValueError(
            f"No width with reduction={reduction!r} gave a topic that can be scored, so there is "
            "none to recommend. Lower min_topic_size or try another reduction."
        )
    best = max(scored, key=lambda cell: (cell.coherence, -cell.dim))
    error = 0.0 if math.isnan(best.coherence_error) else best.coherence_error
    chosen = min(
        (cell for cell in scored if cell.coherence >= best.coherence - error),
        key=lambda cell: cell.dim,
    )
    widest = max(cell.dim for cell in candidates)
    if len(candidates) == 1:
        verdict = "that of the only width compared"
    elif chosen is best:
        verdict = "the highest of all widths, and no smaller one comes within a standard error"
    else:
        verdict = (
            f"within one standard error ({error:.3f}) of the best, {best.coherence:.3f} at "
            f"{best.dim}"
        )
    reason = (
        f"Keep {chosen.dim} of {widest} dimensions with {reduction}: coherence "
        f"{chosen.coherence:.3f} is {verdict}."
    )
    return Recommendation(
        chosen.dim, reduction, best.dim, reason, tuple(_cautions(chosen, scored, candidates))
    )


def caution_across(cells: Sequence[Cell]) -> str:
    """Say so where the reductions' numbers of topics forbid a comparison; "" where not."""
    counts = [cell.n_topics for cell in cells if cell.n_topics] or [1]
    if len({cell.reduction for cell in cells}) < 2 or max(counts) <= TOPICS_RATIO * min(counts):
        return ""
    return (
        f"The models have {min(counts)} to {max(counts)} topics: coherence, diversity and AMI "
        "depend on that number, so compare them across reductions with care."
    )


def _cautions(chosen: Cell, scored: list[Cell], candidates: list[Cell]) -> list[str]:
    cautions = []
    if chosen.outlier_share > MANY_OUTLIERS:
        cautions.append(
            f"But {chosen.outlier_share:.0%} of the documents are outliers there: coherence speaks "
            "of the others alone."
        )
    fewest, most = (f(cell.n_topics for cell in scored) for f in (min, max))
    if most > TOPICS_RATIO * fewest:
        cautions.append(
            f"The widths differ in their number of topics ({fewest} to {most}), which moves "
            "coherence by itself."
        )
    if len(scored) < len(candidates):
        without = ", ".join(str(cell.dim) for cell in candidates if math.isnan(cell.coherence))
        cautions.append(f"No topic could be scored at {without}.")
    return cautions
