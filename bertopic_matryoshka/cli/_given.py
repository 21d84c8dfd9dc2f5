"""Embeddings that a file holds already: read, checked against a model, and cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic_matryoshka.cli._options import make_backend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bertopic_matryoshka.documents import Documents
    from bertopic_matryoshka.embedding import MatryoshkaBackend

UNIT_ERROR = 1e-3
N_PROBES, LEAST_COSINE = 16, 0.9
"""How many documents are embedded again, and the mean cosine that shows the same space."""


def read_given(
    file: Path, documents: Documents | None, embeddings: Path | None, column: str | None
) -> NDArray[Any] | None:
    """Read what --embeddings or --embedding-column names; None if neither is given.

    Parameters
    ----------
    file : Path
        The file of the documents, which may have a column of embeddings.
    documents : Documents or None
        Its documents; None reads all rows.
    embeddings : Path or None
    column : str or None
    """
    if embeddings is None and column is None:
        return None
    if embeddings is not None and not embeddings.name.lower().endswith(".npy"):
        if column is None:
            raise ValueError(
                f"--embeddings={embeddings} is no .npy file. Name its column of vectors by "
                "--embedding-column too."
            )
    elif embeddings is not None and column is not None:
        raise ValueError("--embedding-column is not for a .npy file. Leave one of them out.")
    elif column is not None and file.name.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
        raise ValueError(
            f"--embedding-column={column} cannot be read from {file.name}: its cells are text. "
            "Use Parquet or JSON Lines, or --embeddings with a .npy file."
        )
    from bertopic_matryoshka.documents import read_embeddings

    return read_embeddings(embeddings or file, column=column, documents=documents)


def backend_of(
    given: NDArray[Any] | None,
    documents: Documents | None,
    *,
    model: str | None,
    prompt: str | None,
    device: str | None,
    dim: int | None = None,
) -> MatryoshkaBackend:
    """Build the backend that --model names; without it, one that holds the embeddings' place.

    Raises
    ------
    ValueError
        If the embeddings cannot be those of the model.
    """
    if given is None:
        return make_backend(model, prompt, device).truncated(dim)
    from bertopic_matryoshka.embedding import MatryoshkaBackend, PrecomputedBackend

    width = given.shape[1]
    if model is None:
        if prompt is not None:
            raise ValueError("--prompt is put before texts that are embedded. Leave it out.")
        return MatryoshkaBackend(PrecomputedBackend(width)).truncated(dim)
    backend = make_backend(model, prompt, device).truncated(dim)
    if width not in (backend.full_dim, dim):
        raise ValueError(
            f"The embeddings are {width} wide, but {model} gives {backend.full_dim}. Name the "
            f"model that made them; leave --model out; or add --dim {width}, if they are the "
            "first dimensions of its."
        )
    if documents is not None:
        _check_space(given, documents.texts, backend)
    return backend


def embeddings_of(
    backend: MatryoshkaBackend,
    texts: Sequence[str],
    given: NDArray[Any] | None,
    *,
    width: int | None = None,
    verbose: bool = False,
) -> NDArray[Any]:
    """Embed texts, or cut their embeddings as the backend would.

    Parameters
    ----------
    backend : MatryoshkaBackend
    texts : sequence of str
    given : ndarray of shape (n_texts, n_dims) or None
    width : int or None, default=None
        Width of the backend's embeddings, where it is known without its model.
    verbose : bool, default=False
    """
    if given is None:
        return backend.embed(texts, verbose=verbose)
    if backend.rotation is not None or backend.lexical_view is not None:
        raise ValueError(
            "The embeddings would lack the rotation or the lexical view of the model's backend. "
            "Leave --embeddings and --embedding-column out."
        )
    width = width or backend.embedding_dim
    if given.shape[1] != width and given.shape[1] != backend.full_dim:  # which loads the model
        raise ValueError(
            f"The embeddings are {given.shape[1]} wide, but the topic model was fitted on {width}. "
            "Give those of the same model."
        )
    if given.shape[1] == width and _are_unit_rows(given):
        return given  # no copy of a memory-mapped file
    from bertopic_matryoshka.embedding import truncate

    return truncate(given, width)


def _are_unit_rows(given: NDArray[Any]) -> bool:
    """Whether rows are float32, and of unit length but for rounding in half precision."""
    import numpy as np

    from bertopic_matryoshka._validation import row_blocks

    return given.dtype == np.float32 and all(
        np.abs(np.linalg.norm(block, axis=1) - 1).max() < UNIT_ERROR
        for _, block in row_blocks(given)
    )


def _check_space(given: NDArray[Any], texts: Sequence[str], backend: MatryoshkaBackend) -> None:
    """Check by some documents that the model made the embeddings."""
    import numpy as np

    from bertopic_matryoshka.embedding import truncate

    rows = np.unique(np.linspace(0, len(texts) - 1, N_PROBES).astype(int))
    probes = backend.truncated(given.shape[1]).embed([texts[row] for row in rows])
    cosine = float((probes * truncate(given[rows], given.shape[1])).sum(axis=1).mean())
    if cosine < LEAST_COSINE:
        raise ValueError(
            f"The embeddings are not those of {backend.name}: of {rows.size} documents that it "
            f"embedded again the mean cosine is {cosine:.2f}. Words and new texts would lie in "
            "another space. Name the model that made them, or its --prompt, or leave --model out."
        )
