"""Topics at two widths -> which are the same, by their documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from bertopic_matryoshka.comparison._result import Run, Topic

SMALLEST_MATCH = 0.1
"""Share of documents from which two topics count as the same one."""


class Pair(NamedTuple):
    """A topic and its counterpart at another width, either of them None where it stands alone."""

    topic: Topic | None
    other: Topic | None
    share: float
    """Documents in both, of those in either; 0 where one stands alone."""


def pair_topics(run: Run, other: Run) -> list[Pair]:
    """Match topics at two widths, one to one, by the documents that they share.

    The pairs together share as many documents as can be (Hungarian method). Topics that share
    less than a tenth of their documents are no pair.

    Parameters
    ----------
    run, other : Run
        Of the same documents.

    Returns
    -------
    pairs : list of Pair
        One for each topic of `run` in its order, then those topics of `other` that are left.
    """
    contingency = pd.crosstab(run.document_topics, other.document_topics).reindex(
        index=[topic.id for topic in run.topics],
        columns=[topic.id for topic in other.topics],
        fill_value=0,
    )
    shared = contingency.to_numpy()
    pairs = {topic.id: Pair(topic, None, 0.0) for topic in run.topics}
    left = {topic.id: topic for topic in other.topics}
    for i, j in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
        one, two = run.topics[i], other.topics[j]
        share = float(shared[i, j] / (one.size + two.size - shared[i, j]))
        if share >= SMALLEST_MATCH:
            pairs[one.id] = Pair(one, left.pop(two.id), share)
    return [*pairs.values(), *(Pair(None, topic, 0.0) for topic in left.values())]
