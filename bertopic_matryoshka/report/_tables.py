"""A comparison -> tables as plain lists and dicts: measures by width, and topics across widths."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from bertopic_matryoshka.comparison import pair_topics, percent_below
from bertopic_matryoshka.report._data import count, measured, short, sweeps_of
from bertopic_matryoshka.report._styles import styles_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from bertopic_matryoshka.comparison import DimensionComparison, Run, Topic
    from bertopic_matryoshka.report._data import Sweep

SHOWN_TOPICS = 10
"""Largest topics that are shown, and words of each."""

MISSING = "–"  # noqa: RUF001  (an en dash)


NO_BREAK = "\N{NO-BREAK SPACE}"


class Heading(TypedDict):
    """What a column is, its unit, and an arrow to its better end; "" where there is none.

    `short` is what a terminal has room for.
    """

    text: str
    short: str
    unit: str
    arrow: str


class Group(TypedDict):
    """The rows of one topic model, a text a column, widest first."""

    title: str
    made_of: str
    color: str
    sign: str
    is_control: bool
    rows: list[list[str]]


class Table(TypedDict):
    """A table whose first column is the width."""

    title: str
    headings: list[Heading]
    groups: list[Group]


class Column(NamedTuple):
    """A column of the measured table and how it is printed.

    Without a format, numbers have a decimal where they need one; without a short name, the heading
    is short.
    """

    name: str
    heading: str
    unit: str = ""
    format: str = ""
    arrow: str = ""
    short: str = ""


DIM = Column("dim", "dimensions", format="d", short="dims")

RESULTS = (
    Column("topic_agreement", "topic agreement", "and at least", ".0%", "↑", "agree"),
    Column("coherence", "coherence", format=".3f", arrow="↑"),
    Column("neighbors_kept", "neighbours kept", format=".0%", arrow="↑", short="kept"),
    Column("ami", "AMI", "with the labels", ".3f", "↑"),
    Column("n_topics", "topics"),
    Column("outlier_share", "outliers", format=".0%", arrow="↓"),
    Column("seconds", "fit", "first seed, s", ",.2f", "↓", "fit s"),
    Column("megabytes", "embeddings", "MB", ",.3g", "↓", "MB"),
)

FURTHER = {
    "Topics": (
        Column("diversity", "diversity", format=".3f", arrow="↑"),
        Column("inverted_rbo", "inverted RBO", format=".3f", arrow="↑"),
        Column("balance", "balance", format=".3f"),
        Column("ari", "ARI", "with the labels", ".3f", "↑"),
        Column("v_measure", "V-measure", "with the labels", ".3f", "↑"),
    ),
    "Agreement with the full width, between seeds and between halves": (
        Column("assigned_agreement", "topics", "without outliers", ".0%", "↑"),
        Column("trustworthiness", "trustworthiness", "of neighbours", ".3f", "↑"),
        Column("spearman", "similarities", "rank correlation", ".3f", "↑"),
        Column("seed_stability", "seeds", "by words", ".3f", "↑"),
        Column("seed_ami", "seeds", "AMI", ".3f", "↑"),
        Column("half_stability", "halves", "by words", ".3f", "↑"),
    ),
    "Seconds of the first seed": (
        Column("reduce_seconds", "reduction", format=",.2f", arrow="↓"),
        Column("graph_seconds", "neighbours", format=",.2f", arrow="↓"),
        Column("cluster_seconds", "clustering", format=",.2f", arrow="↓"),
        Column("represent_seconds", "words", format=",.2f", arrow="↓"),
        Column("evaluate_seconds", "measuring", "no part of a fit", ",.2f"),
    ),
}


class Survival(TypedDict):
    """The largest topics at the widest embeddings, and their counterparts.

    `columns` names what they are compared with; a row has the first words of a topic, its
    documents, and for each column the share of documents that its counterpart there has in common
    with it, None without counterpart.
    """

    dim: int
    columns: list[str]
    rows: list[tuple[str, int, list[float | None]]]


def results(comparison: DimensionComparison) -> Table:
    """Tabulate what differs between widths: quality, neighbours kept and cost."""
    table = measured(comparison)
    result = _table(comparison, "", table, RESULTS)
    headings = [heading["text"] for heading in result["headings"]]
    rows = [row for group in result["groups"] for row in group["rows"]]
    if "se_coherence" in table:
        place = headings.index("coherence")
        result["headings"][place] |= {
            "unit": f"{comparison.measure} ± standard error",
            "short": comparison.measure,
        }
        for row, error in zip(rows, table["se_coherence"], strict=True):
            row[place] += "" if math.isnan(error) else f" ±{NO_BREAK}{error:.3f}"
    if "topic_agreement_low" in table:
        place = headings.index("topic agreement")
        for row, low in zip(rows, table["topic_agreement_low"], strict=True):
            row[place] += "" if math.isnan(low) else f" (≥{NO_BREAK}{percent_below(low)})"
    return result


def further_measurements(comparison: DimensionComparison) -> list[Table]:
    """Tabulate the other measures, one table for each kind."""
    table = measured(comparison)
    tables = [_table(comparison, title, table, columns) for title, columns in FURTHER.items()]
    return [made for made in tables if len(made["headings"]) > 1]


def surviving_topics(sweep: Sweep, n_topics: int | None = SHOWN_TOPICS) -> Survival:
    """Follow the largest topics from the widest embeddings to the narrower ones; None is all.

    With several seeds the first column is another seed at the widest: topics that differ between
    seeds differ as much between widths.
    """
    full, *narrower = sweep.first_runs
    others = {str(run.dim): run for run in narrower}
    if len(sweep.runs[full.dim]) > 1:
        another = sweep.runs[full.dim][1]
        others = {f"{full.dim}, seed {another.seed}": another, **others}
    shares: list[dict[int, float]] = [
        {pair.topic.id: pair.share for pair in pair_topics(full, run) if pair.topic}
        for run in others.values()
    ]
    return {
        "dim": full.dim,
        "columns": list(others),
        "rows": [
            (_words(topic), topic.size, [of_run[topic.id] or None for of_run in shares])
            for topic in full.topics[:n_topics]
        ],
    }


def topics_beside(sweep: Sweep) -> list[dict[str, Any]]:
    """Give the topics at the widest beside those at each narrower width, for the first seed."""
    full, *narrower = sweep.first_runs
    return [_beside(full, run) for run in narrower]


def _beside(full: Run, run: Run) -> dict[str, Any]:
    pairs = pair_topics(full, run)
    n_matched = sum(pair.share > 0 for pair in pairs)
    n_of_full = len(full.topics)
    shown = pairs[: min(SHOWN_TOPICS, n_of_full)]
    shown += [pair for pair in pairs[n_of_full:] if pair.other in run.topics[:SHOWN_TOPICS]]
    return {
        "dims": [full.dim, run.dim],
        "summary": f"{n_matched} of {count(full.n_topics, 'topic')} at {full.dim} dimensions have "
        f"a counterpart among {run.n_topics:,} at {run.dim}",
        "pairs": [
            {"topics": [_topic(pair.topic), _topic(pair.other)], "share": pair.share or None}
            for pair in shown
        ],
    }


def _topic(topic: Topic | None) -> dict[str, str] | None:
    if topic is None:
        return None
    return {"words": _words(topic), "size": count(topic.size, "document")}


def _words(topic: Topic) -> str:
    return ", ".join(topic.words[:SHOWN_TOPICS])


def _table(
    comparison: DimensionComparison, title: str, table: pd.DataFrame, columns: Iterable[Column]
) -> Table:
    present = [DIM, *(column for column in columns if column.name in table)]
    sweeps = sweeps_of(comparison)
    styles = styles_of(sweeps)
    return {
        "title": title,
        "headings": [
            {
                "text": column.heading,
                "short": column.short or column.heading,
                "unit": column.unit,
                "arrow": column.arrow,
            }
            for column in present
        ],
        "groups": [
            {
                "title": sweep.title,
                "made_of": sweep.made_of,
                "color": styles[sweep.title].color,
                "sign": styles[sweep.title].sign,
                "is_control": sweep.is_control,
                "rows": _rows(table[table["topic_model"] == sweep.title], present),
            }
            for sweep in sweeps
        ],
    }


def _rows(table: pd.DataFrame, columns: Sequence[Column]) -> list[list[str]]:
    texts = [[_printed(value, column.format) for value in table[column.name]] for column in columns]
    return [list(row) for row in zip(*texts, strict=True)]


def _printed(value: float, form: str) -> str:
    if math.isnan(value):
        return MISSING
    return format(value, form) if form else short(value)
