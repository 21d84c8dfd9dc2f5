"""How a model is loaded: checks of the devices, the precision, the backend and its arguments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka._constraints import shown
from bertopic_matryoshka._validation import DEVICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

BACKENDS = ("torch", "onnx", "openvino")
"""Those of sentence-transformers."""

DTYPES = ("float32", "float16", "bfloat16")

# What the backend decides itself, or what would run code that came with a model.
_OWN_MODEL_KWARGS = {
    "dtype": "dtype",
    "torch_dtype": "dtype",
    "revision": "revision",
    "trust_remote_code": "trust_remote_code",
}


def checked_devices(device: str | Sequence[str] | None) -> tuple[str, ...]:
    """List the devices; none leaves the choice to sentence-transformers.

    Raises
    ------
    TypeError, ValueError
        If `device` is neither a string nor a list of some. Whether it is there is found at loading,
        which may happen on another machine.
    """
    if device is None:
        return ()
    devices = device if isinstance(device, (list, tuple)) else (device,)
    if not all(DEVICE.is_kind(name) for name in devices):
        raise TypeError(
            f'device={device!r} must be a string such as "cuda", or a list such as '
            '["cuda:0", "cuda:1"].'
        )
    names = tuple(map(str, devices))  # torch has a type of its own
    if not all(names) or not names:
        raise ValueError(
            f"device={device!r} names no device. Leave it out for the fastest that is there."
        )
    return names


def dtype_name(dtype: str | torch.dtype | None) -> str | None:
    """Return the name of a precision."""
    if dtype is None:
        return None
    name = str(dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise ValueError(
            f"dtype={dtype!r} must be one of {', '.join(DTYPES)}, or None to leave it."
        )
    return name


def checked_backend(backend: str | None, dtype: str | None, *, is_bundled: bool) -> str | None:
    """Check what runs the model; None is torch."""
    if backend is None or backend == "torch":
        return None
    if is_bundled:
        raise ValueError(
            f"backend={backend!r} is for transformers; the bundled model is a table of vectors, "
            "which torch reads faster. Leave it out."
        )
    if dtype is not None:
        raise ValueError(
            f"dtype={dtype!r} is for torch, and backend={backend!r} has the precision of its file. "
            'Leave dtype out, and name the file: model_kwargs={"file_name": ...}.'
        )
    return backend


def checked_n_layers(n_layers: int | None, backend: str | None, *, is_bundled: bool) -> int | None:
    """Check how many layers to keep; the upper bound only once the model is loaded."""
    if n_layers is None:
        return None
    if is_bundled:
        raise ValueError(
            f"n_layers={n_layers} is for transformers; the bundled model is a table of vectors "
            "without layers. Leave it out, or cut its dimensions alone (truncate_dim)."
        )
    if backend is not None:
        raise ValueError(
            f"n_layers={n_layers} is for torch; the layers of backend={backend!r} are compiled. "
            "Save first_layers(model, n_layers), and load that folder."
        )
    return int(n_layers)


def checked_model_kwargs(
    model_kwargs: Mapping[str, Any] | None, *, is_bundled: bool
) -> dict[str, Any]:
    """Check further arguments of loading, which must be JSON types to be saved with a topic model.

    Raises
    ------
    TypeError, ValueError
        If they are not, contradict a parameter of the backend, or the bundled model has no use for
        them.
    """
    given = dict(model_kwargs or {})
    if given and is_bundled:
        raise ValueError(
            f"model_kwargs={shown(given)} is for transformers; the bundled model is a table of "
            "vectors. Leave it out."
        )
    for name, parameter in _OWN_MODEL_KWARGS.items():
        if name in given:
            raise ValueError(f"model_kwargs has {name!r}: use the parameter {parameter} instead.")
    try:
        json.dumps(given)
    except TypeError as error:
        raise TypeError(
            f"model_kwargs={shown(given)} must hold strings, numbers, lists and dicts, which can "
            f"be saved: {error}. Load the SentenceTransformer with it, and pass that."
        ) from error
    return given
