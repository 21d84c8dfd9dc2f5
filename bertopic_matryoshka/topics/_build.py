"""A backend, a reduction and a clustering -> a BERTopic, not fitted yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertopic.dimensionality import BaseDimensionalityReduction
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka._constraints import check_arguments, choice, flag, seed, whole
from bertopic_matryoshka.clustering import LeidenClustering
from bertopic_matryoshka.embedding import MatryoshkaBackend, PrincipalRotation
from bertopic_matryoshka.selection import DimensionSelector, check_selector
from bertopic_matryoshka.topics._core import CoreWords
from bertopic_matryoshka.topics._expect_width import ExpectWidth
from bertopic_matryoshka.topics._ignored import refuse_ignored
from bertopic_matryoshka.topics._missing_hdbscan import warn_of_missing_hdbscan
from bertopic_matryoshka.topics._model import MatryoshkaBERTopic
from bertopic_matryoshka.topics._stop_words import check_stop_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from sentence_transformers import SentenceTransformer

    from bertopic_matryoshka.selection import Criterion

REDUCTIONS = ("variance", "rotation", "pca", "umap", "none")
"""Reductions between the embeddings and the clustering."""

CLUSTERINGS = ("leiden", "hdbscan")
"""Clusterings that find the topics."""

N_COMPONENTS = 5
"""Dimensions after PCA and UMAP, BERTopic's own default."""

N_AXES = 32
"""Dimensions after rotation, of which fewer lose neighbours (docs/measurements/rotation.md)."""


