"""BERTopic on Matryoshka embeddings: truncate, select dimensions, compare coherence.

documents -> embeddings -> truncated -> selected -> clustered -> topics -> report
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
