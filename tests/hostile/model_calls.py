"""Calls of everything public that has to do with topic models."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from sentence_transformers import SentenceTransformer
from sklearn.cluster import KMeans

import bertopic_matryoshka as bm
from tests.hostile.data_calls import DEVICE, EMBEDDING_NAMES
from tests.hostile.judge import Call
from tests.hostile.values import DOCUMENTS, WIDTH, rows
from tests.tiny_models import make_model


@cache
def _fitted() -> BERTopic:
    """A small fitted model; never changed."""
    model = BERTopic(
        embedding_model=bm.MatryoshkaBackend(truncate_dim=WIDTH),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=bm.LeidenClustering(3),
    )
    return model.fit(DOCUMENTS, rows())


def _plain() -> BERTopic:
    return BERTopic(
        embedding_model=bm.MatryoshkaBackend(),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=KMeans(2, n_init=1),
    )


@cache
def _levels() -> bm.TopicLevels:
    return bm.topic_levels(_fitted(), DOCUMENTS, [3, 2], min_children=1)


@cache
def _comparison() -> bm.DimensionComparison:
    scorer = bm.TopicScorer(n_replicates=0, n_resamples=2)
    return bm.compare_dimensions(
        DOCUMENTS, _plain(), dims=[32], seeds=1, scorer=scorer, progress=False
    )


@cache
def _number_comparison() -> bm.TopicNumberComparison:
    scorer = bm.TopicScorer(n_replicates=0)
    return bm.compare_topic_numbers(_fitted(), DOCUMENTS, [2, 3], embeddings=rows(), scorer=scorer)


@cache
def _folder() -> Path:
    """A folder for what calls write, removed when Python ends."""
    folder = tempfile.TemporaryDirectory()
    _KEPT.append(folder)
    return Path(folder.name)


@cache
def _npy() -> Path:
    np.save(_folder() / "rows.npy", rows())
    return _folder() / "rows.npy"


@cache
def _saved() -> Path:
    bm.save_topic_model(_fitted(), _folder() / "saved")
    return _folder() / "saved"


@cache
def _transformer() -> Any:
    return SentenceTransformer(make_model(_folder() / "model"), device="cpu")


_KEPT: list[Any] = []


def _backend(documents: Any, **parameters: Any) -> Any:
    return bm.MatryoshkaBackend(**parameters).embed(documents)


MODEL_CALLS = [
    Call(
        "inspect_models",
        bm.inspect_models,
        lambda: {"models": bm.MatryoshkaBackend(), "documents": DOCUMENTS},
        {
            "models": {"none", "callable"},
            "documents": {"texts", "shorter texts", "few texts", "none"},
            "dims": "widths or none",
            "near_zero": "share",
            "sample_size": "several or none",
            "random_state": "seed",
        },
        {"models": r"\bmodel\b|lambda"},
    ),
    Call(
        "MatryoshkaBackend",
        _backend,
        lambda: {"documents": DOCUMENTS},
        {
            "documents": {"texts", "shorter texts", "few texts", "no texts"},
            "model": {"none", "callable"},
            "name": {"none"},
            "truncate_dim": "width or none",
            "dims": "widths or none",
            "prompt": {"none", "str", "empty str", "ellipsis"},
            "device": DEVICE,
            "dtype": {"none"},
            "batch_size": "count",
            "revision": {"none", "str", "empty str"},
            "trust_remote_code": "bool",
            "encode_kwargs": {"none", "no mapping"},
            "permutation_seed": "seed",
            "n_layers": {"none"},
            "backend": {"none"},
            "model_kwargs": {"none", "no mapping"},
            "long_texts": set(),
        },
        # An option of the caller's is refused by the model, which names it.
        {"encode_kwargs": "keyword"},
    ),
    Call(
        "PrecomputedBackend",
        bm.PrecomputedBackend,
        lambda: {"width": 8},
        {"width": "count"},
    ),
    Call(
        "read_embeddings",
        bm.read_embeddings,
        lambda: {"path": _npy()},
        {"path": set(), "column": {"none"}, "documents": {"none"}},
        {"path": "file of embeddings|No such file"},
    ),
    Call(
        "evaluate_topics",
        bm.evaluate_topics,
        lambda: {"topic_model": _fitted(), "documents": DOCUMENTS, "measures": ["npmi"]},
        {
            "topic_model": set(),
            "documents": {"texts", "shorter texts", "few texts", "no texts"},
            "measures": {"no texts"},
            "labels": {"labels", "texts", "none"},
            "top_n": "several",
            "device": DEVICE,
        },
        {"measures": "measure"},
    ),
    Call(
        "build_topic_model",
        bm.build_topic_model,
        dict,
        {
            "backend": {"none", "str", "callable"},
            "reduction": set(),
            "clustering": {"none"},
            "n_features_to_select": {"count", "one", "share", "none", "huge"},
            "criterion": {"callable"},
            "n_components": {"none"},
            "stop_words": {"none", "no texts", "few texts", "texts", "shorter texts", "set"},
            "random_state": "seed",
            "min_topic_size": "several or none",
            "calculate_probabilities": "bool",
            "top_n_words": "count",
        },
        {"backend": r"\bmodel\b|lambda", "stop_words": "language"},
    ),
    Call(
        "compare_dimensions",
        bm.compare_dimensions,
        lambda: {
            "documents": DOCUMENTS,
            "topic_models": _plain(),
            "dims": [32],
            "seeds": 1,
            "scorer": bm.TopicScorer(n_replicates=0, n_resamples=2),
            "progress": False,
        },
        {
            "documents": {"texts", "shorter texts"},
            "topic_models": {"none", "unfitted"},
            "dims": {"counts", "none", "no mapping"},
            "seeds": {"count", "one", "several", "counts", "huge", "numbers"},
            "labels": {"labels", "texts", "none"},
            "embeddings": {"none", "no mapping"},
            "scorer": {"none"},
            "store": {"none", "str", "empty str"},
            "n_jobs": {"count", "one", "several", "negative", "huge"},
            "progress": {"bool", "callable"},
        },
        {"topic_models": "topic model|embedding_model"},
        slow=True,
    ),
    Call(
        "compare_topic_numbers",
        bm.compare_topic_numbers,
        lambda: {
            "topic_model": _fitted(),
            "documents": DOCUMENTS,
            "numbers": [2, 3],
            "embeddings": rows(),
        },
        {
            "topic_model": set(),
            "documents": {"texts"},
            "numbers": {"counts", "none"},
            "embeddings": {"rows", "none"},
            "labels": {"labels", "texts", "none"},
            "scorer": {"none"},
        },
        {"topic_model": "hdbscan_model", "embeddings": "Input X contains"},
        slow=True,
    ),
    Call(
        "topic_levels",
        bm.topic_levels,
        lambda: {"topic_model": _fitted(), "documents": DOCUMENTS, "numbers": [2]},
        {
            "topic_model": set(),
            "documents": {"texts"},
            "numbers": {"counts"},
            "min_children": "count",
        },
        {"topic_model": "hdbscan_model"},
        slow=True,
    ),
    Call(
        "topic_linkage",
        bm.topic_linkage,
        lambda: {"topic_model": _fitted()},
        {"topic_model": set(), "distances": {"none"}, "topics": {"none"}},
        {"topics": "needs two topics", "topic_model": "hdbscan_model"},
    ),
    Call(
        "load_topic_model",
        bm.load_topic_model,
        lambda: {"path": _saved()},
        {
            "path": set(),
            "backend": {"none", "str", "callable"},
            "device": {"none"},
            "trust_remote_code": "bool",
        },
        {"path": "matryoshka.json is missing", "backend": r"\bmodel\b"},
        slow=True,
    ),
    Call(
        "save_topic_model",
        bm.save_topic_model,
        lambda: {"topic_model": _fitted(), "path": _folder() / "model"},
        {
            "topic_model": set(),
            "path": {"str", "empty str"},
            "save_embedding_model": "bool",
            "save_rows": "bool",
        },
        {"topic_model": "embedding_model"},
        slow=True,
    ),
    Call(
        "plot_topic_map",
        bm.plot_topic_map,
        lambda: {"levels": _levels(), "documents": DOCUMENTS, "embeddings": rows()},
        {
            "levels": set(),
            "documents": {"texts"},
            "embeddings": {"rows"},
            "sample_size": "count",
            "random_state": "seed",
        },
        EMBEDDING_NAMES,
        slow=True,
    ),
    Call(
        "write_topic_map",
        bm.write_topic_map,
        lambda: {
            "levels": _levels(),
            "documents": DOCUMENTS,
            "embeddings": rows(),
            "path": _folder() / "map.html",
        },
        {
            "levels": set(),
            "path": {"str"},
            "documents": {"texts"},
            "embeddings": {"rows"},
            "sample_size": "count",
            "random_state": "seed",
        },
        {**EMBEDDING_NAMES, "path": "directory"},
        slow=True,
    ),
    Call(
        "write_topic_page",
        bm.write_topic_page,
        lambda: {
            "topic_model": _fitted(),
            "documents": DOCUMENTS,
            "path": _folder() / "topics.html",
            "embeddings": rows(),
        },
        {
            "topic_model": set(),
            "documents": {"texts"},
            "path": {"str"},
            "embeddings": {"rows", "none"},
            "title": {"str", "empty str"},
            "sample_size": "count",
            "random_state": "seed",
        },
        {**EMBEDDING_NAMES, "path": "directory"},
        slow=True,
    ),
    Call(
        "visualize_documents",
        bm.visualize_documents,
        lambda: {"topic_model": _fitted(), "documents": DOCUMENTS, "embeddings": rows()},
        {
            "topic_model": set(),
            "documents": {"texts"},
            "embeddings": {"rows", "none"},
            "sample_size": "count",
            "random_state": "seed",
        },
        EMBEDDING_NAMES,
        slow=True,
    ),
    Call(
        "visualize_topics",
        bm.visualize_topics,
        lambda: {"topic_model": _fitted()},
        {
            "topic_model": set(),
            "topics": {"none", "counts"},
            "top_n_topics": {"none", "count", "one", "huge", "several"},
            "use_ctfidf": "bool",
            "custom_labels": "bool",
            "title": {"str", "empty str"},
            "width": {"huge"},
            "height": {"huge"},
            "random_state": "seed",
        },
        slow=True,
    ),
    Call(
        "layout_documents",
        bm.layout_documents,
        lambda: {"embeddings": rows()},
        {
            "embeddings": {"rows", "two rows", "shorter rows", "one row", "no rows", "no texts"},
            "start": {"none"},
            "random_state": "seed",
        },
        EMBEDDING_NAMES,
        slow=True,
    ),
    Call(
        "plot_comparison",
        bm.plot_comparison,
        lambda: {"comparison": _comparison()},
        {"comparison": set(), "n_columns": "count"},
    ),
    Call(
        "plot_embedding_models",
        bm.plot_embedding_models,
        lambda: {"comparison": _comparison()},
        {"comparison": set(), "measure": {"none"}},
    ),
    Call(
        "first_layers",
        bm.first_layers,
        lambda: {"model": _transformer(), "n_layers": 1},
        {"model": set(), "n_layers": {"one"}},
    ),
    Call(
        "plot_topic_numbers",
        bm.plot_topic_numbers,
        lambda: {"comparison": _number_comparison()},
        {"comparison": set(), "n_columns": "count"},
    ),
    Call(
        "write_report",
        bm.write_report,
        lambda: {"comparison": _comparison(), "path": _folder() / "report.html"},
        {"comparison": set(), "path": {"str"}},
        {"path": "directory"},
        slow=True,
    ),
    Call(
        "write_png",
        bm.write_png,
        lambda: {"comparison": _comparison(), "path": _folder() / "report.png"},
        {"comparison": set(), "path": {"str"}},
        {"path": "directory|Chrome"},
        slow=True,
    ),
]
