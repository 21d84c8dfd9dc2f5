"""Embeddings -> how much of the full-width neighbourhood each prefix keeps."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata

from bertopic_matryoshka._constraints import check_arguments, flag, seed, whole
from bertopic_matryoshka._memory import in_blocks
from bertopic_matryoshka._precision import full_precision
from bertopic_matryoshka._validation import check_dims, find_device
from bertopic_matryoshka.neighbors._copies import distinct_rows
from bertopic_matryoshka.neighbors._expected import FEWEST_ROWS, N_NEIGHBORS, expected_topics
from bertopic_matryoshka.neighbors._rows import DeviceRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

SMALLEST_HALVING = 32
"""Smallest halving of a width by default."""

SAMPLE_SIZE = 2000
"""Number of rows whose neighbourhoods are compared by default."""

SPEARMAN_ROWS = 1000
"""Maximum number of rows whose pairs are ranked: half a million pairs."""

TIE = 1e-6
"""Difference up to which similarities at full width count as equal; rounding gives about 1e-7."""

BLOCK_ROWS = 1024
"""Maximum number of queries in a block."""

BLOCK_BYTES = {"cpu": 32 * 2**20, "cuda": 2**30}
"""Memory for a block of similarities; on a CPU about what its cache holds."""

READ_BYTES = 2**30
"""The same where rows are read again for each block: fewer blocks are better."""


def compare_prefixes(
    embeddings: ArrayLike,
    dims: Sequence[int] | None = None,
    *,
    n_neighbors: int = 10,
    sample_size: int | None = SAMPLE_SIZE,
    random_state: int | None = 0,
    device: str | None = None,
    rotated: bool = False,
) -> pd.DataFrame:
    """Compare each row's neighbourhood in the first dimensions with that in all of them.

    It answers in seconds, before any topic model: how many neighbours a prefix keeps, and, by a
    calibration, how much of the topics to expect. All widths share one pass, since the inner
    products of a prefix are part of those of a wider one.

    Parameters
    ----------
    embeddings : array-like of shape (n_rows, n_dims)
        In half, single or double precision; may be memory-mapped. Rows need not have unit length.
    dims : sequence of int or None, default=None
        Widths to compare, from 1 to n_dims. None takes n_dims and its halvings down to 32.
    n_neighbors : int, default=10
        Number of neighbours, from 1 to less than half of the distinct rows.
    sample_size : int or None, default=2000
        Number of distinct rows drawn at random, >= 2; all where there are fewer. Their neighbours
        are searched exactly, among all distinct rows. None takes all.
    random_state : int or None, default=0
        Seed of the sample.
    device : str or None, default=None
        Device, such as "cuda" or "cpu". None takes a GPU where there is one.
    rotated : bool, default=False
        Whether the embeddings are rotated, by PrincipalRotation or MatryoshkaBackend.rotated. Only
        the topics to expect depend on it.

    Returns
    -------
    table : DataFrame
        One row per width, descending. All measures use cosine similarity. Higher is better, except
        for `memory_share`:

        dim : int
        memory_share : float in (0, 1]
            Share of the memory that the full width takes.
        neighbors_kept : float in [0, 1]
            Share of a row's `n_neighbors` nearest at this width that are among its `n_neighbors`
            nearest at full width; mean over the sampled rows.
        neighbors_kept_se : float
            Standard error of `neighbors_kept` from sampling; 0 if all rows are taken.
        trustworthiness : float in [0, 1]
            1 minus a penalty for each neighbour at this width that is none at full width, which
            grows with its rank there [1]_.
        spearman : float in [-1, 1]
            Rank correlation of similarities at this width and at full width, over all pairs of at
            most 1,000 of the sampled rows; NaN where all similarities at either width are equal.
        expected_topics, expected_low, expected_high : float in [0, 1]
            Agreement of the topics at this width with those at full width to expect, relative to
            the agreement of two seeds at full width, and a range that held 19 of 20 measured
            values, or 9 of 10 if `rotated`. NaN outside of what was measured: with fewer than 30 %
            of the neighbours kept, fewer than 1,000 distinct rows, or another number of neighbours
            than 10.

    Raises
    ------
    TypeError
        If a width or a number is not an int.
    ValueError
        If a parameter is out of range, the embeddings are not two-dimensional, a row is not
        finite, or `device` is a GPU that is not available.

    Notes
    -----
    **Expected topics.** The calibration was measured for prefixes of four models on four English
    corpora, and apart for rotated prefixes, see docs/choosing-dimensions.md. Selected dimensions
    keep other topics at an equal share of neighbours, and near copies (templates) are neighbours
    at every width, which says nothing of topics.

    **Ties.** Equal rows count once, as a copy would be the nearest neighbour at every width. A row
    that is zero in a prefix has similarity 0 to all others there. At full width, rows within 1e-6
    of the last neighbour's similarity also count as neighbours, so that it does not matter which of
    nearly equal documents a prefix finds. Rows of equal similarity in a prefix are ordered by index
    if rounding leaves them equal.

    A file too large to be held in memory is read once for each block of sampled rows.

    References
    ----------
    .. [1] J. Venna, S. Kaski, "Neighborhood preservation in nonlinear projection methods: an
       experimental study", ICANN 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import compare_prefixes
    >>> embeddings = np.random.default_rng(0).normal(size=(500, 64))
    >>> compare_prefixes(embeddings, dims=[64, 16])[["dim", "neighbors_kept"]].round(2)
       dim  neighbors_kept
    0   64            1.00
    1   16            0.16
    """
    return _compared(
        embeddings, None, dims, n_neighbors, sample_size, random_state, device, rotated=rotated
    )


def compare_distinct(
    embeddings: NDArray[np.generic],
    is_distinct: NDArray[np.bool_],
    dims: Sequence[int] | None = None,
    *,
    device: str | None = None,
    rotated: bool = False,
) -> pd.DataFrame:
    """Compare prefixes by 10 neighbours, or as many as there are distinct rows for.

    Parameters
    ----------
    embeddings, dims, device, rotated
        See compare_prefixes, as for the result.
    is_distinct : ndarray of shape (n_rows,), bool
        See distinct_rows, which reads all embeddings.
    """
    n_neighbors = max(1, min(N_NEIGHBORS, (int(is_distinct.sum()) - 1) // 2))
    return _compared(
        embeddings, is_distinct, dims, n_neighbors, SAMPLE_SIZE, 0, device, rotated=rotated
    )


def _compared(
    embeddings: ArrayLike,
    is_distinct: NDArray[np.bool_] | None,
    dims: Sequence[int] | None,
    n_neighbors: int,
    sample_size: int | None,
    random_state: int | None,
    device: str | None,
    *,
    rotated: bool,
) -> pd.DataFrame:
    """Compare prefixes, see compare_prefixes; None looks for the distinct rows."""
    check_arguments(
        locals(),
        n_neighbors=whole(1),
        sample_size=whole(2, none=True),
        random_state=seed(),
        rotated=flag(),
    )
    rows = DeviceRows(embeddings, find_device(device))
    full_dim = rows.n_dims
    asked = set(check_dims(halvings(full_dim) if dims is None else dims, full_dim))
    distinct = np.flatnonzero(distinct_rows(rows.array) if is_distinct is None else is_distinct)
    n_rows = distinct.size
    if n_neighbors >= n_rows / 2:
        raise ValueError(
            f"n_neighbors={n_neighbors} must be less than half of the {n_rows} distinct rows. "
            "Choose fewer neighbours or embed more documents."
        )
    n_sampled = n_rows if sample_size is None else min(int(sample_size), n_rows)
    drawn = np.random.default_rng(random_state).choice(n_rows, n_sampled, replace=False)
    sample = torch.from_numpy(distinct[drawn]).to(rows.device)
    copies = None
    if n_rows < rows.n_rows:
        copies = torch.ones(rows.n_rows, dtype=torch.bool, device=rows.device)
        copies[torch.from_numpy(distinct).to(rows.device)] = False
    widths = sorted({*asked, full_dim})
    kept, squared, intruded = _mean_counts(rows, copies, sample, widths, n_neighbors)
    share, variance = kept / n_neighbors, np.maximum(squared - kept**2, 0) / n_neighbors**2
    is_calibrated = n_neighbors == N_NEIGHBORS and n_rows >= FEWEST_ROWS
    known = share if is_calibrated else np.full_like(share, np.nan)
    expected = expected_topics(known, rotated=rotated)
    worst = n_neighbors * (2 * n_rows - 3 * n_neighbors - 1) / 2
    table = pd.DataFrame(
        {
            "dim": widths,
            "memory_share": np.array(widths) / full_dim,
            "neighbors_kept": share,
            "neighbors_kept_se": np.sqrt(variance * (1 / n_sampled - 1 / n_rows)),
            "trustworthiness": 1 - intruded / worst,
            "spearman": _spearman(rows.take(sample[:SPEARMAN_ROWS]), widths),
            "expected_topics": expected.agreement,
            "expected_low": expected.low,
            "expected_high": expected.high,
        }
    )
    wanted: pd.DataFrame = table[table["dim"].isin(asked)][::-1].reset_index(drop=True)
    return wanted


def halvings(full_dim: int) -> list[int]:
    """Return a width and its halvings down to 32, descending."""
    dims = [full_dim]
    while dims[-1] // 2 >= SMALLEST_HALVING:
        dims.append(dims[-1] // 2)
    return dims


@full_precision()
def _mean_counts(
    rows: DeviceRows, copies: torch.Tensor | None, sample: torch.Tensor, widths: list[int], n: int
) -> NDArray[np.float64]:
    """Average :func:`_counts` over the sample. Where memory runs out, blocks are halved."""
    scales = _scales(rows, widths)
    held_bytes = BLOCK_BYTES["cuda" if rows.device.startswith("cuda") else "cpu"]
    block_bytes = READ_BYTES if rows.held is None else held_bytes
    size = min(BLOCK_ROWS, block_bytes // (4 * rows.n_rows))
    counts = np.zeros((3, len(widths)))

    def count(start: int, stop: int) -> NDArray[np.float64]:
        return _counts(rows, copies, scales, sample[start:stop], widths, n)

    for _, more in in_blocks(count, sample.shape[0], size, device=rows.device):
        counts += more
    return counts / sample.shape[0]


def _scales(rows: DeviceRows, widths: list[int]) -> torch.Tensor:
    """Inverse lengths of the rows' prefixes, 0 for zero ones, of shape (n_widths, n_rows)."""
    scales = torch.empty((len(widths), rows.n_rows), device=rows.device)
    for low, chunk in rows.chunks():
        length = torch.zeros(chunk.shape[0], device=rows.device)
        for i, (start, end) in enumerate(pairwise([0, *widths])):
            length = length.hypot(torch.linalg.vector_norm(chunk[:, start:end], dim=1))
            scales[i, low : low + chunk.shape[0]] = torch.where(length > 0, 1 / length, 0)
    return scales


