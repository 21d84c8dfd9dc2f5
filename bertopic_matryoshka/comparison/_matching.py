"""Topics at two widths -> matched pairs, and what becomes of each, by their documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bertopic_matryoshka.comparison._result import Run, Topic

SMALLEST_MATCH = 0.1
"""Smallest Jaccard index of documents at which two topics count as the same."""


class Pair(NamedTuple):
    """A topic and its counterpart at another width; one of them is None for an unmatched topic."""

    topic: Topic | None
    other: Topic | None
    share: float
    """Jaccard index of the documents of both; 0 for an unmatched topic."""


def pair_topics(run: Run, other: Run) -> list[Pair]:
    """Match topics at two widths, one to one, by the documents that they share.

    The matching maximises the number of shared documents (Hungarian method). Topics whose Jaccard
    index of documents is below 0.1 are not paired.

    Parameters
    ----------
    run, other : Run
        Runs on the same documents.

    Returns
    -------
    pairs : list of Pair
        One for each topic of `run` in its order, then those topics of `other` that are left.
    """
    shared = _shared_documents(run, other)
    pairs = {topic.id: Pair(topic, None, 0.0) for topic in run.topics}
    left = {topic.id: topic for topic in other.topics}
    for i, j in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
        one, two = run.topics[i], other.topics[j]
        share = float(shared[i, j] / (one.size + two.size - shared[i, j]))
        if share >= SMALLEST_MATCH:
            pairs[one.id] = Pair(one, left.pop(two.id), share)
    return [*pairs.values(), *(Pair(None, topic, 0.0) for topic in left.values())]


class TopicChange(NamedTuple):
    """What becomes of a topic in another fit.

    Attributes
    ----------
    topic : Topic
    change : {"survives", "merges", "splits", "vanishes"}
        See topic_changes.
    others : tuple of Topic
        The topic that it survives as or merges into, or the topics that it splits into.
    share : float in [0, 1]
        Share of its documents in `others`; where it vanishes, in the largest topic that takes any.
    """

    topic: Topic
    change: Literal["survives", "merges", "splits", "vanishes"]
    others: tuple[Topic, ...]
    share: float


def topic_changes(run: Run, other: Run) -> list[TopicChange]:
    """Say what becomes of each topic in another fit to the same documents, by majority.

    A topic *survives* if more than half of its documents are in one topic there, of which they are
    more than half. It *merges* if more than half of its documents are in one topic there that is
    mostly others'. It *splits* if more than half are in several topics there that are mostly its
    own, and no one of them has more than half. Otherwise it *vanishes*: its documents scatter, or
    become outliers.

    Parameters
    ----------
    run, other : Run
        Runs on the same documents.

    Returns
    -------
    changes : list of TopicChange
        One for each topic of `run`, in its order.
    """
    shared = _shared_documents(run, other)
    sizes = np.array([topic.size for topic in other.topics])
    changes = []
    for topic, row in zip(run.topics, shared, strict=True):
        mostly_its_own = 2 * row > sizes
        largest = int(row.argmax()) if row.size else 0
        pieces = np.flatnonzero(mostly_its_own)
        change: Literal["survives", "merges", "splits", "vanishes"] = "vanishes"
        others: tuple[Topic, ...] = ()
        n_documents = int(row.max(initial=0))
        if 2 * n_documents > topic.size:
            change = "survives" if mostly_its_own[largest] else "merges"
            others = (other.topics[largest],)
        elif 2 * row[pieces].sum() > topic.size:
            change, n_documents = "splits", int(row[pieces].sum())
            others = tuple(other.topics[i] for i in pieces[np.argsort(-row[pieces])])
        changes.append(TopicChange(topic, change, others, n_documents / topic.size))
    return changes


def _shared_documents(run: Run, other: Run) -> NDArray[np.int_]:
    """Count the documents that each topic of a run shares with each of another."""
    counts: NDArray[np.int_] = (
        pd.crosstab(run.document_topics, other.document_topics)
        .reindex(
            index=[topic.id for topic in run.topics],
            columns=[topic.id for topic in other.topics],
            fill_value=0,
        )
        .to_numpy()
    )
    return counts
