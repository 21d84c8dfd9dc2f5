"""The comparison's figure, drawn from cells written by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bertopic_matryoshka.cell import Cell, Topic
from bertopic_matryoshka.comparison import DimensionComparison
from bertopic_matryoshka.figures import STYLES, comparison_figure

NAN = float("nan")


def make_cell(dim, reduction="variance", *, words=("cat", "dog"), document_topics=None, **measured):
    """Build a cell whose topics are those of `document_topics`, with a word of their own each."""
    found = np.array([0, 0, 0, 1, 1, -1] if document_topics is None else document_topics)
    ids, sizes = np.unique(found[found != -1], return_counts=True)
    by_size = sorted(zip(ids.tolist(), sizes.tolist(), strict=True), key=lambda t: (-t[1], t[0]))
    values = {
        "coherence": 0.1,
        "coherence_error": 0.02,
        "diversity": 0.9,
        "reduce_seconds": 1.0,
        "cluster_seconds": 0.5,
        "represent_seconds": 0.25,
        "evaluate_seconds": 0.1,
        "ami": None,
        "ari": None,
    }
    return Cell(
        dim=dim,
        reduction=reduction,
        clustering="HDBSCAN" if reduction == "umap" else "LeidenClustering",
        seed=0,
        n_topics=len(by_size),
        outlier_share=float(np.mean(found == -1)),
        topics=tuple(Topic(i, (*words, f"word{i}"), size, 0.1) for i, size in by_size),
        document_topics=found,
        **{**values, **measured},
    )


def make_comparison(*cells, **changes):
    embeddings = np.random.default_rng(0).normal(size=(6, 8))
    values = {
        "cells": cells,
        "model": "a model",
        "n_documents": 6,
        "full_dim": 8,
        "encode_seconds": 1.5,
        "umap_compile_seconds": None,
        "embeddings": embeddings,
        "made_with": {"bertopic": "0.17.4", "python": "3.12"},
    }
    return DimensionComparison(**{**values, **changes})


def traces(figure, reduction):
    """Give the four panels' traces of a reduction: coherence, diversity, outliers, seconds."""
    return [trace for trace in figure.data if trace.name == reduction]


def test_each_panel_holds_the_cells_values_by_ascending_width():
    comparison = make_comparison(
        make_cell(8, coherence=0.3, coherence_error=0.03, diversity=0.7),
        make_cell(8, "umap", coherence=0.4),
        make_cell(4, coherence=0.2, coherence_error=0.05, document_topics=[0, 0, -1, -1, -1, -1]),
        make_cell(4, "umap", reduce_seconds=7.0),
    )
    figure = comparison.plot()
    assert len(figure.data) == 8
    coherence, diversity, outliers, seconds = traces(figure, "variance")
    assert {trace.x for trace in figure.data} == {(4, 8)}
    assert coherence.y == (0.2, 0.3)
    assert coherence.error_y.array == (0.05, 0.03)
    assert diversity.y == (0.9, 0.7)
    assert outliers.y == pytest.approx((4 / 6, 1 / 6))
    assert seconds.y == (1.75, 1.75)
    assert traces(figure, "umap")[3].y == (7.75, 1.75)
    assert diversity.error_y.array is None


def test_a_reduction_looks_the_same_in_all_panels_and_is_named_once():
    figure = comparison_figure(make_comparison(*(make_cell(8, name) for name in STYLES)))
    for name, style in STYLES.items():
        of = traces(figure, name)
        assert {(t.line.color, t.marker.color, t.marker.symbol) for t in of} == {
            (style.color, style.color, style.symbol)
        }
        assert [t.showlegend for t in of] == [True, False, False, False]
    assert len({style.symbol for style in STYLES.values()}) == len(STYLES)


def test_the_widths_are_the_ticks_of_a_logarithmic_axis():
    figure = comparison_figure(make_comparison(make_cell(256), make_cell(64), make_cell(128)))
    for axis in figure.select_xaxes():
        assert axis.type == "log"
        assert axis.tickvals == (64, 128, 256)
        assert axis.ticktext == ("64", "128", "256")
        low, high = axis.range
        assert 10**low < 64
        assert 10**high > 256


def test_the_axis_titles_say_which_direction_is_better():
    figure = comparison_figure(make_comparison(make_cell(8)))
    titles = [axis.title.text for axis in figure.select_yaxes()]
    assert [title.split(", ")[1] for title in titles] == [
        f"{direction} is better" for direction in ("higher", "higher", "lower", "lower")
    ]


def test_a_cell_without_coherence_leaves_a_gap():
    cells = [make_cell(8), make_cell(4, coherence=NAN, coherence_error=NAN), make_cell(2)]
    trace = comparison_figure(make_comparison(*cells)).data[0]
    assert trace.x == (2, 4, 8)
    assert [math.isnan(y) for y in trace.y] == [False, True, False]
    assert not trace.connectgaps


@pytest.mark.parametrize("n_columns", [1, 2])
def test_one_cell_is_enough(n_columns):
    figure = comparison_figure(make_comparison(make_cell(8)), n_columns=n_columns)
    assert [trace.x for trace in figure.data] == [(8,)] * 4
    assert figure.data[0].showlegend
    assert len({axis.domain for axis in figure.select_xaxes()}) == n_columns
