"""Cells of two widths -> by how much their coherence differs, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bertopic_matryoshka.comparison._result import Cell


class SeedSpread(NamedTuple):
    """Variance of the coherence of one fit over seeds, and its degrees of freedom."""

    variance: float
    freedom: int


@dataclass(frozen=True)
class Difference:
    """Coherence at one width less that at another.

    Attributes
    ----------
    mean : float
        Below 0 where the first width is worse.
    error : float
        Its standard error.
    low, high : float
        The 95 % confidence interval.
    p_worse : float in [0, 1]
        Probability of a mean this low or lower, if the first width were not worse: one-sided.
    """

    mean: float
    error: float
    low: float
    high: float
    p_worse: float


def seed_spread(widths: Iterable[Sequence[Cell]]) -> SeedSpread | None:
    """Estimate how far fits with different seeds differ, from all widths of a line together.

    Three seeds say little of the variance at one width, but six widths of three seeds say enough:
    the variances are pooled, as in an analysis of variance.

    Parameters
    ----------
    widths : iterable of sequences of Cell
        The cells of each width, one a seed.

    Returns
    -------
    spread : SeedSpread or None
        None where no width has two seeds that can be scored.
    """
    sums, freedom = 0.0, 0
    for cells in widths:
        scored = [cell.coherence for cell in cells if not math.isnan(cell.coherence)]
        if len(scored) > 1:
            sums += float(np.var(scored)) * len(scored)
            freedom += len(scored) - 1
    return SeedSpread(sums / freedom, freedom) if freedom else None


def coherence_error(cells: Sequence[Cell], spread: SeedSpread | None) -> float:
    """Estimate the standard error of the mean coherence of one width.

    Two variances are added: that of the mean over bootstrap samples of the documents, and that of a
    fit over the number of seeds. Where `spread` is None, a single seed says nothing of others: the
    error over the topics stands in, as if the topics were drawn from many.

    Parameters
    ----------
    cells : sequence of Cell
        One a seed.
    spread : SeedSpread or None
        Of the line.

    Returns
    -------
    error : float
        NaN without a mean.
    """
    if any(math.isnan(cell.coherence) for cell in cells):
        return math.nan
    samples = np.mean([cell.coherence_samples for cell in cells], axis=0)
    return math.sqrt(_variance(samples) + _of_fits([cells], spread).variance)


def paired_difference(
    cells: Sequence[Cell], others: Sequence[Cell], spread: SeedSpread | None
) -> Difference:
    """Compare the coherence of two widths on the same bootstrap samples of the documents.

    Parameters
    ----------
    cells, others : sequence of Cell
        One a seed.
    spread : SeedSpread or None
        Of the line, see seed_spread.

    Returns
    -------
    difference : Difference
        With the two variances of coherence_error: over the samples that of the difference, and for
        the fits those of both widths, as a seed does not do the same to two of them. Degrees of
        freedom after Satterthwaite [1]_.

    References
    ----------
    .. [1] F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
       Biometrics Bulletin 2, 1946.
    """
    one, other = ([cell.coherence_samples for cell in of] for of in (cells, others))
    of_documents = _variance(np.mean(one, axis=0) - np.mean(other, axis=0))
    of_fits = _of_fits([cells, others], spread)
    mean = float(np.mean([c.coherence for c in cells]) - np.mean([c.coherence for c in others]))
    variance = of_documents + of_fits.variance
    if variance == 0:
        return Difference(mean, 0.0, mean, mean, float(mean >= 0))
    n_samples = cells[0].coherence_samples.size
    parts = of_documents**2 / max(n_samples - 1, 1) + of_fits.variance**2 / of_fits.freedom
    student = stats.t(variance**2 / parts)
    error = math.sqrt(variance)
    reach = error * float(student.ppf(0.975))
    return Difference(mean, error, mean - reach, mean + reach, float(student.cdf(mean / error)))


def _of_fits(widths: Sequence[Sequence[Cell]], spread: SeedSpread | None) -> SeedSpread:
    """Add up the variances of the widths' means over fits."""
    if spread is not None:
        return SeedSpread(sum(spread.variance / len(of) for of in widths), spread.freedom)
    cells = [cell for of in widths for cell in of]
    freedom = sum(max(cell.n_topics - 1, 0) for cell in cells)
    return SeedSpread(float(np.nansum([cell.topic_error**2 for cell in cells])), max(freedom, 1))


def _variance(samples: np.ndarray) -> float:
    finite = samples[np.isfinite(samples)]
    return float(finite.var(ddof=1)) if finite.size > 1 else 0.0
