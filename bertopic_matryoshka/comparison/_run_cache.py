"""Finished cells -> a folder and back, so that a run that was killed goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka._files import Contents, read_checked, short_hash, write_checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FORMAT_VERSION = 1


class CellStore:
    """Keeps what was measured, one file a cell, each written at once and as a whole.

    Processes may use the same folder at the same time.

    Parameters
    ----------
    folder : str or Path
        Made at the first cell. Several runs may share it: each reads its own cells only.
    fingerprint : dict
        JSON types: what the cells of a run have in common, such as the documents, the measures
        and the versions. A cell is found only under the fingerprint that it was put under.

    Examples
    --------
    >>> import numpy as np
    >>> from tempfile import mkdtemp
    >>> from bertopic_matryoshka.cell_store import CellStore
    >>> store = CellStore(mkdtemp(), {"documents": "5f2c"})
    >>> store.put({"dim": 64}, {"coherence": 0.25}, {"document_topics": np.array([0, 1, -1])})
    >>> store.get({"dim": 64})
    Contents(record={'coherence': 0.25}, arrays={'document_topics': array([ 0,  1, -1])})
    >>> store.get({"dim": 32})
    """

    def __init__(self, folder: str | Path, fingerprint: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.fingerprint = dict(fingerprint)

    def get(self, key: Mapping[str, Any]) -> Contents | None:
        """Look up a cell.

        Parameters
        ----------
        key : dict
            JSON types: what distinguishes the cell from the run's others.

        Returns
        -------
        contents : Contents or None
            `record` and `arrays` as they were put; None if the cell is not there or damaged.

        Warns
        -----
        DamagedFileWarning
            If its file is truncated, corrupt or of another cell.
        """
        full_key = self._full_key(key)
        return read_checked(self._path(full_key), full_key)

    def put(
        self,
        key: Mapping[str, Any],
        record: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
    ) -> None:
        """Write a cell to disk, in place of an earlier one of the same key.

        Parameters
        ----------
        key : dict
        record : dict
            JSON types; NaN is kept.
        arrays : dict of str to ndarray
            Of bools, ints or floats.

        Raises
        ------
        TypeError
            If `key` or `record` holds something that is not a JSON type, such as a NumPy number.
        """
        full_key = self._full_key(key)
        write_checked(self._path(full_key), full_key, record, arrays)

    def _full_key(self, key: Mapping[str, Any]) -> dict[str, Any]:
        return {"format": FORMAT_VERSION, "fingerprint": self.fingerprint, "cell": dict(key)}

    def _path(self, full_key: dict[str, Any]) -> Path:
        return self.folder / f"{short_hash(full_key)}.cell"
