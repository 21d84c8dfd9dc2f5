"""A comparison -> all that the template shows, as plain texts, lists and dicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.report._answers import answers
from bertopic_matryoshka.report._data import count, sweeps_of
from bertopic_matryoshka.report._figures import plot_comparison, plot_spectrum
from bertopic_matryoshka.report._heat_map import plot_embedding_models
from bertopic_matryoshka.report._map import document_map, map_figure
from bertopic_matryoshka.report._sentences import (
    compared,
    definitions,
    notes,
    provenance,
    topic_models,
)
from bertopic_matryoshka.report._styles import styles_of
from bertopic_matryoshka.report._tables import (
    SHOWN_TOPICS,
    further_measurements,
    results,
    surviving_topics,
    topics_beside,
)
from bertopic_matryoshka.selection import inspect_dimensions

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from bertopic_matryoshka.comparison import DimensionComparison
    from bertopic_matryoshka.report._data import Sweep

FEWEST_ON_MAP = 30
"""Smallest number of documents for which maps are drawn."""

MOST_ON_MAP = 2000
"""Largest number of documents on a map: enough to see the topics, computed in seconds."""

CONTENTS = (
    ("quality", "Quality and cost"),
    ("topics", "Topics"),
    ("the-map", "Map"),
    ("the-spectrum", "Variance of the dimensions"),
    ("further", "Further measurements"),
    ("terms", "Terms"),
    ("models", "Topic models"),
    ("made", "Made with"),
)
"""Sections of the page, and the titles of the links to them."""

FIRST_TOPICS = 6
"""Number of topics on the first screen."""


def contents(comparison: DimensionComparison) -> dict[str, Any]:
    """Prepare everything that the template shows; it escapes each text itself."""
    sweeps = sweeps_of(comparison)
    first = sweeps[0]
    maps, map_caption = _maps(comparison, first)
    embedded = comparison.embedding_models[first.embedding_model]
    inspection = inspect_dimensions(embedded.embeddings)
    return {
        "contents": CONTENTS,
        "models": list(comparison.embedding_models),
        "compared": compared(comparison),
        "answers": answers(comparison),
        "notes": notes(comparison),
        "results": results(comparison),
        "topics": _topics(sweeps),
        "n_shown": SHOWN_TOPICS,
        "n_first": FIRST_TOPICS,
        "several_seeds": any(len(sweep.runs[dim]) > 1 for sweep in sweeps for dim in sweep.runs),
        "map_caption": map_caption,
        "has_rings": len(first.runs) > 1,
        "spectrum_of": f"{embedded.full_dim} dimensions: {first.embeddings}",
        "spectrum_summary": inspection.summary(),
        "further": further_measurements(comparison),
        "definitions": definitions(comparison, has_map=bool(maps)),
        "topic_models": topic_models(comparison),
        "provenance": provenance(comparison),
        "figures": {
            "comparison": _figure(*(plot_comparison(comparison, n_columns=n) for n in (2, 1))),
            "heat_map": _figure(plot_embedding_models(comparison))
            if len({sweep.embedding_model for sweep in sweeps if not sweep.is_control}) > 1
            else None,
            "map": _figure(*maps) if maps else None,
            "spectrum": _figure(plot_spectrum(inspection)),
        },
    }


def _topics(sweeps: list[Sweep]) -> list[dict[str, Any]]:
    """List the topics of each topic model that is not a control, and their counterparts."""
    styles = styles_of(sweeps)
    return [
        {
            "title": sweep.title,
            "made_of": sweep.made_of,
            "color": styles[sweep.title].color,
            "sign": styles[sweep.title].sign,
            "is_control": False,
            "n_topics": count(sweep.first_runs[0].n_topics, "topic"),
            "surviving": surviving_topics(sweep, None),
            "beside": topics_beside(sweep),
        }
        for sweep in sweeps
        if not sweep.is_control
    ]


def _maps(comparison: DimensionComparison, sweep: Sweep) -> tuple[list[Figure], str]:
    """Draw the documents at the widest and the narrowest, and say what of them is there."""
    if comparison.n_documents < FEWEST_ON_MAP:
        return [], f"No map: {count(comparison.n_documents, 'document')} are too few."
    runs = sweep.first_runs
    ends = runs if len(runs) == 1 else [runs[0], runs[-1]]
    placed = document_map(
        comparison.embedding_models[sweep.embedding_model].embeddings,
        [run.dim for run in ends],
        sample_size=MOST_ON_MAP,
    )
    n_placed, n = len(placed.rows), comparison.n_documents
    caption = "All documents" if n_placed == n else f"{n_placed:,} of {n:,} documents, at random"
    caption += f", coloured by the largest topics of {sweep.title} at {ends[0].dim} dimensions"
    if len(ends) > 1:
        caption += f" and their counterparts at {ends[1].dim}, the narrowest"
    figures = [map_figure(placed, ends, comparison.documents, n_columns=n) for n in (2, 1)]
    return figures, f"{caption}."


def _figure(*figures: Figure) -> dict[str, Any]:
    """Give the data of a figure once, and the layouts that it has from wide to narrow.

    Colours of paper and text are left to the page's style sheet.
    """
    clear = "rgba(0,0,0,0)"
    for figure in figures:
        figure.update_layout(paper_bgcolor=clear, plot_bgcolor=clear, font_family="system-ui")
    parts = [json.loads(figure.to_json()) for figure in figures]
    return {"data": parts[0]["data"], "layouts": [part["layout"] for part in parts]}
