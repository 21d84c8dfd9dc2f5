"""Topics without UMAP beside UMAP + HDBSCAN, EVoC and k-means: quality, seconds and memory.

    python -m benchmarks.clustering.no_umap --corpora FOLDER... --embeddings FOLDER... \
        --out FOLDER \
        --names minilm_bbc minilm_ag --time-names minilm_so --figure no_umap.png

Reads CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy. Each result goes to OUT/*.csv at
once, and one that is there already is not computed again; then markdown tables are printed. Needs
umap-learn, hdbscan and evoc; the figure needs kaleido and an installed Chrome or Chromium.

Each process that times a fit imports this file, so everything that not all methods need is imported
where it is used.
"""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    Fit = Callable[[np.ndarray, int | None, int | None], np.ndarray]

NAMES = [
    f"{model}_{corpus}" for corpus in ("bbc", "ag") for model in ("minilm", "mpnet", "matryoshka")
]
NAMES += ["minilm_so", "mpnet_so", "bundled_so"]
SIZES = (2_000, 20_000, 100_000)
SEEDS = (0, 1, 2)
OWN = 0  # stands for a method's own number of topics
N_TOPICS = (OWN, 5, 10, 20, 50, 100)  # and the number of classes
SMALLEST = 10
QUADRATIC_ROWS = 8_000
REPETITIONS = 3
SLOW = 60  # seconds from which a fit is repeated less


