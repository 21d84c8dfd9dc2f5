"""The table of dimensions against scipy, and the spectrum."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kurtosis

from bertopic_matryoshka import compare_prefixes, inspect_dimensions


@pytest.fixture
def embeddings():
    rng = np.random.default_rng(0)
    return rng.normal(size=(9000, 5)) ** 3 * [1, 3, 0, 2, 0.01] + [0, 1, 4, 0, 0]


def test_table_equals_numpy_and_scipy(embeddings):
    table = inspect_dimensions(embeddings).table
    np.testing.assert_allclose(table["mean"], embeddings.mean(axis=0))
    np.testing.assert_allclose(table["std"], embeddings.std(axis=0))
    varying = [0, 1, 3, 4]
    np.testing.assert_allclose(table["kurtosis"][varying], kurtosis(embeddings[:, varying]))
    assert np.isnan(table["kurtosis"][2])
    assert table["variance_share"].sum() == pytest.approx(1)
    assert table["rank"].tolist() == [3, 1, 5, 2, 4]
    assert table["near_zero"].tolist() == [False, False, True, False, True]


def test_summary(embeddings):
    inspection = inspect_dimensions(embeddings)
    assert inspection.near_zero == [2, 4]
    assert inspection.summary() == (
        "5 dimensions over 9,000 documents; near-zero: 2, 4. "
        "Half of the variance lies in 1 dimensions."
    )


def test_summary_answers_before_any_topic_model():
    rows = np.random.default_rng(0).normal(size=(1000, 40)) * 0.9 ** np.arange(40)
    inspection = inspect_dimensions(rows, dims=[20, 1])
    pd.testing.assert_frame_equal(inspection.prefixes, compare_prefixes(rows, [20, 1]))
    _, wide, narrow = inspection.summary().splitlines()
    assert re.fullmatch(
        r"20 of 40 keep \d\d % of the neighbours; expect about \d+ % of the topics "
        r"\(\d\d to \d+ %\)\.",
        wide,
    )
    assert re.fullmatch(r"1 of 40 keep \d % of the neighbours: too few to say .*", narrow)


def test_plot_marks_the_near_zero_ones(embeddings):
    kept, near_zero = inspect_dimensions(embeddings).plot().data
    assert (list(kept.x), list(near_zero.x)) == ([0, 1, 3], [2, 4])
    np.testing.assert_allclose(kept.y, embeddings.std(axis=0)[[0, 1, 3]])


def test_all_constant():
    inspection = inspect_dimensions(np.ones((3, 2)))
    assert inspection.near_zero == [0, 1]


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((0, 3))])
def test_bad_shape(bad):
    with pytest.raises(ValueError, match=r"and must (be two-dimensional|have at least 1 row)"):
        inspect_dimensions(bad)


def test_nan_names_its_row(embeddings):
    embeddings[5000, 1] = np.nan
    with pytest.raises(ValueError, match="first in row 5000"):
        inspect_dimensions(embeddings)
