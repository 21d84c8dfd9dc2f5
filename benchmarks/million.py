"""Texts -> embeddings -> topics -> words -> saved model -> topics of new texts, to a million.

    python -m benchmarks.million --texts sentences.parquet --out FOLDER \
        [--sizes 10000 100000 1000000] [--methods ours EVoC "UMAP + HDBSCAN"] [--figure FILE.png]

Fits a whole BERTopic with the bundled model at 128 dims to evenly spaced texts of the file (column
text; benchmarks/topics/sentences.py writes such a file), but for 1,000 that are new to it later.
Each size and method runs in a process of its own. Prints seconds of the clock and of the processor,
and the peak of the memory, for each stage. A process that takes more than --minutes or --gib is
ended. Results go to OUT/million.jsonl at once, and one that is there already is not measured again.
The methods differ in what stands between embeddings and words; the words of the others are
BERTopic's own.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.clustering.no_umap import mebibytes
from benchmarks.corpus import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (10_000, 100_000, 1_000_000)
OURS, EVOC, UMAP = METHODS = ("ours", "EVoC", "UMAP + HDBSCAN")
DIMS = 128
NEW = 1_000  # of the texts, that are not fitted but transformed
PART_OF_FIT = {"selection": "_reduce_dimensionality", "clustering": "_cluster_embeddings"}
TO_TOPICS = ("embedding", "fit")  # with the words
PACKAGES = ("bertopic", "torch", "scikit-learn", "pandas", "umap-learn", "hdbscan", "evoc", "numba")


class Stages:
    """Seconds and peak memory of what runs within ``with stages("name")``."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        clock, processor = time.perf_counter(), time.process_time()
        yield
        self.found[name] = {
            "seconds": time.perf_counter() - clock,
            "processor": time.process_time() - processor,
            "MiB": mebibytes("VmHWM"),
        }

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Measure the calls of a method as a stage."""
        original = getattr(owner, method)

        def watched(*args: Any, **options: Any) -> Any:
            with self(name):
                return original(*args, **options)

        setattr(owner, method, watched)


def build(method: str) -> Any:
    """Build a BERTopic that is not fitted."""
    from bertopic import BERTopic
    from bertopic.dimensionality import BaseDimensionalityReduction
    from sklearn.feature_extraction.text import CountVectorizer

    from bertopic_matryoshka import MatryoshkaBackend, build_topic_model

    backend = MatryoshkaBackend(truncate_dim=DIMS)
    if method == OURS:
        return build_topic_model(
            backend, n_features_to_select=0.5, criterion="laplacian", stop_words="english"
        )
    parts = {"embedding_model": backend, "vectorizer_model": CountVectorizer(stop_words="english")}
    if method == EVOC:
        from evoc import EVoC

        clusterer = EVoC(base_min_cluster_size=10, random_state=0)
        parts |= {"umap_model": BaseDimensionalityReduction(), "hdbscan_model": clusterer}
    return BERTopic(**parts)


def measure(texts: list[str], method: str, size: int, folder: Path) -> dict[str, Any]:
    """Measure the stages of one size in this process."""
    from bertopic_matryoshka import load_topic_model, save_topic_model

    picked = np.arange(size) * len(texts) // size
    is_new = np.zeros(size, dtype=bool)
    is_new[np.arange(NEW) * size // NEW] = True
    docs, new = ([texts[i] for i in picked[mask]] for mask in (~is_new, is_new))
    del texts
    build(method).embedding_model.embed(docs[:10])  # loads the model
    stages, model = Stages(), build(method)
    with stages("embedding"):
        rows = model.embedding_model.embed_documents(docs)
    parts = Stages()
    for name, part in PART_OF_FIT.items():
        parts.watch(model, part, name)
    with stages("fit"):
        model.fit_transform(docs, rows)
    fit, inner = stages.found["fit"], parts.found.values()
    words = {key: fit[key] - sum(part[key] for part in inner) for key in ("seconds", "processor")}
    words["MiB"] = fit["MiB"]  # since the clustering ended, with which the peak began anew
    fit["MiB"] = max(fit["MiB"], *(part["MiB"] for part in inner))
    found = stages.found | parts.found | {"words and the rest": words}
    for part in PART_OF_FIT.values():
        delattr(model, part)
    result = {
        "method": method,
        "size": size,
        "topics": sum(topic >= 0 for topic in model.get_topics()),
        "outliers": float(np.mean(np.array(model.topics_) < 0)),
        "stages": found,
    }
    if method != OURS:
        return result
    later = Stages()
    with later("table of documents"):
        model.get_document_info(docs)
    with later("saving"):
        save_topic_model(model, folder / "model")
    result["MB"] = sum(f.stat().st_size for f in (folder / "model").rglob("*")) / 1e6
    with later("loading"):
        loaded = load_topic_model(folder / "model")
    with later("new texts, first"):
        loaded.transform(new)
    with later("new texts, again"):
        loaded.transform(new)
    return result | {"stages": found | later.found}


def measure_apart(options: argparse.Namespace, method: str, size: int) -> dict[str, Any]:
    """Measure in a process of its own, and end it where it takes too much."""
    command = [sys.executable, "-m", "benchmarks.million", "--one", "--texts", str(options.texts)]
    command += ["--out", str(options.out), "--sizes", str(size), "--methods", method]
    begun, peak, stopped = time.monotonic(), 0.0, ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not stopped:
            time.sleep(0.5)
            status = Path(f"/proc/{process.pid}/status")
            lines = status.read_text().splitlines() if status.exists() else []
            resident = [int(line.split()[1]) for line in lines if line.startswith("VmRSS")]
            peak = max([peak, *(kib / 2**20 for kib in resident)])
            if time.monotonic() - begun > 60 * options.minutes:
                stopped = f"stopped after {options.minutes:g} minutes"
            elif peak > options.gib:
                stopped = f"stopped at {options.gib:g} GiB"
        if stopped:
            process.kill()
            return {"method": method, "size": size, "stopped": stopped, "GiB": peak}
        answer = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{method} ended at {size:,} texts with status {process.returncode}.")
    return json.loads(answer.splitlines()[-1])


def total(result: dict[str, Any], key: str = "seconds") -> float:
    """Sum the stages from texts to topics."""
    return sum(result["stages"][stage][key] for stage in TO_TOPICS)


def peak(result: dict[str, Any]) -> float:
    return max(result["stages"][stage]["MiB"] for stage in TO_TOPICS)


def exponents(results: list[dict[str, Any]]) -> list[float]:
    """Powers of the number of texts with which the seconds grow, from size to size."""
    return [
        math.log(total(after) / total(before)) / math.log(after["size"] / before["size"])
        for before, after in pairwise(results)
    ]


def print_tables(results: list[dict[str, Any]]) -> None:
    whole = [result for result in results if "stages" in result]
    print("| method | texts | embedding s | fit s | all s | processor s | peak MiB | topics |")
    print("|---|" + "--:|" * 7)
    for found in whole:
        seconds = [found["stages"][stage]["seconds"] for stage in TO_TOPICS]
        cells = [f"{s:.1f}" for s in (*seconds, total(found), total(found, "processor"))]
        cells += [f"{peak(found):,.0f}", f"{found['topics']}"]
        print("|", " | ".join([found["method"], f"{found['size']:,}", *cells]), "|")
    for method in METHODS:
        own = [found for found in whole if found["method"] == method]
        powers = ", ".join(f"{power:.2f}" for power in exponents(own))
        print(f"\n{method}: seconds grow with the powers {powers or '-'}.")
    for found in results:
        if "stopped" in found:
            reached = f"{found['stopped']} ({found['GiB']:.1f} GiB)"
            print(f"\n{found['method']}, {found['size']:,} texts: {reached}.")
    own = [found for found in whole if found["method"] == OURS]
    print(
        "\n| stage |", " | ".join(f"{found['size']:,}: s | processor s | MiB" for found in own), "|"
    )
    print("|---|" + "--:|" * 3 * len(own))
    for stage in own[-1]["stages"] if own else ():
        cells = []
        for found in own:
            values = found["stages"][stage]
            cells += [f"{values['seconds']:.1f}", f"{values['processor']:.1f}"]
            cells.append(f"{values['MiB']:,.0f}")
        print("|", " | ".join([stage, *cells]), "|")
    print("\nSaved:", ", ".join(f"{found['size']:,} texts {found['MB']:,.0f} MB" for found in own))
    print("\n" + machine(PACKAGES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=Path, required=True, help="parquet with a column text")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--gib", type=float, default=16)
    parser.add_argument("--figure", type=Path, help="PNG or SVG of the seconds")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.one:
        texts = pq.read_table(options.texts, columns=["text"])["text"].to_pylist()
        pa.default_memory_pool().release_unused()  # what it keeps for later is not of the stages
        print(json.dumps(measure(texts, options.methods[0], options.sizes[0], options.out)))
        return
    file = options.out / "million.jsonl"
    results = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(found["method"], found["size"]) for found in results}
    for size in options.sizes:
        for method in options.methods:
            if (method, size) not in done:
                results.append(measure_apart(options, method, size))
                with file.open("a") as lines:
                    lines.write(json.dumps(results[-1]) + "\n")
                print(method, size, file=sys.stderr)
    results.sort(key=lambda found: (METHODS.index(found["method"]), found["size"]))
    print_tables(results)
    if options.figure:
        from benchmarks.million_figure import draw

        draw([found for found in results if "stages" in found], options.figure)


if __name__ == "__main__":
    main()