def build_topic_model(
    backend: MatryoshkaBackend | SentenceTransformer | str | Path | None = None,
    *,
    reduction: str = "variance",
    clustering: str | None = None,
    n_features_to_select: float | None = None,
    criterion: str | Criterion = "variance",
    n_components: int | None = None,
    stop_words: str | Iterable[str] | None = "auto",
    random_state: int | None = None,
    **bertopic_kwargs: Any,
) -> MatryoshkaBERTopic:
    """Build a BERTopic on truncated embeddings, with dimension selection or another reduction.

    Parameters
    ----------
    backend : MatryoshkaBackend, SentenceTransformer, str, Path or None, default=None
        Embedding backend; anything but a backend is passed to MatryoshkaBackend, and None is the
        bundled model.
    reduction : {"variance", "rotation", "pca", "umap", "none"}, default="variance"
        Reduction of the embeddings before clustering. "variance" is a DimensionSelector,
        "rotation" a PrincipalRotation, "pca" scikit-learn's PCA, "umap" a UMAP with BERTopic's
        settings; "none" leaves the embeddings unchanged.
    clustering : {"leiden", "hdbscan"} or None, default=None
        Clustering that finds the topics: a LeidenClustering, or BERTopic's own HDBSCAN. None uses
        "leiden" after "variance", "rotation" and "none", where HDBSCAN tends to label most
        documents as outliers, and "hdbscan" after "pca" and "umap". An `hdbscan_model` among the
        BERTopic arguments replaces it.
    n_features_to_select : int, float or None, default=None
        For "variance": number or share of dimensions to keep, see DimensionSelector.
    criterion : str or callable, default="variance"
        For "variance": criterion that ranks the dimensions, see DimensionSelector.
    n_components : int or None, default=None
        For "pca" and "umap": number of components; None is 5, as in BERTopic. For "rotation":
        number of axes; None is 32, or the backend's width where that is less.
    stop_words : str, iterable of str or None, default="auto"
        Words that are left out of the topics' words; the clusters do not depend on them. Either a
        language, see get_stop_words ("english", "de", "german"), the words themselves, or None for
        no stop words. "auto" is "english", or the setting of a `vectorizer_model` among the
        BERTopic arguments.
    random_state : int or None, default=None
        Seed of Leiden and of rotation's sample (None is 0), of PCA's randomised solver, and of
        UMAP, which then runs on one thread. Dimension selection is deterministic.
    **bertopic_kwargs
        Every other argument of BERTopic, such as `hdbscan_model`, `min_topic_size`, `nr_topics`,
        `vectorizer_model` or `calculate_probabilities`, which "leiden" supports too. The default
        `representation_model` is CoreWords; to put it before another one, pass
        ``[CoreWords(), another]``.

    Returns
    -------
    topic_model : MatryoshkaBERTopic
        A BERTopic, not fitted. Its `umap_model` is an ExpectWidth around the reducer.

    Raises
    ------
    ValueError
        If `reduction` or `clustering` is unknown, an argument belongs to another reduction,
        `embedding_model` or `umap_model` is among the BERTopic arguments, `clustering` or
        `min_topic_size` is combined with an `hdbscan_model`, `calculate_probabilities` with a
        LeidenClustering of other settings, or `stop_words` with a `vectorizer_model`; or
        `stop_words` is a language that CountVectorizer does not split into words.
    ImportError
        If umap-learn or hdbscan, or stopwordsiso for a language other than English, is needed and
        not installed.

    Warns
    -----
    RuntimeWarning
        If hdbscan is not installed, so that BERTopic's transform would fail; see
        allow_missing_hdbscan.

    Examples
    --------
    >>> from bertopic_matryoshka import MatryoshkaBackend, build_topic_model
    >>> topic_model = build_topic_model(MatryoshkaBackend(truncate_dim=128), stop_words="english")

    By hand:

    >>> from bertopic import BERTopic
    >>> from bertopic_matryoshka import (
    ...     CoreWords, DimensionSelector, LeidenClustering, get_stop_words
    ... )
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> backend = MatryoshkaBackend(truncate_dim=128)
    >>> topic_model = BERTopic(
    ...     embedding_model=backend,
    ...     umap_model=DimensionSelector(),
    ...     hdbscan_model=LeidenClustering(),
    ...     vectorizer_model=CountVectorizer(stop_words=get_stop_words("english")),
    ...     representation_model=CoreWords(),
    ... )
    """
    check_arguments(
        {"min_topic_size": None, "calculate_probabilities": False, "top_n_words": 10}
        | bertopic_kwargs
        | locals(),
        reduction=choice(REDUCTIONS),
        clustering=choice(CLUSTERINGS, none=True),
        n_components=whole(1, none=True),
        random_state=seed(),
        min_topic_size=whole(2, none=True),
        calculate_probabilities=flag(),
        top_n_words=whole(1),
    )
    for argument, instead in (("embedding_model", "backend"), ("umap_model", "reduction")):
        if argument in bertopic_kwargs:
            raise ValueError(
                f"{argument}={bertopic_kwargs[argument]!r} is what `{instead}` decides here. "
                f"Pass {instead}=..., or build BERTopic by hand."
            )
    if not isinstance(backend, MatryoshkaBackend):
        backend = MatryoshkaBackend(backend)
    reducer = build_reducer(
        reduction,
        n_features_to_select=n_features_to_select,
        criterion=criterion,
        n_components=n_components,
        random_state=random_state,
        low_memory=bertopic_kwargs.get("low_memory", False),
        width=backend.embedding_dim,
    )
    if bertopic_kwargs.get("hdbscan_model") is None:
        bertopic_kwargs["hdbscan_model"] = build_clusterer(
            reduction,
            clustering,
            bertopic_kwargs.get("min_topic_size"),
            random_state,
            calculate_probabilities=bertopic_kwargs.get("calculate_probabilities", False),
        )
    elif clustering is not None:
        raise ValueError(
            f"clustering={clustering!r} and hdbscan_model are both given. Leave one of them out."
        )
    else:
        refuse_ignored(
            bertopic_kwargs["hdbscan_model"],
            bertopic_kwargs.get("min_topic_size"),
            bertopic_kwargs.get("calculate_probabilities", False),
        )
    if bertopic_kwargs.get("vectorizer_model") is None:
        bertopic_kwargs["vectorizer_model"] = build_vectorizer(
            stop_words,
            bertopic_kwargs.get("language") or "english",
            bertopic_kwargs.get("n_gram_range", (1, 1)),
        )
    elif not (isinstance(stop_words, str) and stop_words == "auto"):
        raise ValueError(
            f"stop_words={stop_words!r} and vectorizer_model are both given. Leave one of them "
            "out: CountVectorizer has stop_words of its own."
        )
    if bertopic_kwargs.get("representation_model") is None:
        bertopic_kwargs["representation_model"] = CoreWords()
    warn_of_missing_hdbscan()
    return MatryoshkaBERTopic(
        embedding_model=backend,
        umap_model=ExpectWidth(reducer, backend.embedding_dim),
        **bertopic_kwargs,
    )


