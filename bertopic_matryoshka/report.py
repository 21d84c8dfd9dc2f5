"""A comparison -> one HTML file that opens offline: the verdict first, then what it rests on."""

from __future__ import annotations

import math
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from scipy.optimize import linear_sum_assignment

from bertopic_matryoshka.figures import LAYOUT, STYLES, comparison_figure
from bertopic_matryoshka.inspection import inspect_dimensions
from bertopic_matryoshka.recommendation import caution_across

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from plotly.graph_objects import Figure

    from bertopic_matryoshka.cell import Cell, Topic
    from bertopic_matryoshka.comparison import DimensionComparison

SHOWN_TOPICS = 10
"""Topics that are shown side by side, the largest ones, and words of each."""

SMALLEST_MATCH = 0.1
"""Share of documents from which two topics count as the same one."""

REDUCTIONS_IN_WORDS = {
    "variance": "DimensionSelector: the dimensions that vary most, or all but the near-zero ones.",
    "pca": "scikit-learn's PCA, to 5 dimensions unless told otherwise.",
    "umap": "UMAP as BERTopic sets it up, to 5 dimensions unless told otherwise.",
    "none": "The embeddings are clustered as they are.",
}

AGREEMENT = (
    "<dt>AMI, ARI</dt><dd>Adjusted mutual information and adjusted Rand index against the given "
    "labels, outliers being a class of their own. Up to 1, higher is better, 0 by chance.</dd>"
)


class Column(NamedTuple):
    """How a column of the comparison's table is printed, and which of its values is best."""

    name: str
    heading: str
    unit: str
    format: str
    best: Callable[[Iterable[float]], float] | None = None


COLUMNS = (
    Column("reduction", "reduction", "", "s"),
    Column("dim", "width", "", "d"),
    Column("n_topics", "topics", "", "d"),
    Column("outlier_share", "outliers", "share", ".1%", min),
    Column("coherence", "coherence", "NPMI", ".3f", max),
    Column("coherence_error", "error", "±", ".3f"),
    Column("diversity", "diversity", "share", ".3f", max),
    Column("ami", "AMI", "", ".3f", max),
    Column("ari", "ARI", "", ".3f", max),
    Column("reduce_seconds", "reduce", "s", ",.2f", min),
    Column("cluster_seconds", "cluster", "s", ",.2f", min),
    Column("represent_seconds", "represent", "s", ",.2f", min),
    Column("evaluate_seconds", "measure", "s", ",.2f"),
)


class Pair(NamedTuple):
    """A topic and its counterpart at another width, either of them None where it stands alone."""

    topic: Topic | None
    other: Topic | None
    share: float
    """Documents in both, of those in either; 0 where one stands alone."""


def write_report(comparison: DimensionComparison, path: Path) -> Path:
    """Write a comparison as one HTML file that needs nothing else, and return its path.

    Parameters
    ----------
    comparison : DimensionComparison
    path : Path
        Overwritten where it exists.

    Returns
    -------
    path : Path
    """
    from plotly.offline import get_plotlyjs

    decided = {cell.reduction: _decide(comparison, cell.reduction) for cell in comparison.cells}
    keep = {reduction: cell for reduction, (cell, _) in decided.items()}
    clusterings = {cell.reduction: cell.clustering for cell in comparison.cells}
    inspection = inspect_dimensions(comparison.embeddings)
    spectrum = inspection.plot().update_layout(title=None, height=340, **LAYOUT)
    spectrum.update_layout(showlegend=bool(inspection.near_zero))
    template = Template(files(__package__).joinpath("report.html").read_text("utf-8"))
    page = template.substitute(
        model=escape(comparison.model),
        n_documents=f"{comparison.n_documents:,}",
        verdicts="\n".join(_verdict(r, *decided[r]) for r in keep),
        compared=escape(_compared(comparison, list(keep))),
        spectrum_summary=escape(inspection.summary()),
        results=_results(comparison.table, keep),
        topics="\n".join(_topics(comparison, r, keep[r]) for r in keep),
        agreement=AGREEMENT if "ami" in comparison.table else "",
        smallest_match=f"{SMALLEST_MATCH:.0%}",
        reductions=_definitions(
            {r: f"{REDUCTIONS_IN_WORDS[r]} Topics by {clusterings[r]}." for r in keep}
        ),
        made_with=_definitions({"seed": str(comparison.cells[0].seed), **comparison.made_with}),
        comparison_wide=_json(comparison_figure(comparison)),
        comparison_narrow=_json(comparison_figure(comparison, n_columns=1)),
        spectrum=_json(spectrum),
        plotly=get_plotlyjs(),
    )
    path.write_text(page, "utf-8")
    return path


