"""What each width keeps and costs: compare widths of one model and write a report.

python examples/compare_widths.py [N_DOCUMENTS] [REPORT.html]
"""

import sys

from bertopic import BERTopic
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    MatryoshkaBackend,
    compare_dimensions,
    get_stop_words,
    write_report,
)
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
report = sys.argv[2] if len(sys.argv) > 2 else "report.html"

corpus = load_docstrings(("scipy", "sklearn"), limit=n_documents)


def topic_model(backend):
    return BERTopic(
        embedding_model=backend,
        umap_model=DimensionSelector(),
        hdbscan_model=LeidenClustering(),
        vectorizer_model=CountVectorizer(stop_words=get_stop_words("english")),
    )


backend = MatryoshkaBackend()
comparison = compare_dimensions(
    corpus.texts,
    {
        "first dimensions": topic_model(backend),
        "permuted dimensions": topic_model(backend.permuted(0)),  # a control
    },
    labels=corpus.labels,
)
print(comparison.recommend())
columns = ["topic_model", "dim", "n_topics", "topic_agreement", "coherence", "se_coherence", "ami"]
print(comparison.summary[columns].round(3).to_string(index=False))
print(write_report(comparison, report))
