"""The sample of a distributed fit: gathered, fitted on one machine, and read back."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bertopic_matryoshka.distributed._assign_batch import own_probabilities
from bertopic_matryoshka.distributed._partitions import column_matrix, write_tables
from bertopic_matryoshka.distributed._sample import smallest
from bertopic_matryoshka.exceptions import LossySaveWarning
from bertopic_matryoshka.topics import load_topic_model, save_topic_model

if TYPE_CHECKING:
    from bertopic import BERTopic
    from numpy.typing import NDArray

    from bertopic_matryoshka.distributed._folder import RunFolder
    from bertopic_matryoshka.distributed._partitions import Partition

EXAMPLES = b"representative_docs"
"""Key of the metadata that keeps what a saved topic model does not."""


@dataclass(frozen=True)
class Sample:
    """Documents of the sample, by the hashes of their IDs.

    Attributes
    ----------
    ids : list of str or int
    texts : list of str
    embeddings : ndarray of shape (n_sampled, n_dims), float32
    parts : ndarray of shape (n_sampled,), int
        Number of the partition of each.
    """

    ids: list[Any]
    texts: list[str]
    embeddings: NDArray[np.float32]
    parts: NDArray[np.int_]

    @classmethod
    def gathered(cls, folder: RunFolder, partitions: list[Partition], size: int) -> Sample:
        """Choose the sample among the candidates of all partitions.

        Raises
        ------
        ValueError
            If two documents have one ID.
        """
        tables = [pq.read_table(folder.sample / partition.name) for partition in partitions]
        parts = np.repeat([p.number for p in partitions], [len(table) for table in tables])
        table = pa.concat_tables(tables, promote_options="permissive")
        chosen = smallest(table.column("hash").to_numpy(), size)
        table = table.take(chosen)
        ids = table.column("id").to_pylist()
        repeated = pd.Index(ids)[pd.Index(ids).duplicated()]
        if len(repeated):
            column = partitions[0].id_column
            raise ValueError(
                f"id_column={column!r} has {repeated[0]!r} more than once. Give each document an "
                "ID of its own."
            )
        texts, embeddings = table.column("text").to_pylist(), column_matrix(table["embedding"])
        return cls(ids, texts, embeddings, parts[chosen])

    def fit(self, folder: RunFolder, model: BERTopic) -> None:
        """Fit a topic model to the sample, unless that was done, and save what it gives.

        Returns nothing: what was saved is read, so that a run that was interrupted gives the same.
        """
        if (folder.sample_model / "matryoshka.json").is_file():
            return
        model.fit(self.texts, self.embeddings)
        topics = np.array(model.topics_, dtype=np.int64)
        fitted = pa.table(
            {
                "id": pa.array(self.ids),
                "part": self.parts,
                "topic": topics,
                "probability": own_probabilities(model.probabilities_, topics),
            }
        )
        examples = {str(topic): docs for topic, docs in model.representative_docs_.items()}
        fitted = fitted.replace_schema_metadata({EXAMPLES: json.dumps(examples)})
        write_tables(folder.sampled, [fitted])
        with warnings.catch_warnings():
            # Of the embedding model, which is at hand when it is loaded.
            warnings.simplefilter("ignore", LossySaveWarning)
            save_topic_model(model, folder.sample_model)

    def load(self, folder: RunFolder, backend: Any) -> tuple[BERTopic, pd.DataFrame]:
        """Load the model that was fitted, and its documents as BERTopic has them."""
        model = load_topic_model(folder.sample_model, backend=backend)
        fitted = pq.read_table(folder.sampled)
        examples = json.loads(fitted.schema.metadata[EXAMPLES])
        model.representative_docs_ = {int(topic): docs for topic, docs in examples.items()}
        model.topics_ = fitted.column("topic").to_pylist()
        probabilities = fitted.column("probability").to_numpy()
        model.probabilities_ = None if np.isnan(probabilities).all() else probabilities
        documents = {"Document": self.texts, "ID": range(len(self.ids)), "Topic": model.topics_}
        return model, pd.DataFrame(documents)
