from ._backend import MatryoshkaBackend
from ._facts import ModelFacts, facts_by_name, name_of
from ._first_layers import count_layers, first_layers, norm_after_layers
from ._hosted_model import HostedModel
from ._lexical_state import pack_view, unpack_view
from ._lexical_view import LexicalView, join_rows
from ._precomputed import PrecomputedBackend
from ._pretrained import with_steps, write_model
from ._principal_rotation import PrincipalRotation
from ._rotation import Rotation
from ._store import EmbeddingStore, embedding_key
from ._truncate import cut_rows, permutation_of, truncate, unit_rows

__all__ = [
    "EmbeddingStore",
    "HostedModel",
    "LexicalView",
    "MatryoshkaBackend",
    "ModelFacts",
    "PrecomputedBackend",
    "PrincipalRotation",
    "Rotation",
    "count_layers",
    "cut_rows",
    "embedding_key",
    "facts_by_name",
    "first_layers",
    "join_rows",
    "name_of",
    "norm_after_layers",
    "pack_view",
    "permutation_of",
    "truncate",
    "unit_rows",
    "unpack_view",
    "with_steps",
    "write_model",
]
