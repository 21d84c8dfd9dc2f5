"""The figures, drawn from cells written by hand."""

import importlib.util
import sys

import numpy as np
import pytest
from made_cells import MODEL, NAN, make_cell, make_comparison, make_model

from bertopic_matryoshka.report._figures import plot_comparison, write_png
from bertopic_matryoshka.report._map import DocumentMap
from bertopic_matryoshka.report._map_figure import TOPIC_COLORS, map_figure
from bertopic_matryoshka.report._styles import GRAY, STYLES, line_styles, model_styles

EXACT = np.zeros(10)
"""Bootstrap samples that do not vary: the error is that of the topics."""


def titles(figure):
    return [axis.title.text for axis in figure.select_yaxes()]


def panel(figure, title):
    """Give the traces of the panel whose axis has a title that begins so."""
    (axis,) = (
        axis.plotly_name.replace("axis", "")
        for axis in figure.select_yaxes()
        if axis.title.text.startswith(title)
    )
    return [trace for trace in figure.data if (trace.yaxis or "y") == axis]


def lines(figure, title):
    """Give the same by name, without bands and bars."""
    return {trace.name: trace for trace in panel(figure, title) if trace.name}


# ---- what is drawn


def test_each_panel_holds_the_means_over_seeds_by_ascending_width():
    comparison = make_comparison(
        make_cell(8, coherence=0.3, ami=0.5),
        make_cell(8, coherence=0.5, ami=0.7, seed=1),
        make_cell(4, coherence=0.2, ami=0.1, document_topics=[0, 0, -1, -1, -1, -1]),
        make_cell(4, coherence=0.2, ami=0.2, document_topics=[0, 0, -1, -1, -1, -1], seed=1),
        make_cell(8, "umap", reduce_seconds=7.0, ami=0.3),
    )
    figure = plot_comparison(comparison)
    drawn = lines(figure, "coherence (c_v)")
    assert drawn["variance"].x == (4, 8)
    assert drawn["variance"].y == pytest.approx((0.2, 0.4))
    assert lines(figure, "AMI")["variance"].y == pytest.approx((0.15, 0.6))
    assert lines(figure, "outlier share")["variance"].y == pytest.approx((4 / 6, 1 / 6))
    assert lines(figure, "seconds")["variance"].y == (1.75, 1.75)
    assert lines(figure, "seconds")["umap"].y == (7.75,)


def test_neighbours_and_memory_are_those_of_the_model():
    comparison = make_comparison(make_cell(8), make_cell(2), make_cell(8, "umap"))
    figure = plot_comparison(comparison)
    (kept,) = panel(figure, "neighbours kept")
    assert kept.name == MODEL
    assert (kept.x, kept.y) == ((2, 8), pytest.approx((0.64, 1)))
    (memory,) = panel(figure, "embeddings (MB)")
    assert memory.y == pytest.approx((6 * 2 * 4 / 1e6, 6 * 8 * 4 / 1e6))
    assert [kept.showlegend, memory.showlegend] == [True, False]


def test_the_band_is_one_standard_error_to_either_side():
    comparison = make_comparison(
        make_cell(8, coherence=0.3, topic_error=0.03, coherence_samples=EXACT),
        make_cell(4, coherence=0.2, topic_error=0.05, coherence_samples=EXACT),
    )
    band, line = panel(plot_comparison(comparison), "coherence")
    assert band.x == (4, 8, 8, 4)
    assert band.y == pytest.approx((0.25, 0.33, 0.27, 0.15))
    assert band.fill == "toself"
    assert band.legendgroup == line.legendgroup


def test_a_single_width_has_a_bar():
    cell = make_cell(8, coherence=0.3, topic_error=0.03, coherence_samples=EXACT)
    bar, _ = panel(plot_comparison(make_comparison(cell)), "coherence")
    assert (bar.x, bar.y, bar.error_y.array) == ((8,), (0.3,), (0.03,))


def test_a_width_without_coherence_leaves_a_gap_in_line_and_band():
    cells = [make_cell(dim) for dim in (16, 8, 2, 1)]
    cells.insert(2, make_cell(4, coherence=NAN))
    comparison = make_comparison(*cells, models={MODEL: make_model(16)})
    low, high, line = panel(plot_comparison(comparison), "coherence")
    assert (low.x, high.x) == ((1, 2, 2, 1), (8, 16, 16, 8))
    assert line.x == (1, 2, 4, 8, 16)
    assert np.isnan(line.y[2])
    assert not line.connectgaps


