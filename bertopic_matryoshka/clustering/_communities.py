"""A neighbour graph -> Leiden communities, at a resolution or in about a given number."""

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

SEARCH_RUNS = 12
"""Maximum number of Leiden runs in the search for a number of communities."""


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


def resolution_for(
    graph: csr_matrix,
    least: int,
    most: int,
    min_cluster_size: int,
    seed: int,
    flavor: str = "graspologic",
) -> tuple[NDArray[np.int_], float]:
    """Search a resolution that gives `least` to `most` communities of `min_cluster_size` rows.

    Their number grows about in proportion to the resolution, so the search interpolates the
    logarithms of both. If no run is in the range, the result is the run with the fewest communities
    above it, or else the one with the most.

    Returns
    -------
    labels : ndarray of shape (n,), int
    resolution : float
    """
    target = np.log2(np.sqrt(least * most))
    below: tuple[float, float] | None = None  # logarithms of resolution and number
    above: tuple[float, float] | None = None
    seen: list[tuple[int, float, NDArray[np.int_]]] = []
    exponent = 1.0
    for _ in range(SEARCH_RUNS):
        labels = communities(graph, 2.0**exponent, seed, flavor)
        sizes = np.bincount(labels)
        large = sizes >= min_cluster_size
        count = int(large.sum())
        seen.append((count, 2.0**exponent, labels))
        if least <= count <= most:
            break
        point = exponent, float(np.log2(max(count, 0.5)))
        # Where most rows are in small communities, the number of large ones falls again.
        if count > most or 2 * sizes[large].sum() < sizes.sum():
            above = point
        else:
            below = point
        if above is None:
            exponent += float(np.clip(target - point[1], 0.5, 4))
        elif below is None:
            exponent -= float(np.clip(point[1] - target, 0.5, 4))
        else:
            rise = above[1] - below[1]
            share = (target - below[1]) / rise if rise > 0 else 0.5
            exponent = below[0] + float(np.clip(share, 0.2, 0.8)) * (above[0] - below[0])
    enough = [run for run in seen if run[0] >= least]
    _, resolution, labels = (
        min(enough, key=lambda run: run[0]) if enough else max(seen, key=lambda run: run[0])
    )
    return labels, resolution


def _by_graspologic(graph: csr_matrix, resolution: float, seed: int) -> NDArray[np.int_]:
    n = graph.shape[0]
    from graspologic_native import leiden_csr

    # CPM does not depend on the weights' scale, but the library's refinement does: with weights
    # of 1 it hardly merges and its quality ends 12 % lower. See docs/selection.md.
    mean_degree = graph.sum() / n
    _, found = leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        (graph.data / mean_degree).astype(np.float64),
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
