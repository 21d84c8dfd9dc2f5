"""The runs of a topic model -> how far its widths differ in coherence, and how sure that is."""

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
"""Share of outliers from which coherence speaks of a minority of the documents."""

TOPICS_RATIO = 1.5
"""Ratio between numbers of topics from which these alone move coherence noticeably."""


class SeedSpread(NamedTuple):
    """Variance of the coherence of one fit over seeds, and its degrees of freedom."""

    variance: float
    df: int


@dataclass(frozen=True)
class Difference:
    """Coherence at one width less that at another.

    Attributes
    ----------
    mean : float
        Below 0 where the first width is worse.
    se : float
        Its standard error.
    low, high : float
        The 95 % confidence interval.
    p_worse : float in [0, 1]
        Probability of a mean this low or lower, if the first width were not worse: one-sided.
    """

    mean: float
    se: float
    low: float
    high: float
    p_worse: float


def seed_spread(widths: Iterable[Sequence[Run]]) -> SeedSpread | None:
    """Estimate how far fits with different seeds differ, from all widths of a topic model together.

    Three seeds say little of the variance at one width, but six widths of three seeds say enough:
    the variances are pooled, as in an analysis of variance.

    Parameters
    ----------
    widths : iterable of sequences of Run
        The runs of each width, one a seed.

    Returns
    -------
    spread : SeedSpread or None
        None where no width has two seeds that can be scored.
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

    Two variances are added: that of the mean over bootstrap samples of the documents, and that of a
    fit over the number of seeds. Where `spread` is None, a single seed says nothing of others: the
    error over the topics stands in, as if the topics were drawn from many.

    Parameters
    ----------
    runs : sequence of Run
        One a seed.
    spread : SeedSpread or None
        Of the topic model.

    Returns
    -------
    error : float
        NaN without a mean.
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
        One a seed.
    spread : SeedSpread or None
        Of the topic model, see seed_spread.

    Returns
    -------
    difference : Difference
        With the two variances of se_coherence: over the samples that of the difference, and for
        the fits those of both widths, as a seed does not do the same to two of them. Degrees of
        freedom after Satterthwaite [1]_.

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
    """Add up the variances of the widths' means over fits."""
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
        That width.
    topic_model : str
        Name of the topic model.
    best_dim : int
        The width with the highest coherence.
    differs : bool
        Whether any width is significantly worse than the best. Where none is, the data do not
        separate the widths, which is no evidence that they are equal.
    differences : dict of int to Difference
        Of each width that can be scored, to the best.
    reason : str
        What was found, with figures.
    caveats : tuple of str
        Why coherence alone may mislead here; empty where nothing was noticed.
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

    See DimensionComparison.recommend, which calls it with the runs of a topic model and the width
    of the full embeddings.
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
    """Say what was detected and what was not; a test that does not reject shows nothing."""
    at = f"{chosen} of {full_dim} dimensions"
    if len(means) == 1:
        return f"{topic_model}: coherence {means[chosen]:.3f} at {at}, the only width compared."
    named = ", ".join(map(str, sorted(worse)))
    lower = f"{named} {'is' if len(worse) == 1 else 'are'} significantly lower"
    unproven = "this does not show that the topics are the same"
    if chosen == best:
        said = f"{topic_model}: coherence is highest at {at}, {means[best]:.3f}"
        return f"{said}; {lower}." if worse else f"{said}. No other is lower for sure; {unproven}."
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
