"""How every command runs: errors in one line, warnings as notes."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from bertopic_matryoshka.cli import _terminal as terminal


class Command(TyperCommand):
    """A command that prints an error in one line and exits with 1; --debug gives the traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Call the command's function."""
        try:
            with terminal.warnings_as_notes():
                return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            if ctx.find_root().params["debug"]:
                raise
            terminal.print_error(error)
            raise typer.Exit(1) from error
