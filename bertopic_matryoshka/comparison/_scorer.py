"""What is measured of the topics of every run of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from bertopic_matryoshka._validation import check_at_least, find_device
from bertopic_matryoshka.evaluation import MEASURES


@dataclass(frozen=True, kw_only=True)
class TopicScorer:
    """What compare_dimensions measures of the topics of every run, and on how much.

    Parameters
    ----------
    measure : {"c_v", "c_npmi", "c_uci", "u_mass", "npmi"}, default="c_v"
        Of coherence, see TopicCoherence.
    top_n : int, default=10
        Words of each topic that are measured, >= 2.
    n_resamples : int, default=200
        Bootstrap samples of the documents, >= 2, for the standard error of the coherence.
    split_half : bool, default=False
        Whether each topic model is also fitted to both halves of the documents, with the first
        seed, for their stability: two more fits a width.
    device : str or None, default=None
        Where words are counted and the neighbours that a width keeps are found, such as "cuda" or
        "cpu"; None takes a GPU where there is one. A backend and a LeidenClustering have their own.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong kind or out of range.

    Examples
    --------
    >>> from bertopic_matryoshka import TopicScorer
    >>> TopicScorer(measure="c_npmi", n_resamples=1000)
    TopicScorer(measure='c_npmi', top_n=10, n_resamples=1000, split_half=False, device=None)
    """

    measure: str = "c_v"
    top_n: int = 10
    n_resamples: int = 200
    split_half: bool = False
    device: str | None = None

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(f"measure={self.measure!r} must be one of {', '.join(MEASURES)}.")
        check_at_least(self.top_n, 2, name="top_n")
        check_at_least(self.n_resamples, 2, name="n_resamples")
        if self.device is not None:
            find_device(self.device)
