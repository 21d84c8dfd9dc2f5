"""A model's rows -> the rows that are truncated: layer norm, rotation, permutation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bertopic_matryoshka.embedding._truncate import permutation_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bertopic_matryoshka.embedding._rotation import Rotation


@dataclass(frozen=True)
class Steps:
    """What is done to a model's rows before they are truncated, in this order.

    Attributes
    ----------
    layer_norm : bool
        Whether each row is centred and given unit variance, as some models' cards ask.
    rotation : Rotation or None
    permutation_seed : int or None
        Seed of the order of the dimensions.
    """

    layer_norm: bool = False
    rotation: Rotation | None = None
    permutation_seed: int | None = None

    def __bool__(self) -> bool:
        """Whether anything is done, which needs the full width."""
        return self != Steps()

    def apply(self, rows: NDArray[np.floating], dim: int | None = None) -> NDArray[np.floating]:
        """Do them to rows of shape (n_rows, full_dim); at least `dim` dimensions are left."""
        seed = self.permutation_seed
        if self.layer_norm:
            rows = _layer_norm(rows)
        if self.rotation is not None:
            rows = self.rotation.apply(rows, dim if seed is None else None)
        if seed is not None:
            rows = rows[:, permutation_of(rows.shape[1], seed)]
        return rows


def _layer_norm(X: NDArray[np.floating]) -> NDArray[np.floating]:
    """Centre each row and give it unit variance."""
    import torch

    rows = torch.from_numpy(X)
    normed: NDArray[np.floating] = torch.nn.functional.layer_norm(rows, rows.shape[1:]).numpy()
    return normed
