"""BERTopic's fit_transform from texts to words, stage by stage.

    python -m benchmarks.topics.whole --texts sentences.parquet --embeddings sentences.npy \
        [--sizes 2000 20000 200000] [--repetitions 3]

Fits build_topic_model's BERTopic on evenly spaced rows, with its default representation model and
with DistinctDocuments, in turn, each fit in a process of its own. Prints the processor seconds of
each stage, without the stages inside it, as the least of the repetitions, and the peak memory of
the process. One thread, so that seconds of the processor are those of a clock on an idle machine.
benchmarks/topics/sentences.py writes such files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.clustering.no_umap import mebibytes
from benchmarks.corpus import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SIZES = (2_000, 20_000, 200_000)
WARM_UP = 500  # rows that are fitted first, and not timed
CORE, ALL = "CoreWords", "DistinctDocuments"
STAGES = {  # methods of BERTopic and of its parts
    "selection": "_reduce_dimensionality",
    "clustering": "_cluster_embeddings",
    "joining texts, c-TF-IDF, words": "_extract_topics",
    "counting words": "fit_transform",
    "choosing documents, counting again": "extract_topics",
    "representative documents": "_save_representative_docs",
}
OTHER = "the rest of BERTopic"
CLUSTERED = ("selection", "clustering")


class Stopwatch:
    """Processor seconds of the innermost stage that runs."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._running = [OTHER]
        self._since = time.process_time()

    def _charge(self) -> None:
        now = time.process_time()
        self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            self._charge()
            self._running.append(stage)
            try:
                return function(*args, **options)
            finally:
                self._charge()
                self._running.pop()

        return run

    def start(self) -> None:
        self._since = time.process_time()

    def stop(self) -> dict[str, float]:
        self._charge()
        return dict(self.seconds)


def fit(texts: list[str], rows: np.ndarray, name: str) -> dict[str, Any]:
    """Fit in this process; give the seconds of the stages, the memory, and what was found."""
    import bertopic_matryoshka
    from bertopic_matryoshka import MatryoshkaBackend, build_topic_model

    backend = MatryoshkaBackend(truncate_dim=rows.shape[1])

    def build() -> Any:
        representation = getattr(bertopic_matryoshka, name)()
        return build_topic_model(backend, representation_model=representation, random_state=0)

    build().fit(texts[:WARM_UP], rows[:WARM_UP])
    model, stopwatch = build(), Stopwatch()
    owners = {"fit_transform": model.vectorizer_model, "extract_topics": model.representation_model}
    for stage, method in STAGES.items():
        owner = owners.get(method, model)
        setattr(owner, method, stopwatch.timed(stage, getattr(owner, method)))
    begun = time.perf_counter()
    stopwatch.start()
    model.fit_transform(texts, rows)
    seconds = stopwatch.stop()
    return {
        "seconds": seconds,
        "clock": time.perf_counter() - begun,
        "MiB": mebibytes("VmHWM"),
        "topics": len(model.get_topics()),
        "words": model.c_tf_idf_.shape[1],
    }


def apart(options: argparse.Namespace, size: int, name: str) -> dict[str, Any]:
    """Fit in a process of its own, on one thread."""
    command = [sys.executable, "-m", "benchmarks.topics.whole", "--fit", name]
    command += ["--texts", str(options.texts), "--embeddings", str(options.embeddings)]
    done = subprocess.run(
        [*command, "--sizes", str(size)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def table(runs: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Give the rows of a markdown table: stages, and seconds with either representation model."""

    def least(name: str, stages: Iterable[str]) -> float:
        return sum(min(run["seconds"].get(s, 0) for run in runs[name]) for s in stages)

    yield f"| stage | {CORE} | {ALL} |"
    yield "|---|--:|--:|"
    sums = {
        **{stage: [stage] for stage in (*STAGES, OTHER)},
        "**from topics to words**": [s for s in (*STAGES, OTHER) if s not in CLUSTERED],
        "**all**": [*STAGES, OTHER],
    }
    for stage, parts in sums.items():
        yield f"| {stage} | {least(CORE, parts):.2f} | {least(ALL, parts):.2f} |"
    peaks = [max(run["MiB"] for run in found) for found in runs.values()]
    yield f"| peak memory, MiB | {peaks[0]:,.0f} | {peaks[1]:,.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=Path, required=True, help="parquet with a column text")
    parser.add_argument("--embeddings", type=Path, required=True, help=".npy of the same rows")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--fit", choices=(CORE, ALL), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        texts = pd.read_parquet(options.texts)["text"].tolist()
        rows, size = np.load(options.embeddings, mmap_mode="r"), options.sizes[0]
        picked = np.arange(size) * len(texts) // size
        found = fit([texts[i] for i in picked], np.asarray(rows[picked]), options.fit)
        print(json.dumps(found))
        return
    for size in options.sizes:
        runs: dict[str, list[dict[str, Any]]] = {CORE: [], ALL: []}
        for _ in range(options.repetitions):
            for name, found in runs.items():
                found.append(apart(options, size, name))
        first = runs[CORE][0]
        print(f"\n{size:,} documents: {first['topics']} topics, {first['words']:,} words\n")
        print(*table(runs), sep="\n", flush=True)
    print("\n" + machine(("bertopic", "numpy", "pandas", "scikit-learn", "torch")))


if __name__ == "__main__":
    main()
