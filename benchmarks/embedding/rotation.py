"""What a rotation does for models that were not trained to be truncated.

    python -m benchmarks.embedding.rotation embed --model FOLDER --out minilm_docstrings.npy
    python -m benchmarks.embedding.rotation measure --corpora FOLDER... --embeddings FOLDER... \
        --out FOLDER
    python -m benchmarks.embedding.rotation time

Reads CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy. Documents are halved at random with
each seed; what is fitted sees one half, or another corpus, and the other half is judged: which of a
row's 15 nearest neighbours at full width it keeps, and how well 20 topics agree with the labels
(AMI), where none of the methods sees a label. Writes each measurement to OUT/MODEL_CORPUS.csv, uses
such a file where there is one already, and prints markdown tables. `embed` embeds docstrings of
installed libraries, a corpus that has nothing to do with the others. `time` measures seconds and
memory of fitting.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import find, machine, read
from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    MatryoshkaBackend,
    PrincipalRotation,
    nearest_neighbors,
)
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.selection._criteria import laplacian
from bertopic_matryoshka.selection._moments import Moments
from bertopic_matryoshka.selection._selector import near_zero_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rows = np.ndarray
    Cut = Callable[[int], Rows]

PAIRS = {
    "minilm_bbc": "BBC, MiniLM",
    "minilm_ag": "AG, MiniLM",
    "minilm_so": "StackOverflow, MiniLM",
    "mpnet_ag": "AG, mpnet",
    "matryoshka_bbc": "BBC, Matryoshka",
    "matryoshka_ag": "AG, Matryoshka",
}
WIDTHS = (16, 32, 64, 128)
FEWER_WIDTHS = (32, 128)
"""Widths where the same method is fitted to other rows."""
VARIANT_WIDTHS = (32,)
SEEDS = (0, 1, 2)
JUDGED = 3000
"""Number of rows that are judged, of the half that nothing is fitted to."""
N_DOCSTRINGS = 2000
SIZES = (200, 1000, 5000)
OTHERS = ("bbc", "ag", "so", "docstrings")
MIXED = 2000
"""Number of rows of each other corpus in "all others"."""
N_NEIGHBORS = 15
N_TOPICS = 20
LIBRARIES = ("numpy", "scipy", "sklearn", "pandas", "torch", "transformers", "networkx", "sympy")
PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")
MAIN = ("prefix", "variance", "laplacian", "rotation")
TABLES = {
    "": MAIN,
    " Fitted to": (
        "rotation",
        *(f"fitted to {n}" for n in SIZES),
        *(f"on {o}" for o in (*OTHERS, "all others")),
    ),
    " Variants": (
        "rotation",
        "without near-zero dims",
        "centred",
        "all but the top",
        "whitened",
        "power .5",
        "power 1.5",
        "rotated, variance",
        "rotated, laplacian",
    ),
}


def unit(X: Rows) -> Rows:
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    return (X / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def axes_of(X: Rows) -> PrincipalRotation:
    return PrincipalRotation(sample_size=None).fit(X)


def methods(A: Rows, B: Rows, others: dict[str, Rows], seed: int) -> Iterator[tuple[str, Cut]]:
    """Give each method's name, and the rows of B that it keeps of a width."""
    yield "prefix", lambda d: unit(B[:, :d])
    for criterion in ("variance", "laplacian"):
        yield (
            criterion,
            lambda d, c=criterion: DimensionSelector(d, criterion=c).fit(A).transform(B),
        )
    own = axes_of(A)
    R, spread = own.transform(B), own.singular_values_ / own.singular_values_[0]
    yield "rotation", lambda d: unit(R[:, :d])
    order = np.random.default_rng(seed).permutation(len(A))
    for n in SIZES:
        if n <= len(A):
            some = axes_of(A[order[:n]]).transform(B)
            yield f"fitted to {n}", lambda d, some=some: unit(some[:, :d])
    for name, rows in others.items():
        general = axes_of(rows).transform(B)
        yield f"on {name}", lambda d, general=general: unit(general[:, :d])
    vary = ~near_zero_mask(Moments.of(A).variance, 0.1)
    if not vary.all():
        without = axes_of(A[:, vary]).transform(B[:, vary])
        yield "without near-zero dims", lambda d: unit(without[:, :d])
    mean = A.mean(axis=0)
    # Rows count by their length after centring, as in PCA.
    directions = np.linalg.svd(A - mean, full_matrices=False)[2]
    C = (B - mean) @ directions.T
    yield "centred", lambda d: unit(C[:, :d])
    yield "all but the top", lambda d: unit(C[:, 2 : d + 2])
    for name, power in (("whitened", 0.0), ("power .5", 0.5), ("power 1.5", 1.5)):
        scale = spread.clip(1e-3) ** (power - 1)
        yield name, lambda d, scale=scale: unit(R[:, :d] * scale[:d])
    own_half = own.transform(A)
    for name, scores in (("variance", own_half.var(axis=0)), ("laplacian", laplacian(own_half))):
        ranked = np.argsort(-scores, kind="stable")
        yield f"rotated, {name}", lambda d, ranked=ranked: unit(R[:, ranked[:d]])


