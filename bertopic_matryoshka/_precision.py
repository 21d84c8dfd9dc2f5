"""Products of matrices in the precision of their numbers, whatever the process has allowed."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_inside: dict[str, Any] = {"n": 0, "restore": None}


@contextmanager
def full_precision() -> Iterator[None]:
    """Compute products of float32 matrices in float32, and sum those of float16 in float32.

    A process may have allowed less, for its training: ``torch.set_float32_matmul_precision`` takes
    bfloat16 or TF32, with an error of a hundredth, and autocast half precision. Autocast is off for
    this thread; the other settings are the process's, and come back when the last thread leaves.
    """
    import torch

    with ExitStack() as off:
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                off.enter_context(torch.autocast(device, enabled=False))
        with _lock:
            if not _inside["n"]:
                _inside["restore"] = _set_all()
            _inside["n"] += 1
        try:
            yield
        finally:
            with _lock:
                _inside["n"] -= 1
                if not _inside["n"]:
                    _inside["restore"].close()


def _set_all() -> ExitStack:
    """Set all that lowers the precision, and return what sets it back."""
    import torch

    restore = ExitStack()
    backends: Any = torch.backends
    cublas = backends.cuda.matmul
    settings: list[tuple[Any, str, Any]] = [
        (cublas, "allow_fp16_reduced_precision_reduction", False),
        (cublas, "allow_fp16_accumulation", False),  # from torch 2.7 on
    ]
    if hasattr(cublas, "fp32_precision"):  # from torch 2.9 on
        settings += [(cublas, "fp32_precision", "ieee")]
        settings += [(backends.mkldnn.matmul, "fp32_precision", "ieee")]
    else:
        restore.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
        torch.set_float32_matmul_precision("highest")
    for owner, name, value in settings:
        if hasattr(owner, name):
            restore.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
    return restore
