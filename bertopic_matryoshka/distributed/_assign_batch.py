"""A batch of embedded documents -> the same batch with topics and probabilities."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic import BERTopic

from bertopic_matryoshka._constraints import check_fitted, instance
from bertopic_matryoshka._validation import list_of_strings
from bertopic_matryoshka.clustering import LeidenClustering
from bertopic_matryoshka.distributed._columns import NAME, TEXT, as_rows, check_column
from bertopic_matryoshka.distributed._embed_batch import EMBEDDING, as_backend
from bertopic_matryoshka.topics import load_topic_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

TOPIC, PROBABILITY = "topic", "probability"
"""Names of the columns that are added."""

MODEL = instance(BERTopic, str, os.PathLike, words="a fitted BERTopic or the folder of a saved one")


class AssignTopicsBatch:
    """Assigns the documents of a batch to the topics of a fitted model, as its ``transform`` does.

    For any engine that hands over dicts of arrays, after EmbedBatch or by itself.

    Parameters
    ----------
    topic_model : str, Path or BERTopic
        Folder of save_topic_model, which every worker must be able to read, and which it loads at
        its first batch. A BERTopic is pickled whole, the rows of its fit included, so that a folder
        is better where there are many workers.
    backend : MatryoshkaBackend, a model that it takes, or None, default=None
        Passed to load_topic_model, which needs it for a model that is not known by its name.
    text_column : str, default="text"
        Name of the column of texts; not needed where the batch has a column "embedding".

    Raises
    ------
    TypeError, ValueError
        If `topic_model` is neither, or a BERTopic that is not fitted.
    FileNotFoundError
        At the first batch, if the folder has no saved model.

    See Also
    --------
    CountWordsBatch : The step after it.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import AssignTopicsBatch, build_topic_model
    >>> docs = [f"a {kind} number {i}" for kind in ("dog", "spline", "tax") for i in range(20)]
    >>> topic_model = build_topic_model().fit(docs)
    >>> batch = AssignTopicsBatch(topic_model)({"text": np.array(docs[:3])})
    >>> sorted(batch)
    ['probability', 'text', 'topic']
    >>> batch["topic"].tolist() == topic_model.topics_[:3]
    True
    """

    def __init__(
        self,
        topic_model: str | os.PathLike[str] | BERTopic,
        backend: Any = None,
        *,
        text_column: str = TEXT,
    ) -> None:
        MODEL.check(topic_model, "topic_model")
        NAME.check(text_column, "text_column")
        self.topic_model: Any = topic_model
        if isinstance(topic_model, BERTopic):
            check_fitted(topic_model)
        else:
            self.topic_model = Path(topic_model).absolute()
        self.backend = None if backend is None else as_backend(backend)
        self.text_column = text_column
        self._loaded: BERTopic | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out a model that was loaded from a folder: each worker loads its own."""
        return {**vars(self), "_loaded": None}

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Assign a batch.

        Parameters
        ----------
        batch : mapping of str to array of n_rows rows
            With "embedding", rows of the model's backend, or the column of texts.

        Returns
        -------
        batch : dict of str to ndarray
            All columns; "topic" of shape (n_rows,), int64, -1 for outliers; "probability" of shape
            (n_rows,), float64. The probability is the share of a document's neighbours in its
            topic, in [0, 1] and 0 for outliers, or what BERTopic gives with another clusterer; NaN
            where that gives none.
        """
        if self._loaded is None:
            given, is_folder = self.topic_model, isinstance(self.topic_model, Path)
            self._loaded = load_topic_model(given, backend=self.backend) if is_folder else given
        model = self._loaded
        if EMBEDDING in batch:
            rows = as_rows(batch[EMBEDDING])
        else:
            texts = check_column(batch, self.text_column, "text_column")
            rows = as_rows(model.embedding_model.embed_documents(list_of_strings(texts)))
        topics, probabilities = assign(model, rows)
        return {**batch, TOPIC: topics, PROBABILITY: probabilities}


def assign(
    model: BERTopic, rows: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give what ``transform`` gives, with the strength of each assignment."""
    if not len(rows):
        return np.empty(0, np.int64), np.empty(0)
    if isinstance(model.hdbscan_model, LeidenClustering):
        # BERTopic asks for the labels alone, and a search for the strengths would be a second one.
        reduced = model.umap_model.transform(rows)
        labels, probabilities = model.hdbscan_model.predict_strength(reduced)
        topics = model._map_predictions(labels.tolist())  # noqa: SLF001
    else:
        topics, probabilities = model.transform([""] * len(rows), rows)
    topics = np.asarray(topics, dtype=np.int64)
    return topics, own_probabilities(probabilities, topics)


def own_probabilities(probabilities: Any, topics: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the probability of each document's own topic, from what BERTopic gives."""
    if probabilities is None:
        return np.full(topics.size, np.nan)
    array = np.asarray(probabilities, dtype=np.float64)
    if array.ndim == 2:
        array = np.where(topics >= 0, array[np.arange(topics.size), topics], 0.0)
    return array
