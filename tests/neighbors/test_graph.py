"""The graph that joins rows with their nearest."""

import numpy as np
import pytest
from graphs import graph_of

from bertopic_matryoshka.neighbors._graph import neighbor_graph


def on_circle(*degrees):
    return np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def test_by_hand():
    """Two rows are joined where one is the nearest of the other, whoever asks."""
    graph = neighbor_graph(on_circle(0, 10, 25, 70), 1)
    assert (graph != graph_of("01 12 23")).nnz == 0


@pytest.mark.parametrize("n_neighbors", [3, 4, 99])
def test_as_many_neighbours_as_there_are(n_neighbors):
    graph = neighbor_graph(on_circle(0, 10, 25, 70), n_neighbors)
    np.testing.assert_array_equal(graph.toarray(), 1 - np.eye(4))


@pytest.mark.parametrize("n", [0, 1])
def test_nobody_to_be_joined_with(n):
    assert neighbor_graph(np.ones((n, 2)), 5).toarray().tolist() == [[0]] * n


def test_on_text(embeddings):
    graph = neighbor_graph(embeddings, 15)
    assert (graph != graph.T).nnz == 0
    assert set(graph.data) == {1}
    assert not graph.diagonal().any()
    assert graph.has_sorted_indices
    assert np.diff(graph.indptr).min() >= 15
