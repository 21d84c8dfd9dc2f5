"""A comparison of numbers of topics -> a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic_matryoshka._constraints import check_arguments, instance, whole
from bertopic_matryoshka.comparison import TopicNumberComparison
from bertopic_matryoshka.report._figures import LAYOUT
from bertopic_matryoshka.report._styles import GRAY, PALETTE

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PANELS = {
    "agreement": "agreement between samples (AMI)",
    "coherence": "coherence",
    "silhouette": "silhouette",
    "diversity": "diversity",
    "largest_share": "largest topic's share",
    "stability": "stability between halves",
    "ami": "AMI with labels",
}
"""Columns of the table that are drawn, as far as they were measured."""


def plot_topic_numbers(comparison: TopicNumberComparison, *, n_columns: int = 2) -> Figure:
    """Plot what was measured against the number of topics.

    Parameters
    ----------
    comparison : TopicNumberComparison
    n_columns : int, default=2
        Number of panels side by side, >= 1, or all where there are fewer; 1 suits a narrow
        screen.

    Returns
    -------
    figure : plotly Figure
        A panel each for agreement between samples, coherence, silhouette, diversity, the share of
        the largest topic and, if measured, stability between halves and AMI with labels. Numbers
        are on a logarithmic axis. A vertical line is at the recommended number.
    """
    check_arguments(locals(), comparison=instance(TopicNumberComparison), n_columns=whole(1))
    from plotly.subplots import make_subplots

    table, recommended = comparison.table, comparison.recommend().n_topics
    columns = [column for column in PANELS if column in table]
    n_columns = min(int(n_columns), len(columns))
    n_rows = -(-len(columns) // n_columns)
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        subplot_titles=[
            f"{PANELS[column]}, {comparison.measure}" if column == "coherence" else PANELS[column]
            for column in columns
        ],
        horizontal_spacing=0.2 / n_columns,
        vertical_spacing=0.3 / n_rows,
    )
    for i, column in enumerate(columns):
        place: dict[str, Any] = {"row": i // n_columns + 1, "col": i % n_columns + 1}
        figure.add_scatter(
            x=table.index,
            y=table[column],
            mode="lines+markers",
            line={"color": PALETTE[0], "width": 2},
            marker={"size": 8},
            hoverinfo="text",
            hovertext=[f"{n} topics: {value:.3f}" for n, value in table[column].items()],
            **place,
        )
        if recommended is not None:
            figure.add_vline(recommended, line={"color": GRAY, "dash": "dash"}, **place)
    ticks = [3, 5, 10, 20, 50, 100, 200, 500, 1000]
    figure.update_xaxes(type="log", tickvals=ticks, title_text="topics", title_standoff=4)
    return figure.update_layout(height=260 * n_rows, showlegend=False, **LAYOUT)
