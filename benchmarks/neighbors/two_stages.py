"""A shortlist on few dimensions, ranked at full width, beside one search at full width.

    python -m benchmarks.neighbors.two_stages --embeddings FOLDER... --names MODEL_CORPUS... \
        [--rows 20000] [--default]

The shortlist is made on the first 32, 64 or 128 dimensions of the rows, as they are or turned onto
their principal axes (as a rotated backend gives them), among all rows or by inverted files. Every
setting is timed: 1,000 new rows together, each of 20 alone, and, up to 20,000 rows, the rows
themselves. The table has, for each way, the least processor time of the settings that find a share
of the 10 true neighbours, with the width of the shortlist, its length, and the lists that were
searched. One thread; settings take turns, and the faster of two turns counts; the rows themselves
are searched once. Building is not counted, nor is turning rows onto axes. The least of many
settings is taken of two stages, and of few of one: noise favours two.

--default compares NeighborIndex as users get it with all rows on 128 axes instead: recall and time.
"""

from __future__ import annotations

import argparse
import time
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from benchmarks.corpus import find, machine
from bertopic_matryoshka import PrincipalRotation, nearest_neighbors
from bertopic_matryoshka.neighbors import NeighborIndex
from bertopic_matryoshka.neighbors._exact import all_candidates
from bertopic_matryoshka.neighbors._inverted_file import inverted_file_candidates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertopic_matryoshka.neighbors._rows import DeviceRows
    from bertopic_matryoshka.neighbors._search import Queries

K, SPARE = 10, 4
N_QUERIES, N_ALONE, TURNS = 1_000, 20, 2
WIDTHS, SHORTLISTS, PROBES = (32, 64, 128), (20, 40, 80, 160), (1, 2, 4, 8, 16)
RECALLS = (0.90, 0.95, 0.99)
USES = {"new, together: s": 1, "new, alone: ms": 1000, "themselves: s": 1}
MOST_OWN = 20_000
"""Rows up to which all are searched for."""


class Setting(NamedTuple):
    rows: str  # as they are, or rotated
    width: int  # of the shortlist
    n_shortlist: int
    n_probes: int  # 0 compares all rows

    def way(self, n_dims: int) -> str:
        stages = "whole" if self.width == n_dims else self.rows
        return f"{stages}, {'lists' if self.n_probes else 'all rows'}"

    def __str__(self) -> str:
        lists = f" {self.n_probes}" if self.n_probes else ""
        return f"{self.width}:{self.n_shortlist}{lists}"


WAYS = [
    f"{rows}, {how}" for rows in ("whole", "prefix", "rotated") for how in ("all rows", "lists")
]


class Index(NeighborIndex):
    """An index whose candidates are found on the first dimensions; ranked at full width."""

    setting: Setting

    def __init__(self, rows: np.ndarray, width: int) -> None:
        super().__init__(rows, device="cpu")
        self.width = width

    @cached_property
    def _projected(self) -> torch.Tensor:
        return self._bases[0].whole()[:, : self.width].contiguous()

    def _candidates(self, _: DeviceRows, queries: Queries, n_neighbors: int) -> torch.Tensor:  # noqa: ARG002
        n, n_probes = self.setting.n_shortlist, self.setting.n_probes
        base, own = self._projected, queries.own
        asked = base if own else queries.rows.whole()[:, : self.width].contiguous()
        if n_probes:
            return inverted_file_candidates(base, None if own else asked, n, n_probes, self._files)
        first = 0 if own else None
        return all_candidates(
            lambda: [(0, base)], lambda: [(0, asked)], len(base), len(asked), n, own=first
        )


def settings(n_dims: int) -> list[Setting]:
    probes = (0, *PROBES)
    one = [Setting("prefix", n_dims, K + SPARE, n) for n in probes]
    widths = [width for width in WIDTHS if width < n_dims]
    return one + [Setting(*s) for s in product(("prefix", "rotated"), widths, SHORTLISTS, probes)]


