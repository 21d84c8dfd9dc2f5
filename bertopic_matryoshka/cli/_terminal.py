"""What the command line shows: progress, tables, notes and errors."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from bertopic_matryoshka.exceptions import LossySaveWarning, TruncationWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from bertopic_matryoshka.comparison import DimensionComparison
    from bertopic_matryoshka.selection import DimensionInspection

console = Console()
errors = Console(stderr=True)

# Column of the comparison's summary, its heading, and how a value is written.
_COLUMNS = (
    ("line", "line", "{}"),
    ("dim", "dims", "{:d}"),
    ("n_topics", "topics", "{}"),
    ("outlier_share", "outliers", "{:.0%}"),
    ("coherence", "coherence", "{}"),
    ("neighbors_kept", "kept", "{:.0%}"),
    ("ami", "AMI", "{:.3f}"),
    ("seed_stability", "seeds", "{:.2f}"),
    ("seconds", "s", "{:,.1f}"),
)

TOPICS_SHOWN = 6


def say(text: str) -> None:
    """Print a line."""
    console.print(escape(text), highlight=False, soft_wrap=True)


def print_error(error: Exception) -> None:
    """Print an error in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    errors.print(f"[bold red]Error:[/] {escape(text)}", highlight=False, soft_wrap=True)


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print warnings of this package in one line each, and leave the others to Python."""
    ours = (LossySaveWarning, TruncationWarning)
    with warnings.catch_warnings():
        show = warnings.showwarning

        def note(message: Any, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, ours):
                errors.print(
                    f"[yellow]Note:[/] {escape(str(message))}", highlight=False, soft_wrap=True
                )
            else:
                show(message, category, *rest, **more)

        warnings.showwarning = note
        yield


def working(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function and show meanwhile that something happens."""
    with console.status(what):
        return function(*arguments)


@contextmanager
def progress() -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar, moved by calls with the steps done, all steps, and what comes next."""
    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("")
        yield lambda done, total, step: bar.update(
            task, completed=done, total=total, description=step
        )


def print_comparison(comparison: DimensionComparison) -> None:
    """Print a row a line and width, and for each line the answer and topics at its width."""
    from bertopic_matryoshka.comparison import caution_across
    from bertopic_matryoshka.report import against_control, answer, certainty, controls_of, decide

    console.print(_summary_table(comparison))
    decided = decide(comparison)
    for decision in decided.values():
        sentences = [answer(decision, name_line=len(decided) > 1), certainty(decision)]
        if decision.recommendation is not None:
            sentences += decision.recommendation.cautions
        say(f"\n{' '.join(filter(None, sentences))}")
        for cell in decision.kept[:1]:
            for topic in cell.topics[:TOPICS_SHOWN]:
                say(f"  {topic.size:>6,}  {', '.join(topic.words[:8])}")
    first = next(iter(decided.values()))
    for control in sorted(controls_of(comparison)):
        say(f"\nControl, {control}: {against_control(first, comparison, control)}")
    if across := caution_across(comparison.cells):
        say(f"\n{across}")
    if comparison.umap_compile_seconds is not None:
        say(
            f"\nUMAP took {comparison.umap_compile_seconds:.0f} s to compile itself before the "
            "table's clock ran."
        )


def _summary_table(comparison: DimensionComparison) -> Table:
    from bertopic_matryoshka.report import short

    frame = comparison.summary
    frame["n_topics"] = frame["n_topics"].map(short)
    frame["coherence"] = [
        _written(mean, f"{{:.3f}} ± {error:.3f}")
        for mean, error in zip(frame["coherence"], frame["coherence_error"], strict=True)
    ]
    shown = [column for column in _COLUMNS if column[0] in frame]
    n_seeds = int(frame["n_seeds"].max())
    title = f"{comparison.n_documents:,} documents, {', '.join(comparison.models)}"
    title += f", means over {n_seeds} seeds" if n_seeds > 1 else ""
    table = Table(title=escape(title), box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name, heading, _ in shown:
        if name == "line":
            table.add_column(heading, overflow="fold")
        else:
            text = comparison.measure if name == "coherence" else heading
            table.add_column(text, justify="right", no_wrap=True)
    for _, row in frame.iterrows():
        table.add_row(*(escape(_written(row[column], form)) for column, _, form in shown))
    return table


def _written(value: Any, form: str) -> str:
    return "-" if value != value else form.format(value)  # noqa: PLR0124  (NaN)


def print_inspection(inspection: DimensionInspection) -> None:
    """Print the summary, the near-zero dimensions and the most varying ones."""
    say(inspection.summary())
    frame = inspection.table.sort_values("rank")
    table = Table(title="near-zero dimensions and the ten that vary most")
    for column in frame.columns:
        table.add_column(column.replace("_", " "), justify="right")
    for _, row in frame[frame["near_zero"] | (frame["rank"] <= 10)].iterrows():
        table.add_row(
            f"{row['dim']:d}",
            f"{row['mean']:.4f}",
            f"{row['std']:.4f}",
            f"{row['variance_share']:.2%}",
            f"{row['kurtosis']:.2f}",
            f"{row['rank']:d}",
            "near-zero" if row["near_zero"] else "",
        )
    console.print(table)


def print_topics(topics: pd.DataFrame) -> None:
    """Print the largest topics."""
    table = Table(title=f"{(topics['topic'] >= 0).sum()} topics")
    for column, justify in (("topic", "right"), ("size", "right"), ("words", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for _, row in topics.head(15).iterrows():
        table.add_row(str(row["topic"]), f"{row['size']:,}", escape(row["words"]))
    console.print(table)
