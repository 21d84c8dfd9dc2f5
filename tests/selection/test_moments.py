"""Streamed moments: equal to numpy's, however the rows are divided."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bertopic_matryoshka.selection._moments import Moments, row_blocks

matrices = arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(1, 4)),
    elements=st.floats(-100, 100).map(lambda x: round(x, 3)),
)


@given(matrices, st.lists(st.integers(0, 30), max_size=4))
def test_any_division_of_the_rows_gives_numpys_variance(X, cuts):
    merged = Moments(X.shape[1])
    for part in np.split(X, sorted(min(cut, len(X)) for cut in cuts)):
        merged.merge(Moments.of(part))
    assert merged.count == len(X)
    np.testing.assert_allclose(merged.mean, X.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(merged.variance, X.var(axis=0), atol=1e-9)


@given(st.floats(-1e6, 1e6), st.integers(1, 50), st.integers(0, 50))
def test_a_constant_column_has_no_variance_at_all(value, n, m):
    moments = Moments.of(np.full((n, 1), value))
    moments.merge(Moments.of(np.full((m, 1), value)))
    assert moments.variance[0] == 0


def test_a_large_mean_does_not_swallow_a_small_spread():
    rng = np.random.default_rng(0)
    X = 1e6 + rng.normal(scale=1e-3, size=(10_000, 3))
    np.testing.assert_allclose(Moments.of(X).variance, X.var(axis=0), rtol=1e-6)


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_blocks_cover_all_rows_in_order(rows):
    X = np.arange(14.0).reshape(7, 2)
    blocks = list(row_blocks(X, rows))
    assert [start for start, _ in blocks] == list(range(0, 7, rows))
    np.testing.assert_array_equal(np.vstack([block for _, block in blocks]), X)


def test_block_dtypes():
    for stored, expected in (("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("i8", "f8"), ("?", "f8")):
        ((_, block),) = row_blocks(np.ones((2, 2), dtype=stored))
        assert block.dtype == expected


def test_not_finite_names_its_row_in_a_later_block():
    X = np.ones((10, 2))
    X[7, 1] = np.inf
    with pytest.raises(ValueError, match="contains infinity, first in row 7"):
        list(row_blocks(X, 3))
    X[5, 0] = np.nan
    with pytest.raises(ValueError, match="contains NaN, first in row 5"):
        list(row_blocks(X, 3))
