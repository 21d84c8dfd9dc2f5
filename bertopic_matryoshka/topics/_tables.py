"""A fitted topic model -> a table of topics and a table of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertopic import BERTopic
    from numpy.typing import NDArray

    from bertopic_matryoshka.documents import Documents

NAME_WORDS = 4
"""Words of a topic's name, as in BERTopic's own labels."""


def topics_table(topic_model: BERTopic) -> pd.DataFrame:
    """List the topics.

    Returns
    -------
    topics : DataFrame
        One row per topic, the outlier topic -1 first if there is one. Columns: "topic"; "size", in
        documents; "words", most important first; "representative_document", empty
        where the model was loaded, as documents are not saved.
    """
    info = topic_model.get_topic_info()
    # None for topics without, and NaN in a model that was loaded: documents are not saved.
    examples = [
        documents[0] if isinstance(documents, list) and documents else ""
        for documents in info["Representative_Docs"]
    ]
    table: pd.DataFrame = pd.DataFrame(
        {
            "topic": info["Topic"],
            "size": info["Count"],
            "words": [", ".join(filter(None, words)) for words in info["Representation"]],
            "representative_document": examples,
        }
    )
    return table


def documents_table(
    topic_model: BERTopic,
    documents: Documents,
    topics: Sequence[int] | None = None,
    probabilities: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """List all rows of the source, with the topics of those that are documents.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted.
    documents : Documents
        Those of the fit, or others.
    topics, probabilities : sequence of int and ndarray of float, or None, default=None
        What ``transform`` gave for `documents`; None where they are those of the fit.

    Returns
    -------
    rows : DataFrame
        One row per row of the source, in its order. Columns: "row", from 0; "id", where `documents`
        has ids; "text", empty for rows that are not documents; "topic", -1 for outliers and for
        rows that are not documents; "name" of the topic, its first words; "probability" of the
        topic, 0 for those rows and missing if the clusterer gives none; "is_document".
    """
    is_document = np.zeros(documents.n_rows, dtype=bool)
    is_document[documents.rows] = True
    if topics is None:
        topics, probabilities = topic_model.topics_, topic_model.probabilities_
    if probabilities is not None and np.ndim(probabilities) == 2:
        probabilities = np.max(probabilities, axis=1)
    names = {topic: _name(topic_model, topic) for topic in set(topics)}
    ids = {} if documents.ids is None else {"id": documents.ids}
    table: pd.DataFrame = pd.DataFrame(
        {
            "row": np.arange(documents.n_rows),
            **ids,
            "text": documents.spread(documents.texts, fill=""),
            "topic": documents.spread(topics),
            "name": documents.spread([names[topic] for topic in topics], fill=""),
            "probability": (
                np.nan if probabilities is None else documents.spread(probabilities, fill=0.0)
            ),
            "is_document": is_document,
        }
    )
    return table


def _name(topic_model: BERTopic, topic: int) -> str:
    """Name a topic by its first words."""
    if topic == -1:
        return "outliers"
    words = [word for word, _ in topic_model.get_topic(topic) if word]
    return ", ".join(words[:NAME_WORDS])
