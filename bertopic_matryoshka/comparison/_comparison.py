"""What compare_dimensions measured: its tables, figures and files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka.comparison._matching import topic_changes
from bertopic_matryoshka.comparison._recommendation import (
    MARGIN,
    TOLERANCE,
    Recommendation,
    recommend,
)
from bertopic_matryoshka.comparison._replicates import (
    Replicate,
    WidthAgreement,
    agreement_by_width,
)
from bertopic_matryoshka.comparison._setting import PARTS, Condition
from bertopic_matryoshka.comparison._significance import by_width, se_coherence, seed_spread
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

OPTIONAL = (
    "ami",
    "ari",
    "v_measure",
    "topic_agreement",
    "topic_agreement_low",
    "assigned_agreement",
    "assigned_agreement_low",
    "seed_stability",
    "seed_ami",
    "half_stability",
)
"""Columns that are left out if nothing was measured."""


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
    replicates : tuple of Replicate
        Topics of samples of the documents, which agreement is computed from: topic model by topic
        model, widths descending, then replicates.
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
    replicates: tuple[Replicate, ...] = field(default=(), repr=False)

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
        "topic_agreement", the agreement of the topics with those at the widest, and its lower 95 %
        bound "topic_agreement_low" (see topic_agreement), "assigned_agreement" and
        "assigned_agreement_low", the same over documents that are not outliers;
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
                row.update(self._agreement(name, dim))
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

    def agreements(self, topic_model: str | None = None) -> dict[int, WidthAgreement]:
        """Agreement of the topics at each width with those at the widest, widest first.

        Parameters
        ----------
        topic_model : str or None, default=None
            One of `conditions`; None takes the first.

        Returns
        -------
        agreements : dict of int to WidthAgreement
            Empty if the topic model has fewer than two replicates.
        """
        return self._agreements[self._checked(topic_model)]

    @cached_property
    def _agreements(self) -> dict[str, dict[int, WidthAgreement]]:
        return {name: agreement_by_width(self.replicates_of(name)) for name in self.conditions}

    def replicates_of(self, topic_model: str | None = None) -> list[Replicate]:
        """List the replicates of a topic model, widths descending; None takes the first."""
        name = self._checked(topic_model)
        return [of for of in self.replicates if of.setting.topic_model == name]

    def topic_changes(self, dim: int, topic_model: str | None = None) -> pd.DataFrame:
        """Say what becomes of each topic at the widest at another width, for the first seed.

        Parameters
        ----------
        dim : int
            One of the widths. The widest itself is compared with its second seed, as a baseline.
        topic_model : str or None, default=None
            One of `conditions`; None takes the first.

        Returns
        -------
        changes : DataFrame
            A row for each topic at the widest, largest first: "topic" (its words), "size"
            (documents), "change" ("survives", "merges", "splits" or "vanishes", by the majority of
            its documents), "share" of its documents that stay together, and "others", the words of
            the topic that it is or joins there, or of its pieces.

        Raises
        ------
        ValueError
            If `dim` was not compared, or is the widest, which has one seed.

        See Also
        --------
        bertopic_matryoshka.comparison.topic_changes : The rule.
        """
        by_dim = by_width(self.runs_of(topic_model))
        reference, *seeds = next(iter(by_dim.values()))
        others = seeds if dim == reference.dim else by_dim.get(dim, [])
        if not others:
            raise ValueError(
                f"dim={dim} must be one of the widths {', '.join(map(str, by_dim))}; the first of "
                "them needs two seeds."
            )
        changes: pd.DataFrame = pd.DataFrame(
            {
                "topic": ", ".join(found.topic.words),
                "size": found.topic.size,
                "change": found.change,
                "share": found.share,
                "others": " | ".join(", ".join(other.words) for other in found.others),
            }
            for found in topic_changes(reference, others[0])
        )
        return changes

    def recommend(
        self,
        topic_model: str | None = None,
        *,
        tolerance: float = TOLERANCE,
        margin: float = MARGIN,
    ) -> Recommendation:
        """Find the smallest width that is shown to keep the topics of the widest.

        A test of non-inferiority [1]_ against the widest width that was compared. A width may be
        kept if the lower 95 % bound of its topics' agreement (see topic_agreement) is above
        ``1 - tolerance``, over all documents and over those that are not outliers, unless its
        coherence, or its AMI with the labels, is shown to be lower by more than `margin`. Widths
        are tested from wide to narrow, and the first that fails ends it, so that no correction for
        several widths is needed [2]_.

        There are three answers: keep a narrower width; keep the widest, as the next narrower is
        shown to lose too much; or too few data or seeds to tell, in which case it is the widest
        too. Fewer documents or replicates widen the bounds, which favours the widest.

        Parameters
        ----------
        topic_model : str or None, default=None
            One of `conditions`; None takes the first.
        tolerance : float, default=0.1
            Share of the topics' agreement that may be lost, in (0, 1). At 0.1 at least 95 % of the
            AMI with labels were left in all cases of docs/recommendation.md, which it was chosen
            from.
        margin : float, default=0.02
            Loss that a width may be shown to have, >= 0: of coherence, in units of its measure, and
            of AMI with the labels. Choose another for "c_uci" and "u_mass", which are unbounded.

        Returns
        -------
        recommendation : Recommendation
            The width, the answer in words, the evidence for each width, and caveats.

        Raises
        ------
        ValueError
            If there is no such topic model, or `tolerance` or `margin` is out of range.

        Notes
        -----
        The probability of recommending a width whose agreement is below ``1 - tolerance`` is at
        most about 5 %: over seeds and samples of the documents at hand, and as far as the jackknife
        bound holds (see docs/recommendation.md for simulations). It says nothing of other
        documents. Coherence and labels only veto: where no loss is shown, there may be one.

        References
        ----------
        .. [1] S. Wellek, "Testing statistical hypotheses of equivalence and noninferiority", 2nd
           ed., 2010.
        .. [2] P. H. Westfall, A. Krishen, "Optimally weighted, fixed sequence and gatekeeper
           multiple testing procedures", Journal of Statistical Planning and Inference 99, 2001.
        """
        name = self._checked(topic_model)
        return recommend(
            self.runs_of(name),
            self.replicates_of(name),
            self.agreements(name),
            name,
            self.embedding_model_of(name).full_dim,
            tolerance=tolerance,
            margin=margin,
        )

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
            "recommendations": {
                name: {"dim": found.dim, "answer": found.answer, "reason": str(found)}
                for name, found in ((name, self.recommend(name)) for name in self.conditions)
            },
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

    def _agreement(self, topic_model: str, dim: int) -> dict[str, float | None]:
        found = self._agreements[topic_model].get(dim)
        if found is None:
            return {"topic_agreement": None}
        return {
            "topic_agreement": found.all.agreement,
            "topic_agreement_low": found.all.low,
            "assigned_agreement": found.assigned.agreement,
            "assigned_agreement_low": found.assigned.low,
        }

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
