"""The figures, drawn from runs written by hand."""

import importlib.util
import sys

import numpy as np
import pytest
from made_runs import MODEL, NAN, make_comparison, make_condition, make_model, make_run

from bertopic_matryoshka import plot_comparison, write_png
from bertopic_matryoshka.report import sweeps_of
from bertopic_matryoshka.report._styles import GRAY, model_styles, styles_of

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
        make_run(8, coherence=0.3, ami=0.5),
        make_run(8, coherence=0.5, ami=0.7, seed=1),
        make_run(4, coherence=0.2, ami=0.1, document_topics=[0, 0, -1, -1, -1, -1]),
        make_run(4, coherence=0.2, ami=0.2, document_topics=[0, 0, -1, -1, -1, -1], seed=1),
        make_run(8, "UMAP", reduce_seconds=7.0, ami=0.3),
    )
    figure = plot_comparison(comparison)
    drawn = lines(figure, "coherence (c_v)")
    assert drawn["selection"].x == (4, 8)
    assert drawn["selection"].y == pytest.approx((0.2, 0.4))
    assert lines(figure, "AMI")["selection"].y == pytest.approx((0.15, 0.6))
    assert lines(figure, "outliers")["selection"].y == pytest.approx((4 / 6, 1 / 6))
    assert lines(figure, "seconds")["selection"].y == (1.75, 1.75)  # of the first seed
    assert lines(figure, "seconds")["UMAP"].y == (7.75,)


def test_neighbours_and_memory_are_those_of_the_model():
    comparison = make_comparison(make_run(8), make_run(2), make_run(8, "UMAP"))
    figure = plot_comparison(comparison)
    (kept,) = panel(figure, "neighbours kept")
    assert kept.name == MODEL
    assert (kept.x, kept.y) == ((2, 8), pytest.approx((0.64, 1)))
    (memory,) = panel(figure, "embeddings (MB)")
    assert memory.y == pytest.approx((6 * 2 * 4 / 1e6, 6 * 8 * 4 / 1e6))
    assert [kept.showlegend, memory.showlegend] == [True, False]


def test_the_band_is_one_standard_error_to_either_side():
    comparison = make_comparison(
        make_run(8, coherence=0.3, se_topics=0.03, coherence_resamples=EXACT),
        make_run(4, coherence=0.2, se_topics=0.05, coherence_resamples=EXACT),
    )
    band, line = panel(plot_comparison(comparison), "coherence")
    assert band.x == (4, 8, 8, 4)
    assert band.y == pytest.approx((0.25, 0.33, 0.27, 0.15))
    assert band.fill == "toself"
    assert band.legendgroup == line.legendgroup


def test_a_single_width_has_a_bar():
    run = make_run(8, coherence=0.3, se_topics=0.03, coherence_resamples=EXACT)
    bar, _ = panel(plot_comparison(make_comparison(run)), "coherence")
    assert (bar.x, bar.y, bar.error_y.array) == ((8,), (0.3,), (0.03,))


def test_a_width_without_coherence_leaves_a_gap_in_line_and_band():
    runs = [make_run(dim) for dim in (16, 8, 2, 1)]
    runs.insert(2, make_run(4, coherence=NAN))
    comparison = make_comparison(*runs, embedding_models={MODEL: make_model(16)})
    low, high, line = panel(plot_comparison(comparison), "coherence")
    assert (low.x, high.x) == ((1, 2, 2, 1), (8, 16, 16, 8))
    assert line.x == (1, 2, 4, 8, 16)
    assert np.isnan(line.y[2])
    assert not line.connectgaps


def test_without_any_topic_the_rest_is_drawn():
    nothing = {"coherence": NAN, "diversity": NAN, "inverted_rbo": NAN, "balance": NAN}
    runs = [make_run(dim, document_topics=[-1] * 6, **nothing) for dim in (8, 4)]
    drawn = titles(plot_comparison(make_comparison(*runs)))
    assert [title.split(",")[0] for title in drawn] == [
        *("neighbours kept", "outliers", "seconds to fit", "embeddings (MB)")
    ]


@pytest.mark.parametrize(
    ("runs", "chosen"),
    [
        ([make_run(8, ami=0.1), make_run(8, ami=0.1, seed=1)], ["AMI", "outliers"]),
        ([make_run(8), make_run(8, seed=1)], ["outliers", "agreement of seeds"]),
        ([make_run(8)], ["outliers", "diversity"]),
        ([make_run(8, document_topics=[0, 0, 1])], ["diversity", "number of topics"]),
    ],
    ids=["labels", "seeds", "outliers", "neither"],
)
def test_two_panels_are_chosen_by_what_there_is(runs, chosen):
    comparison = make_comparison(*runs, measure="c_npmi")
    drawn = titles(plot_comparison(comparison))
    expected = ["coherence (c_npmi)", "neighbours", *chosen, "seconds", "embeddings"]
    assert len(drawn) == len(expected)
    for title, beginning in zip(drawn, expected, strict=True):
        assert title.startswith(beginning)
        assert ("is better" in title) == (beginning != "number of topics")


@pytest.mark.parametrize("n_columns", [1, 2])
def test_one_cell_is_enough(n_columns):
    figure = plot_comparison(make_comparison(make_run(8)), n_columns=n_columns)
    assert {trace.x for trace in figure.data} == {(8,)}
    assert len({axis.domain for axis in figure.select_xaxes()}) == n_columns


