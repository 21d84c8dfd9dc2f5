"""Graphs divided at a resolution and into a number: by hand, and what holds for any graph."""

import numpy as np
import pytest
from bertopic_matryoshka.clustering._merging import merged
from graphs import clique_labels, cliques, contiguous, labelled_graphs, same_partition
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from bertopic_matryoshka.clustering import _partition as partition
from bertopic_matryoshka.clustering._communities import communities, resolution_for
from bertopic_matryoshka.clustering._membership import membership
from bertopic_matryoshka.clustering._partition import at_resolution, in_number
from bertopic_matryoshka.neighbors._graph import neighbor_graph


@pytest.fixture(scope="module")
def text(embeddings):
    """The neighbour graph of 501 docstrings."""
    return neighbor_graph(embeddings, 15)


def n_of(labels):
    return int(labels.max(initial=-1)) + 1


# ---- at a resolution


@pytest.mark.parametrize("sizes", [(10, 10), (30, 20, 10), (12,) * 16])
@pytest.mark.parametrize("resolution", [0.1, 1, 4])
def test_what_no_edge_joins_stays_apart(sizes, resolution):
    """Merging down to a share of the communities would else join what has nothing in common."""
    labels, _ = at_resolution(cliques(*sizes), resolution, 10, seed=0)
    assert same_partition(labels, clique_labels(*sizes))


def test_what_hardly_an_edge_joins_stays_apart():
    # Of 382 edges' ends each, chance would give two 382 * 382 / 6,110 = 24 edges; they have one.
    bridges = [(20 * i, 20 * i + 20) for i in range(15)]
    graph = cliques(*[20] * 16, bridges=bridges)
    labels, _ = at_resolution(graph, 1.0, 10, seed=0)
    assert same_partition(labels, clique_labels(*[20] * 16))
    # The resolution decides how few are hardly any: .042 of chance is less than .1, not than .025.
    assert n_of(at_resolution(graph, 0.25, 10, seed=0)[0]) < 16


@pytest.mark.parametrize("n", [10, 12, 16, 30, 50])
def test_a_few_rows_are_one_cluster(n):
    """Of so few, each has most others as its neighbours: the graph cannot be denser anywhere."""
    labels, resolution = at_resolution(cliques(n), 1.0, 10, seed=0)
    assert labels.tolist() == [0] * n
    assert resolution < 1


def test_fewer_rows_than_a_cluster_has():
    assert at_resolution(cliques(9), 1.0, 10, seed=0)[0].tolist() == [-1] * 9
    found = at_resolution(cliques(9, 10), 1.0, 10, seed=0)[0]
    assert found.tolist() == [-1] * 9 + [0] * 10


@pytest.mark.parametrize("resolution", [16, 32, 1000])
def test_a_resolution_too_high_is_halved(text, resolution):
    labels, used = at_resolution(text, resolution, 10, seed=0)
    again, used_again = at_resolution(text, used, 10, seed=0)
    assert used == used_again < resolution
    np.testing.assert_array_equal(labels, again)
    in_large = [
        (np.bincount(labels)[labels] >= 10).mean()
        for labels in (
            communities(text, partition.FINE_RESOLUTION * r, 0) for r in (used, 2 * used)
        )
    ]
    assert in_large[0] >= 0.5 > in_large[1]
    assert n_of(labels) >= n_of(at_resolution(text, 1.0, 10, seed=0)[0])


def test_small_parts_do_not_hold_a_resolution_back():
    # Most rows are in parts that no resolution makes large.
    graph = cliques(20, 20, *[5] * 20)
    labels, resolution = at_resolution(graph, 1.0, 10, seed=0)
    assert labels.tolist() == [0] * 20 + [1] * 20 + [-1] * 100
    assert resolution == 1


def test_the_steps_in_their_order(text):
    """Finer communities, those large enough merged, and settled."""
    fine = communities(text, partition.FINE_RESOLUTION, 0)
    sizes = np.bincount(fine)
    kept = contiguous(np.where(sizes[fine] >= 10, fine, -1))
    coarse = merged(text, kept, round(n_of(kept) / partition.FINER))
    assert n_of(kept) > n_of(coarse) > 3
    labels, resolution = at_resolution(text, 1.0, 10, seed=0)
    np.testing.assert_array_equal(labels, prune_clusters(text, coarse, 10))
    assert resolution == 1


def test_at_least_so_many_are_left(text):
    free = n_of(at_resolution(text, 0.5, 10, seed=0)[0])
    found = at_resolution(text, 0.5, 10, seed=0, at_least=free + 2)[0]
    assert free < n_of(found) <= free + 2


