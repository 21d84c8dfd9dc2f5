"""A comparison of embedding models, or of layers of one -> quality beside seconds of encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic_matryoshka._constraints import choice, instance
from bertopic_matryoshka.comparison import DimensionComparison
from bertopic_matryoshka.report._data import measured, short, sweeps_of
from bertopic_matryoshka.report._figures import LAYOUT, plain

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure

MEASURES = {"ami": "AMI with labels", "coherence": "coherence"}
"""Columns that can be compared between models, the first that was measured by default.

Topic agreement cannot: it is with the same model's widest width.
"""


def plot_embedding_models(comparison: DimensionComparison, measure: str | None = None) -> Figure:
    """Plot quality by embedding model and width, models ordered by their seconds of encoding.

    Layers of one model are models of a comparison like any others:
    ``MatryoshkaBackend(name, n_layers=3)`` beside ``MatryoshkaBackend(name)``.

    Parameters
    ----------
    comparison : DimensionComparison
    measure : {"ami", "coherence"} or None, default=None
        What to show; None takes AMI where there are labels. Of an embedding model with several
        topic models, the first is shown.

    Returns
    -------
    figure : plotly Figure
        A heat map: a row for each embedding model with the seconds of encoding all documents where
        they are known, the fastest at the bottom, and a column for each width.

    Raises
    ------
    ValueError
        If `measure` is another, or was not measured.

    Examples
    --------
    >>> from bertopic_matryoshka import MatryoshkaBackend, build_topic_model, compare_dimensions
    >>> from bertopic_matryoshka import plot_embedding_models
    >>> docs = [f"{thing} number {n}" for thing in ("dog", "car", "tree") for n in range(20)]
    >>> topic_model = build_topic_model(MatryoshkaBackend(), min_topic_size=5)
    >>> figure = plot_embedding_models(compare_dimensions(docs, topic_model, dims=[64, 32]))
    """
    instance(DimensionComparison).check(comparison, "comparison")
    table = measured(comparison)
    known = [name for name in MEASURES if name in table and table[name].notna().any()]
    choice(known, none=True).check(measure, "measure")
    measure = measure or known[0]
    cells = _cells(comparison, table, measure)
    figure = _figure_of(cells, MEASURES[measure])
    return figure.update_layout(height=140 + 44 * len(cells), **LAYOUT)


def _cells(comparison: DimensionComparison, table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Give a row for each model, slowest first, and a column for each width, widest first."""
    sweeps = [sweep for sweep in sweeps_of(comparison) if not sweep.is_control]
    first: dict[str, str] = {}
    for sweep in sweeps:
        first.setdefault(sweep.embedding_model, sweep.title)
    models = comparison.embedding_models
    order = sorted(first, key=lambda name: -(models[name].encode_seconds or 0))
    labels = {first[name]: _label(name, models[name].encode_seconds) for name in order}
    shown = table[table["topic_model"].isin(labels)]
    cells: pd.DataFrame = shown.pivot_table(index="topic_model", columns="dim", values=measure)
    cells = cells.loc[list(labels), sorted(cells.columns, reverse=True)]
    renamed: pd.DataFrame = cells.rename(index=labels)
    return renamed


def _label(name: str, seconds: float | None) -> str:
    return plain(name) if seconds is None else f"{plain(name)}, {short(seconds)} s"


def _figure_of(cells: pd.DataFrame, title: str) -> Figure:
    from plotly.graph_objects import Figure

    settings: dict[str, Any] = {"hoverinfo": "skip", "colorscale": "Blues", "xgap": 2, "ygap": 2}
    figure = Figure()
    figure.add_heatmap(
        z=cells.to_numpy(),
        x=[str(dim) for dim in cells.columns],
        y=cells.index.tolist(),
        texttemplate="%{z:.3f}",
        colorbar={"title": {"text": title, "side": "right"}, "thickness": 12},
        **settings,
    )
    figure.update_xaxes(title_text="dimensions", type="category")
    return figure.update_yaxes(autorange="reversed", automargin=True)
