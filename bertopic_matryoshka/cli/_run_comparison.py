"""Compare topic models of documents, print the answer and write it to a folder."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.cli import _terminal as terminal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bertopic import BERTopic
    from numpy.typing import NDArray

    from bertopic_matryoshka.documents import Documents
    from bertopic_matryoshka.embedding import MatryoshkaBackend

WRITTEN = ("summary.csv", "comparison.csv", "comparison.json", "report.html")

UMAP_SECONDS = 0.0006
"""Seconds of UMAP and HDBSCAN for each of 20,000 documents, on two cores, see the README."""


def run_comparison(
    documents: Documents,
    backends: Sequence[MatryoshkaBackend],
    *,
    out: Path,
    embeddings: NDArray[Any] | None = None,
    seeds: Sequence[int],
    measure: str = "c_v",
    replicates: int = 5,
    halves: bool = False,
    device: str | None = None,
    store: Path | None = None,
    n_jobs: int = 1,
    **kinds: Any,
) -> None:
    """Run `compare` or `demo` on documents that are read."""
    from dataclasses import replace

    from bertopic_matryoshka.cli._topic_models import compared
    from bertopic_matryoshka.comparison import TopicScorer, compare_dimensions
    from bertopic_matryoshka.report import write_report

    terminal.say(f"{documents.source}: {documents.summary()}")
    topic_models, dims, controls = compared(backends, device=device, **kinds)
    n_umap = _n_umap_fits(topic_models, dims, len(seeds) + halves, replicates)
    if n_umap:
        minutes = ceil(n_umap * len(documents) * UMAP_SECONDS / 60)
        terminal.say(
            f"UMAP and HDBSCAN will fit all documents {n_umap} times: expect about {minutes:,} "
            f"minute{'' if minutes == 1 else 's'}, at {UMAP_SECONDS * 1000:.1f} s for 1,000 "
            "documents on two cores, and up to one more to compile."
        )
    with terminal.progress() as progress:
        comparison = compare_dimensions(
            documents.texts,
            topic_models,
            dims=dims,
            seeds=seeds,
            labels=documents.labels,
            embeddings=_by_name(topic_models, backends, embeddings),
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


def _by_name(
    topic_models: Mapping[str, BERTopic],
    backends: Sequence[MatryoshkaBackend],
    embeddings: NDArray[Any] | None,
) -> dict[str, NDArray[Any]] | None:
    """Assign given embeddings to the topic models of their backend, its controls among them."""
    if embeddings is None:
        return None
    model = backends[0].embedding_model
    return {
        name: embeddings
        for name, topic_model in topic_models.items()
        if topic_model.embedding_model.embedding_model is model
    }


def _n_umap_fits(
    topic_models: Mapping[str, BERTopic],
    dims: Sequence[int] | Mapping[str, Sequence[int]] | None,
    n_whole: int,
    n_replicates: int,
) -> int:
    """Count the fits of UMAP; those to a sample count by its share."""
    from bertopic_matryoshka.comparison import SHARE, reducer_of

    n_widths = 0
    for name, topic_model in topic_models.items():
        if type(reducer_of(topic_model)).__name__ == "UMAP":
            widths = dims.get(name) if isinstance(dims, Mapping) else dims
            n_widths += len(widths or topic_model.embedding_model.dims)
    return ceil(n_widths * (n_whole + SHARE * n_replicates))
