"""Selected embeddings -> nearest neighbours by cosine similarity."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka._memory import in_blocks
from bertopic_matryoshka._validation import check_at_least, find_device
from bertopic_matryoshka.neighbors._pynndescent import descent_neighbors

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from numpy.typing import ArrayLike, NDArray

    from bertopic_matryoshka.neighbors._rows import DeviceRows

    Neighbors = tuple[NDArray[np.int32], NDArray[np.float32]]

logger = logging.getLogger(__name__)

METHODS = ("auto", "exact", "two_stage", "approximate", "pynndescent")

EXACT_ROWS = 8_000
"""Rows up to which "auto" compares all pairs on a CPU."""

SHORTLIST_DIMS = 64
"""Principal axes on which "two_stage" looks for candidates."""

INVERTED_FILE_DIMS = 128
"""Principal axes on which "approximate" looks for candidates in wider rows."""

SHORTLIST = {"two_stage": 4.0, "approximate": 1.5}
"""Candidates per neighbour that are ranked again at full width, if they were found on axes."""

AXES_ROWS = 4_096
"""Rows, evenly spaced, from which the principal axes are found."""

BLOCK_BYTES = 256 * 2**20
"""Memory for a block of similarities."""

SPARE = 4
"""Candidates beyond `n_neighbors`, scored again so that rounding does not change which are kept."""

HALF_SPARE = 32
"""The same for products in half precision on a GPU: with few, many rows would be searched twice."""


def nearest_neighbors(
    embeddings: ArrayLike,
    n_neighbors: int,
    *,
    queries: ArrayLike | None = None,
    method: str = "auto",
    n_probes: int = 8,
    device: str | None = None,
) -> Neighbors:
    """Find the rows with the highest cosine similarity.

    Parameters
    ----------
    embeddings : array-like of shape (n_rows, n_dims)
        In half, single or double precision; may be memory-mapped. Rows need not have unit length.
    n_neighbors : int
        Number of neighbours, from 1 to n_rows - 1, or to n_rows with `queries`.
    queries : array-like of shape (n_queries, n_dims) or None, default=None
        Rows to find neighbours for. None takes the embeddings themselves, and a row is then not its
        own neighbour.
    method : {"auto", "exact", "two_stage", "approximate", "pynndescent"}, default="auto"
        "exact" compares all pairs, in blocks. "two_stage" compares all pairs on the first
        64 principal axes and ranks the best four times `n_neighbors` again at full width: a
        Matryoshka shortlist [1]_ for any model. "approximate" searches the nearest lists of an
        inverted file [2]_ and ranks the best again at full width. "pynndescent" uses the library of
        that name, which compiles for 20 s in each new process and then finds more neighbours in
        less time. docs/neighbors.md has the figures. "auto" is "exact" on a GPU and up to 8,000
        rows, "approximate" above; it logs its choice.
    n_probes : int, default=8
        Number of lists that "approximate" searches for a row, >= 1: more lists find more of the
        neighbours and take more time.
    device : str or None, default=None
        Device, such as "cuda" or "cpu". None takes a GPU where there is one.

    Returns
    -------
    indices : ndarray of shape (n_queries, n_neighbors), int32
        Nearest first; equal similarities are ordered by index, except with "pynndescent". Where
        more rows are as similar as the last neighbour than are returned, any of them may be.
    similarities : ndarray of shape (n_queries, n_neighbors), float32, in [-1, 1]
        Cosine similarities at full width, with every method.

    Raises
    ------
    TypeError
        If `n_neighbors` is not an int.
    ValueError
        If a parameter is out of range, an array is not two-dimensional, the widths of `queries` and
        `embeddings` differ, a row is not finite, or `device` is a GPU that is not available.
    ImportError
        If `method` is "pynndescent", which is not installed.

    References
    ----------
    .. [1] A. Kusupati et al., "Matryoshka representation learning", NeurIPS 2022.
    .. [2] J. Sivic, A. Zisserman, "Video Google: a text retrieval approach to object matching in
       videos", ICCV 2003.
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r} must be one of {', '.join(METHODS)}.")
    if n_probes < 1:
        raise ValueError(f"n_probes={n_probes} must be at least 1, a number of lists.")
    device = find_device(device)
    # These need torch, which takes a second to import.
    from bertopic_matryoshka.neighbors._rows import DeviceRows

    base = DeviceRows(embeddings, device)
    query_rows = base if queries is None else DeviceRows(queries, device, name="queries")
    available = base.n_rows - (query_rows is base)
    check_at_least(n_neighbors, 1, name="n_neighbors")
    if n_neighbors > available:
        others = "other rows" if query_rows is base else "rows"
        raise ValueError(
            f"n_neighbors={n_neighbors} must be at most {available}, the number of {others} in the "
            "embeddings. Ask for fewer neighbours."
        )
    if query_rows.n_dims != base.n_dims:
        raise ValueError(
            f"queries are {query_rows.n_dims} wide and embeddings {base.n_dims}. Cut or select "
            "both in the same way."
        )
    if method == "auto":
        on_gpu = not device.startswith("cpu")
        method = "exact" if on_gpu or base.n_rows <= EXACT_ROWS else "approximate"
        logger.info("%s neighbours of %d rows on %s", method, base.n_rows, device)
    if method == "pynndescent":
        explicit_queries = None if query_rows is base else query_rows.whole().numpy(force=True)
        return descent_neighbors(base.whole().numpy(force=True), n_neighbors, explicit_queries)
    indices = np.empty((query_rows.n_rows, n_neighbors), dtype=np.int32)
    similarities = np.empty((query_rows.n_rows, n_neighbors), dtype=np.float32)
    for start, found in _candidates(base, query_rows, n_neighbors, method, n_probes):
        near, scores = _ranked(base, query_rows, start, found, n_neighbors)
        indices[start : start + near.shape[0]] = near.numpy(force=True)
        similarities[start : start + near.shape[0]] = scores.numpy(force=True)
    return indices, similarities


