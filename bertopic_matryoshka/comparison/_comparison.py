"""What compare_dimensions measured: its tables, figures and files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka.comparison._grid import PARTS, Line, labels_of
from bertopic_matryoshka.comparison._recommendation import Recommendation, by_width, recommend
from bertopic_matryoshka.comparison._significance import coherence_error, seed_spread
from bertopic_matryoshka.evaluation import topic_stability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bertopic_matryoshka.comparison._result import Cell

AVERAGED = (
    "n_topics",
    "outlier_share",
    "coherence",
    "diversity",
    "inverted_rbo",
    "balance",
    "ami",
    "ari",
    "v_measure",
    "reduce_seconds",
    "cluster_seconds",
    "represent_seconds",
    "seconds",
    "evaluate_seconds",
)
"""Of a cell: what the summary averages over seeds."""

OPTIONAL = ("ami", "ari", "v_measure", "seed_stability", "seed_ami", "half_stability")
"""Columns that a summary has only where something was measured."""

FEW_NEIGHBORS = 0.5
"""Share of the full-width neighbours below which a width is another space."""


@dataclass(frozen=True)
class ModelRun:
    """An embedding model in a comparison.

    Attributes
    ----------
    full_dim : int
        Width of its full embeddings.
    encode_seconds : float or None
        Wall clock of encoding the documents once at full width, those that were not in the store;
        None for given embeddings.
    is_control : bool
    neighborhoods : DataFrame
        How much of the full-width neighbourhood each width keeps, see compare_prefixes.
    embeddings : ndarray of shape (n_documents, full_dim)
    """

    full_dim: int
    encode_seconds: float | None
    is_control: bool
    neighborhoods: pd.DataFrame = field(repr=False, compare=False)
    embeddings: NDArray[np.floating] = field(repr=False, compare=False)


@dataclass(frozen=True)
class DimensionComparison:
    """What compare_dimensions measured.

    Attributes
    ----------
    cells : tuple of Cell
        Fitted to all documents; widths descending.
    half_cells : tuple of Cell
        Those fitted to halves of the documents, where asked for.
    models : dict of str to ModelRun
        By name, the one that is decided for first.
    n_documents : int
    measure : str
        Of coherence, see TopicCoherence.
    documents : list of str
    made_with : dict of str to str
        Versions of what computed it, and on what.
    """

    cells: tuple[Cell, ...]
    half_cells: tuple[Cell, ...]
    models: dict[str, ModelRun]
    n_documents: int
    measure: str
    documents: list[str] = field(repr=False, compare=False)
    made_with: dict[str, str] = field(repr=False)

    @property
    def lines(self) -> dict[str, Line]:
        """What was compared across widths, by a name that tells one from the others."""
        return {name: line for line, name in labels_of(cell.line for cell in self.cells).items()}

    @property
    def umap_compile_seconds(self) -> float | None:
        """What UMAP's first fit cost, for compiling most of all; no cell's seconds have it.

        None without UMAP, and where the process had compiled it before.
        """
        taken = [cell.umap_compile_seconds for cell in self.cells]
        return next((seconds for seconds in taken if seconds is not None), None)

    @property
    def table(self) -> pd.DataFrame:
        """One row a cell: what was fitted, Cell's measures, and a sample of topic words."""
        left_out = ("spec", "topics", "document_topics", "coherence_samples")
        names = labels_of(cell.line for cell in self.cells)
        rows = []
        for cell in self.cells:
            measured = {k: v for k, v in vars(cell).items() if k not in left_out}
            fitted = {"line": names[cell.line], **asdict(cell.line), "dim": cell.dim}
            rows.append({**fitted, "seed": cell.spec.seed, **measured, "sample": cell.sample()})
        table: pd.DataFrame = pd.DataFrame(rows)
        return _without_empty(table)

    @property
    def summary(self) -> pd.DataFrame:
        """One row a line and width: means over seeds, errors, stability, and what a width keeps.

        Columns: "line", "model", "dim", "n_seeds"; Cell's measures, averaged; "coherence_error",
        the standard error over documents and seeds (see coherence_error); "seed_stability" and
        "seed_ami", how alike the topics of two seeds are by their words (topic_stability) and their
        documents (AMI), mean over pairs of seeds; "half_stability", by words, of the halves of the
        documents; "neighbors_kept", "trustworthiness" and "spearman" (compare_prefixes), missing
        for random dimensions. Agreement and stability have no column where they were not measured.
        """
        summary: pd.DataFrame = self._summary.copy()
        return summary

    @cached_property
    def _summary(self) -> pd.DataFrame:
        rows = []
        for name in self.lines:
            by_dim = by_width(self.cells_of(name))
            spread = seed_spread(by_dim.values())
            for dim, cells in by_dim.items():
                row: dict[str, Any] = {"line": name, "model": cells[0].line.model, "dim": dim}
                row["n_seeds"] = len(cells)
                for measured in AVERAGED:
                    values = [getattr(cell, measured) for cell in cells]
                    row[measured] = None if None in values else float(np.mean(values))
                row["coherence_error"] = coherence_error(cells, spread)
                row.update(self._stability(cells))
                row.update(self._neighborhood(cells[0]))
                rows.append(row)
        table: pd.DataFrame = pd.DataFrame(rows)
        return _without_empty(table)

    def cells_of(self, line: str | None = None, dim: int | None = None) -> list[Cell]:
        """List the cells of a line, or at one of its widths, one a seed.

        Parameters
        ----------
        line : str or None, default=None
            One of `lines`; None takes the first.
        dim : int or None, default=None

        Raises
        ------
        ValueError
            If there is no such line.
        """
        lines = self.lines
        line = next(iter(lines)) if line is None else line
        if line not in lines:
            raise ValueError(f"line={line!r} was not compared; there are: {', '.join(lines)}.")
        cells = [cell for cell in self.cells if cell.line == lines[line]]
        return [cell for cell in cells if dim is None or cell.dim == dim]

    def recommend(self, line: str | None = None, *, alpha: float = 0.05) -> Recommendation:
        """Find the smallest width whose coherence is not significantly worse than the best.

        Each width is compared with the one of highest mean coherence on the same bootstrap samples
        of the documents (see paired_difference), one-sided, with Holm's correction for the number
        of widths [1]_. What seeds do is estimated from all widths (see seed_spread). Expect that
        nothing differs: then the recommendation says so, and how much the smallest width can lose
        at most.

        Parameters
        ----------
        line : str or None, default=None
            One of `lines`, such as "variance"; None takes the first.
        alpha : float, default=0.05
            Probability of calling any width worse that is not.

        Returns
        -------
        recommendation : Recommendation
            With the width, the reason in words, and cautions where coherence alone misleads.

        Raises
        ------
        ValueError
            If there is no such line, or no width of it has topics that can be scored.

        References
        ----------
        .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
           Journal of Statistics 6, 1979.
        """
        line = next(iter(self.lines)) if line is None else line
        cells = self.cells_of(line)
        decided = recommend(cells, line, self.models[cells[0].line.model].full_dim, alpha)
        kept = self._neighborhood(self.cells_of(line, decided.dim)[0]).get("neighbors_kept", 1.0)
        if kept >= FEW_NEIGHBORS:
            return decided
        caution = (
            f"{decided.dim} dimensions keep {kept:.0%} of a document's nearest neighbours: topics "
            "may be as coherent as at full width and still be others."
        )
        return replace(decided, cautions=(*decided.cautions, caution))

    def to_csv(self, path: str | Path) -> None:
        """Write the table."""
        self.table.to_csv(path, index=False)

    def to_json(self, path: str | Path) -> None:
        """Write everything but arrays and documents."""
        content = {
            "n_documents": self.n_documents,
            "measure": self.measure,
            "models": {
                name: {
                    "full_dim": model.full_dim,
                    "encode_seconds": model.encode_seconds,
                    "is_control": model.is_control,
                    "neighborhoods": model.neighborhoods.to_dict("records"),
                }
                for name, model in self.models.items()
            },
            "made_with": self.made_with,
            "summary": self.summary.to_dict("records"),
            "cells": [cell.record() for cell in self.cells],
            "half_cells": [cell.record() for cell in self.half_cells],
        }
        # NaN is no JSON: null says the same to every reader.
        text = json.dumps(_without_nan(content), indent=2, allow_nan=False)
        Path(path).write_text(text, "utf-8")

    def _stability(self, cells: Sequence[Cell]) -> dict[str, float | None]:
        of_seeds = list(combinations(cells, 2))
        halves = [
            [
                c
                for c in self.half_cells
                if (c.line, c.dim, c.spec.part) == (*_place(cells[0]), part)
            ]
            for part in PARTS[1:]
        ]
        return {
            "seed_stability": _mean([topic_stability(a.words, b.words) for a, b in of_seeds]),
            "seed_ami": _mean(
                [
                    adjusted_mutual_info_score(a.document_topics, b.document_topics)
                    for a, b in of_seeds
                ]
            ),
            "half_stability": _mean(
                [topic_stability(a.words, b.words) for a, b in zip(*halves, strict=True)]
            ),
        }

    def _neighborhood(self, cell: Cell) -> dict[str, float]:
        kept = self.models[cell.line.model].neighborhoods
        row = kept[kept["dim"] == cell.dim] if len(kept) else kept
        if cell.line.cut != "prefix" or not len(row):
            return {}
        return {k: float(row[k].iloc[0]) for k in ("neighbors_kept", "trustworthiness", "spearman")}


def _without_empty(table: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in OPTIONAL if name in table and table[name].isna().all()]
    left: pd.DataFrame = table.drop(columns=missing)
    return left


def _place(cell: Cell) -> tuple[Line, int]:
    return cell.line, cell.dim


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
