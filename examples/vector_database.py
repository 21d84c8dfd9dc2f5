"""Vectors of a database become topics, which are written back: LanceDB or Qdrant's local mode.

python examples/vector_database.py [N_DOCUMENTS]

It takes what is installed: pip install lancedb, or pip install qdrant-client.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bertopic_matryoshka import MatryoshkaBackend, PrecomputedBackend, build_topic_model, truncate
from bertopic_matryoshka.cli.demo import load_docstrings


# --8<-- [start:lancedb]
def with_lancedb(docs, embeddings, folder):
    """An Arrow table in, a column of vectors out; topics are a new column."""
    import lancedb
    import pyarrow as pa

    vectors = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.ravel()), embeddings.shape[1])
    written = pa.table({"id": range(len(docs)), "text": docs, "vector": vectors})
    table = lancedb.connect(folder).create_table("docs", written)

    read = table.to_arrow()
    topics = topics_of(read["text"].to_pylist(), read["vector"])
    table.add_columns({"topic": "cast(-1 as bigint)"})
    found = pa.table({"id": read["id"], "topic": pa.array(topics)})
    table.merge_insert("id").when_matched_update_all().execute(found)
    return table.count_rows("topic = 0")


# --8<-- [end:lancedb]
# --8<-- [start:qdrant]
def with_qdrant(docs, embeddings, folder):
    """Points in and out; the topic is part of a point's payload."""
    from qdrant_client import QdrantClient, models

    client = QdrantClient(path=folder)
    size = embeddings.shape[1]
    client.create_collection(
        "docs", vectors_config=models.VectorParams(size=size, distance=models.Distance.COSINE)
    )
    payloads = [{"text": text} for text in docs]
    client.upload_collection("docs", embeddings, payloads, ids=range(len(docs)))

    points, after = [], None
    while not points or after is not None:
        page, after = client.scroll("docs", limit=1000, offset=after, with_vectors=True)
        points += page
    topics = topics_of(
        [point.payload["text"] for point in points], np.array([point.vector for point in points])
    )
    for topic in set(topics):
        members = [point.id for point, found in zip(points, topics, strict=True) if found == topic]
        client.set_payload("docs", {"topic": topic}, points=members)
    largest = models.FieldCondition(key="topic", match=models.MatchValue(value=0))
    count = client.count("docs", count_filter=models.Filter(must=[largest])).count
    client.close()
    return count


# --8<-- [end:qdrant]
# --8<-- [start:topics]
def topics_of(texts, vectors):
    """Cut the vectors to half of their dimensions, at unit length, and find topics."""
    cut = truncate(vectors, 128)
    topic_model = build_topic_model(PrecomputedBackend(128))  # nothing is embedded
    topics, _ = topic_model.fit_transform(texts, cut)
    print("the largest:", ", ".join(word for word, _ in topic_model.get_topic(0)[:5]))
    return topics


# --8<-- [end:topics]
n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts
embeddings = MatryoshkaBackend().embed(docs)  # what a database would hold already
databases = {"lancedb": with_lancedb, "qdrant_client": with_qdrant}
installed = [name for name in databases if find_spec(name)]
for name in installed:
    n_largest = databases[name](docs, embeddings, str(Path(f"{name}_database")))
    print(f"{name}: {n_largest} documents of topic 0 are found by the database")
if not installed:
    print("Neither lancedb nor qdrant-client is installed; pip install one of them.")
