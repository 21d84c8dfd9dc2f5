"""Cells of two widths -> by how much their coherence differs, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertopic_matryoshka.cell import Cell


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


def coherence_error(cells: Sequence[Cell]) -> float:
    """Estimate the standard error of the mean coherence of one width's cells, one a seed.

    Two variances are added: that of the mean over bootstrap samples of the documents, and that over
    the seeds divided by their number. A single seed says nothing of the others: the error over the
    topics stands in for it, as if the topics were drawn from many. NaN without a mean.
    """
    by_seed = [cell.coherence for cell in cells]
    if np.isnan(by_seed).any():
        return math.nan
    samples = np.mean([cell.coherence_samples for cell in cells], axis=0)
    return math.sqrt(_variance(samples) + _of_fits(by_seed, cells)[0])


def paired_difference(cells: Sequence[Cell], others: Sequence[Cell]) -> Difference:
    """Compare the coherence of two widths, seed by seed and on the same samples of the documents.

    Parameters
    ----------
    cells, others : sequence of Cell
        One a seed, in the same order of seeds.

    Returns
    -------
    difference : Difference
        With the variances of coherence_error, of the differences; degrees of freedom after
        Satterthwaite [1]_.

    References
    ----------
    .. [1] F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
       Biometrics Bulletin 2, 1946.
    """
    pairs = list(zip(cells, others, strict=True))
    by_seed = [cell.coherence - other.coherence for cell, other in pairs]
    samples = np.mean([c.coherence_samples - o.coherence_samples for c, o in pairs], axis=0)
    of_documents = _variance(samples)
    of_fits, freedom = _of_fits(by_seed, [*cells, *others])
    mean, variance = float(np.mean(by_seed)), of_documents + of_fits
    if variance == 0:
        return Difference(mean, 0.0, mean, mean, float(mean >= 0))
    parts = of_documents**2 / max(samples.size - 1, 1) + of_fits**2 / freedom
    student = stats.t(variance**2 / parts)
    error = math.sqrt(variance)
    reach = error * float(student.ppf(0.975))
    return Difference(mean, error, mean - reach, mean + reach, float(student.cdf(mean / error)))


def _of_fits(by_seed: Sequence[float], cells: Sequence[Cell]) -> tuple[float, int]:
    """Give the variance of a mean over seeds and its degrees of freedom; of topics for one seed."""
    if len(by_seed) > 1:
        return float(np.var(by_seed, ddof=1)) / len(by_seed), len(by_seed) - 1
    errors = [cell.topic_error for cell in cells]
    freedom = sum(max(cell.n_topics - 1, 0) for cell in cells)
    return float(np.nansum(np.square(errors))), max(freedom, 1)


def _variance(samples: np.ndarray) -> float:
    finite = samples[np.isfinite(samples)]
    return float(finite.var(ddof=1)) if finite.size > 1 else 0.0
