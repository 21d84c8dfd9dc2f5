"""What counting takes where topics have many different words: seconds and memory.

    python -m benchmarks.evaluation.pairs --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_ag

Topics of ten words each, three times as many as hold every word once, are drawn at random from the
corpus's most frequent words. The memory is the process's peak less that before counting.
"""

from __future__ import annotations

import resource
import time

import numpy as np

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import TopicCoherence

WORDS = (2_000, 20_000)
TIMES, LENGTH = 3, 10


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    parser.add_argument("--measure", default="npmi")
    args = parser.parse_args()
    print("| corpus | words | topics | pairs | CPU s | MiB |\n|---|--:|--:|--:|--:|--:|")
    for name in args.names:
        texts = read(name, args.corpora, args.embeddings)[0]["text"].tolist()
        for n_words in WORDS:  # ascending, as the peak only grows
            coherence = TopicCoherence(texts, measure=args.measure, device="cpu")
            vocabulary: dict[str, int] = {}
            for text in texts:
                for word in text.lower().split():
                    vocabulary[word] = vocabulary.get(word, 0) + 1
            words = sorted(vocabulary, key=lambda word: -vocabulary[word])[:n_words]
            rng = np.random.default_rng(0)
            drawn = [rng.permutation(words).reshape(-1, LENGTH).tolist() for _ in range(TIMES)]
            topics = [topic for part in drawn for topic in part]
            list(coherence.tokens.chunks({}))  # tokenises
            before, start = peak_mib(), time.process_time()
            coherence.count(topics)
            taken = time.process_time() - start
            sizes = [f"{n:,}" for n in (len(words), len(topics), coherence.counts.pairs.size)]
            values = *sizes, f"{taken:.2f}", f"{peak_mib() - before:,.0f}"
            print("|", " | ".join([name.partition("_")[2], *values]), "|", flush=True)
    print(f"\n{machine(('numpy', 'torch'))}")


if __name__ == "__main__":
    main()
