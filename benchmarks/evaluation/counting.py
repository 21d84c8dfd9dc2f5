"""Three ways to count pairs of words in windows: overlaps of intervals, sparse and dense products.

    python -m benchmarks.evaluation.counting --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_so

Words are those of 20 topic models of 10, 20, ... 200 topics. Sparse: a scipy matrix of windows by
words, and its product with itself. Dense: the same in blocks, as float32 in torch. All three start
from the intervals of windows in which a word is seen, and all give the same integers.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from scipy.sparse import csr_array

from benchmarks.corpus import Corpus, machine, parser_of, read
from benchmarks.evaluation.coherence import topic_models
from bertopic_matryoshka.evaluation._counts import WordCounts
from bertopic_matryoshka.evaluation._tokens import Tokens
from bertopic_matryoshka.evaluation._windows import count_windows, seen_in

REPETITIONS = 3
BLOCK = 2**13  # windows in a dense block


def rows_of_windows(tokens: Tokens, number: dict[str, int], size: int | None):
    """Give the windows and the words of each cell that is set, chunk by chunk."""
    for chunk in tokens.chunks(number):
        seen = seen_in(chunk, size, "cpu")
        lasts = (seen.end - seen.start + 1).numpy()
        begins = np.repeat(np.cumsum(lasts) - lasts, lasts)
        windows = np.arange(lasts.sum()) - begins + np.repeat(seen.start.numpy(), lasts)
        n_windows = int(count_windows(torch.from_numpy(chunk.lengths), size).sum())
        yield windows, np.repeat(seen.word.numpy(), lasts), n_windows


def by_intervals(tokens: Tokens, number: dict[str, int], size: int | None) -> np.ndarray:
    counts = WordCounts(size)
    counts.extend(tokens, [list(number)], "cpu")
    return counts.of(np.arange(len(number)))


def by_sparse(tokens: Tokens, number: dict[str, int], size: int | None) -> np.ndarray:
    total = np.zeros((len(number), len(number)), dtype=np.int64)
    for windows, words, n in rows_of_windows(tokens, number, size):
        ones = np.ones(windows.size, dtype=np.int32)
        hold = csr_array((ones, (windows, words)), shape=(n, len(number)))
        total += (hold.T @ hold).toarray()
    return total


def by_dense(tokens: Tokens, number: dict[str, int], size: int | None) -> np.ndarray:
    total = torch.zeros((len(number), len(number)))
    for windows, words, n in rows_of_windows(tokens, number, size):
        order = np.argsort(windows, kind="stable")
        bounds = np.arange(0, n + BLOCK, BLOCK)
        for low, begin, end in zip(bounds, *two_by_two(windows[order], bounds), strict=False):
            part = order[begin:end]
            hold = torch.zeros((min(BLOCK, n - low), len(number)))
            hold[windows[part] - low, words[part]] = 1
            total += hold.T @ hold  # exact below 2**24
    return total.numpy().astype(np.int64)


def two_by_two(ascending: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    places = np.searchsorted(ascending, bounds)
    return places[:-1], places[1:]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=["minilm_so"], help="MODEL_CORPUS")
    args = parser.parse_args()
    print(
        "| corpus | words | window | intervals s | sparse s | dense s |\n|---|--:|--:|--:|--:|--:|"
    )
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        corpus = Corpus(table)
        tokens = Tokens(table["text"].tolist(), corpus.vectorizer.build_analyzer())
        models = topic_models(X, corpus, 20)
        words = sorted({word for topics in models for topic in topics for word in topic})
        number = {word: i for i, word in enumerate(words)}
        for size in (10, 110, None):
            taken, expected = [], None
            for count in (by_intervals, by_sparse, by_dense):
                times = []
                for _ in range(REPETITIONS):
                    start = time.perf_counter()
                    found = count(tokens, number, size)
                    times.append(time.perf_counter() - start)
                taken.append(f"{np.median(times):.2f}")
                expected = found if expected is None else expected
                np.testing.assert_array_equal(found, expected)
            window = "document" if size is None else size
            values = name.partition("_")[2], f"{len(words):,}", window, *taken
            print("|", " | ".join(map(str, values)), "|", flush=True)
    print(f"\n{machine(('numpy', 'scipy'))} torch {torch.__version__}")


if __name__ == "__main__":
    main()
