"""A model of another library, a scikit-learn pipeline: truncated, stored, saved with its topics.

python examples/other_backends.py [N_DOCUMENTS]
"""

import sys

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from bertopic_matryoshka import (
    MatryoshkaBackend,
    build_topic_model,
    compare_prefixes,
    load_topic_model,
    save_topic_model,
    truncate,
)
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.embedding import EmbeddingStore

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
docs = load_docstrings(("sklearn",), limit=n_documents).texts

# Fitted before: BERTopic would fit it to the first texts that it sees.
pipeline = make_pipeline(TfidfVectorizer(stop_words="english"), TruncatedSVD(100, random_state=0))
pipeline.fit(docs)

# The name tells its rows from those of other models in a store; change it with the pipeline.
# Its axes come by singular value, so that a prefix is what a smaller TruncatedSVD would give.
backend = MatryoshkaBackend(
    pipeline, truncate_dim=32, dims=[100, 64, 32], name="TF-IDF of docstrings, 100 axes"
)
embeddings = EmbeddingStore("embeddings").embed(backend, docs)  # the second time, they are read
print(compare_prefixes(embeddings, backend.dims)[["dim", "neighbors_kept"]].round(3))

topic_model = build_topic_model(backend, reduction="none").fit(docs, truncate(embeddings, 32))
print(topic_model.get_topic_info()[["Topic", "Count", "Name"]])

# The pipeline is not saved, which a warning says: it is passed again.
save_topic_model(topic_model, "topic_model")
loaded = load_topic_model("topic_model", backend=pipeline)
print("the same topics:", list(loaded.transform(docs)[0]) == topic_model.topics_)