def measured(name: str, folders: argparse.Namespace) -> Iterator[dict[str, Any]]:
    table, X = read(name, folders.corpora, folders.embeddings)
    labels = pd.factorize(table["label"])[0]
    model, _, corpus = name.partition("_")
    others = {}
    for other in OTHERS:
        if other != corpus:
            try:
                rows = np.load(find(folders.embeddings, f"{model}_{other}.npy"))
            except FileNotFoundError:
                continue
            others[other] = unit(rows.astype(np.float32))
    if len(others) > 1:
        drawn = [np.random.default_rng(0).permutation(rows)[:MIXED] for rows in others.values()]
        others["all others"] = np.concatenate(drawn)
    for seed in SEEDS:
        order = np.random.default_rng(seed).permutation(len(X))
        a, b = order[: len(X) // 2], order[len(X) // 2 :][:JUDGED]
        nearest = nearest_neighbors(X[b], N_NEIGHBORS, method="exact")[0]

        def judge(Y: Rows, b: Rows = b, nearest: Rows = nearest, seed: int = seed) -> dict:
            found = nearest_neighbors(Y, N_NEIGHBORS, method="exact")[0]
            kept = (found[:, :, None] == nearest[:, None]).any(axis=2).mean()
            topics = LeidenClustering(N_TOPICS, random_state=seed).fit_predict(Y)
            return {"kept": kept, "AMI": adjusted_mutual_info_score(labels[b], topics)}

        keys = {"data": name, "seed": seed}
        yield keys | {"method": "full", "width": X.shape[1]} | judge(X[b])
        for method, cut in methods(X[a], X[b], others, seed):
            fitted = method.startswith(("fitted to", "on "))
            widths = FEWER_WIDTHS if fitted else VARIANT_WIDTHS
            for width in WIDTHS if method in MAIN else widths:
                yield keys | {"method": method, "width": width} | judge(cut(width))
        print(f"{name}, seed {seed}: done", flush=True)


def short(value: float, decimals: int = 2) -> str:
    return f"{value:.{decimals}f}".removeprefix("0")


def full_ami(results: pd.DataFrame, data: str) -> float:
    return results["AMI"][(results["data"] == data) & (results["method"] == "full")].mean()


def table(results: pd.DataFrame, columns: tuple[str, ...]) -> str:
    """Neighbours kept / share of the full width's AMI, means over the seeds."""
    mean = results.groupby(["data", "method", "width"], sort=False)[["kept", "AMI"]].mean()
    columns = tuple(c for c in columns if c in set(results["method"]))
    lines = [f"| data | dims | {' | '.join(columns)} |", f"|---|--:|{'--:|' * len(columns)}"]
    for data in results["data"].unique():
        full = full_ami(results, data)
        measured_widths = results["width"][results["method"].isin(columns[1:])]
        for width in sorted(measured_widths.unique()):
            cells = []
            for column in columns:
                if (data, column, width) in mean.index:
                    kept, ami = mean.loc[(data, column, width)]
                    cells.append(f"{short(kept)} / {short(ami / full)}")
                else:
                    cells.append("")
            lines.append(f"| {PAIRS[data]} ({short(full, 3)}) | {width} | {' | '.join(cells)} |")
    return "\n".join(lines)


def targets(results: pd.DataFrame) -> str:
    """Say which targets are met at 32 dimensions."""
    mean = results.groupby(["data", "method", "width"])[["kept", "AMI"]].mean()
    lines = ["| data | kept, >= .45 | AMI, >= .95 of full | |", "|---|--:|--:|---|"]
    for data in results["data"].unique():
        kept, ami = mean.loc[(data, "rotation", 32)]
        share = ami / full_ami(results, data)
        met = "met" if kept >= 0.45 and share >= 0.95 else "missed"
        lines.append(f"| {PAIRS[data]} | {short(kept, 3)} | {short(share, 3)} | {met} |")
    return "\n".join(lines)


def embed(model: str, out: Path) -> None:
    texts = list(dict.fromkeys(load_docstrings(LIBRARIES).texts))
    drawn = np.random.default_rng(0).permutation(len(texts))[:N_DOCSTRINGS]
    backend = MatryoshkaBackend(model, prompt=None)
    start = time.perf_counter()
    np.save(out, backend.embed([texts[i] for i in np.sort(drawn)]).astype(np.float16))
    print(f"{len(drawn):,} of {len(texts):,} docstrings in {time.perf_counter() - start:.0f} s")


def seconds() -> None:
    rng = np.random.default_rng(0)
    spread = np.linspace(1, 0.1, 768)
    X = unit(rng.normal(size=(20_000, 768)) * spread)
    fits = {
        "PrincipalRotation": PrincipalRotation(sample_size=None).fit,
        "TruncatedSVD, ARPACK, 767 axes": TruncatedSVD(767, algorithm="arpack").fit,
        "TruncatedSVD, randomized, 128 axes": TruncatedSVD(128).fit,
        "numpy's SVD of the rows": lambda Z: np.linalg.svd(Z, full_matrices=False),
    }
    print("20,000 x 768:\n\n| | s | MB |\n|---|--:|--:|")
    for name, fit in fits.items():
        took = []
        for _ in range(3):
            start = time.perf_counter()
            fit(X)
            took.append(time.perf_counter() - start)
        tracemalloc.start()
        fit(X)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(f"| {name} | {np.median(took):.2f} | {peak:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("embed")
    one.add_argument("--model", required=True)
    one.add_argument("--out", type=Path, required=True)
    two = commands.add_parser("measure")
    for folders in ("--corpora", "--embeddings"):
        two.add_argument(folders, type=Path, nargs="+", required=True)
    two.add_argument("--names", nargs="+", default=list(PAIRS))
    two.add_argument("--out", type=Path, required=True)
    commands.add_parser("time")
    arguments = parser.parse_args()
    if arguments.command == "embed":
        embed(arguments.model, arguments.out)
    elif arguments.command == "time":
        seconds()
    else:
        arguments.out.mkdir(parents=True, exist_ok=True)
        results = []
        for name in arguments.names:
            file = arguments.out / f"{name}.csv"
            if not file.exists():
                pd.DataFrame(measured(name, arguments)).to_csv(file, index=False)
            results.append(pd.read_csv(file))
        joined = pd.concat(results)
        for title, columns in TABLES.items():
            print(f"\nNeighbours kept / AMI of the full width's.{title}\n")
            print(table(joined, columns))
        print(f"\nTargets at 32 dims.\n\n{targets(joined)}")
    print(f"\n{machine(PACKAGES)}")


if __name__ == "__main__":
    main()
