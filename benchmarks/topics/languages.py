r"""Stop words among topics' words in several languages: by a list, and by ways without one.

    python -m benchmarks.topics.languages --translations FILE... --snowball FOLDER

Texts are Debian's translated package descriptions of 15 words or more, at most 5,000 of a language:
the files Translation-de and so on that `apt-get update` keeps in its lists (Acquire::Languages).
What counts as a stop word are Snowball's lists, PostgreSQL's tsearch_data/*.stop, which
none of the ways has seen. Rows are LSA of TF-IDF, as no multilingual model is needed for words;
topics are those of build_topic_model on them, the same for each way.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

import numpy as np
from bertopic.vectorizers import ClassTfidfTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from benchmarks.corpus import machine
from benchmarks.topics.first_lines import print_rows
from bertopic_matryoshka import MatryoshkaBackend, build_topic_model, topic_diversity

SNOWBALL = {
    "da": "danish", "nl": "dutch", "en": "english", "fi": "finnish", "fr": "french",
    "de": "german", "hu": "hungarian", "it": "italian", "pt": "portuguese", "ru": "russian",
    "es": "spanish", "sv": "swedish",
}  # fmt: skip
MAX_TEXTS = 5000
WIDTH = 256  # of the bundled model, which embeds nothing here


def read_descriptions(path: Path, code: str) -> list[str]:
    """Read a Translation file of apt, however it is compressed."""
    command = ["/usr/lib/apt/apt-helper", "cat-file", str(path)]
    raw = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    found = re.findall(rf"^Description-{code}: (.*(?:\n .*)*)", raw, re.MULTILINE)
    texts = (" ".join(text.replace("\n .\n", "\n").split()) for text in found)
    texts = list(dict.fromkeys(text for text in texts if len(text.split()) >= 15))
    if len(texts) <= MAX_TEXTS:
        return texts
    drawn = np.random.default_rng(0).choice(len(texts), MAX_TEXTS, replace=False)
    return [texts[i] for i in sorted(drawn)]


def measure(path: Path, code: str, stop_words: set[str]) -> list[list[object]]:
    docs = read_descriptions(path, code)
    tfidf = TfidfVectorizer(sublinear_tf=True, max_df=0.2).fit_transform(docs)
    rows = TruncatedSVD(WIDTH, random_state=0).fit_transform(tfidf).astype(np.float32)
    ways = {
        "none": {"stop_words": None},
        f'stop_words="{code}"': {"stop_words": code},
        "reduce_frequent_words": {
            "stop_words": None,
            "ctfidf_model": ClassTfidfTransformer(reduce_frequent_words=True),
        },
        "in half of the topics at most": {"vectorizer_model": CountVectorizer(max_df=0.5)},
    }
    table = []
    for way, arguments in ways.items():
        topic_model = build_topic_model(MatryoshkaBackend(), **arguments)
        try:
            topic_model.fit(docs, rows)
        except ValueError as error:  # of max_df, which counts topics, where there are too few
            table.append([code, f"{len(docs):,}", "", way, str(error), "", ""])
            continue
        topics = [[word for word, _ in topic] for topic in topic_model.get_topics().values()]
        stops = [sum(word in stop_words for word in topic) for topic in topics]
        table.append([
            code,
            f"{len(docs):,}",
            len(topics),
            way,
            f"{sum(stops) / sum(map(len, topics)):.1%}",
            sum(map(bool, stops)),
            f"{topic_diversity(topics):.2f}",
        ])  # fmt: skip
        print(f"\n{code}, {way}: " + "; ".join(" ".join(topic) for topic in topics[:3]))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--translations", type=Path, nargs="+", required=True)
    parser.add_argument("--snowball", type=Path, required=True, help="folder of *.stop")
    args = parser.parse_args()
    rows = []
    for path in args.translations:
        code = re.search(r"Translation-(\w+)", path.name)[1]
        stop_words = (args.snowball / f"{SNOWBALL[code]}.stop").read_text("utf-8").split()
        rows += measure(path, code, set(stop_words))
    header = ["language", "texts", "topics", "way", "stop words", "topics with some", "diversity"]
    print_rows(header, rows)
    print(f"\n{machine(('bertopic', 'scikit-learn', 'stopwordsiso'))}")


if __name__ == "__main__":
    main()
