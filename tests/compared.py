"""Topic models to compare, and comparisons held against each other."""

import numpy as np
import pandas as pd
import pytest
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka import TopicScorer, compare_dimensions

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


def brief_comparison(documents, embeddings, clusterer):
    """Return a function that compares these at two widths with one seed, unless told otherwise."""

    def call(topic_models=None, documents=documents, **changes):
        arguments = {
            "dims": [64, 32],
            "seeds": 1,
            "scorer": TopicScorer(n_resamples=10, n_replicates=0),
            "progress": False,
            "embeddings": embeddings,
            **changes,
        }
        models = plain_model(clusterer()) if topic_models is None else topic_models
        return compare_dimensions(documents, models, **arguments)

    return call


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
