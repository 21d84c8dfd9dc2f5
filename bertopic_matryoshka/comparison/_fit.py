"""A cell's record -> a BERTopic, fitted: what one worker of a comparison does."""

from __future__ import annotations

import copy
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder

from bertopic_matryoshka.clustering import LeidenClustering
from bertopic_matryoshka.comparison._grid import PARTS
from bertopic_matryoshka.comparison._result import Fitted, fit_cell
from bertopic_matryoshka.embedding import truncate
from bertopic_matryoshka.exceptions import TruncationWarning
from bertopic_matryoshka.topics import MIN_TOPIC_SIZE, build_clusterer, build_reducer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bertopic_matryoshka.comparison._grid import Spec
    from bertopic_matryoshka.embedding import MatryoshkaBackend
    from bertopic_matryoshka.selection import Criterion

UMAP_WARM_UP_ROWS = 5000
"""Rows enough for UMAP to compile what it uses on larger inputs too (it switches at 4,096)."""

_warm: set[str] = set()
"""Whether UMAP was compiled in this process."""


@dataclass
class Fitting:
    """Builds and fits the topic models of a comparison.

    Attributes
    ----------
    documents : list of str
    embeddings : dict of str to ndarray of shape (n_documents, full_dim)
        Of each model.
    backends : dict of str to MatryoshkaBackend or None
    criteria : dict of str to criterion
        What ranks dimensions, by its name.
    n_topics : int or None
    n_features_to_select, n_components
        See build_topic_model.
    device : str or None
    memory : str or None
        Folder for graphs that several cells share.
    reseed : bool
        Whether a clusterer that was given takes each cell's seed.
    bertopic_kwargs : dict
    """

    documents: list[str]
    embeddings: Mapping[str, NDArray[np.floating]]
    backends: Mapping[str, MatryoshkaBackend | None]
    criteria: Mapping[str, str | Criterion]
    n_topics: int | None
    n_features_to_select: float | None
    n_components: int | None
    device: str | None
    memory: str | None
    reseed: bool
    bertopic_kwargs: dict[str, Any]

    def __call__(self, spec: Spec) -> Fitted:
        """Fit a cell's topic model."""
        compile_seconds = None
        if spec.line.reduction == "umap" and not _warm:
            compile_seconds = self._compile_umap()
        rows = part_rows(len(self.documents), spec.part)
        documents = [self.documents[row] for row in rows]
        # BERTopic's nr_topics leaves one too many where there is no outlier topic.
        fitted = fit_cell(
            self.topic_model(spec), documents, self._cut(spec)[rows], n_topics=self.n_topics
        )
        return fitted._replace(umap_compile_seconds=compile_seconds)

    def topic_model(self, spec: Spec) -> BERTopic:
        """Build a cell's topic model."""
        own = copy.deepcopy(self.bertopic_kwargs)
        given = own.pop("hdbscan_model", None)
        clusterer = self._clusterer(spec, given)
        if self.n_topics is not None and not _finds_in_number(clusterer):
            own["nr_topics"] = self.n_topics + 1  # BERTopic counts the outlier topic
        reduction = spec.line.reduction
        return BERTopic(
            embedding_model=self._embedder(spec),
            umap_model=build_reducer(
                reduction,
                n_features_to_select=self.n_features_to_select if reduction == "variance" else None,
                criterion=self.criteria.get(spec.line.criterion, "variance"),
                n_components=self.n_components if reduction in ("pca", "umap") else None,
                random_state=spec.seed,
            ),
            hdbscan_model=clusterer,
            **own,
        )

    def _clusterer(self, spec: Spec, given: Any) -> Any:
        if given is None:
            built = build_clusterer(
                spec.line.reduction,
                spec.line.clustering,
                int(self.bertopic_kwargs.get("min_topic_size", MIN_TOPIC_SIZE)),
                spec.seed,
                calculate_probabilities=self.bertopic_kwargs.get("calculate_probabilities", False),
            )
            if isinstance(built, LeidenClustering):
                built.set_params(device=self.device, memory=self.memory, n_clusters=self.n_topics)
            return built
        parameters = given.get_params() if hasattr(given, "get_params") else {}
        changes: dict[str, Any] = {}
        if self.n_topics is not None and "n_clusters" in parameters:
            changes["n_clusters"] = self.n_topics
        if self.reseed and "random_state" in parameters:
            changes["random_state"] = spec.seed
        return given.set_params(**changes) if changes else given

    def _embedder(self, spec: Spec) -> BaseEmbedder:
        backend = self.backends[spec.line.model]
        if backend is None:
            return BaseEmbedder()
        if spec.line.cut == "random":
            return RandomDims(backend.truncated(backend.full_dim), spec)
        with warnings.catch_warnings():  # whether a width is any good is what is compared
            warnings.simplefilter("ignore", TruncationWarning)
            return backend.truncated(spec.dim)

    def _cut(self, spec: Spec) -> NDArray[np.floating]:
        full = self.embeddings[spec.line.model]
        return random_dims(full, spec) if spec.line.cut == "random" else truncate(full, spec.dim)

    def _compile_umap(self) -> float:
        """Let UMAP compile itself, which takes longer than its work on a few thousand rows."""
        rows = next(iter(self.embeddings.values()))[:UMAP_WARM_UP_ROWS]
        start = time.perf_counter()
        build_reducer("umap", n_components=self.n_components, random_state=0).fit_transform(rows)
        _warm.add("umap")
        return time.perf_counter() - start


class RandomDims(BaseEmbedder):  # type: ignore[misc]
    """Embeds into random dimensions of a backend, those of a cell."""

    def __init__(self, backend: MatryoshkaBackend, spec: Spec) -> None:
        super().__init__()
        self._backend = backend
        self._spec = spec

    def embed(self, documents: list[str], verbose: bool = False) -> NDArray[np.floating]:
        """Embed texts, documents and words alike."""
        return random_dims(self._backend.embed(documents, verbose), self._spec)


def random_dims(full: NDArray[np.floating], spec: Spec) -> NDArray[np.floating]:
    """Keep dimensions drawn by a cell's seed, and give the rows unit length again."""
    columns = np.random.default_rng(spec.seed).permutation(full.shape[1])[: spec.dim]
    return truncate(full[:, np.sort(columns)], spec.dim)


def part_rows(n_documents: int, part: str) -> NDArray[np.int_]:
    """Give the documents of a part, ascending: all, or one of the halves, which are drawn once."""
    if part == PARTS[0]:
        return np.arange(n_documents)
    drawn = np.random.default_rng(0).permutation(n_documents)
    half = n_documents // 2
    return np.sort(drawn[:half] if part == PARTS[1] else drawn[half:])


def _finds_in_number(clusterer: Any) -> bool:
    return hasattr(clusterer, "get_params") and "n_clusters" in clusterer.get_params()
