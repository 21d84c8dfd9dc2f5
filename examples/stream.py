"""Documents that come in batches: topics keep their numbers, and a new one is told.

python examples/stream.py [N_DOCUMENTS]
"""

import sys

import numpy as np
from bertopic.vectorizers import OnlineCountVectorizer

from bertopic_matryoshka import MatryoshkaBackend, build_topic_model, get_stop_words
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
sample = load_docstrings(("scipy", "sklearn"), limit=n_documents)
docs, labels = np.array(sample.texts, dtype=object), np.array(sample.labels)

# The documents of one module come last, as if it were news.
late = labels == "scipy.sparse"
first, last = np.flatnonzero(~late), np.flatnonzero(late)
batches = [*np.array_split(np.random.default_rng(0).permutation(first), 3), last]

topic_model = build_topic_model(
    MatryoshkaBackend(truncate_dim=128),
    vectorizer_model=OnlineCountVectorizer(stop_words=get_stop_words("english")),
)
for batch in batches:
    topic_model.partial_fit(docs[batch].tolist())
    print(f"{len(batch)} documents, {len(topic_model.get_topics())} topics")

changes = topic_model.hdbscan_model.topic_changes_
print(changes.to_string(index=False) if len(changes) else "no topic has changed")
for topic in changes.loc[changes["change"] == "new", "new"].unique():
    print(topic, [word for word, _ in topic_model.get_topic(topic)[:6]])
