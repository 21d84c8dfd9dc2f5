"""A comparison's folder: embeddings and finished cells that a later run need not compute again."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from bertopic_matryoshka.comparison._run_cache import CellStore
from bertopic_matryoshka.embedding import EmbeddingStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bertopic_matryoshka._files import Contents
    from bertopic_matryoshka.embedding import MatryoshkaBackend


class RunStore:
    """Keeps what a comparison computed, or nothing without a folder.

    Parameters
    ----------
    folder : str, Path or None
    documents : list of str
    settings : dict
        What else the cells depend on.

    Raises
    ------
    ValueError
        If a setting cannot be pickled, and so not be told from another.
    """

    def __init__(
        self, folder: str | Path | None, documents: list[str], settings: Mapping[str, Any]
    ) -> None:
        self._fingerprints: dict[str, str] = {}
        self._embeddings = self._cells = self._encodings = None
        if folder is not None:
            common = {"documents": _hash_of(documents), **_hashes(settings)}
            self._embeddings = EmbeddingStore(Path(folder) / "embeddings")
            self._cells = CellStore(Path(folder) / "cells", common)
            self._encodings = CellStore(Path(folder) / "cells", {})  # whatever the settings

    def embed(self, backend: MatryoshkaBackend, documents: list[str]) -> NDArray[np.floating]:
        """Embed documents, those alone that are not kept yet."""
        if self._embeddings is None:
            return backend.embed(documents)
        return self._embeddings.embed(backend, documents)

    def know(self, model: str, rows: NDArray[np.floating]) -> None:
        """Take note of a model's embeddings: its cells are found by them."""
        if self._cells is not None:
            contiguous = np.ascontiguousarray(rows)
            digest = hashlib.sha256(f"{rows.dtype} {rows.shape}".encode())
            digest.update(contiguous.view(np.uint8).data)
            self._fingerprints[model] = digest.hexdigest()

    def fingerprint(self, model: str) -> str:
        """Tell a model's embeddings from others."""
        return self._fingerprints.get(model, "")

    def seconds(self, model: str, taken: float) -> float:
        """Give what encoding took in the run that encoded, where the embeddings were kept."""
        if self._encodings is None:
            return taken
        key = {"encoded": self.fingerprint(model)}
        contents = self._encodings.get(key)
        if contents is None:
            self._encodings.put(key, {"seconds": taken}, {})
            return taken
        return float(contents.record["seconds"])

    def get(self, key: Mapping[str, Any]) -> Contents | None:
        """Look up a finished cell."""
        return None if self._cells is None else self._cells.get(key)

    def put(
        self, key: Mapping[str, Any], record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> None:
        """Keep a finished cell."""
        if self._cells is not None:
            self._cells.put(key, record, arrays)


def _hashes(settings: Mapping[str, Any]) -> dict[str, str]:
    return {name: _hash_of_setting(name, value) for name, value in settings.items()}


def _hash_of_setting(name: str, value: Any) -> str:
    try:
        return str(joblib.hash(value))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{name}={value!r:.80} cannot be pickled, so that cells with it cannot be told from "
            "others. Go on without a store, or give what can be pickled."
        ) from error


def _hash_of(documents: list[str]) -> str:
    digest = hashlib.sha256()
    for text in documents:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(f"{len(encoded)} ".encode() + encoded)
    return digest.hexdigest()
