"""Documents -> maps at several widths, with the same colour for the same topic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import orthogonal_procrustes

from bertopic_matryoshka._validation import check_at_least, check_dim
from bertopic_matryoshka.comparison import pair_topics
from bertopic_matryoshka.embedding import cut_rows
from bertopic_matryoshka.report._figures import LAYOUT, plain
from bertopic_matryoshka.report._layout import layout_documents, nearest_to_median
from bertopic_matryoshka.report._styles import GRAY, PALETTE, SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from plotly.graph_objects import Figure

    from bertopic_matryoshka.comparison import Run

FEWEST = 4
"""Smallest number of documents for a map: fewer give a perplexity below 1."""

TOPIC_COLORS = (*PALETTE, "#a6761d", "#b5bd00")
"""Colours of the largest topics; the others share one."""

OTHER, OUTLIER = -1, -2
"""Groups of documents on a map, beside those of the largest topics."""

LABEL_WORDS = 2
"""Words of a topic's name on a map, of those in the legend."""

SHOWN_CHARACTERS = 80
"""Characters of a document that a map shows."""


class DocumentMap(NamedTuple):
    """Where documents lie on the maps.

    Attributes
    ----------
    rows : ndarray of shape (n_sampled,), int
        Which documents are on the maps, ascending.
    positions : dict of int to ndarray of shape (n_sampled, 2), float32
        Coordinates at each width, descending.
    """

    rows: NDArray[np.intp]
    positions: dict[int, NDArray[np.float32]]


def document_map(
    embeddings: ArrayLike,
    dims: Sequence[int],
    *,
    sample_size: int = 2000,
    random_state: int | None = 0,
) -> DocumentMap:
    """Lay documents out on a plane at each width, so that the maps can be compared.

    The widest map starts as :func:`layout_documents` does, and each narrower one from the map
    before it, to which it is then turned or mirrored: what stays together stays about where it is.
    All go through early exaggeration, which lets documents that changed their neighbours move past
    others. Near on a map is near in the embeddings, by cosine; distances between groups say little.

    Parameters
    ----------
    embeddings : array-like of shape (n_documents, full_dim)
        May be memory-mapped. Rows need not have unit length; a zero row is as far from one
        document as from any other.
    dims : sequence of int
        Widths, from 1 to full_dim.
    sample_size : int, default=2000
        Number of documents, at least 4, drawn at random; all if there are fewer.
    random_state : int or None, default=0
        Seed of the sample.

    Returns
    -------
    document_map : DocumentMap
        The same at every call, however many cores there are.

    Raises
    ------
    TypeError
        If a width or the size of the sample is not an int.
    ValueError
        If there are fewer than four documents, a width is out of range, or a row is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka.report._map import document_map
    >>> embeddings = np.random.default_rng(0).normal(size=(40, 16))
    >>> rows, positions = document_map(embeddings, [16, 8])
    >>> positions[8].shape
    (40, 2)
    """
    X = np.asarray(embeddings)
    if X.ndim != 2 or X.shape[0] < FEWEST:
        raise ValueError(
            f"embeddings has shape {X.shape} and must be (n_documents, n_dims) with at least "
            f"{FEWEST} documents."
        )
    check_at_least(sample_size, FEWEST, name="sample_size")
    widths = {check_dim(dim, X.shape[1], of="the embeddings", name="dims") for dim in dims}
    drawn = np.random.default_rng(random_state).permutation(X.shape[0])[:sample_size]
    rows = np.sort(drawn)
    sample = X[rows]
    positions: dict[int, NDArray[np.float32]] = {}
    place: NDArray[np.float32] | None = None
    for dim in sorted(widths, reverse=True):
        layout = layout_documents(cut_rows(sample, dim)[0], start=place)
        place = layout if place is None else _turned(layout, place)
        positions[dim] = place
    return DocumentMap(rows, positions)


