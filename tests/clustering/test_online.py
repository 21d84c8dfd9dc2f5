"""Batches of rows: clusters keep their numbers, new ones are found, and what changed is told."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from bertopic_matryoshka import LeidenClustering
from bertopic_matryoshka.clustering import _online
from bertopic_matryoshka.clustering._online import flows, matched_names, thinned
from bertopic_matryoshka.topics._estimator_state import pack, unpack


def blob(axis, n, seed, scale=0.1):
    """Give n rows around an axis of 16."""
    rng = np.random.default_rng([seed, axis])
    return (np.eye(16)[axis] + rng.normal(scale=scale, size=(n, 16))).astype(np.float32)


def batch_of(seed, **sizes):
    """Give rows of blobs, as in a0=30, and the axis of each row."""
    axes = [int(name[1:]) for name in sizes]
    rows = [blob(axis, n, seed) for axis, n in zip(axes, sizes.values(), strict=True)]
    return np.concatenate(rows), np.repeat(axes, list(sizes.values()))


@pytest.fixture
def two_blobs():
    X, axes = batch_of(0, a0=60, a1=40)
    return LeidenClustering(2).partial_fit(X), X, axes


def test_the_first_batch_is_a_fit():
    X, _ = batch_of(0, a0=60, a1=40)
    first, fitted = LeidenClustering().partial_fit(X), LeidenClustering().fit(X)
    np.testing.assert_array_equal(first.labels_, fitted.labels_)
    np.testing.assert_array_equal(first.children_, fitted.children_)
    assert first.n_samples_seen_ == 100
    assert len(first.topic_changes_) == 0


def test_known_rows_join_and_a_new_blob_makes_a_cluster(two_blobs):
    clustering, X, axes = two_blobs
    again, axes_again = batch_of(1, a0=30, a1=20)
    clustering.partial_fit(again)
    np.testing.assert_array_equal(clustering.labels_, axes_again)
    assert clustering.n_clusters_ == 2
    with_new, axes_new = batch_of(2, a0=30, a1=20, a2=40)
    clustering.partial_fit(with_new)
    np.testing.assert_array_equal(clustering.labels_, axes_new)
    assert clustering.n_samples_seen_ == 240
    assert clustering.topic_changes_.to_dict("records") == [
        {"batch": 2, "change": "new", "old": -1, "new": 2, "n_samples": 40}
    ]
    np.testing.assert_array_equal(clustering.predict(X), axes)
    np.testing.assert_array_equal(clustering.predict(blob(2, 5, 9)), [2] * 5)
    assert (clustering.probabilities_ > 0.9).all()


def test_two_new_blobs_are_two_clusters(two_blobs):
    clustering, _, _ = two_blobs
    X, axes = batch_of(1, a0=60, a2=30, a3=50)
    clustering.partial_fit(X)
    assert adjusted_rand_score(clustering.labels_, axes) == 1
    assert clustering.topic_changes_[["change", "new", "n_samples"]].to_numpy().tolist() == [
        ["new", 2, 50],
        ["new", 3, 30],
    ]


def test_a_known_cluster_may_grow_many_times_over(two_blobs):
    clustering, _, _ = two_blobs
    X, axes = batch_of(1, a0=20, a1=600)
    clustering.partial_fit(X)
    np.testing.assert_array_equal(clustering.labels_, axes)
    assert clustering.n_clusters_ == 2


def test_few_rows_wait_until_there_are_enough():
    clustering = LeidenClustering(2, min_cluster_size=15)
    clustering.partial_fit(batch_of(0, a0=360, a1=240)[0])
    few, axes = batch_of(2, a0=60, a1=40, a2=13)
    clustering.partial_fit(few)
    assert clustering.n_clusters_ == 2
    np.testing.assert_array_equal(clustering.waiting_, axes == 2)
    waited_in = clustering.labels_[axes == 2]
    assert set(waited_in) <= {0, 1}  # as if they had not waited, so that nothing is an outlier
    more, axes = batch_of(3, a0=60, a1=40, a2=20)
    clustering.partial_fit(more)
    np.testing.assert_array_equal(clustering.labels_, axes)
    assert not clustering.waiting_.any()
    np.testing.assert_array_equal(clustering.predict(few[-13:]), [2] * 13)
    told = clustering.topic_changes_
    assert (told["change"] == "new").all()
    assert (told["new"] == 2).all()
    assert told.set_index("old")["n_samples"].to_dict() == {
        -1: 20,
        **{int(old): int(np.sum(waited_in == old)) for old in np.unique(waited_in)},
    }


def test_the_order_within_a_batch_does_not_matter(embeddings):
    order = np.random.default_rng(0).permutation(250)
    found = []
    for places in (np.arange(250), order):
        clustering = LeidenClustering(4).partial_fit(embeddings[:251])
        labels = clustering.partial_fit(embeddings[251:][places]).labels_
        found.append(labels[np.argsort(places)])
    np.testing.assert_array_equal(*found)


def test_real_text_in_batches(embeddings, doc_labels):
    rows = np.random.default_rng(0).permutation(len(embeddings))
    clustering = LeidenClustering()
    labels = np.full(len(embeddings), -1)
    for batch in np.array_split(rows, 5):
        before = labels[labels >= 0]
        seen = np.flatnonzero(labels >= 0)
        clustering.partial_fit(embeddings[batch])
        labels[batch] = clustering.labels_
        if seen.size:  # none waited, so none has moved
            np.testing.assert_array_equal(clustering.predict(embeddings[seen]), before)
    assert not clustering.waiting_.any()
    one_fit = LeidenClustering().fit_predict(embeddings)
    scores = [adjusted_mutual_info_score(doc_labels, found) for found in (labels, one_fit)]
    assert scores[0] > 0.8 * scores[1]


def test_copies_of_earlier_rows_have_their_labels(two_blobs):
    clustering, X, axes = two_blobs
    batch = np.concatenate([X[50:70], X[50:60], blob(0, 30, 5)])
    clustering.partial_fit(batch)
    np.testing.assert_array_equal(clustering.labels_, [*axes[50:70], *axes[50:60], *[0] * 30])
    np.testing.assert_array_equal(clustering.copy_of_[20:30], np.arange(10))
    assert clustering.n_copies_ == 10
    assert clustering.n_samples_seen_ == 160


def test_zero_rows_are_outliers(two_blobs):
    clustering, _, _ = two_blobs
    clustering.partial_fit(np.vstack([blob(0, 9, 1), np.zeros((2, 16))]))
    assert clustering.labels_.tolist() == [0] * 9 + [-1] * 2
    assert clustering.probabilities_[-2:].tolist() == [0, 0]
    assert not clustering.waiting_.any()


def test_a_batch_of_zero_rows_or_one_row(two_blobs):
    clustering, X, axes = two_blobs
    assert clustering.partial_fit(np.zeros((3, 16))).labels_.tolist() == [-1] * 3
    assert clustering.partial_fit(blob(1, 1, 3)).labels_.tolist() == [1]
    np.testing.assert_array_equal(clustering.predict(X), axes)


def test_probabilities_of_all_clusters():
    X, _ = batch_of(0, a0=60, a1=40)
    clustering = LeidenClustering(2, calculate_probabilities=True).partial_fit(X)
    batch, axes = batch_of(2, a0=30, a1=20, a2=40)
    probabilities = clustering.partial_fit(batch).probabilities_
    assert probabilities.shape == (90, 3)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), axes)


def test_what_is_kept_has_a_limit():
    clustering = LeidenClustering(2, max_samples=150)
    clustering.partial_fit(batch_of(0, a0=90, a1=12)[0])
    for seed in range(1, 5):
        X, axes = batch_of(seed, a0=60, a1=2)
        assert np.mean(clustering.partial_fit(X).labels_ == axes) > 0.95
        assert len(clustering.leaf_labels_) == 62
    assert clustering.n_samples_seen_ == 102 + 4 * 62
    kept = clustering._fit_labels  # no public attribute has them
    assert kept.size <= 150
    assert np.bincount(kept)[1] >= 10


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=60), st.integers(1, 60), st.integers(2, 8))
def test_thinned_properties(labels, n_kept, size):
    labels = np.array(labels)
    kept = thinned(labels, n_kept, size, np.random.default_rng(0))
    assert len(kept) == min(n_kept, labels.size)
    assert (np.diff(kept) > 0).all()
    names, counts = np.unique(labels, return_counts=True)
    first = sum(n if name < 0 else min(n, size) for name, n in zip(names, counts, strict=True))
    if n_kept >= first:
        for name, n in zip(names, counts, strict=True):
            assert np.sum(labels[kept] == name) >= (n if name < 0 else min(n, size))


# ---- asked for, clusters are made anew


def test_a_split_and_a_merge_are_told(two_blobs):
    clustering, X, axes = two_blobs
    merged = clustering.recluster(1)
    assert merged.to_dict("records") == [
        {"batch": 0, "change": "kept", "old": 0, "new": 0, "n_samples": 60},
        {"batch": 0, "change": "merged", "old": 1, "new": 0, "n_samples": 40},
    ]
    assert set(clustering.labels_) == {0}
    split = clustering.recluster(2)
    assert split.to_dict("records") == [
        {"batch": 0, "change": "kept", "old": 0, "new": 0, "n_samples": 60},
        {"batch": 0, "change": "split", "old": 0, "new": 2, "n_samples": 40},
    ]
    np.testing.assert_array_equal(clustering.labels_, 2 * axes)  # 1 is not given again
    np.testing.assert_array_equal(clustering.predict(X), 2 * axes)
    assert clustering.n_clusters_ == 3
    assert len(clustering.topic_changes_) == 4
    # The stream goes on with these numbers, and a new cluster gets the next.
    batch, axes = batch_of(4, a0=30, a1=20, a2=40)
    labels = clustering.partial_fit(batch).labels_
    np.testing.assert_array_equal(labels, np.array([0, 2, 3])[axes])


def test_clustering_anew_is_a_fit_of_what_is_kept(embeddings):
    clustering = LeidenClustering(4)
    for batch in np.array_split(embeddings, 3):
        clustering.partial_fit(batch)
    clustering.recluster()
    again = LeidenClustering(4).fit(embeddings)
    assert adjusted_rand_score(clustering.predict(embeddings), again.labels_) > 0.99


def test_matched_names_by_hand():
    old = np.array([0, 0, 0, 1, 1, 2, -1])
    new = np.array([1, 1, 0, 0, 0, 2, 3])
    ones = np.ones(7, dtype=int)
    # 1 shares two rows with 0; 0 one with 0 and two with 1; 2 is 2; 3 is new.
    assert matched_names(old, new, ones, 3).tolist() == [1, 0, 2, 3]
    # Of the largest sum: 0 with 1 and 1 with 0 share 3 + 3, more than 4 + 0.
    old, new = np.array([0] * 7 + [1] * 3), np.array([0] * 4 + [1] * 3 + [0] * 3)
    assert matched_names(old, new, np.ones(10, dtype=int), 2).tolist() == [1, 0]


def test_flows_by_hand():
    old = np.array([0, 0, 0, 0, 1, 1, 2, -1, -1])
    new = np.array([0, 0, 3, 1, 1, 1, 1, 4, -1])
    counts = np.array([1, 1, 1, 1, 1, 5, 1, 2, 1])
    assert flows(old, new, counts, 3, 0.3) == [
        ("new", -1, 4, 2),
        ("kept", 0, 0, 2),
        ("kept", 1, 1, 6),
        ("merged", 2, 1, 1),
    ]
    told = flows(old, new, counts, 3, 0)
    assert ("split", 0, 3, 1) in told
    assert ("moved", 0, 1, 1) in told


# ---- saving, and bad input


@pytest.mark.parametrize(
    "again",
    [
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: unpack(*pack(model), [LeidenClustering]),
    ],
)
def test_a_saved_stream_goes_on(two_blobs, again):
    clustering, _, _ = two_blobs
    clustering.partial_fit(batch_of(1, a0=30, a2=40)[0])
    clustering.predict(blob(0, 2, 7))  # which makes an index
    loaded = again(clustering)
    batch = batch_of(3, a1=30, a2=20, a3=50)[0]
    for model in (clustering, loaded):
        model.partial_fit(batch)
    np.testing.assert_array_equal(loaded.labels_, clustering.labels_)
    assert loaded.topic_changes_.equals(clustering.topic_changes_)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"outlier_share": 0.1}, r"outlier_share=0\.1 .* Use min_membership"),
        ({"neighbors": csr_matrix((100, 100))}, "Pass a transformer"),
        ({"max_samples": 100}, r"A batch of 100 rows leaves no room .* max_samples=100"),
        ({"max_samples": 1}, "max_samples=1 must be at least 2"),
    ],
)
def test_what_batches_cannot_have(parameters, message):
    X, _ = batch_of(0, a0=60, a1=40)
    with pytest.raises(ValueError, match=message):
        LeidenClustering(**parameters).partial_fit(X)


def test_clustering_anew_has_no_share_of_outliers_and_not_any_number(two_blobs):
    clustering, _, axes = two_blobs
    with pytest.raises(ValueError, match=r"n_clusters=99 .* Ask for at most"):
        clustering.recluster(99)
    with pytest.raises(ValueError, match=r"outlier_share=0\.1 .* recluster"):
        clustering.set_params(outlier_share=0.1).recluster()
    np.testing.assert_array_equal(clustering.labels_, axes)


@pytest.mark.parametrize("method", ["partial_fit", "recluster"])
def test_the_fit_of_an_earlier_version_cannot_go_on(two_blobs, method):
    clustering, X, axes = two_blobs
    for name in ("_waiting", "_changes", "_n_batches", "_copy_rows", "_copy_groups"):
        delattr(clustering, name)
    with pytest.raises(NotFittedError, match=r"earlier version, .* Fit it again"):
        getattr(clustering, method)(*([X] if method == "partial_fit" else []))
    np.testing.assert_array_equal(clustering.labels_, axes)
    np.testing.assert_array_equal(clustering.predict(X), axes)


def test_a_batch_of_another_width_changes_nothing(two_blobs):
    clustering, X, axes = two_blobs
    with pytest.raises(ValueError, match="15 features"):
        clustering.partial_fit(X[:, :15])
    assert clustering.n_samples_seen_ == 100
    np.testing.assert_array_equal(clustering.labels_, axes)


def test_a_batch_that_fails_changes_nothing(two_blobs, monkeypatch):
    clustering, X, axes = two_blobs
    clustering.predict(X)
    batch, expected = batch_of(2, a0=30, a1=20, a2=40)
    with monkeypatch.context() as patch:
        patch.setattr(_online, "join_or_found", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clustering.partial_fit(batch)
    assert clustering.n_samples_seen_ == 100
    np.testing.assert_array_equal(clustering.labels_, axes)
    np.testing.assert_array_equal(clustering.predict(X), axes)
    np.testing.assert_array_equal(clustering.partial_fit(batch).labels_, expected)


def test_outliers_of_the_fit_do_not_stay_when_it_goes_on():
    X, axes = batch_of(0, a0=60, a1=40)
    clustering = LeidenClustering(2, outlier_share=0.2).fit(X)
    assert np.mean(clustering.labels_ < 0) == 0.2
    clustering.set_params(outlier_share=0).partial_fit(batch_of(1, a0=30, a1=20)[0])
    np.testing.assert_array_equal(clustering.predict(X), axes)


def test_nothing_known_at_all():
    # Rows that are no cluster can be, since there are too few, and then a batch that is one.
    clustering = LeidenClustering(min_cluster_size=10).partial_fit(blob(0, 3, 0))
    assert clustering.n_clusters_ == 0
    clustering.partial_fit(batch_of(1, a0=30, a1=30)[0])
    assert clustering.n_clusters_ >= 1
    assert (clustering.labels_ >= 0).all()


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=40), min_size=1, max_size=4))
def test_any_stream_keeps_its_promises(batches):
    clustering = LeidenClustering(min_cluster_size=5, copy_distance=0)  # else copies are as one
    settled, labels = np.empty((0, 16), np.float32), np.empty(0, int)
    for number, axes in enumerate(batches):
        rows = (blob(axis, 1, 100 * number + i)[0] for i, axis in enumerate(axes))
        X = np.stack(list(rows))
        known = clustering.predict(settled) if len(settled) else labels
        np.testing.assert_array_equal(known, labels)
        clustering.partial_fit(X)
        assert clustering.labels_.shape == (len(X),)
        assert clustering.labels_.max(initial=-1) < max(clustering.n_clusters_, 1)
        keep = (clustering.labels_ >= 0) & ~clustering.waiting_
        settled = np.concatenate([settled, X[keep]])
        labels = np.concatenate([labels, clustering.labels_[keep]])
