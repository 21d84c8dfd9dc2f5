"""Compare topic models of documents, print the answer and write it to a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.cli import _terminal as terminal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bertopic_matryoshka.documents import Documents
    from bertopic_matryoshka.embedding import MatryoshkaBackend

WRITTEN = ("summary.csv", "comparison.csv", "comparison.json", "report.html")


def run_comparison(
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
    """Run `compare` or `demo` on documents that are read."""
    from dataclasses import replace

    from bertopic_matryoshka.cli._topic_models import compared
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
