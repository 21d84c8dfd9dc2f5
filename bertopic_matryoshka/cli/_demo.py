"""The command `demo`: the main job on text that every machine has."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._options import one_of
from bertopic_matryoshka.cli._output import check_output
from bertopic_matryoshka.cli._run_comparison import run_comparison

if TYPE_CHECKING:
    from bertopic_matryoshka.documents import Documents

DEMO_DOCUMENTS = 6000
"""Enough for topics, few enough for three minutes on two cores."""


def demo(
    corpus: Annotated[
        str,
        typer.Option(
            help="docstrings (of the installed libraries) or 20newsgroups.",
            callback=one_of("docstrings", "20newsgroups"),
        ),
    ] = "docstrings",
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("demo"),
    documents: Annotated[
        int, typer.Option(min=100, help="How many documents to take, evenly spaced.")
    ] = DEMO_DOCUMENTS,
) -> None:
    """Compare widths on real text that every machine has, with the model that ships here.

    Writes what compare writes; the files of an earlier demo in --out are replaced.

    For example:

        bertopic-matryoshka demo
        bertopic-matryoshka demo --corpus 20newsgroups --out newsgroups
    """
    check_output(out, [], force=True)
    from bertopic_matryoshka.embedding import MatryoshkaBackend

    read = terminal.working(f"reading {corpus}", _demo_corpus, corpus, documents)
    backend = MatryoshkaBackend()
    run_comparison(
        read,
        [backend],
        out=out,
        reductions=["variance", "umap"],
        widths_of={"umap": [backend.full_dim]},
        controls=["random"],
        min_topic_size=15,
        seeds=range(3),
        replicates=10,  # a fit takes tenths of a second
    )


def _demo_corpus(name: str, limit: int) -> "Documents":
    if name == "docstrings":
        from bertopic_matryoshka.cli.demo import load_docstrings

        return load_docstrings(limit=limit)
    from sklearn.datasets import fetch_20newsgroups

    from bertopic_matryoshka.documents import clean_documents

    posts = fetch_20newsgroups(subset="all", remove=("headers", "footers", "quotes"))
    taken = slice(None, None, max(1, len(posts.data) // limit))
    return clean_documents(
        posts.data[taken],
        labels=[posts.target_names[i] for i in posts.target[taken]],
        source="20newsgroups",
    )
