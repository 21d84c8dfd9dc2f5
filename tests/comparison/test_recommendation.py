"""The smallest width that is not significantly worse, by hand."""

import math

import numpy as np
import pytest
from made_cells import MODEL, N_SAMPLES, NAN, make_cell, make_comparison, make_model

from bertopic_matryoshka.comparison._recommendation import (
    Recommendation,
    _significant,
    by_width,
    caution_across,
    recommend,
)

FEW, MANY = [0, 1] * 6, [0, 1, 2, 3] * 3  # two and four topics, no outliers


def cell(dim, coherence, *, error=0.001, **measured):
    """A cell that differs from others by the errors of its topics alone."""
    return make_cell(dim, coherence=coherence, topic_error=error, **measured)


def test_the_smallest_that_is_not_significantly_worse():
    cells = [cell(256, 0.3095), cell(128, 0.31), cell(64, 0.309), cell(32, 0.20), cell(16, 0.21)]
    found = recommend(cells, "variance", 256)
    assert (found.dim, found.best_dim, found.line, found.differs) == (64, 128, "variance", True)
    assert list(found.differences) == [256, 64, 32, 16]
    assert found.differences[64].mean == pytest.approx(-0.001)
    loss = -found.differences[64].low
    assert loss == pytest.approx(0.001 + math.sqrt(2) * 0.001 * 4.302653)  # t of 2 topics twice
    assert found.reason == (
        "Keep 64 of 256 dimensions with variance: coherence 0.309 is not significantly below the "
        "best, 0.310 at 128; 16, 32 are significantly worse. With 95 % confidence 64 loses at most "
        f"{loss:.3f} to it."
    )
    assert found.cautions == ()
    assert str(found) == found.reason


def test_a_single_worse_width_is_one():
    found = recommend([cell(256, 0.3), cell(64, 0.1)], "variance", 256)
    assert (found.dim, found.differs) == (256, True)
    assert found.reason == (
        "Keep 256 of 256 dimensions with variance: coherence 0.300 is the highest of all widths; "
        "64 is significantly worse."
    )


def test_no_difference_is_said():
    found = recommend([cell(256, 0.30, error=0.1), cell(64, 0.29, error=0.1)], "umap", 256)
    assert (found.dim, found.best_dim, found.differs) == (64, 256, False)
    assert found.reason == (
        "Keep 64 of 256 dimensions with umap: coherence 0.290 is not significantly below the best, "
        "0.300 at 256. There is no difference between the widths that these data could show. "
        f"With 95 % confidence 64 loses at most {-found.differences[64].low:.3f} to it."
    )


def test_where_the_smallest_is_the_best_it_loses_nothing():
    found = recommend([cell(256, 0.29, error=0.1), cell(64, 0.30, error=0.1)], "variance", 256)
    assert (found.dim, found.best_dim, found.differs) == (64, 64, False)
    assert "is the highest of all widths. There is no difference" in found.reason
    assert "loses" not in found.reason


def test_a_wider_one_may_be_worse_than_the_best():
    found = recommend([cell(256, 0.1), cell(64, 0.3)], "variance", 256)
    assert (found.dim, found.best_dim, found.differs) == (64, 64, True)
    assert "256 is significantly worse" in found.reason


def test_of_equals_the_smaller_is_the_best():
    found = recommend([cell(256, 0.3), cell(64, 0.3)], "variance", 256)
    assert (found.dim, found.best_dim) == (64, 64)


def test_what_seeds_do_is_learnt_from_all_widths():
    """64 is .02 below 256 with three seeds; more is known of seeds from further widths."""
    wide = [cell(256, c, seed=i, error=9.0) for i, c in enumerate([0.31, 0.30, 0.29])]
    narrow = [cell(64, c, seed=i, error=9.0) for i, c in enumerate([0.27, 0.28, 0.29])]
    found = recommend([*wide, *narrow], "variance", 256)
    assert (found.dim, found.differs) == (256, True)
    assert found.differences[64].mean == pytest.approx(-0.02)
    scattered = [cell(128, c, seed=i, error=9.0) for i, c in enumerate([0.1, 0.3, 0.49])]
    found = recommend([*wide, *scattered, *narrow], "variance", 256)
    assert (found.dim, found.differs) == (64, False)


@pytest.mark.parametrize(
    ("p_values", "worse"),
    [
        ({}, set()),
        ({1: 0.05}, {1}),
        ({1: 0.051}, set()),
        ({1: 0.025, 2: 0.05}, {1, 2}),  # .05 / 2, then .05
        ({1: 0.026, 2: 0.026}, set()),  # though both are below .05
        ({1: 0.01, 2: 0.03, 3: 0.04}, {1}),  # .03 fails .05 / 2, and .04 after it
        ({1: 0.04, 2: 0.02, 3: 0.01}, {1, 2, 3}),  # .05 / 3, .05 / 2, .05
    ],
)
def test_holm(p_values, worse):
    assert _significant(p_values, 0.05) == worse


def test_several_widths_need_more_evidence():
    """What is worse by itself is not among ten widths."""
    wide, narrow = cell(256, 0.3, error=0.01), cell(16, 0.25, error=0.01)
    alone = recommend([wide, narrow], "variance", 256)
    p_worse = alone.differences[16].p_worse
    assert 0.05 / 10 < p_worse < 0.05
    assert alone.dim == 256
    others = [cell(dim, 0.3, error=0.01) for dim in range(100, 109)]
    among = recommend([wide, *others, narrow], "variance", 256)
    assert among.differences[16].p_worse == pytest.approx(p_worse)
    assert (among.dim, among.differs) == (16, False)


