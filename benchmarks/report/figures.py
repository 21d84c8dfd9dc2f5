"""Seconds of the figures and of the topic page, beside BERTopic's figures with UMAP.

    python -m benchmarks.report.figures --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_ag minilm_so --sizes 5000 20000

Wall clock and processor seconds, of one run after another: BERTopic's figures come once more where
UMAP has compiled. The page is written with and without a sample; "MB" is its file.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from bertopic import BERTopic
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import (
    CoreWords,
    DimensionSelector,
    LeidenClustering,
    visualize_documents,
    visualize_topics,
    write_topic_page,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(function: Callable[[], object]) -> tuple[float, float]:
    """Give wall clock and processor seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5000])
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--without-umap", action="store_true", help="ours only")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| data | documents | what | seconds | processor | MB |")
    print("|--|--:|--|--:|--:|--:|")
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        for size in args.sizes:
            rows = np.sort(np.random.default_rng(0).permutation(len(X))[:size])
            docs, embeddings = table["text"].iloc[rows].tolist(), X[rows]
            topic_model = BERTopic(  # without a model for embeddings, which are given
                umap_model=DimensionSelector(),
                hdbscan_model=LeidenClustering(args.topics),
                vectorizer_model=CountVectorizer(stop_words="english"),
                representation_model=CoreWords(),
            )
            page = Path(tempfile.mkdtemp()) / "topics.html"
            fit = timed(lambda m=topic_model, d=docs, e=embeddings: m.fit(d, e))
            print(f"| {name} | {len(docs):,} | fit | {fit[0]:.1f} | {fit[1]:.1f} | |", flush=True)
            measured: dict[str, Callable[[], object]] = {
                "write_topic_page": lambda m=topic_model, d=docs, e=embeddings, p=page: (
                    write_topic_page(m, d, p, embeddings=e)
                ),
                "visualize_documents": lambda m=topic_model, d=docs, e=embeddings: (
                    visualize_documents(m, d, e)
                ),
                "visualize_topics": lambda m=topic_model: visualize_topics(m),
            }
            if not args.without_umap:
                theirs = {
                    "BERTopic's visualize_documents": lambda m=topic_model, d=docs, e=embeddings: (
                        m.visualize_documents(d, embeddings=e)
                    ),
                    "BERTopic's visualize_topics": lambda m=topic_model: m.visualize_topics(),
                }
                measured |= theirs | {f"{what}, again": call for what, call in theirs.items()}
            for what, call in measured.items():
                wall, processor = timed(call)
                megabytes = f"{page.stat().st_size / 1e6:.1f}" if what.endswith("page") else ""
                cells = name, f"{len(docs):,}", what, f"{wall:.1f}", f"{processor:.1f}", megabytes
                print("|", " | ".join(cells), "|", flush=True)
    print(f"\n{machine(['bertopic', 'plotly', 'scikit-learn', 'umap-learn'])}")


if __name__ == "__main__":
    main()