def pair_topics(cell: Cell, other: Cell) -> list[Pair]:
    """Match topics at two widths, one to one, by the documents that they share.

    The pairs together share as many documents as can be (Hungarian method). Topics that share
    less than a tenth of their documents are no pair.

    Parameters
    ----------
    cell, other : Cell
        Of the same documents.

    Returns
    -------
    pairs : list of Pair
        One for each topic of `cell` in its order, then those topics of `other` that are left.
    """
    contingency = pd.crosstab(cell.document_topics, other.document_topics).reindex(
        index=[topic.id for topic in cell.topics],
        columns=[topic.id for topic in other.topics],
        fill_value=0,
    )
    shared = contingency.to_numpy()
    pairs = {topic.id: Pair(topic, None, 0.0) for topic in cell.topics}
    left = {topic.id: topic for topic in other.topics}
    for i, j in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
        one, two = cell.topics[i], other.topics[j]
        share = float(shared[i, j] / (one.size + two.size - shared[i, j]))
        if share >= SMALLEST_MATCH:
            pairs[one.id] = Pair(one, left.pop(two.id), share)
    return [*pairs.values(), *(Pair(None, topic, 0.0) for topic in left.values())]


def _decide(comparison: DimensionComparison, reduction: str) -> tuple[Cell | None, list[str]]:
    """Find the cell at the width to keep, and say why; None where no width can be recommended."""
    try:
        decided = comparison.recommend(reduction)
    except ValueError as error:
        return None, [str(error)]
    by_dim = {cell.dim: cell for cell in comparison.cells if cell.reduction == reduction}
    return by_dim[decided.dim], [decided.reason, *decided.cautions]


def _heading(reduction: str, text: str = "") -> str:
    return f"<h3>{_sign(reduction)}{escape(reduction + text)}</h3>"


def _sign(reduction: str) -> str:
    """Give the marker that a reduction has in the figure."""
    style = STYLES[reduction]
    return f'<span class="sign" style="color:{style.color}" aria-hidden="true">{style.sign}</span>'


def _verdict(reduction: str, cell: Cell | None, sentences: list[str]) -> str:
    headline = "No width to recommend"
    if cell is not None:
        facts = f"{_count(cell.n_topics, 'topic')}, {cell.outlier_share:.0%} outliers"
        headline = f"{cell.dim} dimensions <small>{facts}</small>"
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return (
        f'<article class="verdict" style="border-color:{STYLES[reduction].color}">'
        f'{_heading(reduction)}<p class="width">{headline}</p>{said}</article>'
    )


