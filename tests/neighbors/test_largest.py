"""The columns with the largest values, against a full sort."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertopic_matryoshka.neighbors._largest import (
    largest,
    largest_by_groups,
    largest_column,
    reaching,
)

BOTH = pytest.mark.parametrize("largest", [largest, largest_by_groups])


@BOTH
@settings(deadline=None)
@given(st.integers(0, 5), st.integers(1, 700), st.data())
def test_equals_a_full_sort(largest, n_rows, n_columns, data):
    n = data.draw(st.integers(1, n_columns) | st.just(1))  # one is enough for groups
    steps = data.draw(st.sampled_from([2, 10, 10_000]))  # many ties, some, few
    rng = np.random.default_rng(data.draw(st.integers(0, 10)))
    table = torch.from_numpy(rng.integers(0, steps, (n_rows, n_columns)).astype(np.float32))
    table[:, :: data.draw(st.integers(1, 9))] = -torch.inf
    columns = largest(table, n)
    assert (columns.shape, columns.dtype) == ((n_rows, n), torch.int64)
    assert all(len(set(row)) == n for row in columns.tolist())
    found = table.gather(1, columns).sort(dim=1, descending=True).values
    assert torch.equal(found, table.sort(dim=1, descending=True).values[:, :n])


@BOTH
@pytest.mark.parametrize("n_columns", [9, 801, 4096])
def test_the_largest_may_be_anywhere(largest, n_columns):
    table = torch.zeros(n_columns, n_columns).fill_diagonal_(1)
    assert torch.equal(largest(table, 1)[:, 0], torch.arange(n_columns))


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 700), st.data())
def test_a_few_columns_have_the_largest_among_them(n_rows, n_columns, data):
    n = data.draw(st.integers(1, n_columns) | st.just(1))
    rng = np.random.default_rng(data.draw(st.integers(0, 10)))
    table = torch.from_numpy(rng.integers(0, 20, (n_rows, n_columns)).astype(np.float32))
    columns, values = reaching(table, n)
    assert columns.shape == values.shape
    for row, (names, found) in enumerate(zip(columns, values, strict=True)):
        there = found > -torch.inf
        assert names[there].unique().numel() == there.sum() >= n
        assert torch.equal(table[row, names[there]], found[there])
        assert (names[~there] == 0).all()
        assert torch.equal(found.topk(n).values, table[row].topk(n).values)


def test_the_first_of_equal_columns():
    assert largest_column(torch.tensor([[1.0, 3, 3], [2, 2, 0]])).tolist() == [1, 0]
