"""A comparison -> which width to keep, what it gives and what it saves, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bertopic_matryoshka.comparison import by_width, paired_difference, seed_spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bertopic_matryoshka.comparison import Cell, DimensionComparison, Recommendation, SeedSpread

SPEED_RATIO = 1.1
"""Ratio of seconds up to which two widths are as fast as each other."""

AS_FAST = "as fast to fit"

FLOAT_BYTES = 4
"""Of a number of an embedding in float32."""


class Decision(NamedTuple):
    """What was decided for a line.

    Attributes
    ----------
    line : str
    recommendation : Recommendation or None
        None where no width can be recommended.
    refusal : str
        Why not; "" where one is.
    kept, widest : list of Cell
        At the width to keep, none without recommendation, and at the widest one; one a seed.
    full_dim : int
        Width of the model, which may be more than was compared.
    spread : SeedSpread or None
        What seeds do to coherence on this line.
    """

    line: str
    recommendation: Recommendation | None
    refusal: str
    kept: list[Cell]
    widest: list[Cell]
    full_dim: int
    spread: SeedSpread | None

    @property
    def is_narrower(self) -> bool:
        """Whether a width is kept that is not the widest."""
        return bool(self.kept) and self.kept[0].dim < self.widest[0].dim


def controls_of(comparison: DimensionComparison) -> set[str]:
    """Name the lines that others are held against: of random dimensions, and of control models."""
    return {
        name
        for name, line in comparison.lines.items()
        if line.cut == "random" or comparison.models[line.model].is_control
    }


def decide(comparison: DimensionComparison) -> dict[str, Decision]:
    """Decide for each line that is no control, in their order."""
    controls = controls_of(comparison)
    return {name: _decide(comparison, name) for name in comparison.lines if name not in controls}


def _decide(comparison: DimensionComparison, line: str) -> Decision:
    cells = comparison.cells_of(line)
    widest = comparison.cells_of(line, max(cell.dim for cell in cells))
    full_dim = comparison.models[cells[0].line.model].full_dim
    try:
        recommendation = comparison.recommend(line)
    except ValueError as error:
        return Decision(line, None, str(error), [], widest, full_dim, None)
    kept = comparison.cells_of(line, recommendation.dim)
    spread = seed_spread(by_width(cells).values())
    return Decision(line, recommendation, "", kept, widest, full_dim, spread)


def answer(decision: Decision, *, name_line: bool = False) -> str:
    """Say in a sentence what to keep, and what that gives and saves.

    Parameters
    ----------
    decision : Decision
    name_line : bool, default=False
        Whether to name the line, as there are others.

    Returns
    -------
    answer : str
        Such as "Keep 128 of 768 dimensions: coherence 0.485 against 0.480 at full width (difference
        +0.005, 95 % interval +0.001 to +0.009), 6 times less memory, 5 times faster to fit."
    """
    recommendation = decision.recommendation
    named = f" with {decision.line}" if name_line else ""
    if recommendation is None:
        return f"No width to recommend{named}: none gave two topics with each seed."
    dim, full = recommendation.dim, decision.full_dim
    keep = f"Keep {'all' if dim == full else f'{dim} of'} {full} dimensions{named}: "
    keep += f"coherence {mean_of(decision.kept, 'coherence'):.3f}"
    if decision.is_narrower:
        return f"{keep}{_gain(decision, recommendation)}."
    if recommendation.differences:
        return f"{keep}, and every narrower width that was compared is significantly worse."
    return f"{keep}. There is no other width to compare it with."


def _gain(decision: Decision, recommendation: Recommendation) -> str:
    """Say what coherence is held against, and what a narrower width saves."""
    kept, widest, full = decision.kept, decision.widest, decision.full_dim
    dim, wide = recommendation.dim, widest[0].dim
    against = ""
    if wide in {recommendation.best_dim, *recommendation.differences}:
        where = "at full width" if wide == full else f"at {wide}, the widest compared"
        against = difference(kept, widest, where, decision.spread)
    less = f"{_times(full / dim)} times less memory"
    speed = _speed(mean_of(widest, "seconds"), mean_of(kept, "seconds"))
    if wide != full:
        less += " than at full width"
        speed += f" {'as' if speed == AS_FAST else 'than'} at {wide}"
    return f"{against}, {less}, {speed}"


def certainty(decision: Decision) -> str:
    """Say how sure the answer is; "" where it says so itself."""
    recommendation = decision.recommendation
    if recommendation is None:
        return decision.refusal
    if not recommendation.differences or not decision.is_narrower:
        return ""
    if not recommendation.differs:
        return (
            "There is no difference in coherence between the widths that these data could show: "
            "the smallest is kept for its cost alone."
        )
    dim, best = recommendation.dim, recommendation.best_dim
    narrower = sorted((d for d in recommendation.differences if d < dim), reverse=True)
    said = f"{dim} has the highest coherence of all widths"
    if dim != best:
        said = f"{dim} is not significantly below the best, {best}"
    if narrower:
        verb = "is" if len(narrower) == 1 else "are"
        said += f"; {listed(map(str, narrower))} {verb} significantly worse than the best"
    return f"{said}."


def against_control(decision: Decision, comparison: DimensionComparison, control: str) -> str:
    """Say how a control does at the width to keep, or at its own widths where it has not that."""
    cells = comparison.cells_of(control)
    here = [cell for cell in cells if decision.kept and cell.dim == decision.kept[0].dim]
    if not here:
        dims = list(dict.fromkeys(cell.dim for cell in cells))
        means = [mean_of(comparison.cells_of(control, dim), "coherence") for dim in dims]
        values = " and ".join(f"{mean:.3f}" for mean in means)
        if len(means) > 2:
            values = f"{np.nanmin(means):.3f} to {np.nanmax(means):.3f}"
        return f"Coherence {values} at {listed(map(str, dims))} dimensions."
    said = f"At {here[0].dim} dimensions coherence {mean_of(here, 'coherence'):.3f}"
    # Drawn dimensions make seeds differ more than the first ones do, so that both are asked.
    spread = seed_spread([here, decision.kept])
    said += difference(here, decision.kept, f"with {decision.line}", spread)
    if here[0].ami is not None:
        said += f", AMI {mean_of(here, 'ami'):.3f} against {mean_of(decision.kept, 'ami'):.3f}"
    return f"{said}."


def difference(
    cells: Sequence[Cell], others: Sequence[Cell], where: str, spread: SeedSpread | None
) -> str:
    """Say what coherence is held against, and by how much it differs."""
    found = paired_difference(cells, others, spread)
    mean, low, high = (_signed(value) for value in (found.mean, found.low, found.high))
    interval = f"95\N{NO-BREAK SPACE}% interval {low} to {high}"
    return f" against {mean_of(others, 'coherence'):.3f} {where} (difference {mean}, {interval})"


def mean_of(cells: Iterable[Cell], measured: str) -> float:
    """Average a measure over cells, one a seed."""
    return float(np.mean([getattr(cell, measured) for cell in cells]))


def memory(n_documents: int, dim: int) -> str:
    """Write the size of embeddings in float32, such as "1.5 MB"."""
    size = float(n_documents * dim * FLOAT_BYTES)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.3g} {unit}" if size < 1000 else f"{size:,.0f} {unit}"


def listed(words: Iterable[str]) -> str:
    """Write words with commas and a last "and"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short(number: float) -> str:
    """Write a number with one decimal, where it has any."""
    return f"{number:,.1f}".removesuffix(".0")


def _speed(before: float, now: float) -> str:
    if max(before, now) <= SPEED_RATIO * min(before, now):
        return AS_FAST
    if now < before:
        return f"{_times(before / now)} times faster to fit"
    return f"{_times(now / before)} times slower to fit"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else short(ratio)


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
