"""Representative documents of a topic model, chosen among some of its documents only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from bertopic import BERTopic


def choose_representatives_from(topic_model: BERTopic, ids: pd.Series) -> None:
    """Let a topic model choose its representative documents among those of these IDs.

    BERTopic chooses, among 500 documents of each topic drawn at random, those most like the topic
    by c-TF-IDF. It has no hook to draw from fewer. The method is therefore replaced on this
    instance: it serves both `representative_docs_` and representation models that send documents to
    a language model.
    """
    topic_model._extract_representative_docs = _AmongThese(  # noqa: SLF001
        topic_model, frozenset(ids.tolist())
    )


class _AmongThese:
    """BERTopic's own method, given some of the documents; a class, so that it can be pickled."""

    def __init__(self, topic_model: BERTopic, ids: frozenset[int]) -> None:
        self.topic_model = topic_model
        self.ids = ids

    def __call__(
        self, c_tf_idf: Any, documents: pd.DataFrame, *args: Any, **kwargs: Any
    ) -> tuple[Any, ...]:
        if "ID" in documents:
            among = documents[documents["ID"].isin(self.ids)]
            # Topics may have changed since, and one without any document would be an error.
            if among["Topic"].nunique() == documents["Topic"].nunique():
                documents = among
        method = type(self.topic_model)._extract_representative_docs  # noqa: SLF001
        found: tuple[Any, ...] = method(self.topic_model, c_tf_idf, documents, *args, **kwargs)
        return found
