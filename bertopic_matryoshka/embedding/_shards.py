"""Files of an embedding store: safetensors of which only the rows that are wanted are read."""

from __future__ import annotations

import hashlib
import warnings
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from bertopic_matryoshka._files import canonical_json, read_checked, write_atomically
from bertopic_matryoshka.exceptions import DamagedFileWarning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

OLDER = ".shard"
"""Suffix of the shards of earlier versions, which only this package reads; they still count."""


class Found(NamedTuple):
    """Rows of a shard that are wanted.

    Attributes
    ----------
    places : ndarray of shape (n_found,), int
        Place of each among those wanted.
    rows : ndarray of shape (n_found, full_dim), float32
    """

    places: NDArray[np.intp]
    rows: NDArray[np.float32]


def shards_in(folder: Path) -> list[Path]:
    """List the shards in a folder, the oldest first."""
    return sorted(path for path in folder.glob("*") if path.suffix in {OLDER, ".safetensors"})


def write_shard(
    path: Path,
    key: Mapping[str, Any],
    model: str,
    digests: NDArray[np.bytes_],
    rows: NDArray[np.float32],
) -> None:
    """Write a shard atomically.

    Parameters
    ----------
    path : Path
    key : dict
        What the rows depend on beside their texts, of JSON types.
    model : str
        Name of the model, for other readers.
    digests : ndarray of shape (n_texts,), bytes of length 16
    rows : ndarray of shape (n_texts, full_dim), float32
    """
    arrays: dict[str, NDArray[Any]] = {
        "digests": np.frombuffer(digests.tobytes(), dtype=np.uint8).reshape(-1, 16),
        "checksums": _checksums(rows),
        "rows": np.ascontiguousarray(rows),
    }
    index = _index_digest(key, arrays["digests"], arrays["checksums"])
    write_atomically(path, [save(arrays, {"model": model, "index_sha256": index})])


def find_rows(
    path: Path, key: Mapping[str, Any], wanted: NDArray[np.bytes_], missing: NDArray[np.bool_]
) -> Found | None:
    """Read the rows of a shard that are wanted; a damaged shard is removed and has none.

    Parameters
    ----------
    path : Path
    key : dict
        See write_shard.
    wanted : ndarray of shape (n_wanted,), bytes of length 16, ascending
    missing : ndarray of shape (n_wanted,), bool
        Which of them have no row yet.

    Returns
    -------
    found : Found or None
        None if the shard has none of them.

    Warns
    -----
    DamagedFileWarning
        If the shard is truncated, corrupt, or of another key.
    """
    try:
        if path.suffix != OLDER:
            return _find(path, key, wanted, missing)
        contents = read_checked(path, key)
        if contents is not None:
            hits, places = _hits(contents.arrays["digests"], wanted, missing)
            return Found(places, contents.arrays["rows"][hits])
    except FileNotFoundError:  # another process found it damaged
        return None
    except (SafetensorError, DamagedError):
        warnings.warn(
            f"{path} is damaged and will be computed again.", DamagedFileWarning, stacklevel=3
        )
    path.unlink(missing_ok=True)
    return None


class DamagedError(Exception):
    """A shard does not hold what was written."""


def _find(
    path: Path, key: Mapping[str, Any], wanted: NDArray[np.bytes_], missing: NDArray[np.bool_]
) -> Found | None:
    """Read the index of a shard, and the rows that are wanted."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        if not {"digests", "checksums", "rows"} <= set(file.keys()):
            raise DamagedError
        digests, checksums = file.get_tensor("digests"), file.get_tensor("checksums")
        if metadata.get("index_sha256") != _index_digest(key, digests, checksums):
            raise DamagedError
        hits, places = _hits(digests, wanted, missing)
        if not hits.size:
            return None
        rows = file.get_slice("rows")
        starts = np.flatnonzero(np.diff(hits, prepend=hits[0] - 2) != 1)  # of runs without a gap
        runs = zip(hits[starts], hits[np.append(starts[1:], hits.size) - 1], strict=True)
        found = np.concatenate([rows[int(start) : int(last) + 1] for start, last in runs])
    if (_checksums(found) != checksums[hits]).any():
        raise DamagedError
    return Found(places, found)


def _hits(
    digests: NDArray[np.uint8], wanted: NDArray[np.bytes_], missing: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the rows of a shard that are missing among those wanted, and their places there."""
    stored = np.ascontiguousarray(digests).view("S16")[:, 0]
    places = np.searchsorted(wanted, stored)
    places[places == wanted.size] = 0
    hits = np.flatnonzero((wanted[places] == stored) & missing[places])
    return hits, places[hits]


def _index_digest(
    key: Mapping[str, Any], digests: NDArray[np.uint8], checksums: NDArray[np.uint32]
) -> str:
    digest = hashlib.sha256(canonical_json(key).encode())
    digest.update(digests.tobytes())
    digest.update(checksums.tobytes())
    return digest.hexdigest()


def _checksums(rows: NDArray[np.float32]) -> NDArray[np.uint32]:
    """CRC-32 of each row."""
    rows = np.ascontiguousarray(rows)
    return np.fromiter(map(zlib.crc32, rows), dtype=np.uint32, count=len(rows))
