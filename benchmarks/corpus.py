"""What the benchmarks share: a labelled corpus that scores clusterings, and the machine's name."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from bertopic_matryoshka.evaluation._coherence import TopicCoherence
from bertopic_matryoshka.evaluation._diversity import topic_diversity

if TYPE_CHECKING:
    from collections.abc import Iterable

MEASURES = ("AMI", "ARI", "NPMI", "diversity", "topics", "outliers")


class Corpus:
    def __init__(self, table: pd.DataFrame):
        self.labels = pd.factorize(table["label"])[0]
        self.vectorizer = CountVectorizer(stop_words="english")
        self.counts = self.vectorizer.fit_transform(table["text"])
        self.words = self.vectorizer.get_feature_names_out()
        self.coherence = TopicCoherence(table["text"], measure="npmi", vectorizer=self.vectorizer)

    def topics(self, found: np.ndarray) -> list[list[str]]:
        """Give the first ten words of each cluster by c-TF-IDF; -1 is none."""
        member = sp.csr_matrix((np.ones(len(found)), (found + 1, np.arange(len(found)))))
        counts = (member @ self.counts).tocsr()
        sizes, total = (np.asarray(counts.sum(axis=axis)).ravel() for axis in (1, 0))
        idf = np.log1p(int(sizes[sizes > 0].mean()) / np.maximum(total, 1))
        topics = []
        for row in range(1, counts.shape[0]):
            words, weights = counts[row].indices, counts[row].data * idf[counts[row].indices]
            topics.append(self.words[words[np.argsort(-weights, kind="stable")[:10]]].tolist())
        return topics

    def score(self, found: np.ndarray) -> dict[str, float]:
        """Measure a clustering; -1 is a class of its own for AMI and ARI and no topic for words."""
        topics = self.topics(found)
        values = (
            adjusted_mutual_info_score(self.labels, found),
            adjusted_rand_score(self.labels, found),
            self.coherence.score(topics),
            topic_diversity(topics),
            len(topics),
            np.mean(found < 0),
        )
        return dict(zip(MEASURES, values, strict=True))


def find(folders: Iterable[Path], file: str) -> Path:
    """Give the first of the folders' files of this name."""
    folders = list(folders)
    for folder in folders:
        if (folder / file).exists():
            return folder / file
    raise FileNotFoundError(f"{file} is in none of {', '.join(map(str, folders))}.")


def read(
    name: str, corpora: Iterable[Path], embeddings: Iterable[Path]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Read MODEL_CORPUS: its texts and labels, and unit rows. Zero rows go, with their texts."""
    table = pd.read_parquet(find(corpora, f"{name.partition('_')[2]}.parquet"))
    X = np.load(find(embeddings, f"{name}.npy")).astype(np.float32)
    if len(X) != len(table):
        raise ValueError(f"{name} has {len(X)} embeddings, but its corpus {len(table)} documents.")
    norms = np.linalg.norm(X, axis=1)
    keep = norms > 0
    return table[keep], X[keep] / norms[keep, None]


def parser_of(doc: str) -> argparse.ArgumentParser:
    """Read the folders of corpora and of embeddings, from a benchmark with this docstring."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    for folders in ("--corpora", "--embeddings"):
        parser.add_argument(folders, type=Path, nargs="+", required=True)
    return parser


def machine(packages: Iterable[str]) -> str:
    """Name the processor, its cores, and the versions of Python and the packages."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = named[0] if named else platform.processor()
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in packages)
    return f"{os.cpu_count()} cores, {cpu}; Python {platform.python_version()}, {versions}."
