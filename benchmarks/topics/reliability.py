"""What becomes of a saved topic model: killed saves, full disks, flipped bits, planted code.

    python -m benchmarks.topics.reliability [--kills 1000] [--flips 20] [--only kills ...]

Saves two models of the docstrings of scipy and scikit-learn in turn into one folder. "Old or new"
means that all that is compared is the one model's or the other's: topics, labels, topic embeddings,
word weights, and for load_topic_model what it predicts for 100 documents. Uses the public interface
only: copied into the checkout of an older release, with tests/payloads.py, it measures that.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import shutil
import signal
import statistics
import sys
import tempfile
import time
import warnings
from collections import Counter
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from bertopic import BERTopic
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks.corpus import machine
from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)

# The payloads are the tests'.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
import payloads

if TYPE_CHECKING:
    from collections.abc import Callable

fork = get_context("fork")
NEITHER = "neither"
KINDS = {
    11: "refused, file named",
    12: "another error",
    13: "loads as it was",
    14: "loads, changed",
}


@cache
def corpus() -> tuple[list[str], np.ndarray, MatryoshkaBackend]:
    parts = ("interpolate", "ndimage", "signal", "sparse", "spatial", "special", "stats")
    names = [*(f"scipy.{part}" for part in parts), "sklearn.metrics", "sklearn.datasets"]
    modules = [importlib.import_module(name) for name in names]
    named = [getattr(module, name) for module in modules for name in sorted(dir(module))]
    texts = {str(thing.__doc__).strip().split("\n\n")[0] for thing in named if callable(thing)}
    docs = sorted(text for text in texts if len(text) > 20)
    backend = MatryoshkaBackend(truncate_dim=64)
    return docs, backend.embed(docs), backend


@cache
def models() -> list[BERTopic]:
    docs, embeddings, backend = corpus()
    return [
        build_topic_model(
            backend,
            n_features_to_select=width,
            hdbscan_model=clusterer,
            vectorizer_model=CountVectorizer(stop_words="english"),
        ).fit(docs, embeddings)
        for width, clusterer in (
            (16, KMeans(8, n_init=1, random_state=0)),
            (32, LeidenClustering(12)),
        )
    ]


def facts(topic_model: BERTopic, *, predicts: bool) -> tuple[list, list]:
    docs, embeddings, _ = corpus()
    exact = [list(map(int, topic_model.topics_)), topic_model.topic_labels_]
    if predicts:
        exact.append(list(map(int, topic_model.transform(docs[:100], embeddings[:100])[0])))
    words = topic_model.c_tf_idf_
    return exact, [topic_model.topic_embeddings_, np.empty(0) if words is None else words.toarray()]


@cache
def known(predicts: bool) -> list[tuple[list, list]]:
    return [facts(topic_model, predicts=predicts) for topic_model in models()]


def which(topic_model: BERTopic, *, predicts: bool = True) -> int | None:
    """Tell the model, 0 or 1; None for a mixture of both."""
    exact, arrays = facts(topic_model, predicts=predicts)
    for position, (known_exact, known_arrays) in enumerate(known(predicts)):
        shapes = [np.shape(a) == np.shape(b) for a, b in zip(arrays, known_arrays, strict=True)]
        if exact == known_exact and all(shapes) and all(map(np.allclose, arrays, known_arrays)):
            return position
    return None


def outcome(folder: Path, *, stock: bool = False) -> int | str:
    """Load a folder and tell which model came, or what instead."""
    try:
        if stock:
            loaded = BERTopic.load(folder, embedding_model=corpus()[2])
        else:
            loaded = load_topic_model(folder)
        found = which(loaded, predicts=not stock)
    except Exception as error:  # noqa: BLE001  (what is counted)
        return type(error).__name__
    return NEITHER if found is None else found


def table(counts: dict[str, Counter]) -> None:
    """Print what was loaded, a line for each name."""
    print("| loaded by | old | new | neither, without an error | an error |\n|---|---|---|---|---|")
    for name, counted in counts.items():
        errors = {kind: n for kind, n in counted.items() if kind not in {"old", "new", NEITHER}}
        told = "".join(f", {kind}" for kind in errors)
        cells = counted["old"], counted["new"], counted[NEITHER], f"{sum(errors.values())}{told}"
        print(f"| {name} |", " | ".join(map(str, cells)), "|")


def in_child(work: Callable[..., None], *arguments: object) -> int:
    """Start a process that has all of this one's models in memory."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            work(*arguments)
            code = 0
        finally:
            os._exit(code)
    return process