def split(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take evenly spaced rows out, as the new ones."""
    new = np.linspace(0, len(X) - 1, N_QUERIES).round().astype(int)
    return np.delete(X, new, axis=0), X[new]


def measure(name: str, X: np.ndarray) -> None:
    base, queries = split(X)
    true = nearest_neighbors(base, K, queries=queries, method="exact")[0]
    is_small = len(base) <= MOST_OWN
    true_own = nearest_neighbors(base, K, method="exact")[0] if is_small else None
    rotation = PrincipalRotation(random_state=0).fit(base)
    rows = {"prefix": base, "rotated": rotation.transform(base)}
    asked = {"prefix": queries, "rotated": rotation.transform(queries)}
    tried = settings(base.shape[1])
    indices = {(s.rows, s.width): Index(rows[s.rows], s.width) for s in tried}
    took = np.full((len(tried), len(USES)), np.inf)
    found = np.zeros((len(tried), len(USES)))
    for turn in range(TURNS):
        for number, setting in enumerate(tried):
            index, new_rows = indices[setting.rows, setting.width], asked[setting.rows]
            index.setting = setting
            index.search(K, new_rows[:1])  # which builds it
            seconds, near = timed(index, new_rows)
            alone = np.median([timed(index, row[None])[0] for row in new_rows[:N_ALONE]])
            took[number, :2] = np.minimum(took[number, :2], (seconds, alone))
            found[number, :2] = recall(near, true)
            if true_own is not None and turn == 0:
                took[number, 2], near = timed(index, None)
                found[number, 2] = recall(near, true_own)
    way_of = np.array([setting.way(base.shape[1]) for setting in tried])
    for (column, use), least in product(enumerate(USES), RECALLS):
        seconds = USES[use] * took[:, column]
        best = {}
        for way in WAYS:
            reach = np.flatnonzero((way_of == way) & (found[:, column] >= least))
            best[way] = min(reach, key=seconds.__getitem__, default=None)
        if not any(n is not None for n in best.values()):
            continue
        cells = ["" if n is None else f"{seconds[n]:.3g} ({tried[n]})" for n in best.values()]
        one, two = (
            min(
                (seconds[n] for way, n in best.items() if n is not None and way.startswith(stages)),
                default=np.nan,
            )
            for stages in (("whole",), ("prefix", "rotated"))
        )
        size = f"{len(base):,} x {base.shape[1]}"
        row = (name, size, use, f"{least:.2f}", *cells, f"{one / two:.2f}")
        print("|", " | ".join(row), "|", flush=True)


def measure_default(name: str, X: np.ndarray) -> None:
    base, queries = split(X)
    rotation = PrincipalRotation(random_state=0).fit(base)
    default, axes = NeighborIndex(base, device="cpu"), Index(rotation.transform(base), WIDTHS[-1])
    axes.setting = Setting("rotated", WIDTHS[-1], 4 * K, 0)
    ways = ((default, queries), (axes, rotation.transform(queries)))
    true = nearest_neighbors(base, K, queries=queries, method="exact")[0]
    for index, new_rows in ways:
        index.search(K, new_rows[:1])  # which builds it
    together, near = turns(ways)
    alone = np.mean([turns([(i, r[n, None]) for i, r in ways])[0] for n in range(N_ALONE)], axis=0)
    recalls = [recall(rows, true) for rows in near]
    shown = [("new, together: s", together, recalls), ("new, alone: ms", 1000 * alone, recalls)]
    if len(base) <= MOST_OWN:
        true = nearest_neighbors(base, K, method="exact")[0]
        took, near = turns([(index, None) for index, _ in ways])
        shown.append(("themselves: s", took, [recall(rows, true) for rows in near]))
    for use, took, found in shown:
        cells = [f"{r:.3f} | {t:.3g}" for r, t in zip(found, took, strict=True)]
        size = f"{len(base):,} x {base.shape[1]}"
        print("|", " | ".join((name, size, use, *cells, f"{took[0] / took[1]:.2f}")), "|")


def turns(
    ways: Iterable[tuple[NeighborIndex, np.ndarray | None]],
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Let indices search by turns; each one's least time, and what it found last."""
    runs = [[timed(index, rows) for index, rows in ways] for _ in range(TURNS)]
    return np.min([[took for took, _ in run] for run in runs], axis=0), [n for _, n in runs[-1]]


def recall(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean([np.isin(*pair).mean() for pair in zip(found, true, strict=True)]))


def timed(index: NeighborIndex, rows: np.ndarray | None) -> tuple[float, np.ndarray]:
    start = time.process_time()
    found, _ = index.search(K, rows)
    return time.process_time() - start, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--embeddings", type=Path, nargs="+", required=True)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    parser.add_argument("--rows", type=int, help="only so many, evenly spaced")
    parser.add_argument("--default", action="store_true", help="beside NeighborIndex as it is")
    args = parser.parse_args()
    torch.set_num_threads(1)
    columns = ["recall", *WAYS, "one / two stages"]
    if args.default:
        columns = ["default: recall", "time", "all rows, 128 axes: recall", "time", "times"]
    print("|", " | ".join(["data", "rows", "searched for", *columns]), "|")
    print("|---|--:|---|" + "--:|" * len(columns))
    for name in args.names:
        X = np.load(find(args.embeddings, f"{name}.npy"), mmap_mode="r")
        taken = np.linspace(0, len(X) - 1, min(args.rows or len(X), len(X))).round().astype(int)
        rows = X[taken].astype(np.float32)
        lengths = np.linalg.norm(rows, axis=1)
        unit = rows[lengths > 0] / lengths[lengths > 0, None]
        (measure_default if args.default else measure)(name, unit)
    print(machine(("numpy", "torch")))


if __name__ == "__main__":
    main()
