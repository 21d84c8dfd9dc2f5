"""The steps of a distributed fit: embed, fit a sample, assign, count, describe."""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bertopic_matryoshka._files import short_hash
from bertopic_matryoshka.comparison import clone_topic_model, hash_with_code
from bertopic_matryoshka.distributed._assign_batch import AssignTopicsBatch
from bertopic_matryoshka.distributed._count_batch import CountWordsBatch
from bertopic_matryoshka.distributed._embed_batch import EmbedBatch
from bertopic_matryoshka.distributed._engine import is_ray_dataset
from bertopic_matryoshka.distributed._folder import COPY, RunFolder
from bertopic_matryoshka.distributed._partitions import check_schema, partitions_of
from bertopic_matryoshka.distributed._sample import bound_of
from bertopic_matryoshka.distributed._sampled_fit import Sample
from bertopic_matryoshka.distributed._tasks import (
    N_BUCKETS,
    AssignPartition,
    EmbedPartition,
    SumWords,
    scan,
    topic_sizes,
)
from bertopic_matryoshka.distributed._whole import count_whole, limits_of
from bertopic_matryoshka.embedding import embedding_key
from bertopic_matryoshka.topics import save_topic_model

if TYPE_CHECKING:
    from pathlib import Path

    from bertopic import BERTopic

    from bertopic_matryoshka.distributed._engine import Engine
    from bertopic_matryoshka.distributed._partitions import Partition
    from bertopic_matryoshka.distributed._settings import Settings


class DistributedRun:
    """One run, in a folder of its own.

    Parameters
    ----------
    dataset : path or ray.data.Dataset
    model : BERTopic
        To fit a copy of.
    out : Path
    settings : Settings
    workers : Engine

    Attributes
    ----------
    folder : RunFolder
    n_documents, n_empty : int
        Numbers of documents, and of rows without text; 0 until `fit` is called.
    """

    def __init__(
        self, dataset: Any, model: BERTopic, out: Path, settings: Settings, workers: Engine
    ) -> None:
        self.dataset = dataset
        self.model = model
        self.folder = RunFolder(out)
        self.settings = settings
        self.workers = workers
        self.n_documents = self.n_empty = 0

    def fit(self) -> BERTopic:
        """Do all that is not done yet.

        Returns
        -------
        topic_model : BERTopic
            As it was saved in the folder.
        """
        self.folder.check_free()
        if not is_ray_dataset(self.dataset):
            self._divided(self.dataset)  # its errors come before there is a folder
        with self.folder.locked():
            partitions = self.claimed()
            self.embed(partitions)
            sample = Sample.gathered(self.folder, partitions, self.settings.sample_size)
            sample.fit(self.folder, clone_topic_model(self.model, self.model.embedding_model))
            self.assign(partitions)
            sizes = topic_sizes(self.folder, partitions)
            sums = self.count(partitions, len(sizes))
            fitted, documents = sample.load(self.folder, self.model.embedding_model)
            count_whole(fitted, self.model, sums, sizes, documents, sample.embeddings)
            save_topic_model(fitted, self.folder.topic_model)
        return fitted

    def claimed(self) -> list[Partition]:
        """Read all documents once, and make the folder this run's.

        Returns
        -------
        partitions : list of Partition
            Of a Ray Dataset, those of the copy in the folder.
        """
        if not is_ray_dataset(self.dataset):
            partitions = self._divided(self.dataset)
            self._claim(partitions, is_copy=False)
            return partitions
        copy = self._copied()
        try:
            self._claim(self._divided(copy), is_copy=True)
            if not self.folder.texts.exists():
                copy.rename(self.folder.texts)
        finally:
            shutil.rmtree(copy, ignore_errors=True)  # if it was not moved
        return self._divided(self.folder.texts)

    def _claim(self, partitions: list[Partition], *, is_copy: bool) -> None:
        scans = sorted(self.workers.run(scan, partitions), key=lambda found: int(found["number"]))
        self.n_documents = sum(found["n_documents"] for found in scans)
        self.n_empty = sum(found["n_rows"] for found in scans) - self.n_documents
        if not self.n_documents:
            raise ValueError(
                f"text_column={self.settings.text_column!r} has no text in any of "
                f"{self.n_empty:,} rows. Pass another column or dataset."
            )
        cuts = [[found["n_documents"], found["fingerprint"]] for found in scans]
        self.folder.claim(
            {
                "documents": sum(found["fingerprint"] for found in scans) % 2**64,
                # Ray may divide a dataset in another way each time; the first copy is kept.
                "partitions": "of a copy" if is_copy else short_hash(cuts),
                "backend": backend_key(self.model.embedding_model),
                "topic_model": model_key(self.model),
                **self.settings._asdict(),
            }
        )

    def _divided(self, source: Any) -> list[Partition]:
        s = self.settings
        return partitions_of(source, s.text_column, s.id_column, s.rows_per_partition)

    def _copied(self) -> Path:
        """Write the documents of a Ray Dataset to a folder that is not the run's yet."""
        columns = [self.settings.id_column, self.settings.text_column]
        schema = self.dataset.schema()
        if schema is None:
            raise ValueError("dataset has no rows. Pass one with documents.")
        found = pa.schema(list(zip(schema.names, schema.types, strict=True)))
        check_schema(found, self.settings.text_column, self.settings.id_column, "the dataset")
        copy = self.folder.path / f"{COPY}{uuid.uuid4().hex}"
        self.dataset.select_columns(columns).write_parquet(str(copy))
        return copy

    def embed(self, partitions: list[Partition]) -> None:
        """Embed the partitions that have no embeddings yet."""
        bound = bound_of(self.settings.sample_size, self.n_documents)
        embed = EmbedBatch(self.model.embedding_model)
        task = EmbedPartition(self.folder, embed, bound, self.settings.random_state)
        pending = [p for p in partitions if not (self.folder.embeddings / p.name).is_file()]
        self.workers.run(task, pending, keeps_model=True, on_gpu=True)

    def assign(self, partitions: list[Partition]) -> None:
        """Assign the partitions that have no topics yet, and count their words."""
        assign = AssignTopicsBatch(self.folder.sample_model, self.model.embedding_model)
        task = AssignPartition(self.folder, assign, CountWordsBatch(self.model))
        pending = [p for p in partitions if not (self.folder.topics / p.name).is_file()]
        self.workers.run(task, pending, keeps_model=True)

    def count(self, partitions: list[Partition], n_topics: int) -> pa.Table:
        """Add up the words' counts, and choose the vocabulary."""
        limits = limits_of(self.model.vectorizer_model, n_topics, self.settings.min_word_count)
        task = SumWords(self.folder, [partition.name for partition in partitions], limits)
        files = [self.folder.vocabulary / task.name_of(bucket) for bucket in range(N_BUCKETS)]
        self.workers.run(task, [at for at, file in enumerate(files) if not file.is_file()])
        # Each bucket has its most frequent words, among which are those of the whole.
        return limits.apply(pa.concat_tables([pq.read_table(file) for file in files]))


def backend_key(backend: Any) -> str:
    """Tell a backend by all that its rows depend on."""
    parts = [backend.embedding_dim, backend.truncate_dim, backend.permutation_seed]
    return f"{short_hash(embedding_key(backend))}-{hash_with_code([*parts, backend.lexical_view])}"


def model_key(model: BERTopic) -> str:
    """Tell a topic model by the parameters that topics and counts depend on."""
    parameters = clone_topic_model(model, None).get_params()
    for name in ("embedding_model", "representation_model", "verbose"):
        parameters.pop(name)
    return hash_with_code(parameters)
