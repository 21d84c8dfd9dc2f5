from ._documents import Documents, clean_documents
from ._embeddings import read_embeddings
from ._readers import read_documents

__all__ = [
    "Documents",
    "clean_documents",
    "read_documents",
    "read_embeddings",
]
