"""The command `fit`: a topic model of a file, written to a folder."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bertopic_matryoshka.cli import _terminal as terminal
from bertopic_matryoshka.cli._options import (
    Device,
    File,
    MinTopicSize,
    Model,
    Prompt,
    Seed,
    StopWords,
    TextColumn,
    make_backend,
)


def fit(
    file: File,
    out: Annotated[Path, typer.Option(help="Folder for topics, documents and model.")],
    text_column: TextColumn = None,
    model: Model = None,
    prompt: Prompt = None,
    device: Device = None,
    dim: Annotated[int | None, typer.Option(min=1, help="Width to cut to.")] = None,
    reduction: Annotated[
        str, typer.Option(help="variance, rotation, pca, umap or none.")
    ] = "variance",
    topics: Annotated[
        int | None,
        typer.Option(min=1, help="How many topics; pca and umap can only merge down to it."),
    ] = None,
    outlier_share: Annotated[
        float, typer.Option(help="Share of the documents that are to be outliers, below 1.")
    ] = 0.0,
    min_topic_size: MinTopicSize = 10,
    stop_words: StopWords = "english",
    seed: Seed = 0,
) -> None:
    """Fit a topic model; write topics.csv, documents.csv and the model."""
    from bertopic_matryoshka._validation import check_enough
    from bertopic_matryoshka.clustering import LeidenClustering
    from bertopic_matryoshka.documents import read_documents
    from bertopic_matryoshka.topics import (
        allow_missing_hdbscan,
        build_topic_model,
        documents_table,
        save_topic_model,
        topics_table,
    )

    documents = read_documents(file, text_column=text_column)
    terminal.say(documents.summary())
    check_enough(documents, min_topic_size)
    allow_missing_hdbscan()
    how_many: dict[str, Any] = {"nr_topics": topics}
    if reduction not in {"pca", "umap"}:
        clustering = LeidenClustering(
            topics,
            min_cluster_size=min_topic_size,
            outlier_share=outlier_share,
            random_state=seed,
        )
        how_many = {"hdbscan_model": clustering}
    elif outlier_share != 0:
        raise ValueError(
            f"--outlier-share={outlier_share} is not for --reduction {reduction}: after it "
            "HDBSCAN decides which documents are outliers. Leave it out."
        )
    topic_model = build_topic_model(
        make_backend(model, prompt, device).truncated(dim),
        reduction=reduction,
        random_state=seed,
        min_topic_size=min_topic_size,
        stop_words=None if stop_words == "none" else stop_words,
        **how_many,
    )
    terminal.working("fitting topics", topic_model.fit_transform, documents.texts)
    table = topics_table(topic_model)
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "topics.csv", index=False)
    documents_table(topic_model, documents).to_csv(out / "documents.csv", index=False)
    save_topic_model(topic_model, out / "model")
    terminal.print_topics(table)
    terminal.say(f"Written to {out}: topics.csv, documents.csv, model")
