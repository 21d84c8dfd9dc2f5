"""The runs of a topic model -> differences in coherence between widths, and their errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bertopic_matryoshka.comparison._result import Run

MANY_OUTLIERS = 0.5
"""Share of outliers above which a recommendation has a caveat."""

TOPICS_RATIO = 1.5
"""Ratio between the largest and smallest number of topics above which there is a caveat."""


class SeedSpread(NamedTuple):
    """Variance of the coherence of one fit over seeds, and its degrees of freedom."""

    variance: float
    df: int


@dataclass(frozen=True)
class Difference:
    """Difference in coherence of one width to another.

    Attributes
    ----------
    mean : float
        Mean difference; below 0 if the first width is worse.
    se : float
        Standard error of `mean`.
    low, high : float
        Limits of the 95 % confidence interval.
    p_worse : float in [0, 1]
        One-sided p-value: probability of a difference this low or lower if the widths were equal.
    """

    mean: float
    se: float
    low: float
    high: float
    p_worse: float


def seed_spread(widths: Iterable[Sequence[Run]]) -> SeedSpread | None:
    """Estimate the variance of coherence over seeds, pooled over all widths of a topic model.

    Three seeds estimate the variance at one width poorly, so the variances of all widths are
    pooled, as in an analysis of variance. This assumes that they are equal.

    Parameters
    ----------
    widths : iterable of sequences of Run
        Runs of each width, one per seed.

    Returns
    -------
    spread : SeedSpread or None
        None if no width has two seeds with a coherence.
    """
    sums, df = 0.0, 0
    for runs in widths:
        scored = [run.coherence for run in runs if not math.isnan(run.coherence)]
        if len(scored) > 1:
            sums += float(np.var(scored)) * len(scored)
            df += len(scored) - 1
    return SeedSpread(sums / df, df) if df else None


def se_coherence(runs: Sequence[Run], spread: SeedSpread | None) -> float:
    """Estimate the standard error of the mean coherence of one width.

    Two variances are added: that of the mean over bootstrap samples of the documents, and that over
    seeds divided by the number of seeds. If `spread` is None, the variance over seeds is unknown
    and the squared standard error over topics replaces it, as if topics were a random sample.

    Parameters
    ----------
    runs : sequence of Run
        Runs of the width, one per seed.
    spread : SeedSpread or None
        Variance over seeds of the topic model, see seed_spread.

    Returns
    -------
    error : float
        NaN if a run has no coherence.
    """
    if any(math.isnan(run.coherence) for run in runs):
        return math.nan
    samples = np.mean([run.coherence_resamples for run in runs], axis=0)
    return math.sqrt(_variance(samples) + _of_fits([runs], spread).variance)


def paired_difference(
    runs: Sequence[Run], others: Sequence[Run], spread: SeedSpread | None
) -> Difference:
    """Compare the coherence of two widths on the same bootstrap samples of the documents.

    Parameters
    ----------
    runs, others : sequence of Run
        Runs of each width, one per seed.
    spread : SeedSpread or None
        Variance over seeds of the topic model, see seed_spread.

    Returns
    -------
    difference : Difference
        Its variance is that of the difference over the bootstrap samples, plus those of both widths
        over seeds, since equal seeds do not pair fits at different widths. Degrees of freedom after
        Satterthwaite [1]_.

    References
    ----------
    .. [1] F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
       Biometrics Bulletin 2, 1946.
    """
    one, other = ([run.coherence_resamples for run in of] for of in (runs, others))
    of_documents = _variance(np.mean(one, axis=0) - np.mean(other, axis=0))
    of_fits = _of_fits([runs, others], spread)
    mean = float(np.mean([c.coherence for c in runs]) - np.mean([c.coherence for c in others]))
    variance = of_documents + of_fits.variance
    if variance == 0:
        return Difference(mean, 0.0, mean, mean, float(mean >= 0))
    n_resamples = runs[0].coherence_resamples.size
    parts = of_documents**2 / max(n_resamples - 1, 1) + of_fits.variance**2 / of_fits.df
    student = stats.t(variance**2 / parts)
    error = math.sqrt(variance)
    reach = error * float(student.ppf(0.975))
    return Difference(mean, error, mean - reach, mean + reach, float(student.cdf(mean / error)))


def _of_fits(widths: Sequence[Sequence[Run]], spread: SeedSpread | None) -> SeedSpread:
    """Sum the variances over seeds of the widths' means."""
    if spread is not None:
        return SeedSpread(sum(spread.variance / len(of) for of in widths), spread.df)
    runs = [run for of in widths for run in of]
    df = sum(max(run.n_topics - 1, 0) for run in runs)
    return SeedSpread(float(np.nansum([run.se_topics**2 for run in runs])), max(df, 1))