def umap_hdbscan() -> Fit:
    from hdbscan import HDBSCAN
    from umap import UMAP

    def fit(X: np.ndarray, n_topics: int | None, seed: int | None) -> np.ndarray:  # noqa: ARG001
        umap = UMAP(15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
        return HDBSCAN(min_cluster_size=SMALLEST).fit_predict(umap.fit_transform(X))

    return fit


def pca_hdbscan() -> Fit:
    from hdbscan import HDBSCAN
    from sklearn.decomposition import PCA

    def fit(X: np.ndarray, n_topics: int | None, seed: int | None) -> np.ndarray:  # noqa: ARG001
        reduced = PCA(5, random_state=seed).fit_transform(X)
        return HDBSCAN(min_cluster_size=SMALLEST).fit_predict(reduced)

    return fit


def hdbscan() -> Fit:
    from hdbscan import HDBSCAN

    return lambda X, n_topics, seed: HDBSCAN(min_cluster_size=SMALLEST).fit_predict(X)  # noqa: ARG005


def kmeans() -> Fit:
    from sklearn.cluster import KMeans

    return lambda X, n_topics, seed: KMeans(n_topics, n_init=3, random_state=seed).fit_predict(X)


def evoc() -> Fit:
    from evoc import EVoC

    def fit(X: np.ndarray, n_topics: int | None, seed: int | None) -> np.ndarray:
        options = {"approx_n_clusters": n_topics, "random_state": seed}
        return EVoC(base_min_cluster_size=SMALLEST, **options).fit_predict(X)

    return fit


def ours(width: float | None, prefix: int | None = None) -> Callable[[], Fit]:
    def load() -> Fit:
        # Our modules import these two when they are used; here they count as imports.
        import graspologic_native  # noqa: F401
        import torch  # noqa: F401

        from bertopic_matryoshka import DimensionSelector, LeidenClustering

        def fit(X: np.ndarray, n_topics: int | None, seed: int | None) -> np.ndarray:
            criterion = "variance" if width is None else "laplacian"
            selected = DimensionSelector(width, criterion=criterion).fit_transform(X[:, :prefix])
            return LeidenClustering(n_topics, random_state=seed).fit_predict(selected)

        return fit

    return load


UMAP, EVOC, KMEANS, HDBSCAN = "UMAP + HDBSCAN", "EVoC", "k-means", "HDBSCAN"
ALL, HALF, PREFIX = "ours, all dims", "ours, half the dims", "ours, first 128"
AS_UMAP = "ours, as many topics and outliers as UMAP"
METHODS = {
    UMAP: umap_hdbscan,
    "PCA + HDBSCAN": pca_hdbscan,
    HDBSCAN: hdbscan,
    KMEANS: kmeans,
    EVOC: evoc,
    ALL: ours(None),
    HALF: ours(0.5),
    "ours, 128": ours(128),
    "ours, 64": ours(64),
    PREFIX: ours(None, prefix=128),
}
MERGED = (UMAP, "PCA + HDBSCAN", HDBSCAN)  # cannot be asked for a number of topics
TIMED = (UMAP, EVOC, ALL, HALF)


def cells(name: str, X: np.ndarray, n_classes: int) -> Iterator[tuple[int, str, tuple[int, ...]]]:
    """Give the seeds, methods and numbers of topics that make sense for the data."""
    matryoshka = name.startswith(("matryoshka", "bundled"))
    left_out = {
        HDBSCAN: len(X) > QUADRATIC_ROWS,
        "ours, 128": X.shape[1] <= 2 * 128,
        "ours, 64": X.shape[1] <= 2 * 64,
        PREFIX: not matryoshka,
    }
    for seed, method in itertools.product(SEEDS, (*METHODS, AS_UMAP)):
        if left_out.get(method) or (method == HDBSCAN and seed != SEEDS[0]):
            continue  # nothing in HDBSCAN depends on the seed
        asked = tuple(sorted({*N_TOPICS, n_classes}))
        numbers = {KMEANS: asked[1:], AS_UMAP: (OWN,)}.get(method, asked)
        yield seed, method, numbers


def clusterings(
    X: np.ndarray, method: str, seed: int, numbers: list[int], like: dict[str, float]
) -> Iterator[tuple[int, np.ndarray | None]]:
    """Find each number of topics; None where the method found fewer."""
    if method == AS_UMAP:
        yield OWN, as_many(X, seed, int(like["topics"]), round(like["outliers"] * len(X)))
        return
    fit = METHODS[method]()
    own = fit(X, None, seed) if method in MERGED else None
    for n in numbers:
        if own is None:
            yield n, fit(X, n or None, seed)
        else:
            yield n, own if n == OWN else merged(X, own, n)


def merged(X: np.ndarray, found: np.ndarray, n_topics: int) -> np.ndarray | None:
    """Merge topics as BERTopic's nr_topics does, by their mean embeddings; outliers stay."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics.pairwise import cosine_distances

    n = found.max() + 1
    if n < n_topics:
        return None
    distances = cosine_distances(np.stack([X[found == topic].mean(axis=0) for topic in range(n)]))
    merger = AgglomerativeClustering(n_topics, metric="precomputed", linkage="average")
    return np.where(found < 0, -1, merger.fit_predict(distances)[found])


def as_many(X: np.ndarray, seed: int, n_topics: int, n_outliers: int) -> np.ndarray:
    from bertopic_matryoshka import DimensionSelector, LeidenClustering

    half = DimensionSelector(0.5, criterion="laplacian").fit_transform(X)
    share = n_outliers / len(X)
    return LeidenClustering(n_topics, outlier_share=share, random_state=seed).fit_predict(half)


def measure_quality(name: str, table: pd.DataFrame, X: np.ndarray, file: Path) -> None:
    from benchmarks.corpus import MEASURES, Corpus

    keys = "method", "seed", "wanted"
    done = done_in(file, keys)
    corpus = Corpus(table)
    for seed, method, numbers in cells(name, X, table["label"].nunique()):
        missing = [n for n in numbers if (method, seed, n) not in done]
        like = done.get((UMAP, seed, OWN), {})
        for n, found in clusterings(X, method, seed, missing, like) if missing else ():
            scores = dict.fromkeys(MEASURES) if found is None else corpus.score(found)
            done[method, seed, n] = dict(zip(keys, (method, seed, n), strict=True)) | scores
            append(file, done[method, seed, n])


def measure_time(name: str, X: np.ndarray, sizes: list[int], file: Path) -> None:
    """Fit in fresh processes, method after method and then all again: a drift hits all alike."""
    keys = "data", "documents", "method", "repetition"
    done = done_in(file, keys)
    order = np.random.default_rng(0).permutation(len(X))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embeddings.npy"
        for n in (n for n in sizes if n <= len(X)):
            np.save(path, X[order[:n]])
            for repetition, method in itertools.product(range(REPETITIONS), TIMED):
                key = name, n, method, repetition
                first = done.get((name, n, method, 0), {"first": 0, "later": 0})
                if key in done or max(first["first"], first["later"]) > SLOW:
                    continue
                done[key] = dict(zip(keys, key, strict=True)) | fit_elsewhere(method, path)
                append(file, done[key])


def fit_elsewhere(method: str, path: Path) -> dict[str, float]:
    code = (
        "import time; start = time.perf_counter(); from benchmarks.clustering import no_umap; "
        "no_umap.time_fits(start)"
    )
    command = [sys.executable, "-c", code, method, str(path)]
    folder = Path(__file__).parents[2]
    answer = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(answer.stdout.splitlines()[-1])


def time_fits(start: float) -> None:
    """Time imports, a first fit and up to two more, in a process of its own."""
    method, path = sys.argv[1:]
    fit = METHODS[method]()
    imports = time.perf_counter() - start
    X = np.load(path)
    before, seconds = mebibytes("VmRSS"), []
    while len(seconds) < 2 or (len(seconds) < 3 and seconds[-1] < SLOW):
        start = time.perf_counter()
        found = fit(X, None, None)
        seconds.append(time.perf_counter() - start)
    answer = {"imports": imports, "first": seconds[0], "later": float(np.median(seconds[1:]))}
    answer |= {"before": before, "peak": mebibytes("VmHWM"), "topics": int(found.max()) + 1}
    print(json.dumps(answer))


def mebibytes(field: str) -> float:
    """Read from Linux the memory held, or its peak; getrusage may give the parent's peak."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def done_in(file: Path, keys: tuple[str, ...]) -> dict[tuple, dict[str, Any]]:
    import pandas as pd

    rows = pd.read_csv(file).to_dict("records") if file.exists() else []
    return {tuple(row[key] for key in keys): row for row in rows}


def append(file: Path, row: dict[str, Any]) -> None:
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(row))
        if stream.tell() == 0:
            writer.writeheader()
        writer.writerow(row)
    print(*row.values(), file=sys.stderr)


