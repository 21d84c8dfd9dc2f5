"""What no_umap.py shows of its results: markdown tables, and a picture of quality."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from benchmarks.clustering.no_umap import (
    ALL,
    AS_UMAP,
    EVOC,
    HALF,
    HDBSCAN,
    KMEANS,
    METHODS,
    OWN,
    QUADRATIC_ROWS,
    SEEDS,
    UMAP,
)
from benchmarks.corpus import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SHOWN = ("AMI", "ARI", "NPMI", "diversity", "outliers")
BETTER = {"AMI": 1, "NPMI": 1, "diversity": 1, "outliers": -1}  # the sign of "not worse"
TARGETS = {(UMAP, "first"): 40, (UMAP, "later"): 20, (EVOC, "first"): 2, (EVOC, "later"): 2}
# Okabe and Ito's palette, which colour-blind readers tell apart.
STYLES = {
    UMAP: ("#d55e00", "diamond"),
    EVOC: ("#009e73", "square"),
    KMEANS: ("#cc79a7", "triangle-up"),
    HALF: ("#0072b2", "circle"),
}
N_COLUMNS = 3
PACKAGES = ("bertopic-matryoshka", "graspologic-native", "torch", "scikit-learn", "numpy")
PACKAGES += ("umap-learn", "pynndescent", "hdbscan", "evoc", "numba")


def print_table(header: Iterable[str], rows: Iterable[Iterable[str]], n_left: int = 1) -> None:
    header = list(header)
    print("|", " | ".join(header), "|")
    print("|---" * n_left + "|--:" * (len(header) - n_left) + "|")
    for row in rows:
        print("|", " | ".join(row), "|")


def share(value: float, sign: str = "") -> str:
    return "-" if math.isnan(value) else f"{value:{sign}.3f}".replace("0.", ".", 1)


def print_quality(results: pd.DataFrame) -> None:
    print(f"# Quality\n\nMean over seeds {SEEDS}. Each cell is {' / '.join(SHOWN)}.")
    print("-: fewer topics found than asked for, or not measured, which is", end=" ")
    print(f"{HDBSCAN} of over {QUADRATIC_ROWS:,} documents. Nothing in it depends on the seed.")
    for data, part in results.groupby("data", sort=False):
        print(f"\n## {data}\n")
        found = part.dropna().groupby(["method", "wanted"])[list(MEASURES)].mean()
        numbers = sorted(part["wanted"].unique())
        rows = []
        for method in (*METHODS, AS_UMAP):
            cells = [
                " / ".join(share(found.loc[method, n][m]) for m in SHOWN)
                if (method, n) in found.index
                else "-"
                for n in numbers
            ]
            if (method, OWN) in found.index:
                cells[0] = f"{found.loc[method, OWN]['topics']:.0f} topics: {cells[0]}"
            if method in set(part["method"]):
                rows.append([method, *cells])
        print_table(["method", "own number", *map(str, numbers[1:])], rows)
        deviations = part.groupby(["method", "wanted"])[list(SHOWN)].std().median()
        print("\nMedian deviation between seeds:", end=" ")
        print(", ".join(f"{m} {share(value)}" for m, value in deviations.items()))


def print_differences(results: pd.DataFrame) -> None:
    pairs = [(ALL, UMAP), (HALF, UMAP), (AS_UMAP, UMAP), (ALL, EVOC), (HALF, EVOC)]
    of = dict(list(results.dropna().groupby("method")))
    rows, met = [], []
    for ours, theirs in pairs:
        # Seeds at which either found fewer topics than asked for drop out of both.
        both = of[ours].merge(of[theirs], on=["data", "wanted", "seed"], suffixes=("", " theirs"))
        for (data, wanted), part in both.groupby(["data", "wanted"], sort=False):
            mean = part.mean(numeric_only=True)
            # Adding 0 makes a negative zero positive.
            less = {m: round(mean[m] - mean[f"{m} theirs"], 3) + 0 for m in MEASURES}
            good = {m: sign * less[m] >= 0 for m, sign in BETTER.items()}
            marks = {m: " met" if is_met else " **missed**" for m, is_met in good.items()}
            values = (share(less[m], "+") + marks.get(m, "") for m in MEASURES if m != "topics")
            found = f"{mean['topics']:.0f} / {mean['topics theirs']:.0f}"
            rows.append([ours, theirs, data, str(wanted or "own"), found, *values])
            met.append(good | {"ours": ours, "theirs": theirs, "equal": wanted != OWN})
    print("\n# Ours minus theirs\n\nOf the means. Targets: not below, outliers not above.\n")
    header = "ours", "theirs", "data", "asked", "topics found", *MEASURES[:4], "outliers"
    print_table(header, rows, n_left=3)
    print("\nTargets met:\n")
    rows = []
    for (ours, theirs, equal), part in pd.DataFrame(met).groupby(["ours", "theirs", "equal"]):
        counts = (f"{part[name].sum()} of {len(part)}" for name in BETTER)
        rows.append([ours, theirs, "equal" if equal else "own", *counts])
    print_table(["ours", "theirs", "numbers of topics", *BETTER], rows, n_left=3)


def print_time(file: Path) -> None:
    if not file.exists():
        raise SystemExit("None of --time-names has as many documents as the smallest of --sizes.")
    times = pd.read_csv(file)
    whole, over = times["imports"] + times["first"], times["peak"] - times["before"]
    times = times.assign(whole=whole, over=over)
    keys = ["data", "documents", "method"]
    columns = {"imports": "imports s", "first": "first fit s", "later": "later fits s"}
    columns |= {"whole": "imports + first fit s", "over": "peak MiB over the data"}
    columns |= {"peak": "peak MiB of the process", "topics": "topics"}
    medians = times.groupby(keys, sort=False)[[*columns]].median()
    runs = times.groupby(keys, sort=False).size()
    print("\n# Time\n\nEach run is a fresh process: median of the runs.\n")
    rows = []
    for key, row in medians.iterrows():
        data, documents, method = key
        seconds = (f"{row[column]:.2f}" for column in [*columns][:4])
        counts = (f"{row[column]:,.0f}" for column in [*columns][4:])
        rows.append([data, f"{documents:,}", method, *seconds, *counts, str(runs[key])])
    print_table([*keys, *columns.values(), "runs"], rows, n_left=3)
    print("\nTheir seconds over ours:\n")
    rows = []
    for data, documents in dict.fromkeys(key[:2] for key in medians.index):
        of = medians.loc[(data, documents)]
        for theirs, ours in ((t, o) for t in (UMAP, EVOC) for o in (ALL, HALF)):
            if not {theirs, ours} <= set(of.index):
                continue
            cells = []
            for column in ("first", "later", "whole"):
                ratio, target = of[column][theirs] / of[column][ours], TARGETS.get((theirs, column))
                good = target is None or ratio >= target
                mark = "" if target is None else " met" if good else " **missed**"
                cells.append(f"{ratio:.2g}{mark}")
            rows.append([data, f"{documents:,}", f"{theirs} / {ours}", *cells])
    header = "data", "documents", "ratio", "first fit", "later fits", "imports + first fit"
    print_table(header, rows, n_left=3)
    print(f"\nTargets: {UMAP} at least 40 at the first fit and 20 later, {EVOC} 2.")


def draw(results: pd.DataFrame, path: Path) -> None:
    """Draw AMI and NPMI against the topics found, a column for each data, three side by side."""
    from plotly.subplots import make_subplots

    names = list(dict.fromkeys(results["data"]))
    n_columns, n_blocks = min(N_COLUMNS, len(names)), math.ceil(len(names) / N_COLUMNS)
    titles = [""] * (2 * n_blocks * n_columns)
    for i, name in enumerate(names):
        titles[2 * (i // n_columns) * n_columns + i % n_columns] = name
    grid = {"rows": 2 * n_blocks, "cols": n_columns, "subplot_titles": titles}
    figure = make_subplots(**grid, horizontal_spacing=0.07, vertical_spacing=0.14 / n_blocks)
    asked = results[results["wanted"] != OWN].dropna()
    for i, name in enumerate(names):
        for j, measure in enumerate(("AMI", "NPMI")):
            place = {"row": 2 * (i // n_columns) + j + 1, "col": i % n_columns + 1}
            for method, (color, symbol) in STYLES.items():
                part = asked[(asked["data"] == name) & (asked["method"] == method)]
                by = part.groupby("wanted")[["topics", measure]]
                figure.add_scatter(
                    x=by.mean()["topics"],
                    y=by.mean()[measure],
                    error_y={"array": by.std()[measure], "thickness": 1, "width": 2},
                    line={"color": color},
                    marker={"symbol": symbol, "size": 7},
                    name=method,
                    showlegend=i + j == 0,
                    **place,
                )
            ticks = {"type": "log", "tickvals": [5, 10, 20, 50, 100], "range": [0.55, 2.08]}
            figure.update_xaxes(title="topics found" if j else None, **ticks, **place)
            figure.update_yaxes(
                title=None if i % n_columns else measure, tickformat=".2~f", **place
            )
    legend = {"orientation": "h", "x": 0, "y": 1 + 0.12 / n_blocks, "yanchor": "bottom"}
    margin = {"l": 60, "r": 16, "t": 80, "b": 48}
    figure.update_layout(template="plotly_white", legend=legend, margin=margin)
    figure.write_image(path, width=1000, height=90 + 500 * n_blocks, scale=2)
