"""The runs of a topic model -> differences in coherence between widths, and their errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from bertopic_matryoshka.comparison._result import Run


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
    """

    mean: float
    se: float
    low: float
    high: float


def by_width(runs: Iterable[Run]) -> dict[int, list[Run]]:
    """Group runs by width, widest first."""
    groups: dict[int, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.dim, []).append(run)
    return dict(sorted(groups.items(), reverse=True))


def seed_spread(widths: Iterable[Sequence[Run]]) -> SeedSpread | None:
    """Estimate the variance of coherence over seeds, pooled over all widths of a topic model.

    Three seeds estimate the variance at one width poorly, so the variances of all widths are
    pooled, as in an analysis of variance. This assumes that they are equal. Seeds that change
    nothing, as with HDBSCAN, are no evidence of how far fits differ.

    Parameters
    ----------
    widths : iterable of sequences of Run
        Runs of each width, one per seed.

    Returns
    -------
    spread : SeedSpread or None
        None if no width has two seeds with a coherence, or no seed changes the coherence.
    """
    sums, df = 0.0, 0
    for runs in widths:
        scored = [run.coherence for run in runs if not math.isnan(run.coherence)]
        if len(scored) > 1:
            sums += float(np.var(scored)) * len(scored) if len(set(scored)) > 1 else 0.0
            df += len(scored) - 1
    return SeedSpread(sums / df, df) if sums else None


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
        return Difference(mean, 0.0, mean, mean)
    n_resamples = runs[0].coherence_resamples.size
    parts = of_documents**2 / max(n_resamples - 1, 1) + of_fits.variance**2 / of_fits.df
    return _difference(mean, math.sqrt(variance), variance**2 / parts)


def mean_difference(differences: ArrayLike) -> Difference:
    """Average the differences of pairs that are independent of each other.

    Parameters
    ----------
    differences : array-like of shape (n_pairs,)
        At least two.

    Returns
    -------
    difference : Difference
        Its interval is that of the paired t-test.
    """
    values = np.asarray(differences, dtype=np.float64)
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    return _difference(float(values.mean()), error, values.size - 1)


def _difference(mean: float, error: float, df: float) -> Difference:
    reach = error * float(stats.t.ppf(0.975, df))
    return Difference(mean, error, mean - reach, mean + reach)


def _of_fits(widths: Sequence[Sequence[Run]], spread: SeedSpread | None) -> SeedSpread:
    """Sum the variances over seeds of the widths' means."""
    if spread is not None:
        return SeedSpread(sum(spread.variance / len(of) for of in widths), spread.df)
    # One seed, or several that change nothing: each width has one fit.
    fits = [of[0] for of in widths]
    df = sum(max(run.n_topics - 1, 0) for run in fits)
    return SeedSpread(float(np.nansum([run.se_topics**2 for run in fits])), max(df, 1))


def _variance(samples: np.ndarray) -> float:
    finite = samples[np.isfinite(samples)]
    return float(finite.var(ddof=1)) if finite.size > 1 else 0.0
