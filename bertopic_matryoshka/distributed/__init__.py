"""Batches of documents -> embeddings, topics and word counts, on many machines (extra `ray`)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
