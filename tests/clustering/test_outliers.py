"""A share of outliers: cases by hand, exact shares, new rows, real BERTopic."""

import warnings

import numpy as np
import pytest
from bertopic import BERTopic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import DimensionSelector, LeidenClustering
from bertopic_matryoshka.clustering._outliers import least_typical, typicality
from bertopic_matryoshka.topics._estimator_state import pack, unpack


def test_typicality_by_hand():
    # A path of four rows, 0 - 1 - 2 - 3, in two clusters; the last two are the same direction.
    graph = csr_matrix(np.diag([1.0, 1, 1], 1) + np.diag([1.0, 1, 1], -1))
    rows = np.array([[1.0, 0], [0.8, 0.6], [0, 1], [0, 1]])
    found, score = typicality(graph, np.array([0, 0, 1, 1]), rows, rounds=2)
    # Memberships are 1, 1/2, 1/2, 1; averaged once 1/2, 3/4, 3/4, 1/2; twice 3/4, 5/8, 5/8, 3/4.
    np.testing.assert_allclose(found.averaged, [1 / 2, 3 / 4, 3 / 4, 1 / 2])
    np.testing.assert_allclose(found.memberships, [5 / 8, 5 / 8, 3 / 4, 3 / 4])
    np.testing.assert_allclose(found.centroids, [[3 / 10**0.5, 1 / 10**0.5], [0, 1]])
    np.testing.assert_allclose(found.cosines, [3 / 10**0.5, 3 / 10**0.5, 1, 1])
    # Ranks of the memberships are 3/4, 1/4, 1/4, 3/4; of the cosines 1/4, 1/4, 3/4, 3/4.
    np.testing.assert_allclose(score, [1.75, 0.75, 1.25, 2.25])


@pytest.mark.parametrize(
    ("counts", "n_outliers", "min_size", "expected"),
    [
        ([1, 1, 1, 1, 1, 1], 2, 1, [2, 5]),
        ([1, 1, 1, 1, 1, 1], 2, 2, [2, 3]),  # row 5 is among the two that its cluster keeps
        ([1, 1, 1, 1, 1, 1], 5, 3, [1, 2, 3, 4, 5]),  # there is no room to keep one of each
        ([1, 1, 3, 1, 1, 1], 2, 1, [3, 5]),  # three copies are more than two
        ([1, 1, 3, 1, 1, 1], 4, 1, [2, 5]),
        ([2, 2, 2, 2, 2, 2], 3, 1, [2]),  # as many as the copies allow
        ([1, 1, 1, 1, 1, 1], 0, 1, []),
    ],
)
def test_least_typical_by_hand(counts, n_outliers, min_size, expected):
    score = np.array([0.9, 0.5, 0.1, 0.2, 0.8, 0.15])
    labels = np.array([0, 0, 0, 0, 1, 1])
    chosen = least_typical(score, labels, np.array(counts), n_outliers, min_size)
    assert chosen.tolist() == expected


def test_of_equal_rows_the_first_is_kept_and_the_next_goes():
    labels, counts = np.array([-1, 0, 0, 0, 1, 1]), np.ones(6, dtype=int)
    assert least_typical(np.zeros(6), labels, counts, 2, 1).tolist() == [2, 3]


def with_copies(embeddings):
    """Rows, 40 of which are copies of the first two, and three zero rows."""
    zero = np.zeros((3, embeddings.shape[1]))
    return np.vstack([zero, embeddings, np.repeat(embeddings[:2], 20, axis=0)])


@settings(max_examples=12, deadline=None)
@given(
    share=st.floats(0.02, 0.9),
    n_clusters=st.sampled_from([None, 3, 9]),
    seed=st.integers(0, 5),
)
def test_the_share_is_exact(embeddings, share, n_clusters, seed):
    X = with_copies(embeddings)
    clustering = LeidenClustering(n_clusters, outlier_share=share, random_state=seed).fit(X)
    outlier = clustering.labels_ == -1
    assert outlier.sum() == round(share * len(X))
    assert outlier[:3].all()
    assert (clustering.probabilities_[outlier] == 0).all()
    np.testing.assert_array_equal(clustering.labels_, clustering.labels_[clustering.copy_of_])
    assert clustering.n_clusters_ == (n_clusters or clustering.n_clusters_)
    assert np.unique(clustering.labels_[~outlier]).size == clustering.n_clusters_


