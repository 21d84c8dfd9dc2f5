"""The files of a folder -> replaced atomically, and read as one save left them.

A save writes into a subfolder. It is committed by one rename, in which its manifest replaces the
older one. Only then are its files linked to their places in the folder, where ``BERTopic.load``
looks for them; until that is done, the manifest's own subfolder is read instead. So a killed save
leaves the older files or the new ones, and no reader needs a lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from filelock import FileLock

from bertopic_matryoshka._files import canonical_json
from bertopic_matryoshka.exceptions import SavedModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Result = TypeVar("Result")

MANIFEST = "matryoshka.json"
LOCK = ".matryoshka.lock"
REPLACED = ".matryoshka-replaced"
WORK = ".matryoshka-"
"""Prefix of the names of a save's own subfolders."""

LOCK_SECONDS = 600
RETRY_SECONDS = 60
REMEDY = "Copy the folder again from where it is whole, or save the topic model again."


class Version(NamedTuple):
    """The version of a save that a reader found.

    Attributes
    ----------
    file : Path
        The manifest.
    text : bytes
        Contents of the manifest.
    stamp : tuple of int
        Its inode and time: another save of the same model is another version.
    content : Path
        Where the files are: the folder, or the subfolder of a save that has not put them there.
    """

    file: Path
    text: bytes
    stamp: tuple[int, int]
    content: Path


def replace_files(
    path: Path,
    values: dict[str, Any],
    write: Callable[[Path], None],
    *,
    replaced: Callable[[Path], Collection[str]],
    last: str,
) -> None:
    """Replace the files of an older save in a folder, all or none.

    One process at a time saves to a folder; others wait for it. What a killed save left is removed
    by the next one.

    Parameters
    ----------
    path : Path
        The folder, or a link to it; created if it does not exist. Its other files stay as they are.
    values : dict
        JSON types, kept in the manifest beside the files' digests.
    write : callable
        Writes the files into the folder that it is given.
    replaced : callable
        Names the files and subfolders of an older save in the folder that it is given.
    last : str
        The file that is absent while the others are put in their places, so that a reader
        without the manifest fails and reads no mixture.

    Raises
    ------
    NotADirectoryError
        If `path` is a file.
    FileExistsError
        If a subfolder would be replaced that is not of an older save.
    TimeoutError
        If another process is saving to the folder for longer than LOCK_SECONDS.
    OSError
        If the disk is full or the folder cannot be written to; the older files stay.
    """
    folder = Path(os.path.realpath(path))
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{path} is a file and must be a folder. Give another path.")
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=LOCK_SECONDS):
            unfinished = _remove_leftovers(folder)
            if unfinished is not None:
                _publish(unfinished, folder, last)
            _publish(_commit(folder, values, write, replaced(folder)), folder, last)
    except BaseException:
        if is_new and not (folder / MANIFEST).exists():
            with suppress(OSError):  # another save may have begun
                (folder / LOCK).unlink()
                folder.rmdir()
        raise


def read_files(folder: Path, build: Callable[[Version], Result]) -> Result:
    """Read what one save left, whatever other processes save meanwhile.

    Parameters
    ----------
    folder : Path
    build : callable
        Makes the result from a version. Called again if a save took the version's place.

    Returns
    -------
    result : what `build` returned

    Raises
    ------
    FileNotFoundError
        If there is no manifest.
    SavedModelError
        If saves follow each other faster than `build` reads, for RETRY_SECONDS.
    """
    until = time.monotonic() + RETRY_SECONDS
    while time.monotonic() < until:
        version = _version(folder)
        try:
            result = build(version)
        except Exception:
            if _version(folder) == version:
                raise
        else:
            if _version(folder) == version:
                return result
    raise SavedModelError(
        f"{folder} was replaced again and again for {RETRY_SECONDS} s while it was read. "
        "Load it when fewer processes save to it."
    )


def signed(values: dict[str, Any]) -> dict[str, Any]:
    """Put the digest of the values before them."""
    return {"sha256": hashlib.sha256(canonical_json(values).encode()).hexdigest(), **values}


def check_digests(version: Version, values: dict[str, Any], names: Collection[str]) -> None:
    """Check that manifest and files are what a save wrote, byte by byte.

    Parameters
    ----------
    version : Version
    values : dict
        Contents of its manifest.
    names : collection of str
        Files and subfolders that are read, and so may hold nothing that is not of the save.

    Raises
    ------
    SavedModelError
        If a file is damaged, missing, or not part of the save; the message names it.
    """
    content, files = version.content, values["files"]
    if signed({name: v for name, v in values.items() if name != "sha256"}) != values:
        raise SavedModelError(f"{version.file} is damaged: its digest is another. {REMEDY}")
    for name in files:
        if not _is_inside(name):
            raise SavedModelError(
                f"{version.file}, files, names {name!r}, not in the folder. {REMEDY}"
            )
    found = set(_files_of(content, {*names, *(name.partition("/")[0] for name in files)}))
    for name in sorted(found - set(files)):
        raise SavedModelError(f"{content / name} is not part of the save. Remove it. {REMEDY}")
    for name, digest in files.items():
        if name not in found:
            raise SavedModelError(f"{content / name} is missing. {REMEDY}")
        if _digest(content / name) != digest:
            raise SavedModelError(f"{content / name} is damaged: its digest is another. {REMEDY}")


