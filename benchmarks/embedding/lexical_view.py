r"""Topics from embeddings alone and from embeddings joined with a lexical view.

    python -m benchmarks.embedding.lexical_view --corpora FOLDER... --embeddings FOLDER... \
        --out FOLDER --names minilm_bbc minilm_ag minilm_so --what ours umap widths

Reads CORPUS.parquet (columns text, label) and MODEL_CORPUS.npy; "bundled_docstrings" is made here,
from the docstrings of installed libraries, and bundled_CORPUS.npy where it is missing. "ours" is
DimensionSelector and LeidenClustering at 20 and 50 topics, words from the core; "umap" is UMAP +
HDBSCAN with the same rows, merged to 20 and 50 topics; "widths" cuts the embeddings first;
"selection" keeps half of the dimensions; "signals" is what can be said without labels. Each row
goes to OUT/*.csv at once, and one that is there already is not computed again; then markdown tables
are printed. "umap" needs umap-learn and hdbscan.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.clustering.no_umap import append, done_in, merged, umap_hdbscan
from benchmarks.corpus import Corpus, find, machine, parser_of, read
from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    LexicalView,
    MatryoshkaBackend,
    TopicCoherence,
    nearest_neighbors,
    truncate,
)
from bertopic_matryoshka.cli.demo import load_docstrings
from bertopic_matryoshka.embedding import unit_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMES = ["matryoshka_bbc", "minilm_bbc", "matryoshka_ag", "minilm_ag", "mpnet_ag"]
NAMES += ["minilm_so", "bundled_so", "bundled_docstrings"]
LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "torch")
N_TOPICS = (20, 50)
N_NEIGHBORS = 15
ALONE, CHOSEN = "alone", "50 axes, .3"
WAYS: dict[str, dict[str, Any] | None] = {
    ALONE: None,
    "50 axes, .2": {"n_components": 50, "weight": 0.2},
    CHOSEN: {"n_components": 50, "weight": 0.3},
    "50 axes, .5": {"n_components": 50, "weight": 0.5},
    "100 axes, .3": {"n_components": 100, "weight": 0.3},
    "100 axes, .5": {"n_components": 100, "weight": 0.5},
    "50 axes, .3, stop words kept": {
        "n_components": 50,
        "weight": 0.3,
        "vectorizer": TfidfVectorizer(min_df=3, dtype=np.float32),
    },
}
WORDS = "words alone"
TENTH = "50 axes, .3, fitted on a tenth"
WIDTHS = (32, 64, 128)
KEYS = ("data", "seed", "way", "width", "topics")
QUIET = ("AMI", "ARI", "NPMI", "c_v", "diversity", "outliers")
PACKAGES = ("bertopic", "scikit-learn", "graspologic-native")


class Data:
    """A corpus, its embeddings, and the rows of each way."""

    def __init__(self, name: str, corpora: Iterable[Path], embeddings: Iterable[Path]):
        self.name = name
        table, self.X = read_or_make(name, list(corpora), list(embeddings))
        self.texts = table["text"].tolist()
        self.corpus = Corpus(table)
        self.c_v = TopicCoherence(self.texts, measure="c_v")
        self._views: dict[str, LexicalView] = {}

    def view(self, way: str) -> LexicalView:
        """Fit a way's view; the tenth is a sample, as a first batch."""
        if way not in self._views:
            options = WAYS.get(way) or WAYS[CHOSEN]
            drawn = np.random.default_rng(0).permutation(len(self.texts))
            part = drawn[: len(drawn) // 10] if way == TENTH else range(len(drawn))
            self._views[way] = LexicalView(**options).fit([self.texts[i] for i in part])
        return self._views[way]

    def rows(self, way: str, width: int | None = None) -> np.ndarray:
        if way == WORDS:
            return self.view(way).transform(self.texts)
        cut = truncate(self.X, width or self.X.shape[1])
        return cut if way == ALONE else self.view(way).join(cut, self.texts)

    def score(self, found: np.ndarray, core: np.ndarray | None = None) -> dict[str, float]:
        """Measure a clustering, and the words of its core."""
        shown = found if core is None else np.where(core, found, -1)
        topics = self.corpus.topics(shown)
        values = self.corpus.score(found) | {
            "NPMI": self.corpus.coherence.score(topics),
            "c_v": self.c_v.score(topics),
        }
        return {measure: values[measure] for measure in QUIET}


def read_or_make(
    name: str, corpora: list[Path], embeddings: list[Path]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Read MODEL_CORPUS, made before if it is of the bundled model."""
    model, _, corpus = name.partition("_")
    if name == "bundled_docstrings" and not (corpora[-1] / "docstrings.parquet").exists():
        made = load_docstrings(LIBRARIES)
        pd.DataFrame({"text": made.texts, "label": made.labels}).to_parquet(
            corpora[-1] / "docstrings.parquet"
        )
    if model == "bundled":
        try:
            find(embeddings, f"{name}.npy")
        except FileNotFoundError:
            texts = pd.read_parquet(find(corpora, f"{corpus}.parquet"))["text"].tolist()
            np.save(embeddings[-1] / f"{name}.npy", MatryoshkaBackend().embed(texts))
    return read(name, corpora, embeddings)


def core_of(clusterer: LeidenClustering, found: np.ndarray) -> np.ndarray:
    """Mark the half of each topic that is nearest to its centre, ten at least, as CoreWords."""
    nearness, core = clusterer.centrality(found), np.zeros(len(found), dtype=bool)
    for topic in range(found.max() + 1):
        members = np.flatnonzero(found == topic)
        n = min(len(members), max(10, round(len(members) / 2)))
        core[members[np.argsort(-nearness[members], kind="stable")[:n]]] = True
    return core


def ours(data: Data, seed: int, way: str, width: int | None) -> Iterator[tuple[int, dict]]:
    rows = data.rows(way, width)
    clusterer = LeidenClustering(random_state=seed)
    clusterer.fit(DimensionSelector().fit_transform(rows))
    for n in N_TOPICS:
        found = clusterer.labels_at(n)
        yield n, data.score(found, core_of(clusterer, found))


def selected(data: Data, seed: int, way: str, width: int | None) -> Iterator[tuple[int, dict]]:
    """Keep half of the dimensions: of the joined rows, or of the embeddings alone."""
    criterion, how, way = way.split(": ")
    half = DimensionSelector(0.5, criterion=criterion)
    if how == "of all":
        rows = half.fit_transform(data.rows(way, width))
    else:
        embeddings = data.rows(ALONE, width)
        chosen = half.fit(embeddings).get_support()
        if how == "of the embeddings, then joined":
            rows = data.view(way).join(embeddings[:, chosen], data.texts)
        else:
            joined = data.rows(way, width)
            axes = np.ones(joined.shape[1] - embeddings.shape[1], dtype=bool)
            rows = unit_rows(joined[:, np.append(chosen, axes)])
    clusterer = LeidenClustering(random_state=seed).fit(rows)
    for n in N_TOPICS:
        found = clusterer.labels_at(n)
        yield n, data.score(found, core_of(clusterer, found))


def umap(data: Data, seed: int, way: str, width: int | None) -> Iterator[tuple[int, dict]]:
    rows = data.rows(way, width)
    found = umap_hdbscan()(rows, None, seed)
    for n in N_TOPICS:
        topics = merged(rows, found, n)
        yield n, dict.fromkeys(QUIET) if topics is None else data.score(topics)


def signals(data: Data, seed: int, way: str, width: int | None) -> Iterator[tuple[int, dict]]:
    """Say how both views agree: shared neighbours, and topics from each alone."""
    both = [data.rows(name, width) for name in (ALONE, way)]
    near = [nearest_neighbors(rows, N_NEIGHBORS)[0] for rows in both]
    shared = [len(np.intersect1d(*pair)) / N_NEIGHBORS for pair in zip(*near, strict=True)]
    clusterers = [LeidenClustering(random_state=seed).fit(rows) for rows in both]
    for n in N_TOPICS:
        topics = [clusterer.labels_at(n) for clusterer in clusterers]
        agree = adjusted_mutual_info_score(*topics)
        yield n, {"neighbours shared": float(np.mean(shared)), "topics agree": agree}


PARTS = {"ours": ours, "umap": umap, "widths": ours, "selection": selected, "signals": signals}
CELLS: dict[str, list[tuple[str, int | None]]] = {
    "ours": [(way, None) for way in (*WAYS, TENTH, WORDS)],
    "umap": [(way, None) for way in (ALONE, CHOSEN)],
    "widths": list(itertools.product((ALONE, CHOSEN), WIDTHS)),
    "selection": [
        (f"{criterion}: {how}", None)
        for criterion in ("variance", "laplacian")
        for how in (
            f"of all: {ALONE}",
            f"of all: {CHOSEN}",
            f"of the embeddings: {CHOSEN}",
            f"of the embeddings, then joined: {CHOSEN}",
        )
    ],
    "signals": [(WORDS, None)],
}


def measure(what: str, data: Data, seeds: Iterable[int], file: Path) -> None:
    done = done_in(file, KEYS)
    for seed, (way, width) in itertools.product(seeds, CELLS[what]):
        if all((data.name, seed, way, width or 0, n) in done for n in N_TOPICS):
            continue
        start = time.perf_counter()
        for n, scores in PARTS[what](data, seed, way, width):
            values = (data.name, seed, way, width or 0, n)
            seconds = time.perf_counter() - start
            append(file, dict(zip(KEYS, values, strict=True)) | scores | {"seconds": seconds})


def print_table(results: pd.DataFrame, measure: str) -> None:
    """Print a measure at 20 / 50 topics, the mean of the seeds: ways in rows, data in columns."""
    keys = ["way", "width", "data", "topics"]
    mean = results.groupby(keys, sort=False)[measure].mean()
    columns = list(dict.fromkeys(results["data"]))
    print(f"\n| {measure} at 20 / 50 | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
    for way, width in results[["way", "width"]].drop_duplicates().itertuples(index=False):
        pairs = [[mean.get((way, width, data, n)) for n in N_TOPICS] for data in columns]
        shown = [" / ".join("-" if pd.isna(x) else f"{x:.3f}" for x in pair) for pair in pairs]
        print(f"| {way}{f', {width}' if width else ''} | {' | '.join(shown)} |")


def print_words(data: Data) -> None:
    """Print the words of 20 topics, and the share of the commonest class in each."""
    for way in (ALONE, CHOSEN):
        clusterer = LeidenClustering(random_state=0)
        clusterer.fit(DimensionSelector().fit_transform(data.rows(way)))
        found = clusterer.labels_at(N_TOPICS[0])
        topics = data.corpus.topics(np.where(core_of(clusterer, found), found, -1))
        print(f"\n{data.name}, {way}:\n\n| texts | of one class | words |\n|--:|--:|---|")
        for topic, words in enumerate(topics):
            members = data.corpus.labels[found == topic]
            share = np.bincount(members).max() / len(members)
            print(f"| {len(members)} | {share:.0%} | {' '.join(words)} |")


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", default=NAMES, help="MODEL_CORPUS")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2))
    parser.add_argument("--what", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--words", nargs="*", default=[], help="MODEL_CORPUS whose words to print")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names:
        data = Data(name, args.corpora, args.embeddings)
        for what in args.what:
            measure(what, data, args.seeds, args.out / f"{what}.csv")
        if name in args.words:
            print_words(data)
    for what in args.what:
        results = pd.read_csv(args.out / f"{what}.csv")
        print(f"\n{what}")
        for column in results.columns.difference([*KEYS, "ARI", "outliers"], sort=False):
            print_table(results, column)
    print(f"\nSeeds {tuple(args.seeds)}. {machine(PACKAGES)}")


if __name__ == "__main__":
    main()
