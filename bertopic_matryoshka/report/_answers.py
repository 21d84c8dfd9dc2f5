"""A comparison -> the answer for each topic model: one line, three figures, the reason."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bertopic_matryoshka.report._data import count, measured, sweeps_of

if TYPE_CHECKING:
    from bertopic_matryoshka.comparison import DimensionComparison, Recommendation
    from bertopic_matryoshka.report._data import Sweep


class Answer(NamedTuple):
    """The width to keep of one topic model.

    Attributes
    ----------
    title : str
        Name of the topic model; empty if it is the only one.
    headline : str
        The answer in at most 15 words.
    figures : dict of str to str
        Topics kept, coherence and cost at the width that the answer is about.
    reason : str
        The rule and what it found; empty where the headline says all.
    """

    title: str
    headline: str
    figures: dict[str, str]
    reason: str


def answers(comparison: DimensionComparison) -> list[Answer]:
    """Give the answer for each topic model that is not a control and has several widths.

    If none has, the answer is that there is no width to choose.
    """
    sweeps = [sweep for sweep in sweeps_of(comparison) if not sweep.is_control]
    sweeps = [sweep for sweep in sweeps if len(sweep.runs) > 1] or sweeps[:1]
    several = len(sweeps) > 1
    return [_answer(comparison, sweep, sweep.title if several else "") for sweep in sweeps]


def _answer(comparison: DimensionComparison, sweep: Sweep, title: str) -> Answer:
    runs = [run for at in sweep.runs.values() for run in at]
    if all(run.n_topics == 0 for run in runs):
        return Answer(title, "No topics were found at any width.", {}, "")
    if len(sweep.runs) == 1:
        return Answer(title, "One width was compared, so there is no width to choose.", {}, "")
    found = comparison.recommend(sweep.title)
    return Answer(title, found.headline, _figures(comparison, sweep, found), str(found))


def _figures(
    comparison: DimensionComparison, sweep: Sweep, found: Recommendation
) -> dict[str, str]:
    """Figures of the width that is kept, or of the next one where none narrower is."""
    full = found.reference_dim
    narrower = [dim for dim in sweep.runs if dim < full]
    dim = found.dim if found.answer == "keep" else narrower[0]
    changes = comparison.topic_changes(dim, sweep.title)["change"]
    topics = f"{(changes == 'survives').sum()} of {count(len(changes), 'topic')} survive at {dim}"
    if len(sweep.runs[full]) > 1:
        yardstick = comparison.topic_changes(full, sweep.title)["change"]
        topics += f"; with another seed at {full}, {(yardstick == 'survives').sum()}"
    table = measured(comparison)
    rows = table[table["topic_model"] == sweep.title].set_index("dim")
    coherence = [float(np.mean([run.coherence for run in sweep.runs[at]])) for at in (dim, full)]
    figures = {"Topics kept": topics}
    if not any(map(math.isnan, coherence)):
        figures["Coherence"] = f"{coherence[0]:.3f} at {dim}; {coherence[1]:.3f} at {full}"
    seconds = [rows.loc[at, "seconds"] for at in (dim, full)]
    figures["Cost"] = f"{dim / full:.0%} of the memory"
    if not any(map(math.isnan, seconds)):  # they are those of one machine
        figures["Cost"] += f"; a fit takes {seconds[0]:,.2g} s, at {full} {seconds[1]:,.2g} s"
    return figures
