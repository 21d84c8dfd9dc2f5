"""A comparison -> one HTML file that opens offline: the answer first, then what it rests on."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.comparison import caution_across
from bertopic_matryoshka.report._definitions import definitions, made_with, reductions
from bertopic_matryoshka.report._figures import LAYOUT, plot_comparison
from bertopic_matryoshka.report._map import document_map
from bertopic_matryoshka.report._map_figure import map_figure
from bertopic_matryoshka.report._sentences import (
    against_control,
    answer,
    certainty,
    count,
    decide,
    listed,
    mean_of,
    memory,
    short,
)
from bertopic_matryoshka.report._styles import GRAY, line_styles
from bertopic_matryoshka.report._tables import heading, measurements, topics_beside
from bertopic_matryoshka.selection import inspect_dimensions

if TYPE_CHECKING:
    from collections.abc import Callable

    from plotly.graph_objects import Figure

    from bertopic_matryoshka.comparison import DimensionComparison
    from bertopic_matryoshka.report._sentences import Decision
    from bertopic_matryoshka.selection import DimensionInspection

FEWEST_ON_MAP = 30
"""Documents that make a map worth a look."""

MOST_ON_MAP = 1000
"""Documents that a map is drawn of: enough to see the topics, in seconds."""


def write_report(comparison: DimensionComparison, path: str | Path) -> Path:
    """Write a comparison as one HTML file that needs nothing else, and return its path.

    Maps of the documents take some seconds.

    Parameters
    ----------
    comparison : DimensionComparison
    path : str or Path
        Overwritten where it exists.

    Returns
    -------
    path : Path
    """
    from plotly.offline import get_plotlyjs

    decided = decide(comparison)
    first = next(iter(decided.values()))
    inspection = inspect_dimensions(comparison.models[first.widest[0].line.model].embeddings)
    maps, map_said = _map(comparison, first)
    template = Template(files(__package__).joinpath("report.html.jinja").read_text("utf-8"))
    page = template.substitute(
        title=escape(f"{', '.join(comparison.models)}: widths compared"),
        about=escape(
            f"{', '.join(comparison.models)}; {count(comparison.n_documents, 'document')}"
        ),
        answer=_answer(first, name_line=len(decided) > 1),
        facts=_facts(comparison, first),
        verdicts=_verdicts(comparison, decided),
        compared=escape(_compared(comparison, decided)),
        topics="\n".join(topics_beside(comparison, decision) for decision in decided.values()),
        map_said=escape(map_said),
        map_hidden="" if maps else " hidden",
        map_ring=", and a ring shows where it is on the other map" if first.is_narrower else "",
        spectrum_of=escape(f"{first.full_dim} dimensions of {first.widest[0].line.model}"),
        spectrum_summary=escape(inspection.summary()),
        measurements=measurements(comparison, decided),
        definitions=definitions(comparison, has_map=bool(maps)),
        reductions=reductions(comparison),
        made_with=made_with(comparison),
        comparison_figure=_json(*(plot_comparison(comparison, n_columns=n) for n in (2, 1))),
        map_figure=_json(*maps),
        spectrum_figure=_json(_spectrum(inspection, first)),
        plotly=get_plotlyjs(),
    )
    path = Path(path)
    path.write_text(page, "utf-8")
    return path


def _answer(decision: Decision, *, name_line: bool) -> str:
    """Write the answer, what is said of its certainty, and why it may mislead."""
    keep, _, gained = answer(decision, name_line=name_line).partition(":")
    said = f'<p class="answer"><strong>{escape(keep)}{":" if gained else ""}</strong>'
    said += f"{escape(gained)}</p>"
    if sure := certainty(decision):
        said += f"<p>{escape(sure)}</p>"
    cautions = decision.recommendation.cautions if decision.recommendation else ()
    return said + "".join(f'<p class="caution">{escape(caution)}</p>' for caution in cautions)


def _facts(comparison: DimensionComparison, decision: Decision) -> str:
    """Write what the width to keep gives and costs beside what the widest one does."""
    if not decision.kept:
        return ""
    summary = comparison.summary.dropna(axis="columns", how="all").set_index(["line", "dim"])
    here, there = (
        (cells[0].dim, summary.loc[(decision.line, cells[0].dim)])
        for cells in (decision.kept, decision.widest)
    )
    written: dict[str, Callable[[int, Any], str]] = {
        "Coherence": lambda _, row: f"{row['coherence']:.3f} ± {row['coherence_error']:.3f}",
        "Neighbours kept": lambda _, row: f"{row['neighbors_kept']:.0%}",
        "AMI with the labels": lambda _, row: f"{row['ami']:.3f}",
        "Outliers": lambda _, row: f"{row['outlier_share']:.0%}",
        "Memory": lambda dim, _: memory(comparison.n_documents, dim),
        "Time to fit": lambda _, row: f"{row['seconds']:,.3g} s",
    }
    left_out = set() if summary["outlier_share"].any() else {"Outliers"}
    for name, needed in (("Neighbours kept", "neighbors_kept"), ("AMI with the labels", "ami")):
        left_out |= set() if needed in summary else {name}
    said = ""
    for name, write in written.items():
        if name in left_out:
            continue
        beside = f"<small>{write(*there)} at {there[0]}</small>" if decision.is_narrower else ""
        said += f"<div><dt>{name}</dt><dd>{write(*here)}{beside}</dd></div>"
    return f'<dl class="facts">{said}</dl>'


def _verdicts(comparison: DimensionComparison, decided: dict[str, Decision]) -> str:
    """Write a card for each line; a control's says how it does beside what is decided first."""
    first = next(iter(decided.values()))
    cards = ""
    for line, style in line_styles(comparison).items():
        if line in decided:
            headline, sentences = _verdict(decided[line], repeat=line != first.line)
        else:
            headline = "Control <small>to hold the others against</small>"
            sentences = [against_control(first, comparison, line)]
        said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
        cards += (
            f'<article class="verdict" style="border-color:{style.color}">'
            f'{heading(style, line)}<p class="width">{headline}</p>{said}</article>'
        )
    return cards


