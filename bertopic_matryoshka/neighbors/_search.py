"""Selected embeddings -> nearest neighbours by cosine similarity."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._constraints import check_arguments, choice, whole
from bertopic_matryoshka._memory import in_blocks
from bertopic_matryoshka._threads import one_thread
from bertopic_matryoshka._validation import check_at_least, find_device

if TYPE_CHECKING:
    import torch
    from numpy.typing import ArrayLike, NDArray

    from bertopic_matryoshka.neighbors._inverted_file import InvertedFile
    from bertopic_matryoshka.neighbors._rows import DeviceRows

    Neighbors = tuple[NDArray[np.int32], NDArray[np.float32]]

logger = logging.getLogger(__name__)

METHODS = ("auto", "exact", "approximate")

EXACT_ROWS = 8_000
"""Rows up to which "auto" compares all pairs on a CPU."""

AXES = 128
"""Principal axes on which "approximate" looks for candidates in wider rows."""

SHORTLIST = 1.5
"""Candidates per neighbour that are ranked again at full width, if they were found on axes."""

AXES_ROWS = 4_096
"""Rows, evenly spaced, from which the principal axes are found."""

RANKED_BYTES = {"cpu": 2**20, "cuda": 2**28}
"""Memory for the candidates' rows, while they are ranked; on a CPU about what a cache holds."""

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
    n_probes: int = 2,
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
    method : {"auto", "exact", "approximate"}, default="auto"
        "exact" compares all pairs, in blocks. "approximate" searches the nearest lists of
        inverted files [1]_, on 128 principal axes where rows are wider, and ranks the best at full
        width. docs/neighbors.md has their recall and seconds. "auto" is "exact" on a GPU and up to
        8,000 rows, "approximate" above; it logs its choice.
    n_probes : int, default=2
        Number of lists, of about 600 rows, that "approximate" searches for a row in each of three
        files, >= 1: more lists find more of the neighbours and take more time.
    device : str or None, default=None
        Device, such as "cuda" or "cpu". None takes a GPU where there is one.

    Returns
    -------
    indices : ndarray of shape (n_queries, n_neighbors), int32
        Nearest first; equal similarities are ordered by index. Where more rows are as similar as
        the last neighbour than are returned, any of them may be.
    similarities : ndarray of shape (n_queries, n_neighbors), float32, in [-1, 1]
        Cosine similarities at full width, with every method.

    Raises
    ------
    TypeError
        If `n_neighbors` is not an int.
    ValueError
        If a parameter is out of range, an array is not two-dimensional, the widths of `queries` and
        `embeddings` differ, a row is not finite, or `device` is a GPU that is not available.

    References
    ----------
    .. [1] J. Sivic, A. Zisserman, "Video Google: a text retrieval approach to object matching in
       videos", ICCV 2003.
    """
    index = NeighborIndex(embeddings, method=method, n_probes=n_probes, device=device)
    return index.search(n_neighbors, queries)


class NeighborIndex:
    """Rows that are searched for the nearest neighbours of others, more than once.

    It is built in its first search of other rows, and not pickled: a copy builds it again.

    Parameters
    ----------
    embeddings, method, n_probes, device
        See nearest_neighbors.
    """

    def __init__(
        self,
        embeddings: ArrayLike,
        *,
        method: str = "auto",
        n_probes: int = 2,
        device: str | None = None,
    ) -> None:
        check_arguments(locals(), method=choice(METHODS), n_probes=whole(1))
        self.embeddings, self.method, self.n_probes = embeddings, method, n_probes
        self.device = device

    def __getstate__(self) -> dict[str, Any]:
        built = ("_base", "_axes", "_projected", "_files")
        return {name: value for name, value in vars(self).items() if name not in built}

    @one_thread()
    def search(self, n_neighbors: int, queries: ArrayLike | None = None) -> Neighbors:
        """Find the nearest neighbours of the queries, or of the rows; see nearest_neighbors."""
        # These need torch, which takes a second to import.
        import torch

        from bertopic_matryoshka.neighbors._rows import DeviceRows

        base, device = self._base, self._base.device
        query_rows = base if queries is None else DeviceRows(queries, device, name="queries")
        available = base.n_rows - (query_rows is base)
        check_at_least(n_neighbors, 1, name="n_neighbors")
        if n_neighbors > available:
            others = "other rows" if query_rows is base else "rows"
            raise ValueError(
                f"n_neighbors={n_neighbors} must be at most {available}, the number of {others} in "
                "the embeddings. Ask for fewer neighbours."
            )
        if query_rows.n_dims != base.n_dims:
            raise ValueError(
                f"queries are {query_rows.n_dims} wide and embeddings {base.n_dims}. Cut or select "
                "both in the same way."
            )
        indices = np.empty((query_rows.n_rows, n_neighbors), dtype=np.int32)
        similarities = np.empty((query_rows.n_rows, n_neighbors), dtype=np.float32)
        found = self._candidates(query_rows, n_neighbors)

        def rank(start: int, stop: int) -> None:
            """Keep the best of the candidates of some queries."""
            part = slice(start, stop)
            block = query_rows.take(torch.arange(start, stop, device=found.device))
            near, scores = _rescored(base, block, found[part], n_neighbors)
            indices[part], similarities[part] = near.numpy(force=True), scores.numpy(force=True)

        ranked_bytes = RANKED_BYTES.get(found.device.type, RANKED_BYTES["cpu"])
        size = ranked_bytes // (4 * base.n_dims * found.shape[1])
        in_blocks(rank, query_rows.n_rows, size, device=found.device.type)
        return indices, similarities

    def _candidates(self, query_rows: DeviceRows, n_neighbors: int) -> torch.Tensor:
        """Find candidates for the neighbours of all queries, of shape (n_queries, n), int32."""
        from bertopic_matryoshka.neighbors._exact import all_candidates
        from bertopic_matryoshka.neighbors._inverted_file import inverted_file_candidates

        base = self._base
        own = query_rows is base
        available = base.n_rows - own
        if self._chosen_method() == "approximate":
            candidates_of_each = 1.0 if self._axes is None else SHORTLIST
            n_candidates = min(round(candidates_of_each * n_neighbors) + SPARE, available)
            queries, files = (None, None) if own else (query_rows.whole(self._axes), self._files)
            return inverted_file_candidates(
                self._projected, queries, n_candidates, self.n_probes, files
            )
        spare, n_sure = SPARE, None
        if base.device.startswith("cuda"):
            spare, n_sure = HALF_SPARE, n_neighbors
        return all_candidates(
            base.chunks,
            query_rows.chunks,
            base.n_rows,
            query_rows.n_rows,
            min(n_neighbors + spare, available),
            own=own,
            n_sure=n_sure,
        )

    def _chosen_method(self) -> str:
        if self.method != "auto":
            return self.method
        base = self._base
        on_gpu = not base.device.startswith("cpu")
        method = "exact" if on_gpu or base.n_rows <= EXACT_ROWS else "approximate"
        logger.info("%s neighbours of %d rows on %s", method, base.n_rows, base.device)
        return method

    @cached_property
    def _base(self) -> DeviceRows:
        from bertopic_matryoshka.neighbors._rows import DeviceRows

        return DeviceRows(self.embeddings, find_device(self.device))

    @cached_property
    def _axes(self) -> torch.Tensor | None:
        return _principal_axes(self._base, AXES) if self._base.n_dims > AXES else None

    @cached_property
    def _projected(self) -> torch.Tensor:
        return self._base.whole(self._axes)

    @cached_property
    def _files(self) -> list[InvertedFile]:
        from bertopic_matryoshka.neighbors._inverted_file import N_FILES, build_file

        return [build_file(self._projected, number) for number in range(N_FILES)]


def _rescored(
    base: DeviceRows, block: torch.Tensor, found: torch.Tensor, n: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keep the best `n` candidates, by scores whose rounding does not depend on the block."""
    import torch

    found = found.sort(dim=1).values  # so that the stable sort breaks ties by index
    # A matrix product would round the same row in several ways.
    scores = base.take(found).mul_(block[:, None]).sum(dim=2).clamp(-1, 1)
    order = scores.argsort(dim=1, descending=True, stable=True)[:, :n]
    return found.gather(1, order).to(torch.int32), scores.gather(1, order)


def _principal_axes(base: DeviceRows, dims: int) -> torch.Tensor:
    """Principal axes of the rows, not centred, of shape (n_dims, dims)."""
    import torch

    n = min(base.n_rows, AXES_ROWS)
    sample = base.take(torch.arange(n, device=base.device) * base.n_rows // n).double()
    axes: torch.Tensor = torch.linalg.eigh(sample.T @ sample).eigenvectors  # ascending
    return axes[:, -dims:].float().contiguous()
