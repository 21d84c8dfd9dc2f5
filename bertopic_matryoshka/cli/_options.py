"""Arguments and options that several commands have, and checks of what they are given.

The checks run before anything is read or imported, so a mistake is told at once.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from bertopic import BERTopic

    from bertopic_matryoshka.embedding import MatryoshkaBackend

# No `from __future__ import annotations` in this file and the commands: typer reads the types.

REDUCTIONS = ("variance", "rotation", "pca", "umap", "none")
CLUSTERINGS = ("leiden", "hdbscan")
CRITERIA = ("variance", "laplacian")
MEASURES = ("c_v", "c_npmi", "c_uci", "u_mass", "npmi")
"""The package's own lists, whose modules take seconds to import; a test compares them."""

DEVICE = r"(cpu|cuda|mps|xpu)(:\d+)?"

EMBEDDING, TOPICS, OUTPUT = "Embedding", "Topics", "Output"
"""Sections of the options in --help."""

Text = TypeVar("Text", str, str | None)


def one_of(*choices: str) -> Callable[[Text], Text]:
    """Make a check that an option is one of the choices."""

    def check(value: Text) -> Text:
        if value is not None and value not in choices:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(choices)}.")
        return value

    return check


def some_of(*choices: str) -> Callable[[Text], Text]:
    """Make a check that an option is some of the choices, with commas between them."""

    def check(value: Text) -> Text:
        for name in [] if value is None else names(value):
            if name not in choices:
                raise typer.BadParameter(f"{name!r} is not one of {', '.join(choices)}.")
        return value

    return check


def check_widths(value: str | None) -> str | None:
    """Check that an option is whole numbers of at least 1, with commas between them."""
    widths(value)
    return value


def check_device(value: str | None) -> str | None:
    """Check that an option looks like a device; whether it is there, torch knows."""
    if value is not None and not re.fullmatch(DEVICE, value):
        raise typer.BadParameter(f"{value!r} is not cpu, cuda, cuda:1, mps or xpu.")
    return value


def saved_folder(folder: Path) -> Path:
    """Find the saved model: in the folder, or in its "model", where `fit` puts it."""
    for place in (folder, folder / "model"):
        if (place / "matryoshka.json").is_file():
            return place
    raise typer.BadParameter(
        f"{folder} holds no saved topic model: no matryoshka.json in it or in {folder / 'model'}. "
        "Give the folder that fit wrote to."
    )


File = Annotated[
    Path,
    typer.Argument(
        help="Documents: CSV, TSV, JSON Lines or plain text with a document a line, each also "
        "compressed (.gz), or Parquet.",
        exists=True,
        dir_okay=False,
        readable=True,
        show_default=False,
    ),
]
SavedModel = Annotated[
    Path,
    typer.Argument(
        help="Folder that fit wrote, or a folder of save_topic_model.",
        exists=True,
        file_okay=False,
        callback=saved_folder,
        show_default=False,
    ),
]
TextColumn = Annotated[
    str | None,
    typer.Option(help="Column of the texts; the one that is plainly text if left out."),
]
EmbeddingsFile = Annotated[
    Path | None,
    typer.Option(
        "--embeddings",
        metavar="FILE",
        help="Embeddings of the rows, in their order: .npy, or a file that has --embedding-column.",
        exists=True,
        dir_okay=False,
        readable=True,
        rich_help_panel=EMBEDDING,
    ),
]
EmbeddingColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of embeddings, lists of numbers in Parquet or JSON Lines.",
        rich_help_panel=EMBEDDING,
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Column of ids, which the table of documents then has."),
]
Out = Annotated[Path, typer.Option(help="Folder to write to.", rich_help_panel=OUTPUT)]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace files that are there.", rich_help_panel=OUTPUT),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="Name or folder of an embedding model; the bundled English one if left out.",
        rich_help_panel=EMBEDDING,
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(
        help="Put before each text; the model's own if left out.", rich_help_panel=EMBEDDING
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="cuda, mps or cpu; found out if left out.",
        callback=check_device,
        rich_help_panel=EMBEDDING,
    ),
]
Dims = Annotated[
    str | None,
    typer.Option(
        help="Widths, such as 256,128,64; those of the model if left out.",
        callback=check_widths,
        rich_help_panel=EMBEDDING,
    ),
]
MinTopicSize = Annotated[
    int, typer.Option(min=2, help="Fewest documents of a topic.", rich_help_panel=TOPICS)
]
StopWords = Annotated[
    str,
    typer.Option(
        metavar="LANGUAGE",
        help="Language whose stop words describe no topic, such as english, de or german; none.",
        rich_help_panel=TOPICS,
    ),
]
MaxNgram = Annotated[
    int,
    typer.Option(
        "--ngrams",
        metavar="MAX",
        min=1,
        max=5,
        help='Longest phrase that describes a topic, in words: 2 allows "support vector".',
        rich_help_panel=TOPICS,
    ),
]
TableFormat = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="csv|jsonl|parquet",
        help="Of the table of documents. Only csv changes texts that a spreadsheet would run.",
        callback=one_of("csv", "jsonl", "parquet"),
        rich_help_panel=OUTPUT,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0, max=2**32 - 1, help="Seed of UMAP, PCA and Leiden.", rich_help_panel=TOPICS
    ),
]


def make_backend(model: str | None, prompt: str | None, device: str | None) -> "MatryoshkaBackend":
    """Build the backend that --model, --prompt and --device name."""
    from bertopic_matryoshka.embedding import MatryoshkaBackend

    return MatryoshkaBackend(model, prompt=... if prompt is None else prompt, device=device)


def load_saved(folder: Path, device: str | None) -> "BERTopic":
    """Load the topic model of a folder that `fit` or save_topic_model wrote."""
    from bertopic_matryoshka.topics import allow_missing_hdbscan, load_topic_model

    allow_missing_hdbscan()
    return load_topic_model(folder, device=device)


def names(text: str) -> list[str]:
    """Split what is between commas."""
    return [name.strip() for name in text.split(",")]


def widths(text: str | None) -> list[int] | None:
    """Split whole numbers of at least 1 at commas; None stays None."""
    if text is None:
        return None
    parts = names(text)
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise typer.BadParameter(f"{text!r} must be whole numbers above 0, such as 256,128.")
    return [int(part) for part in parts]
