"""Reducers and clusterers side by side: what a scenario is run with."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from bertopic import BERTopic
from hdbscan import HDBSCAN
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    MatryoshkaBackend,
    build_topic_model,
)

MIN_SIZE = 5  # documents in a topic


@dataclass
class Parts:
    """A way to build a BERTopic, and documents.

    Attributes
    ----------
    name : {"ours", "by hand", "BERTopic's"}
        build_topic_model; BERTopic with our backend, selector and clusterer; BERTopic with a
        SentenceTransformer, UMAP or PCA, and HDBSCAN.
    docs : list of str
    labels : list of str
        A class of each document.
    backend : MatryoshkaBackend
    reducer : {"pca", "umap"}
        What "BERTopic's" reduces with; PCA is quicker.
    """

    name: str
    docs: list[str]
    labels: list[str]
    backend: MatryoshkaBackend
    reducer: str = "pca"

    @property
    def is_ours(self) -> bool:
        return self.name != "BERTopic's"

    @cached_property
    def embeddings(self) -> np.ndarray:
        """Rows of the backend, or of its model at full width; of shape (n_docs, width)."""
        if self.is_ours:
            return self.backend.embed(self.docs)
        return self.backend.embedding_model.encode(self.docs)

    def build(self, **kwargs: Any) -> BERTopic:
        """Build a BERTopic, not fitted, with these arguments of BERTopic."""
        kwargs = {
            "hdbscan_model": self.clusterer(),
            "vectorizer_model": CountVectorizer(stop_words="english"),
            **kwargs,
        }
        if self.name == "ours":
            return build_topic_model(self.backend, **kwargs)
        model = self.backend if self.is_ours else self.backend.embedding_model
        kwargs = {"embedding_model": model, "umap_model": self.reduction(), **kwargs}
        return BERTopic(**kwargs)

    def reduction(self) -> Any:
        if self.is_ours:
            return DimensionSelector()
        if self.reducer == "pca":
            return PCA(5, random_state=0)
        from umap import UMAP

        return UMAP(n_components=5, min_dist=0.0, metric="cosine", random_state=0, n_jobs=1)

    def clusterer(self, *, outliers: bool = False) -> Any:
        """Build the clusterer; one of ours makes outliers only where it is asked to."""
        if self.is_ours:
            return LeidenClustering(
                12,
                min_cluster_size=MIN_SIZE,
                calculate_probabilities=True,
                outlier_share=0.2 if outliers else 0.0,
            )
        return HDBSCAN(
            min_cluster_size=MIN_SIZE,
            min_samples=2,
            cluster_selection_method="leaf",  # "eom" finds two clusters after PCA
            prediction_data=True,
        )

    def fit(self, **kwargs: Any) -> BERTopic:
        # A copy, since guided modelling writes into the embeddings.
        return self.build(**kwargs).fit(self.docs, self.embeddings.copy())

    @cached_property
    def _fitted(self) -> BERTopic:
        return self.fit(calculate_probabilities=True)

    @cached_property
    def _with_outliers(self) -> BERTopic:
        return self.fit(hdbscan_model=self.clusterer(outliers=True), calculate_probabilities=True)

    def fitted(self, *, outliers: bool = False) -> BERTopic:
        """Give a fitted model, with a probability for each topic, that may be changed."""
        model = self._with_outliers if outliers else self._fitted
        shared = model.embedding_model
        return copy.deepcopy(model, {id(shared): shared})


def about(topic_model: BERTopic) -> str:
    """Say how many topics a model has, and how many of its documents are outliers."""
    n_topics = len(set(topic_model.topics_) - {-1})
    outliers = np.mean(np.array(topic_model.topics_) == -1)
    return f"{n_topics} topics" + (f", {outliers:.0%} outliers" if outliers else "")


def same(topics: Any, others: Any) -> str:
    """Say how many documents have the same topic."""
    return f"{np.mean(np.array(topics) == np.array(others)):.0%} of the topics"
