"""What computed a result: versions of the libraries, Python and the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from bertopic_matryoshka._validation import find_device

PACKAGES = (
    "bertopic-matryoshka",
    "bertopic",
    "sentence-transformers",
    "torch",
    "scikit-learn",
    "graspologic-native",
    "numpy",
    "umap-learn",
    "hdbscan",
)


def versions(device: str | None = None) -> dict[str, str]:
    """Name the versions of what takes part, the processor's architecture and cores, and the device.

    `device` None is a GPU if there is one.
    """
    import torch

    found = find_device(device)
    return {
        **package_versions(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "device": torch.cuda.get_device_name(found) if found.startswith("cuda") else found,
    }


def package_versions() -> dict[str, str]:
    """Name the versions of the libraries that results depend on."""
    return {package: _version(package) for package in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
