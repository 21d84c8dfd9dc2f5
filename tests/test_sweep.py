"""compare_dimensions on real text: what it runs, what it measures, what it refuses."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from bertopic import BERTopic
from sklearn.cluster import DBSCAN, KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka import (
    DimensionSelector,
    MatryoshkaBackend,
    TopicCoherence,
    compare_dimensions,
    topic_diversity,
    truncate,
)


@pytest.fixture(scope="module")
def comparison(docs, doc_labels, backend):
    """Three widths with selection, the full width with PCA; eight topics everywhere."""
    return compare_dimensions(
        docs,
        backend,
        dims=[64, 256, 32],
        reductions={"variance": None, "pca": [256]},
        labels=doc_labels,
        hdbscan_model=KMeans(8, n_init=2, random_state=0),
        progress=False,
    )


def test_cells_run_from_wide_to_narrow(comparison):
    plan = [(cell.dim, cell.reduction) for cell in comparison.cells]
    assert plan == [(256, "variance"), (256, "pca"), (64, "variance"), (32, "variance")]


def test_a_cell_equals_the_same_work_by_hand(comparison, docs, doc_labels, backend):
    """Documents encoded at the width, BERTopic built in its own two lines."""
    vectorizer = CountVectorizer(stop_words="english")
    topic_model = BERTopic(
        embedding_model=backend,
        umap_model=DimensionSelector(),
        hdbscan_model=KMeans(8, n_init=2, random_state=0),
        vectorizer_model=vectorizer,
    )
    topics, _ = topic_model.fit_transform(docs)
    words = [[word for word, _ in topic_model.get_topic(t)] for t in range(8)]
    coherence = TopicCoherence(
        docs, measure="npmi", vectorizer=CountVectorizer(stop_words="english")
    )
    cell = comparison.cells[2]
    np.testing.assert_array_equal(cell.document_topics, topics)
    assert [list(topic.words) for topic in cell.topics] == words
    assert [topic.size for topic in cell.topics] == [topics.count(t) for t in range(8)]
    assert cell.coherence == pytest.approx(coherence.score(words))
    per_topic = coherence.score_per_topic(words)
    assert cell.coherence_error == pytest.approx(per_topic.std(ddof=1) / math.sqrt(8))
    assert cell.diversity == pytest.approx(topic_diversity(words))
    assert cell.ami == pytest.approx(adjusted_mutual_info_score(doc_labels, topics))
    assert (cell.n_topics, cell.outlier_share, cell.seed) == (8, 0.0, 0)


def test_topics_are_about_something(comparison):
    """KMeans on real embeddings finds the subpackages far better than chance."""
    assert min(cell.ami for cell in comparison.cells) > 0.2


def test_seconds_are_those_of_the_stages(comparison):
    for cell in comparison.cells:
        assert cell.cluster_seconds > 0
        assert cell.reduce_seconds > 0
        assert cell.represent_seconds > 0
    assert comparison.encode_seconds > 0
    assert comparison.umap_compile_seconds is None


def test_table(comparison):
    table = comparison.table
    assert table.shape[0] == 4
    assert table["dim"].tolist() == [256, 256, 64, 32]
    assert {"n_topics", "outlier_share", "coherence", "diversity", "ami", "ari", "seed"} <= set(
        table
    )
    assert {"reduce_seconds", "cluster_seconds", "represent_seconds"} <= set(table)
    first = comparison.cells[0].topics[0].words
    assert table["sample"][0].startswith(", ".join(first[:4]))


def test_csv_and_json(comparison, tmp_path):
    comparison.to_csv(tmp_path / "c.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "c.csv"), comparison.table)
    comparison.to_json(tmp_path / "c.json")
    content = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert content["cells"][0]["coherence"] == comparison.cells[0].coherence
    assert content["cells"][0]["topics"][0]["words"] == list(comparison.cells[0].topics[0].words)
    assert content["made_with"]["bertopic"]


def test_given_embeddings_are_not_encoded_and_need_no_backend(docs, full_embeddings):
    comparison = compare_dimensions(
        docs,
        embeddings=full_embeddings,
        reductions=["none"],
        hdbscan_model=KMeans(5, n_init=1, random_state=0),
        progress=False,
    )
    assert [cell.dim for cell in comparison.cells] == [256, 128, 64, 32]  # halvings
    assert comparison.encode_seconds is None
    np.testing.assert_allclose(comparison.embeddings, truncate(full_embeddings, 256))


def test_the_models_trained_widths_are_the_default(docs, backend):
    steps = []
    compare_dimensions(
        docs,
        backend,
        reductions=["none"],
        hdbscan_model=KMeans(5, n_init=1, random_state=0),
        progress=lambda *step: steps.append(step),
    )
    assert steps == [
        (0, 5, f"encoding {len(docs):,} documents"),
        (1, 5, "256 dims, none"),
        (2, 5, "128 dims, none"),
        (3, 5, "64 dims, none"),
        (4, 5, "32 dims, none"),
        (5, 5, "done"),
    ]


def test_only_outliers_is_reported_and_not_hidden(docs, full_embeddings, tmp_path):
    comparison = compare_dimensions(
        docs,
        embeddings=full_embeddings,
        dims=[32],
        reductions=["none"],
        hdbscan_model=DBSCAN(eps=1e-9, min_samples=len(docs)),
        progress=False,
    )
    (cell,) = comparison.cells
    assert (cell.n_topics, cell.outlier_share) == (0, 1.0)
    assert math.isnan(cell.coherence)
    with pytest.raises(ValueError, match="none to recommend"):
        comparison.recommend()
    comparison.to_json(tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["cells"][0]["coherence"] is None


def test_a_topic_may_need_all_documents(docs, full_embeddings):
    comparison = compare_dimensions(
        docs,
        embeddings=full_embeddings,
        dims=[32],
        reductions=["none"],
        min_topic_size=len(docs),
        progress=False,
    )
    (cell,) = comparison.cells
    assert (cell.n_topics, cell.outlier_share) == (1, 0.0)


def test_the_given_models_are_left_as_they_were(docs, full_embeddings):
    clusterer = KMeans(5, n_init=1, random_state=0)
    vectorizer = CountVectorizer()
    compare_dimensions(
        docs,
        embeddings=full_embeddings,
        dims=[64, 32],
        reductions=["none"],
        hdbscan_model=clusterer,
        vectorizer_model=vectorizer,
        progress=False,
    )
    assert not hasattr(clusterer, "labels_")
    assert not hasattr(vectorizer, "vocabulary_")


def test_umap_is_compiled_before_the_clock_runs(docs, full_embeddings):
    comparison = compare_dimensions(
        docs[:120],
        embeddings=full_embeddings[:120],
        dims=[32],
        reductions=["umap"],
        progress=False,
    )
    assert comparison.umap_compile_seconds > 0
    again = compare_dimensions(
        docs[:120],
        embeddings=full_embeddings[:120],
        dims=[32],
        reductions=["umap"],
        progress=False,
    )
    np.testing.assert_array_equal(
        comparison.cells[0].document_topics, again.cells[0].document_topics
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dims": [512]}, ValueError, "dims=512 must be between 1 and 256"),
        ({"dims": []}, ValueError, "names no width"),
        ({"reductions": {"none": []}}, ValueError, "names no width for 'none'"),
        ({"reductions": ["svd"]}, ValueError, "reduction='svd' must be one of"),
        ({"reductions": []}, ValueError, r"reductions=\[\] must be a list"),
        ({"reductions": "umap"}, ValueError, "reductions='umap' must be a list"),
        ({"labels": [1, 2]}, ValueError, r"labels has shape \(2,\)"),
        ({"embeddings": np.ones((3, 8))}, ValueError, r"embeddings has shape \(3, 8\)"),
        ({"min_topic_size": 100_000}, ValueError, "fewer than one topic needs"),
        ({"documents": ["a", None] * 50}, TypeError, r"documents\[1\]=None"),
        ({"documents": "one text"}, TypeError, "single string"),
    ],
)
def test_bad_input_is_refused_before_any_work(docs, backend, change, error, message):
    arguments = {"documents": docs, "backend": backend, "reductions": ["none"], **change}
    with pytest.raises(error, match=message):
        compare_dimensions(**arguments, progress=False)


def test_nan_in_given_embeddings_names_the_row(docs):
    embeddings = np.ones((len(docs), 8))
    embeddings[7, 2] = np.nan
    with pytest.raises(ValueError, match="the first is row 7"):
        compare_dimensions(docs, embeddings=embeddings, dims=[4], progress=False)


def test_a_backend_that_is_truncated_is_still_compared_at_its_full_width(docs):
    comparison = compare_dimensions(
        docs,
        MatryoshkaBackend(truncate_dim=32),
        dims=[256],
        reductions=["none"],
        hdbscan_model=KMeans(5, n_init=1, random_state=0),
        progress=False,
    )
    assert comparison.embeddings.shape == (len(docs), 256)


def test_what_is_clustered_has_unit_rows(docs, full_embeddings):
    """Without a reduction in between, the clusterer sees the cut as truncate makes it."""
    clusterer = KMeans(8, n_init=2, random_state=0)
    comparison = compare_dimensions(
        docs,
        embeddings=full_embeddings,
        dims=[32],
        reductions=["none"],
        hdbscan_model=clusterer,
        progress=False,
    )
    by_hand = clusterer.fit_predict(truncate(full_embeddings, 32))
    found = comparison.cells[0].document_topics
    assert adjusted_mutual_info_score(by_hand, found) == pytest.approx(1)
    unnormalised = clusterer.fit_predict(full_embeddings[:, :32])
    assert adjusted_mutual_info_score(unnormalised, found) < 0.99
