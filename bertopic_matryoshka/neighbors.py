"""Selected embeddings -> nearest neighbours by cosine similarity."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka.checks import check_dim
from bertopic_matryoshka.moments import row_blocks
from bertopic_matryoshka.truncation import unit_rows

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike, NDArray

    Neighbors = tuple[NDArray[np.int32], NDArray[np.float32]]

logger = logging.getLogger(__name__)

METHODS = ("auto", "exact", "approximate")

EXACT_ROWS = 50_000
"""Rows up to which "auto" compares all pairs on a CPU."""

BLOCK_BYTES = 256 * 2**20
"""Memory for a block of similarities."""

SPARE = 8
"""Candidates beyond those asked for, re-scored so that rounding cannot change who is kept."""


def nearest_neighbors(
    embeddings: ArrayLike,
    n_neighbors: int,
    *,
    queries: ArrayLike | None = None,
    method: str = "auto",
    device: str | None = None,
) -> Neighbors:
    """Find the rows with the highest cosine similarity.

    Parameters
    ----------
    embeddings : array-like of shape (n_rows, n_dims)
        In half, single or double precision; may be memory-mapped. Rows need not have unit length.
    n_neighbors : int
        From 1 to n_rows - 1, or to n_rows with `queries`.
    queries : array-like of shape (n_queries, n_dims) or None, default=None
        Rows to find neighbours for. None takes the embeddings themselves, and a row is then not its
        own neighbour.
    method : {"auto", "exact", "approximate"}, default="auto"
        "exact" compares all pairs, in blocks, with torch. "approximate" is pynndescent's
        nearest-neighbour descent [1]_ and needs pynndescent. "auto" is "exact" on a GPU and up to
        50,000 rows, and "approximate" above where pynndescent is installed; it logs its choice.
    device : str or None, default=None
        For "exact", such as "cuda" or "cpu". None takes a GPU where there is one.

    Returns
    -------
    indices : ndarray of shape (n_queries, n_neighbors), int32
        Nearest first; equal similarities are ordered by index.
    similarities : ndarray of shape (n_queries, n_neighbors), float32, in [-1, 1]

    Raises
    ------
    ValueError
        If a parameter is out of range, a row is not finite, or a GPU is asked for and absent.
    ImportError
        If "approximate" is asked for without pynndescent.

    References
    ----------
    .. [1] W. Dong, C. Moses, K. Li, "Efficient k-nearest neighbor graph construction for generic
       similarity measures", WWW 2011.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r} must be one of {', '.join(METHODS)}.")
    X = _unit(embeddings)
    Q = None if queries is None else _unit(queries)
    available = X.shape[0] - (Q is None)
    check_dim(n_neighbors, available, of="neighbours that there are", name="n_neighbors")
    if method == "auto":
        method = _choose(X.shape[0], device)
    if method == "approximate":
        return _approximate(X, n_neighbors, Q)
    return _exact(X, n_neighbors, Q, device)


def _unit(embeddings: ArrayLike) -> NDArray[np.float32]:
    rows = np.asarray(embeddings)
    if rows.ndim != 2 or rows.shape[0] == 0:
        raise ValueError(f"embeddings has shape {rows.shape} and must be (n_rows, n_dims).")
    unit = np.empty(rows.shape, dtype=np.float32)
    for start, block in row_blocks(rows):
        unit[start : start + block.shape[0]] = unit_rows(block)
    return unit


def _choose(n_rows: int, device: str | None) -> str:
    import torch

    on_gpu = torch.cuda.is_available() if device is None else device.startswith("cuda")
    method = "exact"
    if n_rows > EXACT_ROWS and not on_gpu:
        try:
            import pynndescent  # noqa: F401
        except ImportError:
            logger.info("pynndescent is not installed: comparing all pairs of %d rows", n_rows)
        else:
            method = "approximate"
    logger.info("%s neighbours of %d rows on %s", method, n_rows, "GPU" if on_gpu else "CPU")
    return method


def _exact(
    X: NDArray[np.float32], n_neighbors: int, Q: NDArray[np.float32] | None, device: str | None
) -> Neighbors:
    import torch

    base = torch.from_numpy(X).to(_device(device))
    asked = base if Q is None else torch.from_numpy(Q).to(base.device)
    indices = np.empty((asked.shape[0], n_neighbors), dtype=np.int32)
    similarities = np.empty((asked.shape[0], n_neighbors), dtype=np.float32)
    n_candidates = min(n_neighbors + SPARE, base.shape[0] - (Q is None))
    rows = max(1, min(2048, BLOCK_BYTES // (4 * base.shape[0])))
    start = 0
    while start < asked.shape[0]:
        block = asked[start : start + rows]
        try:
            found = _candidates(base, block, n_candidates, start if Q is None else None)
            near, scores = _rescored(base, block, found, n_neighbors)
        except torch.OutOfMemoryError:
            if rows == 1:
                raise
            rows //= 2
            logger.info("out of memory: going on with blocks of %d rows", rows)
            continue
        indices[start : start + rows] = near.numpy(force=True)
        similarities[start : start + rows] = scores.numpy(force=True)
        start += rows
    return indices, similarities


def _candidates(
    base: torch.Tensor, block: torch.Tensor, n: int, first_row: int | None
) -> torch.Tensor:
    """Find the indices of the `n` most similar rows, in any order; not a row itself."""
    import torch

    similar = block @ base.T  # (rows, n_base)
    if first_row is not None:
        own = torch.arange(block.shape[0], device=base.device)
        similar[own, own + first_row] = -torch.inf
    return similar.topk(n, dim=1, sorted=False).indices


def _rescored(
    base: torch.Tensor, block: torch.Tensor, found: torch.Tensor, n: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keep the best `n` candidates, by scores whose rounding does not depend on the block."""
    import torch

    found = found.sort(dim=1).values  # so that the stable sort breaks ties by index
    scores = torch.einsum("qcd,qd->qc", base[found], block)
    order = scores.argsort(dim=1, descending=True, stable=True)[:, :n]
    best = scores.gather(1, order).clamp(-1, 1)
    return found.gather(1, order).to(torch.int32), best


def _approximate(
    X: NDArray[np.float32], n_neighbors: int, Q: NDArray[np.float32] | None
) -> Neighbors:
    try:
        from pynndescent import NNDescent
    except ImportError as error:
        raise ImportError(
            'method="approximate" needs pynndescent: pip install pynndescent. '
            '"exact" needs nothing.'
        ) from error
    # One more than asked for: the first is the row itself.
    index: Any = NNDescent(X, metric="dot", n_neighbors=max(n_neighbors + 1, 15), random_state=0)
    if Q is not None:
        indices, distances = index.query(Q, k=n_neighbors)
    else:
        indices, distances = index.neighbor_graph
        own = indices == np.arange(X.shape[0])[:, None]
        own[~own.any(axis=1), -1] = True  # duplicates may have crowded the row out
        keep = np.argsort(own, axis=1, kind="stable")[:, :n_neighbors]
        indices = np.take_along_axis(indices, keep, axis=1)
        distances = np.take_along_axis(distances, keep, axis=1)
    return indices.astype(np.int32), np.clip(1 - distances, -1, 1).astype(np.float32)


def _device(device: str | None) -> str:
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r} is asked for, but torch sees no GPU. Leave device out to go on "
            "with the CPU, or install a CUDA build of torch."
        )
    return device
