"""Hostile calls of everything public: right answers, errors that name the parameter, and others.

    python -m benchmarks.fuzz --calls 100000 --seed 0 --minutes 25

All cases of one hostile value are tried first, in random order, then two values at a time, drawn at
random. The table is written as CSV; calls that end otherwise are printed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.corpus import machine
from tests.hostile.calls import CALLS, cases
from tests.hostile.judge import judge
from tests.hostile.values import VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.judge import Call
    from tests.hostile.values import Value

PACKAGES = ("bertopic", "scikit-learn", "numpy", "pandas", "torch")
KINDS = {
    "answer": "right answers",
    "error": "errors that name the parameter",
    "deep": "other errors",
    "silence": "taken in silence",
}


def drawn_cases(seed: int) -> Iterator[tuple[Call, dict[str, Value]]]:
    """All single values in random order, then pairs of quick calls without end."""
    rng = np.random.default_rng(seed)
    single = cases()
    for i in rng.permutation(len(single)):
        call, parameter, value = single[i]
        yield call, {parameter: value}
    quick = [call for call in CALLS if not call.slow and len(call.takes) > 1]
    while True:
        call = quick[rng.integers(len(quick))]
        names = rng.choice(list(call.takes), 2, replace=False)
        yield call, {str(name): VALUES[rng.integers(len(VALUES))] for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--out", type=Path, default=Path("fuzz.csv"))
    options = parser.parse_args()
    out = options.out.absolute()
    counts: Counter[tuple[str, str]] = Counter()
    begun, n_calls = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # some values are names of files
        for call, values in drawn_cases(options.seed):
            if n_calls == options.calls or time.monotonic() - begun > 60 * options.minutes:
                break
            verdict = judge(call, values)
            counts[call.name, verdict.kind] += 1
            n_calls += 1
            if not verdict.is_good:
                named = ", ".join(f"{name}={value.name}" for name, value in values.items())
                told = f"{call.name}({named}): {verdict.kind}, {verdict.detail}"
                sys.stdout.write(ascii(told) + "\n")
                sys.stdout.flush()
        os.chdir(out.anchor)
    table = pd.DataFrame(
        {title: [counts[call.name, kind] for call in CALLS] for kind, title in KINDS.items()},
        index=pd.Index([call.name for call in CALLS], name="called"),
    )
    table.insert(0, "calls", table.sum(axis=1))
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(out)
    print(
        f"\n{machine(PACKAGES)}; seed {options.seed}; {time.process_time():.0f} processor seconds"
    )
    print(table.sum().to_string())


if __name__ == "__main__":
    main()
