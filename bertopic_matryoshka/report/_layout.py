"""Rows -> places on a plane, by t-SNE with sampled repulsion, in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from bertopic_matryoshka._constraints import check_arguments, seed
from bertopic_matryoshka._validation import embeddings_array
from bertopic_matryoshka.embedding import cut_rows
from bertopic_matryoshka.neighbors import neighbor_graph

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_matrix

N_NEIGHBORS = 10
"""Number of neighbours that attract a row, a third of the others where they are few; more of them
keep fewer of the 15 nearest."""

N_REPELLING = 64
"""Number of rows drawn at each step, whose repulsion stands for that of all."""

N_STEPS, N_EARLY = 400, 100
"""Number of steps, and of those at the beginning that exaggerate the attraction."""

EXAGGERATION = 8.0
"""Factor of the attraction in the early steps, in which groups form."""

MOMENTUM, EARLY_MOMENTUM = 0.9, 0.5

LAST_RATE = 0.02
"""Share of the learning rate that is left at the last step, when sampling must not blur the map."""

FIRST_SPREAD = 0.01
"""Spread of the places that the layout starts from; the final one is some tens."""

ROUNDING = 1e-6
"""Spread below which rows of unit length are equal."""


def layout_documents(
    embeddings: ArrayLike,
    *,
    start: ArrayLike | None = None,
    random_state: int | None = 0,
) -> NDArray[np.float32]:
    """Lay documents, or topics, out on a plane, so that near is alike.

    For BERTopic's figures, which otherwise call UMAP: pass the result as `reduced_embeddings`. The
    objective is that of t-SNE [1]_ with equal affinities on the graph of the ten nearest neighbours
    by cosine. At each step 64 random documents stand for all in the repulsion, as in LargeVis and
    UMAP [2]_, so that a step costs the same for each document, however many there are. Distances
    between groups say little.

    Parameters
    ----------
    embeddings : array-like of shape (n_documents, n_dims)
        Rows need not have unit length.
    start : array-like of shape (n_documents, 2) or None, default=None
        Places to start from, of any scale; None is the first two principal components [3]_.
    random_state : int or None, default=0
        Seed of the sampled repulsion.

    Returns
    -------
    places : ndarray of shape (n_documents, 2), float32
        The same at every call with the same seed, however many cores there are.

    Raises
    ------
    TypeError, ValueError
        If embeddings are not an array of numbers, two-dimensional and finite, or `start` is not of
        shape (n_documents, 2).

    References
    ----------
    .. [1] L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.
    .. [2] S. Damrich, N. Böhm, F. A. Hamprecht, D. Kobak, "From t-SNE to UMAP with contrastive
       learning", ICLR 2023.
    .. [3] D. Kobak, P. Berens, "The art of using t-SNE for single-run transcriptomics", Nature
       Communications 10, 2019: on what a layout starts from.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import layout_documents
    >>> embeddings = np.random.default_rng(0).normal(size=(40, 16))
    >>> layout_documents(embeddings).shape
    (40, 2)

    With a fitted topic model::

        topic_model.visualize_documents(docs, reduced_embeddings=layout_documents(embeddings))
    """
    check_arguments(locals(), random_state=seed())
    X = embeddings_array(embeddings)
    rows = cut_rows(X, X.shape[1])[0]
    if len(rows) < 2:
        return np.zeros((len(rows), 2), dtype=np.float32)
    n_neighbors = min(N_NEIGHBORS, max(1, (len(rows) - 1) // 3))
    # Threads add numbers up in any order, and on a busy machine wait for each other at every step.
    with threadpool_limits(1):
        first = _first_places(rows, start)
        graph = neighbor_graph(rows, n_neighbors).astype(np.float32)
        return _descend(graph, first, np.random.default_rng(random_state))


def nearest_to_median(places: NDArray[Any]) -> int:
    """Find the place that is nearest to the median, so that a name is never where nothing is."""
    distances = ((places - np.median(places, axis=0)) ** 2).sum(axis=1)
    return int(distances.argmin())


def _first_places(rows: NDArray[np.floating], start: ArrayLike | None) -> NDArray[np.float32]:
    """Scale the places to start from; those of equal rows are zeros."""
    places = np.zeros((len(rows), 2))
    if start is None:
        n = min(2, *rows.shape)
        with np.errstate(invalid="ignore"):  # equal rows have no variance that could be explained
            places[:, :n] = PCA(n, random_state=0).fit_transform(rows)
    else:
        places += _check_start(start, len(rows))
    places -= places.mean(axis=0)
    spread = max(places.std(axis=0).max(), ROUNDING)
    scaled: NDArray[np.float32] = (places * (FIRST_SPREAD / spread)).astype(np.float32)
    return scaled


def _check_start(start: ArrayLike, n_rows: int) -> NDArray[Any]:
    places = embeddings_array(start, name="start", n_documents=n_rows)
    if places.shape[1] != 2 or not np.isfinite(places).all():
        raise ValueError(
            f"start has shape {places.shape} and must have two columns of finite numbers."
        )
    return places


def _descend(
    graph: csr_matrix, places: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Minimise t-SNE's objective by gradient descent with momentum; the graph is overwritten."""
    n = len(places)
    begin = np.repeat(np.arange(n, dtype=np.int32), np.diff(graph.indptr))
    end = graph.indices
    affinity = 1 / graph.nnz
    # The rate at which exaggerated attraction does not overshoot (Belkina et al. 2019).
    rate = n / EXAGGERATION
    velocity = np.zeros_like(places)
    for step in range(N_STEPS):
        is_early = step < N_EARLY
        exaggerated = affinity * (EXAGGERATION if is_early else 1.0)
        gradient = 4 * (
            _attraction(graph, begin, end, places, np.float32(exaggerated))
            - _repulsion(places, rng.integers(n, size=N_REPELLING))
        )
        velocity *= EARLY_MOMENTUM if is_early else MOMENTUM
        velocity -= np.float32(rate * max(LAST_RATE, 1 - step / N_STEPS)) * gradient
        places = places + velocity
    return places