def test_only_outliers_differ_from_a_fit_without(embeddings):
    whole = LeidenClustering(8).fit(embeddings)
    some = LeidenClustering(8, outlier_share=0.25).fit(embeddings)
    kept = some.labels_ >= 0
    pairs = set(zip(whole.labels_[kept].tolist(), some.labels_[kept].tolist(), strict=True))
    assert len(pairs) == 8  # numbered by size anew
    assert whole.probabilities_[kept].mean() > whole.probabilities_.mean()
    assert np.bincount(some.labels_[kept]).min() >= 10


def test_the_order_of_rows_does_not_matter(embeddings):
    X = with_copies(embeddings)
    order = np.random.default_rng(0).permutation(len(X))
    labels = LeidenClustering(outlier_share=0.3).fit_predict(X)
    np.testing.assert_array_equal(
        LeidenClustering(outlier_share=0.3).fit_predict(X[order]), labels[order]
    )


def test_another_number_has_the_same_share(embeddings):
    X = with_copies(embeddings)
    labels = LeidenClustering(outlier_share=0.2).fit(X).labels_at(6)
    np.testing.assert_array_equal(labels, LeidenClustering(6, outlier_share=0.2).fit_predict(X))


def test_new_rows_are_left_out_in_about_the_same_share(embeddings):
    fitted, new = embeddings[::2], embeddings[1::2]
    shares = []
    for share in (0.0, 0.2, 0.5):
        clustering = LeidenClustering(4, outlier_share=share).fit(fitted)
        labels, strengths = clustering.predict_strength(new)
        assert (strengths[labels == -1] == 0).all()
        np.testing.assert_array_equal(labels, clustering.predict(new))
        shares.append((labels == -1).mean())
    np.testing.assert_allclose(shares, [0.0, 0.2, 0.5], atol=0.15)
    assert clustering.predict(np.zeros((1, new.shape[1]))).tolist() == [-1]
    # Without a share, nothing of it is left.
    clustering.set_params(outlier_share=0.0).fit(fitted)
    assert (clustering.predict(new) >= 0).all()


def test_saved_outliers_predict_the_same(embeddings):
    clustering = LeidenClustering(outlier_share=0.4).fit(embeddings[::2])
    loaded = unpack(*pack(clustering), [LeidenClustering])
    new = embeddings[1::2]
    assert (clustering.predict(new) == -1).any()
    np.testing.assert_array_equal(loaded.predict(new), clustering.predict(new))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"outlier_share": 1.0}, r"outlier_share=1.0 must be in \[0, 1\)"),
        ({"outlier_share": -0.1}, r"outlier_share=-0.1 must be in \[0, 1\)"),
        ({"outlier_share": float("nan")}, "outlier_share=nan must be"),
        (
            {"outlier_share": 0.1, "min_membership": 0.2},
            "outlier_share=0.1 and min_membership=0.2 are both given",
        ),
    ],
)
def test_bad_shares(embeddings, parameters, message):
    with pytest.raises(ValueError, match=message):
        LeidenClustering(**parameters).fit(embeddings)


def test_a_share_that_can_not_be_kept_is_said(embeddings):
    X = np.vstack([np.zeros((40, embeddings.shape[1])), embeddings])
    with pytest.warns(RuntimeWarning, match="40 can be in no cluster"):
        labels = LeidenClustering(outlier_share=0.01).fit_predict(X)
    np.testing.assert_array_equal(labels == -1, np.arange(len(X)) < 40)
    nearly_all = LeidenClustering(9, outlier_share=1 - 2 / len(embeddings))
    with pytest.warns(RuntimeWarning, match="leaves rows in only 1 of 9 clusters") as said:
        clustering = nearly_all.fit(embeddings)
    assert clustering.n_clusters_ == 1
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "40 of 541 rows are zero")
        LeidenClustering(outlier_share=0.3).fit(X)


def test_topics_of_bertopic_with_a_share_of_outliers(docs, embeddings):
    topic_model = BERTopic(
        umap_model=DimensionSelector(),
        hdbscan_model=LeidenClustering(5, outlier_share=0.2),
        vectorizer_model=CountVectorizer(stop_words="english"),
    )
    topics, probabilities = topic_model.fit_transform(docs, embeddings)
    outlier = np.array(topics) == -1
    assert outlier.sum() == round(0.2 * len(docs))
    assert (probabilities[outlier] == 0).all()
    assert topic_model.get_topic_info()["Topic"].tolist() == [-1, 0, 1, 2, 3, 4]
    again = topic_model.reduce_outliers(docs, topics, strategy="c-tf-idf")
    assert (np.array(again) == -1).mean() < 0.05