def begin_save(position: int, folder: Path) -> tuple[int, int]:
    """Start a process that saves a model; it has begun, and will write a byte at the end."""
    reading, writing = os.pipe()

    def save() -> None:
        os.write(writing, b".")
        save_topic_model(models()[position], folder)
        os.write(writing, b".")

    process = in_child(save)
    os.close(writing)
    os.read(reading, 1)
    return process, reading


def seconds_of_save(position: int, folder: Path) -> float:
    start = time.perf_counter()
    process, reading = begin_save(position, folder)
    os.read(reading, 1)
    seconds = time.perf_counter() - start
    os.waitpid(process, 0)
    os.close(reading)
    return seconds


def kills(root: Path, args: argparse.Namespace) -> None:
    """Kill saves at moments spread evenly over a save's duration, measured again and again."""
    folder, held = root / "killed", 0
    save_topic_model(models()[held], folder)
    seconds = [seconds_of_save(held, folder) for _ in range(10)]
    rng = np.random.default_rng(args.seed)
    counts = {"load_topic_model": Counter(), "BERTopic.load": Counter()}
    ended = 0
    while counts["load_topic_model"].total() < args.kills:
        if rng.random() < 0.1:
            seconds.append(seconds_of_save(held, folder))
        process, reading = begin_save(1 - held, folder)
        time.sleep(rng.uniform(0, statistics.median(seconds[-10:])))
        os.kill(process, signal.SIGKILL)
        was_killed = os.WIFSIGNALED(os.waitpid(process, 0)[1])
        os.close(reading)
        ways = {"load_topic_model": outcome(folder), "BERTopic.load": outcome(folder, stock=True)}
        if was_killed:
            for way, found in ways.items():
                counts[way][{held: "old", 1 - held: "new"}.get(found, found)] += 1
        else:
            ended += 1
        found = ways["load_topic_model"]
        if found in {0, 1}:
            held = found
        else:  # the next kill starts from a whole save
            shutil.rmtree(folder)
            save_topic_model(models()[held], folder)
    save_topic_model(models()[0], folder)
    left = [path.name for path in folder.iterdir() if path.name.startswith(".matryoshka-")]
    print(
        f"\n{args.kills} kills within {1000 * statistics.median(seconds):.0f} ms, the median of a "
        f"save ({ended} more came after its end). After one more save, {len(left)} subfolders are "
        "left over.\n"
    )
    table(counts)


def full_disk(root: Path, args: argparse.Namespace) -> None:  # noqa: ARG001
    """Save where files may not grow beyond each of several sizes."""
    folder = root / "full"
    save_topic_model(models()[0], folder)
    largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    counts = {"load_topic_model": Counter(), "BERTopic.load": Counter()}

    def save_within(limit: int) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        save_topic_model(models()[1], folder)

    for limit in np.linspace(0, largest, 100).astype(int).tolist():
        if os.waitpid(in_child(save_within, limit), 0)[1] != 0:
            for way, counted in counts.items():
                found = outcome(folder, stock=way == "BERTopic.load")
                counted[{0: "old", 1: "new"}.get(found, found)] += 1
            shutil.rmtree(folder)
            save_topic_model(models()[0], folder)
    print(f"\n{counts['load_topic_model'].total()} saves that failed for want of room\n")
    table(counts)


def together(root: Path, args: argparse.Namespace) -> None:  # noqa: ARG001
    """Two processes save for twenty seconds, four load meanwhile."""
    folder = root / "together"
    save_topic_model(models()[0], folder)
    known(predicts=True)
    counts, until = fork.Queue(), time.monotonic() + 20

    def save(topic_model: BERTopic) -> None:
        saved = Counter()
        while time.monotonic() < until:
            save_topic_model(topic_model, folder)
            saved["saves"] += 1
            time.sleep(0.1)  # lets the other have its turn
        counts.put(saved)

    def load() -> None:
        loaded = Counter()
        while time.monotonic() < until:
            loaded[{0: "old", 1: "new"}.get(found := outcome(folder), found)] += 1
        counts.put(loaded)

    processes = [fork.Process(target=save, args=(topic_model,)) for topic_model in models()]
    processes += [fork.Process(target=load) for _ in range(4)]
    for process in processes:
        process.start()
    total = sum((counts.get() for _ in processes), Counter())
    for process in processes:
        process.join()
    print(f"\nTwo processes save in 20 s {total.pop('saves')} times, four load\n")
    table({"load_topic_model": total})


