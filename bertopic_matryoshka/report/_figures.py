"""A comparison -> figures: quality and cost by width, and the spectrum of the embeddings."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from bertopic_matryoshka._constraints import PATH, check_arguments, instance, whole
from bertopic_matryoshka.comparison import DimensionComparison
from bertopic_matryoshka.report._data import FLOAT_BYTES, measured, sweeps_of
from bertopic_matryoshka.report._styles import model_styles, styles_of, translucent

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from plotly.graph_objects import Figure

    from bertopic_matryoshka.report._styles import Style
    from bertopic_matryoshka.selection import DimensionInspection

LAYOUT: dict[str, Any] = {
    "template": "plotly_white",
    "margin": {"l": 60, "r": 16, "t": 36, "b": 48},
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
}
"""Margins and legend that leave a figure its width on a narrow screen."""

N_PANELS = 6
"""Panels of the comparison, two of them chosen by what was measured."""

TICKS_APART = 1.25
"""Smallest ratio between widths whose tick labels do not overlap."""


class Panel(NamedTuple):
    """One measure against width.

    `column` is one of the measured table, or of the embedding models' where `by_model`. `ticks` is
    the axis's format (d3's), `text` that of a value under the pointer (Python's).
    """

    column: str
    title: str
    ticks: str
    text: str
    by_model: bool = False


def plot_comparison(comparison: DimensionComparison, *, n_columns: int = 2) -> Figure:
    """Plot quality and cost against width, one line per topic model.

    Parameters
    ----------
    comparison : DimensionComparison
    n_columns : int, default=2
        Number of panels side by side, >= 1, or all where there are fewer; 1 suits a narrow
        screen.

    Returns
    -------
    figure : plotly Figure
        Up to six panels that share a legend: topic agreement, coherence, neighbours kept, one or
        two of AMI, share of outliers, agreement between seeds, diversity and number of topics (the
        first that were measured), seconds of the first seed's fit, and size of the embeddings.
        Bands are one standard error of the coherence to either side, and bars where a topic model
        has a single width. A width without a value leaves a gap. Controls are dashed.
    """
    check_arguments(locals(), comparison=instance(DimensionComparison), n_columns=whole(1))
    from plotly.subplots import make_subplots

    table, models = measured(comparison), _models(comparison)
    panels = _panels(comparison, table, models)
    n_columns = min(int(n_columns), len(panels))
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
    sweeps = sweeps_of(comparison)
    of_sweeps = {title: (title, style) for title, style in styles_of(sweeps).items()}
    of_models = model_styles(sweeps)
    named: set[str] = set()
    for i, panel in enumerate(panels):
        place: dict[str, Any] = {"row": i // n_columns + 1, "col": i % n_columns + 1}
        source, key = (models, "embedding_model") if panel.by_model else (table, "topic_model")
        styles = of_models if panel.by_model else of_sweeps
        # Topic models are drawn on top of their controls.
        for value, (title, style) in sorted(styles.items(), key=lambda item: not item[1][1].muted):
            rows = source[source[key] == value].sort_values("dim")
            if panel.column == "coherence":
                _draw_error(figure, rows, style, title, place)
            if rows[panel.column].notna().any():
                dims, values = rows["dim"].tolist(), rows[panel.column].tolist()
                figure.add_scatter(
                    x=dims,
                    y=values,
                    mode="lines+markers",
                    name=plain(title),
                    legendgroup=title,
                    legendrank=list(of_sweeps).index(title) if title in of_sweeps else 1000,
                    showlegend=title not in named,
                    line={"color": style.color, "width": 2, "dash": style.dash},
                    marker={"color": style.color, "symbol": style.symbol, "size": 9},
                    cliponaxis=False,
                    hoverinfo="text",
                    hovertext=[
                        f"{plain(title)}, {dim} dimensions: {number:{panel.text}}"
                        for dim, number in zip(dims, values, strict=True)
                    ],
                    **place,
                )
                named.add(title)
        figure.update_yaxes(
            title_text=panel.title,
            title_standoff=8,
            tickformat=panel.ticks,
            rangemode="normal" if panel.column == "coherence" else "tozero",
            automargin=True,
            **place,
        )
    _set_widths(figure, table["dim"].unique().tolist())
    return figure.update_layout(height=300 * n_rows, **LAYOUT)


def plot_spectrum(inspection: DimensionInspection) -> Figure:
    """Draw the standard deviation of each dimension, for the page: without a title of its own."""
    figure = inspection.plot().update_layout(title=None, height=340, **LAYOUT)
    figure.update_layout(showlegend=bool(inspection.near_zero))
    return figure.update_traces(cliponaxis=False)  # near-zero ones lie on the axis


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
    check_arguments(locals(), comparison=instance(DimensionComparison), path=PATH)
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


def plain(text: str) -> str:
    """Write text so that plotly, which knows some HTML, shows it as it is."""
    return escape(text, quote=False)


def _panels(
    comparison: DimensionComparison, table: pd.DataFrame, models: pd.DataFrame
) -> list[Panel]:
    """Choose what is drawn: of the measures that there are, those that say most."""
    first = []
    if "topic_agreement" in table:
        title = "topic agreement, higher is better"
        first.append(Panel("topic_agreement", title, ".0%", ".1%"))
    if "coherence" in table:
        title = f"coherence ({comparison.measure}), higher is better"
        first.append(Panel("coherence", title, ".3~f", ".3f"))
    if models["neighbors_kept"].notna().any():
        title = "neighbours kept, higher is better"
        first.append(Panel("neighbors_kept", title, ".0%", ".0%", by_model=True))
    last = [
        Panel("seconds", "seconds to fit, lower is better", ",.3~r", ",.3g"),
        Panel("megabytes", "embeddings (MB), lower is better", ",.3~r", ",.3g", by_model=True),
    ]
    optional = [
        Panel("ami", "AMI, higher is better", ".3~f", ".3f"),
        Panel("outlier_share", "outliers, lower is better", ".0%", ".0%"),
        Panel("seed_stability", "agreement of seeds, higher is better", ".3~f", ".3f"),
        Panel("diversity", "diversity, higher is better", ".3~f", ".3f"),
        Panel("n_topics", "number of topics", ",.3~r", ",.3g"),
    ]
    chosen = [panel for panel in optional if panel.column in table and table[panel.column].any()]
    return [*first, *chosen[: N_PANELS - len(first) - len(last)], *last]


def _models(comparison: DimensionComparison) -> pd.DataFrame:
    """Give what depends on embedding model and width alone, a row each.

    "neighbors_kept" and "megabytes", the size of the embeddings in float32.
    """
    import pandas as pd

    widths = dict.fromkeys(
        (s.embedding_model, dim) for s in sweeps_of(comparison) for dim in s.runs
    )
    table: pd.DataFrame = pd.DataFrame(list(widths), columns=["embedding_model", "dim"])
    kept = {
        (name, dim): share
        for name, model in comparison.embedding_models.items()
        for dim, share in model.neighborhoods.reindex(columns=["dim", "neighbors_kept"]).to_numpy()
    }
    table["neighbors_kept"] = pd.Series([kept.get(place) for place in widths], dtype=float)
    table["megabytes"] = table["dim"] * comparison.n_documents * FLOAT_BYTES / 1e6
    return table


def _draw_error(
    figure: Figure, rows: pd.DataFrame, style: Style, title: str, place: dict[str, Any]
) -> None:
    """Draw coherence plus and minus its error: a band, or a bar where a width stands alone."""
    known = rows[rows["coherence"].notna() & rows["se_coherence"].notna()]
    common: dict[str, Any] = {
        "legendgroup": title,
        "showlegend": False,
        "hoverinfo": "skip",
        **place,
    }
    # Widths next to each other, without one that has no value in between.
    for _, part in known.groupby(rows["coherence"].isna().cumsum()):
        x, y, error = (part[name].tolist() for name in ("dim", "coherence", "se_coherence"))
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
        low = [mean - reach for mean, reach in zip(y, error, strict=True)]
        high = [mean + reach for mean, reach in zip(y, error, strict=True)]
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
        # Markers at 0 do not lie on the labels.
        ticks="outside",
        ticklen=6,
        tickcolor="rgba(0,0,0,0)",
    )