def map_figure(
    document_map: DocumentMap,
    runs: Sequence[Run],
    documents: Sequence[str],
    *,
    n_columns: int = 2,
) -> Figure:
    """Draw documents at several widths, coloured by their topics.

    Parameters
    ----------
    document_map : DocumentMap
        Has the widths of the runs.
    runs : sequence of Run
        One run per map. Each of the largest topics of the first run has a colour, which its
        counterparts at other widths share (see pair_topics).
    documents : sequence of str
        All of them.
    n_columns : int, default=2
        Maps side by side; 1 suits a narrow screen.

    Returns
    -------
    figure : plotly Figure
        On each map a trace for each of the largest topics, one for the other topics, and one for
        outliers. A point's `customdata` are the first words of its topic, the beginning of the
        document, and the document's row: text, for the page to show. The largest topics have their
        first words beside their documents, as annotations called "topic".
    """
    from plotly.subplots import make_subplots

    first = runs[0]
    n_columns = min(n_columns, len(runs))
    n_rows = math.ceil(len(runs) / n_columns)
    figure = make_subplots(
        rows=n_rows,
        cols=n_columns,
        horizontal_spacing=0.03,
        vertical_spacing=0.08 / n_rows,
        subplot_titles=[f"{run.dim} dimensions" for run in runs],
    )
    rank = {topic.id: i for i, topic in enumerate(first.topics[: len(TOPIC_COLORS)])}
    for i, run in enumerate(runs):
        place: dict[str, Any] = {"row": i // n_columns + 1, "col": i % n_columns + 1}
        words = {topic.id: ", ".join(topic.words[:5]) for topic in run.topics}
        counterpart = {
            pair.other.id: pair.topic.id
            for pair in pair_topics(first, run)
            if pair.topic and pair.other
        }
        xy = document_map.positions[run.dim].round(2)
        topics = run.document_topics[document_map.rows].tolist()
        group_of = [
            OUTLIER if topic == -1 else rank.get(counterpart.get(topic, -1), OTHER)
            for topic in topics
        ]
        for group, (name, marker) in _groups(first).items():
            members = [j for j, its_group in enumerate(group_of) if its_group == group]
            figure.add_scatter(
                x=xy[members, 0].tolist(),
                y=xy[members, 1].tolist(),
                mode="markers",
                name=name,
                legendgroup=str(group),
                legendrank=group if group >= 0 else 1000 - group,
                showlegend=i == 0,
                marker=marker,
                hoverinfo="none",
                customdata=[
                    [words.get(topics[j], "outlier"), beginning(documents[row]), row]
                    for j, row in zip(members, document_map.rows[members].tolist(), strict=True)
                ],
                **place,
            )
            if group >= 0 and members:
                x, y = xy[members][nearest_to_median(xy[members])].tolist()
                label = ", ".join(name.split(", ")[:LABEL_WORDS])
                figure.add_annotation(x=x, y=y, text=label, showarrow=False, name="topic", **place)
        figure.update_yaxes(scaleanchor=f"x{i + 1}" if i else "x", **place)
    axes = {"showticklabels": False, "showgrid": False, "zeroline": False, "constrain": "domain"}
    figure.update_xaxes(**axes)
    figure.update_yaxes(**axes)
    figure.update_layout(height=(460 if n_columns > 1 else 390) * n_rows, **LAYOUT)
    return figure.update_layout(
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        legend={"y": 0, "yanchor": "top", "itemsizing": "constant"},
    )


def beginning(document: str) -> str:
    """Give the first characters of a document in one line."""
    text = " ".join(document.split())
    if len(text) > SHOWN_CHARACTERS:
        text = f"{text[: SHOWN_CHARACTERS - 1].rstrip()}…"
    return text


def _turned(places: NDArray[np.float32], like: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn or mirror a map, which has no orientation of its own, to be most like another."""
    turn, _ = orthogonal_procrustes(places - places.mean(axis=0), like - like.mean(axis=0))
    turned: NDArray[np.float32] = (places @ turn).astype(np.float32)
    return turned


def _groups(run: Run) -> dict[int, tuple[str, dict[str, Any]]]:
    """Name the groups of documents on a map and give their markers, those below others first."""
    groups: dict[int, tuple[str, dict[str, Any]]] = {
        OUTLIER: ("outliers", {"color": GRAY, "size": 4, "opacity": 0.25}),
        OTHER: ("other topics", {"color": GRAY, "size": 5, "opacity": 0.55}),
    }
    for i, (topic, color) in enumerate(zip(run.topics, TOPIC_COLORS, strict=False)):
        symbol = list(SYMBOLS)[i % len(SYMBOLS)]
        marker = {"color": color, "symbol": symbol, "size": 6, "opacity": 0.85}
        groups[i] = plain(", ".join(topic.words[:3])), marker
    return groups
