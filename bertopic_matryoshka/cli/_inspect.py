"""The command `inspect`: what each width keeps, before any topic model."""

from pathlib import Path
from typing import Annotated

import typer

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._given import read_given
from bertopic_matryoshka.cli._options import (
    Device,
    Dims,
    EmbeddingColumn,
    EmbeddingsFile,
    Force,
    Model,
    Prompt,
    TextColumn,
    make_backend,
    widths,
)
from bertopic_matryoshka.cli._output import check_output


def inspect(
    file: Annotated[
        Path,
        typer.Argument(
            help="Embeddings (.npy), or documents to embed, see fit.",
            exists=True,
            dir_okay=False,
            readable=True,
            show_default=False,
        ),
    ],
    *,
    out: Annotated[Path | None, typer.Option(help="HTML file for the spectrum.")] = None,
    text_column: TextColumn = None,
    embeddings_file: EmbeddingsFile = None,
    embedding_column: EmbeddingColumn = None,
    model: Model = None,
    prompt: Prompt = None,
    device: Device = None,
    dims: Dims = None,
    force: Force = False,
) -> None:
    """Say what each width of embeddings keeps, before any topic model.

    Prints which dimensions hardly vary, and for each width the share of nearest neighbours that it
    keeps. With --out, draws the spectrum to an HTML file.

    For example:

        bertopic-matryoshka inspect reviews.csv --out spectrum.html
        bertopic-matryoshka inspect embeddings.npy --dims 256,128,64
        bertopic-matryoshka inspect reviews.parquet --embedding-column vector
    """
    if out is not None:
        check_output(out.parent, [out.name], force=force)
    if file.suffix == ".npy":
        embeddings_file = embeddings_file or file
    embeddings = read_given(file, None, embeddings_file, embedding_column)
    if embeddings is None:
        from bertopic_matryoshka.documents import read_documents

        documents = read_documents(file, text_column=text_column)
        terminal.say(documents.summary())
        backend = make_backend(model, prompt, device)
        embeddings = terminal.working("embedding", backend.embed, documents.texts)

    from bertopic_matryoshka.selection import inspect_dimensions

    inspection = inspect_dimensions(embeddings, dims=widths(dims))
    terminal.print_inspection(inspection)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        inspection.plot().write_html(out, include_plotlyjs=True)
        terminal.say(f"Spectrum: {out}")