def _candidates(
    base: DeviceRows, query_rows: DeviceRows, n_neighbors: int, method: str, n_probes: int
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield the first row of each block of queries, and candidates for its neighbours."""
    from bertopic_matryoshka.neighbors._exact import all_candidates
    from bertopic_matryoshka.neighbors._inverted_file import inverted_file_candidates

    own = query_rows is base
    available = base.n_rows - own
    n_candidates = min(n_neighbors + SPARE, available)
    if method == "exact":
        n_sure = None
        if base.device.startswith("cuda"):
            n_candidates, n_sure = min(n_neighbors + HALF_SPARE, available), n_neighbors
        yield from all_candidates(
            base.chunks, query_rows.chunks, base.n_rows, n_candidates, own=own, n_sure=n_sure
        )
        return
    dims = SHORTLIST_DIMS if method == "two_stage" else INVERTED_FILE_DIMS
    axes = _principal_axes(base, dims) if dims < base.n_dims else None
    short = base.whole(axes)
    queries = short if own else query_rows.whole(axes)
    if axes is not None:
        n_candidates = min(round(SHORTLIST[method] * n_neighbors) + SPARE, available)
    if method == "approximate":
        explicit_queries = None if own else queries
        yield from inverted_file_candidates(
            short, explicit_queries, n_candidates, n_probes, BLOCK_BYTES
        )
    else:
        yield from all_candidates(
            lambda: [(0, short)],
            lambda: [(0, queries)],
            base.n_rows,
            n_candidates,
            own=own,
        )


def _ranked(
    base: DeviceRows, query_rows: DeviceRows, start: int, found: torch.Tensor, n_neighbors: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keep the best `n_neighbors` candidates of a block of queries, scored at full width."""
    import torch

    from bertopic_matryoshka.neighbors._exact import top

    near = torch.empty((found.shape[0], n_neighbors), dtype=torch.int32, device=found.device)
    scores = torch.empty((found.shape[0], n_neighbors), device=found.device)

    def rank(first: int, stop: int) -> None:
        block = query_rows.take(torch.arange(start + first, start + stop, device=found.device))
        part = slice(first, stop)
        near[part], scores[part] = _rescored(base, block, found[part], n_neighbors)

    for _ in in_blocks(rank, found.shape[0], BLOCK_BYTES // (4 * base.n_dims * found.shape[1])):
        pass
    lacking = torch.nonzero(~torch.isfinite(scores[:, -1]))[:, 0]  # too few rows in their lists
    n = min(n_neighbors + SPARE, base.n_rows - (query_rows is base))

    def search(first: int, stop: int) -> None:
        short = lacking[first:stop]
        block, own = query_rows.take(start + short), start + short if query_rows is base else None
        best = top(base.chunks, block, own, n)[1]
        near[short], scores[short] = _rescored(base, block, best, n_neighbors)

    size = BLOCK_BYTES // (4 * max(base.n_rows, base.n_dims * n))
    for _ in in_blocks(search, lacking.shape[0], size):
        pass
    return near, scores


def _rescored(
    base: DeviceRows, block: torch.Tensor, found: torch.Tensor, n: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keep the best `n` candidates, by scores whose rounding does not depend on the block."""
    import torch

    if found.shape[1] < n:
        found = torch.nn.functional.pad(found, (0, n - found.shape[1]), value=-1)
    found = found.sort(dim=1).values  # so that the stable sort breaks ties by index
    # A matrix product would round the same row in several ways.
    scores = base.take(found.clamp(min=0)).mul_(block[:, None]).sum(dim=2).clamp(-1, 1)
    scores = torch.where(found < 0, -torch.inf, scores)
    order = scores.argsort(dim=1, descending=True, stable=True)[:, :n]
    return found.gather(1, order).to(torch.int32), scores.gather(1, order)


def _principal_axes(base: DeviceRows, dims: int) -> torch.Tensor:
    """Principal axes of the rows, not centred, of shape (n_dims, dims)."""
    import torch

    n = min(base.n_rows, AXES_ROWS)
    sample = base.take(torch.arange(n, device=base.device) * base.n_rows // n).double()
    axes: torch.Tensor = torch.linalg.eigh(sample.T @ sample).eigenvectors  # ascending
    return axes[:, -dims:].float().contiguous()
