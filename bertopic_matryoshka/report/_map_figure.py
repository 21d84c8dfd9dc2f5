"""Documents on their maps -> a figure, coloured by topics that are the same at several widths."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.comparison import pair_topics
from bertopic_matryoshka.report._figures import LAYOUT, plain
from bertopic_matryoshka.report._styles import GRAY, PALETTE, SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plotly.graph_objects import Figure

    from bertopic_matryoshka.comparison import Cell
    from bertopic_matryoshka.report._map import DocumentMap

TOPIC_COLORS = (*PALETTE, "#a6761d", "#b5bd00")
"""Of the topics that a map tells apart, the largest ones."""

OTHER, OUTLIER = -1, -2
"""Groups of documents on a map, beside those of the topics that it tells apart."""

SHOWN_CHARACTERS = 80
"""Of a document, where a map shows what it is."""


def map_figure(
    document_map: DocumentMap,
    cells: Sequence[Cell],
    documents: Sequence[str],
    *,
    n_columns: int = 2,
) -> Figure:
    """Draw documents at several widths, coloured by their topics.

    Parameters
    ----------
    document_map : DocumentMap
        Has the widths of the cells.
    cells : sequence of Cell
        One a map. The first decides on the colours: its largest topics have one each, and their
        counterparts at other widths the same (see pair_topics).
    documents : sequence of str
        All of them; the beginning of each is shown.
    n_columns : int, default=2
        How many maps stand side by side; 1 suits a narrow screen.

    Returns
    -------
    figure : plotly Figure
        A trace a coloured topic and map, one for the other topics, and one for outliers.
    """
    from plotly.subplots import make_subplots

    first = cells[0]
    n_columns = min(n_columns, len(cells))
    n_rows = math.ceil(len(cells) / n_columns)
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        horizontal_spacing=0.03,
        vertical_spacing=0.08 / n_rows,
        subplot_titles=[f"{cell.dim} dimensions" for cell in cells],
    )
    for i, cell in enumerate(cells):
        place: dict[str, Any] = {"row": i // n_columns + 1, "col": i % n_columns + 1}
        words = {topic.id: plain(", ".join(topic.words[:5])) for topic in cell.topics}
        same = {pair.other.id: pair.topic.id for pair in pair_topics(first, cell)
                if pair.topic and pair.other}  # fmt: skip
        xy = document_map.positions[cell.dim].round(2)
        found = cell.document_topics[document_map.rows]
        rank = {topic.id: j for j, topic in enumerate(first.topics[: len(TOPIC_COLORS)])}
        group_of = [
            OUTLIER if topic == -1 else rank.get(same.get(topic, -1), OTHER)
            for topic in found.tolist()
        ]
        for group, (name, marker) in _groups(first).items():
            at = [j for j, of in enumerate(group_of) if of == group]
            figure.add_scatter(
                x=xy[at, 0].tolist(),
                y=xy[at, 1].tolist(),
                mode="markers",
                name=name,
                legendgroup=str(group),
                legendrank=group if group >= 0 else 1000 - group,
                showlegend=i == 0,
                marker=marker,
                customdata=[
                    [words.get(int(found[j]), "outlier"), _beginning(documents[k]), k]
                    for j, k in zip(at, document_map.rows[at].tolist(), strict=True)
                ],
                hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
                **place,
            )
        figure.update_yaxes(scaleanchor=f"x{i + 1}" if i else "x", **place)
    axes = {"showticklabels": False, "showgrid": False, "zeroline": False, "constrain": "domain"}
    figure.update_xaxes(**axes)
    figure.update_yaxes(**axes)
    figure.update_layout(height=(460 if n_columns > 1 else 390) * n_rows, **LAYOUT)
    return figure.update_layout(
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        legend={"y": 0, "yanchor": "top", "itemsizing": "constant"},
        hoverlabel_align="left",
    )


def _groups(cell: Cell) -> dict[int, tuple[str, dict[str, Any]]]:
    """Name the groups of documents on a map and give their markers, those below others first."""
    groups: dict[int, tuple[str, dict[str, Any]]] = {
        OUTLIER: ("outliers", {"color": GRAY, "size": 4, "opacity": 0.25}),
        OTHER: ("other topics", {"color": GRAY, "size": 5, "opacity": 0.55}),
    }
    for i, (topic, color) in enumerate(zip(cell.topics, TOPIC_COLORS, strict=False)):
        symbol = list(SYMBOLS)[i % len(SYMBOLS)]
        marker = {"color": color, "symbol": symbol, "size": 6, "opacity": 0.85}
        groups[i] = plain(", ".join(topic.words[:3])), marker
    return groups


def _beginning(document: str) -> str:
    """Give the first characters of a document, in lines that a small window can hold."""
    text = " ".join(document.split())
    if len(text) > SHOWN_CHARACTERS:
        text = f"{text[: SHOWN_CHARACTERS - 1].rstrip()}…"
    return "<br>".join(map(plain, textwrap.wrap(text, SHOWN_CHARACTERS // 2)))
