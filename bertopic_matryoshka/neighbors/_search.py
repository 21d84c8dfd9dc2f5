"""Selected embeddings -> nearest neighbours by cosine similarity."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bertopic_matryoshka._constraints import check_arguments, choice, whole
from bertopic_matryoshka._memory import in_blocks
from bertopic_matryoshka._precision import full_precision
from bertopic_matryoshka._threads import one_thread
from bertopic_matryoshka._validation import check_at_least, find_devices
from bertopic_matryoshka.neighbors._lists import SearchLists

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    device: str | Sequence[str] | None = None,
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
    device : str, sequence of str or None, default=None
        Device, such as "cuda" or "cpu". None takes a GPU where there is one. Several, such as
        ``["cuda:0", "cuda:1"]``, compare all pairs: each holds the rows, or reads them, and takes
        an equal share of the queries.

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
        `embeddings` differ, a row is not finite, `device` is a GPU that is not available, or
        several devices are given with ``method="approximate"``.

    References
    ----------
    .. [1] J. Sivic, A. Zisserman, "Video Google: a text retrieval approach to object matching in
       videos", ICCV 2003.
    """
    index = NeighborIndex(embeddings, method=method, n_probes=n_probes, device=device)
    return index.search(n_neighbors, queries)


class Queries(NamedTuple):
    """Rows that neighbours are found for: from `low` to `high` of `rows`; `own` if of the base."""

    rows: DeviceRows
    low: int
    high: int
    own: bool


