"""A comparison -> what each width gives and costs, drawn."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from bertopic_matryoshka.report._sentences import FLOAT_BYTES
from bertopic_matryoshka.report._styles import line_styles, model_styles, translucent

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from plotly.graph_objects import Figure

    from bertopic_matryoshka.comparison import DimensionComparison
    from bertopic_matryoshka.report._styles import Style

LAYOUT: dict[str, Any] = {
    "template": "plotly_white",
    "margin": {"l": 60, "r": 16, "t": 36, "b": 48},
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
}
"""Margins and legend that leave a figure its width on a narrow screen."""

N_PANELS = 6
"""Of which two are chosen by what there is."""

TICKS_APART = 1.25
"""Ratio between widths whose labels do not touch."""


class Panel(NamedTuple):
    """One measure against width: the title of its axis, and the format of its ticks.

    `of` is a column of the summary, or of the models' table below.
    """

    of: str
    title: str
    ticks: str
    by_model: bool = False


def plot_comparison(comparison: DimensionComparison, *, n_columns: int = 2) -> Figure:
    """Draw quality and cost against width, a line for each of `comparison.lines`.

    Parameters
    ----------
    comparison : DimensionComparison
    n_columns : int, default=2
        How many of the panels stand side by side; 1 suits a narrow screen.

    Returns
    -------
    figure : plotly Figure
        Up to six panels that share a legend: coherence, neighbours kept, the two that matter most
        of AMI, outlier share, stability over seeds, diversity and number of topics, seconds and
        memory. Bands are one standard error of the coherence to either side, and bars where a
        line has a single width. A width without a value leaves a gap. Controls are dashed.
    """
    from plotly.subplots import make_subplots

    summary, models = comparison.summary, _models(comparison)
    panels = _panels(comparison, summary, models)
    n_rows = math.ceil(len(panels) / n_columns)
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        specs=[
            [{} if row * n_columns + column < len(panels) else None for column in range(n_columns)]
            for row in range(n_rows)
        ],
        horizontal_spacing=0.2 / n_columns,
        vertical_spacing=0.24 / n_rows,
    )
    of_lines = {name: (name, style) for name, style in line_styles(comparison).items()}
    of_models = model_styles(comparison)
    named: set[str] = set()
    for i, panel in enumerate(panels):
        place: dict[str, Any] = {"row": i // n_columns + 1, "col": i % n_columns + 1}
        table, key = (models, "model") if panel.by_model else (summary, "line")
        styles = of_models if panel.by_model else of_lines
        # What is decided for lies on top of its controls.
        for of, (name, style) in sorted(styles.items(), key=lambda item: not item[1][1].muted):
            rows = table[table[key] == of].sort_values("dim")
            if panel.of == "coherence":
                _draw_error(figure, rows, style, name, place)
            if rows[panel.of].notna().any():
                figure.add_scatter(
                    x=rows["dim"].tolist(),
                    y=rows[panel.of].tolist(),
                    mode="lines+markers",
                    name=plain(name),
                    legendgroup=name,
                    legendrank=list(of_lines).index(name) if name in of_lines else 1000,
                    showlegend=name not in named,
                    line={"color": style.color, "width": 2, "dash": style.dash},
                    marker={"color": style.color, "symbol": style.symbol, "size": 9},
                    cliponaxis=False,
                    hovertemplate=f"%{{fullData.name}}<br>%{{x}} dimensions: %{{y:{panel.ticks}}}"
                    "<extra></extra>",
                    **place,
                )
                named.add(name)
        figure.update_yaxes(
            title_text=panel.title,
            title_standoff=8,
            tickformat=panel.ticks,
            rangemode="normal" if panel.of == "coherence" else "tozero",
            automargin=True,
            **place,
        )
    _set_widths(figure, summary["dim"].unique().tolist())
    return figure.update_layout(height=300 * n_rows, **LAYOUT)


def write_png(comparison: DimensionComparison, path: str | Path) -> None:
    """Write the figure of a comparison as a PNG, 1,000 pixels wide at a scale of 2.

    Parameters
    ----------
    comparison : DimensionComparison
    path : str or Path

    Raises
    ------
    ImportError
        If kaleido is not installed.
    RuntimeError
        If kaleido finds no Chrome or Chromium to draw with.
    """
    try:
        import kaleido  # noqa: F401
    except ImportError as error:
        raise ImportError(
            'A PNG needs kaleido. Install it with: pip install "bertopic-matryoshka[png]"'
        ) from error
    try:
        plot_comparison(comparison).write_image(path, format="png", width=1000, scale=2)
    except RuntimeError as error:
        if "Chrome" not in str(error):
            raise
        raise RuntimeError(
            "A PNG needs Chrome or Chromium, and kaleido finds neither. Install one, name it in "
            "the environment variable BROWSER_PATH, or run plotly_get_chrome. write_report needs "
            "none."
        ) from error


def _panels(
    comparison: DimensionComparison, summary: pd.DataFrame, models: pd.DataFrame
) -> list[Panel]:
    """Choose what is drawn: what says most of those measures that there are."""
    first = []
    if summary["coherence"].notna().any():
        title = f"coherence ({comparison.measure}), higher is better"
        first.append(Panel("coherence", title, ".3~f"))
    if models["neighbors_kept"].notna().any():
        first.append(Panel("neighbors_kept", "neighbours kept, higher is better", ".0%", True))
    last = [
        Panel("seconds", "seconds to fit, lower is better", ",.3~r"),
        Panel("megabytes", "embeddings (MB), lower is better", ",.3~r", True),
    ]
    optional = [
        Panel("ami", "AMI with the labels, higher is better", ".3~f"),
        Panel("outlier_share", "outlier share, lower is better", ".0%"),
        Panel("seed_stability", "stability over seeds, higher is better", ".3~f"),
        Panel("diversity", "diversity, higher is better", ".3~f"),
        Panel("n_topics", "number of topics", ",.3~r"),
    ]
    chosen = [p for p in optional if p.of in summary and summary[p.of].any()]
    return [*first, *chosen[: N_PANELS - len(first) - len(last)], *last]


def _models(comparison: DimensionComparison) -> pd.DataFrame:
    """Give what depends on model and width alone: "neighbors_kept" and "megabytes" in float32."""
    import pandas as pd

    widths = dict.fromkeys((cell.line.model, cell.dim) for cell in comparison.cells)
    table: pd.DataFrame = pd.DataFrame(list(widths), columns=["model", "dim"])
    kept = {
        (name, dim): share
        for name, model in comparison.models.items()
        for dim, share in model.neighborhoods.reindex(columns=["dim", "neighbors_kept"]).to_numpy()
    }
    table["neighbors_kept"] = pd.Series([kept.get(place) for place in widths], dtype=float)
    table["megabytes"] = table["dim"] * comparison.n_documents * FLOAT_BYTES / 1e6
    return table


def _draw_error(
    figure: Figure, rows: pd.DataFrame, style: Style, name: str, place: dict[str, Any]
) -> None:
    """Draw coherence plus and minus its error: a band, or a bar where a width stands alone."""
    known = rows[rows["coherence"].notna() & rows["coherence_error"].notna()]
    common: dict[str, Any] = {
        "legendgroup": name,
        "showlegend": False,
        "hoverinfo": "skip",
        **place,
    }
    # Widths next to each other, without one that has no value in between.
    for _, part in known.groupby(rows["coherence"].isna().cumsum()):
        x, y, error = (part[of].tolist() for of in ("dim", "coherence", "coherence_error"))
        if len(x) == 1:
            figure.add_scatter(
                x=x,
                y=y,
                mode="markers",
                marker={"color": style.color, "symbol": style.symbol, "size": 9},
                error_y={"type": "data", "array": error, "thickness": 1.2, "width": 5},
                **common,
            )
            continue
        low = [mean - of for mean, of in zip(y, error, strict=True)]
        high = [mean + of for mean, of in zip(y, error, strict=True)]
        figure.add_scatter(
            x=x + x[::-1],
            y=high + low[::-1],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=translucent(style.color, 0.14 if style.muted else 0.2),
            **common,
        )


def _set_widths(figure: Figure, dims: list[int]) -> None:
    """Put the widths on logarithmic axes, but for those too close to their neighbours."""
    ticks: list[int] = []
    for dim in sorted(dims, reverse=True):
        if not ticks or dim * TICKS_APART <= ticks[-1]:
            ticks.append(dim)
    figure.update_xaxes(
        title_text="dimensions",
        title_standoff=8,
        type="log",
        range=[math.log10(min(dims) / 1.25), math.log10(max(dims) * 1.25)],
        tickvals=ticks[::-1],
        ticktext=[str(dim) for dim in ticks[::-1]],
    )


def plain(text: str) -> str:
    """Write text so that plotly, which knows some HTML, shows it as it is."""
    return escape(text, quote=False)
