"""A topic model at a width, fitted to samples of the documents: what agreement is computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka.comparison._setting import REPLICATE, Condition, Setting
from bertopic_matryoshka.evaluation import TopicAgreement, agreement, topic_agreement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

SHARE = 0.8
"""Share of the documents that a replicate is fitted to."""


@dataclass(frozen=True)
class Replicate:
    """Topics of a sample of the documents.

    Attributes
    ----------
    setting : Setting
        Topic model, width, and the number of the replicate, which is its seed.
    ami : float or None
        Agreement with the labels over the labelled documents of the sample; None without labels.
    rows : ndarray of shape (n_sampled,), int
        Indices of the documents, ascending; the same at all widths and for all topic models.
    document_topics : ndarray of shape (n_sampled,), int
        Topic of each of them; -1 for outliers.
    """

    setting: Setting
    ami: float | None
    rows: NDArray[np.int_] = field(repr=False, compare=False)
    document_topics: NDArray[np.int_] = field(repr=False, compare=False)


def replicate_rows(documents: Sequence[str], number: int) -> NDArray[np.int_]:
    """Draw 80 % of the distinct documents without replacement, each with all of its copies.

    Parameters
    ----------
    documents : sequence of str
    number : int
        Number of the replicate, which seeds the draw.

    Returns
    -------
    rows : ndarray of shape (n_sampled,), int
        Indices of the documents, ascending.
    """
    places: dict[str, int] = {}
    group = np.array([places.setdefault(text, len(places)) for text in documents])
    drawn = np.random.default_rng(number).permutation(len(places))
    is_drawn = np.zeros(len(places), dtype=bool)
    is_drawn[drawn[: round(SHARE * len(places))]] = True
    return np.flatnonzero(is_drawn[group])


def plan_replicates(
    settings: Iterable[Setting], conditions: Mapping[str, Condition], n_replicates: int
) -> list[Setting]:
    """List the replicates of each topic model that has several widths and is not permuted.

    Permuted dimensions are a control: no width of theirs is to be kept.
    """
    dims: dict[str, dict[int, None]] = {}
    for setting in settings:
        dims.setdefault(setting.topic_model, {})[setting.dim] = None
    return [
        Setting(name, dim, number, REPLICATE)
        for name, widths in dims.items()
        if len(widths) > 1 and not conditions[name].is_permuted
        for dim in widths
        for number in range(n_replicates)
    ]


def measure_replicate(
    setting: Setting,
    rows: NDArray[np.int_],
    document_topics: NDArray[np.int_],
    labels: NDArray[Any] | None,
) -> Replicate:
    """Score a replicate by its labels, if there are any."""
    scores = agreement(None if labels is None else labels[rows], document_topics)
    return Replicate(setting, scores.get("ami"), rows, document_topics)


@dataclass(frozen=True)
class WidthAgreement:
    """Agreement of the topics at a width with those at the widest.

    Attributes
    ----------
    all : TopicAgreement
        Over all documents, with outliers as one more topic.
    assigned : TopicAgreement
        Over the documents that are outliers in neither of two fits.
    """

    all: TopicAgreement
    assigned: TopicAgreement

    @property
    def agreement(self) -> float:
        """Smaller of the two, NaN if either is."""
        return float(np.minimum(self.all.agreement, self.assigned.agreement))

    @property
    def low(self) -> float:
        """Smaller of the lower bounds: both are above it with the confidence of one."""
        return float(np.minimum(self.all.low, self.assigned.low))

    @property
    def high(self) -> float:
        """Smaller of the upper bounds."""
        return float(np.minimum(self.all.high, self.assigned.high))

    @property
    def reference_ami(self) -> float:
        """Mean AMI between the replicates at the widest, smaller of the two."""
        return float(np.minimum(self.all.reference_ami, self.assigned.reference_ami))


def agreement_by_width(replicates: Iterable[Replicate]) -> dict[int, WidthAgreement]:
    """Compare each width of a topic model with its widest, widest first.

    Parameters
    ----------
    replicates : iterable of Replicate
        Replicates of one topic model, the same numbers at each width.

    Returns
    -------
    agreements : dict of int to WidthAgreement
        Empty for fewer than two replicates.
    """
    by_dim = replicates_by_width(replicates)
    if not by_dim or len(next(iter(by_dim.values()))) < 2:
        return {}
    reference = [of.document_topics for of in next(iter(by_dim.values()))]
    has_outliers = any((of.document_topics == -1).any() for at in by_dim.values() for of in at)
    agreements = {}
    for dim, at in by_dim.items():
        topics, rows = [of.document_topics for of in at], [of.rows for of in at]
        overall = topic_agreement(topics, reference, rows)
        assigned = overall
        if has_outliers:
            assigned = topic_agreement(topics, reference, rows, assigned_only=True)
        agreements[dim] = WidthAgreement(overall, assigned)
    return agreements


def replicates_by_width(replicates: Iterable[Replicate]) -> dict[int, list[Replicate]]:
    """Group replicates by width, widest first, in the order of their numbers."""
    groups: dict[int, list[Replicate]] = {}
    for replicate in replicates:
        groups.setdefault(replicate.setting.dim, []).append(replicate)
    return dict(sorted(groups.items(), reverse=True))
