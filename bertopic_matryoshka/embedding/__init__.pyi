from ._backend import MatryoshkaBackend
from ._facts import ModelFacts
from ._store import EmbeddingStore
from ._truncate import cut_rows, truncate, unit_rows

__all__ = [
    "EmbeddingStore",
    "MatryoshkaBackend",
    "ModelFacts",
    "cut_rows",
    "truncate",
    "unit_rows",
]
