"""How many of the true neighbours a shortlist on few dimensions holds.

    python -m benchmarks.neighbors.shortlist --embeddings FOLDER... --names MODEL_CORPUS...

The dimensions are a prefix, those of the largest variance, or the principal axes; the shortlist is
the rows with the highest cosine on them. Mean over 800 rows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.corpus import find, machine

K, SAMPLE, SHORTLIST = 15, 800, 60
WIDTHS = (32, 64, 128, 192)


def best(rows: torch.Tensor, sample: torch.Tensor, n: int) -> torch.Tensor:
    rows = torch.nn.functional.normalize(rows)
    similar = rows[sample] @ rows.T
    similar[torch.arange(len(sample)), sample] = -2
    return similar.topk(n, dim=1).indices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    args = parser.parse_args()
    print("| data | dims | prefix | largest variance | principal axes |\n|---|--:|--:|--:|--:|")
    for name in args.names:
        X = torch.from_numpy(np.load(find(args.embeddings, f"{name}.npy")).astype(np.float32))
        X = torch.nn.functional.normalize(X)
        sample = torch.linspace(0, len(X) - 1, SAMPLE).round().long()
        true = best(X, sample, K)
        by_variance = X[:, X.var(dim=0).argsort(descending=True)]
        turned = X @ torch.linalg.eigh(X.T @ X).eigenvectors.flip(1)
        for width in WIDTHS:
            shares = []
            for rows in (X, by_variance, turned):
                found = best(rows[:, :width], sample, SHORTLIST)
                shares.append((true[:, :, None] == found[:, None, :]).any(dim=2).float().mean())
            print(f"| {name} | {width} |", " | ".join(f"{share:.3f}" for share in shares), "|")
    print(f"\nThe {K} true neighbours among the {SHORTLIST} best. {machine(('numpy', 'torch'))}")


if __name__ == "__main__":
    main()