class NeighborIndex:
    """Rows that are searched for the nearest neighbours of others, more than once.

    It is built in its first search, and not pickled: a copy builds it again.

    Parameters
    ----------
    embeddings, method, n_probes, device
        See nearest_neighbors.
    lists : SearchLists or None, default=None
        What an index of these rows, or of more, has built; see :meth:`lists_built`. It is of use to
        an approximate search only.
    """

    def __init__(
        self,
        embeddings: ArrayLike,
        *,
        method: str = "auto",
        n_probes: int = 2,
        device: str | Sequence[str] | None = None,
        lists: SearchLists | None = None,
    ) -> None:
        check_arguments(locals(), method=choice(METHODS), n_probes=whole(1))
        self.embeddings, self.method, self.n_probes = embeddings, method, n_probes
        self.device, self._lists = device, lists

    def __getstate__(self) -> dict[str, Any]:
        built = ("_bases", "_axes", "_projected", "_files")
        return {name: value for name, value in vars(self).items() if name not in built}

    @full_precision()
    @one_thread()
    def search(self, n_neighbors: int, queries: ArrayLike | None = None) -> Neighbors:
        """Find the nearest neighbours of the queries, or of the rows; see nearest_neighbors."""
        # It needs torch, which takes a second to import.
        from bertopic_matryoshka.neighbors._rows import DeviceRows

        first = self._bases[0]
        asked = [
            base if queries is None else DeviceRows(queries, base.device, name="queries")
            for base in self._bases
        ]
        n_queries, n_dims = asked[0].n_rows, asked[0].n_dims
        available = first.n_rows - (queries is None)
        check_at_least(n_neighbors, 1, name="n_neighbors")
        if n_neighbors > available:
            others = "other rows" if queries is None else "rows"
            raise ValueError(
                f"n_neighbors={n_neighbors} must be at most {available}, the number of {others} in "
                "the embeddings. Ask for fewer neighbours."
            )
        if n_dims != first.n_dims:
            raise ValueError(
                f"queries are {n_dims} wide and embeddings {first.n_dims}. Cut or select both in "
                "the same way."
            )
        indices = np.empty((n_queries, n_neighbors), dtype=np.int32)
        similarities = np.empty((n_queries, n_neighbors), dtype=np.float32)

        def find(number: int) -> None:
            """Find the neighbours of a device's share of the queries."""
            low, high = (n_queries * i // len(asked) for i in (number, number + 1))
            part = Queries(asked[number], low, high, own=queries is None)
            if high > low:
                self._find(self._bases[number], part, indices[low:high], similarities[low:high])

        if len(asked) == 1:
            find(0)
        else:
            with ThreadPoolExecutor(len(asked)) as pool:
                list(pool.map(find, range(len(asked))))
        return indices, similarities

    def lists_built(self) -> SearchLists | None:
        """Give what an approximate search has built; None if there was none."""
        if "_files" not in vars(self):
            return None
        axes = None if self._axes is None else self._axes.numpy(force=True)
        centres = np.stack([file.centres.numpy(force=True) for file in self._files])
        list_of = np.stack([file.list_of.numpy(force=True) for file in self._files])
        return SearchLists(axes, centres, list_of.astype(np.int32))

    def _find(
        self,
        base: DeviceRows,
        queries: Queries,
        indices: NDArray[np.int32],
        similarities: NDArray[np.float32],
    ) -> None:
        """Write the neighbours of some queries, found on one device."""
        import torch

        n_neighbors = indices.shape[1]
        found = self._candidates(base, queries, n_neighbors)

        def rank(start: int, stop: int) -> None:
            """Keep the best of the candidates of some queries."""
            part = slice(start, stop)
            positions = torch.arange(start, stop, device=found.device) + queries.low
            block = queries.rows.take(positions)
            near, scores = _rescored(base, block, found[part], n_neighbors)
            indices[part], similarities[part] = near.numpy(force=True), scores.numpy(force=True)

        ranked_bytes = RANKED_BYTES.get(found.device.type, RANKED_BYTES["cpu"])
        size = ranked_bytes // (4 * base.n_dims * found.shape[1])
        in_blocks(rank, len(indices), size, device=found.device.type)

    def _candidates(self, base: DeviceRows, queries: Queries, n_neighbors: int) -> torch.Tensor:
        """Find candidates for the neighbours of queries, of shape (n_queries, n), int32."""
        from bertopic_matryoshka.neighbors._exact import all_candidates
        from bertopic_matryoshka.neighbors._inverted_file import inverted_file_candidates

        own = queries.own
        available = base.n_rows - own
        if self._chosen_method() == "approximate":
            candidates_of_each = 1.0 if self._axes is None else SHORTLIST
            n_candidates = min(round(candidates_of_each * n_neighbors) + SPARE, available)
            others = None if own else queries.rows.whole(self._axes)
            return inverted_file_candidates(
                self._projected, others, n_candidates, self.n_probes, self._files
            )
        spare, n_sure = SPARE, None
        if base.device.startswith("cuda"):
            spare, n_sure = HALF_SPARE, n_neighbors
        return all_candidates(
            base.chunks,
            partial(queries.rows.chunks, queries.low, queries.high),
            base.n_rows,
            queries.high - queries.low,
            min(n_neighbors + spare, available),
            own=queries.low if own else None,
            n_sure=n_sure,
        )

    def _chosen_method(self) -> str:
        if self.method != "auto":
            return self.method
        base = self._bases[0]
        all_pairs = len(self._bases) > 1 or not base.device.startswith("cpu")
        method = "exact" if all_pairs or base.n_rows <= EXACT_ROWS else "approximate"
        devices = ", ".join(base.device for base in self._bases)
        logger.info("%s neighbours of %d rows on %s", method, base.n_rows, devices)
        return method

    @cached_property
    def _bases(self) -> list[DeviceRows]:
        """The rows, on each of the devices."""
        from bertopic_matryoshka.neighbors._rows import DeviceRows

        devices = find_devices(self.device)
        if len(devices) > 1 and self.method == "approximate":
            raise ValueError(
                f'method="approximate" searches on one device, and device={self.device!r} are '
                f'{len(devices)}. Name one, or take method="exact".'
            )
        return [DeviceRows(self.embeddings, device) for device in devices]

    @cached_property
    def _axes(self) -> torch.Tensor | None:
        import torch

        base = self._bases[0]
        if self._lists is not None:
            axes = self._lists.axes
            return None if axes is None else torch.from_numpy(axes).to(base.device)
        return _principal_axes(base, AXES) if base.n_dims > AXES else None

    @cached_property
    def _projected(self) -> torch.Tensor:
        return self._bases[0].whole(self._axes)

    @cached_property
    def _files(self) -> list[InvertedFile]:
        import torch

        from bertopic_matryoshka.neighbors._inverted_file import N_FILES, InvertedFile, build_file

        rows = self._projected
        if self._lists is None:
            return [build_file(rows, number) for number in range(N_FILES)]
        files = zip(self._lists.centres, self._lists.list_of, strict=True)
        return [
            InvertedFile(
                torch.from_numpy(centres).to(rows.device),
                torch.from_numpy(list_of).to(rows.device).long(),
            )
            for centres, list_of in files
        ]


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
    gram = (sample.T @ sample).cpu()  # where the axes are the same as without a GPU
    axes: torch.Tensor = torch.linalg.eigh(gram).eigenvectors  # ascending
    return axes[:, -dims:].float().contiguous().to(base.device)
