"""The command `compare`: topic models of a file across widths."""

from pathlib import Path
from typing import Annotated

import typer

from bertopic_matryoshka.cli._given import backend_of, read_given
from bertopic_matryoshka.cli._options import (
    CLUSTERINGS,
    CRITERIA,
    MEASURES,
    REDUCTIONS,
    Device,
    Dims,
    EmbeddingColumn,
    EmbeddingsFile,
    File,
    Force,
    MinTopicSize,
    Out,
    Prompt,
    Seed,
    StopWords,
    TextColumn,
    make_backend,
    names,
    one_of,
    some_of,
    widths,
)
from bertopic_matryoshka.cli._output import check_output
from bertopic_matryoshka.cli._run_comparison import WRITTEN, run_comparison


def compare(
    file: File,
    out: Out,
    *,
    text_column: TextColumn = None,
    labels: Annotated[
        str | None, typer.Option(help="Column of classes, for AMI, ARI and V-measure.")
    ] = None,
    embeddings_file: EmbeddingsFile = None,
    embedding_column: EmbeddingColumn = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Name or folder of a model, once for each; the bundled one if left out."),
    ] = None,
    prompt: Prompt = None,
    device: Device = None,
    dims: Dims = None,
    reductions: Annotated[
        str,
        typer.Option(
            help="Some of variance, rotation, pca, umap and none, such as variance,umap.",
            callback=some_of(*REDUCTIONS),
        ),
    ] = "variance",
    criterion: Annotated[
        str,
        typer.Option(
            help="What ranks dimensions: variance, laplacian or both.",
            callback=some_of(*CRITERIA),
        ),
    ] = "variance",
    clustering: Annotated[
        str | None,
        typer.Option(
            help="leiden, hdbscan or both; what suits the reduction if left out.",
            callback=some_of(*CLUSTERINGS),
        ),
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(help="random (dimensions), or a model to compare with; once for each."),
    ] = None,
    topics: Annotated[
        int | None, typer.Option(min=1, help="How many topics every model is to have.")
    ] = None,
    min_topic_size: MinTopicSize = 10,
    stop_words: StopWords = "english",
    measure: Annotated[
        str,
        typer.Option(
            help="Of coherence: c_v, c_npmi, c_uci, u_mass or npmi.", callback=one_of(*MEASURES)
        ),
    ] = "c_v",
    seed: Seed = 0,
    seeds: Annotated[
        int, typer.Option(min=1, help="How many seeds, from --seed on; 3 show what chance does.")
    ] = 1,
    replicates: Annotated[
        int, typer.Option(min=0, help="Fits to samples, for the agreement of topics; 0 for none.")
    ] = 5,
    halves: Annotated[
        bool, typer.Option("--halves", help="Fit both halves of the documents too.")
    ] = False,
    store: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps what is computed, for a run that goes on later."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(help="Models to fit at the same time; -1 for all cores.")
    ] = 1,
    force: Force = False,
) -> None:
    """Compare topic models of a file's documents across widths and whatever else is named.

    Writes to --out: report.html, summary.csv with a row for each model and width, comparison.csv
    with a row for each fit, and comparison.json. Only the reductions that are named are fitted;
    UMAP takes much longer than all others.

    For example:

        bertopic-matryoshka compare reviews.csv --out comparison --dims 256,128,64
        bertopic-matryoshka compare reviews.csv --out comparison --topics 30 --seeds 3
        bertopic-matryoshka compare reviews.csv --out comparison --reductions variance,umap
        bertopic-matryoshka compare reviews.csv --out comparison --embeddings reviews.npy
    """
    check_output(out, WRITTEN, force=force)
    from bertopic_matryoshka.documents import read_documents

    models: list[str] | list[None] = model or [None]
    documents = read_documents(file, text_column=text_column, label_column=labels)
    given = read_given(file, documents, embeddings_file, embedding_column)
    if given is not None and len(models) > 1:
        raise ValueError("Embeddings are of one model. Name one --model with them, or none.")
    run_comparison(
        documents,
        [backend_of(given, documents, model=name, prompt=prompt, device=device) for name in models],
        embeddings=given,
        out=out,
        dims=widths(dims),
        reductions=names(reductions),
        criteria=names(criterion),
        clusterings=None if clustering is None else names(clustering),
        controls=[
            name if name == "random" else make_backend(name, None, device) for name in control or []
        ],
        n_topics=topics,
        min_topic_size=min_topic_size,
        stop_words=None if stop_words == "none" else stop_words,
        measure=measure,
        seeds=range(seed, seed + seeds),
        replicates=replicates,
        halves=halves,
        store=store,
        n_jobs=jobs,
        device=None if device == "mps" else device,  # which models run on, and counting does not
    )
