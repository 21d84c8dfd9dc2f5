"""Candidates from cells: all of them, their pieces, and the whole numbers they are found by."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tensors import Memory

from bertopic_matryoshka.neighbors._inverted_file import (
    STEPS,
    _kmeans,
    _nearest,
    _pieces,
    _whole_numbers,
    inverted_file_candidates,
)

ALL = 10_000  # more probes than there are pieces
BYTES = 2**26


def clustered(n_clusters, size, dims=8, noise=0.05, seed=0):
    """Rows of unit length: each cluster's follow upon each other."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(n_clusters, dims, generator=generator)
    rows = centres.repeat_interleave(size, dim=0)
    rows = rows + noise * torch.randn(rows.shape, generator=generator)
    return rows / rows.norm(dim=1, keepdim=True)


def candidates(base, queries, n, n_probes, block_bytes=BYTES):
    blocks = list(inverted_file_candidates(base, queries, n, n_probes, block_bytes))
    starts = [start for start, _ in blocks]
    assert starts == np.cumsum([0, *(len(found) for _, found in blocks[:-1])]).tolist()
    return torch.cat([found for _, found in blocks])


def best(base, queries, n):
    asked = base if queries is None else queries
    similar = asked.double() @ base.double().T
    if queries is None:
        similar.fill_diagonal_(-torch.inf)
    return similar.argsort(dim=1, descending=True)[:, :n]


# ---- candidates


@pytest.mark.parametrize("given", [False, True])
def test_all_cells_give_the_most_similar_of_all_rows(given):
    base = clustered(12, 25)
    queries = clustered(9, 3, seed=1) if given else None
    found = candidates(base, queries, 20, ALL)
    assert torch.equal(found, best(base, queries, 20))


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 40), st.booleans(), st.data())
def test_candidates_differ_and_are_no_query_itself(n_rows, n_probes, n, own, data):
    values = data.draw(st.lists(st.integers(-1, 1), min_size=2 * n_rows, max_size=2 * n_rows))
    base = torch.tensor(values, dtype=torch.float32).reshape(n_rows, 2)
    queries = None if own else base.flip(0)
    found = candidates(base, queries, n, n_probes)
    asked = base if own else queries
    for row, near in enumerate(found.tolist()):
        there = [at for at in near if at >= 0]
        assert near == there + [-1] * (len(near) - len(there))  # -1 comes last
        assert len(set(there)) == len(there)
        assert not (own and row in there)
        similar = [float(asked[row] @ base[at]) for at in there]
        assert similar == sorted(similar, reverse=True)


def test_one_cell_has_the_rows_around_a_query():
    base = clustered(10, 10)  # as many clusters as cells
    found = candidates(base, None, 15, 1)
    clusters = torch.arange(100) // 10
    assert torch.equal((found >= 0).sum(dim=1), torch.full((100,), 9))  # all the others
    inside = torch.where(found >= 0, clusters[found] == clusters[:, None], True)
    assert inside.all()


def test_blocks_do_not_matter_and_stay_as_they_were_found():
    base = clustered(20, 20, noise=0.3)
    once = list(inverted_file_candidates(base, None, 10, 3, BYTES))
    assert len(once) == 1
    small = 4 * 3 * 30 * 7  # cells are 30 wide: seven queries at a time
    blocks = list(inverted_file_candidates(base, None, 10, 3, small))
    assert [len(found) for _, found in blocks[:2]] == [7, 7]
    assert torch.equal(torch.cat([found for _, found in blocks]), once[0][1])
    assert torch.equal(candidates(base, None, 10, 3, 1), once[0][1])  # one at a time
    assert torch.equal(candidates(base, base, 11, 3, small)[:, 0], torch.arange(400))


def test_a_table_takes_as_much_memory_as_it_may():
    base = clustered(20, 20, noise=0.3)
    with Memory() as memory:
        list(inverted_file_candidates(base, None, 10, 3, 50_000))
    assert 25_000 < memory.largest <= 50_000


