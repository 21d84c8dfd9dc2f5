"""The command `fit`: a topic model of a file, written to a folder."""

from typing import Annotated, Any

import typer

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._given import backend_of, embeddings_of, read_given
from bertopic_matryoshka.cli._options import (
    EMBEDDING,
    REDUCTIONS,
    TOPICS,
    Device,
    EmbeddingColumn,
    EmbeddingsFile,
    File,
    Force,
    IdColumn,
    MaxNgram,
    MinTopicSize,
    Model,
    Out,
    Prompt,
    Seed,
    StopWords,
    TableFormat,
    TextColumn,
    one_of,
)
from bertopic_matryoshka.cli._output import check_output, write_csv, write_documents


def fit(
    file: File,
    out: Out,
    *,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    embeddings_file: EmbeddingsFile = None,
    embedding_column: EmbeddingColumn = None,
    model: Model = None,
    prompt: Prompt = None,
    device: Device = None,
    dim: Annotated[
        int | None,
        typer.Option(
            min=1, help="Width to cut to; the whole if left out.", rich_help_panel=EMBEDDING
        ),
    ] = None,
    reduction: Annotated[
        str,
        typer.Option(
            help="variance, rotation, pca, umap or none.",
            callback=one_of(*REDUCTIONS),
            rich_help_panel=TOPICS,
        ),
    ] = "variance",
    topics: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many topics; pca and umap can only merge down to it.",
            rich_help_panel=TOPICS,
        ),
    ] = None,
    outlier_share: Annotated[
        float,
        typer.Option(
            help="Share of the documents that are to be outliers, below 1.", rich_help_panel=TOPICS
        ),
    ] = 0.0,
    min_topic_size: MinTopicSize = 10,
    stop_words: StopWords = "english",
    ngrams: MaxNgram = 1,
    seed: Seed = 0,
    table_format: TableFormat = "csv",
    force: Force = False,
) -> None:
    """Fit a topic model to the documents of a file.

    Writes to --out: topics.csv, a row for each topic with its size, words and an example;
    documents.csv, a row for each row of the file with its text, topic, the topic's name and its
    probability; topics.html, a page to walk through them, which opens offline; and the folder
    model, which transform, evaluate, topics and load_topic_model read.

    With --embeddings or --embedding-column nothing is embedded. Name their model by --model, so
    that texts and words can be embedded later; without it, transform needs embeddings too.

    For example:

        bertopic-matryoshka fit reviews.csv --out topics
        bertopic-matryoshka fit reviews.csv --out topics --topics 30 --ngrams 2 --dim 128
        bertopic-matryoshka fit kritik.jsonl --out topics --model ./my-model --stop-words german
        bertopic-matryoshka fit reviews.parquet --out topics --embedding-column vector
    """
    if not 0 <= outlier_share < 1:
        raise ValueError(f"--outlier-share={outlier_share} must be at least 0 and below 1.")
    if reduction in {"pca", "umap"} and outlier_share:
        raise ValueError(
            f"--outlier-share={outlier_share} is not for --reduction {reduction}: after it "
            "HDBSCAN decides which documents are outliers. Leave it out."
        )
    written = ["topics.csv", f"documents.{table_format}", "topics.html", "model"]
    check_output(out, written, force=force)
    from bertopic_matryoshka.documents import read_documents

    documents = read_documents(file, text_column=text_column, id_column=id_column)
    terminal.say(documents.summary())
    given = read_given(file, documents, embeddings_file, embedding_column)

    from bertopic_matryoshka._validation import check_enough
    from bertopic_matryoshka.clustering import LeidenClustering
    from bertopic_matryoshka.report import write_topic_page
    from bertopic_matryoshka.topics import (
        allow_missing_hdbscan,
        build_topic_model,
        documents_table,
        save_topic_model,
        topics_table,
    )

    check_enough(documents, min_topic_size)
    allow_missing_hdbscan()
    how_many: dict[str, Any] = {"nr_topics": topics, "min_topic_size": min_topic_size}
    if reduction not in {"pca", "umap"}:
        clustering = LeidenClustering(
            topics,
            min_cluster_size=min_topic_size,
            outlier_share=outlier_share,
            random_state=seed,
        )
        how_many = {"hdbscan_model": clustering}
    backend = backend_of(given, documents, model=model, prompt=prompt, device=device, dim=dim)
    topic_model = build_topic_model(
        backend,
        reduction=reduction,
        random_state=seed,
        n_gram_range=(1, ngrams),
        stop_words=None if stop_words == "none" else stop_words,
        **how_many,
    )
    embeddings = embeddings_of(backend, documents.texts, given, verbose=terminal.is_watched())
    terminal.working(
        "finding topics and their words", topic_model.fit_transform, documents.texts, embeddings
    )
    table = topics_table(topic_model)
    out.mkdir(parents=True, exist_ok=True)
    write_csv(table, out / "topics.csv")
    note = write_documents(documents_table(topic_model, documents), out, table_format)
    if note:
        terminal.note(note)
    terminal.working(
        "drawing the map",
        write_topic_page,
        topic_model,
        documents.texts,
        out / "topics.html",
        embeddings=embeddings,
        title=f"Topics of {file.name}",
    )
    terminal.working("saving the model", save_topic_model, topic_model, out / "model")
    terminal.print_topics(table)
    terminal.say(f"Written to {out}: {', '.join(written)}")
