"""Calls of the functions and estimators of rows, texts and words, with good arguments and what each parameter takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bertopic_matryoshka as bm
from tests.hostile.judge import COUNT, Call
from tests.hostile.values import DOCUMENTS, TOPICS, WIDTH, rows

if TYPE_CHECKING:
    from collections.abc import Callable


def _estimator(cls: type, **fixed: str) -> Callable[..., Any]:
    """Build an estimator and fit it; "X", where given, is what it is fitted to."""

    def fit(X: Any, **parameters: Any) -> Any:
        return cls(**parameters).fit(X)

    return fit


DEVICE = {"none"}
X_NAMES = {"X": r"Input contains|rows of the embeddings|rows are zero|dimensions, but only"}
# What an estimator of the caller's raises is its own: BERTopic takes texts, and loads a model.
OWN_ERROR = "iterable only contains strings|connect to"
EMBEDDING_NAMES = {"embeddings": r"[Ii]nput contains|rows of the embeddings|distinct rows"}
SEEDS = {"seed": "random_state"}

DATA_CALLS = [
    Call(
        "truncate",
        bm.truncate,
        lambda: {"embeddings": rows(), "dim": 8},
        {"embeddings": {"rows", "two rows", "one row", "shorter rows", "no rows"}, "dim": "width"},
        EMBEDDING_NAMES,
    ),
    Call(
        "nearest_neighbors",
        bm.nearest_neighbors,
        lambda: {"embeddings": rows(), "n_neighbors": 3},
        {
            "embeddings": {"rows", "two rows", "shorter rows"},
            "n_neighbors": "width",
            "queries": {"rows", "two rows", "shorter rows", "one row", "none"},
            "method": set(),
            "n_probes": COUNT,
            "device": DEVICE,
        },
        {**EMBEDDING_NAMES, "queries": r"[Ii]nput contains|embeddings"},
    ),
    Call(
        "compare_prefixes",
        bm.compare_prefixes,
        lambda: {"embeddings": rows(), "dims": [8]},
        {
            "embeddings": {"rows", "two rows", "shorter rows"},
            "dims": "widths or none",
            "n_neighbors": "width",
            "sample_size": "several or none",
            "random_state": "seed",
            "device": DEVICE,
            "rotated": "bool",
        },
        EMBEDDING_NAMES,
    ),
    Call(
        "inspect_dimensions",
        bm.inspect_dimensions,
        lambda: {"embeddings": rows()},
        {
            "embeddings": {"rows", "two rows", "shorter rows", "one row"},
            "near_zero": "share",
            "dims": "widths or none",
            "rotated": "bool",
        },
        EMBEDDING_NAMES,
    ),
    Call(
        "DimensionSelector",
        _estimator(bm.DimensionSelector),
        lambda: {"X": rows(), "n_features_to_select": 8},
        {
            "X": {"rows", "two rows", "shorter rows"},
            "n_features_to_select": {"count", "one", "share", "none"},
            "criterion": {"callable"},
            "near_zero": "share",
            "normalize": "bool",
            "update_support": "bool",
        },
        # A criterion of the caller's may raise its own errors.
        {**X_NAMES, "criterion": "criterion|Python scalars"},
    ),
    Call(
        "PrincipalRotation",
        _estimator(bm.PrincipalRotation),
        lambda: {"X": rows()},
        {
            "X": {"rows", "two rows", "shorter rows", "one row"},
            "n_components": "width or none",
            "sample_size": "count or none",
            "normalize": "bool",
            "random_state": "seed",
        },
        X_NAMES,
    ),
    Call(
        "LeidenClustering",
        _estimator(bm.LeidenClustering),
        lambda: {"X": rows()},
        {
            "X": {"rows", "two rows", "shorter rows", "one row"},
            "n_clusters": "width or none",
            "resolution": "weight",
            "n_neighbors": "count or none",
            "min_cluster_size": "several or none",
            "min_membership": {"share", "zero", "one", "real"},
            "outlier_share": "share",
            "calculate_probabilities": "bool",
            "random_state": "seed",
            "method": set(),
            "device": DEVICE,
            "flavor": set(),
            "memory": {"none", "str", "empty str"},
            "copy_distance": {"zero"},
            "neighbors": {"none"},
            "max_samples": "several or none",
        },
        {**X_NAMES, "neighbors": OWN_ERROR},
    ),
    Call(
        "LexicalView",
        _estimator(bm.LexicalView),
        lambda: {"X": DOCUMENTS, "n_components": 2},
        {
            "X": {"texts", "shorter texts"},
            "n_components": "width",
            "weight": "weight",
            "vectorizer": {"none"},
            "random_state": "seed",
        },
        {"X": "documents|word", "vectorizer": OWN_ERROR},
    ),
    Call(
        "topic_diversity",
        bm.topic_diversity,
        lambda: {"topics": TOPICS},
        {"topics": "topics", "top_n": "count", "fold": "bool"},
    ),
    Call(
        "inverted_rbo",
        bm.inverted_rbo,
        lambda: {"topics": TOPICS},
        {"topics": "topics", "top_n": "count", "p": {"share"}},
    ),
    Call(
        "topic_balance",
        bm.topic_balance,
        lambda: {"sizes": [3, 4]},
        {"sizes": {"counts", "labels", "no texts"}},
    ),
    Call(
        "topic_stability",
        bm.topic_stability,
        lambda: {"topics": TOPICS, "others": TOPICS},
        {
            "topics": "topics",
            "others": "topics",
            "top_n": "count",
        },
    ),
    Call(
        "topic_agreement",
        bm.topic_agreement,
        lambda: {"topics": [[0, 0, 1, 1]] * 3, "reference": [[0, 1, 1, 0]] * 3},
        {"topics": set(), "reference": set(), "rows": "none", "assigned_only": "bool"},
        {"topics": "[Rr]eplicate", "reference": "[Rr]eplicate", "rows": "[Rr]eplicate"},
    ),
    Call(
        "embedding_coherence",
        bm.embedding_coherence,
        lambda: {"topics": TOPICS, "backend": bm.MatryoshkaBackend()},
        {"topics": "topics", "backend": set(), "top_n": "several"},
    ),
    Call(
        "TopicCoherence",
        lambda topics, **given: bm.TopicCoherence(**given).score(topics),
        lambda: {"topics": TOPICS, "documents_or_tokens": DOCUMENTS},
        {
            "topics": "topics",
            "documents_or_tokens": {"texts", "shorter texts", "few texts", "tokens", "topics"}
            | {"no texts", "no words"},
            "measure": set(),
            "vectorizer": {"none"},
            "window_size": "count or none",
            "top_n": "several",
            "device": DEVICE,
        },
        {"documents_or_tokens": "document|token"},
    ),
    Call(
        "TopicScorer",
        bm.TopicScorer,
        dict,
        {
            "measure": set(),
            "top_n": "several",
            "n_resamples": COUNT | {"zero"},
            "n_replicates": COUNT | {"zero"},
            "split_half": "bool",
            "device": DEVICE,
        },
    ),
    Call(
        "CoreWords",
        lambda **given: bm.build_topic_model(ctfidf_model=bm.CoreWords(**given)),
        dict,
        {"share": "share above 0", "min_documents": "count", "fold": "bool"},
    ),
    Call(
        "ExpectWidth",
        lambda X, **given: bm.ExpectWidth(**given).fit(X),
        lambda: {"X": rows(), "reducer": bm.DimensionSelector(8), "width": WIDTH},
        {"X": {"rows", "two rows", "shorter rows"}, "reducer": set(), "width": set()},
        {"X": X_NAMES["X"] + "|embeddings", "width": "backend produces", "reducer": OWN_ERROR},
    ),
    Call(
        "get_stop_words",
        bm.get_stop_words,
        lambda: {"language": "english"},
        {"language": set()},
    ),
]
