"""Shares of neighbours in clusters: by hand, and against counting one by one."""

import numpy as np
import pytest
from graphs import graph_of, labelled_graphs
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bertopic_matryoshka.clustering._membership import (
    edges_between,
    membership,
    one_hot,
    shares,
    weighted_shares,
)


def test_edges_between_clusters_by_hand():
    graph = graph_of("01 02 03 12 34 45", n=6)
    labels = np.array([0, 0, 1, 1, 1, -1])
    # 01 is within 0, 34 within 1; 02, 03 and 12 are between; 45 does not count.
    assert edges_between(graph, labels).toarray().tolist() == [[2, 3], [3, 2]]
    assert edges_between(graph, np.full(6, -1)).shape == (0, 0)


def test_membership_by_hand():
    graph = graph_of("01 02 03 12 34", n=6)
    # 0 has neighbours 1, 2, 3; two of them are in its cluster.
    labels = np.array([0, 0, 0, 1, -1, 1])
    assert membership(graph, labels).tolist() == [2 / 3, 1, 1, 0, 0, 0]


def test_shares_by_hand():
    graph = graph_of("01 02 03 12 34", n=6)
    found = shares(graph, np.array([0, 0, 0, 1, -1, 1]), 3)
    expected = [[2 / 3, 1 / 3, 0], [1, 0, 0], [1, 0, 0], [1 / 2, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert found.tolist() == expected


@given(labelled_graphs())
def test_shares_are_counted(graph_and_labels):
    graph, labels = graph_and_labels
    dense, count = graph.toarray(), labels.max() + 1
    found, own = shares(graph, labels, count), membership(graph, labels)
    for row, neighbours in enumerate(dense):
        of = labels[neighbours > 0]
        for cluster in range(count):
            expected = np.mean(of == cluster) if of.size else 0
            assert found[row, cluster] == pytest.approx(expected)
        if labels[row] >= 0:
            assert own[row] == found[row, labels[row]]
        else:
            assert own[row] == 0
    assert ((own >= 0) & (own <= 1)).all()


def test_a_weight_counts_once():
    graph = graph_of("01 02")
    graph.data[:] = 7
    assert shares(graph, np.array([0, 0, 1]), 2)[0].tolist() == [1 / 2, 1 / 2]
    assert membership(graph, np.array([0, 0, 1])).tolist() == [1 / 2, 1, 0]


def test_one_hot():
    assert one_hot(np.array([1, -1, 0]), 3).toarray().tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_weighted_shares_by_hand():
    labels = np.array([[0, 1, -1], [1, 1, 1], [-1, -1, -1], [0, 1, 1]])
    similarities = np.array([[0.5, 0.25, 0.25], [1, 0.5, 0.1], [1, 1, 1], [-0.2, -0.5, 0]])
    expected = [[0.5, 0.25], [0, 1], [0, 0], [1 / 3, 2 / 3]]  # the last: none is similar
    np.testing.assert_allclose(weighted_shares(labels, similarities, 2), expected)


@given(
    arrays(np.int64, st.tuples(st.integers(1, 9), st.just(7)), elements=st.integers(-1, 3)),
    st.randoms(use_true_random=False),
)
def test_weighted_shares_are_shares(labels, random):
    rng = np.random.default_rng(random.getrandbits(32))
    similarities = rng.uniform(-1, 1, labels.shape).astype(np.float32)
    found = weighted_shares(labels, similarities, 4)
    assert found.shape == (len(labels), 4)
    assert ((found >= 0) & (found <= 1)).all()
    weights = np.maximum(similarities.astype(float), 1e-6)
    outside = (weights * (labels < 0)).sum(axis=1) / weights.sum(axis=1)
    np.testing.assert_allclose(found.sum(axis=1) + outside, 1)


def test_no_clusters():
    assert weighted_shares(np.full((2, 3), -1), np.ones((2, 3)), 0).shape == (2, 0)
