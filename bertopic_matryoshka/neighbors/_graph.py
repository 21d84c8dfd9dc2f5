"""Rows -> the cosine nearest-neighbour graph."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from bertopic_matryoshka.neighbors._copies import near_copies
from bertopic_matryoshka.neighbors._given import given_neighbors
from bertopic_matryoshka.neighbors._search import EXACT_ROWS, NeighborIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bertopic_matryoshka.neighbors._lists import SearchLists

SPARE = 4
"""Neighbours beyond those of the graph that are looked for, in place of copies."""

CLOSE = 2.0
"""Weight of a close edge, until all are 1."""


class DistinctGraph(NamedTuple):
    """The graph of the rows that repeat no others.

    Attributes
    ----------
    graph : csr_matrix of shape (n_kept, n_kept)
        Symmetric, with weights of 1 and an empty diagonal.
    is_close : ndarray of shape (graph.nnz,), bool
        Edges of which one end is among the nearer half of the neighbours of the other.
    kept : ndarray of shape (n_kept,), int
        The row that each row of the graph is. After an approximate search they are in the order of
        its lists, else in their own.
    group : ndarray of shape (n,), int
        Place in the graph of each row, or of the row that it repeats.
    lists : SearchLists or None
        What an approximate search of the kept rows can begin with.
    """

    graph: csr_matrix
    is_close: NDArray[np.bool_]
    kept: NDArray[np.int_]
    group: NDArray[np.int_]
    lists: SearchLists | None


def neighbor_graph(
    rows: NDArray[np.floating],
    n_neighbors: int,
    *,
    method: str = "auto",
    device: str | Sequence[str] | None = None,
) -> csr_matrix:
    """Join two rows if one is among the nearest neighbours of the other.

    Parameters
    ----------
    rows : ndarray of shape (n, n_dims)
    n_neighbors : int
        Number of neighbours, >= 1; fewer where there are too few rows.
    method, device
        See nearest_neighbors.

    Returns
    -------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights of 1 and an empty diagonal.
    """
    found = distinct_neighbor_graph(rows, n_neighbors, 0, method=method, device=device)
    graph = found.graph[found.group][:, found.group]
    graph.sort_indices()
    return graph


def distinct_neighbor_graph(
    rows: NDArray[np.floating],
    n_neighbors: int,
    copy_distance: float,
    *,
    method: str = "auto",
    device: str | Sequence[str] | None = None,
    neighbors: Any = None,
) -> DistinctGraph:
    """Build the graph of the rows that are no near copies of others.

    See near_copies and neighbor_graph. A copy among a row's neighbours gives place to the row that
    it repeats. Only rows that then have too few neighbours are searched again. With `neighbors`, a
    transformer or a sparse matrix of shape (n, n), these are the neighbours instead, and no row is
    searched again.
    """
    n = rows.shape[0]
    k, lists = min(n_neighbors, n - 1), None
    if k < 1:
        return DistinctGraph(*_edgeless(n), np.arange(n), np.arange(n), lists)
    index_of = partial(NeighborIndex, method=method, device=device)
    if neighbors is None:
        index = index_of(rows)
        indices, similarities = index.search(min(k + (SPARE if copy_distance else 0), n - 1))
        lists = index.lists_built()
        del index  # it holds the rows once more
    else:
        indices, similarities = given_neighbors(neighbors, rows)
        k = indices.shape[1]
    representative = near_copies(rows, indices[:, :k], similarities[:, :k], copy_distance)
    kept = np.flatnonzero(representative == np.arange(n))
    if lists is not None:  # near rows are then near in memory too, and Leiden takes less time
        kept = kept[np.argsort(lists.list_of[0, kept], kind="stable")]
        lists = lists.of(kept)
    place = np.empty(n, dtype=np.int64)
    place[kept] = np.arange(kept.size)
    group = place[representative]
    k = min(k, kept.size - 1)
    if k < 1:
        return DistinctGraph(*_edgeless(kept.size), kept, group, lists)
    indices = indices[kept]
    near = group[indices[:, :k]].astype(np.int32)
    beside_copies = np.flatnonzero((representative != np.arange(n))[indices].any(axis=1))
    near[beside_copies], is_there = _without_copies(group[indices[beside_copies]], k, beside_copies)
    lacking = beside_copies[~is_there]
    if neighbors is None and lacking.size:
        distinct = rows[kept]
        if method == "auto" and lacking.size * kept.size <= EXACT_ROWS**2:
            index_of = partial(index_of, method="exact")  # few pairs: lists would not be worth it
        again = index_of(distinct, lists=lists).search(k + 1, distinct[lacking])[0]
        near[lacking] = _without_copies(again, k, lacking)[0]
    return DistinctGraph(*_joined(near), kept, group, lists)


def _without_copies(
    indices: NDArray[np.integer], k: int, own: NDArray[np.integer]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Keep the first `k` distinct neighbours of each row, without the row itself.

    Parameters
    ----------
    indices : ndarray of shape (n, n_found), int
        Nearest first; may have an index several times.
    k : int
    own : ndarray of shape (n,), int
        Index of each row.

    Returns
    -------
    near : ndarray of shape (n, k), int32
    is_there : ndarray of shape (n,), bool
        Whether the row has as many. Otherwise its own index is in place of those that it lacks.
    """
    order = np.argsort(indices, axis=1, kind="stable")
    ascending = np.take_along_axis(indices, order, axis=1)
    repeated = np.zeros(indices.shape, dtype=bool)
    repeated[:, 1:] = ascending[:, 1:] == ascending[:, :-1]
    dropped = np.empty_like(repeated)
    np.put_along_axis(dropped, order, repeated | (ascending == own[:, None]), axis=1)
    first = np.argsort(dropped, axis=1, kind="stable")[:, :k]
    near = np.take_along_axis(indices, first, axis=1).astype(np.int32)
    is_there = ~np.take_along_axis(dropped, first, axis=1)
    near = np.where(is_there, near, own[:, None].astype(np.int32))
    return near, np.all(is_there, axis=1)


def _joined(indices: NDArray[np.integer]) -> tuple[csr_matrix, NDArray[np.bool_]]:
    """Join each row with its neighbours, nearest first; mark the close edges."""
    n, k = indices.shape
    weights = np.ones((n, k), dtype=np.float32)
    weights[:, : -(-k // 2)] = CLOSE
    starts = np.arange(0, n * k + 1, k)
    directed = csr_matrix((weights.ravel(), indices.ravel(), starts), shape=(n, n))
    graph = directed.maximum(directed.T).tocsr()
    if (indices == np.arange(n)[:, None]).any():  # in place of neighbours that a row lacks
        graph.setdiag(0)
        graph.eliminate_zeros()
    graph.sort_indices()
    is_close = graph.data == CLOSE
    graph.data[:] = 1
    return graph, is_close


def _edgeless(n: int) -> tuple[csr_matrix, NDArray[np.bool_]]:
    return csr_matrix((n, n)), np.empty(0, dtype=bool)
