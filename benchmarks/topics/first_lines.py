r"""README's ten lines on five corpora: the topics' words, and how many of them are stop words.

    python -m benchmarks.topics.first_lines --corpora FILE.parquet... \
        [--fortunes FOLDER] [--coherence] [--seeds N] [--umap NAME...]

The lines are taken from README.md as they stand there. Corpora are Parquet files with a column
"text"; docstrings of what is installed, made here; and, from Debian's packages fortunes and
fortunes-min (apt-get download, dpkg-deb -x), sayings of five words or more, full of contractions.

With --coherence, the words' NPMI over documents, c_v and diversity, with and without stop words and
with min_df=2. With --seeds, AMI between every two of N fits with random_state 0 to N - 1, higher is
more stable; for the corpora that --umap names, BERTopic's UMAP + HDBSCAN on the same embeddings
beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from gensim.parsing.preprocessing import STOPWORDS as GENSIM_STOP_WORDS
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.corpus import machine
from bertopic_matryoshka import (
    MatryoshkaBackend,
    TopicCoherence,
    build_topic_model,
    get_stop_words,
    topic_diversity,
)
from bertopic_matryoshka.cli.demo._docstrings import load_docstrings

ROOT = Path(__file__).parents[2]
MEASURES = ("npmi", "c_v")
PACKAGES = ("bertopic", "scikit-learn", "graspologic-native", "umap-learn", "hdbscan")
FRAGMENTS = {"don", "ve", "ll", "didn", "doesn", "isn", "wasn", "couldn", "wouldn", "dont", "im"}
LISTS = {
    "scikit-learn's": ENGLISH_STOP_WORDS,
    "gensim's": GENSIM_STOP_WORDS,
    "contractions": FRAGMENTS,
}


def ten_lines() -> str:
    """Give the first block of Python in README.md."""
    readme = (ROOT / "README.md").read_text("utf-8")
    return re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]


def read_fortunes(folder: Path) -> list[str]:
    """Read a folder of files in which a line "%" parts the texts."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix not in {".dat", ".u8"}]
    texts = (text for path in files for text in path.read_text("latin-1").split("\n%\n"))
    texts = (" ".join(text.split()) for text in texts)
    return list(dict.fromkeys(text for text in texts if len(text.split()) >= 5))


def read_corpora(args: argparse.Namespace) -> dict[str, list[str]]:
    corpora = {path.stem: pd.read_parquet(path)["text"].tolist() for path in args.corpora}
    corpora["docstrings"] = load_docstrings().texts
    if args.fortunes is not None:
        corpora["fortunes"] = read_fortunes(args.fortunes)
    return corpora


def run_lines(lines: str, name: str, docs: list[str]) -> list[object]:
    """Print the topics that README's lines find, and give a row of the table."""
    code = compile(lines, "README.md", "exec")
    names: dict[str, object] = {"docs": docs}
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, names)
    seconds = time.perf_counter() - started
    sizes = Counter(names["topic_model"].topics_)
    topics = names["topic_model"].get_topics()
    print(f"\n{name}\n")
    for topic, words in topics.items():
        print(f"{topic:>4} {sizes[topic]:>6}  {' '.join(word for word, _ in words)}")
    shown = [word for topic in topics.values() for word, _ in topic]
    stops = [sorted({w for w in shown if w in stop}) for stop in LISTS.values()]
    return [
        name,
        f"{len(docs):,}",
        len(set(sizes) - {-1}),
        f"{max(sizes.values()) / len(docs):.0%}",
        f"{sizes[-1] / len(docs):.0%}",
        f"{seconds:.1f}",
        *(", ".join(words) or "0" for words in stops),
    ]


def coherence(name: str, docs: list[str]) -> list[list[object]]:
    """Measure the words of the same topics, found with and without stop words; all are counted."""
    backend = MatryoshkaBackend(truncate_dim=128)
    embeddings = backend.embed(docs)
    measures = [TopicCoherence(docs, measure=m, vectorizer=CountVectorizer()) for m in MEASURES]
    rare = CountVectorizer(stop_words=get_stop_words("english"), min_df=2)
    ways = {
        "stop_words=None": {"stop_words": None},
        'stop_words="english"': {},
        "the same, min_df=2": {"vectorizer_model": rare},
    }
    rows = []
    for way, arguments in ways.items():
        topic_model = build_topic_model(backend, **arguments).fit(docs, embeddings)
        topics = [[word for word, _ in topic] for topic in topic_model.get_topics().values()]
        values = [*(of.score(topics) for of in measures), topic_diversity(topics)]
        rows.append([name, way, *(f"{value:.3f}" for value in values)])
    return rows


def stability(docs: list[str], n_seeds: int, reduction: str) -> tuple[float, float, list[int]]:
    """Give the mean and the lowest AMI between two seeds, and each seed's number of topics."""
    backend = MatryoshkaBackend(truncate_dim=128)
    embeddings = backend.embed(docs)
    found = []
    for seed in range(n_seeds):
        topic_model = build_topic_model(backend, reduction=reduction, random_state=seed)
        found.append(topic_model.fit_transform(docs, embeddings)[0])
    pairs = [adjusted_mutual_info_score(*pair) for pair in itertools.combinations(found, 2)]
    return float(np.mean(pairs)), float(np.min(pairs)), [len(set(t) - {-1}) for t in found]


def print_rows(header: list[str], rows: list[list[object]]) -> None:
    print("\n|" + "|".join(f" {name} " for name in header) + "|")
    print("|---|" + "--:|" * (len(header) - 1))
    for row in rows:
        print("|" + "|".join(f" {value} " for value in row) + "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", type=Path, nargs="*", default=[], help="Parquet files")
    parser.add_argument("--fortunes", type=Path, help="folder of files parted by lines of %%")
    parser.add_argument("--coherence", action="store_true", help="with and without stop words")
    parser.add_argument("--seeds", type=int, default=0, help="how many to compare; 0 for none")
    parser.add_argument("--umap", nargs="*", default=[], help="corpora, for BERTopic's own parts")
    args = parser.parse_args()
    corpora = read_corpora(args)
    header = ["corpus", "texts", "topics", "largest", "outliers", "seconds"]
    header += [f"words in {name} list" for name in LISTS]
    lines = ten_lines()
    print_rows(header, [run_lines(lines, name, docs) for name, docs in corpora.items()])
    if args.coherence:
        rows = itertools.chain(*(coherence(name, docs) for name, docs in corpora.items()))
        print_rows(["corpus", "words", "NPMI", "c_v", "diversity"], list(rows))
    if args.seeds > 1:
        methods = [(name, "the ten lines", "variance") for name in corpora]
        methods += [(name, "UMAP + HDBSCAN", "umap") for name in args.umap]
        rows = []
        for name, method, reduction in methods:
            mean, lowest, topics = stability(corpora[name], args.seeds, reduction)
            numbers = " ".join(map(str, topics))
            rows.append([name, method, f"{mean:.2f}", f"{lowest:.2f}", numbers])
        print_rows(["corpus", "method", "AMI, mean", "lowest", "topics"], rows)
    print(f"\nBundled model at 128 dims. {machine(PACKAGES)}")


if __name__ == "__main__":
    main()
