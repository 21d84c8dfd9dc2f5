"""Coherence beside gensim's: the same values, and in how much less time.

    python -m benchmarks.evaluation.coherence --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_so --measures c_v c_npmi c_uci u_mass --models 20

For each corpus, topic models of 10, 20, 30... topics are found by LeidenClustering, with words by
c-TF-IDF. Both are given the same tokens; gensim's dictionary counts, and so does our numbering of
them. gensim runs with 1 and with 2 processes, and the better time counts. "One by one" gives each
model a CoherenceModel of its own, as in the recipe that BERTopic's users share; ours counts the
words of all models in one walk. Needs gensim.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from gensim.corpora import Dictionary
from gensim.models import CoherenceModel

from benchmarks.corpus import Corpus, machine, parser_of, read
from bertopic_matryoshka import LeidenClustering, TopicCoherence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Topics = list[list[str]]
REPETITIONS = 5
PROCESSES = (1, 2)


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
    coherence.count(topic for topics in models for topic in topics)
    return np.concatenate([coherence.score_per_topic(topics) for topics in models])


def seconds(function: Callable[[], object], repetitions: int) -> tuple[float, object]:
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return float(np.median(times)), result


def rows(
    name: str, tokens: list[list[str]], models: list[Topics], measure: str, device: str
) -> Iterator[str]:
    by_us(tokens[:100], models[:1], measure, device)  # torch's first calls are slow
    making, dictionary = seconds(lambda: Dictionary(tokens), 1)
    scores, theirs = [], []
    for topics in models:
        best = []
        for processes in PROCESSES:
            taken, found = seconds(
                lambda p=processes, t=topics: by_gensim(tokens, dictionary, t, measure, p), 1
            )
            best.append(taken)
        scores.append(np.array(found))
        theirs.append(min(best))
    singles = (0, 4, len(models) - 1)
    jobs = [(f"one, {len(models[i]):,} topics", models[i : i + 1], [i]) for i in singles]
    jobs.append((f"{len(models)}, one by one", models, list(range(len(models)))))
    for what, topics, places in jobs:
        ours, found = seconds(lambda t=topics: by_us(tokens, t, measure, device), REPETITIONS)
        off = np.abs(found - np.concatenate([scores[place] for place in places])).max()
        their = making + sum(theirs[place] for place in places)
        yield written(name, measure, what, off, ours, their)
    whole = [topic for topics in models for topic in topics]
    their = min(
        seconds(lambda p=p: by_gensim(tokens, dictionary, whole, measure, p), 1)[0]
        for p in PROCESSES
    )
    yield written(name, measure, f"{len(models)}, in one CoherenceModel", off, ours, making + their)


def written(name: str, measure: str, what: str, off: float, ours: float, their: float) -> str:
    values = f"{off:.0e}", f"{ours:.3f}", f"{their:.2f}", f"{their / ours:,.0f}"
    return f"| {name} | {measure} | {what} | {' | '.join(values)} |"


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=["minilm_so"], help="MODEL_CORPUS")
    measures = ["c_v", "c_npmi", "c_uci", "u_mass"]
    parser.add_argument("--measures", nargs="+", default=measures, choices=measures)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    print("| corpus | measure | models | largest difference | ours s | gensim s | times |")
    print("|---|---|---|--:|--:|--:|--:|", flush=True)
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        corpus = Corpus(table)
        analyze = corpus.vectorizer.build_analyzer()
        tokens = [analyze(text) for text in table["text"]]
        models = topic_models(X, corpus, args.models)
        for measure in args.measures:
            corpus_name = f"{name.partition('_')[2]}, {len(tokens):,}"
            for line in rows(corpus_name, tokens, models, measure, args.device):
                print(line, flush=True)
    print(f"\nDevice {args.device}. {machine(('gensim', 'torch', 'numpy'))}")


if __name__ == "__main__":
    main()
