"""Agreement, coherence and labels at each width -> the width to keep."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from bertopic_matryoshka.comparison._replicates import (
    WidthAgreement,
    replicates_by_width,
)
from bertopic_matryoshka.comparison._significance import (
    Difference,
    by_width,
    mean_difference,
    paired_difference,
    seed_spread,
)
from bertopic_matryoshka.evaluation import FEWEST_REPLICATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertopic_matryoshka.comparison._replicates import Replicate
    from bertopic_matryoshka.comparison._result import Run

TOLERANCE = 0.1
"""Share of topic agreement that may be lost: see docs/measurements/recommendation.md."""

MARGIN = 0.02
"""Loss of coherence, and of AMI with the labels, that may be."""

UNSTABLE = 0.6
"""Mean AMI between replicates of the widest below which agreement with it means little."""

MANY_OUTLIERS = 0.5
"""Share of outliers above which a recommendation has a caveat."""

TOPICS_RATIO = 1.5
"""Ratio between the largest and smallest number of topics above which there is a caveat."""


Verdict = Literal["kept", "topics", "unclear", "coherence", "labels"]
Answer = Literal["keep", "keep all", "unclear"]


class Evidence(NamedTuple):
    """Differences of a width to the widest, and what they show.

    Attributes
    ----------
    agreement : WidthAgreement
        Agreement of its topics with those at the widest.
    coherence : Difference or None
        Difference in coherence; None if either has none with some seed.
    labels : Difference or None
        Difference in AMI with the labels over the replicates; None without labels.
    verdict : {"kept", "topics", "unclear", "coherence", "labels"}
        "kept" if the width may be kept. "topics" if its agreement is shown to be too low,
        "unclear" if it is not shown to be high enough. "coherence" or "labels" if the agreement is
        high enough, but a loss of that is shown.
    """

    agreement: WidthAgreement
    coherence: Difference | None
    labels: Difference | None
    verdict: Verdict


@dataclass(frozen=True)
class Recommendation:
    """The width to keep, and why.

    Attributes
    ----------
    dim : int
        Recommended width; the widest unless a narrower one is shown to be good enough.
    topic_model : str
        Name of the topic model.
    reference_dim : int
        Widest width that was compared, which the others are held against.
    full_dim : int
        Full width of the embedding model.
    answer : {"keep", "keep all", "unclear"}
        "keep" if a narrower width is shown to be good enough, "keep all" if the next narrower one
        is shown not to be, and "unclear" if there are too few data or seeds to tell.
    tolerance, margin : float
        See DimensionComparison.recommend.
    evidence : dict of int to Evidence
        Evidence of each narrower width, widest first; empty without agreement.
    obstacle : str
        Why nothing can be told of any width; empty if something can be.
    caveats : tuple of str
        What limits the answer; empty if nothing was found.
    """

    dim: int
    topic_model: str
    reference_dim: int
    full_dim: int
    answer: Answer
    tolerance: float
    margin: float
    evidence: dict[int, Evidence]
    obstacle: str
    caveats: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([self.reason, *self.caveats])

    @property
    def headline(self) -> str:
        """The answer in one line of at most 15 words."""
        if self.answer == "keep":
            low = percent_below(self.evidence[self.dim].agreement.low)
            return f"Keep {self._width}: topic agreement is at least {low}."
        if self.answer == "unclear":
            return f"Too few data or seeds to tell: keep {self._width}."
        return f"Keep {self._width}: {self._next} lose {self._lost}."

    @property
    def reason(self) -> str:
        """The answer with the rule and its figures."""
        rule = f"(tolerance={self.tolerance:g}, margin={self.margin:g})"
        if self.answer == "unclear":
            return (
                f"{self.topic_model}: too few data or seeds to tell {rule}, so keep {self._width}. "
                f"{self.obstacle or self._failure()}"
            )
        if self.answer == "keep all":
            return (
                f"{self.topic_model}: keep {self._width} {rule}, as {self._next} lose "
                f"{self._lost}. {self._failure()}"
            )
        found = self.evidence[self.dim]
        labels = "" if found.labels is None else ", or of agreement with the labels,"
        low = percent_below(found.agreement.low)
        reason = (
            f"{self.topic_model}: keep {self._width} {rule}. Topic agreement with "
            f"{self.reference_dim} dimensions is {found.agreement.agreement:.0%}, and at least "
            f"{low} with 95% confidence; no loss of coherence{labels} beyond the margin was shown."
        )
        return f"{reason} {self._failure()}" if self._next else reason

    @property
    def _width(self) -> str:
        of = "all" if self.dim == self.full_dim else f"{self.dim} of"
        return f"{of} {self.full_dim} dimensions"

    @property
    def _next(self) -> int | None:
        """The width next to the recommended one, at which the sequence ended."""
        return next((dim for dim in self.evidence if dim < self.dim), None)

    @property
    def _lost(self) -> str:
        assert self._next is not None  # noqa: S101  (it is what failed)
        return {
            "topics": f"more than {self.tolerance:.0%} of topic agreement",
            "coherence": "coherence",
            "labels": "agreement with the labels",
        }[self.evidence[self._next].verdict]

    def _failure(self) -> str:
        """Say why the next width is not kept."""
        assert self._next is not None  # noqa: S101  (it is what failed)
        agreement, coherence, labels, verdict = self.evidence[self._next]
        low, high = percent_below(agreement.low), _percent_above(agreement.high)
        if verdict == "topics":
            return f"At {self._next}, topic agreement is at most {high}."
        if verdict == "unclear":
            return (
                f"At {self._next}, topic agreement is {low} to {high}, not shown to be above "
                f"{1 - self.tolerance:.0%}; more replicates or documents may show it."
            )
        lost = coherence if verdict == "coherence" else labels
        what = "coherence" if verdict == "coherence" else "AMI with the labels"
        assert lost is not None  # noqa: S101  (it is what failed)
        return (
            f"At {self._next}, {what} is lower by {-lost.mean:.3f}, and by at least "
            f"{-lost.high:.3f} with 97.5% confidence."
        )


def recommend(
    runs: Sequence[Run],
    replicates: Sequence[Replicate],
    agreements: Mapping[int, WidthAgreement],
    topic_model: str,
    full_dim: int,
    *,
    tolerance: float = TOLERANCE,
    margin: float = MARGIN,
) -> Recommendation:
    """Find the smallest width that is shown to keep the topics; see DimensionComparison.recommend.

    Parameters
    ----------
    runs : sequence of Run
        Runs of the topic model, at least one.
    replicates : sequence of Replicate
        Its replicates.
    agreements : dict of int to WidthAgreement
        What agreement_by_width gives for them.
    topic_model : str
    full_dim : int
        Full width of the embedding model.
    tolerance, margin : float
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance={tolerance} must be between 0 and 1, such as {TOLERANCE}.")
    if not 0 <= margin < math.inf:
        raise ValueError(f"margin={margin} must be at least 0 and finite, such as {MARGIN}.")
    by_dim = by_width(runs)
    reference_dim = dim = next(iter(by_dim))
    evidence = _evidence(by_dim, replicates, agreements, tolerance, margin) if agreements else {}
    n_replicates = len(replicates_by_width(replicates).get(reference_dim, ()))
    obstacle = _obstacle(by_dim, agreements, n_replicates)
    answer: Answer = "unclear"
    if not obstacle:
        # A fixed sequence from wide to narrow: the first failure ends it.
        kept = list(takewhile(lambda at: evidence[at].verdict == "kept", evidence))
        if kept:
            dim, answer = kept[-1], "keep"
        elif next(iter(evidence.values())).verdict != "unclear":
            answer = "keep all"
    caveats = tuple(_caveats(by_dim[dim], by_dim[reference_dim]))
    return Recommendation(
        dim,
        topic_model,
        reference_dim,
        full_dim,
        answer,
        tolerance,
        margin,
        evidence,
        obstacle,
        caveats,
    )


