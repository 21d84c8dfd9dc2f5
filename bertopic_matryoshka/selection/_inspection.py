"""Embeddings -> statistics of each dimension, and what each prefix keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bertopic_matryoshka._constraints import check_arguments, flag, number
from bertopic_matryoshka._validation import check_dims, embeddings_array, row_blocks
from bertopic_matryoshka.neighbors import (
    compare_distinct,
    distinct_rows,
    prefix_sentences,
)
from bertopic_matryoshka.selection._moments import Moments
from bertopic_matryoshka.selection._selector import near_zero_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class DimensionInspection:
    """Result of :func:`inspect_dimensions`.

    Attributes
    ----------
    table : DataFrame
        One row per dimension, in the embeddings' order. Columns: "dim", int; "mean"; "std";
        "variance_share", of the sum over all dimensions, in [0, 1]; "kurtosis", excess, 0 for
        a normal distribution, NaN where constant; "rank", 1 for the largest variance;
        "near_zero", bool.
    n_documents : int
        Number of rows of the embeddings.
    prefixes : DataFrame
        What each width keeps, see compare_prefixes. Empty for fewer than three distinct rows.
    """

    table: pd.DataFrame
    n_documents: int
    prefixes: pd.DataFrame

    @property
    def near_zero(self) -> list[int]:
        """The near-zero dimensions, ascending."""
        return [int(dim) for dim in self.table.loc[self.table["near_zero"], "dim"]]

    def summary(self) -> str:
        """Describe the dimensions, and the neighbours and topics that each width keeps, in lines.

        Such as "128 of 768 keep 73 % of the neighbours; expect about 93 % of the topics (87 to
        99 %)." Topics are those of the full width, see `expected_topics` in compare_prefixes.
        """
        n_dims, dead = len(self.table), self.near_zero
        named = f"near-zero: {', '.join(map(str, dead))}" if dead else "none is near-zero"
        shares = np.sort(self.table["variance_share"].to_numpy())[::-1].cumsum()
        half = int(np.searchsorted(shares, 0.5)) + 1
        dimensions = (
            f"{n_dims} dimensions over {self.n_documents:,} documents; {named}. "
            f"Half of the variance lies in {half} dimensions."
        )
        return "\n".join([dimensions, *prefix_sentences(self.prefixes, n_dims)])

    def plot(self) -> Figure:
        """Plot the standard deviation of each dimension, near-zero ones marked."""
        import plotly.graph_objects as go

        near_zero = self.table["near_zero"]
        figure = go.Figure()
        for rows, name, color, size in (
            (self.table[~near_zero], "kept", "#4269d0", 5),
            (self.table[near_zero], "near-zero", "#ff725c", 11),
        ):
            figure.add_scatter(
                x=rows["dim"],
                y=rows["std"],
                mode="markers",
                name=name,
                marker={
                    "color": color,
                    "size": size,
                    "symbol": "circle" if name == "kept" else "x",
                },
                hoverinfo="text",
                hovertext=[
                    f"dimension {dim}: standard deviation {std:.4f}, rank {rank}, "
                    f"{share:.2%} of the variance"
                    for dim, std, rank, share in rows[
                        ["dim", "std", "rank", "variance_share"]
                    ].itertuples(index=False)
                ],
            )
        figure.update_layout(
            title=f"Variance spectrum: {len(self.near_zero)} of {len(self.table)} near-zero",
            xaxis_title="dimension",
            yaxis_title="standard deviation",
            yaxis_rangemode="tozero",
            template="plotly_white",
        )
        return figure


def inspect_dimensions(
    embeddings: ArrayLike,
    *,
    near_zero: float = 0.1,
    dims: Sequence[int] | None = None,
    rotated: bool = False,
) -> DimensionInspection:
    """Describe each dimension of embeddings, and what each prefix keeps of them, in seconds.

    Parameters
    ----------
    embeddings : array-like of shape (n_documents, n_dims)
        In half, single or double precision; may be memory-mapped. Read block by block.
    near_zero : float, default=0.1
        A dimension is near-zero when its standard deviation is at most this share, in [0, 1), of
        the median one, as in DimensionSelector.
    dims : sequence of int or None, default=None
        Widths to compare, from 1 to n_dims. None takes n_dims and its halvings down to 32.
    rotated : bool, default=False
        Whether the embeddings are those of MatryoshkaBackend.rotated, see compare_prefixes.

    Returns
    -------
    inspection : DimensionInspection

    Raises
    ------
    TypeError
        If a width is not an int.
    ValueError
        If a width is out of range, the embeddings are not two-dimensional, have no row, or a row is
        not finite; the message names the row.
    """
    check_arguments(locals(), near_zero=number("[0, 1)"), rotated=flag())
    X = embeddings_array(embeddings, min_rows=1)
    if dims is not None:
        check_dims(dims, X.shape[1])
    moments = Moments.of(X)
    variance = moments.variance
    total = variance.sum()
    table = pd.DataFrame(
        {
            "dim": np.arange(X.shape[1]),
            "mean": moments.mean,
            "std": np.sqrt(variance),
            "variance_share": variance / total if total else variance,
            "kurtosis": _excess_kurtosis(X, moments),
            "rank": np.argsort(np.argsort(-variance, kind="stable")) + 1,
            "near_zero": near_zero_mask(variance, near_zero),
        }
    )
    is_distinct = distinct_rows(X)
    enough = is_distinct.sum() > 2
    prefixes = compare_distinct(X, is_distinct, dims, rotated=rotated) if enough else pd.DataFrame()
    return DimensionInspection(table, n_documents=X.shape[0], prefixes=prefixes)


def _excess_kurtosis(X: NDArray[np.generic], moments: Moments) -> NDArray[np.float64]:
    fourth = np.zeros(X.shape[1])
    for _, block in row_blocks(X):
        squares = np.square(block - moments.mean)
        fourth += np.einsum("ij,ij->j", squares, squares)  # many times faster than a power of four
    variance = moments.variance
    safe = np.where(variance == 0, 1, variance)
    return np.where(variance == 0, np.nan, fourth / moments.count / safe**2 - 3)
