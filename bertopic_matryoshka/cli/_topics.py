"""The command `topics`: the topics of a saved model, all or those near some words."""

from typing import Annotated

import typer

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._options import Device, SavedModel, load_saved


def topics(
    model: SavedModel,
    *,
    search: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="List the topics that are nearest to these words."),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many topics; all if left out, and 5 with --search.", show_default=False
        ),
    ] = None,
    device: Device = None,
) -> None:
    """List the topics of a saved model, or search them.

    A row for each topic: its number, how many documents of the fit it has, and its words, most
    important first; -1 are the outliers, if there are any. With --search, the nearest topics by
    the cosine similarity of their embeddings and that of the words, nearest first.

    For example:

        bertopic-matryoshka topics topics --top 20
        bertopic-matryoshka topics topics --search "late delivery"
    """
    if search is not None and not search.strip():
        raise typer.BadParameter("--search is empty. Give words, such as 'late delivery'.")

    from bertopic_matryoshka.topics import topics_table

    topic_model = terminal.working("loading the model", load_saved, model, device)
    table = topics_table(topic_model)
    if search is None:
        terminal.print_topics(table, top or len(table))
        return
    found, similarities = topic_model.find_topics(search, top_n=top or 5)
    nearest = table.set_index("topic").loc[found].reset_index()
    nearest["similarity"] = similarities
    terminal.print_topics(nearest, len(nearest), title=f"Topics nearest to {search!r}")
