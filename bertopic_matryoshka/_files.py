"""JSON and arrays -> one file and back: written atomically, and never read if damaged.

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
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from safetensors.numpy import load, save

from bertopic_matryoshka.exceptions import DamagedFileWarning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

LEFTOVER_SECONDS = 3600
"""Age above which a temporary file is from a killed run; a process may still write a newer one."""


class Contents(NamedTuple):
    """Contents of a file.

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
    """Write a file atomically: if the process is killed, no partial file is left under its name.

    Several processes may write the same file at the same time; the last one wins.

    Parameters
    ----------
    path : Path
        Replaced if it exists; its folder is created.
    key : dict
        Identity of the contents, of JSON types; read_checked needs the same.
    record : dict
        JSON types.
    arrays : dict of str to ndarray
        Arrays of bools, ints or floats.

    Raises
    ------
    TypeError
        If `key` or `record` holds something that is not a JSON type.
    """
    header = json.dumps({"key": key, "record": record}).encode() + b"\n"
    tensors = save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    digest = hashlib.sha256(header)
    digest.update(tensors)
    write_atomically(path, [digest.hexdigest().encode(), b"\n", header, tensors])


def write_atomically(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file in a single step, see replacing; its folder is created.

    Parameters
    ----------
    path : Path
    parts : iterable of bytes
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path.parent)
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the name of a temporary file, which takes the place of `path` when it is written.

    Others see what was there before, or all of the new file.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written to; nothing half-written is left.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror or error}. Nothing half-written is left, and what was there before "
            "is whole. Make room, or name another folder",
            str(path),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)  # not there if it took the place


def read_checked(path: Path, key: Mapping[str, Any]) -> Contents | None:
    """Read a file that write_checked wrote for the same key.

    Returns
    -------
    contents : Contents or None
        None if there is no such file, or it is damaged or of another key.

    Warns
    -----
    DamagedFileWarning
        If the file is truncated, corrupt, not written by write_checked, or of another key.
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
    """Serialise a value so that values equal after a round trip through JSON give the same text."""
    return json.dumps(json.loads(json.dumps(value)), sort_keys=True)


def short_hash(value: Any) -> str:
    """Hash a value of JSON types to 16 hexadecimal digits, for file names."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of killed runs."""
    oldest = time.time() - LEFTOVER_SECONDS
    for temporary in folder.glob(".*.tmp"):
        with suppress(FileNotFoundError):  # removed by another process
            if temporary.stat().st_mtime < oldest:
                temporary.unlink()
