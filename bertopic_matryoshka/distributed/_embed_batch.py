"""A batch of texts -> the same batch with embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.distributed._columns import NAME, TEXT, check_column
from bertopic_matryoshka.embedding import MatryoshkaBackend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

EMBEDDING = "embedding"
"""Name of the column of embeddings."""


class EmbedBatch:
    """Embeds the texts of a batch: for any engine that hands over dicts of arrays.

    Ray Data: ``dataset.map_batches(EmbedBatch, fn_constructor_args=(backend,), concurrency=8)``;
    see docs/scale.md for Spark and Daft. A worker loads the model at its first batch and keeps it.

    Parameters
    ----------
    backend : MatryoshkaBackend, or a model that it takes, default=None
        What reaches a worker is how to load the model, by name or folder, which every worker must
        be able to do. The weights travel only if the model was passed loaded.
    text_column : str, default="text"
        Name of the column of texts.

    See Also
    --------
    AssignTopicsBatch : The step after it.

    Examples
    --------
    >>> import numpy as np
    >>> from bertopic_matryoshka import EmbedBatch, MatryoshkaBackend
    >>> embed = EmbedBatch(MatryoshkaBackend(truncate_dim=64))
    >>> batch = embed({"text": np.array(["one document", "another"]), "id": np.array([7, 8])})
    >>> batch["embedding"].shape, batch["id"]
    ((2, 64), array([7, 8]))
    """

    def __init__(self, backend: Any = None, *, text_column: str = TEXT) -> None:
        NAME.check(text_column, "text_column")
        self.backend = as_backend(backend)
        self.text_column = text_column

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Embed a batch.

        Parameters
        ----------
        batch : mapping of str to array of shape (n_rows,)
            With the column of texts, which are strings.

        Returns
        -------
        batch : dict of str to ndarray
            All columns, and "embedding" of shape (n_rows, embedding_dim), float32, unit rows.

        Raises
        ------
        KeyError
            If the column of texts is missing.
        TypeError
            If a text is not a string.
        """
        texts = check_column(batch, self.text_column, "text_column")
        return {**batch, EMBEDDING: self.backend.embed(texts)}


def as_backend(backend: Any) -> MatryoshkaBackend:
    """Return a backend, or one of the model that it takes."""
    return backend if isinstance(backend, MatryoshkaBackend) else MatryoshkaBackend(backend)
