"""A neighbour graph -> Leiden communities, at a resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

FLAVORS = ("graspologic", "cugraph")
"""Implementations of Leiden."""

CUGRAPH_ITERATIONS = 100
"""Maximum number of levels in cuGraph, its own default."""

ITERATIONS = 1
"""Leiden iterations; a second takes as long again and changes no measure after merging."""


def check_flavor(flavor: str) -> None:
    """Check that an implementation of Leiden is known and installed."""
    if flavor not in FLAVORS:
        raise ValueError(f"flavor={flavor!r} must be one of {', '.join(FLAVORS)}.")
    if flavor == "cugraph":
        try:
            import cudf  # noqa: F401
            import cugraph  # noqa: F401
        except ImportError as error:
            raise ImportError(
                'flavor="cugraph" needs RAPIDS cuGraph, for NVIDIA GPUs on Linux: '
                'pip install "bertopic-matryoshka[cugraph]". flavor="graspologic" needs nothing.'
            ) from error


def communities(
    graph: csr_matrix, resolution: float, seed: int, flavor: str = "graspologic"
) -> NDArray[np.int_]:
    """Find the communities of an undirected graph, by Leiden.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights > 0.
    resolution : float
        Relative to the density of a random graph of this mean degree; a larger value gives more.
    seed : int
    flavor : {"graspologic", "cugraph"}, default="graspologic"
        "graspologic" maximises the Constant Potts Model, on the CPU. "cugraph" maximises
        modularity, on a GPU. Its null model counts degrees instead of rows; in a nearest-neighbour
        graph these are about proportional, so that the communities are similar but not the same.

    Returns
    -------
    labels : ndarray of shape (n,), int, >= 0
    """
    if graph.nnz == 0:
        return np.arange(graph.shape[0])
    if flavor == "cugraph":
        return _by_cugraph(graph, resolution, seed)
    return _by_graspologic(graph, resolution, seed)


def _by_graspologic(graph: csr_matrix, resolution: float, seed: int) -> NDArray[np.int_]:
    n = graph.shape[0]
    from graspologic_native import leiden_csr

    # CPM does not depend on the weights' scale, but the library's refinement does: with weights
    # of 1 it hardly merges and its quality ends 12 % lower. See docs/selection.md.
    weights = graph.data.astype(np.float64)
    weights /= weights.sum() / n
    _, found = leiden_csr(
        graph.indptr.astype(np.int64, copy=False),
        graph.indices.astype(np.int32, copy=False),
        weights,
        n,
        resolution=resolution / n,
        iterations=ITERATIONS,
        use_modularity=False,
        seed=seed,
    )
    return np.fromiter(map(found.__getitem__, range(n)), dtype=np.int64, count=n)


def _by_cugraph(graph: csr_matrix, resolution: float, seed: int) -> NDArray[np.int_]:
    import cudf
    import cugraph

    edges = graph.tocoo()
    above = edges.row < edges.col  # each edge once
    table = cudf.DataFrame(
        {
            "source": edges.row[above],
            "target": edges.col[above],
            "weight": edges.data[above].astype(np.float64),  # a float32 ends counting at 2**24
        }
    )
    theirs = cugraph.Graph()
    theirs.from_cudf_edgelist(table, source="source", destination="target", weight="weight")
    found, _ = cugraph.leiden(
        theirs, max_iter=CUGRAPH_ITERATIONS, resolution=resolution, random_state=seed
    )
    labels = np.full(graph.shape[0], -1, dtype=np.int64)
    labels[found["vertex"].to_numpy()] = found["partition"].to_numpy()
    alone = np.flatnonzero(labels < 0)  # cuGraph leaves out rows without an edge
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(alone.size)
    return labels
