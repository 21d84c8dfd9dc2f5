"""The demo's corpus: the docstrings of the installed scientific libraries."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