def flips(root: Path, args: argparse.Namespace) -> None:
    """Flip one random bit, of every file in turn."""
    folder = root / "whole"
    backend = MatryoshkaBackend(MatryoshkaBackend().embedding_model, truncate_dim=64)
    topic_model = build_topic_model(backend, hdbscan_model=KMeans(8, n_init=1, random_state=0))
    docs, embeddings, _ = corpus()
    save_topic_model(topic_model.fit(docs, embeddings), folder, save_embedding_model=True)

    def told(topic_model: BERTopic) -> list:
        words = [[word for word, _ in pairs] for pairs in topic_model.get_topics().values()]
        arrays = topic_model.c_tf_idf_.toarray(), topic_model.topic_embeddings_
        rounded = [np.asarray(array, np.float32).round(5).tolist() for array in arrays]
        return [list(map(int, topic_model.transform(docs[:100])[0])), words, *rounded]

    expected = told(topic_model)

    def judge(file: Path) -> None:
        """Load in a process of its own: a wrong index may crash it."""
        try:
            loaded = load_topic_model(folder)
            same = loaded.c_tf_idf_ is not None and told(loaded) == expected
            kind = "loads as it was" if same else "loads, changed"
        except Exception as error:  # noqa: BLE001
            named = type(error).__name__ == "SavedModelError" and file.name in str(error)
            kind = "refused, file named" if named else "another error"
        os._exit(next(code for code, known_kind in KINDS.items() if known_kind == kind))

    rng, counts = np.random.default_rng(args.seed), {}
    for file in sorted(path for path in folder.rglob("[!.]*") if path.is_file()):
        whole = file.read_bytes()
        counted = counts[file.relative_to(folder).as_posix()] = Counter()
        for kind in ("missing", "empty", "truncated", *["flipped"] * args.flips):
            content = bytearray(whole)
            if not content:
                continue
            position = int(rng.integers(len(content)))
            content[position] ^= 1 << int(rng.integers(8))
            changed = {"empty": b"", "truncated": whole[:position], "flipped": content}
            file.unlink()
            if kind != "missing":
                file.write_bytes(changed[kind])
            process = in_child(judge, file)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            counted[KINDS.get(code, "crash")] += 1
            file.unlink(missing_ok=True)  # a model may have mapped it
            file.write_bytes(whole)
    print(f"\nEach file missing, empty, truncated, and with a bit flipped {args.flips} times\n")
    print("| file |", " | ".join(KINDS.values()), "| crash |\n|---" + "|---" * len(KINDS) + "|---|")
    for name, counted in counts.items():
        print(
            f"| {name} |",
            " | ".join(str(counted[kind]) for kind in (*KINDS.values(), "crash")),
            "|",
        )


def planted(root: Path, args: argparse.Namespace) -> None:  # noqa: ARG001
    """Plant each payload, load, and use what was loaded."""
    topic_model = payloads.victim(root)
    print("\n| payload | ran | on loading and first use |\n|---|---|---|")
    for plant in (*payloads.PAYLOADS, payloads.cache_of_graphs):
        place = root / plant.__name__
        folder, marker = place / "saved", place / "marker"
        save_topic_model(topic_model, folder, save_embedding_model=True)
        plant(folder, marker)
        payloads.sign(folder)
        try:
            payloads.use(load_topic_model(folder))
            said = "loads and works"
        except Exception as error:  # noqa: BLE001
            said = type(error).__name__
        ran = "**yes**" if marker.exists() else "no"
        print(f"| {plant.__name__.replace('_', ' ')} | {ran} | {said} |", flush=True)


def sizes(root: Path, args: argparse.Namespace) -> None:  # noqa: ARG001
    """What safety costs: seconds of a save over an older one, and of a load."""
    folder, seconds = root / "timed", {"save": [], "load": []}
    for turn in range(20):
        start = time.perf_counter()
        save_topic_model(models()[turn % 2], folder)
        middle = time.perf_counter()
        load_topic_model(folder)
        seconds["save"].append(middle - start)
        seconds["load"].append(time.perf_counter() - middle)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    told = ", ".join(f"{name} {1000 * statistics.median(s):.0f} ms" for name, s in seconds.items())
    print(f"\n{size / 2**20:.2f} MiB; medians of 20: {told}")


PARTS = (sizes, kills, full_disk, together, flips, planted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--flips", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[part.__name__ for part in PARTS])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    packages = ("bertopic", "torch", "sentence-transformers", "transformers", "safetensors")
    print(machine(packages), flush=True)
    with tempfile.TemporaryDirectory() as root:
        for part in PARTS:
            if part.__name__ in args.only:
                part(Path(root), args)
                sys.stdout.flush()


if __name__ == "__main__":
    main()
