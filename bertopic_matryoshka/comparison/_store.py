"""A comparison's folder: stored embeddings and finished runs, for later comparisons."""

from __future__ import annotations

import hashlib
import pickle
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._files import Contents, read_checked, short_hash, write_checked
from bertopic_matryoshka.comparison._hashing import hash_with_code
from bertopic_matryoshka.comparison._provenance import device_name, package_versions
from bertopic_matryoshka.comparison._replicates import SHARE
from bertopic_matryoshka.comparison._topic_models import (
    clone_topic_model,
    described,
    embeds_words,
    parameters_of,
    set_seed,
    set_width,
)
from bertopic_matryoshka.embedding import EmbeddingStore, embedding_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bertopic import BERTopic
    from numpy.typing import NDArray

    from bertopic_matryoshka.comparison._comparison import EmbeddingModel
    from bertopic_matryoshka.comparison._embedding_models import Source
    from bertopic_matryoshka.comparison._scorer import TopicScorer
    from bertopic_matryoshka.comparison._setting import Condition, Setting
    from bertopic_matryoshka.embedding import MatryoshkaBackend

FORMAT_VERSION = 4

NOT_COMPARED = ("embedding_model", "verbose")
"""Parameters of BERTopic that do not change topics, or that other parts of the key cover."""


class RunStore:
    """Stores the results of a comparison; without a folder, stores nothing.

    Each run is one file, written atomically, so that an interrupted comparison resumes where it
    stopped. Several processes and comparisons may use a folder at the same time; each finds the
    runs that it would compute itself.

    Parameters
    ----------
    folder : str, Path or None
        Created when the first result is stored.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self._folder = None if folder is None else Path(folder)

    def __bool__(self) -> bool:
        return self._folder is not None

    def embed(
        self, backend: MatryoshkaBackend, documents: list[str]
    ) -> tuple[NDArray[np.floating], float | None]:
        """Embed the documents that are not stored yet, and read the others.

        Returns
        -------
        embeddings : ndarray of shape (n_documents, full_dim)
        seconds : float or None
            Wall clock of encoding, read from the store if the embeddings are stored; None if they
            are stored without it.
        """
        start = time.perf_counter()
        if self._folder is None:
            rows = backend.embed(documents)
            return rows, time.perf_counter() - start
        new: list[int] = []
        store = EmbeddingStore(self._folder / "embeddings")
        rows = store.embed(backend, documents, progress=lambda done, _: new.append(done))
        seconds = time.perf_counter() - start
        key = {"encoded": fingerprint(rows)}
        known = self.get(key)
        if known is not None:
            return rows, float(known.record["seconds"])
        if not new:
            return rows, None
        self.put(key, {"seconds": seconds}, {})
        return rows, seconds

    def get(self, key: Mapping[str, Any]) -> Contents | None:
        """Look up the contents of a key of JSON types; None if they are missing or damaged.

        Warns
        -----
        DamagedFileWarning
            If the file is truncated, corrupt or belongs to another key.
        """
        if self._folder is None:
            return None
        return read_checked(self._path(key), _full(key))

    def put(
        self, key: Mapping[str, Any], record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> None:
        """Store a record of JSON types and NaN, and arrays; replaces those of the same key."""
        if self._folder is not None:
            write_checked(self._path(key), _full(key), record, arrays)

    def _path(self, key: Mapping[str, Any]) -> Path:
        assert self._folder is not None  # noqa: S101  (get and put ask)
        return self._folder / "runs" / f"{short_hash(_full(key))}.run"


def fingerprint(rows: NDArray[np.floating]) -> str:
    """Hash embeddings."""
    digest = hashlib.sha256(f"{rows.dtype} {rows.shape}".encode())
    digest.update(np.ascontiguousarray(rows).view(np.uint8).data)
    return digest.hexdigest()


def keys_of_topic_models(
    topic_models: Mapping[str, BERTopic],
    sources: Mapping[str, Source],
    backends: Mapping[str, MatryoshkaBackend | None],
    documents: list[str],
    labels: NDArray[Any] | None,
    scorer: TopicScorer,
    seeds: Sequence[int | None],
) -> dict[str, dict[str, Any]]:
    """Keys of the topic models: what their runs depend on besides the setting and embeddings.

    Raises
    ------
    ValueError
        If a part of a topic model cannot be pickled, and so not be hashed.
    """
    common = {
        "versions": package_versions(),
        "python": platform.python_version().rpartition(".")[0],  # bytecode differs between them
        "devices": [device_name(None), device_name(scorer.device)],
        "documents": _hash_of_documents(documents),
        "scorer": [scorer.measure, scorer.top_n, scorer.n_resamples],
        **_hashes_of({"labels": labels}),
    }
    known = {}
    for name, topic_model in topic_models.items():
        alike = clone_topic_model(topic_model)
        if None not in seeds:
            set_seed(alike, 0)  # each run has its own
        set_width(alike, 0)
        backend, given = backends[name], sources[name].given
        words = None
        if backend is not None and given is not None and embeds_words(topic_model):
            words = embedding_key(backend.permuted(None))
        known[name] = {
            **common,
            "topic_model": _hashes_of(
                {k: v for k, v in parameters_of(alike).items() if k not in NOT_COMPARED},
                of=f"topic_models[{name!r}].",
            ),
            "permuted": backend is not None and backend.permutation_seed is not None,
            "embeds": backend is not None,
            "words": words,
        }
        if backend is not None and backend.lexical_view is not None:  # else as in older stores
            known[name] |= _hashes_of({"lexical_view": backend.lexical_view})
    return known


def keys_of_runs(
    settings: Sequence[Setting],
    known: Mapping[str, Mapping[str, Any]],
    conditions: Mapping[str, Condition],
    embedding_models: Mapping[str, EmbeddingModel],
) -> dict[Setting, dict[str, Any]]:
    """Keys of the runs in the store; empty without a store."""
    if not known:
        return {}
    rows = {name: fingerprint(of.embeddings) for name, of in embedding_models.items()}
    return {
        setting: {
            **known[setting.topic_model],
            "rows": rows[conditions[setting.topic_model].embedding_model],
            "dim": setting.dim,
            "seed": setting.seed,
            "part": setting.part,
        }
        for setting in settings
    }


def keys_of_replicates(
    settings: Sequence[Setting],
    known: Mapping[str, Mapping[str, Any]],
    conditions: Mapping[str, Condition],
    embedding_models: Mapping[str, EmbeddingModel],
    n_topics: Mapping[str, int],
) -> dict[Setting, dict[str, Any]]:
    """Keys of the replicates in the store, which do not depend on scorer and labels."""
    return {
        setting: {
            **{name: value for name, value in key.items() if name not in ("scorer", "labels")},
            "share": SHARE,
            "n_topics": n_topics[setting.topic_model],
        }
        for setting, key in keys_of_runs(settings, known, conditions, embedding_models).items()
    }


def _hash_of_documents(documents: list[str]) -> str:
    """Hash documents, including lone surrogates."""
    digest = hashlib.sha256()
    for text in documents:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(f"{len(encoded)} ".encode() + encoded)
    return digest.hexdigest()


def _hashes_of(settings: Mapping[str, Any], *, of: str = "") -> dict[str, str]:
    """Hash each setting's contents."""
    return {name: _hash_of(f"{of}{name}", value) for name, value in settings.items()}


def _hash_of(name: str, value: Any) -> str:
    try:
        return hash_with_code(value)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{name}={described(value):.80} cannot be pickled, so that runs with it cannot be told "
            "from others. Go on without a store, or give what can be pickled."
        ) from error


def _full(key: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": FORMAT_VERSION, **key}
