"""The command line: demo, compare, inspect and fit."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertopic_matryoshka.cli import _terminal as terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bertopic_matryoshka.documents import Documents
    from bertopic_matryoshka.embedding import MatryoshkaBackend

app = typer.Typer(
    help="BERTopic on Matryoshka embeddings: compare widths, inspect dimensions, fit topics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DEMO_DOCUMENTS = 6000
"""Enough for topics, few enough for three minutes on two cores."""

File = Annotated[
    Path, typer.Argument(help="CSV, TSV, JSON Lines, Parquet or plain text, a document a line.")
]
TextColumn = Annotated[str | None, typer.Option(help="Column of the texts.")]
Model = Annotated[
    str | None, typer.Option(help="Name or folder of a model; the bundled one if left out.")
]
Prompt = Annotated[
    str | None, typer.Option(help="Put before each text; the model's own if left out.")
]
Device = Annotated[str | None, typer.Option(help="cuda, mps or cpu; found out if left out.")]
MinTopicSize = Annotated[int, typer.Option(min=2, help="Documents that make a topic.")]
StopWords = Annotated[
    str, typer.Option(help='Language of the words left out, such as english or de; "none".')
]
Seed = Annotated[int, typer.Option(help="Seed of UMAP, PCA and Leiden.")]


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Print an error in one line and exit with 1, unless --debug asks for the traceback."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            with terminal.warnings_as_notes():
                command(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if _state["debug"]:
                raise
            terminal.print_error(error)
            raise typer.Exit(1) from error

    return guarded


_state = {"debug": False}


@app.callback()
def options(
    *, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False
) -> None:
    """BERTopic on Matryoshka embeddings."""
    _state["debug"] = debug


@app.command()
@one_line_errors
def demo(
    corpus: Annotated[
        str, typer.Option(help="docstrings (of the installed libraries) or 20newsgroups.")
    ] = "docstrings",
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("demo"),
    documents: Annotated[
        int, typer.Option(min=100, help="How many documents to take, evenly spaced.")
    ] = DEMO_DOCUMENTS,
) -> None:
    """Compare widths on real text that every machine has, with the model that ships here."""
    from bertopic_matryoshka.embedding import MatryoshkaBackend

    read = terminal.working(f"reading {corpus}", _demo_corpus, corpus, documents)
    backend = MatryoshkaBackend()
    _compare(
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


@app.command()
@one_line_errors
def compare(
    file: File,
    out: Annotated[Path, typer.Option(help="Folder for report, tables and JSON.")],
    text_column: TextColumn = None,
    labels: Annotated[
        str | None, typer.Option(help="Column of classes, for AMI, ARI and V-measure.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Name or folder of a model, once for each; the bundled one if left out."),
    ] = None,
    prompt: Prompt = None,
    device: Device = None,
    dims: Annotated[str | None, typer.Option(help="Widths, such as 256,128,64.")] = None,
    reductions: Annotated[
        str,
        typer.Option(help="Some of variance, rotation, pca, umap and none, such as variance,umap."),
    ] = "variance",
    criterion: Annotated[
        str, typer.Option(help="What ranks dimensions: variance, laplacian or both.")
    ] = "variance",
    clustering: Annotated[
        str | None,
        typer.Option(help="leiden, hdbscan or both; what suits the reduction if left out."),
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
        str, typer.Option(help="Of coherence: c_v, c_npmi, c_uci, u_mass or npmi.")
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
) -> None:
    """Compare topic models of a file's documents across widths and whatever else is named."""
    from bertopic_matryoshka.documents import read_documents

    widths = None if dims is None else _integers("--dims", dims)
    models: Sequence[str | None] = model or [None]
    documents = read_documents(file, text_column=text_column, label_column=labels)
    _compare(
        documents,
        [_backend(name, prompt, device) for name in models],
        out=out,
        dims=widths,
        reductions=_names(reductions),
        criteria=_names(criterion),
        clusterings=None if clustering is None else _names(clustering),
        controls=[
            name if name == "random" else _backend(name, None, device) for name in control or []
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


@app.command()
@one_line_errors
def inspect(
    file: Annotated[Path, typer.Argument(help="Embeddings (.npy), or documents to embed.")],
    out: Annotated[Path | None, typer.Option(help="HTML file for the spectrum.")] = None,
    text_column: TextColumn = None,
    model: Model = None,
    prompt: Prompt = None,
    device: Device = None,
    dims: Annotated[str | None, typer.Option(help="Widths, such as 256,128,64.")] = None,
) -> None:
    """Say what each width of embeddings keeps, before any topic model, and draw their spectrum."""
    import numpy as np

    from bertopic_matryoshka.selection import inspect_dimensions

    if file.suffix == ".npy":
        embeddings = np.load(file, mmap_mode="r", allow_pickle=False)
    else:
        from bertopic_matryoshka.documents import read_documents

        documents = read_documents(file, text_column=text_column)
        terminal.say(documents.summary())
        backend = _backend(model, prompt, device)
        embeddings = terminal.working("embedding", backend.embed, documents.texts)
    widths = None if dims is None else _integers("--dims", dims)
    inspection = inspect_dimensions(embeddings, dims=widths)
    terminal.print_inspection(inspection)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        inspection.plot().write_html(out, include_plotlyjs=True)
        terminal.say(f"Spectrum: {out}")


@app.command()
@one_line_errors
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
        _backend(model, prompt, device).truncated(dim),
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


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; --debug may stand anywhere in it."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if "--debug" in arguments:
        arguments = ["--debug", *(a for a in arguments if a != "--debug")]
    app(arguments, prog_name="bertopic-matryoshka")


def _compare(
    documents: Documents,
    backends: Sequence[MatryoshkaBackend],
    *,
    out: Path,
    seeds: Sequence[int],
    measure: str = "c_v",
    replicates: int = 5,
    halves: bool = False,
    device: str | None = None,
    store: Path | None = None,
    n_jobs: int = 1,
    **kinds: Any,
) -> None:
    from dataclasses import replace

    from bertopic_matryoshka.cli._compared import compared
    from bertopic_matryoshka.comparison import TopicScorer, compare_dimensions
    from bertopic_matryoshka.report import write_report

    terminal.say(f"{documents.source}: {documents.summary()}")
    topic_models, dims, controls = compared(backends, device=device, **kinds)
    with terminal.progress() as progress:
        comparison = compare_dimensions(
            documents.texts,
            topic_models,
            dims=dims,
            seeds=seeds,
            labels=documents.labels,
            scorer=TopicScorer(
                measure=measure, n_replicates=replicates, split_half=halves, device=device
            ),
            store=store,
            n_jobs=n_jobs,
            progress=progress,
        )
    comparison = replace(comparison, controls=controls)
    out.mkdir(parents=True, exist_ok=True)
    comparison.summary.to_csv(out / "summary.csv", index=False)
    comparison.to_csv(out / "comparison.csv")
    comparison.to_json(out / "comparison.json")
    terminal.print_comparison(comparison)
    report = terminal.working("drawing maps", write_report, comparison, out / "report.html")
    terminal.say(f"Report: {report.resolve()}")


def _demo_corpus(name: str, limit: int) -> Documents:
    if name == "docstrings":
        from bertopic_matryoshka.cli.demo import load_docstrings

        return load_docstrings(limit=limit)
    if name == "20newsgroups":
        from sklearn.datasets import fetch_20newsgroups

        from bertopic_matryoshka.documents import clean_documents

        posts = fetch_20newsgroups(subset="all", remove=("headers", "footers", "quotes"))
        taken = slice(None, None, max(1, len(posts.data) // limit))
        return clean_documents(
            posts.data[taken],
            labels=[posts.target_names[i] for i in posts.target[taken]],
            source="20newsgroups",
        )
    raise ValueError(f"--corpus={name!r} must be docstrings or 20newsgroups.")


def _backend(model: str | None, prompt: str | None, device: str | None) -> MatryoshkaBackend:
    from bertopic_matryoshka.embedding import MatryoshkaBackend

    return MatryoshkaBackend(model, prompt=... if prompt is None else prompt, device=device)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _integers(option: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(f"{option}={text!r} must be whole numbers, such as 256,128.") from error
