"""A report on AG News: a Matryoshka model, and two that were not trained to be cut as controls.

    python -m benchmarks.report.report --corpora FOLDER... --embeddings FOLDER... --out FOLDER

Reads ag.parquet and MODEL_ag.npy of the three models. Selection + Leiden and UMAP + HDBSCAN at
equal numbers of topics, three seeds, halves of the documents, random dimensions as a control too.
Writes report.html, report.png and comparison.json, prints the summary as a markdown table, and
keeps its cells in OUT/store. Needs umap-learn, hdbscan and kaleido.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import compare_dimensions, write_png, write_report

MODELS = {
    "a Matryoshka model": "matryoshka",
    "all-mpnet-base-v2": "mpnet",
    "all-MiniLM-L6-v2": "minilm",
}
DIMS = (768, 512, 256, 128, 64, 32)
N_TOPICS = 20
COLUMNS = {
    "line": "{}",
    "dim": "{:d}",
    "n_topics": "{:.0f}",
    "outlier_share": "{:.2f}",
    "coherence": "{:.3f}",
    "coherence_error": "{:.3f}",
    "diversity": "{:.2f}",
    "inverted_rbo": "{:.3f}",
    "ami": "{:.3f}",
    "seed_stability": "{:.2f}",
    "half_stability": "{:.2f}",
    "neighbors_kept": "{:.2f}",
    "trustworthiness": "{:.3f}",
    "spearman": "{:.3f}",
    "seconds": "{:.2f}",
}


def seeds_alike(table: pd.DataFrame, line: str) -> float:
    """1 where a seed does nothing that is common to the widths, more where it does."""
    coherence = table[table["line"] == line].pivot_table("coherence", "dim", "seed")
    return float(len(coherence) * coherence.mean().var() / coherence.var(axis=1).mean())


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    tables = {
        name: read(f"{short}_ag", args.corpora, args.embeddings) for name, short in MODELS.items()
    }
    table = next(iter(tables.values()))[0]
    embeddings = {name: X for name, (_, X) in tables.items()}
    comparison = compare_dimensions(
        table["text"].tolist(),
        embeddings=embeddings,
        dims={name: [d for d in DIMS if d <= X.shape[1]] for name, X in embeddings.items()}
        | {"all-MiniLM-L6-v2": [384, *DIMS[2:]]},
        reductions=("variance", "umap"),
        n_topics=N_TOPICS,
        random_state=(0, 1, 2),
        controls=("random", *list(MODELS)[1:]),
        halves=True,
        labels=table["label"],
        store=args.out / "store",
        progress=lambda done, total, step: print(done, total, step, file=sys.stderr),
    )
    summary = comparison.summary
    print("|", " | ".join(COLUMNS), "|")
    print("|---" + "|--:" * (len(COLUMNS) - 1), "|")
    for row in summary.to_dict("records"):
        texts = (
            "-" if pd.isna(row[column]) else form.format(row[column])
            for column, form in COLUMNS.items()
        )
        print("|", " | ".join(texts), "|")
    for line in comparison.lines:
        print(f"\n{comparison.recommend(line)}")
    ratios = [seeds_alike(comparison.table, line) for line in comparison.lines]
    print(
        "\nVariance of the seeds' means over widths, as a multiple of what independent seeds give: "
        f"{', '.join(f'{ratio:.2f}' for ratio in ratios)}; mean {np.mean(ratios):.2f}."
    )
    # The corpus is not ours to pass on: its texts stay out of the file.
    textless = replace(comparison, documents=[""] * comparison.n_documents)
    write_report(textless, args.out / "report.html")
    comparison.to_json(args.out / "comparison.json")
    write_png(comparison, args.out / "report.png")
    print(f"\n{machine(('bertopic', 'umap-learn', 'hdbscan', 'graspologic-native'))}")


if __name__ == "__main__":
    main()
