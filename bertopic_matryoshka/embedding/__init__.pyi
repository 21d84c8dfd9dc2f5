from ._backend import MatryoshkaBackend
from ._facts import ModelFacts
from ._principal_rotation import PrincipalRotation
from ._rotation import Rotation
from ._store import EmbeddingStore, embedding_key
from ._truncate import cut_rows, permutation_of, truncate, unit_rows

__all__ = [
    "EmbeddingStore",
    "MatryoshkaBackend",
    "ModelFacts",
    "PrincipalRotation",
    "Rotation",
    "cut_rows",
    "embedding_key",
    "permutation_of",
    "truncate",
    "unit_rows",
]
