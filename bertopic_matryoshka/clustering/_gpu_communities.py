"""A neighbour graph -> communities, by Leiden on a GPU with RAPIDS cuGraph."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

MAX_ITERATIONS = 100


def has_cugraph(device: str | None) -> bool:
    """Say whether cuGraph is installed and the device is a GPU; None is one where there is one."""
    if importlib.util.find_spec("cugraph") is None or importlib.util.find_spec("cudf") is None:
        return False
    import torch

    return torch.cuda.is_available() and (device is None or device.startswith("cuda"))


def gpu_communities(graph: csr_matrix, resolution: float, seed: int) -> NDArray[np.int_]:
    """Find the communities of an undirected graph, with cuGraph's Leiden.

    cuGraph maximises modularity, whose null model differs from the Constant Potts Model's in
    counting degrees for rows; in a nearest-neighbour graph these are about in proportion.

    Parameters
    ----------
    graph : csr_matrix of shape (n, n)
        Symmetric, with weights > 0.
    resolution : float
    seed : int

    Returns
    -------
    labels : ndarray of shape (n,), int, from 0
    """
    import cudf
    import cugraph

    edges = graph.tocoo()
    above = edges.row < edges.col  # each edge once
    table = cudf.DataFrame(
        {
            "source": edges.row[above],
            "target": edges.col[above],
            "weight": edges.data[above].astype(np.float32),
        }
    )
    theirs = cugraph.Graph()
    theirs.from_cudf_edgelist(table, source="source", destination="target", weight="weight")
    found, _ = cugraph.leiden(
        theirs, max_iter=MAX_ITERATIONS, resolution=resolution, random_state=seed
    )
    vertices, communities = _numpy(found["vertex"]), _numpy(found["partition"])
    labels = np.full(graph.shape[0], -1, dtype=np.int64)
    labels[vertices] = communities
    alone = np.flatnonzero(labels < 0)  # a row without an edge is not in their graph
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(alone.size)
    return labels


def _numpy(column: object) -> NDArray[np.int64]:
    values = column.to_numpy()  # type: ignore[attr-defined]
    result: NDArray[np.int64] = values.astype(np.int64)
    return result