def test_without_any_topic_the_rest_is_drawn():
    nothing = {"coherence": NAN, "diversity": NAN, "inverted_rbo": NAN, "balance": NAN}
    cells = [make_cell(dim, document_topics=[-1] * 6, **nothing) for dim in (8, 4)]
    drawn = titles(plot_comparison(make_comparison(*cells)))
    assert [title.split(",")[0] for title in drawn] == [
        *("neighbours kept", "outlier share", "seconds to fit", "embeddings (MB)")
    ]


@pytest.mark.parametrize(
    ("cells", "chosen"),
    [
        ([make_cell(8, ami=0.1), make_cell(8, ami=0.1, seed=1)], ["AMI", "outlier share"]),
        ([make_cell(8), make_cell(8, seed=1)], ["outlier share", "stability"]),
        ([make_cell(8)], ["outlier share", "diversity"]),
        ([make_cell(8, document_topics=[0, 0, 1])], ["diversity", "number of topics"]),
    ],
    ids=["labels", "seeds", "outliers", "neither"],
)
def test_two_panels_are_chosen_by_what_there_is(cells, chosen):
    comparison = make_comparison(*cells, measure="c_npmi")
    drawn = titles(plot_comparison(comparison))
    expected = ["coherence (c_npmi)", "neighbours", *chosen, "seconds", "embeddings"]
    assert len(drawn) == len(expected)
    for title, beginning in zip(drawn, expected, strict=True):
        assert title.startswith(beginning)
        assert ("is better" in title) == (beginning != "number of topics")


@pytest.mark.parametrize("n_columns", [1, 2])
def test_one_cell_is_enough(n_columns):
    figure = plot_comparison(make_comparison(make_cell(8)), n_columns=n_columns)
    assert {trace.x for trace in figure.data} == {(8,)}
    assert len({axis.domain for axis in figure.select_xaxes()}) == n_columns


def test_wide_and_narrow_differ_in_their_layout_alone():
    comparison = make_comparison(make_cell(8), make_cell(4), make_cell(8, "umap"))
    wide, narrow = (plot_comparison(comparison, n_columns=n) for n in (2, 1))
    assert wide.data == narrow.data


# ---- how it is drawn


def test_a_reduction_looks_the_same_in_all_panels_and_is_named_once():
    comparison = make_comparison(*(make_cell(8, name) for name in STYLES))
    figure = plot_comparison(comparison)
    assert line_styles(comparison) == STYLES
    for name, style in STYLES.items():
        of = [trace for trace in figure.data if trace.name == name]
        assert {(t.line.color, t.marker.color, t.marker.symbol) for t in of} == {
            (style.color, style.color, style.symbol)
        }
        assert [t.showlegend for t in of] == [True, False, False, False]
    assert len({style.symbol for style in STYLES.values()}) == len(STYLES)


def test_controls_are_gray_and_dashed_and_lie_below():
    comparison = make_comparison(
        make_cell(8),
        make_cell(4),
        make_cell(4, cut="random"),
        make_cell(8, model="another"),
        models={MODEL: make_model(), "another": make_model(is_control=True)},
    )
    styles = line_styles(comparison)
    assert list(styles) == list(comparison.lines)
    first, random, other = styles.values()
    assert first == STYLES["variance"]
    assert first.dash == "solid"
    assert {random.color, other.color} == {GRAY}
    assert "solid" not in {random.dash, other.dash}
    assert random.symbol != other.symbol
    named = [t.name for t in panel(plot_comparison(comparison), "coherence") if t.name]
    assert named[-1] == f"{MODEL}"


def test_lines_that_differ_by_more_than_reduction_have_styles_by_order():
    cells = [make_cell(8, name, model=model) for model in "abcd" for name in ("variance", "umap")]
    comparison = make_comparison(*cells)
    styles = line_styles(comparison).values()
    assert len({(style.color, style.symbol) for style in styles}) == 8
    assert len({style.symbol for _, style in model_styles(comparison).values()}) == 4


def test_a_model_with_one_line_looks_like_it():
    comparison = make_comparison(make_cell(8, model="a"), make_cell(8, model="b"))
    styles = line_styles(comparison)
    assert model_styles(comparison) == {name: (name, styles[name]) for name in ("a", "b")}


def test_the_widths_are_the_ticks_of_a_logarithmic_axis():
    comparison = make_comparison(make_cell(256), make_cell(64), make_cell(128))
    for axis in plot_comparison(comparison).select_xaxes():
        assert axis.type == "log"
        assert axis.tickvals == (64, 128, 256)
        assert axis.ticktext == ("64", "128", "256")
        low, high = axis.range
        assert 10**low < 64
        assert 10**high > 256


def test_widths_close_to_each_other_share_a_tick():
    comparison = make_comparison(*(make_cell(dim) for dim in (768, 700, 512, 384)))
    axis = next(plot_comparison(comparison).select_xaxes())
    assert axis.tickvals == (384, 512, 768)


