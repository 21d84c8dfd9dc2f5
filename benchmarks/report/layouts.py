"""Layouts of documents on a plane: neighbours kept, and seconds.

    python -m benchmarks.report.layouts --corpora FOLDER... --embeddings FOLDER... \
        --names minilm_bbc minilm_so --sizes 2000 10000

The share of each document's 15 nearest neighbours, by cosine, that are among its 15 nearest on the
map; how many of those 15 have its label; and processor seconds, of a second run where the first
compiles.
"ours" is layout_documents. What is not installed is left out: umap-learn, openTSNE, pacmap.
"""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, SpectralEmbedding
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from benchmarks.corpus import machine, parser_of, read
from bertopic_matryoshka import layout_documents
from bertopic_matryoshka.neighbors import neighbor_graph

if TYPE_CHECKING:
    from collections.abc import Callable

K = 15


def tsne(X: np.ndarray) -> np.ndarray:
    """Run scikit-learn's, on one thread as ours: with more it waits on a busy machine."""
    with threadpool_limits(1):
        start = PCA(2, random_state=0).fit_transform(X)
        return TSNE(init=start / start.std() * 1e-4, random_state=0).fit_transform(X)


def pca(X: np.ndarray) -> np.ndarray:
    return PCA(2, random_state=0).fit_transform(X)


def spectral(X: np.ndarray) -> np.ndarray:
    graph = neighbor_graph(X, K)
    embedding = SpectralEmbedding(2, affinity="precomputed", eigen_solver="lobpcg", random_state=0)
    return embedding.fit_transform(graph)


def umap(X: np.ndarray) -> np.ndarray:
    from umap import UMAP

    return UMAP(metric="cosine", random_state=0).fit_transform(X)


def opentsne(X: np.ndarray) -> np.ndarray:
    from openTSNE import TSNE

    return np.asarray(TSNE(initialization="pca", random_state=0).fit(X))


def pacmap(X: np.ndarray) -> np.ndarray:
    from pacmap import PaCMAP

    return PaCMAP(random_state=0).fit_transform(X, init="pca")


LAYOUTS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "PCA": (pca, "sklearn"),
    "spectral, our graph": (spectral, "sklearn"),
    "ours": (layout_documents, "sklearn"),
    "t-SNE": (tsne, "sklearn"),
    "openTSNE": (opentsne, "openTSNE"),
    "UMAP": (umap, "umap"),
    "PaCMAP": (pacmap, "pacmap"),
}


def nearest(X: np.ndarray) -> np.ndarray:
    return NearestNeighbors(n_neighbors=K).fit(X).kneighbors(return_distance=False)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--names", nargs="+", required=True, help="MODEL_CORPUS")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000])
    args = parser.parse_args()
    print("| data | documents | layout | neighbours kept | same label | processor seconds |")
    print("|--|--:|--|--:|--:|--:|")
    for name in args.names:
        table, X = read(name, args.corpora, args.embeddings)
        for size in args.sizes:
            drawn = np.sort(np.random.default_rng(0).permutation(len(X))[:size])
            rows, labels = X[drawn], pd.factorize(table["label"])[0][drawn]
            near = nearest(rows)  # of unit rows: as by cosine
            for layout, (place, package) in LAYOUTS.items():
                if importlib.util.find_spec(package) is None:
                    continue
                if layout in {"UMAP", "PaCMAP"}:
                    place(rows[:200])  # compiles
                start = time.process_time()
                found = nearest(place(rows))
                seconds = time.process_time() - start
                kept = np.mean([np.isin(a, b).mean() for a, b in zip(found, near, strict=True)])
                alike = (labels[found] == labels[:, None]).mean()
                cells = name, len(rows), layout, f"{kept:.3f}", f"{alike:.3f}", f"{seconds:.1f}"
                print("|", " | ".join(map(str, cells)), "|", flush=True)
    print(f"\n{machine(['numpy', 'scikit-learn'])}")


if __name__ == "__main__":
    main()