def test_a_cell_far_larger_than_the_others_is_cut():
    same = torch.eye(8)[:1].repeat(300, 1)
    base = torch.cat([same, clustered(10, 10)])
    found = candidates(base, None, 20, 2)
    width = int(np.ceil(1.5 * 400 / 20))
    assert ((found[:300] >= 0).sum(dim=1) == 20).all()
    assert (found[:300] < 300).all()
    # Two pieces have not all of them; with all pieces, all are there.
    assert ((candidates(base, None, 399, 2) >= 0).sum(dim=1) <= 2 * width).all()
    assert (candidates(base, None, 399, ALL) >= 0).all()


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(1, 9))
def test_pieces(sizes, width):
    pieces = _pieces(sizes, width)
    assert [at for low, high in pieces for at in range(low, high)] == list(range(sum(sizes)))
    assert all(0 < high - low <= width for low, high in pieces)
    # No piece lies in two cells, and a cell has no more pieces than it needs.
    ends = set(np.cumsum(sizes))
    assert all(not ends & set(range(low + 1, high)) for low, high in pieces)
    assert len(pieces) == sum(-(-size // width) for size in sizes)


def test_more_probes_find_more():
    base = clustered(30, 30, noise=0.6)
    wanted = best(base, None, 10)

    def recall(n_probes):
        found = candidates(base, None, 10, n_probes)
        return float((found[:, :, None] == wanted[:, None, :]).any(dim=1).double().mean())

    recalls = [recall(n_probes) for n_probes in (1, 2, 4, 8, 16)]
    assert recalls == sorted(recalls)
    assert recalls[0] > 0.4
    assert recalls[3] > 0.9


# ---- k-means


def test_centres_are_those_of_the_clusters():
    rows = clustered(16, 16)
    cell = _nearest(rows, _kmeans(rows, 16), 1)[:, 0]
    clusters = torch.arange(256) // 16
    together = (cell[:, None] == cell[None]) == (clusters[:, None] == clusters[None])
    assert together.all()


def test_kmeans_looks_at_rows_from_everywhere():
    rows = clustered(10, 400)  # more than it looks at
    cell = _nearest(rows, _kmeans(rows, 10), 1)[:, 0]
    assert cell.reshape(10, 400).unique(dim=1).shape == (10, 1)
    assert cell.unique().numel() == 10


def test_a_centre_without_rows_stays():
    rows = torch.eye(4)[:1].repeat(9, 1)
    centres = _kmeans(rows, 3)
    assert torch.equal(centres, _whole_numbers(rows[:3]))


def test_the_order_of_dimensions_does_not_matter():
    rows = clustered(20, 30, dims=24, noise=0.3)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    assert torch.equal(_kmeans(rows[:, order], 24), _kmeans(rows, 24)[:, order])


def test_the_most_similar_centres_of_more_rows_than_a_block():
    rows = clustered(5, 1700)
    centres = clustered(5, 1) * 100
    assert torch.equal(_nearest(rows, centres, 2)[:, 0], torch.arange(8500) // 1700)
    assert _nearest(rows, centres, 2).shape == (8500, 2)


# ---- whole numbers


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3))
def test_whole_numbers_within_bounds(row):
    whole = _whole_numbers(torch.tensor([row]))
    assert whole.dtype == torch.float32
    assert torch.equal(whole, whole.round())
    assert whole.abs().max() <= STEPS
    assert torch.equal(whole.sign() * torch.tensor([row]).sign(), whole.abs().sign())


def test_whole_numbers_by_hand():
    rows = torch.tensor([[3.0, -4.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [6e-9, -8e-9, 0.0, 0.0]])
    # The root mean square is 2.5, in 10.5 steps: 1.2 and 1.6 times that.
    assert _whole_numbers(rows).tolist() == [[13, -17, 0, 0], [0, 0, 0, 0], [13, -17, 0, 0]]
    outlier = torch.zeros(1, 100)
    outlier[0, 3] = -1  # ten times the root mean square
    assert _whole_numbers(outlier)[0, 3] == -STEPS


def test_sums_of_products_are_exact():
    rows = torch.full((3, 4000), float(STEPS))
    rows[1, ::2] *= -1
    rows[2] = _whole_numbers(torch.randn(1, 4000, generator=torch.Generator().manual_seed(0)))
    assert torch.equal((rows @ rows.T).long(), rows.long() @ rows.long().T)
    threads = torch.get_num_threads()
    wide = _whole_numbers(clustered(50, 40, dims=256))
    try:
        products = []
        for n in (1, 2):
            torch.set_num_threads(n)
            products.append(wide @ wide.T)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*products)