def test_names_are_text_and_no_markup():
    comparison = make_comparison(make_cell(8, model="<b>&"), make_cell(8, model="b"))
    assert "&lt;b&gt;&amp;" in {trace.name for trace in plot_comparison(comparison).data}


# ---- maps

# Topic 0 is topic 7 at full width, topic 1 has no counterpart there, nor has topic 8 here.
NARROW = [0, 0, 0, 0, 1, 1, 1, -1, -1, -1]
FULL = [7, 7, 7, -1, -1, -1, -1, 8, 8, 8]


@pytest.fixture
def maps():
    """Give traces by width and name, of the documents but the second."""
    rows = np.array([0, 2, 3, 4, 5, 6, 7, 8, 9])
    places = {8: np.arange(18.0).reshape(9, 2), 4: np.arange(18.0).reshape(9, 2) + 100}
    cells = [make_cell(4, document_topics=NARROW), make_cell(8, document_topics=FULL)]
    documents = [f"document {i}" for i in range(10)]
    documents[3] = "<i>long</i>\n" + "x" * 100
    figure = map_figure(DocumentMap(rows, places), cells, documents)
    return figure, {(trace.xaxis, trace.legendgroup): trace for trace in figure.data}


def test_a_topic_and_its_counterpart_have_a_colour(maps):
    _, traces = maps
    assert traces["x", "0"].x == (100, 102, 104)
    assert traces["x", "0"].y == (101, 103, 105)
    assert traces["x2", "0"].x == (0, 2)
    assert traces["x", "0"].marker == traces["x2", "0"].marker
    assert traces["x", "0"].marker.color == TOPIC_COLORS[0]
    assert traces["x", "1"].x == (106, 108, 110)
    assert traces["x2", "1"].x == ()


def test_other_topics_and_outliers_are_gray_and_below(maps):
    figure, traces = maps
    assert traces["x2", "-1"].x == (12, 14, 16)
    assert traces["x2", "-2"].x == (4, 6, 8, 10)
    assert traces["x", "-2"].x == (112, 114, 116)
    assert [t.name for t in figure.data[:4]] == [
        *("outliers", "other topics", "cat, dog, word0", "cat, dog, word1")
    ]
    assert figure.data[0].marker.color == figure.data[1].marker.color == GRAY
    assert figure.data[0].marker.opacity < figure.data[1].marker.opacity
    assert [t.showlegend for t in figure.data] == [True] * 4 + [False] * 4
    assert [a.text for a in figure.layout.annotations] == ["4 dimensions", "8 dimensions"]


def test_a_document_shows_its_topic_and_its_beginning(maps):
    _, traces = maps
    words, text, row = traces["x", "0"].customdata[2]
    assert (words, row) == ("cat, dog, word0", 3)
    assert text.replace("<br>", "") == f"&lt;i&gt;long&lt;/i&gt; {'x' * 67}…"
    assert len(text.split("<br>")) == 2
    assert traces["x2", "-2"].customdata[0][0] == "outlier"
    assert traces["x2", "-1"].customdata[0][0] == "cat, dog, word8"


def test_as_many_topics_as_colours_are_told_apart():
    topics = np.repeat(np.arange(12), 2)
    places = DocumentMap(np.arange(24), {8: np.zeros((24, 2))})
    figure = map_figure(places, [make_cell(8, document_topics=topics)], [""] * 24)
    assert len(figure.data) == len(TOPIC_COLORS) + 2
    assert len(figure.data[1].x) == 24 - 2 * len(TOPIC_COLORS)
    assert len({(t.marker.color, t.marker.symbol) for t in figure.data[2:]}) == len(TOPIC_COLORS)


# ---- PNG


@pytest.mark.skipif(importlib.util.find_spec("kaleido") is None, reason="kaleido is not installed")
def test_a_png_is_two_thousand_pixels_wide(tmp_path):
    try:
        write_png(make_comparison(make_cell(8), make_cell(4)), tmp_path / "figure.png")
    except RuntimeError as error:
        pytest.skip(str(error))
    content = (tmp_path / "figure.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 2000


def test_without_kaleido_a_png_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(ImportError, match=r'pip install "bertopic-matryoshka\[png\]"'):
        write_png(make_comparison(make_cell(8)), tmp_path / "figure.png")


@pytest.mark.skipif(importlib.util.find_spec("kaleido") is None, reason="kaleido is not installed")
def test_without_chrome_a_png_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "choreographer.browsers.chromium.Chromium.find_browser", lambda *_, **__: None
    )
    with pytest.raises(RuntimeError, match="needs Chrome or Chromium"):
        write_png(make_comparison(make_cell(8)), tmp_path / "figure.png")
