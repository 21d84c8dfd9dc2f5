"""Which Leiden finds the communities: named, and never chosen by what is installed."""

import sys
import types

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka import LeidenClustering

GROUPS = np.repeat([0, 1, 2], 20)


@pytest.fixture
def rows():
    """Three groups of 20 rows, far from each other."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=(60, 3))
    return np.eye(3)[GROUPS] + noise


@pytest.fixture
def handed(monkeypatch):
    """A stand-in with cuGraph's signatures whose communities are the parts of the graph."""
    handed = []

    class Graph:
        def from_cudf_edgelist(self, edges, source, destination, weight):
            self.edges = edges[[source, destination, weight]]

    def leiden(graph, max_iter, resolution, random_state):
        one, other, weight = (graph.edges[column].to_numpy() for column in graph.edges)
        handed.append((one, other, weight, resolution, random_state))
        vertices = np.unique([one, other])[::-1]  # in an order of its own
        n = vertices.max() + 1
        _, part = connected_components(csr_matrix((weight, (one, other)), (n, n)), directed=False)
        return pd.DataFrame({"vertex": vertices, "partition": part[vertices]}), 0.5

    kinds = {name: type(name, (), {}) for name in ("Series", "Index")}  # scikit-learn asks for them
    cudf = types.SimpleNamespace(DataFrame=type("DataFrame", (pd.DataFrame,), {}), **kinds)
    monkeypatch.setitem(sys.modules, "cudf", cudf)
    monkeypatch.setitem(sys.modules, "cugraph", types.SimpleNamespace(Graph=Graph, leiden=leiden))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    return handed


def test_cugraph_gets_each_edge_once_and_its_labels_are_those_of_our_rows(rows, handed):
    rows[7] = 0  # has no edge
    clustering = LeidenClustering(
        n_neighbors=15, flavor="cugraph", device="cpu", random_state=3
    ).fit(rows)
    assert clustering.labels_[7] == -1
    others = np.arange(60) != 7
    assert adjusted_mutual_info_score(clustering.labels_[others], GROUPS[others]) == 1
    one, other, weight, resolution, seed = handed[0]
    assert (one < other).all()
    assert len(set(zip(one.tolist(), other.tolist(), strict=True))) == len(one) > 59 * 15 / 2
    assert weight.dtype == np.float64
    assert resolution == 1  # of so few rows; communities are merged
    for state in (3, 4):
        before = len(handed)
        LeidenClustering(flavor="cugraph", device="cpu", random_state=state).fit(rows)
        assert {same[-1] == seed for same in handed[before:]} == {state == 3}


def test_a_number_of_clusters_by_cugraph(rows, handed):
    clustering = LeidenClustering(3, flavor="cugraph", device="cpu").fit(rows)
    assert clustering.n_clusters_ == 3
    assert handed


def test_cugraph_is_not_used_unless_it_is_named(rows, handed):
    LeidenClustering(device="cpu").fit(rows)
    assert not handed


def test_the_extra_is_named_where_cugraph_is_missing(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "cugraph", None)
    message = r"flavor=\"cugraph\" needs .*pip install \"bertopic-matryoshka\[cugraph\]\""
    with pytest.raises(ImportError, match=message):
        LeidenClustering(flavor="cugraph").fit(rows)


def test_a_flavor_that_there_is_not(rows):
    with pytest.raises(ValueError, match="flavor='igraph' must be one of graspologic, cugraph"):
        LeidenClustering(flavor="igraph").fit(rows)


@pytest.mark.gpu
def test_cugraph_finds_the_groups(rows):
    pytest.importorskip("cugraph")
    clustering = LeidenClustering(3, flavor="cugraph").fit(rows)
    assert adjusted_mutual_info_score(clustering.labels_, GROUPS) == 1
