"""The command `train`: a model whose first dimensions serve, trained on the texts of a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._options import (
    EMBEDDING,
    Device,
    Dims,
    File,
    Model,
    Out,
    TextColumn,
    names,
    widths,
)
from bertopic_matryoshka.cli._output import check_output

if TYPE_CHECKING:
    import pandas as pd

TRAINING = "Training"


def check_columns(value: str | None) -> str | None:
    """Check that an option is two or three names, with commas between them."""
    if value is not None and len(names(value)) not in {2, 3}:
        raise typer.BadParameter(
            f"{value!r} must be two columns of texts, of pairs, or three, of triplets, such as "
            "question,answer. Leave it out to train on documents."
        )
    return value


def check_layers(value: str | None) -> str | None:
    """Check that an option is "all" or what check_widths takes."""
    if value != "all":
        widths(value)
    return value


def train(
    file: File,
    out: Out,
    *,
    text_column: TextColumn = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Columns of pairs or triplets, such as question,answer, instead of documents.",
            callback=check_columns,
        ),
    ] = None,
    score: Annotated[
        str | None, typer.Option(help="Column of the similarity of each pair, a number.")
    ] = None,
    model: Model = None,
    device: Device = None,
    dims: Dims = None,
    layers: Annotated[
        str | None,
        typer.Option(
            help="Numbers of first layers that are to serve too, such as 3, or all.",
            callback=check_layers,
            rich_help_panel=EMBEDDING,
        ),
    ] = None,
    epochs: Annotated[
        int,
        typer.Option(min=1, help="How often to go through the file.", rich_help_panel=TRAINING),
    ] = 1,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=2**32 - 1,
            help="Seed of what is held out and of the order.",
            rich_help_panel=TRAINING,
        ),
    ] = 0,
) -> None:
    """Train a model so that its first dimensions alone are a good embedding.

    Trains on the documents of a file, or on pairs, scored pairs or triplets of texts, and measures
    each width before and after on a tenth of them that is held out. Writes the model to --out, for
    --model of the other commands. Killed, it goes on where it was when it is called
    again in the same way. Needs the extra train.

    For example:

        bertopic-matryoshka train reviews.csv --model ./all-MiniLM-L6-v2 --out trained
        bertopic-matryoshka train faq.csv --columns question,answer --out trained --dims 64,32
        bertopic-matryoshka train sts.csv --columns first,second --score similarity --out trained
        bertopic-matryoshka train reviews.csv --model ./my-model --layers 3,6 --out trained
    """
    if columns is not None and text_column is not None:
        raise ValueError("--columns and --text-column were both given. Leave one of them out.")
    if score is not None and (columns is None or len(names(columns)) != 2):
        raise ValueError(
            f"--score={score} is of a pair. Name its two columns of texts, such as "
            "--columns first,second."
        )
    if not (out / "checkpoints" / "run.json").is_file():
        there = [file.name for file in out.iterdir()] if out.is_dir() else []
        if there:
            raise FileExistsError(f"--out={out} has files in it. Name a new or an empty folder.")
        check_output(out, [], force=False)
    data = _read_items(file, text_column, columns, score)

    from bertopic_matryoshka.training import train_matryoshka

    training = train_matryoshka(
        model,
        data,
        out=out,
        dims=widths(dims),
        layers="all" if layers == "all" else widths(layers),
        arguments={"num_train_epochs": epochs, "disable_tqdm": terminal.console.quiet},
        device=device,
        random_state=seed,
    )
    terminal.print_training(training)
    terminal.say(f"Written to {out}")


def _read_items(
    file: Path, text_column: str | None, columns: str | None, score: str | None
) -> "list[str] | pd.DataFrame":
    """Read documents, or a table of pairs or triplets without the rows that lack a text."""
    from bertopic_matryoshka.documents import read_documents

    if columns is None:
        documents = read_documents(file, text_column=text_column)
        terminal.say(documents.summary())
        return documents.texts

    import pandas as pd

    sides = [read_documents(file, text_column=name, label_column=score) for name in names(columns)]
    cells: dict[Any, list[Any]] = {
        side: documents.spread(documents.texts, None) for side, documents in enumerate(sides)
    }
    labels = sides[0].labels
    if labels is not None:
        cells[score] = sides[0].spread(labels, None)
    table: pd.DataFrame = pd.DataFrame(cells).dropna()
    if score is not None:
        table[score] = _numbers(table[score], score)
    n_dropped = sides[0].n_rows - len(table)
    if n_dropped:
        terminal.note(f"{n_dropped:,} of {sides[0].n_rows:,} rows lack a text and were left out.")
    return table


def _numbers(cells: "pd.Series[Any]", name: str) -> "pd.Series[Any]":
    """Read numbers, which a CSV file has as strings."""
    import pandas as pd

    numbers = pd.to_numeric(cells, errors="coerce")
    bad = numbers.index[numbers.isna()]
    if len(bad):
        raise ValueError(
            f"--score={name} has {cells[bad[0]]!r} in row {bad[0]}, which is not a number. Remove "
            "such rows, or give them a score."
        )
    return numbers
