"""A comparison -> what each width gives and costs, drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from plotly.graph_objects import Figure

    from bertopic_matryoshka.cell import Cell
    from bertopic_matryoshka.comparison import DimensionComparison


class Style(NamedTuple):
    """How a reduction is drawn; the sign is the marker's symbol as a character."""

    color: str
    symbol: str
    sign: str


# Okabe and Ito's palette: told apart by colour-blind readers, and legible on white and on black.
STYLES = {
    "variance": Style("#0072b2", "circle", "●"),
    "pca": Style("#009e73", "square", "■"),
    "umap": Style("#d55e00", "diamond", "◆"),
    "none": Style("#cc79a7", "triangle-up", "▲"),
}
"""How each reduction is drawn, wherever it appears."""

LAYOUT: dict[str, Any] = {
    "margin": {"l": 60, "r": 16, "t": 36, "b": 48},
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
}
"""Margins and legend that leave a figure its width on a narrow screen."""

PANELS: tuple[tuple[str, str, Callable[[Cell], float]], ...] = (
    ("coherence (NPMI), higher is better", ".3~f", lambda cell: cell.coherence),
    ("diversity, higher is better", ".3~f", lambda cell: cell.diversity),
    ("outlier share, lower is better", ".0%", lambda cell: cell.outlier_share),
    (
        "seconds to fit, lower is better",
        ",.3~r",
        lambda cell: cell.reduce_seconds + cell.cluster_seconds + cell.represent_seconds,
    ),
)
"""Of each panel: the title of its axis, the format of its ticks, and a cell's value."""


def comparison_figure(comparison: DimensionComparison, *, n_columns: int = 2) -> Figure:
    """Draw coherence, diversity, outlier share and seconds against width, a line a reduction.

    Parameters
    ----------
    comparison : DimensionComparison
    n_columns : int, default=2
        How many of the four panels stand side by side; 1 suits a narrow screen.

    Returns
    -------
    figure : plotly Figure
        Four panels that share a legend. Error bars are one standard error of the coherence; a
        cell without a value leaves a gap.
    """
    from plotly.subplots import make_subplots

    n_rows = math.ceil(4 / n_columns)
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        horizontal_spacing=0.26 / n_columns,
        vertical_spacing=0.3 / n_rows,
    )
    dims = sorted({cell.dim for cell in comparison.cells})
    for panel, (label, tick_format, value_of) in enumerate(PANELS):
        place: dict[str, Any] = {"row": panel // n_columns + 1, "col": panel % n_columns + 1}
        for reduction in dict.fromkeys(cell.reduction for cell in comparison.cells):
            cells = [cell for cell in comparison.cells if cell.reduction == reduction]
            cells.sort(key=lambda cell: cell.dim)
            style = STYLES[reduction]
            figure.add_scatter(
                x=[cell.dim for cell in cells],
                y=[value_of(cell) for cell in cells],
                error_y=_errors(cells) if panel == 0 else None,
                mode="lines+markers",
                name=reduction,
                legendgroup=reduction,
                showlegend=panel == 0,
                line={"color": style.color, "width": 2},
                marker={"color": style.color, "symbol": style.symbol, "size": 9},
                hovertemplate=f"{reduction}, %{{x}} dimensions: %{{y}}<extra></extra>",
                **place,
            )
        figure.update_yaxes(
            title_text=label,
            title_standoff=8,
            tickformat=tick_format,
            rangemode="normal" if panel == 0 else "tozero",
            automargin=True,
            **place,
        )
    figure.update_xaxes(
        title_text="dimensions",
        title_standoff=8,
        type="log",
        range=[math.log10(dims[0] / 1.25), math.log10(dims[-1] * 1.25)],
        tickvals=dims,
        ticktext=[str(dim) for dim in dims],
    )
    figure.update_layout(
        template="plotly_white",
        height=330 * n_rows,
        **LAYOUT,
    )
    return figure


def _errors(cells: list[Cell]) -> dict[str, Any]:
    return {
        "type": "data",
        "array": [cell.coherence_error for cell in cells],
        "thickness": 1.2,
        "width": 5,
    }
