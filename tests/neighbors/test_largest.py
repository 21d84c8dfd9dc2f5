"""The columns with the largest values, against a full sort."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertopic_matryoshka.neighbors._largest import largest, largest_by_groups

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
