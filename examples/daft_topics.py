"""Topics of a Daft DataFrame: a model fitted to a sample, and the batches in a class of Daft.

python examples/daft_topics.py [N_DOCUMENTS]
"""

import sys
import tempfile

import numpy as np

try:
    import daft
    from daft import DataType
except ImportError:
    sys.exit("examples/daft_topics.py needs Daft: pip install daft")

from bertopic_matryoshka import (
    AssignTopicsBatch,
    EmbedBatch,
    MatryoshkaBackend,
    build_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts
backend = MatryoshkaBackend(truncate_dim=128)


@daft.cls
class Embed:
    """A worker's embedding model; gpus=1 gives each a GPU."""

    def __init__(self):
        self.batch = EmbedBatch(backend)

    @daft.method.batch(return_dtype=DataType.embedding(DataType.float32(), 128), batch_size=500)
    def __call__(self, texts):
        return self.batch({"text": texts.to_pylist()})["embedding"]


@daft.cls
class Assign:
    """A worker's topic model."""

    def __init__(self, folder):
        self.batch = AssignTopicsBatch(folder)

    @daft.method.batch(return_dtype=DataType.int64())
    def __call__(self, rows):
        return self.batch({"embedding": rows.to_pylist()})["topic"]


documents = daft.from_pydict({"id": list(range(len(docs))), "text": docs})
embedded = documents.with_column("embedding", Embed()(documents["text"])).collect()

# Fitted here, to a sample. The folder must be one that all workers can read.
sample = embedded.where(embedded["id"] % 2 == 0).sort("id").to_pandas()
topic_model = build_topic_model(backend)
rows = np.stack(sample["embedding"].tolist()).astype(np.float32)
topic_model.fit(sample["text"].tolist(), rows)
folder = tempfile.mkdtemp()
save_topic_model(topic_model, folder)

assigned = embedded.with_column("topic", Assign(folder)(embedded["embedding"]))
assigned.groupby("topic").agg(daft.col("id").count().alias("count")).sort("topic").show()
