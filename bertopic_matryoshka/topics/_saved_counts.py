"""Word counts of a stream -> JSON and arrays, and back, so that a loaded model can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic.vectorizers import OnlineCountVectorizer
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

if TYPE_CHECKING:
    from bertopic_matryoshka.topics._estimator_state import Arrays

COUNTS = "word_counts"
"""Name of the counts in a save."""

OWN_PARAMETERS = ("decay", "delete_min_df")
"""Parameters of OnlineCountVectorizer beside those of CountVectorizer."""

PARTS = ("data", "indices", "indptr")


def pack_counts(vectorizer: Any) -> tuple[dict[str, Any] | None, Arrays]:
    """Split the state of an OnlineCountVectorizer; None for any other, or one without counts.

    Its words and the parameters that it inherits are in BERTopic's own files.
    """
    if type(vectorizer) is not OnlineCountVectorizer or not hasattr(vectorizer, "X_"):
        return None, {}
    counts = csr_matrix(vectorizer.X_)
    state = {name: getattr(vectorizer, name) for name in OWN_PARAMETERS}
    return state, {name: getattr(counts, name) for name in PARTS}


def unpack_counts(
    state: dict[str, Any], arrays: Arrays, loaded: CountVectorizer
) -> OnlineCountVectorizer:
    """Rebuild an OnlineCountVectorizer from the plain one that BERTopic loads.

    Raises
    ------
    KeyError, ValueError
        If an array is missing, or they are no counts of those words.
    """
    parameters = {name: getattr(loaded, name) for name in CountVectorizer().get_params()}
    own = {name: state[name] for name in OWN_PARAMETERS}
    vectorizer = OnlineCountVectorizer(**own, **parameters)
    vectorizer.vocabulary_ = loaded.vocabulary_
    data, indices, indptr = (arrays[name] for name in PARTS)
    shape = (indptr.size - 1, len(loaded.vocabulary_))
    vectorizer.X_ = csr_matrix((data, indices, indptr), shape=shape)
    vectorizer.X_.check_format(full_check=True)
    return vectorizer
