"""Texts -> embeddings cached on disk: each text goes through a model once."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._files import short_hash
from bertopic_matryoshka._validation import check_at_least, list_of_strings
from bertopic_matryoshka.embedding._lexical_view import join_rows, warn_of_unknown_words
from bertopic_matryoshka.embedding._shards import find_rows, shards_in, write_shard
from bertopic_matryoshka.embedding._steps import Steps
from bertopic_matryoshka.embedding._truncate import unit_rows, warn_of_zero_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from bertopic_matryoshka.embedding._backend import MatryoshkaBackend


class EmbeddingStore:
    """Cache of full-width embeddings in a folder, by model, prompt, precision and text.

    A model is identified by its contents (weights, tokenizer, configuration), not by its name:
    a revision with other weights is another model, a moved folder is not. Several processes may use
    the same folder at the same time.

    Parameters
    ----------
    folder : str or Path
        Folder of the cache, created at first use.
    texts_per_shard : int, default=4096
        Number of new texts embedded and written at a time, >= 1; a killed run loses at most these.

    Notes
    -----
    Shards are files of safetensors, one for `texts_per_shard` new texts, in a subfolder for each
    model. Other tools can read them: "rows" has the embeddings, float32, "digests" the first 16
    bytes of each text's SHA-256 in UTF-8, "checksums" a CRC-32 of each row; the metadata has the
    model's name. Only the digests are read of all shards, and the rows that are asked for: of a
    store of 10 GB with rows of 128 dimensions, 4 % and these rows. They are checked as they are
    read. See docs/given-embeddings.md for seconds and memory.

    A text that is in the store always has the same row. Embedding it again may change the last
    bits, since they depend on the other texts in the batch.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from bertopic_matryoshka import MatryoshkaBackend
    >>> from bertopic_matryoshka.embedding import EmbeddingStore
    >>> store = EmbeddingStore(mkdtemp())
    >>> store.embed(MatryoshkaBackend(), ["one document", "another"]).shape
    (2, 256)
    """

    def __init__(self, folder: str | Path, *, texts_per_shard: int = 4096) -> None:
        check_at_least(texts_per_shard, 1, name="texts_per_shard")
        self.folder = Path(folder)
        self.texts_per_shard = texts_per_shard

    def embed(
        self,
        backend: MatryoshkaBackend,
        documents: Iterable[str],
        progress: Callable[[int, int], None] | None = None,
    ) -> NDArray[np.float32]:
        """Embed the documents that are not in the store, and read the others.

        Parameters
        ----------
        backend : MatryoshkaBackend
            Its `truncate_dim` is ignored. Its rotation, permutation and lexical view apply to the
            result, not to what is stored, so that backends that differ only in them share a text's
            row.
        documents : iterable of str
            Repeated documents are embedded once.
        progress : callable or None, default=None
            Called after each shard with the number of texts embedded and the number to embed.

        Returns
        -------
        embeddings : ndarray of shape (n_documents, full_dim), float32, unit rows
            Wider by the lexical view where the backend has one.

        Raises
        ------
        TypeError
            If a document is not a string; the message gives its position.
        ValueError
            If the model's weights cannot be read.
        OSError
            If the disk is full; what was embedded before is in the store.

        Warns
        -----
        DamagedFileWarning
            If a file is truncated or corrupt; it is removed and its texts are embedded again.
        TruncationWarning
            If texts give zero rows, or those that are embedded are cut at the model's window.
        RuntimeWarning
            If texts have no word of the lexical view.
        """
        texts = list_of_strings(documents)
        # A layer norm, if any, is in what is stored.
        steps = Steps(rotation=backend.rotation, permutation_seed=backend.permutation_seed)
        view = backend.lexical_view
        backend = backend._plain()  # noqa: SLF001  (the same package)
        key = embedding_key(backend)
        shards = self.folder / short_hash(key)
        rows = np.empty((len(texts), backend.full_dim), dtype=np.float32)
        digests = _digests(texts)
        distinct, first, places = np.unique(digests, return_index=True, return_inverse=True)
        missing = np.ones(distinct.size, dtype=bool)
        for path in shards_in(shards):
            if not missing.any():
                break
            found = find_rows(path, key, distinct, missing)
            if found is not None:
                rows[first[found.places]] = found.rows
                missing[found.places] = False
        new = np.sort(first[missing])  # in the order of the documents
        backend._warn_of_texts([texts[i] for i in new])  # noqa: SLF001
        for start in range(0, new.size, self.texts_per_shard):
            part = new[start : start + self.texts_per_shard]
            rows[part], _ = backend._embed([texts[i] for i in part], verbose=False)  # noqa: SLF001
            # Older shards come first, and count where two processes embedded the same text.
            path = shards / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.safetensors"
            write_shard(path, key, backend.name, digests[part], rows[part])
            if progress:
                progress(start + part.size, new.size)
        repeated = np.flatnonzero(first[places] != np.arange(len(texts)))
        rows[repeated] = rows[first[places[repeated]]]
        warn_of_zero_rows(np.logical_not(rows.any(axis=1)), rows.shape[1])
        rows = steps.apply(rows)
        if steps.rotation is not None:  # a permutation leaves unit rows as they are
            rows = unit_rows(rows)
        if view is None:
            return rows
        words = view.transform(texts)
        warn_of_unknown_words(words)
        return join_rows(rows, words, view.weight)


def embedding_key(backend: MatryoshkaBackend) -> dict[str, Any]:
    """Return all that a text's full-width embedding depends on, as JSON types; loads the model.

    The lexical view is left out: it is joined after the embedding, and changes nothing of it.
    """
    facts = backend.facts
    encode_kwargs = {**facts.encode_kwargs, **backend.encode_kwargs}
    rotated = {} if backend.rotation is None else {"rotation": backend.rotation.key}
    return {
        "format": 1,  # of this key
        **backend._source.contents(),  # noqa: SLF001  (the same package)
        "full_dim": backend.full_dim,
        "prompt": backend.effective_prompt,
        "before_slicing": facts.before_slicing,
        "encode_kwargs": json.loads(json.dumps(encode_kwargs, default=repr)),
        **rotated,
        **({} if backend.long_texts == "truncate" else {"long_texts": backend.long_texts}),
    }


def _digests(texts: list[str]) -> NDArray[np.bytes_]:
    """Hash texts to 16 bytes each."""
    return np.frombuffer(b"".join(map(_digest, texts)), dtype="S16")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