def _attraction(
    graph: csr_matrix,
    begin: NDArray[np.int32],
    end: NDArray[np.int32],
    places: NDArray[np.float32],
    affinity: np.float32,
) -> NDArray[np.float32]:
    """Sum affinity / (1 + squared distance) times the way, over each row's edges."""
    squares = np.ones(end.size, dtype=np.float32)
    for axis in np.ascontiguousarray(places.T):
        way = axis.take(begin)
        way -= axis.take(end)
        squares += np.square(way, out=way)
    np.divide(affinity, squares, out=graph.data)
    sums = np.asarray(graph @ _with_ones(places), dtype=np.float32)
    return sums[:, 2:] * places - sums[:, :2]


def _repulsion(places: NDArray[np.float32], drawn: NDArray[np.int_]) -> NDArray[np.float32]:
    """Estimate the sum of squared similarities times the way, over the sum of similarities.

    A similarity is 1 / (1 + squared distance). Both sums are over the rows drawn, and the second
    over all rows as well.
    """
    others = places[drawn]
    similar = np.square(places).sum(axis=1)[:, None] - 2 * (places @ others.T)
    similar += np.square(others).sum(axis=1) + 1
    np.maximum(similar, 1, out=similar)  # differences of large squares may round below
    np.reciprocal(similar, out=similar)
    similar[drawn, np.arange(drawn.size)] = 0  # no row repels itself
    total = max(float(similar.sum()), ROUNDING)
    np.square(similar, out=similar)
    sums = similar @ _with_ones(others)
    return np.asarray((sums[:, 2:] * places - sums[:, :2]) / np.float32(total), dtype=np.float32)


def _with_ones(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Append a column of ones, so that one product gives weighted sums and sums of weights."""
    return np.column_stack([places, np.ones(len(places), dtype=np.float32)])