def test_wide_and_narrow_differ_in_their_layout_alone():
    comparison = make_comparison(make_run(8), make_run(4), make_run(8, "UMAP"))
    wide, narrow = (plot_comparison(comparison, n_columns=n) for n in (2, 1))
    assert wide.data == narrow.data


# ---- how it is drawn


def test_a_topic_model_looks_the_same_in_all_panels_and_is_named_once():
    comparison = make_comparison(*(make_run(8, name) for name in ("selection", "PCA", "UMAP")))
    figure = plot_comparison(comparison)
    styles = styles_of(sweeps_of(comparison))
    for name, style in styles.items():
        traces = [trace for trace in figure.data if trace.name == name]
        assert {(t.line.color, t.marker.color, t.marker.symbol) for t in traces} == {
            (style.color, style.color, style.symbol)
        }
        assert [t.showlegend for t in traces] == [True, False, False, False]
    assert len({style.symbol for style in styles.values()}) == 3


def test_a_value_is_read_under_the_pointer():
    comparison = make_comparison(make_run(8, "<b>", coherence=0.1234), make_run(4, "<b>"))
    figure = plot_comparison(comparison)
    (line,) = lines(figure, "coherence").values()
    assert line.hovertext == (
        "&lt;b&gt;, 4 dimensions: 0.100",
        "&lt;b&gt;, 8 dimensions: 0.123",
    )
    (kept,) = panel(figure, "neighbours kept")
    assert kept.hovertext[0].endswith("4 dimensions: 80%")


def test_controls_are_gray_and_dashed_and_lie_below():
    comparison = make_comparison(
        make_run(8),
        make_run(4),
        make_run(4, "permuted"),
        make_run(8, "another"),
        conditions={
            "permuted": make_condition(is_permuted=True),
            "another": make_condition(embedding_model="another"),
        },
        controls=("permuted", "another"),
    )
    styles = styles_of(sweeps_of(comparison))
    assert list(styles) == list(comparison.conditions)
    first, random, other = styles.values()
    assert not first.muted
    assert first.dash == "solid"
    assert {random.color, other.color} == {GRAY}
    assert "solid" not in {random.dash, other.dash}
    assert random.symbol != other.symbol
    named = [t.name for t in panel(plot_comparison(comparison), "coherence") if t.name]
    assert named[-1] == "selection"


def test_many_topic_models_differ_in_style():
    conditions = {
        f"{model}, {name}": make_condition(name, embedding_model=model)
        for model in "abcd"
        for name in ("selection", "UMAP")
    }
    comparison = make_comparison(*(make_run(8, name) for name in conditions), conditions=conditions)
    styles = styles_of(sweeps_of(comparison)).values()
    assert len({(style.color, style.symbol) for style in styles}) == 8
    assert len({style.symbol for _, style in model_styles(sweeps_of(comparison)).values()}) == 4


def test_a_model_with_one_line_looks_like_it():
    comparison = make_comparison(
        make_run(8, "a"),
        make_run(8, "b"),
        conditions={name: make_condition(embedding_model=name.upper()) for name in "ab"},
    )
    styles = styles_of(sweeps_of(comparison))
    assert model_styles(sweeps_of(comparison)) == {
        name.upper(): (name, styles[name]) for name in "ab"
    }


def test_the_widths_are_the_ticks_of_a_logarithmic_axis():
    comparison = make_comparison(make_run(256), make_run(64), make_run(128))
    for axis in plot_comparison(comparison).select_xaxes():
        assert axis.type == "log"
        assert axis.tickvals == (64, 128, 256)
        assert axis.ticktext == ("64", "128", "256")
        low, high = axis.range
        assert 10**low < 64
        assert 10**high > 256


def test_widths_close_to_each_other_share_a_tick():
    comparison = make_comparison(*(make_run(dim) for dim in (768, 700, 512, 384)))
    axis = next(plot_comparison(comparison).select_xaxes())
    assert axis.tickvals == (384, 512, 768)


def test_names_are_text_and_no_markup():
    comparison = make_comparison(make_run(8, "<b>&"), make_run(8, "b"))
    assert "&lt;b&gt;&amp;" in {trace.name for trace in plot_comparison(comparison).data}


# ---- PNG


@pytest.mark.skipif(importlib.util.find_spec("kaleido") is None, reason="kaleido is not installed")
def test_a_png_is_two_thousand_pixels_wide(tmp_path):
    try:
        write_png(make_comparison(make_run(8), make_run(4)), tmp_path / "figure.png")
    except RuntimeError as error:
        pytest.skip(str(error))
    content = (tmp_path / "figure.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 2000


def test_without_kaleido_a_png_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(ImportError, match=r'pip install "bertopic-matryoshka\[png\]"'):
        write_png(make_comparison(make_run(8)), tmp_path / "figure.png")


@pytest.mark.skipif(importlib.util.find_spec("kaleido") is None, reason="kaleido is not installed")
def test_without_chrome_a_png_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "choreographer.browsers.chromium.Chromium.find_browser", lambda *_, **__: None
    )
    with pytest.raises(RuntimeError, match="needs Chrome or Chromium"):
        write_png(make_comparison(make_run(8)), tmp_path / "figure.png")
