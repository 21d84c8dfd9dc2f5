"""Small graphs for the tests of clustering."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import block_diag
from scipy.sparse import csr_matrix


def graph_of(edges, n=None):
    """The graph with these edges, as in "01 02"; a letter follows 9, as in base 36."""
    pairs = np.array([[int(end, 36) for end in edge] for edge in edges.split()])
    n = n or pairs.max() + 1
    dense = np.zeros((n, n))
    dense[pairs[:, 0], pairs[:, 1]] = dense[pairs[:, 1], pairs[:, 0]] = 1
    return csr_matrix(dense)


def cliques(*sizes, bridges=()):
    """Complete graphs of these sizes side by side, and further edges as pairs of rows."""
    dense = block_diag(*(np.ones((size, size)) - np.eye(size) for size in sizes))
    for a, b in bridges:
        dense[a, b] = dense[b, a] = 1
    return csr_matrix(dense)


def clique_labels(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def symmetric(halves):
    """Symmetric and without a diagonal, from the cells above it."""
    above = np.triu(halves, 1)
    return csr_matrix((above + above.T).astype(float))


def contiguous(labels):
    """Labels from 0 without a gap, -1 kept."""
    found = np.unique(labels[labels >= 0])
    return np.where(labels < 0, -1, np.searchsorted(found, labels))


@st.composite
def labelled_graphs(draw, max_rows=12, max_clusters=5, least=-1, max_weight=1):
    """A graph with whole weights, and labels from 0 without a gap, or -1."""
    n = draw(st.integers(1, max_rows))
    halves = draw(arrays(np.int64, (n, n), elements=st.integers(0, max_weight)))
    labels = draw(arrays(np.int64, n, elements=st.integers(least, max_clusters - 1)))
    return symmetric(halves), contiguous(labels)


def same_partition(one, other):
    """Whether two labellings divide the rows alike, whatever the numbers; -1 is -1 in both."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    both = [(a, b) for a, b in pairs if (a < 0) == (b < 0)]
    return len(both) == len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
