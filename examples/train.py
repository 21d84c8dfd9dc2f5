"""Train a model on your own texts so that its first dimensions serve, and find topics with it.

python examples/train.py [N_DOCUMENTS] [MODEL]
"""

import sys

from bertopic_matryoshka import (
    MatryoshkaBackend,
    build_topic_model,
    compare_prefixes,
    train_matryoshka,
)
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts
plain = MatryoshkaBackend(sys.argv[2] if len(sys.argv) > 2 else None)

# Trained on one half of the documents without labels, judged on the other. The folder must be new,
# or that of the same call when it was interrupted. For a transformer, add layers=[3].
training = train_matryoshka(plain, docs[::2], out="trained_model", dims=[64, 32])
print(training.scores.round(3), f"{training.seconds:.0f} seconds", sep="\n")
trained = MatryoshkaBackend("trained_model")

others = docs[1::2]
rotated = plain.rotated(docs[::2])
for name, backend in (("untrained", plain), ("trained", trained), ("rotated", rotated)):
    table = compare_prefixes(backend.embed(others), [64, 32], rotated=name == "rotated")
    print(name, table[["dim", "neighbors_kept", "spearman"]].round(3), sep="\n")

# A topic model on 32 dimensions.
topic_model = build_topic_model(trained.truncated(32), reduction="none").fit(docs)
print(topic_model.get_topic_info()[["Topic", "Count", "Name"]])
