"""Work on threads of their own."""

import threading
import time

import pytest
import torch

from bertopic_matryoshka import _threads
from bertopic_matryoshka._threads import count_threads, in_threads, one_thread


@pytest.fixture
def threads_of_torch():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_results_are_in_order_and_torch_has_one_thread(threads_of_torch, monkeypatch):
    monkeypatch.setattr(_threads.joblib, "cpu_count", lambda: 3)
    threads_of_torch(3)
    barrier = threading.Barrier(3, timeout=30)

    def compute(item):
        if item < 3:
            barrier.wait()  # three at once
        return 10 * item, torch.get_num_threads(), threading.get_ident()

    found = in_threads(compute, iter(range(20)))
    assert [value for value, _, _ in found] == list(range(0, 200, 10))
    assert {threads for _, threads, _ in found} == {1}
    assert len({name for _, _, name in found}) == 3
    assert torch.get_num_threads() == 3


def test_one_thread_is_this_one(threads_of_torch):
    threads_of_torch(1)
    assert set(in_threads(lambda _: threading.get_ident(), range(5))) == {threading.get_ident()}
    assert in_threads(lambda item: item, []) == []


def test_the_limits_of_a_container_count(threads_of_torch, monkeypatch):
    threads_of_torch(2)
    for available, expected in ((1, 1), (2, 2), (16, 2)):
        monkeypatch.setattr(_threads.joblib, "cpu_count", lambda available=available: available)
        assert count_threads() == expected


def test_an_error_ends_the_work(threads_of_torch, monkeypatch):
    monkeypatch.setattr(_threads.joblib, "cpu_count", lambda: 2)
    threads_of_torch(2)
    done = []

    def compute(item):
        if item == 3:
            raise ValueError("3")
        done.append(item)
        time.sleep(0.002)

    with pytest.raises(ValueError, match="3"):
        in_threads(compute, range(2_000))
    assert len(done) < 1_999
    assert torch.get_num_threads() == 2


def test_torch_has_its_threads_again(threads_of_torch):
    threads_of_torch(2)
    with one_thread():
        assert torch.get_num_threads() == 1
        with one_thread():
            assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_work_is_divided_within_one_thread_too(threads_of_torch, monkeypatch):
    monkeypatch.setattr(_threads.joblib, "cpu_count", lambda: 2)
    threads_of_torch(2)
    barrier = threading.Barrier(2, timeout=30)
    with one_thread():
        in_threads(lambda _: barrier.wait(), range(2))
        assert torch.get_num_threads() == 1
    assert count_threads() == 2
