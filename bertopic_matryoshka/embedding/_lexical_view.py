"""Texts -> a second view of them: the words that they share, beside what embeddings say."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from bertopic_matryoshka._constraints import check_arguments, number, seed, whole, with_methods
from bertopic_matryoshka._validation import check_embeddings, list_of_strings
from bertopic_matryoshka.embedding._truncate import cut_rows, row_lengths, unit_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

NOISE = 1e-5
"""Share of a row's length on the axes below which its direction is rounding error.

A word that never occurs beside the others has loadings of about 1e-7, not of exactly zero.
"""


WEIGHT = number("(0, inf)", remedy="Leave the view out to do without it.")
VECTORIZER = with_methods("a vectorizer, such as TfidfVectorizer()", "fit_transform", none=True)


class LexicalView(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Latent semantic analysis of documents [1]_, to be joined with their embeddings.

    Embeddings say what texts mean. A lexical view adds which words they share: TF-IDF, reduced to a
    few axes by a truncated SVD. Topics that are terms, as in titles and technical texts, are found
    better with both. A backend with a view (:meth:`MatryoshkaBackend.with_view`) gives joined rows
    to any BERTopic: the truncated embedding of unit length, then `weight` times the view's row,
    divided by the length of both.

    Parameters
    ----------
    n_components : int, default=50
        Number of axes, >= 1 and less than the number of documents and of words.
    weight : float, default=0.3
        Length of the view's row beside an embedding of length 1, > 0. Cosines of joined rows are
        ``(embedding + weight**2 * view) / (1 + weight**2)`` of those of both parts: the view counts
        8 % at .3, 20 % at .5 and half at 1.
    vectorizer : vectorizer or None, default=None
        Counts the words: a TfidfVectorizer, CountVectorizer or another transformer of texts into a
        sparse matrix; a clone is fitted. None is ``TfidfVectorizer(min_df=3,
        stop_words="english")``. Other languages need their own stop words, and those that are
        written without spaces a `tokenizer`.
    random_state : int, RandomState or None, default=0
        Seed of the randomised SVD.

    Attributes
    ----------
    vectorizer_ : vectorizer
        Fitted clone of `vectorizer`.
    components_ : ndarray of shape (n_components, n_words), float32
        Axes, largest singular value first. Not centred.

    See Also
    --------
    MatryoshkaBackend.with_view : A backend whose rows have the view.

    Notes
    -----
    Words that are not in the vocabulary of ``fit`` are ignored. A text without a single known word
    has a zero row in the view; joined, it is its embedding alone.

    **Streams.** Fit the view on the first batch, or on a sample, and keep it: its axes define the
    space, and rows of other axes cannot be compared. There is no ``partial_fit``. Words that are
    new in later batches are ignored until a view is fitted anew, along with the topics. Hashing the
    words would not help: an SVD has no loadings for columns that were empty in ``fit``.

    References
    ----------
    .. [1] S. Deerwester, S. T. Dumais, G. W. Furnas, T. K. Landauer, R. Harshman, "Indexing by
       latent semantic analysis", Journal of the American Society for Information Science 41 (6),
       1990.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from bertopic_matryoshka import LexicalView, MatryoshkaBackend
    >>> docs = ["sparse matrix rows", "sparse matrix columns", "spline knots", "a smooth spline"]
    >>> view = LexicalView(2, vectorizer=TfidfVectorizer()).fit(docs)
    >>> view.transform(["sparse", "knots", "unheard of"]).round(2) + 0
    array([[1., 0.],
           [0., 1.],
           [0., 0.]], dtype=float32)
    >>> backend = MatryoshkaBackend(truncate_dim=64).with_view(view)
    >>> backend.embed(docs).shape
    (4, 66)
    """

    def __init__(
        self,
        n_components: int = 50,
        *,
        weight: float = 0.3,
        vectorizer: Any = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_components = n_components
        self.weight = weight
        self.vectorizer = vectorizer
        self.random_state = random_state

    def fit(self, documents: Iterable[str], y: object = None) -> LexicalView:  # noqa: ARG002
        """Learn the vocabulary and the axes.

        Parameters
        ----------
        documents : iterable of str
            A sample of the documents does where they are many.
        y : None
            Ignored.

        Returns
        -------
        self : LexicalView

        Raises
        ------
        TypeError
            If a document is not a string, or a parameter is of the wrong type.
        ValueError
            If a parameter is out of range, no word is left, or documents and words are too few for
            `n_components`.
        """
        check_arguments(
            vars(self),
            n_components=whole(1),
            weight=WEIGHT,
            vectorizer=VECTORIZER,
            random_state=seed(state=True),
        )
        texts = list_of_strings(documents)
        vectorizer = default_vectorizer() if self.vectorizer is None else clone(self.vectorizer)
        try:
            counts = vectorizer.fit_transform(texts)
        except ValueError as error:
            raise ValueError(
                f"The vectorizer finds no words in the {len(texts)} documents, or cannot count "
                f"them: {error} By default a word must be in 3 documents; vectorizer="
                "TfidfVectorizer(...) takes another min_df, stop_words or tokenizer."
            ) from error
        if self.n_components >= min(counts.shape):
            raise ValueError(
                f"n_components={self.n_components} must be less than the number of documents, "
                f"{counts.shape[0]}, and of words, {counts.shape[1]}. Ask for fewer, or give more "
                "documents."
            )
        svd = TruncatedSVD(self.n_components, random_state=self.random_state)
        rank = int((svd.fit(counts).singular_values_ > NOISE * svd.singular_values_[0]).sum())
        if rank < self.n_components:
            raise ValueError(
                f"n_components={self.n_components} is more than the {rank} independent axes of "
                f"these documents, many of which have the same words. Ask for at most {rank}."
            )
        self.vectorizer_ = vectorizer
        self.components_ = svd.components_.astype(np.float32, copy=False)
        return self

    def transform(self, documents: Iterable[str]) -> NDArray[np.float32]:
        """Place texts, documents and words alike, on the axes.

        Parameters
        ----------
        documents : iterable of str

        Returns
        -------
        rows : ndarray of shape (n_documents, n_components), float32
            Unit rows; zero for a text without a known word.

        Raises
        ------
        NotFittedError
            If the view is not fitted.
        TypeError
            If a document is not a string.
        """
        check_is_fitted(self)
        texts = list_of_strings(documents)
        if not texts:
            return np.zeros((0, len(self.components_)), dtype=np.float32)
        counts = self.vectorizer_.transform(texts)
        rows = np.asarray(counts @ self.components_.T, dtype=np.float32)
        lengths = row_lengths(rows)
        totals = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1), dtype=float)).ravel()
        known = lengths > NOISE * totals
        rows[~known] = 0
        return unit_rows(rows, np.where(known, lengths, 0))

    def join(self, embeddings: ArrayLike, documents: Iterable[str]) -> NDArray[np.floating]:
        """Join embeddings that are there with the view of their documents.

        A backend that has the view gives the same rows.

        Parameters
        ----------
        embeddings : array-like of shape (n_documents, n_dims)
            Of any model, truncated before; rows need not have unit length.
        documents : iterable of str
            Their texts, in the same order.

        Returns
        -------
        joined : ndarray of shape (n_documents, n_dims + n_components), unit rows
            float64 for float64, else float32. Never a change of `embeddings`.

        Raises
        ------
        NotFittedError
            If the view is not fitted.
        TypeError
            If a document is not a string.
        ValueError
            If there is not one row for each document, or a row is not finite.

        Warns
        -----
        RuntimeWarning
            If texts have no known word. The message counts them.
        """
        texts = list_of_strings(documents)
        rows = self.transform(texts)
        warn_of_unknown_words(rows)
        return join_rows(check_embeddings(embeddings, len(texts)), rows, self.weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def default_vectorizer() -> TfidfVectorizer:
    """Build the vectorizer of a view that names none."""
    return TfidfVectorizer(min_df=3, stop_words="english", dtype=np.float32)


def join_rows(
    embeddings: NDArray[np.floating], view: NDArray[np.float32], weight: float
) -> NDArray[np.floating]:
    """Join rows, and give them unit length; see LexicalView.join."""
    width = embeddings.shape[1]
    unit, _ = cut_rows(embeddings, width)
    joined = np.empty((len(unit), width + view.shape[1]), dtype=unit.dtype)
    joined[:, :width] = unit
    joined[:, width:] = weight * view
    return unit_rows(joined)


def warn_of_unknown_words(view: NDArray[np.floating]) -> None:
    """Warn if texts have no known word, on behalf of the caller's caller."""
    n_unknown = int((~view.any(axis=1)).sum())
    if n_unknown:
        warnings.warn(
            f"{n_unknown} of {len(view)} texts have no word of the lexical view, and are compared "
            "by their embeddings alone. Are they in another language, or of another subject, than "
            "the documents that the view was fitted on?",
            RuntimeWarning,
            stacklevel=3,
        )