def _version(folder: Path) -> Version:
    file = folder / MANIFEST
    with file.open("rb") as opened:
        text, stat = opened.read(), os.fstat(opened.fileno())
    subfolder = _committed(folder, text)
    content = subfolder if subfolder is not None and subfolder.is_dir() else folder
    return Version(file, text, (stat.st_ino, stat.st_mtime_ns), content)


def _committed(folder: Path, manifest: bytes) -> Path | None:
    """Name the subfolder of the save that wrote a manifest; None where it has no digest."""
    try:
        digest = json.loads(manifest)["sha256"]
    except (ValueError, KeyError, TypeError):
        return None
    return folder / f"{WORK}{str(digest)[:16]}" if str(digest).isalnum() else None


def _commit(
    folder: Path,
    values: dict[str, Any],
    write: Callable[[Path], None],
    replaced: Collection[str],
) -> Path:
    """Write all files into a subfolder, then let its manifest take the older one's place."""
    draft = folder / f"{WORK}draft"
    draft.mkdir()
    try:
        write(draft)
        written = sorted(entry.name for entry in draft.iterdir())
        _check_places(folder, set(written) - set(replaced))
        files = {name: _digest(draft / name) for name in _files_of(draft, written)}
        manifest = json.dumps(signed({**values, "files": files}), indent=2)
        (draft / MANIFEST).write_text(manifest, "utf-8")
        (draft / REPLACED).write_text(json.dumps(sorted(replaced)), "utf-8")
        for name in files:  # safetensors lets nobody else read what it writes
            (draft / name).chmod((draft / MANIFEST).stat().st_mode)
        _sync_tree(draft)
        committed = _committed(folder, manifest.encode())
        assert committed is not None  # noqa: S101  (it has a digest)
        draft.rename(committed)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync(folder)
    (committed / MANIFEST).replace(folder / MANIFEST)
    _sync(folder)
    return committed


def _check_places(folder: Path, names: Collection[str]) -> None:
    for name in names:
        if (folder / name).exists():
            raise FileExistsError(
                f"{folder / name} is not of a saved topic model, and a new one needs its place. "
                "Move it, or give the topic model a folder of its own."
            )


def _publish(committed: Path, folder: Path, last: str) -> None:
    """Put the files of a save in their places, and remove its subfolder."""
    links, old = folder / f"{WORK}links", folder / f"{WORK}old"
    replaced = json.loads((committed / REPLACED).read_text("utf-8"))
    hidden = shutil.ignore_patterns(MANIFEST, REPLACED)
    shutil.copytree(committed, links, copy_function=_link, ignore=hidden)
    old.mkdir()
    new = sorted((entry.name for entry in links.iterdir()), key=lambda name: name == last)
    # Nothing is removed between here and the last rename: that takes longer than all of them.
    for name in [last, *filter(_is_inside, replaced), *new]:
        with suppress(FileNotFoundError):
            (folder / name).rename(old / name)
    for name in new:
        (links / name).rename(folder / name)
    _sync(folder)
    committed.rename(old / "committed")  # readers find it whole or not at all
    _remove_leftovers(folder)


def _remove_leftovers(folder: Path) -> Path | None:
    """Remove what killed saves left; give the one that counts and whose files are not in place."""
    manifest = folder / MANIFEST
    unfinished = _committed(folder, manifest.read_bytes()) if manifest.is_file() else None
    for leftover in folder.glob(f"{WORK}*"):
        if leftover != unfinished and leftover.is_dir():
            shutil.rmtree(leftover)
    return unfinished if unfinished is not None and unfinished.is_dir() else None


def _files_of(content: Path, owned: Collection[str]) -> list[str]:
    """List the files of those names, and of the subfolders of those names."""
    files = []
    for name in sorted(owned):
        place = content / name
        inside = sorted(place.rglob("*")) if place.is_dir() else [place]
        files += [file.relative_to(content).as_posix() for file in inside if file.is_file()]
    return files


def _is_inside(name: str) -> bool:
    """Tell whether a name that was read from a file stays in the folder."""
    path = Path(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def _link(source: str, target: str) -> None:
    """Give a file a second name, or a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        _sync(Path(target))


def _sync_tree(folder: Path) -> None:
    for entry in folder.rglob("*"):
        _sync(entry)
    _sync(folder)


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
