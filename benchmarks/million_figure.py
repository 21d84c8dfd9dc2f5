"""Seconds from texts to topics against the number of texts: the picture in README."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.million import EVOC, OURS, UMAP, total

if TYPE_CHECKING:
    from pathlib import Path

# Okabe and Ito's palette, which colour-blind readers tell apart; readable on white and on dark.
STYLES = {UMAP: ("#d55e00", "diamond"), EVOC: ("#009e73", "square"), OURS: ("#3a93d4", "circle")}
TEXT, GRID = "#808080", "rgba(128, 128, 128, .35)"


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """Draw what was measured."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for method, (color, symbol) in STYLES.items():
        found = [result for result in results if result["method"] == method]
        if not found:
            continue
        sizes, seconds = [result["size"] for result in found], [total(r) for r in found]
        figure.add_scatter(
            x=sizes, y=seconds, name=method, mode="lines+markers",
            line={"color": color, "width": 3}, marker={"symbol": symbol, "size": 10},
        )  # fmt: skip
        figure.add_scatter(
            x=sizes[-1:], y=seconds[-1:], mode="text", text=f"  {seconds[-1]:,.0f} s",
            textposition="middle right", textfont={"color": color}, showlegend=False,
            cliponaxis=False,
        )  # fmt: skip
    axis = {"type": "log", "gridcolor": GRID, "linecolor": TEXT, "zeroline": False}
    ticks = [10_000, 100_000, 1_000_000]
    figure.update_xaxes(
        title="texts", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks], **axis
    )
    values = [1, 10, 100, 1000]
    figure.update_yaxes(
        title="seconds", tickvals=values, ticktext=[f"{v:,}" for v in values], **axis
    )
    figure.update_layout(
        font={"color": TEXT, "size": 14},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"},
        margin={"l": 70, "r": 90, "t": 16, "b": 56},
    )
    figure.write_image(path, width=760, height=420, scale=2)
