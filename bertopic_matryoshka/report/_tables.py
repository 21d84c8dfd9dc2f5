"""A comparison -> the report's tables: what each width gives and costs, and topics side by side."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from bertopic_matryoshka.comparison import pair_topics
from bertopic_matryoshka.report._sentences import FLOAT_BYTES, count, short
from bertopic_matryoshka.report._styles import line_styles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from bertopic_matryoshka.comparison import DimensionComparison, Pair, Topic
    from bertopic_matryoshka.report._sentences import Decision
    from bertopic_matryoshka.report._styles import Style

SHOWN_TOPICS = 10
"""Topics that are shown side by side, the largest ones, and words of each."""


class Column(NamedTuple):
    """How a column of the summary is printed, and which of its values is best.

    Without a format, numbers have a decimal where they need one.
    """

    name: str
    heading: str
    unit: str
    format: str
    best: Callable[[Iterable[float]], float] | None = None


WHERE = (Column("line", "line", "", "s"), Column("dim", "width", "", "d"))

QUALITIES = (
    Column("coherence", "coherence", "", ".3f", max),
    Column("coherence_error", "error", "±", ".3f"),
    Column("n_topics", "topics", "", ""),
    Column("outlier_share", "outliers", "share", ".1%", min),
    Column("ami", "AMI", "", ".3f", max),
    Column("ari", "ARI", "", ".3f", max),
    Column("v_measure", "V", "", ".3f", max),
    Column("diversity", "diversity", "share", ".3f", max),
    Column("inverted_rbo", "RBO", "inverted", ".3f", max),
    Column("balance", "balance", "", ".3f"),
)

LIKENESSES = (
    Column("neighbors_kept", "neighbours", "kept", ".1%", max),
    Column("trustworthiness", "trustworthiness", "", ".3f", max),
    Column("spearman", "similarities", "rank correlation", ".3f", max),
    Column("seed_stability", "two seeds", "by words", ".3f", max),
    Column("seed_ami", "two seeds", "AMI", ".3f", max),
    Column("half_stability", "two halves", "by words", ".3f", max),
)

COSTS = (
    Column("megabytes", "memory", "MB", ",.3g", min),
    Column("reduce_seconds", "reduce", "s", ",.2f", min),
    Column("cluster_seconds", "cluster", "s", ",.2f", min),
    Column("represent_seconds", "represent", "s", ",.2f", min),
    Column("seconds", "whole fit", "s", ",.2f", min),
    Column("evaluate_seconds", "measure", "s", ",.2f"),
)


def measurements(comparison: DimensionComparison, decided: Mapping[str, Decision]) -> str:
    """Write what each line and width gives, keeps and costs: a table each, of what there is."""
    summary = comparison.summary
    summary["megabytes"] = summary["dim"] * comparison.n_documents * FLOAT_BYTES / 1e6
    unit = {"coherence": comparison.measure}
    tables = {
        "Quality": [of._replace(unit=unit.get(of.name, of.unit)) for of in QUALITIES],
        "Likeness to the full width, between seeds and between halves": LIKENESSES,
        "Cost": COSTS,
    }
    said = ""
    for title, columns in tables.items():
        present = [of for of in columns if of.name in summary and summary[of.name].notna().any()]
        if present:
            table = _table(comparison, summary, present, decided)
            said += (
                f'<h3>{title}</h3><div class="scroll" tabindex="0" role="region" '
                f'aria-label="{title}">{table}</div>'
            )
    return said


def topics_beside(comparison: DimensionComparison, decision: Decision) -> str:
    """Write the topics at the width to keep beside those at the widest, of the first seed."""
    title = heading(line_styles(comparison)[decision.line], decision.line)
    if not decision.kept:
        return f"{title}<p>No width to keep, and so no topics to show.</p>"
    cell, full = decision.kept[0], decision.widest[0]
    largest = cell.topics[:SHOWN_TOPICS]
    said = f"{count(cell.n_topics, 'topic')} at {cell.dim} dimensions"
    if len(cell.topics) > len(largest):
        said += f", the {SHOWN_TOPICS} largest shown"
    if cell is full:
        head = ""
        rows = "".join(f"<tr>{_topic(topic, cell.dim)}</tr>" for topic in largest)
    else:
        head = (
            f'<thead><tr><th>{cell.dim} dimensions</th><th class="shared">shared</th>'
            f"<th>{full.dim} dimensions</th></tr></thead>"
        )
        pairs = pair_topics(cell, full)
        matched = sum(pair.share > 0 for pair in pairs)
        said += f"; {matched} of them have a counterpart among the {full.n_topics} at {full.dim}"
        shown = pairs[: len(largest)]
        shown += [p for p in pairs[len(cell.topics) :] if p.other in full.topics[:SHOWN_TOPICS]]
        rows = "".join(
            f"<tr>{_topic(pair.topic, cell.dim)}{_shared(pair)}{_topic(pair.other, full.dim)}</tr>"
            for pair in shown
        )
    if len(decision.kept) > 1:
        said += f". Of seed {cell.spec.seed}, the first of {len(decision.kept)}"
    return f'{title}<p>{said}.</p><table class="topics">{head}<tbody>{rows}</tbody></table>'


def heading(style: Style, text: str) -> str:
    """Write a heading with the sign of its line."""
    return f"<h3>{sign(style)}{escape(text)}</h3>"


def sign(style: Style) -> str:
    """Give the marker that a line has in the figure."""
    return f'<span class="sign" style="color:{style.color}" aria-hidden="true">{style.sign}</span>'


def _table(
    comparison: DimensionComparison,
    summary: pd.DataFrame,
    columns: Iterable[Column],
    decided: Mapping[str, Decision],
) -> str:
    present = [*WHERE, *columns]
    arrows: dict[Any, str] = {None: "", min: "↓", max: "↑"}
    head = "".join(
        f"<th>{column.heading}<small>{escape(column.unit)} {arrows[column.best]}</small></th>"
        for column in present
    )
    styles = line_styles(comparison)
    texts = {column.name: _printed(summary[column.name], column) for column in present[1:]}
    texts["line"] = [sign(styles[line]) + escape(line) for line in summary["line"]]
    printed = zip(*(texts[column.name] for column in present), strict=True)
    kept = {line: of.kept[0].dim for line, of in decided.items() if of.kept}
    rows = ""
    for line, dim, cells in zip(summary["line"], summary["dim"], printed, strict=True):
        attribute = ' class="kept"' if kept.get(line) == dim else ""
        rows += f"<tr{attribute}>{''.join(f'<td>{text}</td>' for text in cells)}</tr>"
    return f'<table class="results"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _printed(values: pd.Series[Any], column: Column) -> list[str]:
    """Round, and emphasise whatever reads the same as the best, unless everything does."""
    texts = ["&ndash;" if math.isnan(v) else _written(v, column) for v in values]
    if column.best is None or len(set(texts)) == 1:
        return texts
    best = _written(column.best(values.dropna()), column)
    return [f"<strong>{text}</strong>" if text == best else text for text in texts]


def _written(value: float, column: Column) -> str:
    return format(value, column.format) if column.format else short(value)


def _topic(topic: Topic | None, dim: int) -> str:
    said = '<span class="soft">no counterpart</span>'
    if topic is not None:
        words = escape(", ".join(topic.words[:SHOWN_TOPICS]))
        said = f"{words}<small>{count(topic.size, 'document')}</small>"
    return f'<td data-of="{dim} dimensions">{said}</td>'


def _shared(pair: Pair) -> str:
    said = "&ndash;"
    if pair.share:
        said = f'{pair.share:.0%}<span class="bar"><i style="width:{pair.share:.0%}"></i></span>'
    return f'<td class="shared" data-of="shared">{said}</td>'
