"""Topic models to compare, and comparisons held against each other."""

import numpy as np
import pandas as pd
import pytest
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score

GIVEN = "given embeddings"


def k_means(n_clusters, random_state=None):
    return KMeans(n_clusters, n_init=1, random_state=random_state)


def plain_model(clusterer, embedding_model=None, **kwargs):
    """A BERTopic without a reduction."""
    kwargs.setdefault("vectorizer_model", CountVectorizer(stop_words="english"))
    return BERTopic(
        embedding_model=embedding_model,
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=clusterer,
        **kwargs,
    )


def same_partition(found, expected):
    return adjusted_mutual_info_score(found, expected) == pytest.approx(1)


def without_seconds(comparison, but):
    table = comparison.table
    timed = [name for name in table if name.endswith("_seconds")]
    return table.drop(columns=[*timed, *but])


def assert_same(found, expected, but=()):
    """All but seconds is the same, to the last bit."""
    pd.testing.assert_frame_equal(
        without_seconds(found, but), without_seconds(expected, but), check_exact=True
    )
    for one, other in zip(
        (*found.runs, *found.half_runs), (*expected.runs, *expected.half_runs), strict=True
    ):
        assert one.topics == other.topics
        np.testing.assert_array_equal(one.document_topics, other.document_topics)
        np.testing.assert_array_equal(one.coherence_resamples, other.coherence_resamples)
