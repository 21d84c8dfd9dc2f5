"""Leiden on a GPU: what is handed to cuGraph, with a stand-in where it is not installed."""

import importlib.machinery
import sys
import types

import numpy as np
import pandas as pd
import pytest
import torch
from graphs import cliques, graph_of

from bertopic_matryoshka.clustering import _gpu_communities as gpu_communities
from bertopic_matryoshka.clustering._communities import communities

GRAPH = graph_of("01 12 23", n=5)  # a path, and a row without an edge


@pytest.fixture
def handed(monkeypatch):
    """A stand-in with cuGraph's signatures, which tells even from odd vertices."""
    handed = {}

    class Graph:
        def from_cudf_edgelist(self, edges, source, destination, weight):
            handed["edges"] = edges[[source, destination, weight]].to_numpy().tolist()

    def leiden(graph, max_iter, resolution, random_state):
        handed.update(resolution=resolution, seed=random_state)
        vertices = np.array([2, 0, 3, 1])  # in an order of its own
        return pd.DataFrame({"vertex": vertices, "partition": vertices % 2}), 0.5

    for name, fake in {
        "cugraph": types.SimpleNamespace(Graph=Graph, leiden=leiden),
        "cudf": types.SimpleNamespace(DataFrame=pd.DataFrame),
    }.items():
        fake.__spec__ = importlib.machinery.ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, fake)
    return handed


def test_each_edge_once_and_labels_in_our_order(handed):
    labels = gpu_communities.gpu_communities(GRAPH, 1.5, 7)
    assert handed["edges"] == [[0, 1, 1], [1, 2, 1], [2, 3, 1]]
    assert (handed["resolution"], handed["seed"]) == (1.5, 7)
    assert labels.tolist() == [0, 1, 0, 1, 2]  # the last is alone


def test_it_is_used_where_there_is_a_gpu_and_cugraph(handed, monkeypatch):
    assert communities(GRAPH, 2.0, 3).tolist() != [0, 1, 0, 1, 2]
    assert not handed
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert communities(GRAPH, 2.0, 3, "cpu").tolist() != [0, 1, 0, 1, 2]
    assert communities(GRAPH, 2.0, 3, "cuda").tolist() == [0, 1, 0, 1, 2]
    assert communities(GRAPH, 2.0, 3).tolist() == [0, 1, 0, 1, 2]
    assert handed["resolution"] == 2.0


def test_it_is_not_used_without_cugraph(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert not gpu_communities.has_cugraph("cuda")


@pytest.mark.gpu
def test_cugraph_finds_the_cliques():
    pytest.importorskip("cugraph")
    labels = gpu_communities.gpu_communities(cliques(20, 20, bridges=[(0, 20)]), 1.0, 0)
    assert len(set(labels[:20])) == len(set(labels[20:])) == 1
    assert labels[0] != labels[20]
