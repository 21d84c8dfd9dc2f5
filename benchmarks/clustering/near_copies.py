"""Which rows of corpora nobody has added copies to LeidenClustering takes for near copies.

    python -m benchmarks.clustering.near_copies --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_ag mpnet_ag

Equal rows are left out beforehand. Overlap is the share of words (Jaccard) that a row's text has in
common with that of the row which it is said to repeat: the lowest decile, and the median. For
comparison, the median overlap of a text with its nearest neighbour. Prints a markdown table.
"""

from __future__ import annotations

import re

import numpy as np

from benchmarks.corpus import parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering, nearest_neighbors, truncate

DIMS = (32, 64, 256, None)


def overlap(a: str, b: str) -> float:
    """Give the Jaccard index of two texts' words."""
    one, other = (set(re.findall(r"\w+", text.lower())) for text in (a, b))
    return len(one & other) / max(1, len(one | other))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=["minilm_ag"])
    args = parser.parse_args()
    print("| embeddings | dims | rows | near copies | largest group |", end="")
    print(" overlap, lowest decile | median | with the nearest, median |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name in args.names:
        table, full = read(name, args.corpora, args.embeddings)
        full, first = np.unique(full, axis=0, return_index=True)
        texts = table["text"].to_numpy()[first]
        for dims in DIMS:
            width = full.shape[1] if dims is None else dims
            rows = DimensionSelector().fit_transform(truncate(full, width))
            copy_of = LeidenClustering().fit(rows).copy_of_
            copies = np.flatnonzero(copy_of != np.arange(len(rows)))
            alike = [overlap(texts[i], texts[copy_of[i]]) for i in copies]
            some = np.random.default_rng(0).permutation(len(rows))[:500]
            nearest = nearest_neighbors(rows, 1, queries=None)[0][some, 0]
            usual = [overlap(texts[i], texts[j]) for i, j in zip(some, nearest, strict=True)]
            figures = (*np.quantile(alike or [np.nan], [0.1, 0.5]), np.median(usual))
            cells = [f"{len(copies)}", f"{np.bincount(copy_of).max()}"]
            cells += [f"{figure:.2f}" for figure in figures]
            print(f"| {name} | {width} | {len(rows):,} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
