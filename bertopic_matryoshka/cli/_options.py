"""Arguments and options that several commands have, and what they stand for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bertopic_matryoshka.embedding import MatryoshkaBackend

# No `from __future__ import annotations` in this file and the commands: typer reads the types.

File = Annotated[
    Path, typer.Argument(help="CSV, TSV, JSON Lines, Parquet or plain text, a document a line.")
]
TextColumn = Annotated[str | None, typer.Option(help="Column of the texts.")]
Model = Annotated[
    str | None, typer.Option(help="Name or folder of a model; the bundled one if left out.")
]
Prompt = Annotated[
    str | None, typer.Option(help="Put before each text; the model's own if left out.")
]
Device = Annotated[str | None, typer.Option(help="cuda, mps or cpu; found out if left out.")]
Dims = Annotated[str | None, typer.Option(help="Widths, such as 256,128,64.")]
MinTopicSize = Annotated[int, typer.Option(min=2, help="Documents that make a topic.")]
StopWords = Annotated[
    str, typer.Option(help='Language of the words left out, such as english or de; "none".')
]
Seed = Annotated[int, typer.Option(help="Seed of UMAP, PCA and Leiden.")]


def make_backend(model: str | None, prompt: str | None, device: str | None) -> "MatryoshkaBackend":
    """Build the backend that --model, --prompt and --device name."""
    from bertopic_matryoshka.embedding import MatryoshkaBackend

    return MatryoshkaBackend(model, prompt=... if prompt is None else prompt, device=device)


def names(text: str) -> list[str]:
    """Split what is between commas."""
    return [name.strip() for name in text.split(",")]


def integers(option: str, text: str | None) -> list[int] | None:
    """Split whole numbers at commas; None stays None."""
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"{option}={text!r} must be whole numbers, such as 256,128.") from error
