"""Topics at several levels -> a map of the documents, whose topic names follow the zoom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._constraints import PATH, check_arguments, instance, seed, whole
from bertopic_matryoshka._validation import check_embeddings, list_of_strings
from bertopic_matryoshka.report._figures import LAYOUT, plain
from bertopic_matryoshka.report._layout import nearest_to_median
from bertopic_matryoshka.report._map import TOPIC_COLORS, beginning, document_map
from bertopic_matryoshka.report._styles import GRAY
from bertopic_matryoshka.topics import TopicLevels

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray
    from plotly.graph_objects import Figure

ZOOM_SCRIPT = """
const map = document.getElementById("{plot_id}");
const level = name => Number(name.split(" ")[1]);
const names = map.layout.annotations;
const n_levels = Math.max(...names.map(name => level(name.name))) + 1;
const width = axis => Math.abs(axis.range[1] - axis.range[0]);
const whole = width(map._fullLayout.xaxis);
let shown = 0;
map.on("plotly_relayout", () => {
  const zoom = whole / width(map._fullLayout.xaxis);
  // The next level comes in at 1.5 times, and each after it at twice as much.
  const wanted = Math.max(0, Math.min(n_levels - 1, Math.floor(Math.log2(zoom / 1.5)) + 1));
  if (wanted !== shown) {
    shown = wanted;
    const update = {};
    map.layout.annotations.forEach((name, i) => {
      update[`annotations[${i}].visible`] = level(name.name) === shown;
    });
    Plotly.relayout(map, update);
  }
});
"""


def plot_topic_map(
    levels: TopicLevels,
    documents: Iterable[str],
    embeddings: ArrayLike,
    *,
    sample_size: int = 2000,
    random_state: int | None = 0,
) -> Figure:
    """Draw documents on a plane, with the names of their topics.

    Places are those of :func:`layout_documents`: near on the map is near in the embeddings;
    distances between groups say little.

    Parameters
    ----------
    levels : TopicLevels
        From topic_levels. Colours are those of the topics of the last level, the largest first.
    documents : iterable of str of length n_documents
    embeddings : array-like of shape (n_documents, n_dims)
        Those that the topic model was fitted with, or others of the same documents.
    sample_size : int, default=2000
        Number of documents on the map, at least 4, drawn at random; all if there are fewer.
    random_state : int or None, default=0
        Seed of the sample.

    Returns
    -------
    figure : plotly Figure
        A trace for each topic of the last level and one for outliers. The names are annotations, of
        which those of the last level are visible; :func:`write_topic_map` shows the others as the
        reader zooms in.

    Raises
    ------
    TypeError, ValueError
        If documents, embeddings and levels are not of the same documents, or there are fewer than
        four.

    Examples
    --------
    After ``levels = topic_levels(topic_model, docs, [40, 12, 4])``::

        plot_topic_map(levels, docs, embeddings).show()
    """
    from plotly.graph_objects import Figure

    check_arguments(
        locals(), levels=instance(TopicLevels), sample_size=whole(1), random_state=seed()
    )
    texts = list_of_strings(documents)
    table = levels.documents
    if len(texts) != len(table):
        raise ValueError(
            f"documents has {len(texts)} texts and must have the {len(table)} of levels."
        )
    X = check_embeddings(embeddings, len(texts))
    rows, positions = document_map(
        X, [X.shape[1]], sample_size=sample_size, random_state=random_state
    )
    xy = positions[X.shape[1]].astype(np.float64).round(2)
    drawn = table.iloc[rows]
    numbers = levels.topics["level"].unique()[::-1].tolist()  # from few to many
    figure = Figure()
    coarsest = levels.topics[levels.topics["level"] == numbers[0]]
    colors = dict(zip(coarsest["topic"], TOPIC_COLORS, strict=False))
    finest = levels.topics[levels.topics["level"] == numbers[-1]].set_index("topic")["words"]
    for topic, name in [(-1, "outliers"), *zip(coarsest["topic"], coarsest["name"], strict=True)]:
        members = np.flatnonzero(drawn[f"level_{numbers[0]}"] == topic)
        if members.size == 0:
            continue
        its_finest = drawn[f"level_{numbers[-1]}"].iloc[members]
        figure.add_scattergl(
            x=xy[members, 0],
            y=xy[members, 1],
            mode="markers",
            name=plain(name),
            marker={
                "color": colors.get(topic, GRAY),
                "size": 4 if topic == -1 else 5,
                "opacity": 0.3 if topic == -1 else 0.6,
            },
            hovertext=[
                plain(f"{_first(finest.get(fine, 'outlier'))}: {beginning(texts[row])}")
                for fine, row in zip(its_finest, rows[members].tolist(), strict=True)
            ],
            hoverinfo="text",
        )
    for i, number in enumerate(numbers):
        for name in _names(levels.topics, drawn, number, xy):
            figure.add_annotation(name=f"level {i}", visible=i == 0, showarrow=False, **name)
    axes = {"showticklabels": False, "showgrid": False, "zeroline": False, "title": None}
    figure.update_xaxes(**axes)
    figure.update_yaxes(scaleanchor="x", **axes)
    return figure.update_layout(
        height=800,
        dragmode="pan",
        template=LAYOUT["template"],
        showlegend=False,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
    )


def write_topic_map(
    levels: TopicLevels,
    documents: Iterable[str],
    embeddings: ArrayLike,
    path: str | Path,
    *,
    sample_size: int = 2000,
    random_state: int | None = 0,
) -> Path:
    """Write a map of the documents, whose topic names become finer as the reader zooms in.

    One HTML file that opens offline. It begins with the last level, the one of fewest topics; each
    doubling of the scale brings the level before. The wheel zooms, and dragging moves the map.

    Parameters
    ----------
    levels, documents, embeddings, sample_size, random_state
        See :func:`plot_topic_map`.
    path : str or Path
        Overwritten if it exists.

    Returns
    -------
    path : Path
    """
    PATH.check(path, "path")
    figure = plot_topic_map(
        levels, documents, embeddings, sample_size=sample_size, random_state=random_state
    )
    path = Path(path)
    page = figure.to_html(
        include_plotlyjs=True,
        post_script=ZOOM_SCRIPT,
        config={"scrollZoom": True, "displaylogo": False, "responsive": True},
    )
    path.write_text(page, "utf-8")
    return path


def _first(words: str, n_words: int = 5) -> str:
    return ", ".join(words.split(", ")[:n_words])


def _names(
    topics: pd.DataFrame, drawn: pd.DataFrame, number: int, xy: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Give the names of a level's topics, and where each stands: amid its documents."""
    names = []
    for topic, name in topics.loc[topics["level"] == number, ["topic", "name"]].to_numpy():
        members = xy[(drawn[f"level_{number}"] == topic).to_numpy()]
        if len(members) == 0:  # none of its documents is in the sample
            continue
        x, y = members[nearest_to_median(members)].tolist()
        names.append(
            {
                "x": x,
                "y": y,
                "text": plain(name),
                "bgcolor": "rgba(255,255,255,0.75)",
                "font": {"size": 13, "color": "#222"},
                "borderpad": 2,
            }
        )
    return names
