"""Candidates from inverted files: their lists and pieces, and the whole numbers they are found by."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tensors import Alive

from bertopic_matryoshka.neighbors import _inverted_file
from bertopic_matryoshka.neighbors._inverted_file import (
    N_FILES,
    PIECE_ROWS,
    STEPS,
    _kmeans,
    _nearest,
    _pieces,
    _whole_numbers,
    build_file,
    inverted_file_candidates,
)

ALL = 10_000  # more probes than there are lists


@pytest.fixture
def lists_of(monkeypatch):
    """Set how many rows a list has on average."""
    return lambda n_rows: monkeypatch.setattr(_inverted_file, "LIST_ROWS", n_rows)


def clustered(n_clusters, size, dims=8, noise=0.05, seed=0):
    """Rows of unit length: each cluster's follow upon each other."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(n_clusters, dims, generator=generator)
    rows = centres.repeat_interleave(size, dim=0)
    rows = rows + noise * torch.randn(rows.shape, generator=generator)
    return rows / rows.norm(dim=1, keepdim=True)


def candidates(base, queries, n, n_probes):
    """Candidates in the order of the rows."""
    files = [build_file(base, number) for number in range(_inverted_file.N_FILES)]
    found = inverted_file_candidates(base, queries, n, n_probes, files)
    assert found.dtype == torch.int32
    return found.long().sort(dim=1).values


def best(base, queries, n):
    asked = base if queries is None else queries
    similar = asked.double() @ base.double().T
    if queries is None:
        similar.fill_diagonal_(-torch.inf)
    return similar.argsort(dim=1, descending=True)[:, :n].sort(dim=1).values


# ---- candidates


@pytest.mark.parametrize("given", [False, True])
def test_all_lists_give_the_most_similar_of_all_rows(given, lists_of):
    lists_of(25)
    base = clustered(12, 25)
    queries = clustered(9, 3, seed=1) if given else None
    assert torch.equal(candidates(base, queries, 20, ALL), best(base, queries, 20))


@settings(deadline=None)
@given(st.integers(2, 40), st.integers(1, 12), st.booleans(), st.data())
def test_candidates_differ_and_are_no_query_itself(n_rows, n_probes, own, data):
    values = data.draw(st.lists(st.integers(-1, 1), min_size=2 * n_rows, max_size=2 * n_rows))
    n = data.draw(st.integers(1, n_rows - own))
    base = torch.tensor(values, dtype=torch.float32).reshape(n_rows, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_inverted_file, "LIST_ROWS", 3)
        found = candidates(base, None if own else base.flip(0), n, n_probes)
    for row, near in enumerate(found.tolist()):
        assert 0 <= near[0] <= near[-1] < n_rows
        assert len(set(near)) == n
        assert not (own and row in near)


def test_one_list_has_the_rows_around_a_query(lists_of):
    lists_of(10)  # as many as clusters
    base = clustered(10, 10)
    found = candidates(base, None, 9, 1)
    clusters = torch.arange(100) // 10
    assert torch.equal(clusters[found], clusters[:, None].expand(100, 9))


def test_a_list_far_larger_than_the_others_is_searched_in_pieces(lists_of):
    lists_of(20)
    n = 3 * PIECE_ROWS
    base = torch.cat([torch.eye(8)[:1].repeat(n, 1), clustered(10, 10)])
    found = candidates(base, None, 20, 1)
    assert (found[:n] < n).all()  # of the same list
    assert (found[n:] >= n).float().mean() > 0.8


def test_fewer_rows_than_are_asked_for_in_a_list(lists_of):
    lists_of(10)
    base = clustered(10, 10)
    assert torch.equal(candidates(base, None, 99, 1), best(base, None, 99))
    assert torch.equal(candidates(base, base[:5], 100, 1), torch.arange(100).expand(5, 100))


@settings(deadline=None)
@given(st.lists(st.sampled_from([0, 1, 3, PIECE_ROWS, PIECE_ROWS + 1, 1300]), max_size=6))
def test_pieces(sizes):
    list_of = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes).long()).flip(0)
    order, lists = _pieces(list_of, len(sizes))
    pieces = [piece for pieces in lists for piece in pieces]
    assert order.sort().values.tolist() == list(range(sum(sizes)))
    assert [at for part in pieces for at in range(part.start, part.stop)] == list(range(sum(sizes)))
    assert all(0 < part.stop - part.start <= PIECE_ROWS for part in pieces)
    for name, (size, pieces) in enumerate(zip(sizes, lists, strict=True)):
        assert all((list_of[order[part]] == name).all() for part in pieces)
        # A list has no more pieces than it needs, about equal ones.
        lengths = [part.stop - part.start for part in pieces]
        assert sum(lengths) == size
        assert len(pieces) == -(-size // PIECE_ROWS)
        assert not lengths or max(lengths) - min(lengths) <= 1


def test_more_probes_find_more(lists_of):
    lists_of(30)
    base = clustered(30, 30, noise=0.6)
    wanted = best(base, None, 10)

    def recall(n_probes):
        found = candidates(base, None, 10, n_probes)
        return float((found[:, :, None] == wanted[:, None, :]).any(dim=1).double().mean())

    recalls = [recall(n_probes) for n_probes in (1, 2, 4, 8, 16)]
    assert recalls == sorted(recalls)
    assert recalls[0] > 0.4
    assert recalls[3] > 0.9


def test_more_files_find_more(lists_of, monkeypatch):
    lists_of(30)
    base = clustered(30, 30, noise=0.6)
    wanted = best(base, None, 10)
    recalls = []
    for n_files in range(1, N_FILES + 1):
        monkeypatch.setattr(_inverted_file, "N_FILES", n_files)
        found = candidates(base, None, 10, 2)
        recalls.append(float((found[:, :, None] == wanted[:, None, :]).any(dim=1).double().mean()))
    assert recalls == sorted(recalls)
    assert recalls[-1] > recalls[0] + 0.1


# ---- k-means


def test_centres_are_those_of_the_clusters():
    rows = clustered(16, 16)
    cell = _nearest(rows, _kmeans(rows, 16))
    clusters = torch.arange(256) // 16
    together = (cell[:, None] == cell[None]) == (clusters[:, None] == clusters[None])
    assert together.all()


def test_kmeans_looks_at_rows_from_everywhere():
    rows = clustered(10, 400)  # more than it looks at
    cell = _nearest(rows, _kmeans(rows, 10))
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


def test_the_most_similar_centre_of_more_rows_than_a_block():
    rows = clustered(5, 1700)
    centres = clustered(5, 1) * 100
    assert torch.equal(_nearest(rows, centres), torch.arange(8500) // 1700)


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


def test_a_query_that_equals_a_row_finds_it(lists_of, monkeypatch):
    # One list is much larger than the number of rows that a query is compared with at least.
    lists_of(20)
    monkeypatch.setattr(_inverted_file, "PIECE_ROWS", 16)
    base = torch.cat([clustered(1, 500, noise=0.01), clustered(300, 1)])
    found = candidates(base, base, 3, 1)
    assert (found == torch.arange(len(base))[:, None]).any(dim=1).all()


def test_no_small_results_stay_between_the_products_of_blocks():
    # malloc could not use the products' memory again: 3 GB at a million rows.
    rows = clustered(20, 500)
    with Alive(torch.ops.aten.mm.default) as alive:
        nearest = _nearest(rows, rows[::500])
    assert alive.most == 1
    assert torch.equal(nearest, (rows @ rows[::500].T).argmax(dim=1))