def build_reducer(
    reduction: str,
    *,
    n_features_to_select: float | None = None,
    criterion: str | Criterion = "variance",
    n_components: int | None = None,
    random_state: int | None = None,
    low_memory: bool = False,
    width: int = N_AXES,
) -> Any:
    """Build the reducer between embeddings and clustering; see build_topic_model."""
    check_reductions([reduction])
    selector = DimensionSelector(n_features_to_select, criterion=criterion)
    check_selector(selector)
    is_own = not isinstance(criterion, str) or criterion != "variance"
    given = {
        "n_features_to_select": (n_features_to_select is not None, ("variance",)),
        "criterion": (is_own, ("variance",)),
        "n_components": (n_components is not None, ("pca", "umap", "rotation")),
    }
    for argument, (is_given, belongs_to) in given.items():
        if is_given and reduction not in belongs_to:
            raise ValueError(
                f"{argument} is for reduction={' or '.join(map(repr, belongs_to))}, not for "
                f"reduction={reduction!r}. Leave it out."
            )
    if reduction == "variance":
        return selector
    if reduction == "rotation":
        n_axes = min(N_AXES, width) if n_components is None else n_components
        return PrincipalRotation(n_axes, normalize=True, random_state=random_state or 0)
    n_components = N_COMPONENTS if n_components is None else n_components
    if reduction == "pca":
        return PCA(n_components=n_components, random_state=random_state)
    if reduction == "none":
        return BaseDimensionalityReduction()
    return _umap(n_components, random_state, low_memory=low_memory)


def build_clusterer(
    reduction: str,
    clustering: str | None,
    min_topic_size: int | None,
    random_state: int | None,
    *,
    calculate_probabilities: bool = False,
) -> Any:
    """Build the clusterer; None is BERTopic's own HDBSCAN. See build_topic_model."""
    if clustering is None:
        clustering = "hdbscan" if reduction in {"pca", "umap"} else "leiden"
    if clustering not in CLUSTERINGS:
        raise ValueError(f"clustering={clustering!r} must be one of {', '.join(CLUSTERINGS)}.")
    if clustering == "leiden":
        return LeidenClustering(
            min_cluster_size=min_topic_size,
            calculate_probabilities=calculate_probabilities,
            random_state=random_state or 0,
        )
    try:
        import hdbscan  # noqa: F401
    except ImportError as error:  # BERTopic would take scikit-learn's, which cannot predict
        raise ImportError(
            'clustering="hdbscan", the default after "pca" and "umap", needs hdbscan: '
            'pip install hdbscan. clustering="leiden" needs nothing.'
        ) from error
    return None


def build_vectorizer(
    stop_words: str | Iterable[str] | None,
    language: str = "english",
    n_gram_range: tuple[int, int] = (1, 1),
) -> CountVectorizer:
    """Build the vectorizer; see build_topic_model."""
    if isinstance(stop_words, str) and stop_words == "auto":
        if language.lower() != "english":
            raise ValueError(
                f"language={language!r} chooses no stop words: BERTopic ignores it where a model "
                "is given. Pass stop_words=..., a language, a list of words, or None."
            )
        stop_words = "english"
    return CountVectorizer(stop_words=check_stop_words(stop_words), ngram_range=n_gram_range)


def check_reductions(reductions: Collection[str]) -> tuple[str, ...]:
    """Check that each name is a reduction; repeated names count once."""
    if isinstance(reductions, str) or not reductions:
        raise ValueError(
            f"reductions={reductions!r} must be a list with some of {', '.join(REDUCTIONS)}."
        )
    for reduction in reductions:
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction={reduction!r} must be one of {', '.join(REDUCTIONS)}.")
    return tuple(dict.fromkeys(reductions))


def _umap(n_components: int, random_state: int | None, *, low_memory: bool) -> Any:
    """Build a UMAP with the settings that BERTopic gives it."""
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError(
            'reduction="umap" needs umap-learn: pip install umap-learn. "variance" needs nothing.'
        ) from error
    return UMAP(
        n_neighbors=15,
        n_components=n_components,
        min_dist=0.0,
        metric="cosine",
        low_memory=low_memory,
        random_state=random_state,
        n_jobs=1 if random_state is not None else -1,  # what UMAP does anyway, with a warning
    )
