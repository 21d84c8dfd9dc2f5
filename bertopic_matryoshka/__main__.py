"""Start of the command line; the error names the extra if it is not installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``bertopic-matryoshka``."""
    try:
        from bertopic_matryoshka.cli import run
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in {"typer", "rich"}:
            raise
        sys.exit(
            f"Error: the command line needs {package}. "
            'Install it with: pip install "bertopic-matryoshka[cli]"'
        )
    run()


if __name__ == "__main__":
    main()
