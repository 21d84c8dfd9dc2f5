"""All that runs on a GPU, beside the CPU: seconds, and how far the results differ.

    python -m benchmarks.gpu --out gpu.json [--rows 100000 1000000] [--model FOLDER] [--device cuda]

Needs torch, scikit-learn, sentence-transformers, BERTopic's light installation and this package; no
file and no download. Rows are those of scale.py, texts are docstrings of the installed libraries.
Each is run once to warm up and then timed, the device synchronised. --device cpu compares the CPU
with itself, to try the script without a GPU.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.clustering.scale import write_rows
from benchmarks.corpus import machine
from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    TopicCoherence,
    TopicScorer,
    build_topic_model,
    compare_dimensions,
    nearest_neighbors,
)
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.neighbors._prefixes import compare_prefixes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N_NEIGHBORS = 15
CPU_ROWS = 100_000  # rows above which the CPU does not compare all pairs
N_MODELS, N_TOPICS = 20, 50

Run = tuple[str, str, "Callable[[str], Any]", "Callable[[Any, Any], float] | None"]


def runs(rows: dict[int, np.ndarray], texts: list[str], model: str | None) -> Iterator[Run]:
    """Give what to time: its name, its size, what to call with a device, and how to compare."""
    for n, X in rows.items():
        yield "nearest_neighbors, exact", f"{n:,} x {X.shape[1]}", neighbours(X), similarities_off
    for n, X in rows.items():
        yield "LeidenClustering", f"{n:,} x {X.shape[1]}", clusters(X), None
    X = rows[min(rows)]
    yield "compare_prefixes", f"{len(X):,} x {X.shape[1]}", prefixes(X), tables_off
    for measure in ("c_v", "c_npmi", "u_mass"):
        size = f"{len(texts):,} texts, {N_MODELS} x {N_TOPICS} topics"
        yield f"TopicCoherence, {measure}", size, coherence(texts, measure), largest
    yield "encoding", f"{len(texts):,} texts", encoding(texts, model), largest
    yield "compare_dimensions", f"{len(texts):,} texts", comparison(texts, model), tables_off


def neighbours(X: np.ndarray) -> Callable[[str], Any]:
    return lambda device: nearest_neighbors(X, N_NEIGHBORS, method="exact", device=device)[1]


def clusters(X: np.ndarray) -> Callable[[str], Any]:
    return lambda device: LeidenClustering(device=device).fit_predict(X)


def prefixes(X: np.ndarray) -> Callable[[str], Any]:
    return lambda device: compare_prefixes(X, device=device)


def coherence(texts: list[str], measure: str) -> Callable[[str], Any]:
    analyze = CountVectorizer(stop_words="english").build_analyzer()
    tokens = [analyze(text) for text in texts]
    words = np.array(sorted({token for text in tokens for token in text}))
    rng = np.random.default_rng(0)
    topics = rng.choice(words, size=(N_MODELS * N_TOPICS, 10)).tolist()

    def score(device: str) -> Any:
        scorer = TopicCoherence(tokens, measure=measure, device=device)
        scorer.count(topics)
        parts = [topics[i : i + N_TOPICS] for i in range(0, len(topics), N_TOPICS)]
        return np.concatenate([scorer.score_per_topic(part) for part in parts])

    return score


def encoding(texts: list[str], model: str | None) -> Callable[[str], Any]:
    return lambda device: MatryoshkaBackend(model, device=device).embed(texts)


def comparison(texts: list[str], model: str | None) -> Callable[[str], Any]:
    embeddings = MatryoshkaBackend(model).embed(texts)

    def compare(device: str) -> Any:
        topic_model = build_topic_model(
            hdbscan_model=LeidenClustering(min_cluster_size=10, device=device)
        )
        topic_model.embedding_model = None  # its embeddings are given
        scorer = TopicScorer(device=device, n_replicates=0)
        compared = compare_dimensions(
            texts, topic_model, embeddings=embeddings, seeds=1, scorer=scorer, progress=False
        )
        return compared.summary[["coherence", "diversity", "neighbors_kept", "outlier_share"]]

    return compare


def similarities_off(one: np.ndarray, other: np.ndarray) -> float:
    return largest(np.sort(one, axis=1), np.sort(other, axis=1))


def tables_off(one: Any, other: Any) -> float:
    return largest(one.to_numpy(dtype=float), other.to_numpy(dtype=float))


def largest(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.nanmax(np.abs(one - other)))


def timed(function: Callable[[str], Any], device: str) -> tuple[float, Any]:
    function(device)
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = function(device)
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000, 1_000_000])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--model", help="name or folder; the bundled one if left out")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU here; --device cpu tries the script without one")
    name = torch.cuda.get_device_name() if args.device == "cuda" else "cpu"
    texts = load_docstrings().texts
    texts = (texts * (args.documents // len(texts) + 1))[: args.documents]
    results = []
    print(f"| what | size | cpu s | {name} s | times | largest difference |")
    print("|---|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        rows = {}
        for n in args.rows:
            write_rows(Path(folder) / f"{n}.npy", n)
            rows[n] = np.load(Path(folder) / f"{n}.npy", mmap_mode="r")
        for what, size, function, off in runs(rows, texts, args.model):
            taken, result = timed(function, args.device)
            row = {"what": what, "size": size, "device": name, "seconds": taken}
            if int(size.split()[0].replace(",", "")) <= CPU_ROWS:
                row["cpu_seconds"], expected = timed(function, "cpu")
                row["difference"] = None if off is None else off(result, expected)
            results.append(row)
            cpu, difference = row.get("cpu_seconds"), row.get("difference")
            print(
                f"| {what} | {size} | {'-' if cpu is None else f'{cpu:.2f}'} | {taken:.2f} | "
                f"{'-' if cpu is None else f'{cpu / taken:.1f}'} | "
                f"{'-' if difference is None else f'{difference:.0e}'} |",
                flush=True,
            )
    here = machine(("torch", "scikit-learn", "sentence-transformers", "bertopic"))
    args.out.write_text(json.dumps({"machine": here, "device": name, "runs": results}, indent=2))
    print(f"\n{here}")


if __name__ == "__main__":
    main()
