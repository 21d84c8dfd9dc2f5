"""Agreement between replicates at several numbers of topics -> a recommendation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka.comparison._recommendation import UNSTABLE
from bertopic_matryoshka.evaluation import FEWEST_REPLICATES, ratio_of_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class NumberRecommendation:
    """How many topics to take; as a string, the sentence that says so.

    Attributes
    ----------
    n_topics : int or None
        None where the data do not decide.
    most_stable : int or None
        The number with the largest agreement.
    agreement : dict of int to float
        Mean AMI between replicates at each number.
    low : dict of int to float
        One-sided 95 % lower bound of its ratio to that of the most stable number; NaN for fewer
        than three replicates.
    sentence : str
    """

    n_topics: int | None
    most_stable: int | None
    agreement: Mapping[int, float]
    low: Mapping[int, float]
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def recommend_number(
    replicates: Mapping[int, NDArray[np.float64]], tolerance: float = 0.05
) -> NumberRecommendation:
    """Recommend the largest number of topics that is shown to be about as stable as any.

    Parameters
    ----------
    replicates : dict of int to ndarray of shape (n_replicates, n_replicates), float64
        AMI between replicates at each number of topics.
    tolerance : float, default=0.05
        Share, in (0, 1), of the most stable number's agreement that may be lost.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance={tolerance!r} must be above 0 and below 1, such as 0.05.")
    n_replicates = len(next(iter(replicates.values()))) if replicates else 0
    if n_replicates < FEWEST_REPLICATES:
        needed = f"Too few replicates to tell: {n_replicates}, where {FEWEST_REPLICATES} are needed"
        nothing = dict.fromkeys(replicates, float("nan"))
        sentence = f"{needed}. Raise n_replicates of the TopicScorer."
        return NumberRecommendation(None, None, nothing, nothing, sentence)
    agreement = {n: ratio_of_means(ami, ami).ami for n, ami in replicates.items()}
    best = max(agreement, key=lambda n: np.nan_to_num(agreement[n], nan=-1.0))
    low = {n: ratio_of_means(ami, replicates[best]).low for n, ami in replicates.items()}
    largest = max([n for n in agreement if low[n] > 1 - tolerance], default=best)
    most, its = f"{agreement[best]:.2f}", f"{agreement[largest]:.2f}"
    number: int | None = largest
    near = f"agree between samples within {tolerance:.0%} of the most stable number"
    values = f"(AMI {its} for {largest}, {most} for {best})"
    if not agreement[best] >= UNSTABLE:
        number = None
        sentence = (
            f"Too few documents or too little structure to tell: {best} topics, the most stable "
            f"number, agree between samples by AMI {most}, below {UNSTABLE}."
        )
    elif largest == max(agreement):
        number = None
        sentence = (
            f"No number of topics stands out: {largest}, the most that were compared, are shown "
            f"to {near} {values}. Take the number that reads best."
        )
    elif largest == best:
        sentence = (
            f"Take {best} topics: they agree most between samples (AMI {most}), and no larger "
            f"number is shown to agree within {tolerance:.0%} of that."
        )
    else:
        sentence = f"Take {largest} topics, the most that are shown to {near} {values}."
    return NumberRecommendation(number, best, agreement, low, sentence)
