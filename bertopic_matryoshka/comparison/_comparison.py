"""What compare_dimensions measured: its tables, figures and files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka.comparison._setting import PARTS, Condition
from bertopic_matryoshka.comparison._significance import (
    Recommendation,
    by_width,
    recommend,
    se_coherence,
    seed_spread,
)
from bertopic_matryoshka.evaluation import topic_stability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bertopic_matryoshka.comparison._result import Run

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
    "graph_seconds",
    "cluster_seconds",
    "represent_seconds",
    "seconds",
    "evaluate_seconds",
)
"""Attributes of a run that the summary averages over seeds."""

TIMES = tuple(name for name in AVERAGED if name.endswith("seconds"))
"""Those of them that are averaged over the runs of one machine only."""

DESCRIBED = ("embedding_model", "reducer", "clusterer")
"""Attributes of a condition that the table repeats for each run."""

OPTIONAL = ("ami", "ari", "v_measure", "seed_stability", "seed_ami", "half_stability")
"""Columns that are left out if nothing was measured."""

FEW_NEIGHBORS = 0.5
"""Share of full-width neighbours below which a recommendation has a caveat."""


@dataclass(frozen=True)
class EmbeddingModel:
    """An embedding model in a comparison, and its embeddings of the documents.

    Attributes
    ----------
    full_dim : int
        Width of its full embeddings.
    encode_seconds : float or None
        Wall clock of encoding the documents at full width, without those already in the store;
        None for precomputed embeddings, and where it is not known.
    neighborhoods : DataFrame
        Agreement of each width's neighbourhoods with those at full width, see compare_prefixes.
    embeddings : ndarray of shape (n_documents, full_dim)
    """

    full_dim: int
    encode_seconds: float | None
    neighborhoods: pd.DataFrame = field(repr=False, compare=False)
    embeddings: NDArray[np.floating] = field(repr=False, compare=False)


@dataclass(frozen=True)
class DimensionComparison:
    """Results of compare_dimensions.

    Attributes
    ----------
    runs : tuple of Run
        Runs on all documents: topic model by topic model, widths descending, then seeds.
    half_runs : tuple of Run
        Runs on halves of the documents; empty unless the scorer has ``split_half=True``.
    conditions : dict of str to Condition
        The topic models that were compared, by name.
    embedding_models : dict of str to EmbeddingModel
        The embedding models, by name.
    n_documents : int
    measure : str
        Coherence measure, see TopicCoherence.
    documents : list of str
    provenance : dict of str to str
        Versions of the libraries and Python, and the hardware.
    controls : tuple of str
        Names of the topic models that serve as controls. compare_dimensions names those on
        permuted dimensions. ``dataclasses.replace(comparison, controls=[...])`` names others.
    """

    runs: tuple[Run, ...]
    half_runs: tuple[Run, ...]
    conditions: dict[str, Condition]
    embedding_models: dict[str, EmbeddingModel]
    n_documents: int
    measure: str
    documents: list[str] = field(repr=False, compare=False)
    provenance: dict[str, str] = field(repr=False)
    controls: tuple[str, ...] = ()

    @property
    def umap_compile_seconds(self) -> float | None:
        """Wall clock of UMAP's first fit, mostly compilation; not part of any run's seconds.

        None without UMAP, and where the process had compiled it before.
        """
        taken = [run.umap_compile_seconds for run in self.runs]
        return next((seconds for seconds in taken if seconds is not None), None)

    @property
    def machine(self) -> str:
        """Machine that computed most of the runs; seconds of runs from elsewhere are left out."""
        return Counter(run.machine for run in self.runs).most_common(1)[0][0]

    @property
    def table(self) -> pd.DataFrame:
        """One row per run: its setting, its measures (see Run), and a sample of topic words."""
        left_out = ("setting", "topics", "document_topics", "coherence_resamples")
        rows = []
        for run in self.runs:
            condition = self.conditions[run.topic_model]
            measured = {k: v for k, v in vars(run).items() if k not in left_out}
            rows.append(
                {
                    "topic_model": run.topic_model,
                    **{name: getattr(condition, name) for name in DESCRIBED},
                    "dim": run.dim,
                    "seed": run.seed,
                    **measured,
                    "sample": run.sample(),
                }
            )
        table: pd.DataFrame = pd.DataFrame(rows)
        return _without_empty(table)

    @property
    def summary(self) -> pd.DataFrame:
        """One row per topic model and width: means over seeds, errors, stability, neighbourhoods.

        Columns: "topic_model", "embedding_model", "dim", "n_seeds"; Run's measures, averaged;
        "se_coherence", the standard error over documents and seeds (see se_coherence);
        "seed_stability" and "seed_ami", the mean agreement of two seeds' topics by words
        (topic_stability) and by documents (AMI); "half_stability", the agreement by words between
        the halves of the documents; "neighbors_kept", "trustworthiness" and "spearman"
        (compare_prefixes), missing for permuted dimensions. Agreement with labels and stability
        have no column where they were not measured. Seconds are means over the runs of `machine`,
        missing where a store has all runs of a width from elsewhere.
        """
        summary: pd.DataFrame = self._summary.copy()
        return summary

    @cached_property
    def _summary(self) -> pd.DataFrame:
        rows = []
        for name, condition in self.conditions.items():
            by_dim = by_width(self.runs_of(name))
            spread = seed_spread(by_dim.values())
            for dim, runs in by_dim.items():
                row: dict[str, Any] = {
                    "topic_model": name,
                    "embedding_model": condition.embedding_model,
                    "dim": dim,
                    "n_seeds": len(runs),
                }
                timed = [run for run in runs if run.machine == self.machine]
                for measured in AVERAGED:
                    counted = timed if measured in TIMES else runs
                    values = [getattr(run, measured) for run in counted]
                    is_known = bool(values) and None not in values
                    row[measured] = float(np.mean(values)) if is_known else None
                row["se_coherence"] = se_coherence(runs, spread)
                row.update(self._stability(runs))
                row.update(self._neighborhood(name, dim))
                rows.append(row)
        table: pd.DataFrame = pd.DataFrame(rows)
        return _without_empty(table)

    def runs_of(self, topic_model: str | None = None, dim: int | None = None) -> list[Run]:
        """List the runs of a topic model, at all widths or at one.

        Parameters
        ----------
        topic_model : str or None, default=None
            One of `conditions`; None takes the first.
        dim : int or None, default=None
            One of its widths; None takes all.

        Returns
        -------
        runs : list of Run
            Widths descending, then seeds; empty if `dim` was not compared.

        Raises
        ------
        ValueError
            If there is no such topic model.
        """
        name = self._checked(topic_model)
        runs = [run for run in self.runs if run.topic_model == name]
        return [run for run in runs if dim is None or run.dim == dim]

    def embedding_model_of(self, topic_model: str) -> EmbeddingModel:
        """Look up the embedding model of a topic model, one of `conditions`."""
        return self.embedding_models[self.conditions[topic_model].embedding_model]

    def recommend(self, topic_model: str | None = None, *, alpha: float = 0.05) -> Recommendation:
        """Find the smallest width at which no loss of coherence was detected.

        This rule will change: do not decide by it alone. A test that does not reject is no evidence
        of equality. With few documents or seeds it may detect nothing and name the smallest width.
        Equal coherence does not mean equal topics, nor equal agreement with labels: look at
        "neighbors_kept", agreement with labels and the topics themselves too.

        Each width is compared with the one of highest mean coherence on the same bootstrap samples
        of the documents (see paired_difference), one-sided, with Holm's correction for the number
        of widths [1]_. The variance over seeds is pooled over all widths (see seed_spread).

        Parameters
        ----------
        topic_model : str or None, default=None
            One of `conditions`; None takes the first.
        alpha : float, default=0.05
            Family-wise error rate in (0, 1): probability of calling any width worse that is not,
            if the assumptions of the tests hold.

        Returns
        -------
        recommendation : Recommendation
            The width, the reason in words, and caveats where coherence alone may mislead.

        Raises
        ------
        ValueError
            If there is no such topic model, `alpha` is out of range, or no width gave at least two
            topics and a coherence with every seed.

        References
        ----------
        .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
           Journal of Statistics 6, 1979.
        """
        name = self._checked(topic_model)
        full_dim = self.embedding_model_of(name).full_dim
        decided = recommend(self.runs_of(name), name, full_dim, alpha)
        kept = self._neighborhood(name, decided.dim).get("neighbors_kept", 1.0)
        if kept >= FEW_NEIGHBORS:
            return decided
        caveat = (
            f"{decided.dim} dimensions keep {kept:.0%} of a document's nearest neighbours: topics "
            "may be as coherent as at full width and still be others."
        )
        return replace(decided, caveats=(*decided.caveats, caveat))

    def to_csv(self, path: str | Path) -> None:
        """Write `table` as CSV."""
        self.table.to_csv(path, index=False)

    def to_json(self, path: str | Path) -> None:
        """Write everything but arrays and documents as JSON; NaN becomes null."""
        content = {
            "n_documents": self.n_documents,
            "measure": self.measure,
            "conditions": {name: asdict(of) for name, of in self.conditions.items()},
            "controls": list(self.controls),
            "embedding_models": {
                name: {
                    "full_dim": model.full_dim,
                    "encode_seconds": model.encode_seconds,
                    "neighborhoods": model.neighborhoods.to_dict("records"),
                }
                for name, model in self.embedding_models.items()
            },
            "provenance": self.provenance,
            "summary": self.summary.to_dict("records"),
            "runs": [run.record() for run in self.runs],
            "half_runs": [run.record() for run in self.half_runs],
        }
        # NaN is not valid JSON.
        text = json.dumps(_without_nan(content), indent=2, allow_nan=False)
        Path(path).write_text(text, "utf-8")

    def _checked(self, topic_model: str | None) -> str:
        name = next(iter(self.conditions)) if topic_model is None else topic_model
        if name not in self.conditions:
            raise ValueError(
                f"topic_model={name!r} was not compared; there are: {', '.join(self.conditions)}."
            )
        return name

    def _stability(self, runs: Sequence[Run]) -> dict[str, float | None]:
        of_seeds = list(combinations(runs, 2))
        place = runs[0].topic_model, runs[0].dim
        halves = [
            [
                run
                for run in self.half_runs
                if (run.topic_model, run.dim, run.setting.part) == (*place, part)
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

    def _neighborhood(self, topic_model: str, dim: int) -> dict[str, float]:
        kept = self.embedding_model_of(topic_model).neighborhoods
        row = kept[kept["dim"] == dim] if len(kept) else kept
        if self.conditions[topic_model].is_permuted or not len(row):
            return {}
        return {k: float(row[k].iloc[0]) for k in ("neighbors_kept", "trustworthiness", "spearman")}


def _without_empty(table: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in OPTIONAL if name in table and table[name].isna().all()]
    left: pd.DataFrame = table.drop(columns=missing)
    return left


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
