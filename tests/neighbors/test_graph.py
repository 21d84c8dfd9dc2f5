"""The graph that joins rows with their nearest."""

import numpy as np
import pytest
from graphs import graph_of

from bertopic_matryoshka.neighbors import _inverted_file
from bertopic_matryoshka.neighbors._graph import distinct_neighbor_graph, neighbor_graph


def on_circle(*degrees):
    return np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def test_by_hand():
    """Two rows are joined where one is the nearest of the other, whoever asks."""
    graph = neighbor_graph(on_circle(0, 10, 25, 70), 1)
    assert (graph != graph_of("01 12 23")).nnz == 0


def test_close_edges_by_hand():
    # Nearest first, 0: 1, 2; 1: 0, 2; 2: 1, 0; 3: 2, 1. One of two neighbours is close.
    found = distinct_neighbor_graph(on_circle(0, 10, 25, 70), 2, 0)
    edges = found.graph.tocoo()
    close = set(zip(edges.row[found.is_close], edges.col[found.is_close], strict=True))
    assert close == {(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)}
    assert found.graph.nnz == 10
    assert set(found.graph.data) == {1}


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


@pytest.mark.parametrize("method", ["exact", "approximate"])
def test_rows_of_the_graph_are_those_that_are_kept(embeddings, method, monkeypatch):
    monkeypatch.setattr(_inverted_file, "LIST_ROWS", 50)
    rows = np.vstack([embeddings, embeddings[::2] + np.float32(1e-4)])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = distinct_neighbor_graph(rows, 10, 0.025, method=method)
    n = found.kept.size
    assert found.graph.shape == (n, n)
    assert np.unique(found.kept).size == n <= len(embeddings)
    np.testing.assert_array_equal(found.group[found.kept], np.arange(n))
    representative = found.kept[found.group]
    assert (np.einsum("ij,ij->i", rows, rows[representative]) > 0.9).all()
    # Nearly the graph of all pairs, in the order of the rows.
    exact = distinct_neighbor_graph(rows, 10, 0.025, method="exact")
    place = np.argsort(found.kept)
    ours, theirs = found.graph[place][:, place], exact.graph
    np.testing.assert_array_equal(found.kept[place], exact.kept)
    assert ours.multiply(theirs).sum() > 0.8 * theirs.sum()
    assert (found.graph != found.graph.T).nnz == 0
    close = found.graph.copy()
    close.data[:] = found.is_close
    assert (close != close.T).nnz == 0
    assert 0.5 < found.is_close.mean() < 0.8
    if method == "exact":
        assert found.lists is None
    else:  # rows of a list are side by side
        assert (np.diff(found.lists.list_of[0]) >= 0).all()


def test_a_graph_that_is_searched_in_lists_has_the_order_of_the_rows(embeddings, monkeypatch):
    monkeypatch.setattr(_inverted_file, "LIST_ROWS", 50)
    exact = neighbor_graph(embeddings, 10, method="exact")
    found = neighbor_graph(embeddings, 10, method="approximate")
    assert found.multiply(exact).sum() > 0.8 * exact.sum()
    assert found.has_sorted_indices
