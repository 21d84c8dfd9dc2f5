"""Embedding models beside each other, drawn from runs written by hand."""

import numpy as np
import pytest
from made_runs import NAN, make_comparison, make_condition, make_model, make_run

from bertopic_matryoshka import plot_embedding_models, write_report


@pytest.fixture
def comparison():
    """All layers, which are slow, and the first three."""
    layers = {"all": make_model(encode_seconds=12.0), "three": make_model(encode_seconds=5.5)}
    return make_comparison(
        make_run(8, "three layers", ami=0.4, coherence=0.2),
        make_run(4, "three layers", ami=0.3, coherence=0.1),
        make_run(8, "all layers", ami=0.6, coherence=0.5),
        make_run(8, "all layers", ami=0.8, coherence=0.7, seed=1),
        make_run(2, "all layers", ami=0.5, coherence=0.6),
        make_run(8, "another", ami=0.1),
        conditions={
            "three layers": make_condition(embedding_model="three"),
            "all layers": make_condition(embedding_model="all"),
            "another": make_condition(embedding_model="all"),
        },
        embedding_models=layers,
    )


def test_a_row_for_each_model_slowest_first_and_a_column_for_each_width(comparison):
    (cells,) = plot_embedding_models(comparison).data
    assert list(cells.y) == ["all, 12 s", "three, 5.5 s"]
    assert list(cells.x) == ["8", "4", "2"]
    np.testing.assert_allclose(cells.z, [[0.7, NAN, 0.5], [0.4, 0.3, NAN]])
    (cells,) = plot_embedding_models(comparison, "coherence").data
    np.testing.assert_allclose(cells.z, [[0.6, NAN, 0.6], [0.2, 0.1, NAN]])


def test_other_measures_are_refused(comparison):
    with pytest.raises(ValueError, match="measure='topic_agreement' must be one of ami, coherence"):
        plot_embedding_models(comparison, "topic_agreement")
    unlabelled = make_comparison(make_run(8), make_run(4))
    (cells,) = plot_embedding_models(unlabelled).data
    assert list(cells.y) == ["a model, 1.5 s"]
    with pytest.raises(ValueError, match="measure='ami' must be one of coherence or None"):
        plot_embedding_models(unlabelled, "ami")


def test_the_report_shows_it_where_models_are_compared(comparison, tmp_path):
    several = write_report(comparison, tmp_path / "several.html").read_text("utf-8")
    assert 'data-of="heat_map"' in several
    one = write_report(make_comparison(make_run(8), make_run(4)), tmp_path / "one.html")
    assert 'data-of="heat_map"' not in one.read_text("utf-8")
