"""The command `evaluate`: measures of a saved model's topics on a file."""

from typing import Annotated

import typer

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._options import (
    MEASURES,
    Device,
    File,
    SavedModel,
    TextColumn,
    load_saved,
    names,
    some_of,
)


def evaluate(
    model: SavedModel,
    file: File,
    *,
    text_column: TextColumn = None,
    measures: Annotated[
        str,
        typer.Option(
            help="Of coherence: some of c_v, c_npmi, c_uci, u_mass and npmi.",
            callback=some_of(*MEASURES),
        ),
    ] = "c_v,npmi",
    top_words: Annotated[
        int, typer.Option(min=2, help="How many words of each topic are measured.")
    ] = 10,
    device: Device = None,
) -> None:
    """Measure the topics of a saved model.

    Coherence counts how often the words of a topic occur together in the documents of the file: in
    those of the fit, or in others, which tell more. Diversity, inverted rank-biased overlap and
    balance are of the model alone, as are the sizes of topics and the share of outliers, which are
    those of its fit. For all of them but the share of outliers, higher is better.

    For example:

        bertopic-matryoshka evaluate topics reviews.csv
        bertopic-matryoshka evaluate topics held_out.csv --measures c_v,c_npmi --top-words 20
    """
    from bertopic_matryoshka.documents import read_documents

    documents = read_documents(file, text_column=text_column)
    terminal.say(documents.summary())

    from bertopic_matryoshka.evaluation import evaluate_topics

    topic_model = terminal.working("loading the model", load_saved, model, device)
    evaluation = terminal.working(
        "counting words",
        lambda: evaluate_topics(
            topic_model,
            documents.texts,
            measures=names(measures),
            top_n=top_words,
            device=None if device == "mps" else device,  # which models run on, and counting not
        ),
    )
    terminal.print_evaluation(evaluation)
