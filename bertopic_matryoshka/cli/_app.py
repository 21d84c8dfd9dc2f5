"""The command line: its commands, and the options of all."""

import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bertopic_matryoshka import __version__
from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._command import Command
from bertopic_matryoshka.cli._compare import compare
from bertopic_matryoshka.cli._demo import demo
from bertopic_matryoshka.cli._evaluate import evaluate
from bertopic_matryoshka.cli._fit import fit
from bertopic_matryoshka.cli._inspect import inspect
from bertopic_matryoshka.cli._topics import topics
from bertopic_matryoshka.cli._train import train
from bertopic_matryoshka.cli._transform import transform

app = typer.Typer(
    help="BERTopic on Matryoshka embeddings: fit topics, use them, compare widths.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # an error in one line that can be searched, not in a box
)

ANYWHERE = ("--debug", "--quiet")
"""Options of all commands, which may stand anywhere in the command line."""


def print_version(asked: bool) -> None:
    """Print the version and stop."""
    if asked:
        typer.echo(f"bertopic-matryoshka {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    debug: Annotated[  # noqa: ARG001 - Command reads it
        bool, typer.Option("--debug", help="Show the traceback of errors.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print nothing but notes and errors.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback stops
        bool,
        typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True),
    ] = False,
) -> None:
    """BERTopic on Matryoshka embeddings: fit topics, use them, compare widths."""
    terminal.console.quiet = quiet


for command in (demo, inspect, compare, fit, transform, evaluate, topics, train):
    app.command(cls=Command)(command)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; --debug and --quiet may stand anywhere in it.

    A character that the terminal's encoding lacks is shown as a question mark.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    first = [argument for argument in ANYWHERE if argument in arguments]
    rest = [argument for argument in arguments if argument not in ANYWHERE]
    app([*first, *rest], prog_name="bertopic-matryoshka")
