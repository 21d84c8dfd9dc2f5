"""The folder of a distributed fit, which belongs to one run, and from which that run goes on."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from bertopic_matryoshka._files import canonical_json
from bertopic_matryoshka.distributed._partitions import TEMPORARY, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LOCK = ".lock"
COPY = ".texts-"
"""Prefix of a folder into which the documents of a Ray Dataset are being written."""


class RunFolder:
    """Where the files of each step are.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    texts, embeddings, sample, topics, words, vocabulary : Path
        Folders of Parquet files, one for each partition, and of the vocabulary for each bucket of
        words. `texts` has the documents of a Ray Dataset, `sample` those that may be sampled.
    sampled : Path
        Table of the documents of the sample and the topics that the fit gave them.
    sample_model, topic_model : Path
        Folders of the model that was fitted to the sample, and of the one that counts all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.texts = path / "texts"
        self.embeddings = path / "embeddings"
        self.sample = path / "sample"
        self.topics = path / "topics"
        self.words = path / "words"
        self.vocabulary = path / "vocabulary"
        self.sample_model = path / "sample_model"
        self.topic_model = path / "topic_model"
        self.sampled = path / "sample.parquet"
        self.record = path / "run.json"

    def check_free(self) -> None:
        """Check that the folder is new, empty, or a run's.

        Raises
        ------
        FileExistsError
            If it holds files that are not a run's.
        """
        if self.record.is_file() or not self.path.exists():
            return
        others = [p.name for p in self.path.iterdir()] if self.path.is_dir() else [self.path.name]
        if any(not name.startswith((LOCK, COPY)) for name in others):
            raise FileExistsError(
                f"out={self.path} has files in it. Name a new or an empty folder, or that of the "
                "run to go on with."
            )

    def claim(self, run: Mapping[str, Any]) -> None:
        """Make the folder this run's, or check that it is.

        Parameters
        ----------
        run : dict
            What makes the run what it is, of JSON types.

        Raises
        ------
        FileExistsError
            If it is another run's; the message says what differs.
        """
        if not self.record.is_file():
            with written(self.record) as temporary:
                temporary.write_text(canonical_json(run), "utf-8")
            return
        other = json.loads(self.record.read_text("utf-8"))
        now = json.loads(canonical_json(run))
        changed = sorted(key for key in now if other.get(key) != now[key])
        if changed:
            raise FileExistsError(
                f"out={self.path} holds another run: its {', '.join(changed)} "
                f"{'was' if len(changed) == 1 else 'were'} different. Name another folder, or "
                "delete this one to start anew."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder to this process, and remove what killed workers left half-written.

        Raises
        ------
        FileExistsError
            If another process works in it.
        """
        was_there = self.path.exists()
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise FileExistsError(
                f"out={self.path} is in use by another process, which has locked "
                f"{self.path / LOCK}. Wait for it, or name another folder."
            ) from error
        try:
            for leftover in self.path.rglob(f".*{TEMPORARY}"):
                leftover.unlink(missing_ok=True)
            for leftover in self.path.glob(f"{COPY}*"):
                shutil.rmtree(leftover)
            yield
        finally:
            # A run that was refused before it began leaves nothing.
            if not self.record.exists() and {p.name for p in self.path.iterdir()} == {LOCK}:
                (self.path / LOCK).unlink()
                if not was_there:
                    self.path.rmdir()
            lock.release()
