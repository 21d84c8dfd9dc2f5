"""What MatryoshkaBackend costs beside a bare SentenceTransformer.encode.

    python -m benchmarks.embedding.backend_overhead [--model FOLDER] [--documents 10000] [--runs 15]

Both encode the same docstrings of the installed libraries with the same model, in turn, so that
a change of the machine's speed hits both. Prints the median of the ratios pair by pair.
"""

import argparse
import time

import numpy as np

from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.comparison._provenance import versions


def seconds(function, *arguments, **keywords) -> float:
    start = time.perf_counter()
    function(*arguments, **keywords)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=None)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    texts = load_docstrings().texts
    texts = (texts * (arguments.documents // len(texts) + 1))[: arguments.documents]
    backend = MatryoshkaBackend(arguments.model)
    model = backend.embedding_model
    backend.embed(texts[:100])
    ratios, bare = [], []
    for run in range(arguments.runs):
        order = (0, 1) if run % 2 else (1, 0)
        took = {}
        for which in order:
            took[which] = seconds(backend.embed, texts) if which else seconds(model.encode, texts)
        bare.append(took[0])
        ratios.append(took[1] / took[0])
    made_with = versions()
    low, median, high = np.percentile(ratios, [25, 50, 75])
    print(
        f"{arguments.documents:,} docstrings, {backend.name}, width {backend.embedding_dim}, "
        f"{made_with['machine']}, sentence-transformers {made_with['sentence-transformers']}, "
        f"{arguments.runs} pairs: bare encode {np.median(bare):.2f} s, "
        f"backend / bare {median:.3f} (quartiles {low:.3f} to {high:.3f})"
    )


if __name__ == "__main__":
    main()
