"""What computed a result: versions of the libraries, Python and the machine."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bertopic_matryoshka._validation import find_device

PACKAGES = (
    "bertopic-matryoshka",
    "bertopic",
    "sentence-transformers",
    "torch",
    "scikit-learn",
    "graspologic-native",
    "numpy",
    "scipy",
    "umap-learn",
    "hdbscan",
    "pynndescent",
    "numba",
    "cugraph-cu12",
)


def versions(device: str | None = None) -> dict[str, str]:
    """Name the versions of what takes part, the processor's architecture and cores, and the device.

    `device` None is a GPU if there is one.
    """
    return {
        **package_versions(),
        "python": platform.python_version(),
        "machine": machine_name(),
        "device": device_name(device),
    }


def device_name(device: str | None) -> str:
    """Name the device, "cpu" or a GPU's name. `device` None is a GPU if there is one."""
    import torch

    found = find_device(device)
    return torch.cuda.get_device_name(found) if found.startswith("cuda") else found


@cache
def machine_name() -> str:
    """Name the processor and its number of cores, by which seconds are told apart."""
    info = Path("/proc/cpuinfo")  # elsewhere, or without it, the architecture has to do
    lines = info.read_text("utf-8", "replace").splitlines() if info.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or "unknown processor"
    return f"{platform.machine()}, {processor}, {os.cpu_count()} cores"


def package_versions() -> dict[str, str]:
    """Name the versions of the libraries that results depend on."""
    return {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