def _evidence(
    by_dim: Mapping[int, Sequence[Run]],
    replicates: Sequence[Replicate],
    agreements: Mapping[int, WidthAgreement],
    tolerance: float,
    margin: float,
) -> dict[int, Evidence]:
    reference_dim, *narrower = by_dim
    spread = seed_spread(by_dim.values())
    label_ami = {
        dim: np.array([replicate.ami for replicate in at], dtype=float)  # None becomes NaN
        for dim, at in replicates_by_width(replicates).items()
    }
    evidence = {}
    for dim in narrower:
        runs, reference = by_dim[dim], by_dim[reference_dim]
        coherence = labels = None
        if not any(math.isnan(run.coherence) for run in (*runs, *reference)):
            coherence = paired_difference(runs, reference, spread)
        if not np.isnan(label_ami[dim]).any():
            labels = mean_difference(label_ami[dim] - label_ami[reference_dim])
        agreement = agreements[dim]
        verdict: Verdict = "kept"
        if agreement.high < 1 - tolerance:
            verdict = "topics"
        elif not agreement.low > 1 - tolerance:
            verdict = "unclear"
        elif coherence is not None and coherence.high < -margin:
            verdict = "coherence"
        elif labels is not None and labels.high < -margin:
            verdict = "labels"
        evidence[dim] = Evidence(agreement, coherence, labels, verdict)
    return evidence


def _obstacle(
    by_dim: Mapping[int, Sequence[Run]],
    agreements: Mapping[int, WidthAgreement],
    n_replicates: int,
) -> str:
    """Say why nothing can be told of any width; empty if something can be."""
    if len(by_dim) == 1:
        return "No other width was compared."
    if n_replicates < FEWEST_REPLICATES:
        return (
            f"Agreement needs {FEWEST_REPLICATES} replicates or more, and there are {n_replicates} "
            "(n_replicates of TopicScorer; controls have none)."
        )
    dim = next(iter(by_dim))
    ami = agreements[dim].reference_ami
    if math.isnan(ami):
        return f"At {dim} dimensions not every replicate has two topics."
    if ami < UNSTABLE:
        return (
            f"The topics at {dim} dimensions hardly repeat themselves: two replicates agree with "
            f"a mean AMI of {ami:.2f}, below {UNSTABLE}. More documents or fewer topics may help."
        )
    return ""


def percent_below(share: float) -> str:
    """Write a share as percent, rounded down: a lower bound stays one."""
    return f"{math.floor(100 * share + 1e-9)}%"


def _percent_above(share: float) -> str:
    return f"{math.ceil(100 * share - 1e-9)}%"


def _caveats(chosen: Sequence[Run], reference: Sequence[Run]) -> list[str]:
    caveats = []
    outliers = float(np.mean([run.outlier_share for run in chosen]))
    if outliers > MANY_OUTLIERS:
        caveats.append(
            f"But {outliers:.0%} of the documents are outliers there: coherence speaks of the "
            "others alone."
        )
    counts = [run.n_topics for run in (*chosen, *reference)]
    if max(counts) > TOPICS_RATIO * min(counts):
        caveats.append(
            f"Fits there and at the widest differ in their number of topics ({min(counts)} to "
            f"{max(counts)}), which moves coherence and agreement by itself."
        )
    return caveats
