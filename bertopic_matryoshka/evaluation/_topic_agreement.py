"""Topics of two kinds of fits, replicated on samples of the documents -> how far they agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka._constraints import check_arguments, flag, shown
from bertopic_matryoshka._validation import real_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
"""Confidence of each one-sided bound."""

FEWEST_REPLICATES = 3
"""Fewest replicates of which a bound can be computed: leaving one out must leave a pair."""

SMALLEST_MEAN = 1e-3
"""Smallest mean AMI that is told from none, so that its logarithm is finite."""


class TopicAgreement(NamedTuple):
    """Agreement of replicated topics with reference topics, see topic_agreement.

    Attributes
    ----------
    agreement : float, >= 0
        Ratio of `ami` to `reference_ami`: 1 if the topics agree with the reference as well as its
        replicates agree with each other. It may be above 1. NaN if the reference has no agreement
        to compare with.
    low, high : float, >= 0
        One-sided 95 % confidence bounds of `agreement`, each by itself; NaN for fewer than three
        replicates.
    ami : float
        Mean AMI of a replicate with the reference's other replicates.
    reference_ami : float
        Mean AMI of two replicates of the reference.
    """

    agreement: float
    low: float
    high: float
    ami: float
    reference_ami: float


def topic_agreement(
    topics: Sequence[ArrayLike],
    reference: Sequence[ArrayLike],
    rows: Sequence[ArrayLike] | None = None,
    *,
    assigned_only: bool = False,
) -> TopicAgreement:
    """Agreement of topics with reference topics, relative to how far the reference repeats itself.

    Both are fitted several times: replicate r of each is fitted to the same sample of the
    documents. Samples are drawn without replacement, such as 80 % of the documents, each with a
    seed of its own. The agreement is the mean adjusted mutual information (AMI) [1]_ of the topics
    of replicate r with the reference's of replicate s, over all r != s, divided by the mean AMI
    between the reference's replicates, each on the documents that both samples have. A replicate
    is never compared with itself, as fits to equal documents with an equal seed share errors.

    Parameters
    ----------
    topics : sequence of n_replicates array-likes of shape (n_rows_r,), int
        Topic of each document in replicate r; -1 for outliers.
    reference : sequence of n_replicates array-likes of shape (n_rows_r,), int
        The same of the reference, such as the full width.
    rows : sequence of n_replicates array-likes of shape (n_rows_r,), int, or None, default=None
        Indices of the documents of each replicate, ascending. None if each has all documents.
    assigned_only : bool, default=False
        Whether to leave out the documents that either of two fits calls outliers. By default
        outliers count as one more topic.

    Returns
    -------
    agreement : TopicAgreement
        The ratio with its bounds, and both means.

    Raises
    ------
    TypeError
        If topics or rows are not whole numbers.
    ValueError
        If there are fewer than two replicates, their numbers differ, lengths do not match, or
        `rows` are not ascending.

    Notes
    -----
    **Bounds.** ``exp(log(agreement) -+ t SE)``, where t is the 95 % quantile of Student's t with
    n_replicates - 1 degrees of freedom and SE is the jackknife standard error of the logarithm
    [2]_, which leaves out one replicate at a time, with all of its pairs. Mean AMI below 0.001
    counts as 0.001.

    **What it says.** The bounds cover what another draw of seeds and samples would change. They
    are conditional on the documents at hand, not a statement about other documents of the same
    kind. Topics that agree are not thereby good; topics that disagree may be as good. AMI of a pair
    is 0 if one of the fits has a single topic, and undefined, with the agreement, if both have. If
    the reference hardly repeats itself (a `reference_ami` below 0.6), the
    ratio is inflated: 300 short texts gave 0.69 between seeds. Do not resample with copies
    (bootstrap): AMI rises with copies.

    References
    ----------
    .. [1] N. X. Vinh, J. Epps, J. Bailey, "Information theoretic measures for clusterings
       comparison: variants, properties, normalization and correction for chance", JMLR 11, 2010.
    .. [2] B. Efron, C. Stein, "The jackknife estimate of variance", Annals of Statistics 9, 1981.

    Examples
    --------
    >>> from bertopic_matryoshka import topic_agreement
    >>> full = [[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]]
    >>> topic_agreement(full, full).agreement
    1.0
    >>> narrow = [[0, 0, 1, 1, 0, 1], [0, 1, 1, 1, 0, 0], [0, 0, 1, 1, 0, 1]]
    >>> topic_agreement(narrow, full).agreement < 0.1
    True
    """
    check_arguments(locals(), assigned_only=flag())
    fits, of_reference, documents = _checked(topics, reference, rows)
    within = _cross_ami(of_reference, of_reference, documents, assigned_only=assigned_only)
    across = _cross_ami(fits, of_reference, documents, assigned_only=assigned_only)
    return ratio_of_means(across, within)


def replicate_ami(
    topics: Sequence[ArrayLike], rows: Sequence[ArrayLike] | None = None
) -> NDArray[np.float64]:
    """AMI between replicates on the documents that two of them have.

    Parameters
    ----------
    topics, rows
        See topic_agreement. Outliers count as one more topic.

    Returns
    -------
    ami : ndarray of shape (n_replicates, n_replicates), float64, in [-1, 1]
        Symmetric; NaN on the diagonal, and for two replicates of a single topic each.
    """
    fits, _, documents = _checked(topics, topics, rows)
    return _cross_ami(fits, fits, documents, assigned_only=False)


def ratio_of_means(across: NDArray[np.float64], within: NDArray[np.float64]) -> TopicAgreement:
    """Divide mean AMI across by mean AMI within, with jackknife bounds.

    Parameters
    ----------
    across, within : ndarray of shape (n_replicates, n_replicates), float64
        AMI of each replicate with each of the reference's; the diagonals are not read.
    """
    n = len(across)
    ami, reference_ami = _mean_of_pairs(across), _mean_of_pairs(within)
    log_ratio = _log_ratio(ami, reference_ami)
    low = high = math.nan
    if n >= FEWEST_REPLICATES:
        left = [np.delete(np.arange(n), r) for r in range(n)]
        without = [
            _log_ratio(*(_mean_of_pairs(of[np.ix_(kept, kept)]) for of in (across, within)))
            for kept in left
        ]
        error = math.sqrt((n - 1) * float(np.var(without)))
        reach = float(stats.t.ppf(CONFIDENCE, n - 1)) * error
        low, high = (float(np.exp(log_ratio + by)) for by in (-reach, reach))
    return TopicAgreement(float(np.exp(log_ratio)), low, high, ami, reference_ami)


def _log_ratio(ami: float, reference_ami: float) -> float:
    if math.isnan(ami) or not reference_ami > 0:
        return math.nan
    return math.log(max(ami, SMALLEST_MEAN)) - math.log(max(reference_ami, SMALLEST_MEAN))


def _mean_of_pairs(ami: NDArray[np.float64]) -> float:
    return float(ami[~np.eye(len(ami), dtype=bool)].mean())


def _cross_ami(
    topics: list[NDArray[np.int_]],
    reference: list[NDArray[np.int_]],
    rows: list[NDArray[np.int_]],
    *,
    assigned_only: bool,
) -> NDArray[np.float64]:
    """AMI of each replicate's topics with the reference's of each other; NaN on the diagonal."""
    n = len(topics)
    ami = np.full((n, n), np.nan)
    for r in range(n):
        for s in range(n):
            if r == s:
                continue
            if topics is reference and s < r:  # AMI is symmetric
                ami[r, s] = ami[s, r]
                continue
            _, at_r, at_s = np.intersect1d(
                rows[r], rows[s], assume_unique=True, return_indices=True
            )
            ami[r, s] = _ami(topics[r][at_r], reference[s][at_s], assigned_only=assigned_only)
    return ami


def _ami(topics: NDArray[np.int_], reference: NDArray[np.int_], *, assigned_only: bool) -> float:
    """AMI of two fits, 0 if one of them has a single topic, NaN if both have (0 of 0)."""
    pair = topics, reference
    whole = [of[of != -1] if assigned_only else of for of in pair]
    if all(np.unique(of).size < 2 for of in whole):
        return math.nan
    if assigned_only:
        pair = topics[assigned := (topics != -1) & (reference != -1)], reference[assigned]
    if any(np.unique(of).size < 2 for of in pair):
        return 0.0
    return float(adjusted_mutual_info_score(*pair))


def _checked(
    topics: Sequence[ArrayLike],
    reference: Sequence[ArrayLike],
    rows: Sequence[ArrayLike] | None,
) -> tuple[list[NDArray[np.int_]], list[NDArray[np.int_]], list[NDArray[np.int_]]]:
    fits = _replicates(topics, "topics")
    of_reference = _replicates(reference, "reference")
    documents = [np.arange(of.size) for of in fits] if rows is None else _replicates(rows, "rows")
    if topics is reference:
        of_reference = fits
    numbers = len(fits), len(of_reference), len(documents)
    if len(set(numbers)) > 1 or numbers[0] < 2:
        raise ValueError(
            f"topics, reference and rows are of {numbers[0]}, {numbers[1]} and {numbers[2]} "
            "replicates. Give each of them for the same replicates, at least two."
        )
    for r, (one, other, at) in enumerate(zip(fits, of_reference, documents, strict=True)):
        if not one.shape == other.shape == at.shape or one.ndim != 1:
            raise ValueError(
                f"Replicate {r} has topics of shape {one.shape}, reference topics of shape "
                f"{other.shape} and rows of shape {at.shape}. Give one of each for each document."
            )
        if (np.diff(at) <= 0).any():
            raise ValueError(
                f"rows[{r}] must be ascending indices of documents, each once. Sort them, and the "
                "topics with them."
            )
    if rows is None and len({one.size for one in fits}) > 1:
        raise ValueError("Replicates differ in their number of documents: say which, in rows.")
    return fits, of_reference, documents


def _replicates(several: Sequence[ArrayLike], name: str) -> list[NDArray[np.int_]]:
    """Make an array of each replicate's whole numbers."""
    is_list = isinstance(several, Sequence) and not isinstance(several, (str, bytes))
    if not is_list and not (isinstance(several, np.ndarray) and several.ndim):
        raise TypeError(f"{name}={shown(several)} must be a list with the array of each replicate.")
    arrays = [real_array(of, f"{name}[{r}]") for r, of in enumerate(several)]
    for r, array in enumerate(arrays):
        if array.dtype.kind not in "iu" and array.size:
            raise TypeError(f"{name}[{r}]={shown(several[r])} must be an array of whole numbers.")
    return arrays