def _counts(
    rows: DeviceRows,
    copies: torch.Tensor | None,
    scales: torch.Tensor,
    queries: torch.Tensor,
    widths: list[int],
    n: int,
) -> NDArray[np.float64]:
    """Sum, for each width, the neighbours kept, their squares, and the penalties of the others."""
    block = rows.take(queries)
    similar = torch.empty((block.shape[0], rows.n_rows), device=rows.device)
    nothing = similar[:, :0], torch.empty_like(similar[:, :0], dtype=torch.int64)
    nearest = [nothing for _ in widths]
    for low, chunk in rows.chunks():
        part = similar[:, low : low + chunk.shape[0]]
        products = torch.zeros(part.shape, device=rows.device)
        own = torch.nonzero((queries >= low) & (queries < low + chunk.shape[0]))[:, 0]
        for i, (start, end) in enumerate(pairwise([0, *widths])):
            products.addmm_(block[:, start:end], chunk[:, start:end].T)
            # A query's own length does not change the order of its neighbours.
            torch.mul(products, scales[i, low : low + chunk.shape[0]], out=part)
            part[own, queries[own] - low] = -torch.inf
            if copies is not None:
                part.masked_fill_(copies[low : low + chunk.shape[0]], -torch.inf)
            nearest[i] = _merged(nearest[i], part, low, n)
    # The full width came last, so that `similar` has its cosines.
    found = similar.gather(1, torch.cat([indices for _, indices in nearest], dim=1))
    last = nearest[-1][0].amin(dim=1, keepdim=True)
    n_nearer = rows.n_rows - torch.searchsorted(_ascending(similar), found + TIE, right=True)
    shape = (-1, len(widths), n)
    kept = (found >= last - TIE).reshape(shape).sum(dim=2)
    penalties = (n_nearer + 1 - n).clamp(min=0).reshape(shape).sum(dim=2)
    sums = torch.stack([kept, kept**2, penalties]).sum(dim=1)
    return sums.numpy(force=True).astype(np.float64)


