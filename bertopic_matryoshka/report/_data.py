"""A comparison -> what the figures, tables and sentences read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bertopic_matryoshka.comparison import by_width

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from bertopic_matryoshka.comparison import Cell, DimensionComparison

FLOAT_BYTES = 4
"""Bytes of a float32."""

STAGES = ("reduce_seconds", "cluster_seconds", "represent_seconds")
"""Timed parts of a fit."""

REDUCTIONS = {"variance": "selection", "pca": "PCA", "umap": "UMAP", "none": "no reduction"}
CLUSTERINGS = {"leiden": "Leiden", "hdbscan": "HDBSCAN"}


class Sweep(NamedTuple):
    """A topic model at all of its widths.

    Attributes
    ----------
    title : str
        Its name, as people read it.
    model : str
        Name of its embedding model.
    is_control : bool
    is_prefix : bool
        Whether its widths are the first dimensions of the embedding model.
    runs : dict of int to list of Cell
        By width, widest first; one a seed.
    """

    title: str
    model: str
    is_control: bool
    is_prefix: bool
    runs: dict[int, list[Cell]]

    @property
    def first_runs(self) -> list[Cell]:
        """The runs of the first seed, widest first."""
        return [runs[0] for runs in self.runs.values()]


def sweeps_of(comparison: DimensionComparison) -> list[Sweep]:
    """List what was compared, in its order."""
    return [
        Sweep(
            title=_title(comparison, name),
            model=line.model,
            is_control=line.cut == "random" or comparison.models[line.model].is_control,
            is_prefix=line.cut == "prefix",
            runs=by_width(comparison.cells_of(name)),
        )
        for name, line in comparison.lines.items()
    ]


def measured(comparison: DimensionComparison) -> pd.DataFrame:
    """Give the summary, a row a topic model and width, with what the report shows beside it.

    "title" names the topic model as in `Sweep`, "megabytes" is the size of the embeddings in
    float32, and seconds are those of the first seed: later seeds may find their graph of
    neighbours built.
    """
    import pandas as pd

    sweeps = sweeps_of(comparison)
    summary = comparison.summary.dropna(axis="columns", how="all")
    first = [run for sweep in sweeps for run in sweep.first_runs]
    table: pd.DataFrame = summary.assign(
        title=[sweep.title for sweep in sweeps for _ in sweep.runs],
        megabytes=summary["dim"] * comparison.n_documents * FLOAT_BYTES / 1e6,
        seconds=[run.seconds for run in first],
        evaluate_seconds=[run.evaluate_seconds for run in first],
        **{stage: [getattr(run, stage) for run in first] for stage in STAGES},
    )
    return table


def seeds_of(comparison: DimensionComparison) -> list[int | None]:
    """List the seeds of the fits, each once."""
    return list(dict.fromkeys(cell.spec.seed for cell in comparison.cells))


def listed(words: Iterable[str]) -> str:
    """Write words with commas and a last "and"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short(number: float) -> str:
    """Write a number with one decimal, where it has any."""
    return f"{number:,.1f}".removesuffix(".0")


def _title(comparison: DimensionComparison, name: str) -> str:
    line = comparison.lines[name]
    reduction = REDUCTIONS[line.reduction]
    if line.criterion not in {"", "variance"}:
        reduction += f" by {line.criterion}"
    title = f"{reduction} + {CLUSTERINGS.get(line.clustering, line.clustering)}"
    if len(comparison.models) > 1:
        title = f"{line.model}: {title}"
    return title if line.cut == "prefix" else f"{title}, random dimensions"
