"""Coherence beside gensim's: the same values, and in how much less time.

    python benchmarks/coherence.py --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_so --measures c_v c_npmi c_uci u_mass --models 20

For each corpus, topic models of 10, 20, 30... topics are found by LeidenClustering, with words by
c-TF-IDF. Both are given the same tokens. gensim runs with each number of processes, and its best
time counts; a model has a CoherenceModel of its own, as in the recipe that BERTopic's users share.
"All at once" is one CoherenceModel for the topics of all models. Needs gensim.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from corpus import Corpus, machine, read
from gensim.corpora import Dictionary
from gensim.models import CoherenceModel

from bertopic_matryoshka import LeidenClustering, TopicCoherence

if TYPE_CHECKING:
    from collections.abc import Callable

Topics = list[list[str]]
REPETITIONS = 3


def topic_models(X: np.ndarray, corpus: Corpus, n_models: int) -> list[Topics]:
    numbers = [10 * (i + 1) for i in range(n_models)]
    return [corpus.topics(LeidenClustering(n).fit_predict(X)) for n in numbers]


def by_gensim(
    tokens: list[list[str]], dictionary: Dictionary, topics: Topics, measure: str, processes: int
) -> list[float]:
    model = CoherenceModel(
        topics=topics,
        texts=tokens,
        corpus=[dictionary.doc2bow(text) for text in tokens] if measure == "u_mass" else None,
        dictionary=dictionary,
        coherence=measure,
        processes=processes,
    )
    return model.get_coherence_per_topic()


def by_us(tokens: list[list[str]], models: list[Topics], measure: str, device: str) -> np.ndarray:
    coherence = TopicCoherence(tokens, measure=measure, device=device)
    coherence.count({word for topics in models for topic in topics for word in topic})
    return np.concatenate([coherence.score_per_topic(topics) for topics in models])


def seconds(function: Callable[[], object], repetitions: int) -> tuple[float, object]:
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return float(np.median(times)), result


def row(name: str, tokens: list[list[str]], models: list[Topics], measure: str, device: str) -> str:
    by_us(tokens[:100], models[:1], measure, device)  # torch's first calls are slow
    ours, scores = seconds(lambda: by_us(tokens, models, measure, device), REPETITIONS)
    one, _ = seconds(lambda: by_us(tokens, models[:1], measure, device), REPETITIONS)
    start = time.perf_counter()
    dictionary = Dictionary(tokens)
    making = time.perf_counter() - start
    theirs, single, together = [], [], []
    together_topics = [topic for topics in models for topic in topics]
    for processes in (1, 2):
        start = time.perf_counter()
        found, first = [], 0.0
        for topics in models:
            found += by_gensim(tokens, dictionary, topics, measure, processes)
            first = first or time.perf_counter() - start
        theirs.append(making + time.perf_counter() - start)
        single.append(making + first)
        start = time.perf_counter()
        by_gensim(tokens, dictionary, together_topics, measure, processes)
        together.append(making + time.perf_counter() - start)
    off = np.abs(np.array(found) - scores).max()
    values = (
        f"{name}, {len(tokens):,} documents",
        measure,
        f"{off:.0e}",
        f"{one:.2f}",
        f"{min(single):.1f}",
        f"{min(single) / one:,.0f}",
        f"{ours:.2f}",
        f"{min(theirs):.1f}",
        f"{min(theirs) / ours:,.0f}",
        f"{min(together):.1f}",
        f"{min(together) / ours:,.0f}",
    )
    return f"| {' | '.join(values)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for folders in ("--corpora", "--embeddings"):
        parser.add_argument(folders, type=Path, nargs="+", required=True)
    parser.add_argument("--names", nargs="+", default=["minilm_so"], help="MODEL_CORPUS")
    measures = ["c_v", "c_npmi", "c_uci", "u_mass"]
    parser.add_argument("--measures", nargs="+", default=measures, choices=measures)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    print(
        "| corpus | measure | largest difference | one model: ours s | gensim s | times "
        "| all models: ours s | gensim s | times | gensim all at once s | times |\n"
        "|---|---|" + "--:|" * 9
    )
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        corpus = Corpus(table)
        analyze = corpus.vectorizer.build_analyzer()
        tokens = [analyze(text) for text in table["text"]]
        models = topic_models(X, corpus, args.models)
        for measure in args.measures:
            print(row(name.partition("_")[2], tokens, models, measure, args.device), flush=True)
    print(f"\n{args.models} models of 10, 20, ... topics, device {args.device}.", end=" ")
    print(machine(("gensim", "torch", "numpy")))


if __name__ == "__main__":
    main()
