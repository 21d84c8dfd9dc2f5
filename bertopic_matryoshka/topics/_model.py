"""A BERTopic of which three methods do what a notebook written for HDBSCAN expects of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic import BERTopic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class MatryoshkaBERTopic(BERTopic):  # type: ignore[misc]
    """A BERTopic that also works without outliers, and after topics were given or reduced twice.

    What build_topic_model and load_topic_model return. Parameters and attributes are BERTopic's,
    and so is all that it does, but for three methods in which BERTopic 0.17.4 fails or leaves
    arrays that do not belong together, with its own reducers and clusterers too. BERTopic itself is
    not changed. `merge_models` returns a BERTopic.

    See Also
    --------
    build_topic_model : Builds one on truncated embeddings.

    Examples
    --------
    >>> from bertopic_matryoshka import (
    ...     DimensionSelector, LeidenClustering, MatryoshkaBackend, MatryoshkaBERTopic
    ... )
    >>> topic_model = MatryoshkaBERTopic(
    ...     embedding_model=MatryoshkaBackend(truncate_dim=128),
    ...     umap_model=DimensionSelector(),
    ...     hdbscan_model=LeidenClustering(),
    ... )
    """

    probabilities_: NDArray[np.floating] | None
    topic_embeddings_: NDArray[np.floating]

    def reduce_outliers(
        self, documents: Sequence[str], topics: Sequence[int], *args: Any, **kwargs: Any
    ) -> list[int]:
        """Move outliers to their nearest topics; without outliers, return the topics unchanged.

        BERTopic raises a ValueError where a model has no topic -1.

        Parameters
        ----------
        documents : sequence of str
            Those of the fit.
        topics : sequence of int
            Topic of each document.
        *args, **kwargs
            See BERTopic.reduce_outliers.

        Returns
        -------
        new_topics : list of int
        """
        topics = list(topics)
        if -1 not in topics:
            return topics
        new_topics: list[int] = super().reduce_outliers(documents, topics, *args, **kwargs)
        return new_topics

    def reduce_topics(
        self,
        docs: Sequence[str],
        nr_topics: int | str = 20,
        images: Sequence[str] | None = None,
        use_ctfidf: bool = False,
    ) -> MatryoshkaBERTopic:
        """Merge topics, see BERTopic.reduce_topics; keep `probabilities_` if none are merged.

        Where there are no more than `nr_topics` topics, BERTopic renumbers the columns of
        `probabilities_` once more, as at the last reduction. That ends in an IndexError, or leaves
        columns of other topics.

        Parameters
        ----------
        docs : sequence of str
            Those of the fit.
        nr_topics : int or "auto", default=20
            Number of topics, topic -1 included.
        images : sequence of str or None, default=None
        use_ctfidf : bool, default=False

        Returns
        -------
        self : MatryoshkaBERTopic
        """
        probabilities = self.probabilities_
        merges = not isinstance(nr_topics, int) or nr_topics < len(self.get_topics())
        if not merges:
            self.probabilities_ = None
        try:
            super().reduce_topics(docs, nr_topics, images, use_ctfidf)
        finally:
            if not merges:
                self.probabilities_ = probabilities
        return self

    def update_topics(self, docs: Sequence[str], *args: Any, **kwargs: Any) -> None:
        """Update words and topics, see BERTopic.update_topics, and the topics' embeddings too.

        Where `topics` are others than the model had, BERTopic 0.17.4 means to update
        `topic_embeddings_`, and does not: a row too many or too few then makes `find_topics` and
        figures name wrong topics. 0.17.0 always replaces them by those of words. Here they stay as
        they are if only outliers moved, without the row of topic -1 if none is left. Else each
        topic has the weighted mean of its words' embeddings, as BERTopic documents.

        Parameters
        ----------
        docs : sequence of str
            Those of the fit.
        *args, **kwargs
            See BERTopic.update_topics. `vectorizer_model` is a plain CountVectorizer, with stop
            words, unless ``vectorizer_model=topic_model.vectorizer_model`` is passed.
        """
        before, rows = list(self.topics_), self.topic_embeddings_
        super().update_topics(docs, *args, **kwargs)
        pairs = list(zip(before, self.topics_, strict=True))
        if any(old not in {-1, new} for old, new in pairs):
            self._create_topic_vectors()
        elif -1 in before and -1 not in self.topics_:
            self.topic_embeddings_ = rows[1:]
        else:
            self.topic_embeddings_ = rows

    @classmethod
    def load(cls, path: str | Path, embedding_model: Any = None) -> MatryoshkaBERTopic:
        """Load a model that ``save`` wrote, see BERTopic.load.

        Parameters
        ----------
        path : str or Path
        embedding_model : MatryoshkaBackend or another model, default=None
            The folder has none.

        Returns
        -------
        topic_model : MatryoshkaBERTopic
        """
        topic_model = super().load(path, embedding_model=embedding_model)
        topic_model.__class__ = cls  # BERTopic builds its own class from a folder's files
        return topic_model  # type: ignore[no-any-return]
