"""The number of clusters with the largest modularity: by hand, and against networkx."""

import numpy as np
import pytest
from graphs import clique_labels, cliques, labelled_graphs
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from bertopic_matryoshka.clustering._merge_tree import merge_tree
from bertopic_matryoshka.clustering._number import modularity_terms, most_modular


def tree_of(graph, leaves):
    return merge_tree(graph, leaves, np.eye(leaves.size), 1)


def test_two_cliques_by_hand():
    # Triangles with 3 edges each and one edge between: 7 edges, degrees of 7 and 7.
    graph, leaves = cliques(3, 3, bridges=[(0, 3)]), clique_labels(3, 3)
    inside, by_chance = modularity_terms(tree_of(graph, leaves), graph, leaves)
    np.testing.assert_allclose(inside, [1, 12 / 14])
    np.testing.assert_allclose(by_chance, [1, 0.5])
    # One cluster is as good where 1 - r = 12 / 14 - r / 2: at 2 / 7.
    assert most_modular(inside, by_chance, 0.28) == 1
    assert most_modular(inside, by_chance, 0.29) == 2


@pytest.mark.parametrize("n", [0, 1])
def test_without_a_merge(n):
    graph, leaves = csr_matrix((3, 3)), np.array([0, 0, 0] if n else [-1, -1, -1])
    terms = modularity_terms(tree_of(graph, leaves), graph, leaves)
    assert most_modular(*terms, 1.0) == n


@given(labelled_graphs(max_rows=20, max_clusters=9, max_weight=3), st.floats(0.1, 4))
def test_it_is_the_modularity_of_the_cut(graph_and_labels, resolution):
    networkx = pytest.importorskip("networkx")
    graph, leaves = graph_and_labels
    kept = leaves >= 0
    graph, leaves = graph[kept][:, kept], leaves[kept]
    if graph.nnz == 0:
        return
    tree = tree_of(graph, leaves)
    inside, by_chance = modularity_terms(tree, graph, leaves)
    whole = networkx.from_scipy_sparse_array(graph)
    for k in range(1, tree.n_leaves + 1):
        labels = tree.cut(k)[leaves]
        parts = [set(np.flatnonzero(labels == c)) for c in range(k)]
        expected = networkx.community.modularity(whole, parts, resolution=resolution)
        assert inside[k - 1] - resolution * by_chance[k - 1] == pytest.approx(expected)
    best = most_modular(inside, by_chance, resolution)
    assert inside[best - 1] - resolution * by_chance[best - 1] == pytest.approx(
        (inside - resolution * by_chance).max()
    )
