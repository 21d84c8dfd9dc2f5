"""Topics of a Spark DataFrame: a model fitted to a sample, and the batches in mapInPandas.

python examples/spark_topics.py [N_DOCUMENTS]
"""

import shutil
import sys
import tempfile

import pandas as pd

try:
    from pyspark.sql import SparkSession
except ImportError:
    sys.exit("examples/spark_topics.py needs Spark: pip install pyspark")
if shutil.which("java") is None:
    sys.exit("examples/spark_topics.py needs Java: install a JDK")

from bertopic_matryoshka import (
    AssignTopicsBatch,
    CountWordsBatch,
    MatryoshkaBackend,
    build_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.cli.demo import load_docstrings


def in_pandas(batch):
    """Make of a batch's callable what mapInPandas takes."""

    def each(frames):
        for frame in frames:
            found = batch({name: frame[name].to_numpy() for name in frame})
            yield pd.DataFrame({name: list(column) for name, column in found.items()})

    return each


n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts
settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4"}
spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
documents = spark.createDataFrame(list(enumerate(docs)), "id long, text string").repartition(4)

# Fitted here, to a sample. The folder must be one that all workers can read.
sample = [row.text for row in documents.sample(0.5, seed=0).orderBy("id").collect()]
topic_model = build_topic_model(MatryoshkaBackend(truncate_dim=128)).fit(sample)
folder = tempfile.mkdtemp()
save_topic_model(topic_model, folder)

# Embedded and assigned there. Each worker loads the model once for each partition.
schema = "id long, text string, topic long, probability double"
assigned = documents.mapInPandas(in_pandas(AssignTopicsBatch(folder)), schema).cache()
assigned.groupBy("topic").count().orderBy("topic").show()

# The words of each topic in all documents: only the partial sums are shuffled.
counts = (
    assigned.mapInPandas(
        in_pandas(CountWordsBatch(topic_model)), "word string, topic long, count long"
    )
    .groupBy("topic", "word")
    .sum("count")
)
counts.orderBy("sum(count)", ascending=False).show(5)
spark.stop()
