"""Blocks that are halved where memory runs out."""

import logging

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bertopic_matryoshka._memory import halve_if_out_of_memory, in_blocks


def scarce(most):
    """A computation that fails above a size, and the sizes that were tried."""
    tried = []

    def compute(size):
        tried.append(size)
        if size > most:
            raise torch.OutOfMemoryError
        return -size

    return compute, tried


def test_it_is_halved_until_it_fits(caplog):
    compute, tried = scarce(most=30)
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"):
        assert halve_if_out_of_memory(compute, 100, unit="texts") == (-25, 25)
    assert tried == [100, 50, 25]
    assert "out of memory: continuing with blocks of 25 texts" in caplog.text


def test_one_that_does_not_fit_is_an_error():
    compute, tried = scarce(most=0)
    with pytest.raises(torch.OutOfMemoryError):
        halve_if_out_of_memory(compute, 5)
    assert tried == [5, 2, 1]


def test_other_errors_are_none_of_its_business():
    def compute(size):
        raise RuntimeError(size)

    with pytest.raises(RuntimeError, match="8"):
        halve_if_out_of_memory(compute, 8)


@given(
    st.integers(0, 40), st.integers(-1, 50), st.integers(1, 50), st.sampled_from(["cpu", "cuda"])
)
def test_blocks_have_every_row_once(n, size, most, device):
    tried = []

    def compute(start, stop):
        tried.append(stop - start)
        if stop - start > most:
            raise torch.OutOfMemoryError
        return list(range(start, stop))

    blocks = in_blocks(compute, n, size, device=device)
    assert [row for _, rows in blocks for row in rows] == list(range(n))
    assert all(start == rows[0] and len(rows) <= max(size, 1) for start, rows in blocks)
    if device == "cuda":  # a size that was too large is not tried again
        sizes = [len(rows) for _, rows in blocks]
        assert sizes[:-1] == sorted(sizes[:-1], reverse=True)
        assert len(tried) <= len(blocks) + 6
