"""Candidates from all rows: blocks, chunks, half precision."""

from contextlib import nullcontext

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tensors import Memory

from bertopic_matryoshka.neighbors._exact import all_candidates, top


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


def candidates(chunks, queries, n_rows, n, within=None, **options):
    """Each query's candidates, of shape (n_queries, n), in the order of the rows."""
    n_queries = sum(len(rows) for _, rows in queries())
    options["own"] = 0 if options["own"] else None
    with within or nullcontext():
        found = all_candidates(chunks, queries, n_rows, n_queries, n, **options)
    assert found.dtype == torch.int32
    return found.long().sort(dim=1).values


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
    found = found.long()
    torch.testing.assert_close(scores, (rows @ rows.T).gather(1, found))
    assert torch.equal(found.sort(dim=1).values, best(rows, rows, n, own=own).sort(dim=1).values)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("size", [7, 100, 5000])
def test_blocks_and_chunks_do_not_matter(own, size):
    rows = unit(100, 8)
    chunks, _ = in_chunks(rows, size)
    memory = Memory(most=4 * 100 * 12)  # twelve queries at a time
    found = candidates(chunks, chunks, 100, 12, own=own, within=memory)
    assert torch.equal(found, best(rows, rows, 12, own=own).sort(dim=1).values)


@pytest.mark.parametrize("n_sure", [None, 2])
def test_rows_that_are_read_are_read_once_for_a_chunk_of_queries(n_sure):
    rows = unit(600, 4)
    chunks, walks = in_chunks(rows, 100)
    queries, _ = in_chunks(rows, 200)
    found = candidates(chunks, queries, 600, 3, own=True, n_sure=n_sure)
    once = 1 if n_sure is None else 2  # and the first rows, to see how many are in a chunk
    assert len(walks) <= once + 3 * once
    expected = best(rows, rows[:50], 4, own=False)[:, 1:]
    wanted = expected[:, :n_sure]
    assert not lacks(found[:50], wanted)
    if n_sure is None:
        assert torch.equal(found[:50], expected.sort(dim=1).values)


@pytest.mark.parametrize("n_sure", [None, 4])
@pytest.mark.parametrize("low", [0, 17])
def test_some_of_the_rows_ask_for_their_neighbours(n_sure, low):
    rows = unit(60, 6)
    found = all_candidates(
        whole(rows), whole(rows[low:40]), 60, 40 - low, 5, own=low, n_sure=n_sure
    )
    assert not lacks(found.long(), best(rows, rows, n_sure or 5, own=True)[low:40])
    assert not (found == torch.arange(low, 40)[:, None]).any()


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


@pytest.mark.parametrize("size", [5000, 64])
def test_half_precision_leaves_out_none_of_the_best(size):
    rows, axis = close_rows()
    turns = unit(40, 48, seed=2) * 0.02 + axis
    queries = torch.cat([axis, turns / turns.norm(dim=1, keepdim=True)])
    wanted = best(rows, queries, 10, own=False)
    halves = [(low, chunk.half()) for low, chunk in in_chunks(rows, size)[0]()]
    assert (
        lacks(top(lambda: halves, queries, None, 12)[1].long(), wanted) > 5
    )  # half precision alone
    chunks, _ = in_chunks(rows, size)
    assert not lacks(candidates(chunks, whole(queries), 300, 12, own=False, n_sure=10), wanted)


def test_without_room_for_a_copy_in_half_precision_it_goes_on_in_single():
    rows, axis = close_rows()
    memory = Memory(most=2 * rows.numel() - 1)
    found = candidates(whole(rows), whole(axis), 300, 12, own=False, n_sure=10, within=memory)
    assert not lacks(found, best(rows, axis, 10, own=False))
    assert memory.largest < 2 * rows.numel()


def test_half_precision_leaves_out_none_of_a_rows_best():
    rows, _ = close_rows(n=200, dims=6)
    found = candidates(whole(rows), whole(rows), 200, 18, own=True, n_sure=10)
    assert not lacks(found, best(rows, rows, 10, own=True))
    assert not (found == torch.arange(200)[:, None]).any()


def test_only_what_is_not_sure_is_found_again():
    rows, _ = close_rows(n=100)
    far = torch.eye(48)[1:]  # none but themselves are similar
    rows = torch.cat([rows, far])
    queries = torch.cat([far, far + 0.5 * far.roll(1, 0)])
    queries = queries / queries.norm(dim=1, keepdim=True)
    found_again = []
    for asked in (queries, torch.cat([queries, torch.eye(48)[:1]])):  # the last is close to many
        chunks, walks = in_chunks(rows, len(rows))
        candidates(chunks, whole(asked), len(rows), 9, own=False, n_sure=1)
        found_again.append(len(walks))
    assert found_again[1] == found_again[0] + 1


def test_all_that_is_not_sure_is_found_again_at_once():
    rows, axis = close_rows()
    turns = unit(40, 48, seed=2) * 0.02 + axis
    queries = turns / turns.norm(dim=1, keepdim=True)
    chunks, walks = in_chunks(rows, len(rows))
    found = candidates(chunks, in_chunks(queries, 20)[0], 300, 12, own=False, n_sure=10)
    assert not lacks(found, best(rows, queries, 10, own=False))
    assert len(walks) == 2 + 2  # twice before, and once for each chunk of queries


@pytest.mark.parametrize("dims", [1, 3, 64, 1024])
@pytest.mark.parametrize("spread", [0, 2e-4, 1e-3, 4e-3, 0.1])
def test_no_neighbour_is_lost_to_rounding(dims, spread):
    """Many rows about as similar, on both sides of what half precision tells apart."""
    near = 1 + spread * unit(120, dims, seed=4)
    rows = torch.cat([near, unit(60, dims) ** 5, unit(60, dims).sign()])
    rows = rows / rows.norm(dim=1, keepdim=True)
    found = candidates(whole(rows), whole(rows), 240, 14, own=True, n_sure=5)
    exact = (rows.double() @ rows.double().T).fill_diagonal_(-torch.inf)
    fifth = exact.sort(dim=1, descending=True).values[:, 4]
    # Rows that float32 can't tell apart may take each other's place.
    assert ((exact.gather(1, found) > (fifth - 1e-6)[:, None]).sum(dim=1) >= 5).all()
