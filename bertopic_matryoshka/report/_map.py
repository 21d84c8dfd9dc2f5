"""Embeddings -> where a sample of the documents lies on a plane, at several widths alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from bertopic_matryoshka._validation import check_at_least, check_dim
from bertopic_matryoshka.embedding import cut_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

FEWEST = 4
"""Documents that a map needs: fewer leave a perplexity below 1."""

PERPLEXITY = 30
"""About how many neighbours a document has on the map; a third of the others where they are few."""

FIRST_SPREAD = 1e-4
"""Spread of the principal components that the first map starts from, as t-SNE is used to."""

ROUNDING = 1e-6
"""Spread below which rows of unit length are equal."""


class DocumentMap(NamedTuple):
    """Where documents lie on the maps.

    Attributes
    ----------
    rows : ndarray of shape (n_sampled,), int
        Which documents are on the maps, ascending.
    positions : dict of int to ndarray of shape (n_sampled, 2), float32
        Of each width, descending.
    """

    rows: NDArray[np.intp]
    positions: dict[int, NDArray[np.float32]]


def document_map(
    embeddings: ArrayLike,
    dims: Sequence[int],
    *,
    sample_size: int = 2000,
    random_state: int | None = 0,
) -> DocumentMap:
    """Lay documents out on a plane by t-SNE, at each width, so that the maps can be compared.

    The widest map starts from the first two principal components of the full embeddings [2]_, and
    each narrower one from the map before it: what stays together stays about where it is. All go
    through t-SNE's early exaggeration, which lets documents that changed their neighbours move past
    others. Near on a map is near in the embeddings, by cosine; distances between groups say little.

    Parameters
    ----------
    embeddings : array-like of shape (n_documents, full_dim)
        May be memory-mapped. Rows need not have unit length; a zero row is as far from one
        document as from any other.
    dims : sequence of int
        Widths, from 1 to full_dim.
    sample_size : int, default=2000
        Documents, at least 4, drawn at random; all where there are fewer.
    random_state : int or None, default=0
        Seed of the sample.

    Returns
    -------
    document_map : DocumentMap
        The same at every call, however many cores there are.

    Raises
    ------
    TypeError
        If a width or the size of the sample is not an int.
    ValueError
        If there are fewer than four documents, a width is out of range, or a row is not finite.

    References
    ----------
    .. [1] L. van der Maaten, G. Hinton, "Visualizing data using t-SNE", JMLR 9, 2008.
    .. [2] D. Kobak, P. Berens, "The art of using t-SNE for single-cell transcriptomics", Nature
       Communications 10, 2019: on what a map starts from.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka.document_map import document_map
    >>> embeddings = np.random.default_rng(0).normal(size=(40, 16))
    >>> rows, positions = document_map(embeddings, [16, 8])
    >>> positions[8].shape
    (40, 2)
    """
    X = np.asarray(embeddings)
    if X.ndim != 2 or X.shape[0] < FEWEST:
        raise ValueError(
            f"embeddings has shape {X.shape} and must be (n_documents, n_dims) with at least "
            f"{FEWEST} documents."
        )
    check_at_least(sample_size, FEWEST, name="sample_size")
    widths = {check_dim(dim, X.shape[1], of="the embeddings", name="dims") for dim in dims}
    drawn = np.random.default_rng(random_state).permutation(X.shape[0])[:sample_size]
    rows = np.sort(drawn)
    sample = X[rows]
    positions = {}
    # Threads add forces up in any order, and on a busy machine wait for each other at every step.
    with threadpool_limits(1):
        place = _principal_components(cut_rows(sample, X.shape[1])[0])
        for dim in sorted(widths, reverse=True):
            place = _tsne(cut_rows(sample, dim)[0], place)
            positions[dim] = place
    return DocumentMap(rows, positions)


def _principal_components(X: NDArray[np.floating]) -> NDArray[np.float32]:
    """Give the first two principal components, of shape (n_rows, 2) and next to no spread."""
    components = np.zeros((X.shape[0], 2), dtype=np.float32)
    n = min(2, X.shape[1])
    with np.errstate(invalid="ignore"):  # equal rows have no variance that could be explained
        components[:, :n] = PCA(n, random_state=0).fit_transform(X)
    spread = max(components.std(axis=0).max(), ROUNDING)
    components *= FIRST_SPREAD / spread
    return components


def _tsne(X: NDArray[np.floating], start: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay rows of unit length out: their Euclidean distances are in the order of their cosines."""
    tsne = TSNE(init=start, perplexity=min(PERPLEXITY, (X.shape[0] - 1) / 3))
    placed: NDArray[np.float32] = tsne.fit_transform(X)
    return placed
