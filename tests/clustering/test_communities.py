"""Leiden on small graphs."""

import numpy as np
import pytest
from graphs import clique_labels, cliques, same_partition
from scipy.sparse import csr_matrix

from bertopic_matryoshka.clustering._communities import communities
from bertopic_matryoshka.neighbors._graph import neighbor_graph


def test_two_cliques_are_two_communities():
    labels = communities(cliques(10, 10, bridges=[(9, 10)]), 1.0, seed=0)
    assert same_partition(labels, clique_labels(10, 10))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_graph_without_edges(n):
    assert communities(csr_matrix((n, n)), 1.0, seed=0).tolist() == list(range(n))


def test_rows_without_edges_are_communities_of_their_own():
    labels = communities(cliques(4, 1, 4, 1), 1.0, seed=0)
    assert same_partition(labels, clique_labels(4, 1, 4, 1))
    assert set(labels) == set(range(4))


def test_the_scale_of_weights_does_not_matter(embeddings):
    graph = neighbor_graph(embeddings, 15)
    np.testing.assert_array_equal(communities(graph, 2.0, 0), communities(graph * 8, 2.0, 0))


def test_it_is_the_constant_potts_model():
    """Of 16 rows with a mean degree of 7: an edge is worth more than 1 / 16 of 7 only below 16 / 7."""
    graph = cliques(8, 8)
    assert communities(graph, 2.2, seed=0).max() == 1
    assert communities(graph, 2.4, seed=0).max() == 15
