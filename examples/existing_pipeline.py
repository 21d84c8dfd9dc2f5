"""A BERTopic pipeline as people have it, with our backend, selector and clusterer put in.

python examples/existing_pipeline.py [N_DOCUMENTS]
"""

import sys

from bertopic import BERTopic
from bertopic.representation import KeyBERTInspired
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    MatryoshkaBackend,
    get_stop_words,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
docs = load_docstrings(("scipy", "sklearn"), limit=n_documents).texts

topic_model = BERTopic(
    embedding_model=MatryoshkaBackend(truncate_dim=128),
    umap_model=DimensionSelector(),
    hdbscan_model=LeidenClustering(),
    vectorizer_model=CountVectorizer(stop_words=get_stop_words("english")),
    representation_model=KeyBERTInspired(),
)
topics, _ = topic_model.fit_transform(docs)
print(topic_model.get_topic_info()[["Topic", "Count", "Name"]].to_string(index=False))

found, similarity = topic_model.find_topics("sparse matrix")
print("sparse matrix:", topic_model.get_topic(found[0])[:5], round(similarity[0], 2))

save_topic_model(topic_model, "topic_model")
again = load_topic_model("topic_model")
same = again.transform(docs[:20])[0] == topic_model.transform(docs[:20])[0]
print("loaded again, the same topics:", same)
