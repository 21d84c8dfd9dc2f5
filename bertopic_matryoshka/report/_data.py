"""A comparison -> data of the figures, tables and sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bertopic_matryoshka.comparison import by_width

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from bertopic_matryoshka.comparison import DimensionComparison, Run

FLOAT_BYTES = 4
"""Bytes of a float32."""

STAGES = ("reduce_seconds", "graph_seconds", "cluster_seconds", "represent_seconds")
"""Timed parts of a fit."""


class Sweep(NamedTuple):
    """A topic model at all of its widths.

    Attributes
    ----------
    title : str
        Name of the topic model.
    made_of : str
        Reduction and clustering, such as "selection + Leiden".
    embedding_model : str
        Key of its embedding model in the comparison.
    embeddings : str
        Name of these embeddings in the report.
    is_control : bool
    is_permuted : bool
        Whether its dimensions are not the first ones of the embedding model.
    runs : dict of int to list of Run
        Runs by width, widest first; one per seed.
    """

    title: str
    made_of: str
    embedding_model: str
    embeddings: str
    is_control: bool
    is_permuted: bool
    runs: dict[int, list[Run]]

    @property
    def first_runs(self) -> list[Run]:
        """The runs of the first seed, widest first."""
        return [runs[0] for runs in self.runs.values()]


def sweeps_of(comparison: DimensionComparison) -> list[Sweep]:
    """List the topic models that were compared, in their order."""
    return [
        Sweep(
            title=name,
            made_of=f"{condition.clustering} without reduction"
            if condition.reduction == "none"
            else f"{condition.reduction} + {condition.clustering}",
            embedding_model=condition.embedding_model,
            # Embeddings that are given by the name of a topic model have that name.
            embeddings=f"given for {condition.embedding_model}"
            if condition.embedding_model in comparison.conditions
            else condition.embedding_model,
            is_control=name in comparison.controls,
            is_permuted=condition.is_permuted,
            runs=by_width(comparison.runs_of(name)),
        )
        for name, condition in comparison.conditions.items()
    ]


def measured(comparison: DimensionComparison) -> pd.DataFrame:
    """Give the summary, a row a topic model and width, without columns that hold nothing.

    "megabytes" is the size of the embeddings in float32. Seconds are those of the first seed; NaN
    if it was computed on another machine than most runs.
    """
    sweeps = sweeps_of(comparison)
    summary = comparison.summary.dropna(axis="columns", how="all")
    first = [run for sweep in sweeps for run in sweep.first_runs]
    here = [run.machine == comparison.machine for run in first]
    table: pd.DataFrame = summary.assign(
        megabytes=summary["dim"] * comparison.n_documents * FLOAT_BYTES / 1e6,
        **{
            name: np.where(here, [getattr(run, name) for run in first], np.nan)
            for name in ("seconds", "evaluate_seconds", *STAGES)
        },
    )
    return table


def seeds_of(comparison: DimensionComparison) -> list[int | None]:
    """List the seeds of the fits, each once."""
    return list(dict.fromkeys(run.seed for run in comparison.runs))


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
