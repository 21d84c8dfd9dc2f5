"""The cells of a line -> the width to keep, and how far to believe it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka.comparison._significance import Difference, paired_difference, seed_spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bertopic_matryoshka.comparison._result import Cell

MANY_OUTLIERS = 0.5
"""Share of outliers from which coherence speaks of a minority of the documents."""

TOPICS_RATIO = 1.5
"""Ratio between numbers of topics from which these alone move coherence noticeably."""


@dataclass(frozen=True)
class Recommendation:
    """The smallest width that is not significantly worse than the best.

    Attributes
    ----------
    dim : int
        The width to keep.
    line : str
        What it was decided for, such as "variance".
    best_dim : int
        The width with the highest coherence.
    differs : bool
        Whether any width is significantly worse than the best. Where none is, the widths cannot be
        told apart by coherence, and the smallest is recommended for its cost alone.
    differences : dict of int to Difference
        Of each width that can be scored, to the best.
    reason : str
        How it was decided, with figures.
    cautions : tuple of str
        Why coherence alone may mislead here; empty where nothing was noticed.
    """

    dim: int
    line: str
    best_dim: int
    differs: bool
    differences: dict[int, Difference]
    reason: str
    cautions: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([self.reason, *self.cautions])


def recommend(
    cells: Sequence[Cell], line: str, full_dim: int, alpha: float = 0.05
) -> Recommendation:
    """Find the smallest width that is not significantly worse than the best.

    See DimensionComparison.recommend, which calls it with the cells of a line and the width of the
    model's full embeddings.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} must be between 0 and 1, such as 0.05.")
    by_dim = by_width(cells)
    means = {dim: float(np.mean([c.coherence for c in at])) for dim, at in by_dim.items()}
    scored = [
        dim
        for dim, mean in means.items()
        if not math.isnan(mean) and all(cell.n_topics > 1 for cell in by_dim[dim])
    ]
    if not scored:
        raise ValueError(
            f"No width with {line!r} gave two topics that can be scored with each seed, so there "
            "is none to recommend. Lower min_topic_size or try another reduction."
        )
    best = max(scored, key=lambda dim: (means[dim], -dim))
    spread = seed_spread(by_dim.values())
    differences = {
        dim: paired_difference(by_dim[dim], by_dim[best], spread) for dim in scored if dim != best
    }
    worse = _significant({dim: d.p_worse for dim, d in differences.items()}, alpha)
    chosen = min(dim for dim in scored if dim not in worse)
    reason = _reason(chosen, best, line, means, differences, worse, full_dim)
    cautions = tuple(_cautions(by_dim[chosen], by_dim, scored))
    return Recommendation(chosen, line, best, bool(worse), differences, reason, cautions)


def by_width(cells: Iterable[Cell]) -> dict[int, list[Cell]]:
    """Group cells by width, widest first."""
    groups: dict[int, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.dim, []).append(cell)
    return dict(sorted(groups.items(), reverse=True))


def caution_across(cells: Sequence[Cell]) -> str:
    """Say so where the lines' numbers of topics forbid a comparison; "" where not."""
    counts = [cell.n_topics for cell in cells if cell.n_topics] or [1]
    if len({cell.line for cell in cells}) < 2 or max(counts) <= TOPICS_RATIO * min(counts):
        return ""
    return (
        f"The models have {min(counts)} to {max(counts)} topics: coherence, diversity and AMI "
        "depend on that number, so compare them across lines with care, or at equal n_topics."
    )


def _significant(p_values: Mapping[int, float], alpha: float) -> set[int]:
    """Find the widths that are worse after Holm's correction for comparing several."""
    worse = set()
    for rank, dim in enumerate(sorted(p_values, key=p_values.__getitem__)):
        if p_values[dim] > alpha / (len(p_values) - rank):
            break
        worse.add(dim)
    return worse


def _reason(
    chosen: int,
    best: int,
    line: str,
    means: Mapping[int, float],
    differences: Mapping[int, Difference],
    worse: set[int],
    full_dim: int,
) -> str:
    keep = f"Keep {chosen} of {full_dim} dimensions with {line}: coherence {means[chosen]:.3f}"
    if len(means) == 1:
        return f"{keep} is that of the only width compared."
    if chosen == best:
        verdict = "the highest of all widths"
        lost = ""
    else:
        verdict = f"not significantly below the best, {means[best]:.3f} at {best}"
        at_most = -differences[chosen].low
        lost = f" With 95 % confidence {chosen} loses at most {at_most:.3f} to it."
    if not worse:
        return (
            f"{keep} is {verdict}. There is no difference between the widths that these data could "
            f"show.{lost}"
        )
    named = ", ".join(map(str, sorted(worse)))
    verb = "is" if len(worse) == 1 else "are"
    return f"{keep} is {verdict}; {named} {verb} significantly worse.{lost}"


def _cautions(
    chosen: Sequence[Cell], by_dim: Mapping[int, Sequence[Cell]], scored: Sequence[int]
) -> list[str]:
    cautions = []
    outliers = float(np.mean([cell.outlier_share for cell in chosen]))
    if outliers > MANY_OUTLIERS:
        cautions.append(
            f"But {outliers:.0%} of the documents are outliers there: coherence speaks of the "
            "others alone."
        )
    counts = [cell.n_topics for dim in scored for cell in by_dim[dim]]
    if max(counts) > TOPICS_RATIO * min(counts):
        cautions.append(
            f"The widths differ in their number of topics ({min(counts)} to {max(counts)}), which "
            "moves coherence by itself."
        )
    if len(scored) < len(by_dim):
        without = ", ".join(str(dim) for dim in by_dim if dim not in scored)
        cautions.append(f"Not every seed gave two topics that can be scored at {without}.")
    return cautions
