"""What compare_dimensions costs beyond its parts, and what a second run costs with a store.

    python -m benchmarks.comparison.comparison [--documents 5000] [--runs 5]

The parts are encoding, the neighbourhoods of the prefixes, and of each run its fit and its
measuring (which reads and counts the corpus), as the comparison itself times them. Docstrings of
the installed libraries, the bundled model, selection + Leiden at all of its widths, three seeds,
no replicates. The first run imports and is not counted.
"""

import argparse
import tempfile
import time

import numpy as np
import torch

from benchmarks.corpus import machine
from bertopic_matryoshka import (
    MatryoshkaBackend,
    TopicScorer,
    build_topic_model,
    compare_dimensions,
)
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.neighbors._prefixes import compare_prefixes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    texts = load_docstrings(limit=args.documents).texts
    backend = MatryoshkaBackend()
    backend.embed(texts[:10])

    def run(store=None):
        start = time.perf_counter()
        comparison = compare_dimensions(
            texts,
            build_topic_model(backend),
            scorer=TopicScorer(n_replicates=0),
            store=store,
            progress=False,
        )
        return time.perf_counter() - start, comparison

    run()
    shares, without, first, second = [], [], [], []
    for _ in range(args.runs):
        whole, comparison = run()
        (model,) = comparison.embedding_models.values()
        start = time.perf_counter()
        compare_prefixes(model.embeddings, model.neighborhoods["dim"])
        parts = time.perf_counter() - start + model.encode_seconds
        parts += sum(run.seconds + run.evaluate_seconds for run in comparison.runs)
        shares.append(whole / parts - 1)
        without.append(whole)
        with tempfile.TemporaryDirectory() as folder:
            first.append(run(folder)[0])
            second.append(run(folder)[0])
    low, middle, high = np.quantile(shares, [0.25, 0.5, 0.75])
    print(f"{len(texts):,} documents, {len(comparison.runs)} fits, {args.runs} times.")
    print(f"Beyond the parts: {middle:.1%} (quartiles {low:.1%} to {high:.1%}) of their sum.")
    medians = [float(np.median(taken)) for taken in (without, first, second)]
    print("Without a store {:.2f} s, into an empty one {:.2f} s, again {:.2f} s.".format(*medians))
    print(machine(("bertopic", "scikit-learn", "numpy")), "torch", torch.__version__)


if __name__ == "__main__":
    main()