def test_alpha():
    cells = [cell(256, 0.3, error=0.01), cell(16, 0.25, error=0.01)]
    p_worse = recommend(cells, "variance", 256).differences[16].p_worse
    assert recommend(cells, "variance", 256, alpha=p_worse * 1.01).dim == 256
    assert recommend(cells, "variance", 256, alpha=p_worse * 0.99).dim == 16
    for alpha in (0, 1, -0.1, 5):
        with pytest.raises(ValueError, match=f"alpha={alpha} must be between 0 and 1"):
            recommend(cells, "variance", 256, alpha)


def test_widths_without_topics_are_passed_over_and_named():
    nothing = {"document_topics": [-1] * 6, "coherence_samples": np.full(N_SAMPLES, NAN)}
    found = recommend(
        [cell(256, 0.3), cell(64, NAN, **nothing), cell(64, 0.3, seed=1)], "variance", 256
    )
    assert found.dim == 256
    assert found.differences == {}
    assert found.cautions == ("Not every seed gave two topics that can be scored at 64.",)


def test_one_topic_says_nothing_of_a_width():
    found = recommend(
        [cell(256, 0.3), cell(64, 0.9, document_topics=[0] * 6)], "variance", full_dim=768
    )
    assert found.dim == 256
    assert "Keep 256 of 768 dimensions" in found.reason


def test_many_outliers_at_the_width_that_is_kept():
    mostly = [-1, -1, -1, -1, 0, 1]
    found = recommend([cell(256, 0.3), cell(64, 0.3, document_topics=mostly)], "variance", 256)
    (caution,) = found.cautions
    assert caution.startswith("But 67% of the documents are outliers there")
    assert str(found) == f"{found.reason} {caution}"
    elsewhere = recommend([cell(256, 0.3, document_topics=mostly), cell(64, 0.3)], "variance", 256)
    assert elsewhere.dim == 64
    assert elsewhere.cautions == ()


def test_numbers_of_topics_that_move_coherence():
    cells = [cell(256, 0.3, document_topics=MANY), cell(64, 0.3, document_topics=FEW)]
    (caution,) = recommend(cells, "variance", 256).cautions
    assert "differ in their number of topics (2 to 4)" in caution
    three = cell(64, 0.3, document_topics=[0, 1, 2] * 4)
    assert recommend([cells[0], three], "variance", 256).cautions == ()


def test_nothing_to_recommend():
    with pytest.raises(
        ValueError, match=r"No width with 'variance' gave two topics .* none to recommend"
    ):
        recommend([cell(256, NAN, document_topics=[-1] * 6)], "variance", 256)


def test_a_single_width_is_said_to_be_one():
    found = recommend([cell(256, 0.3)], "variance", 256)
    assert (found.dim, found.differs, found.differences) == (256, False, {})
    assert found.reason == (
        "Keep 256 of 256 dimensions with variance: coherence 0.300 is that of the only width "
        "compared."
    )


def test_a_line_is_decided_by_itself():
    comparison = make_comparison(
        cell(8, 0.3), cell(2, 0.1), cell(8, 0.1, reduction="pca"), cell(2, 0.3, reduction="pca")
    )
    assert isinstance(comparison.recommend(), Recommendation)
    assert comparison.recommend() == comparison.recommend("variance")
    assert (comparison.recommend().dim, comparison.recommend().line) == (8, "variance")
    assert (comparison.recommend("pca").dim, comparison.recommend("pca").line) == (2, "pca")
    assert comparison.recommend(alpha=1e-9).dim == 2
    with pytest.raises(ValueError, match="line='umap' was not compared; there are: variance, pca"):
        comparison.recommend("umap")


def test_few_neighbours_kept():
    """made_cells keeps 0.8 of the neighbours at each halving: 0.512 at 1 of 8, 0.41 at 1 of 16."""
    enough = make_comparison(cell(8, 0.3), cell(1, 0.3)).recommend()
    assert (enough.dim, enough.cautions) == (1, ())
    models = {MODEL: make_model(16)}
    (caution,) = make_comparison(cell(16, 0.3), cell(1, 0.3), models=models).recommend().cautions
    assert caution.startswith("1 dimensions keep 41% of a document's nearest neighbours")
    elsewhere = make_comparison(cell(16, 0.9), cell(1, 0.3), models=models).recommend()
    assert (elsewhere.dim, elsewhere.cautions) == (16, ())


def test_random_dimensions_have_no_neighbours_to_keep():
    cells = [cell(16, 0.3), cell(1, 0.3, cut="random")]
    comparison = make_comparison(*cells, models={MODEL: make_model(16)})
    assert comparison.recommend("variance, random dims").cautions == ()


def test_cells_by_width():
    cells = [cell(8, 0.1), cell(64, 0.2, seed=1), cell(8, 0.3, seed=1), cell(64, 0.4)]
    groups = by_width(cells)
    assert list(groups) == [64, 8]
    assert [[c.coherence for c in group] for group in groups.values()] == [[0.2, 0.4], [0.1, 0.3]]


def test_numbers_of_topics_that_forbid_a_comparison_of_lines():
    few = cell(64, 0.3, document_topics=FEW)
    many = cell(64, 0.3, document_topics=MANY, reduction="umap")
    assert caution_across([few, many]).startswith("The models have 2 to 4 topics")
    three = cell(64, 0.3, document_topics=[0, 1, 2] * 4, reduction="umap")
    assert caution_across([few, three]) == ""
    # Within a line it is said with its recommendation.
    assert caution_across([few, cell(32, 0.3, document_topics=MANY)]) == ""
    nothing = cell(64, NAN, document_topics=[-1] * 6, reduction="umap")
    assert caution_across([few, nothing]) == ""
