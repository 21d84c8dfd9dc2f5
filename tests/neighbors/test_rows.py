"""Rows that are held, and rows that are read from a file: the same numbers."""

import tracemalloc

import numpy as np
import pytest
import torch
from tensors import Memory

from bertopic_matryoshka.embedding import unit_rows
from bertopic_matryoshka.neighbors._rows import DeviceRows, unit_on_device


def read(X, chunk_rows=16):
    """Rows for which there is no memory."""
    with Memory(most=0):
        rows = DeviceRows(X, "cpu", chunk_rows=chunk_rows)
    assert rows.held is None
    return rows


def mapped(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


def random_rows(dtype, n=50):
    X = np.random.default_rng(0).normal(scale=5, size=(n, 6)).astype(dtype)
    X[7] = 0
    return X


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_rows_of_unit_length(dtype):
    X = random_rows(dtype)
    rows = DeviceRows(X, "cpu")
    assert rows.held.dtype == torch.float32
    assert (rows.n_rows, rows.n_dims) == X.shape
    lengths = np.linalg.norm(X.astype(np.float64), axis=1, keepdims=True)
    expected = X / np.where(lengths == 0, 1, lengths)
    np.testing.assert_allclose(rows.held.numpy(), expected, atol=1e-7)
    assert not rows.held[7].any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_rows_that_are_read_are_those_that_are_held(tmp_path, dtype):
    X = random_rows(dtype)
    rows = read(mapped(X, tmp_path))
    chunks = list(rows.chunks())
    assert [low for low, _ in chunks] == [0, 16, 32, 48]
    held = DeviceRows(X, "cpu")
    assert torch.equal(torch.cat([chunk for _, chunk in chunks]), held.held)
    assert torch.equal(rows.whole(), held.held)
    for indices in ([3], [7, 7, 49, 0], [[1, 2, 3], [48, 7, 3]]):
        at = torch.tensor(indices)
        assert torch.equal(rows.take(at), held.take(at))
        assert rows.take(at).shape == (*at.shape, 6)
    assert [low for low, _ in held.chunks()] == [0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_divided_on_a_device_as_by_numpy(dtype):
    X = random_rows(dtype)
    X[:4] *= [[np.finfo(dtype).max / 50], [np.finfo(dtype).tiny], [1e-20], [1e18]]
    expected = unit_rows(X).astype(np.float32)
    found = unit_on_device(torch.from_numpy(X))
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=2e-7)
    assert not found[7].any()


@pytest.mark.parametrize(("free", "held"), [(8 * 300, True), (8 * 300 - 1, False)])
def test_half_of_a_gpus_free_memory_may_be_taken(monkeypatch, free, held):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 10**9))
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device: tensor)  # there is no GPU
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(torch, "empty", lambda shape, dtype, device: torch.zeros(shape))
    assert (DeviceRows(random_rows(np.float32), "cuda:0").held is not None) == held


def test_more_than_four_gigabytes_are_not_held_on_a_cpu():
    X = np.broadcast_to(np.ones(2**16, dtype=np.float32), (2**14 + 1, 2**16))  # takes no memory
    assert DeviceRows(X, "cpu").held is None


def test_a_file_is_not_copied(tmp_path):
    X = mapped(np.ones((20_000, 64), dtype=np.float16), tmp_path)  # 2.6 MB
    tracemalloc.start()
    rows = read(X, chunk_rows=500)
    for _ in rows.chunks():
        pass
    rows.take(torch.arange(0, 20_000, 100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.shares_memory(rows.array, X)
    assert peak < X.nbytes / 2


def test_double_precision_beyond_the_range_of_single(tmp_path):
    X = mapped(np.array([[3e100, 4e100], [3e-100, 4e-100]]), tmp_path)
    rows = read(X)
    expected = torch.tensor([[0.6, 0.8]] * 2)
    torch.testing.assert_close(next(rows.chunks())[1], expected)
    torch.testing.assert_close(rows.take(torch.tensor([0, 1])), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_is_not_finite_is_named_by_its_place(tmp_path, value):
    X = random_rows(np.float32)
    X[[33, 40], 2] = value
    message = f"{'NaN' if np.isnan(value) else 'infinity'}, first in row 33"
    with pytest.raises(ValueError, match=message):
        DeviceRows(X, "cpu")
    rows = read(mapped(X, tmp_path))
    with pytest.raises(ValueError, match=message):
        list(rows.chunks())
    with pytest.raises(ValueError, match=message):
        rows.take(torch.tensor([1, 40, 33]))
    rows.take(torch.tensor([32, 34]))


@pytest.mark.parametrize("shape", [(3,), (0, 4), (2, 2, 2)])
def test_what_is_no_rows(shape):
    with pytest.raises(ValueError, match=r"queries has shape \(.*\) and must "):
        DeviceRows(np.ones(shape), "cpu", name="queries")
