"""Known classes in the graph: by hand, for any graph, and on text."""

from collections import Counter

import numpy as np
import pytest
from graphs import graph_of, labelled_graphs
from hypothesis import given
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka import LeidenClustering
from bertopic_matryoshka.clustering._supervision import known_classes, n_large_classes, supervised
from bertopic_matryoshka.neighbors._graph import neighbor_graph


def all_joined(rows):
    n = len(rows)
    return neighbor_graph(rows, max(n, 1))


def test_edges_between_classes_are_cut_and_classes_are_joined():
    graph = graph_of("01 02 12 23 34")
    classes = np.array([0, 1, -1, 0, 1])
    # Cut: 0-1 and 3-4. New: 0-3 and 1-4. The edges of 2, which has no class, stay.
    found = supervised(graph, classes, np.eye(5), all_joined, 2)
    assert (found != graph_of("02 03 12 14 23")).nnz == 0


@pytest.mark.parametrize("min_cluster_size", [2, 3, 4, 5])
def test_a_part_that_would_be_too_small_is_not_cut_off(min_cluster_size):
    graph = graph_of("01 12 23 34 45 56")
    classes = np.array([0, 0, 1, 1, 1, 2, -1])
    # Whole, 0-1 and 2-3-4 and 5-6 would come apart, and 2-4 is new.
    found = supervised(graph, classes, np.eye(7), all_joined, min_cluster_size)
    edges = {2: "", 3: "12 45", 4: "12 45", 5: "12 45"}[min_cluster_size]
    assert (found != graph_of("01 23 34 24 56 " + edges)).nnz == 0


def test_nothing_known_changes_nothing(embeddings):
    graph = neighbor_graph(embeddings, 15)
    classes = np.full(len(embeddings), -1)
    assert (supervised(graph, classes, embeddings, all_joined, 10) != graph).nnz == 0


@given(labelled_graphs(max_rows=15))
def test_what_is_joined(graph_and_classes):
    graph, classes = graph_and_classes
    n = len(classes)
    found = supervised(graph, classes, np.eye(n), all_joined, 0).toarray()
    known = classes >= 0
    alike = (classes[:, None] == classes) & known & known[:, None]
    different = known & known[:, None] & ~alike
    expected = np.where(different, 0, np.maximum(graph.toarray(), alike))
    np.fill_diagonal(expected, 0)
    np.testing.assert_array_equal(found, expected)


def test_each_row_is_joined_with_the_nearest_of_its_class(embeddings):
    rng = np.random.default_rng(0)
    classes = rng.integers(-1, 3, len(embeddings))

    def graph_of(rows):
        return neighbor_graph(rows, 4)

    found = supervised(graph_of(embeddings), classes, embeddings, graph_of, 10)
    assert (found != found.T).nnz == 0
    for known in range(3):
        rows = np.flatnonzero(classes == known)
        inside = found[rows][:, rows]
        assert (inside < graph_of(embeddings[rows])).nnz == 0


# ---- what may be given


@pytest.mark.parametrize("y", [[0, -1, 7], [0.0, -1.0, 7.0], np.array([[0], [-1], [7]])])
def test_whole_numbers(y):
    if np.ndim(y) == 2:
        y = np.ravel(y)
    assert known_classes(y, 3).tolist() == [0, -1, 7]


@pytest.mark.parametrize(
    "y", [[0, 0.5, 1], [0, -2, 1], ["a", "b", "c"], ["0", "1", "2"], [0, np.nan, 1], [0, None, 1]]
)
def test_what_is_no_class(y):
    with pytest.raises(ValueError, match="y must hold whole numbers, a class for each row and -1"):
        known_classes(y, 3)


def test_another_length_is_said_not_to_be_used():
    with pytest.warns(RuntimeWarning, match="y has 2 classes for 3 rows and is not used"):
        assert known_classes([0, 1], 3).tolist() == [-1, -1, -1]


def test_large_classes_are_counted():
    classes = np.array([*[0] * 3, *[5] * 2, 9, *[-1] * 8])
    assert [n_large_classes(classes, size) for size in (1, 2, 3, 4)] == [3, 2, 1, 0]


# ---- on text


@pytest.fixture(scope="module")
def classes(doc_labels):
    return np.unique(doc_labels, return_inverse=True)[1]


@pytest.mark.parametrize("n_clusters", [None, 7])
@pytest.mark.parametrize("share", [0.3, 0.5])
def test_known_classes_are_found(embeddings, classes, share, n_clusters):
    known = np.random.default_rng(0).random(len(classes)) < share
    before = LeidenClustering(n_clusters).fit_predict(embeddings)
    labels = LeidenClustering(n_clusters).fit_predict(embeddings, np.where(known, classes, -1))

    def score(of, rows):
        return adjusted_mutual_info_score(classes[rows], of[rows])

    assert score(labels, known) > 0.95 > score(before, known) + 0.1
    assert score(labels, ~known) > score(before, ~known)  # .07 more of those that are not known
    in_one = [
        Counter(labels[known & (classes == c)]).most_common(1)[0][1] for c in np.unique(classes)
    ]
    assert sum(in_one) > 0.95 * known.sum()


def test_where_all_are_known_they_are_the_clusters(embeddings, classes):
    labels = LeidenClustering().fit_predict(embeddings, classes)
    assert adjusted_mutual_info_score(classes, labels) == pytest.approx(1)


def test_a_coarse_resolution_keeps_the_classes_apart(embeddings, classes):
    coarse = LeidenClustering(resolution=0.3)
    assert coarse.fit(embeddings).n_clusters_ < 7
    assert coarse.fit(embeddings, classes).n_clusters_ == 7


def test_classes_too_small_for_a_cluster_make_no_outliers(embeddings):
    y = np.arange(len(embeddings)) // 5
    clustering = LeidenClustering().fit(embeddings, y)
    assert (clustering.labels_ >= 0).all()
    assert clustering.n_clusters_ > 3


def test_classes_follow_their_rows(embeddings, classes):
    y = np.where(np.arange(len(classes)) % 2 == 0, classes, -1)
    order = np.random.default_rng(3).permutation(len(y))
    labels = LeidenClustering().fit_predict(embeddings, y)
    shuffled = LeidenClustering().fit_predict(embeddings[order], y[order])
    np.testing.assert_array_equal(shuffled, labels[order])


def test_zero_rows_have_classes_too(embeddings, classes):
    with_zeros = np.vstack([np.zeros((2, 64), np.float32), embeddings])
    labels = LeidenClustering().fit_predict(with_zeros, [0, 1, *classes])
    assert labels[:2].tolist() == [-1, -1]
    np.testing.assert_array_equal(labels[2:], LeidenClustering().fit_predict(embeddings, classes))


def test_y_that_is_no_classes(embeddings, doc_labels):
    with pytest.raises(ValueError, match="y must hold whole numbers"):
        LeidenClustering().fit(embeddings, doc_labels)
