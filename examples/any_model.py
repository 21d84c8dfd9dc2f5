"""Make a model's first dimensions the best ones, and save it as a model that others can truncate.

python examples/any_model.py [N_DOCUMENTS] [MODEL]
"""

import sys

from sentence_transformers import SentenceTransformer

from bertopic_matryoshka import MatryoshkaBackend, build_topic_model, compare_prefixes
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts
plain = MatryoshkaBackend(sys.argv[2] if len(sys.argv) > 2 else None)

# Fitted to one half of the documents, judged on the other.
backend = plain.rotated(docs[::2])
others = docs[1::2]
before = compare_prefixes(plain.embed(others), [64, 32])
after = compare_prefixes(backend.embed(others), [64, 32], rotated=True)
for name, table in (("before the rotation", before), ("after it", after)):
    print(name, table[["dim", "neighbors_kept", "spearman"]].round(3), sep="\n")

# A topic model on 32 dimensions.
topic_model = build_topic_model(backend.truncated(32), reduction="none").fit(docs)
print(topic_model.get_topic_info()[["Topic", "Count", "Name"]])

# Anybody can load it, without this package. The folder must be new.
backend.save_pretrained("rotated_model", prefixes=after)
model = SentenceTransformer("rotated_model", truncate_dim=32)
print(model.encode(docs[:2], normalize_embeddings=True).shape)
