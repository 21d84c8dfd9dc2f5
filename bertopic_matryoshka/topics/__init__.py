"""Backend, selection and clustering -> a BERTopic; saved, loaded and tabulated."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
