"""Topics as callers give them -> a list of words for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bertopic_matryoshka._constraints import shown

REMEDY = "Pass a list of topics, such as [[word for word, _ in topic_model.get_topic(0)]]."


def words_of_topics(topics: Iterable[Sequence[str]], name: str = "topics") -> list[list[str]]:
    """List each topic's words.

    Raises
    ------
    TypeError
        If `topics` is no iterable of sequences of strings; the message gives the position. A string
        is no topic, since its letters are no words, and a set is none, since it has no order.
    """
    is_table = isinstance(topics, (str, bytes, Mapping)) or getattr(topics, "ndim", 1) == 0
    if is_table or hasattr(topics, "columns") or not isinstance(topics, Iterable):
        raise TypeError(f"{name}={shown(topics)} must be a list of topics. {REMEDY}")
    checked = []
    for position, topic in enumerate(topics):
        is_list = isinstance(topic, (Sequence, np.ndarray)) and not isinstance(topic, (str, bytes))
        words = list(topic) if is_list else []
        if not is_list or not all(isinstance(word, str) for word in words):
            raise TypeError(
                f"{name}[{position}]={shown(topic)} must be a list of words, each a string. "
                f"{REMEDY}"
            )
        checked.append(words)
    return checked
