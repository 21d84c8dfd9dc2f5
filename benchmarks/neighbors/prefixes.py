"""What each prefix keeps of the full-width neighbourhood, and what asking for all of them costs.

    python -m benchmarks.neighbors.prefixes --corpora FOLDER... --embeddings FOLDER... \
        --names MODEL_CORPUS...

compare_prefixes at the full width and its halvings, and at the full width alone: medians of five.
Then the CPU time of compare_prefixes and inspect_dimensions on 20,000 x 768 random rows: set
OMP_NUM_THREADS=1, as threads that wait count too.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import compare_prefixes, inspect_dimensions

RUNS = 5
LARGE = 20_000, 768


def seconds(X: np.ndarray, dims: list[int] | None) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        compare_prefixes(X, dims)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    args = parser.parse_args()
    costs = []
    print("| data | dims | neighbours kept | trustworthiness | Spearman |\n|---|--:|--:|--:|--:|")
    for name in args.names:
        X = read(name, args.corpora, args.embeddings)[1]
        table = compare_prefixes(X)
        for row in table.itertuples():
            values = row.neighbors_kept, row.trustworthiness, row.spearman
            print(f"| {name} | {row.dim} |", " | ".join(f"{value:.3f}" for value in values), "|")
        every, alone = seconds(X, None), seconds(X, [X.shape[1]])
        size = f"{X.shape[0]:,} x {X.shape[1]}"
        costs.append(f"| {name} | {size} | {alone:.2f} | {every:.2f} | {every / alone:.1f} |")
    print("\n| data | rows | full width alone s | all widths s | times |\n|---|--:|--:|--:|--:|")
    print("\n".join(costs))
    decay = 0.99 ** np.arange(LARGE[1])
    X = (np.random.default_rng(0).normal(size=LARGE) * decay).astype(np.float32)
    for function in (compare_prefixes, inspect_dimensions):
        start = time.process_time()
        function(X)
        taken = time.process_time() - start
        print(f"\n{function.__name__}, {LARGE[0]:,} x {LARGE[1]}: {taken:.2f} s of CPU time")
    print(f"\n{machine(('torch', 'numpy', 'scipy'))}")


if __name__ == "__main__":
    main()
