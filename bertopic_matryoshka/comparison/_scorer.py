"""Settings of the measures in a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from bertopic_matryoshka._constraints import check_arguments, choice, flag, whole
from bertopic_matryoshka._validation import find_device
from bertopic_matryoshka.evaluation import MEASURES


@dataclass(frozen=True, kw_only=True)
class TopicScorer:
    """Settings of the measures that compare_dimensions computes for every run.

    Parameters
    ----------
    measure : {"c_v", "c_npmi", "c_uci", "u_mass", "npmi"}, default="c_v"
        Coherence measure, see TopicCoherence.
    top_n : int, default=10
        Number of words per topic that are scored, >= 2.
    n_resamples : int, default=200
        Number of bootstrap samples of the documents, >= 2, for the standard error of the coherence.
    n_replicates : int, default=5
        Number of replicates, >= 0: fits at each width to 80 % of the documents, for the agreement
        of topics with those at full width (see topic_agreement) and DimensionComparison.recommend,
        which needs three. More of them narrow its bounds: use ten where a fit takes tenths of a
        second. 0 measures no agreement.
    split_half : bool, default=False
        Whether each topic model is also fitted to two halves of the documents, with the first seed,
        to measure stability: two more fits per width.
    device : str or None, default=None
        Device on which words are counted and neighbourhoods compared, such as "cuda" or "cpu"; None
        uses a GPU if there is one. Backends and LeidenClustering have their own `device`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong type or out of range.

    Examples
    --------
    >>> from bertopic_matryoshka import TopicScorer
    >>> TopicScorer(measure="c_npmi", n_replicates=10).n_resamples
    200
    """

    measure: str = "c_v"
    top_n: int = 10
    n_resamples: int = 200
    n_replicates: int = 5
    split_half: bool = False
    device: str | None = None

    def __post_init__(self) -> None:
        check_arguments(
            vars(self),
            measure=choice(MEASURES),
            top_n=whole(2),
            n_resamples=whole(2),
            n_replicates=whole(0),
            split_half=flag(),
        )
        if self.device is not None:
            find_device(self.device)


def check_scorer(scorer: TopicScorer | None) -> TopicScorer:
    """Give the scorer, or the default for None; raise a TypeError for anything else."""
    if scorer is None:
        return TopicScorer()
    if not isinstance(scorer, TopicScorer):
        raise TypeError(f"scorer={scorer!r} must be a TopicScorer, such as TopicScorer().")
    return scorer
