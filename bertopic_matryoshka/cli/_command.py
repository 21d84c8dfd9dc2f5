"""How every command runs and what its --help looks like."""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from typing import Any

import typer
from typer.core import TyperCommand

from bertopic_matryoshka.cli import _terminal as terminal


class Command(TyperCommand):
    """A command that prints an error in one line and exits with 1, and a warning as a note.

    --debug gives the traceback of errors, and warnings as Python shows them.

    Its help is plain text: the docstring, in which indented paragraphs are kept as they are, and
    the options below the titles of their panels.
    """

    def invoke(self, ctx: Any) -> Any:
        """Call the command's function."""
        debug = ctx.find_root().params["debug"]
        try:
            with nullcontext() if debug else terminal.warnings_as_notes():
                return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except Exception as error:
            if debug:
                raise
            terminal.print_error(error)
            raise typer.Exit(1) from error

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the docstring."""
        for paragraph in inspect.cleandoc(self.help or "").split("\n\n"):
            formatter.write_paragraph()
            if paragraph.startswith("    "):
                formatter.write("".join(f"{line}\n" for line in paragraph.splitlines()))
            else:
                with formatter.indentation():
                    formatter.write_text(paragraph)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options, a section for each panel."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                panel = getattr(param, "rich_help_panel", None) or "Options"
                if param.param_type_name == "argument":
                    panel = "Arguments"
                sections.setdefault(panel, []).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
