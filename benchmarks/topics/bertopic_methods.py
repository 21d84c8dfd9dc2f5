"""All methods of BERTopic, with our parts and with its own, side by side: a table for the docs.

    python -m benchmarks.topics.bertopic_methods

Documents are docstrings of scipy and scikit-learn, 80 from each of seven subpackages, embedded with
the bundled model. "BERTopic's" is UMAP and HDBSCAN. The scenarios are those of tests/bertopic,
which run at every change, with PCA in UMAP's place.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter

from benchmarks.corpus import machine
from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.cli.demo import load_docstrings
from tests.bertopic import files_and_figures  # noqa: F401  (adds scenarios)
from tests.bertopic.parts import Parts
from tests.bertopic.scenarios import SCENARIOS, Scenario

LABELS = ("interpolate", "ndimage", "signal", "sparse", "spatial", "stats")
MAX_PER_LABEL = 80


def read_documents() -> tuple[list[str], list[str]]:
    corpus = load_docstrings(("scipy", "sklearn"))
    taken: Counter[str] = Counter()
    picked = []
    for text, label in zip(corpus.texts, corpus.labels, strict=True):
        if label not in {f"scipy.{name}" for name in LABELS} | {"sklearn.metrics"}:
            continue
        if taken[label] < MAX_PER_LABEL:
            taken[label] += 1
            picked.append((text, label))
    return [text for text, _ in picked], [label for _, label in picked]


def outcome(scenario: Scenario, parts: Parts) -> str:
    try:
        return scenario.run(parts)
    except AssertionError as error:
        return f"wrong: {str(error).splitlines()[0]}"
    except Exception as error:  # noqa: BLE001  (it is what the table shows)
        return f"**{type(error).__name__}**"


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    docs, labels = read_documents()
    backend = MatryoshkaBackend(truncate_dim=64)
    ways = [
        Parts(name, docs, labels, backend, reducer="umap")
        for name in ("ours", "by hand", "BERTopic's")
    ]
    print(f"{len(docs)} documents\n")
    print("| method | `build_topic_model` | our parts by hand | UMAP + HDBSCAN | differs, remedy |")
    print("|---|---|---|---|---|")
    seconds = [0.0] * len(ways)
    for scenario in SCENARIOS:
        cells = []
        for i, parts in enumerate(ways):
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cells.append(outcome(scenario, parts))
            seconds[i] += time.process_time() - start
        print(f"| {scenario.method} | {' | '.join(cells)} | {scenario.note} |", flush=True)
    print("\nProcessor seconds of all rows: " + ", ".join(f"{s:.0f}" for s in seconds))
    print(machine(("bertopic", "umap-learn", "hdbscan", "scikit-learn")))


if __name__ == "__main__":
    main()
