"""Many topics from one fit, then fewer: BERTopic's tree, nested levels, and a map.

python examples/hierarchy.py [N_DOCUMENTS]
"""

import sys
from functools import partial

from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    build_topic_model,
    topic_levels,
    topic_linkage,
    write_topic_map,
)
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts

backend = MatryoshkaBackend(truncate_dim=128)
embeddings = backend.embed(docs)
clustering = LeidenClustering(n_clusters=max(16, len(docs) // 50))
topic_model = build_topic_model(backend, hdbscan_model=clustering)
topic_model.fit(docs, embeddings)

# Topics whose documents are neighbours merge, where BERTopic would merge those of similar words.
linkage_function = partial(topic_linkage, topic_model)
tree = topic_model.hierarchical_topics(docs, linkage_function=linkage_function)
print(topic_model.get_topic_tree(tree))
figure = topic_model.visualize_hierarchy(
    hierarchical_topics=tree, linkage_function=linkage_function
)
figure.write_html("hierarchy.html")

# All topics, then half as many, then an eighth, each with at least two children.
n_topics = clustering.n_clusters_
levels = topic_levels(topic_model, docs, [n_topics, n_topics // 2, max(2, n_topics // 8)])
print(levels.topics[["level", "topic", "parent", "size", "name"]].to_string(index=False))
levels.documents.to_csv("levels.csv", index=False)
print(write_topic_map(levels, docs, embeddings, "map.html"))
