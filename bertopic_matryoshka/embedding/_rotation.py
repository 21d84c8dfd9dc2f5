"""A backend's rotation: the step that makes every prefix of a model's rows a good one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._validation import list_of_strings, row_blocks
from bertopic_matryoshka.embedding._principal_rotation import PrincipalRotation
from bertopic_matryoshka.embedding._truncate import unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

PROBE = "a text by which to know the model again"
"""Text whose embedding tells models apart."""

SAME_MODEL = 0.95
"""Least cosine of the probe's embeddings by one model; half precision and quantisation change them
by less, and those by two models are nearly orthogonal."""

SMALLEST_WIDTH = 32
"""Smallest width that is offered by default."""

ARRAYS = ("axes", "singular_values", "probe")
"""Attributes that are arrays."""


@dataclass(frozen=True, eq=False)
class Rotation:
    """Axes of a model's embedding space, ordered by how much of the embeddings they hold.

    See :meth:`MatryoshkaBackend.rotated`, which makes it.

    Attributes
    ----------
    axes : ndarray of shape (full_dim, full_dim), float32
        Orthonormal rows, see PrincipalRotation.
    singular_values : ndarray of shape (full_dim,), float64, descending
    probe : ndarray of shape (full_dim,), float32
        Embedding of a fixed text before rotation, by which to tell the model from others.
    rank : int
        Number of axes that the rows determine; the others complete the basis.
    n_rows : int
        Number of rows that it was fitted to.
    """

    axes: NDArray[np.float32]
    singular_values: NDArray[np.float64]
    probe: NDArray[np.float32]
    rank: int
    n_rows: int

    def __post_init__(self) -> None:
        width = len(self.singular_values)
        if self.axes.shape != (width, width) or self.probe.shape != (width,):
            raise ValueError(
                f"axes has shape {self.axes.shape} and probe {self.probe.shape}; they must be "
                f"({width}, {width}) and ({width},), as there are {width} singular values."
            )
        if not np.allclose(self.axes @ self.axes.T, np.eye(width), atol=1e-4):
            raise ValueError("axes are not orthonormal, so they are no rotation.")

    @property
    def full_dim(self) -> int:
        """Width of the rows that it rotates."""
        return len(self.singular_values)

    @property
    def dims(self) -> tuple[int, ...]:
        """The full width, and the powers of two below it from 32 to `rank`, descending."""
        powers = [2**n for n in range(self.full_dim.bit_length())]
        known = [dim for dim in powers if SMALLEST_WIDTH <= dim <= min(self.rank, self.full_dim)]
        return tuple(sorted({self.full_dim, *known}, reverse=True))

    @property
    def key(self) -> str:
        """Digest of the axes, by which embeddings of two rotations are told apart."""
        return hashlib.sha256(np.ascontiguousarray(self.axes).tobytes()).hexdigest()

    def length_kept(self, dim: int) -> float:
        """Share of the rows' squared length in the first `dim` axes, in [0, 1]."""
        squares = np.square(self.singular_values)
        return float(squares[:dim].sum() / squares.sum())

    def apply(self, rows: NDArray[np.floating], dim: int | None = None) -> NDArray[np.float32]:
        """Rotate rows of shape (n_rows, full_dim), and keep the first `dim` dimensions."""
        axes = self.axes[:dim].T
        rotated = np.empty((rows.shape[0], axes.shape[1]), dtype=np.float32)
        for start, block in row_blocks(rows):
            rotated[start : start + block.shape[0]] = block @ axes
        return rotated

    def check_model(self, probe: NDArray[np.float32], name: str) -> None:
        """Check that it is of the model `name`, which gives the probe text this embedding.

        Raises
        ------
        ValueError
            If the model has another width, or embeds the probe elsewhere.
        """
        remedy = "Fit one to this model: backend.rotated(documents)."
        if probe.size != self.full_dim:
            raise ValueError(
                f"The rotation is of a model {self.full_dim} wide, but {name} is {probe.size} "
                f"wide. {remedy}"
            )
        similarity = float(probe @ self.probe)
        if self.probe.any() and similarity < SAME_MODEL:
            raise ValueError(
                f"The rotation is of another model than {name}: the embedding of a fixed text has "
                f"cosine {similarity:.2f} with that of the rotation's model, and must have at "
                f"least {SAME_MODEL}. {remedy}"
            )

    @property
    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """Its arrays by name, for :meth:`from_recipe`."""
        return {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}

    def recipe(self) -> dict[str, Any]:
        """Describe it as JSON types, without its arrays."""
        return {"key": self.key, "rank": self.rank, "n_rows": self.n_rows}

    @classmethod
    def from_recipe(cls, recipe: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Rotation:
        """Build it again from its recipe and its arrays, by name.

        Raises
        ------
        KeyError, TypeError, ValueError
            If they do not fit each other.
        """
        arrays = {name: arrays[name] for name in ARRAYS}
        rotation = cls(**arrays, rank=int(recipe["rank"]), n_rows=int(recipe["n_rows"]))
        if rotation.key != recipe["key"]:
            raise ValueError("axes are not those of the rotation that was saved.")
        return rotation


def fit_rotation(
    data: Any,
    *,
    full_dim: int,
    embed: Callable[[list[str]], NDArray[np.float32]],
    name: str,
    sample_size: int | None,
    random_state: int | None,
) -> Rotation:
    """Make a rotation from documents, embeddings or a fitted transformer.

    Parameters
    ----------
    data : iterable of str, ndarray of shape (n_rows, full_dim), or PrincipalRotation
    full_dim : int
        Width of the model.
    embed : callable
        Embeds texts at full width, as the model gives them.
    name : str
        Name of the model, for messages.
    sample_size, random_state
        See PrincipalRotation.

    Raises
    ------
    TypeError, ValueError
        See MatryoshkaBackend.rotated.
    """
    if isinstance(data, PrincipalRotation):
        fitted = data
    else:
        fitted = PrincipalRotation(sample_size=sample_size, random_state=random_state)
        if getattr(data, "ndim", 1) != 2:
            # Embedding is what takes time, so the sample is drawn first.
            texts = list(dict.fromkeys(list_of_strings(data)))
            if not texts:
                raise ValueError("documents is empty. Give texts like those to be embedded.")
            if sample_size is not None and sample_size < len(texts):
                drawn = np.random.default_rng(random_state).choice(
                    len(texts), sample_size, replace=False
                )
                texts = [texts[i] for i in np.sort(drawn)]
            data = embed(texts)
        elif data.shape[1] != full_dim:
            raise ValueError(_other_width("The embeddings are", data.shape[1], name, full_dim))
        fitted.fit(data)
    if not hasattr(fitted, "components_"):
        raise ValueError("The PrincipalRotation is not fitted. Call fit first.")
    if fitted.n_features_in_ != full_dim:
        raise ValueError(
            _other_width("The rotation was fitted to rows", fitted.n_features_in_, name, full_dim)
        )
    if len(fitted.components_) != full_dim:
        raise ValueError(
            f"The rotation keeps {len(fitted.components_)} of {full_dim} axes, and a backend needs "
            "all. Fit it with n_components=None; backend.truncated(...) cuts."
        )
    return Rotation(
        axes=fitted.components_.astype(np.float32),
        singular_values=fitted.singular_values_,
        probe=unit_rows(embed([PROBE]))[0],
        rank=fitted.rank_,
        n_rows=fitted.n_samples_seen_,
    )


def _other_width(what: str, width: int, name: str, full_dim: int) -> str:
    return (
        f"{what} {width} wide, but {name} is {full_dim} wide. Give documents, or embeddings of "
        "this model at full width: backend.truncated(None).embed(documents)."
    )
