"""What workers do for a partition, each step of which is a file that is whole or absent."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bertopic_matryoshka.distributed._partitions import (
    Partition,
    column_matrix,
    fingerprint,
    matrix_column,
    write_tables,
)
from bertopic_matryoshka.distributed._sample import hash_ids

if TYPE_CHECKING:
    from bertopic_matryoshka.distributed._assign_batch import AssignTopicsBatch
    from bertopic_matryoshka.distributed._count_batch import CountWordsBatch
    from bertopic_matryoshka.distributed._embed_batch import EmbedBatch
    from bertopic_matryoshka.distributed._folder import RunFolder

N_BUCKETS = 32
"""Number of parts of the vocabulary, each of which is added up by itself."""

SIZES = b"topic_sizes"
"""Key of the metadata of a partition's topics."""


def scan(partition: Partition) -> dict[str, Any]:
    """Read a partition: its numbers of rows and documents, and a hash of these."""
    documents, n_rows = partition.read()
    return {
        "number": partition.number,
        "n_rows": n_rows,
        "n_documents": documents.num_rows,
        "fingerprint": fingerprint(documents),
    }


@dataclass(frozen=True)
class EmbedPartition:
    """Writes the embeddings of a partition, and before them those that may be in the sample.

    Attributes
    ----------
    folder : RunFolder
    embed : EmbedBatch
    bound : int
        Hash below which a document may be in the sample.
    random_state : int
        Seed of the hashes.
    """

    folder: RunFolder
    embed: EmbedBatch
    bound: int
    random_state: int

    def __call__(self, partition: Partition) -> dict[str, Any]:
        check_shared(self.folder)
        documents, _ = partition.read()
        texts = documents.column("text").to_pylist()
        rows = self.embed({"text": texts})["embedding"]
        embedded = documents.append_column("embedding", matrix_column(rows))
        hashes = hash_ids(documents.column("id").to_numpy(), self.random_state)
        # Compared as Python ints, since the bound may be 2**64.
        near = np.array([hashed < self.bound for hashed in hashes.tolist()], dtype=bool)
        candidates = embedded.append_column("hash", pa.array(hashes)).filter(pa.array(near))
        write_tables(self.folder.sample / partition.name, [candidates])
        shard = embedded.select(["id", "embedding"])
        write_tables(self.folder.embeddings / partition.name, [shard])
        return {}


@dataclass(frozen=True)
class AssignPartition:
    """Writes the word counts of a partition's topics, and then its topics.

    Attributes
    ----------
    folder : RunFolder
    assign : AssignTopicsBatch
    count : CountWordsBatch
    """

    folder: RunFolder
    assign: AssignTopicsBatch
    count: CountWordsBatch

    def __call__(self, partition: Partition) -> dict[str, Any]:
        check_shared(self.folder)
        documents, _ = partition.read()
        shard = pq.read_table(self.folder.embeddings / partition.name)
        ids = shard.column("id").to_pylist()
        if ids != documents.column("id").to_pylist():
            raise ValueError(
                f"{partition.file} has changed since its documents were embedded. Write it as it "
                "was, or begin with another folder."
            )
        assigned = self.assign({"embedding": column_matrix(shard.column("embedding"))})
        topics, probabilities = assigned["topic"], assigned["probability"]
        # The documents of the sample keep the topics that the fit gave them. LeidenClustering
        # gives them these; others need not.
        of_sample = pq.read_table(self.folder.sampled, filters=[("part", "=", partition.number)])
        known = {row["id"]: row for row in of_sample.to_pylist()}
        for at in [at for at, one in enumerate(ids) if one in known]:
            own = known[ids[at]]
            if topics[at] != own["topic"]:
                topics[at], probabilities[at] = own["topic"], own["probability"]
        sums = self.count({"text": documents.column("text").to_pylist(), "topic": topics})
        counted = pa.table(
            {
                "word": pa.array(sums["word"], pa.string()),
                "topic": sums["topic"],
                "count": sums["count"],
            }
        )
        buckets = bucket_of(sums["word"])
        parts = [counted.filter(pa.array(buckets == bucket)) for bucket in range(N_BUCKETS)]
        write_tables(self.folder.words / partition.name, parts)
        found, sizes = np.unique(topics, return_counts=True)
        table = pa.table({"id": shard.column("id"), "topic": topics, "probability": probabilities})
        metadata = json.dumps(dict(zip(found.tolist(), sizes.tolist(), strict=True)))
        table = table.replace_schema_metadata({SIZES: metadata})
        write_tables(self.folder.topics / partition.name, [table])
        return {}


