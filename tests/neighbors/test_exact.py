"""Candidates from all rows: blocks, chunks, memory that runs out, half precision."""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertopic_matryoshka.neighbors import _exact as all_pairs
from bertopic_matryoshka.neighbors._exact import HALF_ERROR, all_candidates, top


def unit(n, dims, seed=0):
    rows = torch.randn(n, dims, generator=torch.Generator().manual_seed(seed))
    return rows / rows.norm(dim=1, keepdim=True)


def whole(rows):
    return lambda: [(0, rows)]


def in_chunks(rows, size):
    """Chunks of the rows, and a list that grows by one with each walk over them."""
    walks = []

    def chunks():
        walks.append(1)
        return ((low, rows[low : low + size]) for low in range(0, len(rows), size))

    return chunks, walks


def candidates(chunks, queries, n_rows, n, **options):
    """Each query's candidates, of shape (n_queries, n); blocks must follow upon each other."""
    found = list(all_candidates(chunks, queries, n_rows, n, **options))
    starts = [start for start, _ in found]
    assert starts == np.cumsum([0, *(len(block) for _, block in found[:-1])]).tolist()
    return torch.cat([block for _, block in found])


def best(rows, queries, n, *, own):
    similar = queries.double() @ rows.double().T
    if own:
        similar.fill_diagonal_(-torch.inf)
    return similar.argsort(dim=1, descending=True)[:, :n]


# ---- single precision


@settings(deadline=None)
@given(st.integers(2, 30), st.integers(1, 31), st.booleans(), st.data())
def test_the_top_of_chunks_is_the_top_of_all(n_rows, size, own, data):
    rows = unit(n_rows, 5, seed=n_rows)
    n = data.draw(st.integers(1, n_rows - own))
    at = torch.arange(n_rows) if own else None
    scores, found = top(in_chunks(rows, size)[0], rows, at, n)
    assert torch.equal(found, best(rows, rows, n, own=own))  # best first
    torch.testing.assert_close(scores, (rows @ rows.T).gather(1, found))


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("size", [7, 100, 5000])
def test_blocks_and_chunks_do_not_matter(monkeypatch, own, size):
    rows = unit(100, 8)
    monkeypatch.setattr(all_pairs, "BLOCK_ROWS", 9)
    chunks, _ = in_chunks(rows, size)
    found = candidates(chunks, chunks, 100, 12, own=own)
    assert torch.equal(found, best(rows, rows, 12, own=own))


def block_sizes(monkeypatch):
    original, sizes = all_pairs.top, []

    def counted(chunks, block, own, n):
        sizes.append(len(block))
        return original(chunks, block, own, n)

    monkeypatch.setattr(all_pairs, "top", counted)
    return sizes


def test_a_block_of_similarities_fits_the_cache(monkeypatch):
    rows = unit(300, 4)
    sizes = block_sizes(monkeypatch)
    candidates(whole(rows), whole(rows), 300, 3, own=True)
    monkeypatch.setitem(all_pairs.BLOCK_BYTES, "cpu", 4 * 300 * 100)
    candidates(whole(rows), whole(rows), 300, 3, own=True)
    monkeypatch.setitem(all_pairs.BLOCK_BYTES, "cpu", 1)
    candidates(whole(rows), whole(rows[:2]), 300, 3, own=False)
    assert sizes == [300, 100, 100, 100, 1, 1]


def test_rows_that_are_read_are_read_seldom(monkeypatch):
    rows = unit(300, 4)
    monkeypatch.setitem(all_pairs.BLOCK_BYTES, "cpu", 4 * 300)
    monkeypatch.setattr(all_pairs, "BLOCK_ROWS", 150)
    chunks, walks = in_chunks(rows, 100)
    found = candidates(chunks, whole(rows), 300, 3, own=True)
    assert len(walks) == 3  # the first to see how many there are in a chunk
    assert torch.equal(found, best(rows, rows, 3, own=True))


def limited(monkeypatch, most):
    """Let memory run out where a block has more rows than `most`; the sizes that were tried."""
    original, sizes = all_pairs.top, []

    def greedy(chunks, block, own, n):
        sizes.append(len(block))
        if len(block) > most:
            raise torch.OutOfMemoryError
        return original(chunks, block, own, n)

    monkeypatch.setattr(all_pairs, "top", greedy)
    return sizes


def test_out_of_memory_halves_the_block_and_goes_on(monkeypatch, caplog):
    rows = unit(300, 8)
    expected = best(rows, rows, 10, own=True)
    monkeypatch.setattr(all_pairs, "BLOCK_ROWS", 160)
    sizes = limited(monkeypatch, 50)
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"):
        found = candidates(whole(rows), whole(rows), 300, 10, own=True)
    assert torch.equal(found, expected)
    assert sizes == [160, 80, *[40] * 7, 20]
    assert "out of memory: going on with blocks of 40 rows" in caplog.text


