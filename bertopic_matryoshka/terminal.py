"""What the command line shows: progress, tables, notes and errors."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bertopic_matryoshka.cautions import LossySaveWarning, TruncationWarning
from bertopic_matryoshka.recommendation import caution_across

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from bertopic_matryoshka.comparison import DimensionComparison
    from bertopic_matryoshka.inspection import DimensionInspection

console = Console()
errors = Console(stderr=True)

# Column of the comparison's table, its heading, and how a value is written.
_COLUMNS = (
    ("dim", "dims", "{:d}"),
    ("reduction", "reduction", "{}"),
    ("n_topics", "topics", "{:d}"),
    ("outlier_share", "outliers", "{:.0%}"),
    ("coherence", "NPMI", "{:.3f}"),
    ("diversity", "diversity", "{:.2f}"),
    ("ami", "AMI", "{:.3f}"),
    ("ari", "ARI", "{:.3f}"),
    ("seconds", "seconds", "{:.1f}"),
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
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("")
        yield lambda done, total, step: bar.update(
            task, completed=done, total=total, description=step
        )


def print_comparison(comparison: DimensionComparison) -> None:
    """Print the table, some topics of the recommended models, and the recommendations."""
    frame = comparison.table
    stages = ["reduce_seconds", "cluster_seconds", "represent_seconds"]
    frame["seconds"] = frame[stages].sum(axis=1)
    shown = [column for column in _COLUMNS if column[0] in frame]
    title = f"{comparison.n_documents:,} documents, {comparison.model}"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for _, heading, _ in shown:
        justify: Any = "left" if heading == "reduction" else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for _, row in frame.iterrows():
        table.add_row(*(_written(row[column], form) for column, _, form in shown))
    console.print(table)
    for reduction in dict.fromkeys(frame["reduction"]):
        try:
            recommendation = comparison.recommend(reduction)
        except ValueError as error:
            say(str(error))
            continue
        say(f"\n{recommendation}")
        for cell in comparison.cells:
            if (cell.dim, cell.reduction) == (recommendation.dim, reduction):
                for topic in cell.topics[:TOPICS_SHOWN]:
                    say(f"  {topic.size:>6,}  {', '.join(topic.words[:8])}")
    if across := caution_across(comparison.cells):
        say(f"\n{across}")
    if comparison.umap_compile_seconds is not None:
        say(
            f"\nUMAP took {comparison.umap_compile_seconds:.0f} s to compile itself before the "
            "table's clock ran."
        )


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
