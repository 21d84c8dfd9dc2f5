"""Save a small topic model into saved_v1: run once, at commit d4fc4fd, the last of format 1.

    git worktree add /tmp/v1 d4fc4fd && PYTHONPATH=/tmp/v1 python tests/data/make_saved_v1.py

Later releases must go on reading what it wrote.
"""

import json
from pathlib import Path

from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    build_topic_model,
    save_topic_model,
)

THINGS = {
    "cook": ["soup", "bread", "cheese", "onion", "pasta", "butter", "pepper", "rice"],
    "sail": ["harbour", "anchor", "mast", "tide", "rudder", "deck", "storm", "keel"],
    "prove": ["theorem", "lemma", "integer", "matrix", "proof", "axiom", "vector", "prime"],
}
WAYS = ["How to {} with {} and {}.", "Nobody can {} without {} or {}.", "They {} {} near {}."]
FOLDER = Path(__file__).parent / "saved_v1"

docs = [
    way.format(verb, first, second)
    for verb, things in THINGS.items()
    for way in WAYS
    for first, second in zip(things, things[1:] + things[:1], strict=True)
]
topic_model = build_topic_model(
    MatryoshkaBackend(truncate_dim=32),
    n_features_to_select=16,
    hdbscan_model=LeidenClustering(3, min_cluster_size=5),
    vectorizer_model=CountVectorizer(stop_words="english"),
).fit(docs)
save_topic_model(topic_model, FOLDER)
expected = {"docs": docs, "topics": [int(topic) for topic in topic_model.transform(docs)[0]]}
(FOLDER.parent / "saved_v1_topics.json").write_text(json.dumps(expected, indent=1), "utf-8")
