"""Graphs that fits share keep the seconds that they took."""

import numpy as np
import pytest

from bertopic_matryoshka.comparison import _graph_cache as graph_cache
from bertopic_matryoshka.comparison._graph_cache import GraphCache

NOW = [0.0]


def slowly(rows, n_neighbors):
    NOW[0] += 5
    return rows * n_neighbors


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that only work moves."""
    NOW[0] = 0.0
    monkeypatch.setattr(graph_cache.time, "perf_counter", lambda: NOW[0])


def test_a_graph_that_is_found_costs_what_it_took_to_build(tmp_path):
    rows = np.ones((3, 2))
    first, later, other = (GraphCache(str(tmp_path)) for _ in range(3))
    for memory in (first, later):
        np.testing.assert_array_equal(memory.cache(slowly)(rows, n_neighbors=3), rows * 3)
    assert NOW == [5]  # it was built once
    assert (first.graph_seconds, first.spent_seconds) == (5, 5)
    assert (later.graph_seconds, later.spent_seconds) == (5, 0)
    other.cache(slowly)(rows, n_neighbors=4)
    assert (other.graph_seconds, other.spent_seconds) == (5, 5)


def test_without_a_folder_nothing_is_kept():
    for n_built in (1, 2):
        memory = GraphCache(None)
        memory.cache(slowly)(np.ones((3, 2)), 3)
        assert memory.graph_seconds == 5
        assert [5 * n_built] == NOW