def _merged(
    nearest: tuple[torch.Tensor, torch.Tensor], part: torch.Tensor, low: int, n: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Merge the nearest so far with those among the rows from `low` on."""
    found = _largest(part, n)
    scores = torch.cat([nearest[0], part.gather(1, found)], dim=1)
    indices = torch.cat([nearest[1], found + low], dim=1)
    kept = _largest(scores, n)
    return scores.gather(1, kept), indices.gather(1, kept)


def _largest(scores: torch.Tensor, n: int) -> torch.Tensor:
    """Find the indices of the `n` largest of each row, ascending; ties go to the lower index."""
    if scores.shape[1] <= n:
        return torch.arange(scores.shape[1], device=scores.device).expand(scores.shape)
    best, found = scores.topk(n + 1, dim=1)
    found = found[:, :n]
    tied = torch.nonzero(best[:, n - 1] == best[:, n])[:, 0]
    if tied.numel():  # topk takes any of them
        order = scores[tied].sort(dim=1, descending=True, stable=True).indices
        found[tied] = order[:, :n]
    return found.sort(dim=1)[0]


def _ascending(rows: torch.Tensor) -> torch.Tensor:
    """Sort each row, in place on a CPU."""
    if rows.device.type == "cpu":
        rows.numpy().sort(axis=1)  # many times faster than torch's, which sorts indices too
        return rows
    return rows.sort(dim=1)[0]


def _spearman(sample: torch.Tensor, widths: list[int]) -> NDArray[np.float64]:
    """Rank correlation of the sample's similarities at each width with those at the last."""
    sample = sample.double()
    products = torch.zeros((sample.shape[0],) * 2, dtype=torch.float64, device=sample.device)
    pairs = np.triu_indices(sample.shape[0], 1)
    ranks = []
    for start, end in pairwise([0, *widths]):
        products.addmm_(sample[:, start:end], sample[:, start:end].T)
        length = products.diagonal().sqrt()
        scale = torch.where(length > 0, 1 / length, 0)
        similar = products * scale[:, None] * scale
        ranks.append(rankdata(similar.numpy(force=True)[pairs]))
    centred = np.array(ranks) - np.mean(ranks, axis=1, keepdims=True)
    spread = np.sqrt(np.square(centred).sum(axis=1))
    with np.errstate(invalid="ignore"):
        correlation: NDArray[np.float64] = centred @ centred[-1] / (spread * spread[-1])
    return correlation
