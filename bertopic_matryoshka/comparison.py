"""What a sweep measured, cell by cell -> a table, a recommendation, figures and files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bertopic_matryoshka.recommendation import Recommendation, recommend

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from plotly.graph_objects import Figure

    from bertopic_matryoshka.cell import Cell


@dataclass(frozen=True)
class DimensionComparison:
    """What compare_dimensions measured.

    Attributes
    ----------
    cells : tuple of Cell
        In the order in which they were run: widths descending, reductions as given.
    model : str
        Name of the embedding model.
    n_documents : int
    full_dim : int
        Width of the full embeddings.
    encode_seconds : float or None
        Wall clock of encoding all documents once at full width; None for given embeddings.
    umap_compile_seconds : float or None
        What UMAP's first fit of the process cost, for compiling most of all; not in the cells.
    embeddings : ndarray of shape (n_documents, full_dim)
    made_with : dict of str to str
        Versions of what computed it, and on what.
    """

    cells: tuple[Cell, ...]
    model: str
    n_documents: int
    full_dim: int
    encode_seconds: float | None
    umap_compile_seconds: float | None
    embeddings: NDArray[np.floating] = field(repr=False, compare=False)
    made_with: dict[str, str] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row a cell; the columns are Cell's, "encode_seconds", and a sample of topic words."""
        rows = []
        for cell in self.cells:
            row = {k: v for k, v in vars(cell).items() if k not in ("topics", "document_topics")}
            if cell.ami is None:
                del row["ami"], row["ari"]
            rows.append({**row, "encode_seconds": self.encode_seconds, "sample": cell.sample()})
        table: pd.DataFrame = pd.DataFrame(rows)
        return table

    def recommend(self, reduction: str | None = None) -> Recommendation:
        """Find the smallest width whose coherence is not worse than the best.

        "Not worse" is decided by the one-standard-error rule [1]_: of the cells with this
        reduction, take the one with the highest mean coherence, and accept every width whose mean
        is at most one standard error of that best mean below it. The error is that of a mean over
        topics: it says how well the topics determine the mean, not how it varies between seeds.

        Parameters
        ----------
        reduction : str or None, default=None
            Among the cells of which reduction; None takes the first that was compared.

        Returns
        -------
        recommendation : Recommendation
            With the width, the reason in words, and cautions where coherence alone misleads.

        Raises
        ------
        ValueError
            If no cell has this reduction, or none of them has topics.

        References
        ----------
        .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression
           Trees", 1984, section 3.4.3.
        """
        return recommend(self.cells, reduction or self.cells[0].reduction)

    def plot(self) -> Figure:
        """Draw coherence, diversity, outliers and seconds against width, a line a reduction."""
        from bertopic_matryoshka.figures import comparison_figure

        return comparison_figure(self)

    def to_html(self, path: str | Path) -> Path:
        """Write a report in one file that opens offline, and return its path."""
        from bertopic_matryoshka.report import write_report

        return write_report(self, Path(path))

    def to_csv(self, path: str | Path) -> None:
        """Write the table."""
        self.table.to_csv(path, index=False)

    def to_json(self, path: str | Path) -> None:
        """Write everything but the embeddings and the documents' topics."""
        cells = [
            {k: v for k, v in asdict(cell).items() if k != "document_topics"} for cell in self.cells
        ]
        content = {
            "model": self.model,
            "n_documents": self.n_documents,
            "full_dim": self.full_dim,
            "encode_seconds": self.encode_seconds,
            "umap_compile_seconds": self.umap_compile_seconds,
            "made_with": self.made_with,
            "cells": cells,
        }
        # NaN is no JSON: null says the same to every reader.
        text = json.dumps(_without_nan(content), indent=2, allow_nan=False)
        Path(path).write_text(text, "utf-8")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