def test_out_of_memory_with_a_single_row(monkeypatch):
    rows = unit(20, 4)
    sizes = limited(monkeypatch, 0)
    monkeypatch.setattr(all_pairs, "BLOCK_ROWS", 12)
    with pytest.raises(torch.OutOfMemoryError):
        candidates(whole(rows), whole(rows), 20, 3, own=True)
    assert sizes == [12, 6, 3, 1]


# ---- half precision


def close_rows(n=300, dims=48):
    """Rows of unit length, with similarities to the first axis in steps of 1e-4, in any order."""
    similar = 0.9 - 1e-4 * torch.randperm(n, generator=torch.Generator().manual_seed(1))
    rows = torch.cat([similar[:, None], unit(n, dims - 1) * (1 - similar**2).sqrt()[:, None]], 1)
    axis = torch.zeros(1, dims)
    axis[0, 0] = 1
    return rows, axis


def lacks(found, wanted):
    """How many queries lack one of those that are wanted."""
    inside = (found[:, :, None] == wanted[:, None, :]).any(dim=1)
    return int((~inside.all(dim=1)).sum())


def precisions(monkeypatch):
    original, dtypes = all_pairs.top, []

    def noted(chunks, block, own, n):
        dtypes.extend({rows.dtype for _, rows in chunks()})
        return original(chunks, block, own, n)

    monkeypatch.setattr(all_pairs, "top", noted)
    return dtypes


@pytest.mark.parametrize("size", [5000, 64])
def test_half_precision_leaves_out_none_of_the_best(monkeypatch, size):
    rows, axis = close_rows()
    turns = unit(40, 48, seed=2) * 0.02 + axis
    queries = torch.cat([axis, turns / turns.norm(dim=1, keepdim=True)])
    wanted = best(rows, queries, 10, own=False)
    halves = [(low, chunk.half()) for low, chunk in in_chunks(rows, size)[0]()]
    assert lacks(top(lambda: halves, queries, None, 12)[1], wanted) > 5  # half precision alone
    chunks, _ = in_chunks(rows, size)
    dtypes = precisions(monkeypatch)
    assert not lacks(candidates(chunks, whole(queries), 300, 12, own=False, n_sure=10), wanted)
    assert dtypes == [torch.float16, torch.float32]


def test_half_precision_leaves_out_none_of_a_rows_best():
    rows, _ = close_rows(n=200, dims=6)
    found = candidates(whole(rows), whole(rows), 200, 18, own=True, n_sure=10)
    assert not lacks(found, best(rows, rows, 10, own=True))
    assert not (found == torch.arange(200)[:, None]).any()


def test_only_what_is_not_sure_is_found_again(monkeypatch):
    rows, _ = close_rows(n=100)
    far = torch.eye(48)[1:]  # none but themselves are similar
    rows = torch.cat([rows, far])
    queries = torch.cat([far, far + 0.5 * far.roll(1, 0)])
    queries = queries / queries.norm(dim=1, keepdim=True)
    sizes = block_sizes(monkeypatch)
    candidates(whole(rows), whole(queries), len(rows), 9, own=False, n_sure=1)
    assert sizes == [len(queries)]
    close = torch.eye(48)[:1]
    candidates(whole(rows), whole(torch.cat([queries, close])), len(rows), 9, own=False, n_sure=1)
    assert sizes[1:] == [len(queries) + 1, 1]


def test_what_is_sure():
    rows = unit(20, 4)
    block = rows[:4]
    # Both the last that is wanted and the last candidate may be off by HALF_ERROR.
    gaps = torch.tensor([1.5, 2.5, 0, 1.99]) * HALF_ERROR
    last = torch.full((4,), 0.5)
    scores = torch.stack([torch.ones(4), last + gaps, last + gaps, last], dim=1)
    found = torch.full((4, 4), -7)
    all_pairs._mend(whole(rows), block, torch.arange(4), scores, found, 2)
    expected = best(rows, block, 4, own=True)
    assert torch.equal(found[[0, 2, 3]], expected[[0, 2, 3]])
    assert found[1].tolist() == [-7] * 4


@pytest.mark.parametrize("dims", [1, 3, 64, 1024])
def test_the_error_of_half_precision_is_bounded(dims):
    rows = torch.cat([unit(60, dims), unit(60, dims) ** 5, unit(60, dims).sign()])
    rows = rows / rows.norm(dim=1, keepdim=True)
    exact = rows.double() @ rows.double().T
    assert (exact - (rows.half() @ rows.half().T).double()).abs().max() < HALF_ERROR
