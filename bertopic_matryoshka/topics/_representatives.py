"""Representative documents of a topic model, chosen among some of its documents only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.topics._words import chain_of

if TYPE_CHECKING:
    import pandas as pd
    from bertopic import BERTopic
    from bertopic.representation import BaseRepresentation


def choose_representatives_from(
    ids: pd.Series, topic_model: BERTopic, model: BaseRepresentation
) -> None:
    """Let a topic model choose its representative documents among those of these IDs.

    BERTopic chooses, among 500 documents of each topic drawn at random, those most like the topic
    by c-TF-IDF. It has no hook to draw from fewer. The method is therefore replaced on this
    instance: it serves both `representative_docs_` and representation models that send documents to
    a language model. Without the representation model that asked for it, it is BERTopic's again.
    """
    topic_model._extract_representative_docs = _AmongThese(  # noqa: SLF001
        topic_model, model, frozenset(ids.tolist())
    )


class _AmongThese:
    """BERTopic's own method, given some of the documents; a class, so that it can be pickled."""

    def __init__(
        self, topic_model: BERTopic, model: BaseRepresentation, ids: frozenset[int]
    ) -> None:
        self.topic_model = topic_model
        self.model = model
        self.ids = ids

    def __call__(
        self, c_tf_idf: Any, documents: pd.DataFrame, *args: Any, **kwargs: Any
    ) -> tuple[Any, ...]:
        if "ID" in documents and chain_of(self.model, self.topic_model):
            among = documents[documents["ID"].isin(self.ids)]
            # Topics may have changed since, and one without any document would be an error.
            if among["Topic"].nunique() == documents["Topic"].nunique():
                documents = among
        method = type(self.topic_model)._extract_representative_docs  # noqa: SLF001
        found: tuple[Any, ...] = method(self.topic_model, c_tf_idf, documents, *args, **kwargs)
        return found