def _compared(comparison: DimensionComparison, reductions: list[str]) -> str:
    """Say what was compared, and which seconds are in no cell."""
    widths = _listed([str(dim) for dim in dict.fromkeys(cell.dim for cell in comparison.cells)])
    documents = _count(comparison.n_documents, "document")
    model = f"{comparison.full_dim} dimensions ({comparison.model})"
    said = (
        f"Compared on {documents}: topic models on the first {widths} of {model}, with "
        f"{_listed(reductions)} as reduction."
    )
    encode, compile_ = comparison.encode_seconds, comparison.umap_compile_seconds
    if encode is None:
        said += " The embeddings were given, so that encoding is not timed."
    else:
        said += f" Encoding all documents once, at full width, took {encode:,.2f} s."
    if compile_ is not None:
        said += f" UMAP's first fit took {compile_:,.2f} s, mostly to compile: left out below."
    return f"{said} {caution_across(comparison.cells)}".rstrip()


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _results(table: pd.DataFrame, keep: dict[str, Cell | None]) -> str:
    columns = [column for column in COLUMNS if column.name in table]
    arrows: dict[Any, str] = {None: "", min: "↓", max: "↑"}
    head = "".join(
        f"<th>{column.heading}<small>{column.unit} {arrows[column.best]}</small></th>"
        for column in columns
    )
    table = table.sort_values("reduction", key=lambda of: of.map(list(keep).index), kind="stable")
    printed = zip(*(_printed(table[column.name], column) for column in columns), strict=True)
    rows = ""
    for dim, reduction, texts in zip(table["dim"], table["reduction"], printed, strict=True):
        kept = keep[reduction]
        attribute = ' class="kept"' if kept and kept.dim == dim else ""
        rows += f"<tr{attribute}>{''.join(f'<td>{text}</td>' for text in texts)}</tr>"
    return f'<table class="results"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _printed(values: pd.Series[Any], column: Column) -> list[str]:
    """Round, and emphasise whatever reads the same as the best, unless everything does."""
    if column.name == "reduction":
        return [_sign(reduction) + reduction for reduction in values]
    texts = ["&ndash;" if math.isnan(v) else format(v, column.format) for v in values]
    if column.best is None or len(set(texts)) == 1:
        return texts
    best = format(column.best(values.dropna()), column.format)
    return [f"<strong>{text}</strong>" if text == best else text for text in texts]


def _topics(comparison: DimensionComparison, reduction: str, cell: Cell | None) -> str:
    """Show the topics at the width to keep beside those at the full width."""
    if cell is None:
        return f"{_heading(reduction)}<p>No width to keep, and so no topics to show.</p>"
    full = max((c for c in comparison.cells if c.reduction == reduction), key=lambda c: c.dim)
    largest = cell.topics[:SHOWN_TOPICS]
    said = f"{_count(cell.n_topics, 'topic')} at {cell.dim} dimensions"
    said += f", the {len(largest)} largest shown" if len(largest) < cell.n_topics else ""
    if cell is full:
        heading, head = f": {cell.dim} dimensions, the full width", ""
        rows = "".join(f"<tr>{_topic(topic, cell.dim)}</tr>" for topic in largest)
    else:
        heading = f": {cell.dim} beside {full.dim} dimensions"
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
    return (
        f"{_heading(reduction, heading)}<p>{said}.</p>"
        f'<table class="topics">{head}<tbody>{rows}</tbody></table>'
    )


def _topic(topic: Topic | None, dim: int) -> str:
    said = '<span class="soft">no counterpart</span>'
    if topic is not None:
        words = escape(", ".join(topic.words[:SHOWN_TOPICS]))
        said = f"{words}<small>{_count(topic.size, 'document')}</small>"
    return f'<td data-of="{dim} dimensions">{said}</td>'


def _shared(pair: Pair) -> str:
    said = "&ndash;"
    if pair.share:
        said = f'{pair.share:.0%}<span class="bar"><i style="width:{pair.share:.0%}"></i></span>'
    return f'<td class="shared" data-of="shared">{said}</td>'


def _definitions(words: dict[str, str]) -> str:
    items = (f"<dt>{escape(term)}</dt><dd>{escape(said)}</dd>" for term, said in words.items())
    return f"<dl>{''.join(items)}</dl>"


def _json(figure: Figure) -> str:
    """Write a figure without a ground; the page's style sheet gives its text a colour."""
    clear = "rgba(0,0,0,0)"
    figure.update_layout(paper_bgcolor=clear, plot_bgcolor=clear, font_family="system-ui")
    text: str = figure.to_json()
    return text.replace("<", "\\u003c")  # no text of it can end the script element
