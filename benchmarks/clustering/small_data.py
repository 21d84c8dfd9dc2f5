"""Few or lopsided documents by default settings, beside UMAP + HDBSCAN, EVoC and k-means.

    python -m benchmarks.clustering.small_data --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_ag minilm_bbc --model all-MiniLM-L6-v2

Small samples are drawn with five seeds; then one class of 95 %, a class of 30 documents among
2,000, and, embedded with --model, texts of one word and thirty German texts among English ones.
k-means is given the number of classes. F1 is that of the best topic for the rare class. Prints a
markdown table. Needs umap-learn, hdbscan and evoc.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.clustering.copies import ours, peer
from benchmarks.clustering.no_umap import UMAP
from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import MatryoshkaBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    Case = tuple[str, list[tuple[np.ndarray, np.ndarray]], int | None]

SIZES = (30, 60, 120, 300)
SEEDS = range(5)
GERMAN = (
    "Die Bundesregierung will die Steuern für kleine Unternehmen senken.",
    "Der Zug nach Hamburg hatte heute Morgen eine Stunde Verspätung.",
    "Am Wochenende wird es im Süden sonnig und im Norden regnerisch.",
    "Die Mannschaft gewann das Spiel in der letzten Minute mit zwei zu eins.",
    "Forscher haben in der Nordsee eine neue Art von Quallen entdeckt.",
    "Der Preis für Benzin ist zum dritten Mal in diesem Monat gestiegen.",
    "Die Schule bleibt wegen der Bauarbeiten bis zum Herbst geschlossen.",
    "Ein Gericht hat die Klage der Anwohner gegen den Flughafen abgewiesen.",
    "Das Museum zeigt ab Freitag Bilder aus dem neunzehnten Jahrhundert.",
    "Viele Menschen arbeiten seit einigen Jahren häufiger von zu Hause aus.",
    "Der neue Film des Regisseurs läuft seit gestern in den Kinos.",
    "Die Ärzte fordern mehr Geld für die Krankenhäuser auf dem Land.",
    "In Berlin demonstrierten Tausende für bezahlbare Wohnungen.",
    "Der Konzern streicht in seinen Werken tausend Stellen.",
    "Die Feuerwehr löschte den Brand in der Lagerhalle erst am Abend.",
    "Das Parlament stimmt morgen über den Haushalt ab.",
    "Die Bauern klagen nach dem trockenen Sommer über eine schlechte Ernte.",
    "Ein Radfahrer wurde bei einem Unfall auf der Landstraße verletzt.",
    "Die Universität bietet im Winter einen neuen Studiengang an.",
    "Der Bürgermeister eröffnete die Brücke nach zwei Jahren Bauzeit.",
    "Die Inflation ist im Oktober etwas schwächer ausgefallen als erwartet.",
    "Der Torwart verlässt den Verein nach zehn Jahren.",
    "Die Polizei sucht Zeugen eines Einbruchs in der Innenstadt.",
    "Im Tierpark sind am Montag drei junge Luchse zur Welt gekommen.",
    "Die Rentner bekommen im Juli vier Prozent mehr Geld.",
    "Das Orchester spielt im Sommer wieder unter freiem Himmel.",
    "Die Stadt verbietet Autos in der Nähe von Grundschulen.",
    "Ein Software-Fehler legte am Dienstag die Kassen vieler Läden lahm.",
    "Der Verband der Händler rechnet mit einem guten Geschäft zu Weihnachten.",
    "Nach dem Sturm waren in Bayern viele Haushalte ohne Strom.",
)


def lopsided(X: np.ndarray, labels: np.ndarray, sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Draw so many documents of each class, the classes in their order."""
    rng = np.random.default_rng(0)
    rows = [rng.permutation(np.flatnonzero(labels == i))[:n] for i, n in enumerate(sizes)]
    chosen = np.concatenate(rows)
    return X[chosen], labels[chosen]


