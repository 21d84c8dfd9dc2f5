"""What copies among the documents do: topics and AMI without and with them, beside the peers.

    python -m benchmarks.clustering.copies --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_ag

Some documents of a sample are repeated: with the embeddings that they have, with noise on them, or,
with --model, with an edited text that is embedded anew. AMI with the labels is over the documents
of the sample. A topic is "of copies" where it has fewer than ten documents but for copies. Prints
markdown tables. `--methods peers` needs umap-learn, hdbscan and evoc.
"""

from __future__ import annotations

import itertools
import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks.clustering.no_umap import METHODS, SMALLEST, UMAP
from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import DimensionSelector, LeidenClustering, MatryoshkaBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N_DOCUMENTS = 3_000
NUMBERS = (None, 10, 20)
COPIED = ((20, 60), (5, 400), (1_000, 3))
SHAPE = {0.0: "equal", 0.1: "noise .1", 0.25: "noise .25"}
NAMES = ("Maria Lopez", "John Smith", "Wei Zhang", "Anna Kowalska", "Peter Brown", "Olga Ivanova")
SIGNATURES = (
    "Best regards, John Smith",
    "Sent from my phone",
    "Copyright 2004. All rights reserved.",
    "For more information call 555-0142 or write to info@example.com",
)


def digits(text: str, rng: np.random.Generator) -> str:
    return re.sub(r"\d", lambda _: str(rng.integers(10)), text)


def addressee(text: str, rng: np.random.Generator) -> str:
    return f"Dear {rng.choice(NAMES)}, {text}"


def signature(text: str, rng: np.random.Generator) -> str:
    return f"{text} {rng.choice(SIGNATURES)}"


def number(text: str, rng: np.random.Generator) -> str:
    return f"Ticket #{rng.integers(10**6)}: {text}"


EDITS = {
    "digits changed": digits,
    "an addressee": addressee,
    "a signature": signature,
    "a ticket's number": number,
}


def ours(
    share: float | None = None, criterion: str = "variance", **parameters: float
) -> Callable[[np.ndarray, int | None], np.ndarray]:
    def fit(X: np.ndarray, n: int | None) -> np.ndarray:
        rows = DimensionSelector(share, criterion=criterion).fit_transform(X)
        return LeidenClustering(n, **parameters).fit_predict(rows)

    return fit


def peer(name: str) -> Callable[[np.ndarray, int | None], np.ndarray]:
    method = METHODS[name]()
    return lambda X, n: method(X, n, 0)


def noisy(rows: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Add noise whose length is a share of the distance between two rows that differ."""
    apart = np.sqrt(2 - 2 * np.square(rows.mean(axis=0)).sum())
    added = rng.normal(size=rows.shape) * noise * apart / np.sqrt(2 * rows.shape[1])
    copies = rows + added
    return copies / np.linalg.norm(copies, axis=1, keepdims=True)


def score(found: np.ndarray, labels: np.ndarray, distinct: np.ndarray) -> str:
    """Give topics, AMI over the sample, and topics with fewer than ten distinct documents."""
    topics = np.unique(found[found >= 0])
    few = sum((found[distinct] == topic).sum() < SMALLEST for topic in topics)
    ami = adjusted_mutual_info_score(labels, found[: len(labels)])
    return f"{len(topics)}, {ami:.3f}, {few}"


def cases(
    X: np.ndarray, texts: np.ndarray, backend: MatryoshkaBackend | None
) -> Iterator[tuple[str, np.ndarray]]:
    """Give the rows without copies, and with copies of several kinds after them."""
    yield "none", X
    for (n, times), noise in itertools.product(COPIED, SHAPE):
        rng = np.random.default_rng(0)
        rows = np.repeat(X[rng.permutation(len(X))[:n]], times - 1, axis=0)
        rows = noisy(rows, noise, rng) if noise else rows
        yield f"{n:,} x {times}, {SHAPE[noise]}", np.vstack([X, rows]).astype(np.float32)
    for name, edit in EDITS.items() if backend is not None else ():
        rng = np.random.default_rng(0)
        with_digits = [i for i in rng.permutation(len(X)) if re.search(r"\d", texts[i])][:20]
        copies = [edit(texts[i], rng) for i in np.repeat(with_digits, 59)]
        yield f"20 x 60, {name}", np.vstack([X, backend.embed(copies)]).astype(np.float32)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", default=["minilm_ag"])
    parser.add_argument("--model", help="a folder or name; it has to be the one of --names")
    parser.add_argument("--methods", choices=["ours", "selection", "peers"], default="ours")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    backend = None if args.model is None else MatryoshkaBackend(args.model)
    print(machine(["scikit-learn", "graspologic-native"]), "\n")
    methods = {
        "ours": {"ours": ours(), "ours, copy_distance=0": ours(copy_distance=0)},
        "selection": {f"half by {c}": ours(0.5, c) for c in ("variance", "laplacian")},
        "peers": {name: peer(name) for name in PEERS if args.methods == "peers"},
    }[args.methods]
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        X, first = np.unique(X, axis=0, return_index=True)
        chosen = np.random.default_rng(0).permutation(len(X))[:N_DOCUMENTS]
        X, table = X[chosen], table.iloc[first[chosen]]
        labels = table["label"].factorize()[0]
        print(f"**{name}**, {len(X):,} documents; topics, AMI, topics of copies\n")
        print("| copies | rows |", " | ".join(heading(m, n) for m, n in grid(methods)), "|")
        print("|---|--:|" + "--:|" * len(list(grid(methods))))
        for case, rows in cases(X, table["text"].to_numpy(), backend):
            distinct = np.arange(len(X))
            cells = [score(methods[m](rows, n), labels, distinct) for m, n in grid(methods)]
            print(f"| {case} | {len(rows):,} |", " | ".join(cells), "|", flush=True)
        print()


PEERS = (UMAP, "EVoC", "k-means")
FREE = PEERS[:2]  # are asked for no number


def grid(methods: dict[str, object]) -> Iterator[tuple[str, int | None]]:
    for method in methods:
        for n in NUMBERS if method.startswith("ours") else (10,):
            yield method, n if method not in FREE else None


def heading(method: str, n: int | None) -> str:
    return method if n is None else f"{method}, {n}"


if __name__ == "__main__":
    main()
