"""What models are like, side by side: near-zero dimensions, variance, neighbours by width.

    python -m benchmarks.selection.models --corpora FOLDER... --names ag so --models FOLDER... \
        --out FOLDER

Reads CORPUS.parquet (column text), draws 2,000 of the texts, and passes the models to
inspect_models, the bundled one last. Writes its two tables for each corpus to OUT, uses such files
where there are already, and prints markdown.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.corpus import find, machine
from bertopic_matryoshka import inspect_models

N_DOCUMENTS = 2000
PACKAGES = ("numpy", "scikit-learn", "torch", "sentence-transformers")


def measured(texts: list[str], models: list[str], out: Path, corpus: str) -> list[pd.DataFrame]:
    files = [out / f"{corpus}_{name}.csv" for name in ("models", "widths")]
    if not all(file.exists() for file in files):
        named = {Path(model).name: model for model in models} | {"the bundled model": None}
        inspection = inspect_models(named, texts, sample_size=N_DOCUMENTS)
        print(f"{corpus}\n{inspection.summary()}\n", flush=True)
        for file, table in zip(files, (inspection.models, inspection.widths), strict=True):
            table.to_csv(file, index=False)
    return [pd.read_csv(file).assign(corpus=corpus) for file in files]


def short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def spreads(models: pd.DataFrame) -> str:
    lines = [
        "| corpus | model | dims | near-zero | spread of lengths | of the dimensions, raw | unit |",
        "|---|---|--:|---|--:|--:|--:|",
    ]
    for row in models.to_dict("records"):
        near_zero = row["near_zero"].strip("(),") or "none"
        values = [short(row[c]) for c in ("length_spread", "std_spread_raw", "std_spread_unit")]
        named = f"| {row['corpus']} | {row['model']} | {row['full_dim']} | {near_zero}"
        lines.append(f"{named} | {' | '.join(values)} |")
    return "\n".join(lines)


def by_width(widths: pd.DataFrame) -> str:
    columns = {
        "variance, raw": "variance_share_raw",
        "unit": "variance_share_unit",
        "neighbours kept": "neighbors_kept",
        "rotated": "rotated_neighbors_kept",
    }
    lines = [
        f"| corpus | model | dims | {' | '.join(columns)} |",
        f"|---|---|--:|{'--:|' * len(columns)}",
    ]
    for row in widths.to_dict("records"):
        if row["neighbors_kept"] < 1:
            values = " | ".join(short(row[column]) for column in columns.values())
            lines.append(f"| {row['corpus']} | {row['model']} | {row['dim']} | {values} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", type=Path, nargs="+", required=True)
    parser.add_argument("--names", nargs="+", default=["ag"])
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    tables = []
    for corpus in arguments.names:
        texts = pd.read_parquet(find(arguments.corpora, f"{corpus}.parquet"))["text"].tolist()
        tables.append(measured(texts, arguments.models, arguments.out, corpus))
    models, widths = (pd.concat(several) for several in zip(*tables, strict=True))
    print(f"{spreads(models)}\n\n{by_width(widths)}\n\n{machine(PACKAGES)}")


if __name__ == "__main__":
    main()
