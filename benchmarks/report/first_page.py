"""The table of topics and the map on the first page of the docs and in README.

    python -m benchmarks.report.first_page --corpus bbc.parquet --out docs/images

Runs README's ten lines on the texts of a Parquet file, prints the topics, largest first, and writes
topics-light.png and topics-dark.png. Needs kaleido and an installed Chrome or Chromium.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmarks.corpus import machine
from benchmarks.topics.first_lines import ten_lines
from bertopic_matryoshka import plot_topic_map, topic_levels

if TYPE_CHECKING:
    from bertopic import BERTopic
    from plotly.graph_objects import Figure

PACKAGES = ("bertopic", "scikit-learn", "graspologic-native")
N_WORDS = 6
THEMES = {  # paper, and ink of the names
    "light": ("#ffffff", "#202020"),
    "dark": ("#1e2129", "#e8e8e8"),
}


def print_topics(topic_model: BERTopic, n_documents: int) -> None:
    info = topic_model.get_topic_info()
    print("| topic | documents | words |\n|--:|--:|---|")
    for _, row in info.iterrows():
        words = " ".join(row["Representation"][:N_WORDS])
        print(f"| {row['Topic']} | {row['Count']} | {words} |")
    print(f"\n{n_documents:,} documents.")


def draw(topic_model: BERTopic, docs: list[str]) -> Figure:
    levels = topic_levels(topic_model, docs, [len(topic_model.get_topic_info())])
    embeddings = topic_model.embedding_model.embed(docs)
    figure = plot_topic_map(levels, docs, embeddings, sample_size=len(docs))
    figure.update_traces(marker={"size": 4})
    figure.update_yaxes(scaleanchor=None)
    return figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True, help="a Parquet file, column text")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    docs = pd.read_parquet(args.corpus)["text"].tolist()
    names: dict = {"docs": docs}
    exec(compile(ten_lines(), "README.md", "exec"), names)
    topic_model = names["topic_model"]
    print_topics(topic_model, len(docs))
    figure = draw(topic_model, docs)
    args.out.mkdir(parents=True, exist_ok=True)
    for theme, (paper, ink) in THEMES.items():
        figure.update_layout(paper_bgcolor=paper, plot_bgcolor=paper)
        figure.update_annotations(font={"size": 14, "color": ink}, bgcolor=paper, opacity=0.9)
        path = args.out / f"topics-{theme}.png"
        figure.write_image(path, width=760, height=440, scale=1.5)
        print(path, f"{path.stat().st_size / 1000:.0f} kB")
    print(machine(PACKAGES))


if __name__ == "__main__":
    main()