def test_a_higher_resolution_gives_more(text):
    counts = [n_of(at_resolution(text, r, 2, seed=0)[0]) for r in (0.05, 0.3, 1, 4)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@settings(max_examples=150)
@given(labelled_graphs(max_rows=25), st.floats(0.05, 20), st.integers(2, 6))
def test_clusters_are_as_promised(graph_and_labels, resolution, min_cluster_size):
    graph, _ = graph_and_labels
    labels, used = at_resolution(graph, resolution, min_cluster_size, seed=0)
    assert 0 < used <= resolution
    assert set(labels) - {-1} == set(range(n_of(labels)))
    core = labels[membership(graph, labels) >= 0.5]
    assert (np.bincount(core[core >= 0], minlength=n_of(labels)) >= min_cluster_size).all()
    parts = connected_components(graph, directed=False)[1]
    np.testing.assert_array_equal(labels >= 0, np.bincount(parts)[parts] >= min_cluster_size)


# ---- into a number


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 5, 8, 14])
def test_the_number_is_found(text, n_clusters):
    labels, _ = in_number(text, n_clusters, 10, seed=0)
    assert set(labels) == set(range(n_clusters))
    assert np.bincount(labels).min() >= 10


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 4])
def test_cliques_are_merged_the_smallest_first(n_clusters):
    labels, _ = in_number(cliques(40, 30, 20, 10), n_clusters, 10, seed=0)
    expected = {1: [0, 0, 0, 0], 2: [0, 1, 1, 1], 3: [0, 1, 2, 2], 4: [0, 1, 2, 3]}[n_clusters]
    if n_clusters == 2:  # the two smallest are together then, and as large as the second
        assert n_of(labels) == 2
        assert len(set(zip(labels, clique_labels(40, 30, 20, 10), strict=True))) == 4
    else:
        assert same_partition(labels, np.repeat(expected, [40, 30, 20, 10]))


def test_of_too_many_it_finds_those_that_there_are():
    labels, _ = in_number(cliques(12, 12, 12, 5), 4, 10, seed=0)
    assert labels.tolist() == [*clique_labels(12, 12, 12), *[-1] * 5]


@pytest.mark.parametrize("n_clusters", [6, 40])
def test_the_resolution_begins_with_the_same_communities(text, n_clusters, monkeypatch):
    tried = []

    def remember(*args, **kwargs):
        tried.append(resolution_for(*args, **kwargs))
        return tried[-1]

    monkeypatch.setattr(partition, "resolution_for", remember)
    labels, resolution = in_number(text, n_clusters, 10, seed=0)
    assert (n_of(labels) == n_clusters) == (n_clusters == 6)
    fine = communities(text, partition.FINE_RESOLUTION * resolution, 0)
    np.testing.assert_array_equal(fine, tried[-1][0])


def test_smaller_cores_and_at_last_none_where_too_many_dissolve(monkeypatch):
    cores = []

    def nothing_is_left(graph, labels, min_cluster_size, min_core, counts):
        assert min_cluster_size == 10
        cores.append(min_core)
        return np.zeros_like(labels)

    monkeypatch.setattr(partition, "settled", nothing_is_left)
    # The ring's communities are too small, but it is large enough for a cluster.
    ring = [(24 + i, 24 + (i + 1) % 12) for i in range(12)]
    graph = cliques(12, 12, *[1] * 12, bridges=ring)
    labels, _ = in_number(graph, 3, 10, seed=0)
    assert cores == [10, 10, 5, 5, 1, 1]
    assert same_partition(labels, clique_labels(12, 12, 12))


def test_a_cluster_may_have_just_enough_rows():
    graph = cliques(10, 10, bridges=[(0, 10)])
    assert same_partition(in_number(graph, 2, 10, seed=0)[0], clique_labels(10, 10))
    assert in_number(graph, 2, 11, seed=0)[0].tolist() == [0] * 20


@pytest.mark.parametrize("n_clusters", [1, 3, 6])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_it_merges_as_far_as_leaves_enough(text, n_clusters, lost):
    """`lost` clusters dissolve at each settling: so many more are to be left by merging."""
    fine = communities(text, 4.0, 0)

    def settle(labels):
        return contiguous(np.where(labels < lost, -1, labels))

    found = partition._merged_to(text, fine, n_clusters, settle, settle(fine))
    expected = settle(merged(text, fine, n_clusters + lost))
    np.testing.assert_array_equal(found, expected)
    assert n_of(found) == n_clusters


def test_where_a_number_is_skipped_the_next_above_is_merged(text):
    """Of 6 clusters or fewer three dissolve, so that 7 are the fewest that leave 5."""
    fine = communities(text, 4.0, 0)

    def settle(labels):
        return contiguous(np.where(labels < 3, -1, labels)) if n_of(labels) < 7 else labels

    found = partition._merged_to(text, fine, 5, settle, fine)
    np.testing.assert_array_equal(found, merged(text, merged(text, fine, 7), 5))


def test_it_divides_no_further_than_it_must(monkeypatch):
    tried = []

    def remember(*args, **kwargs):
        tried.append(args[1])
        return resolution_for(*args, **kwargs)

    monkeypatch.setattr(partition, "resolution_for", remember)
    in_number(cliques(12, 12, 12), 3, 10, seed=0)
    assert tried == [5]  # 3 * FINER: three communities are found, and three clusters are enough


@settings(max_examples=80)
@given(labelled_graphs(max_rows=25), st.integers(1, 6), st.integers(2, 6))
def test_a_number_is_not_exceeded(graph_and_labels, n_clusters, min_cluster_size):
    graph, _ = graph_and_labels
    labels, _ = in_number(graph, n_clusters, min_cluster_size, seed=0)
    assert set(labels) - {-1} == set(range(n_of(labels)))
    assert n_of(labels) <= n_clusters
    assert (np.bincount(labels[labels >= 0]) >= min_cluster_size).all()
    parts = connected_components(graph, directed=False)[1]
    large = np.bincount(parts) >= min_cluster_size
    assert n_of(labels) >= min(n_clusters, large.sum())
    np.testing.assert_array_equal(labels >= 0, large[parts])


@pytest.mark.parametrize("n", [0, 1, 3])
def test_no_edges(n):
    empty = csr_matrix((n, n))
    assert at_resolution(empty, 1.0, 2, seed=0)[0].tolist() == [-1] * n
    assert in_number(empty, 1, 2, seed=0)[0].tolist() == [-1] * n
