"""What computed a result: versions of the libraries, Python and the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "bertopic-matryoshka",
    "bertopic",
    "sentence-transformers",
    "torch",
    "scikit-learn",
    "numpy",
    "umap-learn",
    "hdbscan",
)


def versions() -> dict[str, str]:
    """Name the versions of what takes part, and the processor's architecture and cores."""
    return {
        **{package: _version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
