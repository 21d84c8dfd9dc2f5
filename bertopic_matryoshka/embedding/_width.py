"""A width that is asked for -> an error if the model is narrower, a warning if it is untrained."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from bertopic_matryoshka._constraints import check_each, whole
from bertopic_matryoshka.exceptions import TruncationWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bertopic_matryoshka.embedding._facts import ModelFacts
    from bertopic_matryoshka.embedding._rotation import Rotation

NO_WIDTH = "Leave it out to keep all dimensions."


def checked_dims(dims: Sequence[int]) -> tuple[int, ...]:
    """Sort the caller's trained widths, descending, each once.

    Raises
    ------
    TypeError, ValueError
        If one of them is not an int, or below 1.
    """
    check_each(dims, whole(1, remedy="Name the widths of the model's training."), "dims")
    return tuple(sorted({int(dim) for dim in dims}, reverse=True))


def warn_of_untrained_width(
    dim: int, full_dim: int, facts: ModelFacts, rotation: Rotation | None, name: str
) -> None:
    """Warn if a model is not known to be good at a width, on behalf of the caller's caller.

    Parameters
    ----------
    dim, full_dim : int
        The width, and that of the model.
    facts : ModelFacts
    rotation : Rotation or None
        The rotation before truncation; it makes all widths good that its rows determine.
    name : str
        Name of the model, for the message.
    """
    dims = facts.dims
    if dim == full_dim or facts.any_width or (dims and dim in dims):
        return
    if rotation is not None:
        if dim > rotation.rank:
            _warn(
                f"truncate_dim={dim} keeps arbitrary axes: the rotation's {rotation.n_rows} rows "
                f"determine only {rotation.rank}. Fit it to more documents, or keep fewer "
                "dimensions."
            )
        return
    trained = (
        f"The widths listed for it are {', '.join(map(str, dims))} ({facts.dims_source})."
        if dims
        else "No trained widths are known for it; name them with dims=[...] if it has any."
    )
    _warn(f"truncate_dim={dim} is not a width that {name} is known to be good at. {trained}")


def _warn(message: str) -> None:
    warnings.warn(message, TruncationWarning, stacklevel=5)
