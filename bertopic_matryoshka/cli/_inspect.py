"""The command `inspect`: what each width keeps, before any topic model."""

from pathlib import Path
from typing import Annotated

import typer

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._options import (
    Device,
    Dims,
    Model,
    Prompt,
    TextColumn,
    integers,
    make_backend,
)


def inspect(
    file: Annotated[Path, typer.Argument(help="Embeddings (.npy), or documents to embed.")],
    out: Annotated[Path | None, typer.Option(help="HTML file for the spectrum.")] = None,
    text_column: TextColumn = None,
    model: Model = None,
    prompt: Prompt = None,
    device: Device = None,
    dims: Dims = None,
) -> None:
    """Say what each width of embeddings keeps, before any topic model, and draw their spectrum."""
    import numpy as np

    from bertopic_matryoshka.selection import inspect_dimensions

    if file.suffix == ".npy":
        embeddings = np.load(file, mmap_mode="r", allow_pickle=False)
    else:
        from bertopic_matryoshka.documents import read_documents

        documents = read_documents(file, text_column=text_column)
        terminal.say(documents.summary())
        backend = make_backend(model, prompt, device)
        embeddings = terminal.working("embedding", backend.embed, documents.texts)
    inspection = inspect_dimensions(embeddings, dims=integers("--dims", dims))
    terminal.print_inspection(inspection)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        inspection.plot().write_html(out, include_plotlyjs=True)
        terminal.say(f"Spectrum: {out}")
