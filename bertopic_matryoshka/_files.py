"""JSON and arrays -> one file and back: written whole or not at all, never read when damaged.

A file has three parts: a line with the SHA-256 of all that follows, a line of JSON, and the arrays
as safetensors.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from safetensors.numpy import load, save

from bertopic_matryoshka.exceptions import DamagedFileWarning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

LEFTOVER_SECONDS = 3600
"""Age from which a temporary file is of a killed run: another process may be writing a younger."""


class Contents(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    record : dict
        JSON types; NaN and infinities are kept.
    arrays : dict of str to ndarray
    """

    record: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def write_checked(
    path: Path,
    key: Mapping[str, Any],
    record: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
) -> None:
    """Write a file that is there in full or not at all, whenever the process is killed.

    Processes may write the same file at the same time: the last one counts.

    Parameters
    ----------
    path : Path
        Replaced if it is there; its folder is made.
    key : dict
        What the file is of; read_checked wants the same.
    record : dict
    arrays : dict of str to ndarray
        Of bools, ints or floats.

    Raises
    ------
    TypeError
        If `key` or `record` holds something that is not a JSON type.
    """
    header = json.dumps({"key": key, "record": record}).encode() + b"\n"
    tensors = save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    digest = hashlib.sha256(header)
    digest.update(tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path.parent)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines([digest.hexdigest().encode(), b"\n", header, tensors])
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_checked(path: Path, key: Mapping[str, Any]) -> Contents | None:
    """Read a file that write_checked wrote for the same key.

    Returns
    -------
    contents : Contents or None
        None if there is no such file, or it is damaged.

    Warns
    -----
    DamagedFileWarning
        If the file is truncated, corrupt, of another origin or of another key.
    """
    try:
        digest, _, body = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    if hashlib.sha256(body).hexdigest().encode() == digest:
        header, _, tensors = body.partition(b"\n")
        stored = json.loads(header)
        if canonical_json(stored["key"]) == canonical_json(key):
            return Contents(stored["record"], load(tensors))
    warnings.warn(
        f"{path} is damaged and will be computed again.", DamagedFileWarning, stacklevel=3
    )
    return None


def canonical_json(value: Any) -> str:
    """Give the same text for values that are equal once they were written and read."""
    return json.dumps(json.loads(json.dumps(value)), sort_keys=True)


def short_hash(value: Any) -> str:
    """Give 16 hexadecimal digits for a value of JSON types, to name a file by."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed runs had begun to write."""
    oldest = time.time() - LEFTOVER_SECONDS
    for temporary in folder.glob(".*.tmp"):
        with suppress(FileNotFoundError):  # removed by another process
            if temporary.stat().st_mtime < oldest:
                temporary.unlink()