def main() -> None:
    import pandas as pd

    from benchmarks.clustering import no_umap_figure
    from benchmarks.corpus import machine, parser_of, read

    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=NAMES, help="MODEL_CORPUS, for quality")
    parser.add_argument("--time-names", nargs="+", default=["minilm_so"], help="likewise for time")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="documents to time")
    whats = ["quality", "time"]
    parser.add_argument("--what", nargs="+", default=whats, choices=whats)
    parser.add_argument("--figure", type=Path, help="where to write a PNG of the quality")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if "quality" in args.what:
        files = {name: args.out / f"quality_{name}.csv" for name in args.names}
        for name, file in files.items():
            measure_quality(name, *read(name, args.corpora, args.embeddings), file)
        tables = {name: pd.read_csv(file).sort_values("wanted") for name, file in files.items()}
        results = pd.concat(table.assign(data=name) for name, table in tables.items())
        no_umap_figure.print_quality(results)
        no_umap_figure.print_differences(results)
        if args.figure:
            no_umap_figure.draw(results, args.figure)
    if "time" in args.what:
        for name in args.time_names:
            X = read(name, args.corpora, args.embeddings)[1]
            measure_time(name, X, args.sizes, args.out / "time.csv")
        no_umap_figure.print_time(args.out / "time.csv")
    print(f"\nSeeds {SEEDS}. {machine(no_umap_figure.PACKAGES)}")


if __name__ == "__main__":
    main()
