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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from bertopic_matryoshka.comparison import DimensionComparison
    from bertopic_matryoshka.evaluation import TopicEvaluation
    from bertopic_matryoshka.report import Survival
    from bertopic_matryoshka.report import Table as Results
    from bertopic_matryoshka.selection import DimensionInspection
    from bertopic_matryoshka.training import MatryoshkaTraining

console = Console()
errors = Console(stderr=True)

TOPICS_SHOWN, WORDS_SHOWN = 6, 6
"""Of a comparison, which shows topics by width."""

TOPICS_LISTED = 15


def say(text: str) -> None:
    """Print a line."""
    console.print(escape(text), highlight=False, soft_wrap=True)


def print_error(error: Exception) -> None:
    """Print an error in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    errors.print(f"[bold red]Error:[/] {escape(text)}", highlight=False, soft_wrap=True)


def note(text: str) -> None:
    """Print a note, which --quiet leaves."""
    line = " ".join(text.split())
    errors.print(f"[yellow]Note:[/] {escape(line)}", highlight=False, soft_wrap=True)


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print warnings in one line each, without the place in the code that they come from."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: note(str(message))
        yield


def is_watched() -> bool:
    """Whether somebody sees a bar that moves."""
    return errors.is_terminal and not console.quiet


def working(what: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call a function and show meanwhile that something happens."""
    with console.status(what):
        return function(*arguments, **options)


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
    """Print the answer, what tells widths apart, what limits it, and what becomes of topics."""
    from bertopic_matryoshka.report import (
        answers,
        compared,
        notes,
        results,
        surviving_topics,
        sweeps_of,
    )

    say(f"{compared(comparison)}\n")
    found = answers(comparison)
    for answer in found:
        console.print(f"[bold]{escape(answer.headline)}[/]", highlight=False, soft_wrap=True)
        if answer.title:
            say(f"  {answer.title}")
        for name, figure in answer.figures.items():
            say(f"  {name}: {figure}.")
        say("")
    _print_results(results(comparison))
    reasons = [answer.reason for answer in found if answer.reason]
    for sentence in (*reasons, *notes(comparison)):
        say(f"\n{sentence}")
    for sweep in sweeps_of(comparison):
        if not sweep.is_control:
            console.print()
            topics = surviving_topics(sweep)
            console.print(_topics_table(sweep.title, topics))
            _say_how_many_more(len(topics["rows"]) - TOPICS_SHOWN)
    if comparison.umap_compile_seconds is not None:
        say(
            f"\nUMAP took {comparison.umap_compile_seconds:.0f} s to compile itself before the "
            "table's clock ran."
        )


def _print_results(results: Results) -> None:
    """Print a row a width below the name of its topic model, in columns of equal width."""
    headings = [heading["short"] for heading in results["headings"]]
    rows = [headings, *(row for group in results["groups"] for row in group["rows"])]
    widths = [max(map(len, texts)) for texts in zip(*rows, strict=True)]

    def line(texts: list[str]) -> str:
        return "  ".join(text.rjust(width) for text, width in zip(texts, widths, strict=True))

    say(line(headings))
    for group in results["groups"]:
        console.print(f"[bold]{escape(group['title'])}[/]{' (control)' * group['is_control']}")
        for row in group["rows"]:
            say(line(row))
    say("dims: dimensions of the embeddings; agree: topics agree with those at the widest, and at")
    say("least (95%); ±: standard error; kept: nearest neighbours kept;")
    say("fit s: seconds of the first seed; MB: embeddings in float32.")


def _topics_table(title: str, topics: Survival) -> Table:
    caption = "share of documents that a topic and its counterpart have in common"
    table = Table(
        title=escape(f"{title}: largest topics at {topics['dim']} dimensions"),
        caption=caption if topics["columns"] else None,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("topic", overflow="fold")
    for heading in ("docs", *topics["columns"]):
        table.add_column(escape(heading), justify="right", no_wrap=True)
    for words, size, shares in topics["rows"][:TOPICS_SHOWN]:
        texts = ("-" if share is None else f"{share:.0%}" for share in shares)
        first = ", ".join(words.split(", ")[:WORDS_SHOWN])
        table.add_row(escape(first), f"{size:,}", *texts)
    return table


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


def print_topics(
    topics: pd.DataFrame, shown: int = TOPICS_LISTED, *, title: str | None = None
) -> None:
    """Print the first topics, and how many more there are."""
    n_topics = int((topics["topic"] >= 0).sum())
    table = Table(
        title=escape(title or f"{n_topics:,} topic{'' if n_topics == 1 else 's'}"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
    )
    similar = "similarity" in topics
    for column in ("topic", "size", *["similarity"] * similar):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("words")
    for _, row in topics.head(shown).iterrows():
        more = [f"{row['similarity']:.2f}"] if similar else []
        table.add_row(str(row["topic"]), f"{row['size']:,}", *more, escape(row["words"]))
    console.print(table)
    _say_how_many_more(len(topics) - shown)


def _say_how_many_more(n_more: int) -> None:
    if n_more > 0:
        say(f"{n_more:,} more topic{'' if n_more == 1 else 's'}")


def print_evaluation(evaluation: TopicEvaluation) -> None:
    """Print the measures of all topics together, then of each topic."""
    for name, value in evaluation.summary.items():
        say(
            f"{str(name).replace('_', ' '):<14} {value:,.0f}"
            if name == "n_topics"
            else f"{str(name).replace('_', ' '):<14} {value:.3f}"
        )
    measures = [
        name
        for name in evaluation.per_topic.columns
        if name not in {"topic", "size", "words", "unseen"}
    ]
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("topic", "size", *measures):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("words")
    for _, row in evaluation.per_topic.head(TOPICS_LISTED).iterrows():
        first = ", ".join(row["words"].split(", ")[:WORDS_SHOWN])
        figures = (f"{row[measure]:.3f}" for measure in measures)
        table.add_row(str(row["topic"]), f"{row['size']:,}", *figures, escape(first))
    console.print(table)
    _say_how_many_more(len(evaluation.per_topic) - TOPICS_LISTED)


def print_training(training: MatryoshkaTraining) -> None:
    """Print each width, and number of layers, before the training and after it."""
    scores = training.scores
    measure = scores["measure"].iloc[0].replace("_", " ")
    say(
        f"{training.n_items:,} items in {training.n_steps:,} batches, {training.seconds:.0f} s. "
        f"Measured on others: {measure}"
    )
    table = Table(box=box.SIMPLE_HEAD)
    sizes = [name for name in ("n_layers", "dim") if name in scores]
    for column in (*sizes, "before", "after"):
        table.add_column(column.removeprefix("n_"), justify="right", no_wrap=True)
    for _, row in scores.iterrows():
        table.add_row(
            *(str(row[name]) for name in sizes), f"{row['before']:.3f}", f"{row['after']:.3f}"
        )
    console.print(table)
