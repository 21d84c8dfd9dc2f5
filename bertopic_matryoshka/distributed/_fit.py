"""Documents on many machines -> a BERTopic that counts all of them, and the topic of each."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bertopic import BERTopic

from bertopic_matryoshka._constraints import PATH, check_arguments, instance, whole
from bertopic_matryoshka.comparison import reducer_of
from bertopic_matryoshka.distributed._columns import NAME, TEXT
from bertopic_matryoshka.distributed._count_batch import checked_vectorizer
from bertopic_matryoshka.distributed._engine import Engine, is_ray_dataset
from bertopic_matryoshka.distributed._settings import Settings
from bertopic_matryoshka.embedding import MatryoshkaBackend
from bertopic_matryoshka.topics import SAFE_ESTIMATORS, build_topic_model

SAMPLE_SIZE = 100_000
"""Default number of documents to fit on, see docs/scale.md."""

DATASET = instance(
    str, os.PathLike, words="the path of a Parquet file or of a folder of them, or a Ray Dataset"
)


@dataclass(frozen=True, eq=False)
class DistributedTopics:
    """Result of fit_distributed.

    Attributes
    ----------
    topic_model : BERTopic
        Fitted. `topic_sizes_`, `c_tf_idf_`, the vectorizer's vocabulary and the topics' words are
        those of all documents; `topics_`, `probabilities_`, `topic_embeddings_` and
        `representative_docs_` those of the sample.
    topics : Path
        Folder of Parquet files with the columns "id", "topic" and "probability": all documents.
    embeddings : Path
        Folder of Parquet files with the columns "id" and "embedding", lists of float32.
    n_documents, n_sampled, n_empty : int
        Numbers of documents, of those that were fitted, and of rows without text, which are left
        out.
    """

    topic_model: BERTopic
    topics: Path
    embeddings: Path
    n_documents: int
    n_sampled: int
    n_empty: int


def fit_distributed(
    dataset: Any,
    backend: Any = None,
    *,
    out: str | os.PathLike[str],
    topic_model: BERTopic | None = None,
    text_column: str = TEXT,
    id_column: str = "id",
    sample_size: int = SAMPLE_SIZE,
    min_word_count: int = 1,
    rows_per_partition: int = 50_000,
    random_state: int = 0,
    engine: str = "ray",
    concurrency: int | None = None,
    num_gpus: float = 0,
) -> DistributedTopics:
    """Fit a BERTopic to more documents than one machine can take, with the extra ``ray``.

    All documents are embedded; topics are found in a sample that fits one machine; the others are
    assigned as ``transform`` does; words are counted in all. What is done is kept in `out`, a file
    for each partition of the documents: after an interruption, the same call goes on.

    Parameters
    ----------
    dataset : str, Path or ray.data.Dataset
        A Parquet file, or a folder of them, that every machine can read. A Ray Dataset is copied to
        `out` first, at each call.
    backend : MatryoshkaBackend, a model that it takes, or None, default=None
        Embedding backend; None is the bundled model, or that of `topic_model`. Every machine must
        be able to load it.
    out : str or Path
        Folder for the results, on storage that all machines share under one path: new, empty, or
        that of the same call before.
    topic_model : BERTopic or None, default=None
        Topic model to fit a copy of, with parts that save_topic_model can save: LeidenClustering,
        KMeans, but not HDBSCAN or UMAP. None is ``build_topic_model(backend)``.
    text_column, id_column : str, default="text", "id"
        Columns of the texts, and of the IDs: strings or integers, each of one document only.
    sample_size : int, default=100000
        Number of documents to fit on, >= 1; see docs/scale.md for how many are enough. They are
        those with the smallest hashes of their IDs, whatever the order and the number of workers.
    min_word_count : int, default=1
        Number of occurrences, in all documents, below which a word is left out, >= 1. The
        vectorizer's `min_df`, `max_df` and `max_features` hold too, as in BERTopic: its documents
        are the topics.
    rows_per_partition : int, default=50000
        Number of rows that a worker has in memory, and that an interruption loses at most, >= 1.
    random_state : int, default=0
        Seed of the sample.
    engine : {"ray", "local"}, default="ray"
        "ray" uses the cluster that is connected to, that of RAY_ADDRESS, or one on this machine.
        "local" needs no Ray, and does one partition after another in this process.
    concurrency : int or None, default=None
        Number of Ray workers; None is as many as there are CPUs, or GPUs for.
    num_gpus : float, default=0
        GPUs of each worker that embeds; 0.5 lets two share one.

    Returns
    -------
    fitted : DistributedTopics
        The topic model is saved in `out` too, in the folder "topic_model", for load_topic_model.

    Raises
    ------
    ImportError
        If Ray is needed and not installed.
    ConnectionError
        If RAY_ADDRESS is set, and nothing answers there.
    FileNotFoundError
        If there is no such dataset, or a worker does not see `out`.
    FileExistsError
        If `out` has files of something else, is in use, or holds a run with other documents,
        another backend or other parameters; the message says which.
    TypeError, ValueError
        If a parameter is not as described, a column is missing, there is no document, or a document
        has no ID or, in the sample, one that another has too. A part of the topic model that cannot
        be saved is a ValueError.
    OSError
        If a disk is full. What is whole stays.

    Warns
    -----
    RuntimeWarning
        If rows without text were left out.

    See Also
    --------
    EmbedBatch, AssignTopicsBatch, CountWordsBatch : The steps, for any engine.

    Notes
    -----
    c-TF-IDF is computed by BERTopic from the summed counts. Each document is counted by itself, see
    CountWordsBatch. CoreWords and DistinctDocuments, which count the sample anew, are left out;
    other representation models get the words of all documents, and the texts of the sample.
    Topics keep the numbers that they have in the sample, where 0 is the largest.

    An embedding may change in its last digits with the batch that it is computed in, so that
    another `rows_per_partition` need not give the same topics; another number of workers does.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import pandas as pd
    >>> from bertopic_matryoshka import fit_distributed
    >>> texts = [f"{kind} number {i}" for i in range(40) for kind in ("a dog", "a tax", "a tree")]
    >>> folder = mkdtemp()
    >>> table = pd.DataFrame({"id": range(120), "text": texts})
    >>> table.to_parquet(f"{folder}/texts.parquet")
    >>> fitted = fit_distributed(
    ...     f"{folder}/texts.parquet", out=f"{folder}/out", sample_size=60, engine="local"
    ... )
    >>> fitted.n_documents, sum(fitted.topic_model.topic_sizes_.values())
    (120, 120)
    >>> list(pd.read_parquet(fitted.topics).columns)
    ['id', 'topic', 'probability']
    """
    check_arguments(
        locals(),
        out=PATH,
        topic_model=instance(BERTopic, none=True),
        text_column=NAME,
        id_column=NAME,
        sample_size=whole(1),
        min_word_count=whole(1),
        rows_per_partition=whole(1),
        random_state=whole(0, 2**32 - 1),
    )
    if not is_ray_dataset(dataset):
        DATASET.check(dataset, "dataset")
    model = checked_model(topic_model, backend)
    check_pyarrow()
    settings = Settings(
        text_column=text_column,
        id_column=id_column,
        sample_size=int(sample_size),
        min_word_count=int(min_word_count),
        rows_per_partition=int(rows_per_partition),
        random_state=int(random_state),
    )
    workers = Engine(engine, concurrency, num_gpus)

    # It imports pyarrow, which only some users have.
    from bertopic_matryoshka.distributed._run import DistributedRun

    run = DistributedRun(dataset, model, Path(out).absolute(), settings, workers)
    fitted = run.fit()
    if run.n_empty:
        warnings.warn(
            f"{run.n_empty:,} rows without text were left out of "
            f"{run.n_documents + run.n_empty:,}.",
            RuntimeWarning,
            stacklevel=2,
        )
    return DistributedTopics(
        fitted,
        run.folder.topics,
        run.folder.embeddings,
        run.n_documents,
        len(fitted.topics_),
        run.n_empty,
    )


def checked_model(topic_model: BERTopic | None, backend: Any) -> BERTopic:
    """Build the topic model to fit, or check the given one.

    Raises
    ------
    TypeError, ValueError
        If its words cannot be counted in batches, its embedding model is not a MatryoshkaBackend,
        it is not `backend`, or its reducer or clusterer cannot be saved.
    """
    if topic_model is None:
        return build_topic_model(backend)
    own = topic_model.embedding_model
    if not isinstance(own, MatryoshkaBackend):
        raise TypeError(
            f"topic_model has an embedding_model of type {type(own).__name__}, which must be a "
            "MatryoshkaBackend. Build it with build_topic_model(backend)."
        )
    if backend is not None and backend is not own:
        raise ValueError(
            f"backend={backend!r} is not the embedding_model of topic_model, {own!r}. Leave "
            "backend out."
        )
    for name in ("umap_model", "hdbscan_model"):
        step = reducer_of(topic_model) if name == "umap_model" else topic_model.hdbscan_model
        if type(step) not in SAFE_ESTIMATORS:
            raise ValueError(
                f"topic_model has a {type(step).__name__} as {name}, which save_topic_model cannot "
                "save, so that workers could not load it. Use one of "
                f"{', '.join(sorted(cls.__name__ for cls in SAFE_ESTIMATORS))}."
            )
    checked_vectorizer(topic_model.vectorizer_model)
    return topic_model


def check_pyarrow() -> None:
    """Check that pyarrow, which reads and writes Parquet, is installed."""
    if find_spec("pyarrow") is None:
        raise ImportError(
            'fit_distributed needs pyarrow: pip install pyarrow, or the extra "ray", which brings '
            "Ray Data too."
        )
