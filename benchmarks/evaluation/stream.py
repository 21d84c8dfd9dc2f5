"""Ten million documents counted in bounded memory: seconds and peak memory as they grow in number.

    python -m benchmarks.evaluation.stream [--sizes 100000 1000000 10000000] [--measure c_npmi]

Documents of 5 to 30 words by Zipf's law from 50,000, made up as they are read and never held. The
words of 50 topics of 10 are counted, all in one walk. Each size runs in a process of its own.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.clustering.no_umap import mebibytes
from benchmarks.corpus import machine
from bertopic_matryoshka import TopicCoherence

N_WORDS, SHORTEST, LONGEST = 50_000, 5, 30
BLOCK = 100_000


class Documents:
    """Can be read again and again, and is not held."""

    def __init__(self, n_documents: int):
        self.n_documents = n_documents
        self.words = np.array([f"word{i}" for i in range(N_WORDS)], dtype=object)
        self.shares = np.cumsum(1 / np.arange(1, N_WORDS + 1))
        self.shares /= self.shares[-1]

    def __iter__(self):
        for block in range(0, self.n_documents, BLOCK):
            rng = np.random.default_rng(block)
            lengths = rng.integers(SHORTEST, LONGEST + 1, min(BLOCK, self.n_documents - block))
            drawn = self.words[np.searchsorted(self.shares, rng.random(lengths.sum()))].tolist()
            end = 0
            for length in lengths.tolist():
                yield drawn[end : (end := end + length)]


def measure(n_documents: int, name: str) -> None:
    documents = Documents(n_documents)
    TopicCoherence([["a", "b"]], measure=name).score([["a", "b"]])  # imports
    start = time.perf_counter()
    tokens = sum(len(document) for document in documents)
    reading = time.perf_counter() - start
    before = mebibytes("VmHWM")
    rng = np.random.default_rng(0)
    topics = [documents.words[rng.choice(5_000, 10, replace=False)].tolist() for _ in range(50)]
    start = time.perf_counter()
    TopicCoherence(documents, measure=name).score(topics)
    whole = time.perf_counter() - start
    values = n_documents, tokens, f"{reading:.1f}", f"{whole - reading:.1f}"
    peaks = f"{before:,.0f}", f"{mebibytes('VmHWM'):,.0f}"
    print("|", " | ".join(f"{v:,}" if isinstance(v, int) else v for v in (*values, *peaks)), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    sizes = [100_000, 1_000_000, 10_000_000]
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes)
    parser.add_argument("--measure", default="c_npmi")
    args = parser.parse_args()
    print("| documents | tokens | making them s | counting and scoring s | MiB before | peak MiB |")
    print("|--:|--:|--:|--:|--:|--:|", flush=True)
    for size in args.sizes:
        code = f"from benchmarks.evaluation import stream; stream.measure({size}, {args.measure!r})"
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
    print(f"\n{args.measure}. {machine(('numpy', 'torch'))}")


if __name__ == "__main__":
    main()