def _verdict(decision: Decision, *, repeat: bool) -> tuple[str, list[str]]:
    """Give a card's headline and sentences; `repeat` says the cautions too."""
    if decision.recommendation is None:
        return "No width to recommend", [decision.refusal]
    n_topics, outliers = (mean_of(decision.kept, of) for of in ("n_topics", "outlier_share"))
    noun = "topic" if n_topics == 1 else "topics"
    headline = (
        f"{decision.recommendation.dim} dimensions <small>{short(n_topics)} {noun}, "
        f"{outliers:.0%} outliers</small>"
    )
    said = [decision.recommendation.reason]
    return headline, [*said, *decision.recommendation.cautions] if repeat else said


def _compared(comparison: DimensionComparison, decided: dict[str, Decision]) -> str:
    """Say what was compared, and where lines cannot be compared with each other."""
    widths: dict[str, list[str]] = {name: [] for name in comparison.models}
    for model, dim in dict.fromkeys((cell.line.model, cell.dim) for cell in comparison.cells):
        widths[model].append(str(dim))
    of_models = [
        f"{listed(widths[name])} of {model.full_dim} dimensions of {name}"
        for name, model in comparison.models.items()
    ]
    names = list(dict.fromkeys(comparison.lines[line].reduction for line in decided))
    noun = "reduction" if len(names) == 1 else "reductions"
    return (
        f"Compared on {count(comparison.n_documents, 'document')}: topic models on the first "
        f"{'; '.join(of_models)}; with {listed(names)} as {noun}. "
        f"{caution_across(comparison.cells)}"
    ).rstrip()


def _map(comparison: DimensionComparison, decision: Decision) -> tuple[tuple[Figure, ...], str]:
    """Draw the documents at the width to keep and the widest, and say what of them is there."""
    if comparison.n_documents < FEWEST_ON_MAP:
        return (), f"No map: {count(comparison.n_documents, 'document')} are too few."
    cells = [decision.widest[0]]
    if decision.is_narrower:
        cells.insert(0, decision.kept[0])
    placed = document_map(
        comparison.models[cells[0].line.model].embeddings,
        [cell.dim for cell in cells],
        sample_size=MOST_ON_MAP,
    )
    n_placed, n = len(placed.rows), comparison.n_documents
    of_all = "All documents" if n_placed == n else f"{n_placed:,} of {n:,} documents, at random"
    said = f"{of_all}, coloured by the largest topics at {cells[0].dim} dimensions"
    if decision.is_narrower:
        said += f", and their counterparts at {cells[1].dim}"
    figures = [map_figure(placed, cells, comparison.documents, n_columns=n) for n in (2, 1)]
    return tuple(figures), f"{said}."


def _spectrum(inspection: DimensionInspection, decision: Decision) -> Figure:
    """Draw the spectrum with a line where it is cut."""
    figure = inspection.plot().update_layout(title=None, height=340, **LAYOUT)
    figure.update_layout(showlegend=bool(inspection.near_zero))
    figure.update_traces(cliponaxis=False)  # near-zero ones lie on the axis
    if decision.kept and decision.kept[0].dim < decision.full_dim:
        dim = decision.kept[0].dim
        figure.add_vline(
            dim - 0.5,
            line={"color": GRAY, "dash": "dot", "width": 1.5},
            annotation={"text": f"the first {dim}", "xanchor": "left", "yanchor": "top", "y": 1},
        )
    return figure


def _json(*figures: Figure) -> str:
    """Write the data of a figure once, and the layouts that it has from wide to narrow.

    The ground is left out: the page's style sheet gives text a colour.
    """
    if not figures:
        return "null"
    clear = "rgba(0,0,0,0)"
    for figure in figures:
        figure.update_layout(paper_bgcolor=clear, plot_bgcolor=clear, font_family="system-ui")
    parts = [json.loads(figure.to_json()) for figure in figures]
    drawn = {"data": parts[0]["data"], "layouts": [part["layout"] for part in parts]}
    return json.dumps(drawn).replace("<", "\\u003c")  # no text of it can end the script element
