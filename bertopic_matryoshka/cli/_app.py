"""The command line: its commands, and the options of all."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bertopic_matryoshka.cli._command import Command
from bertopic_matryoshka.cli._compare import compare
from bertopic_matryoshka.cli._demo import demo
from bertopic_matryoshka.cli._fit import fit
from bertopic_matryoshka.cli._inspect import inspect

app = typer.Typer(
    help="BERTopic on Matryoshka embeddings: compare widths, inspect dimensions, fit topics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    *, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False
) -> None:
    """BERTopic on Matryoshka embeddings."""


for command in (demo, compare, inspect, fit):
    app.command(cls=Command)(command)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; --debug may stand anywhere in it."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if "--debug" in arguments:
        arguments = ["--debug", *(a for a in arguments if a != "--debug")]
    app(arguments, prog_name="bertopic-matryoshka")
