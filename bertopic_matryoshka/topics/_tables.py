"""A fitted topic model -> a table of topics and a table of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from bertopic import BERTopic

    from bertopic_matryoshka.documents import Documents


def topics_table(topic_model: BERTopic) -> pd.DataFrame:
    """List the topics.

    Returns
    -------
    topics : DataFrame
        One row per topic, the outlier topic -1 first if there is one. Columns: "topic"; "size", in
        documents; "words", most important first; "representative_document".
    """
    info = topic_model.get_topic_info()
    examples = [(documents or [""])[0] for documents in info["Representative_Docs"]]
    table: pd.DataFrame = pd.DataFrame(
        {
            "topic": info["Topic"],
            "size": info["Count"],
            "words": [", ".join(filter(None, words)) for words in info["Representation"]],
            "representative_document": examples,
        }
    )
    return table


def documents_table(topic_model: BERTopic, documents: Documents) -> pd.DataFrame:
    """List all rows of the source, with the topics of those that are documents.

    Returns
    -------
    rows : DataFrame
        One row per row of the source, in its order. Columns: "row", from 0; "topic", -1 for
        outliers and for rows that are not documents; "probability" of the topic, 0 for those rows
        and missing if the clusterer gives none; "is_document".
    """
    is_document = np.zeros(documents.n_rows, dtype=bool)
    is_document[documents.rows] = True
    probabilities = topic_model.probabilities_
    if probabilities is not None and np.ndim(probabilities) == 2:
        probabilities = np.max(probabilities, axis=1)
    table: pd.DataFrame = pd.DataFrame(
        {
            "row": np.arange(documents.n_rows),
            "topic": documents.spread(topic_model.topics_),
            "probability": (
                np.nan if probabilities is None else documents.spread(probabilities, fill=0.0)
            ),
            "is_document": is_document,
        }
    )
    return table
