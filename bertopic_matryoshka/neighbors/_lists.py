"""What an approximate search has built for its rows, as arrays that can be kept and saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SearchLists(NamedTuple):
    """Lists of the inverted files that are searched for neighbours.

    Attributes
    ----------
    axes : ndarray of shape (n_dims, n_axes), float32, or None
        Principal axes on which rows were projected before; None if they were not.
    centres : ndarray of shape (n_files, n_lists, n_axes or n_dims), float32
    list_of : ndarray of shape (n_files, n_rows), int32
        List of each row in each file.
    """

    axes: NDArray[np.float32] | None
    centres: NDArray[np.float32]
    list_of: NDArray[np.int32]

    def of(self, rows: NDArray[np.int_]) -> SearchLists:
        """Keep the lists of some of the rows, of shape (n_kept,)."""
        return self._replace(list_of=self.list_of[:, rows])
