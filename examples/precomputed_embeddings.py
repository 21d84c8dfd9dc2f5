"""Encode once, keep the full embeddings, and fit at any width.

python examples/precomputed_embeddings.py [N_DOCUMENTS]
"""

import sys

from bertopic_matryoshka import (
    MatryoshkaBackend,
    build_topic_model,
    inspect_dimensions,
    truncate,
)
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts

backend = MatryoshkaBackend()
embeddings = backend.embed(docs)
print(inspect_dimensions(embeddings).summary())
for dim in backend.dims:
    topic_model = build_topic_model(backend.truncated(dim))
    topics, _ = topic_model.fit_transform(docs, truncate(embeddings, dim))
    largest = " ".join(word for word, _ in topic_model.get_topic(0)[:5])
    print(f"{dim:>4} dims: {len(set(topics))} topics, the largest: {largest}")