@dataclass(frozen=True)
class SumWords:
    """Adds up the counts of a bucket of words over all partitions, and writes those to keep.

    Attributes
    ----------
    folder : RunFolder
    names : list of str
        Names of the partitions' files.
    keep : Limits
    """

    folder: RunFolder
    names: list[str]
    keep: Limits

    def __call__(self, bucket: int) -> dict[str, Any]:
        files = (pq.ParquetFile(self.folder.words / name) for name in self.names)
        total = pa.concat_tables([file.read_row_group(bucket) for file in files])
        total = total.group_by(["word", "topic"]).aggregate([("count", "sum")])
        total = self.keep.apply(total.rename_columns(["word", "topic", "count"]))
        # Groups come in the order in which pyarrow's threads end.
        total = total.sort_by([("word", "ascending"), ("topic", "ascending")])
        write_tables(self.folder.vocabulary / self.name_of(bucket), [total])
        return {}

    @staticmethod
    def name_of(bucket: int) -> str:
        """Name the file of a bucket."""
        return f"bucket-{bucket:02d}.parquet"


@dataclass(frozen=True)
class Limits:
    """What makes a word part of the vocabulary, as in a CountVectorizer on the topics.

    Attributes
    ----------
    min_count : int
        Fewest occurrences in all documents.
    min_topics, max_topics : float
        Fewest and most topics in which it occurs.
    max_words : int or None
        Number of the most frequent words to keep; ties go to the first by the alphabet.
    binary : bool
        Whether a word counts once in a topic.
    """

    min_count: int
    min_topics: float
    max_topics: float
    max_words: int | None
    binary: bool

    def apply(self, sums: pa.Table) -> pa.Table:
        """Keep the words within the limits, with their counts in each topic."""
        columns = [("count", "sum"), ("topic", "count")]
        words = sums.group_by("word").aggregate(columns)
        total, topics = words.column("count_sum"), words.column("topic_count")
        wanted = pc.greater_equal(total, self.min_count)
        wanted = pc.and_(wanted, pc.greater_equal(topics, self.min_topics))
        words = words.filter(pc.and_(wanted, pc.less_equal(topics, self.max_topics)))
        rank = "topic_count" if self.binary else "count_sum"
        if self.max_words is not None:
            words = words.sort_by([(rank, "descending"), ("word", "ascending")])
            words = words.slice(0, self.max_words)
        kept = sums.filter(pc.is_in(sums.column("word"), words.column("word").combine_chunks()))
        if self.binary:
            ones = pa.array(np.ones(kept.num_rows, np.int64))
            kept = kept.set_column(kept.schema.get_field_index("count"), "count", ones)
        return kept


def topic_sizes(folder: RunFolder, partitions: list[Partition]) -> dict[int, int]:
    """Add up the topics' sizes of all partitions, which the files tell without being read."""
    total: Counter[int] = Counter()
    for partition in partitions:
        metadata = pq.read_metadata(folder.topics / partition.name).metadata
        total.update({int(topic): n for topic, n in json.loads(metadata[SIZES]).items()})
    return dict(total)


def bucket_of(words: Any) -> Any:
    """Give the bucket of each word, whatever the partition."""
    return pd.util.hash_array(np.asarray(words, dtype=object)) % N_BUCKETS


def check_shared(folder: RunFolder) -> None:
    """Check that this worker sees the folder of the run.

    Raises
    ------
    FileNotFoundError
        If it does not.
    """
    if not folder.record.is_file():
        import platform

        raise FileNotFoundError(
            f"out={folder.path} is not there on {platform.node()}. Name a folder on storage that "
            "all machines of the cluster share under one path."
        )
