"""Embeddings -> unit rows on a device, held there or read on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from bertopic_matryoshka._threads import in_threads
from bertopic_matryoshka._validation import embeddings_array, row_blocks
from bertopic_matryoshka.embedding import unit_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

RESIDENT_BYTES = 4 * 2**30
"""Memory that the rows may take on a CPU, in bytes of single precision."""

RESIDENT_SHARE = 0.5
"""Share of a GPU's free memory that the rows may take."""

CHUNK_ROWS = 2**16
"""Number of rows read at a time if they are not held."""


BLOCK_ROWS = 4096
"""Number of rows projected at a time."""


class DeviceRows:
    """Rows of unit length, float32; a zero row stays zero.

    Parameters
    ----------
    embeddings : array-like of shape (n_rows, n_dims)
        Embeddings too large for the device (see `RESIDENT_BYTES`, `RESIDENT_SHARE`) are not held
        but read on demand, such as a memory-mapped file larger than memory.
    device : str
    name : str
        Name of the array in errors.
    chunk_rows : int
        Number of rows read at a time if they are not held.
    """

    def __init__(
        self,
        embeddings: ArrayLike,
        device: str,
        *,
        name: str = "embeddings",
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        self.array = embeddings_array(embeddings, name=name, min_rows=1)
        self.device, self.chunk_rows = device, chunk_rows
        self.n_rows, self.n_dims = self.array.shape
        self.held: torch.Tensor | None = None
        if 4 * self.array.size <= _available(device):
            try:
                self.held = torch.empty(self.array.shape, dtype=torch.float32, device=device)
            except torch.cuda.OutOfMemoryError:  # another process has taken it: rows are read
                return
            for start, block in row_blocks(self.array):
                self.held[start : start + block.shape[0]] = self._unit(block)

    def take(self, indices: torch.Tensor) -> torch.Tensor:
        """Return rows by their indices, of any shape; the result has shape (*shape, n_dims)."""
        if self.held is not None:
            # Of the same rows, four times as fast as held[indices].
            held = self.held.index_select(0, indices.flatten())
            return held.reshape(*indices.shape, self.n_dims)
        flat = indices.flatten().numpy(force=True)
        try:
            _, rows = next(row_blocks(self.array[flat], flat.size))
        except ValueError:
            for _ in self.chunks():  # names the first such row by its position among all
                pass
            raise
        return self._unit(rows).reshape(*indices.shape, self.n_dims)

    def whole(self, axes: torch.Tensor | None = None) -> torch.Tensor:
        """Return all rows, projected on `axes`, of shape (n_dims, dims), if given."""
        if axes is None and self.held is not None:
            return self.held
        dims = self.n_dims if axes is None else axes.shape[1]
        whole = torch.empty((self.n_rows, dims), device=self.device)
        for start, chunk in self.chunks():
            part = whole[start : start + chunk.shape[0]]
            if axes is None:
                part.copy_(chunk)
            else:
                blocks = zip(
                    torch.split(part, BLOCK_ROWS), torch.split(chunk, BLOCK_ROWS), strict=True
                )
                in_threads(lambda block: torch.matmul(block[1], axes, out=block[0]), blocks)
        return whole

    def chunks(self, low: int = 0, high: int | None = None) -> Iterator[tuple[int, torch.Tensor]]:
        """Iterate over rows `low` to `high`; one chunk if they are held.

        Yields
        ------
        start : int
            Position of the chunk's first row, from `low` on.
        chunk : Tensor of shape (<= chunk_rows, n_dims), float32
        """
        if self.held is not None:
            yield 0, self.held[low:high]
            return
        for start, block in row_blocks(self.array[low:high], self.chunk_rows):
            yield start, self._unit(block)

    def _unit(self, block: np.ndarray) -> torch.Tensor:
        if not self.device.startswith("cuda"):
            return torch.from_numpy(unit_rows(block).astype(np.float32, copy=False))
        # A GPU copies faster from pinned memory, and divides faster than a CPU.
        rows = torch.from_numpy(np.require(block, requirements=["C", "W"]))
        return unit_on_device(rows.pin_memory().to(self.device))


def unit_on_device(rows: torch.Tensor) -> torch.Tensor:
    """Divide each row, of float32 or float64, by its length, on its device; see unit_rows."""
    largest = torch.linalg.vector_norm(rows, ord=torch.inf, dim=1, keepdim=True)
    rows = rows / torch.where(largest == 0, 1, largest)  # so that no square is out of range
    length = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return (rows / torch.where(length == 0, 1, length)).float()


def _available(device: str) -> float:
    if device.startswith("cuda"):
        return RESIDENT_SHARE * torch.cuda.mem_get_info(torch.device(device))[0]
    return RESIDENT_BYTES
