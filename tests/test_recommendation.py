"""The one-standard-error rule, by hand."""

import numpy as np
import pytest

from bertopic_matryoshka.cell import Cell
from bertopic_matryoshka.recommendation import caution_across, recommend


def cell(dim, coherence, error=0.02, *, reduction="variance", n_topics=10, outliers=0.1):
    return Cell(
        dim=dim,
        reduction=reduction,
        clustering="LeidenClustering",
        seed=0,
        n_topics=n_topics,
        outlier_share=outliers,
        coherence=coherence,
        coherence_error=error,
        diversity=1.0,
        reduce_seconds=0.0,
        cluster_seconds=0.0,
        represent_seconds=0.0,
        evaluate_seconds=0.0,
        ami=None,
        ari=None,
        topics=(),
        document_topics=np.zeros(0, dtype=int),
    )


def test_the_smallest_width_within_a_standard_error():
    cells = [cell(256, 0.30), cell(128, 0.31), cell(64, 0.295), cell(32, 0.28)]
    found = recommend(cells, "variance")
    assert (found.dim, found.best_dim) == (64, 128)
    assert found.reason == (
        "Keep 64 of 256 dimensions with variance: coherence 0.295 is within one standard error "
        "(0.020) of the best, 0.310 at 128."
    )
    assert found.cautions == ()


def test_the_error_is_that_of_the_best():
    cells = [cell(256, 0.30, 0.001), cell(128, 0.29, 0.5)]
    assert recommend(cells, "variance").dim == 256
    assert "no smaller one comes within" in recommend(cells, "variance").reason


def test_exactly_one_error_below_is_not_worse():
    assert recommend([cell(256, 0.5, 0.25), cell(128, 0.25)], "variance").dim == 128


def test_of_equals_the_smaller():
    found = recommend([cell(256, 0.3), cell(64, 0.3)], "variance")
    assert (found.dim, found.best_dim) == (64, 64)


def test_without_an_error_only_the_best_will_do():
    assert recommend([cell(256, 0.3, np.nan), cell(64, 0.299)], "variance").dim == 256


def test_other_reductions_do_not_count():
    cells = [cell(256, 0.3), cell(64, 0.9, reduction="umap")]
    assert recommend(cells, "variance").dim == 256
    assert recommend(cells, "umap").dim == 64


def test_widths_without_topics_are_passed_over_and_named():
    found = recommend([cell(256, 0.3), cell(64, np.nan, np.nan, n_topics=0)], "variance")
    assert found.dim == 256
    assert found.cautions == ("No topic could be scored at 64.",)


def test_cautions():
    found = recommend(
        [cell(256, 0.3, n_topics=20), cell(64, 0.3, n_topics=10, outliers=0.8)], "variance"
    )
    many, differ = found.cautions
    assert many.startswith("But 80% of the documents are outliers there")
    assert "(10 to 20)" in differ
    assert str(found).endswith(differ)


def test_nothing_to_recommend():
    with pytest.raises(ValueError, match="reduction='pca' was not compared; there are: variance"):
        recommend([cell(256, 0.3)], "pca")
    with pytest.raises(ValueError, match="there is none to recommend"):
        recommend([cell(256, np.nan)], "variance")


def test_a_single_width_is_said_to_be_one():
    assert "is that of the only width compared" in recommend([cell(256, 0.3)], "variance").reason


def test_numbers_of_topics_that_forbid_a_comparison():
    few, many = cell(64, 0.3, n_topics=20), cell(64, 0.3, n_topics=85, reduction="umap")
    assert caution_across([few, many]).startswith("The models have 20 to 85 topics")
    assert caution_across([few, cell(64, 0.3, n_topics=30, reduction="umap")]) == ""
    assert caution_across([few, cell(32, 0.3, n_topics=85)]) == ""  # said with its reduction
    assert caution_across([few, cell(64, np.nan, n_topics=0, reduction="umap")]) == ""