def words_of(table: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Give a thousand frequent words, each with the class in which it is most over-represented."""
    vectorizer = CountVectorizer(stop_words="english", max_features=1_000)
    counts = vectorizer.fit_transform(table["text"])
    codes = table["label"].factorize()[0]
    shares = np.stack([np.asarray(counts[codes == i].mean(axis=0))[0] for i in np.unique(codes)])
    return vectorizer.get_feature_names_out().tolist(), shares.argmax(axis=0)


def cases(table: pd.DataFrame, X: np.ndarray, backend: MatryoshkaBackend | None) -> Iterator[Case]:
    """Give what each case is called, its rows and labels, and its rare class if it has one."""
    labels = table["label"].factorize()[0]
    n_classes = labels.max() + 1
    for n in SIZES:
        drawn = [np.random.default_rng(seed).permutation(len(X))[:n] for seed in SEEDS]
        yield f"{n} texts", [(X[rows], labels[rows]) for rows in drawn], None
    small = min(100, (labels == 1).sum()) // (n_classes - 1)
    large = 19 * small * (n_classes - 1)
    yield "95 % one class", [lopsided(X, labels, [large] + [small] * (n_classes - 1))], None
    each = 2_000 // (n_classes - 1)
    yield "30 of a class", [lopsided(X, labels, [30] + [each] * (n_classes - 1))], 0
    if backend is not None:
        words, classes = words_of(table)
        yield "1,000 words", [(backend.embed(words), classes)], None
        some = np.random.default_rng(0).permutation(len(X))[:1_970]
        rows = np.vstack([X[some], backend.embed(GERMAN)])
        yield "30 German texts", [(rows, np.repeat([0, 1], [len(some), len(GERMAN)]))], 1


def f1(found: np.ndarray, of_class: np.ndarray) -> float:
    """Give the F1 of the topic that has the class best."""
    scores = [
        2 * (of_class & (found == topic)).sum() / (of_class.sum() + (found == topic).sum())
        for topic in np.unique(found[found >= 0])
    ]
    return max(scores, default=0.0)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=["minilm_ag"])
    parser.add_argument("--model", help="a folder or name; it has to be the one of --names")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    backend = None if args.model is None else MatryoshkaBackend(args.model)
    methods = {name: peer(name) for name in (UMAP, "EVoC", "k-means")}
    methods = {
        "ours": ours(),
        "ours, 15 and 10": ours(n_neighbors=15, min_cluster_size=10),
    } | methods
    print(machine(["scikit-learn", "graspologic-native"]), "\n")
    print("| corpus | case |", " | ".join(methods), "|\n|---|---|" + "--:|" * len(methods))
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        for case, samples, rare in cases(table, X, backend):
            cells = [
                measured(method, samples, rare, told=label == "k-means")
                for label, method in methods.items()
            ]
            print(f"| {name} | {case} |", " | ".join(cells), "|", flush=True)


def measured(
    method: Callable[[np.ndarray, int | None], np.ndarray],
    samples: list[tuple[np.ndarray, np.ndarray]],
    rare: int | None,
    *,
    told: bool,
) -> str:
    """Give topics, AMI (or F1 of the rare class) and the share of outliers, means over samples."""
    values = []
    for rows, labels in samples:
        try:
            n_topics = len(np.unique(labels)) if told else None
            found = method(rows.astype(np.float32), n_topics)
        except (ValueError, TypeError) as error:  # some cannot do with so few rows
            return f"{type(error).__name__}"
        quality = (
            adjusted_mutual_info_score(labels, found) if rare is None else f1(found, labels == rare)
        )
        values.append((len(np.unique(found[found >= 0])), quality, np.mean(found < 0)))
    topics, quality, outliers = np.mean(values, axis=0)
    return f"{topics:.3g}, {'' if rare is None else 'F1 '}{quality:.2f}, {outliers:.0%}"


if __name__ == "__main__":
    main()
