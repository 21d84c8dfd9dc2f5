"""Texts, pairs or scored pairs -> a model whose prefixes are good (extra train)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
