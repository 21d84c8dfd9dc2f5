"""The command `transform`: topics of new documents."""

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._given import embeddings_of, read_given
from bertopic_matryoshka.cli._options import (
    Device,
    EmbeddingColumn,
    EmbeddingsFile,
    File,
    Force,
    IdColumn,
    Out,
    SavedModel,
    TableFormat,
    TextColumn,
    load_saved,
)
from bertopic_matryoshka.cli._output import check_output, write_documents


def transform(
    model: SavedModel,
    file: File,
    out: Out,
    *,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    embeddings_file: EmbeddingsFile = None,
    embedding_column: EmbeddingColumn = None,
    device: Device = None,
    table_format: TableFormat = "csv",
    force: Force = False,
) -> None:
    """Give the documents of a file the topics of a saved model.

    Writes documents.csv to --out: a row for each row of the file, in its order, with its text,
    topic, the topic's name and its probability. Outliers, and rows without a text, have topic -1.
    Nothing is fitted: the topics stay as they are.

    For example:

        bertopic-matryoshka transform topics new.csv --out new_topics
        bertopic-matryoshka transform topics new.parquet --out new_topics --format parquet
        bertopic-matryoshka transform topics new.csv --out new_topics --embeddings new.npy
    """
    check_output(out, [f"documents.{table_format}"], force=force)
    from bertopic_matryoshka.documents import read_documents

    documents = read_documents(file, text_column=text_column, id_column=id_column)
    terminal.say(documents.summary())
    given = read_given(file, documents, embeddings_file, embedding_column)

    from bertopic_matryoshka.topics import documents_table

    topic_model = terminal.working("loading the model", load_saved, model, device)
    width = topic_model.topic_embeddings_.shape[1]
    embeddings = embeddings_of(topic_model.embedding_model, documents.texts, given, width=width)
    found, probabilities = terminal.working(
        "finding topics", topic_model.transform, documents.texts, embeddings
    )
    table = documents_table(topic_model, documents, found, probabilities)
    out.mkdir(parents=True, exist_ok=True)
    note = write_documents(table, out, table_format)
    if note:
        terminal.note(note)
    outliers = int((table["is_document"] & (table["topic"] < 0)).sum())
    n_topics = table.loc[table["topic"] >= 0, "topic"].nunique()
    terminal.say(
        f"Written to {out}: documents.{table_format}. The documents have {n_topics:,} different "
        f"topics; {outliers:,} are outliers."
    )
