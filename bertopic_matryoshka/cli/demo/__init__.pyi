from ._docstrings import load_docstrings

__all__ = [
    "load_docstrings",
]
