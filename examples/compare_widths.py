"""How many dimensions to keep: compare widths and write a report.

python examples/compare_widths.py [N_DOCUMENTS] [REPORT.html]
"""

import sys

from bertopic_matryoshka import MatryoshkaBackend, compare_dimensions, write_report
from bertopic_matryoshka.cli.demo import load_docstrings

n_documents = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
report = sys.argv[2] if len(sys.argv) > 2 else "report.html"

corpus = load_docstrings(("scipy", "sklearn"), limit=n_documents)
comparison = compare_dimensions(
    corpus.texts,
    MatryoshkaBackend(),
    reductions=["variance"],
    labels=corpus.labels,
    random_state=(0, 1, 2),
    controls=["random"],
)
columns = ["line", "dim", "n_topics", "coherence", "coherence_error", "ami", "neighbors_kept"]
print(comparison.summary[columns].round(3).to_string(index=False))
print(comparison.recommend())
print(write_report(comparison, report))