def _variance(samples: np.ndarray) -> float:
    finite = samples[np.isfinite(samples)]
    return float(finite.var(ddof=1)) if finite.size > 1 else 0.0


@dataclass(frozen=True)
class Recommendation:
    """The smallest width at which no loss of coherence was detected.

    Attributes
    ----------
    dim : int
        Recommended width.
    topic_model : str
        Name of the topic model.
    best_dim : int
        Width with the highest mean coherence.
    differs : bool
        Whether any width is significantly worse than the best. Where none is, the data do not
        separate the widths, which is no evidence that they are equal.
    differences : dict of int to Difference
        Difference of each other width that can be scored to the best.
    reason : str
        The result in words, with figures.
    caveats : tuple of str
        Reasons why coherence alone may mislead here; empty if none was found.
    """

    dim: int
    topic_model: str
    best_dim: int
    differs: bool
    differences: dict[int, Difference]
    reason: str
    caveats: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([self.reason, *self.caveats])


def recommend(
    runs: Sequence[Run], topic_model: str, full_dim: int, alpha: float = 0.05
) -> Recommendation:
    """Find the smallest width that is not significantly worse than the best.

    See DimensionComparison.recommend.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} must be between 0 and 1, such as 0.05.")
    by_dim = by_width(runs)
    means = {dim: float(np.mean([c.coherence for c in at])) for dim, at in by_dim.items()}
    scored = [
        dim
        for dim, mean in means.items()
        if not math.isnan(mean) and all(run.n_topics > 1 for run in by_dim[dim])
    ]
    if not scored:
        raise ValueError(
            f"No width of {topic_model!r} gave two topics that can be scored with each seed, so "
            "that there is none to recommend. Lower min_topic_size or try another reduction."
        )
    best = max(scored, key=lambda dim: (means[dim], -dim))
    spread = seed_spread(by_dim.values())
    differences = {
        dim: paired_difference(by_dim[dim], by_dim[best], spread) for dim in scored if dim != best
    }
    worse = _significant({dim: d.p_worse for dim, d in differences.items()}, alpha)
    chosen = min(dim for dim in scored if dim not in worse)
    reason = _reason(chosen, best, topic_model, means, differences, worse, full_dim)
    caveats = tuple(_caveats(by_dim[chosen], by_dim, scored))
    return Recommendation(chosen, topic_model, best, bool(worse), differences, reason, caveats)


def by_width(runs: Iterable[Run]) -> dict[int, list[Run]]:
    """Group runs by width, widest first."""
    groups: dict[int, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.dim, []).append(run)
    return dict(sorted(groups.items(), reverse=True))


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
    topic_model: str,
    means: Mapping[int, float],
    differences: Mapping[int, Difference],
    worse: set[int],
    full_dim: int,
) -> str:
    """Describe the result; a test that does not reject is no evidence of equality."""
    at = f"{chosen} of {full_dim} dimensions"
    if len(means) == 1:
        return f"{topic_model}: coherence {means[chosen]:.3f} at {at}, the only width compared."
    named = ", ".join(map(str, sorted(worse)))
    lower = f"{named} {'is' if len(worse) == 1 else 'are'} significantly lower"
    unproven = "this does not show that the topics are the same"
    if chosen == best:
        sentence = f"{topic_model}: coherence is highest at {at}, {means[best]:.3f}"
        end = f"; {lower}." if worse else f". No other is lower for sure; {unproven}."
        return sentence + end
    reason = (
        f"{topic_model}: no loss of coherence was detected at {at}, {means[chosen]:.3f} against "
        f"{means[best]:.3f} at {best}, the highest (95 % interval of the difference "
        f"{differences[chosen].low:+.3f} to {differences[chosen].high:+.3f}); {unproven}."
    )
    return f"{reason} {lower[0].upper()}{lower[1:]}." if worse else reason


def _caveats(
    chosen: Sequence[Run], by_dim: Mapping[int, Sequence[Run]], scored: Sequence[int]
) -> list[str]:
    caveats = []
    outliers = float(np.mean([run.outlier_share for run in chosen]))
    if outliers > MANY_OUTLIERS:
        caveats.append(
            f"But {outliers:.0%} of the documents are outliers there: coherence speaks of the "
            "others alone."
        )
    counts = [run.n_topics for dim in scored for run in by_dim[dim]]
    if max(counts) > TOPICS_RATIO * min(counts):
        caveats.append(
            f"The widths differ in their number of topics ({min(counts)} to {max(counts)}), which "
            "moves coherence by itself."
        )
    if len(scored) < len(by_dim):
        without = ", ".join(str(dim) for dim in by_dim if dim not in scored)
        caveats.append(f"Not every seed gave two topics that can be scored at {without}.")
    return caveats
