"""The picture in the README: one comparison on a corpus whose embeddings are on disk.

    python benchmarks/figure.py --corpus ag.parquet --embeddings matryoshka_ag.npy \
        --dims 768 512 256 128 64 --out docs/comparison.png

Needs the extra bench (kaleido draws it with an installed Chrome or Chromium).
"""

import argparse

import numpy as np
import pandas as pd

from bertopic_matryoshka import compare_dimensions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--embeddings", required=True)
    parser.add_argument("--dims", type=int, nargs="+", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    corpus = pd.read_parquet(arguments.corpus)
    comparison = compare_dimensions(
        corpus["text"].tolist(),
        embeddings=np.load(arguments.embeddings).astype(np.float32),
        labels=corpus["label"],
        dims=arguments.dims,
        reductions=["variance", "umap"],
    )
    comparison.plot().write_image(arguments.out, width=1000, height=640, scale=2)
    print(comparison.recommend())


if __name__ == "__main__":
    main()
