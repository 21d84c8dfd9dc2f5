"""PrincipalRotation: scikit-learn's checks, cases by hand, streams, files, real embeddings."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize
from sklearn.utils.estimator_checks import parametrize_with_checks

from bertopic_matryoshka import DimensionSelector, PrincipalRotation, compare_prefixes


@parametrize_with_checks(
    [
        PrincipalRotation(),
        PrincipalRotation(1, normalize=True),
        PrincipalRotation(sample_size=5),
        PrincipalRotation(sample_size=None, random_state=None),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)


def rows_of(n, d, seed=0):
    """Rows that are not about the origin, with a spectrum that falls."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * np.linspace(2, 0.1, d) + 0.3


def test_by_hand():
    # Unit rows (1, 0), (1, 0), (0, 1): their Gram matrix is diag(2, 1).
    X = np.array([[3.0, 0.0], [0.5, 0.0], [0.0, 7.0]])
    rotation = PrincipalRotation().fit(X)
    np.testing.assert_allclose(rotation.components_, [[1, 0], [0, 1]], atol=1e-12)
    np.testing.assert_allclose(rotation.singular_values_, np.sqrt([2, 1]))
    assert (rotation.rank_, rotation.n_samples_seen_) == (2, 3)
    np.testing.assert_allclose(rotation.transform(X), X, atol=1e-12)
    last = PrincipalRotation().fit(X[:, ::-1])
    np.testing.assert_allclose(last.components_, [[0, 1], [1, 0]], atol=1e-12)


def test_is_the_svd_of_the_unit_rows_without_centring():
    X = rows_of(50, 8)
    rotation = PrincipalRotation().fit(X)
    _, values, axes = np.linalg.svd(normalize(X), full_matrices=False)
    np.testing.assert_allclose(rotation.singular_values_, values)
    np.testing.assert_allclose(np.abs(rotation.components_ @ axes.T), np.eye(8), atol=1e-9)
    theirs = TruncatedSVD(3, algorithm="arpack", random_state=0).fit(normalize(X))
    np.testing.assert_allclose(
        np.abs(PrincipalRotation(3).fit(X).transform(X)), np.abs(theirs.transform(X)), atol=1e-9
    )


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 5), st.booleans())
def test_a_rotation_loses_nothing_and_orders_what_is_there(n, d, seed, single):
    X = rows_of(n, d, seed).astype(np.float32 if single else np.float64)
    rotation = PrincipalRotation().fit(X)
    rotated = rotation.transform(X)
    tolerance = 1e-4 if single else 1e-9
    assert rotated.dtype == X.dtype
    np.testing.assert_allclose(rotation.components_ @ rotation.components_.T, np.eye(d), atol=1e-9)
    np.testing.assert_allclose(rotated @ rotated.T, X @ X.T, atol=tolerance * 10)
    np.testing.assert_allclose(rotation.inverse_transform(rotated), X, atol=tolerance)
    assert rotation.rank_ <= min(n, d)
    assert (np.diff(rotation.singular_values_) <= 0).all()
    length = np.square(normalize(X) @ rotation.components_.T).sum(axis=0)
    np.testing.assert_allclose(length, rotation.singular_values_**2, atol=1e-5)
    largest = np.abs(rotation.components_).argmax(axis=1)
    assert (rotation.components_[np.arange(d), largest] > 0).all()


def test_no_other_axes_keep_more_of_the_length():
    X = normalize(rows_of(200, 10))
    kept = np.square(PrincipalRotation(3).fit_transform(X)).sum()
    for seed in range(20):
        others = np.linalg.qr(np.random.default_rng(seed).normal(size=(10, 3)))[0]
        assert np.square(X @ others).sum() < kept
    assert np.square(X[:, :3]).sum() < kept


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 3))
def test_a_stream_gives_what_all_rows_give(sizes, seed):
    X = rows_of(sum(sizes), 6, seed)
    streamed = PrincipalRotation()
    for batch in np.split(X, np.cumsum(sizes)[:-1]):
        streamed.partial_fit(batch)
    whole = PrincipalRotation(sample_size=None).fit(X)
    assert streamed.n_samples_seen_ == len(X)
    assert streamed.rank_ == whole.rank_
    np.testing.assert_allclose(streamed.singular_values_, whole.singular_values_, atol=1e-7)
    kept = slice(whole.rank_)
    np.testing.assert_allclose(
        np.abs(streamed.components_[kept] @ whole.components_[kept].T),
        np.eye(whole.rank_),
        atol=1e-5,
    )


def test_partial_fit_goes_on_after_fit():
    X = rows_of(60, 5)
    rotation = PrincipalRotation().fit(X[:20]).partial_fit(X[20:])
    np.testing.assert_allclose(rotation.components_, PrincipalRotation().fit(X).components_)


def test_the_sample_is_drawn_by_the_seed():
    X = rows_of(500, 6)
    first = PrincipalRotation(sample_size=50).fit(X)
    assert first.n_samples_seen_ == 50
    np.testing.assert_array_equal(
        first.components_, PrincipalRotation(sample_size=50).fit(X).components_
    )
    other = PrincipalRotation(sample_size=50, random_state=1).fit(X)
    assert np.abs(first.components_ - other.components_).max() > 1e-3
    rows = np.sort(np.random.RandomState(0).choice(500, 50, replace=False))
    np.testing.assert_allclose(first.components_, PrincipalRotation().fit(X[rows]).components_)


def test_fewer_rows_than_dimensions_complete_the_basis():
    X = rows_of(4, 9)
    rotation = PrincipalRotation().fit(X)
    assert rotation.rank_ == 4
    assert rotation.components_.shape == (9, 9)
    new = rows_of(5, 9, seed=1)
    np.testing.assert_allclose(rotation.inverse_transform(rotation.transform(new)), new)
    with pytest.raises(ValueError, match="n_components=5 must be at most 4, the number of axes"):
        PrincipalRotation(5).fit(X)
    stream = PrincipalRotation(5)
    with pytest.raises(ValueError, match="4 rows of 9 dimensions determine"):
        stream.partial_fit(X)
    stream = PrincipalRotation(5).fit(rows_of(9, 9))
    before = stream.components_
    stream.n_components = 10
    with pytest.raises(ValueError, match="n_components=10 must be at most 9"):
        stream.partial_fit(X)
    assert stream.components_ is before
    assert stream.n_samples_seen_ == 9


def test_near_zero_and_equal_dimensions_determine_no_axis():
    X = rows_of(50, 6)
    X[:, 2] = 0
    X[:, 5] = X[:, 4]
    assert PrincipalRotation().fit(X).rank_ == 4


def test_zero_rows_stay_and_do_not_count():
    X = rows_of(30, 4)
    rotation = PrincipalRotation(normalize=True)
    with_zero = rotation.fit_transform(np.vstack([X, np.zeros((3, 4))]))
    np.testing.assert_array_equal(with_zero[30:], 0)
    np.testing.assert_allclose(np.linalg.norm(with_zero[:30], axis=1), 1)
    np.testing.assert_allclose(rotation.components_, PrincipalRotation().fit(X).components_)
    with pytest.raises(ValueError, match="All 3 rows are zero and have no direction"):
        PrincipalRotation().fit(np.zeros((3, 4)))


def test_half_precision_and_a_file_larger_than_a_block(tmp_path):
    X = rows_of(30_000, 64).astype(np.float16)
    np.save(tmp_path / "rows.npy", X)
    file = np.load(tmp_path / "rows.npy", mmap_mode="r")
    whole = PrincipalRotation(sample_size=None).fit(X.astype(np.float32))
    for sample_size in (None, 10_000):
        rotation = PrincipalRotation(sample_size=sample_size)
        tracemalloc.start()
        rotation.fit(file)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12 * 2**20  # the rows are 15 MB in float64
    np.testing.assert_allclose(
        PrincipalRotation(sample_size=None).fit(file).components_, whole.components_, atol=1e-9
    )
    rotated = whole.transform(file)
    assert rotated.dtype == np.float32
    np.testing.assert_allclose(rotated, whole.transform(X.astype(np.float32)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("sample_size", [None, 4999])
def test_rows_that_are_not_finite_are_named(value, sample_size):
    X = rows_of(5000, 3)
    fitted = PrincipalRotation().fit(X)
    X[4321, 1] = value
    with pytest.raises(ValueError, match="first in row 4321"):
        PrincipalRotation(sample_size=sample_size).fit(X)
    with pytest.raises(ValueError, match="first in row 4321"):
        fitted.transform(X)
    with pytest.raises(ValueError, match="first in row 4321"):
        fitted.partial_fit(X)
    assert fitted.n_samples_seen_ == 5000
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        fitted.inverse_transform(X)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            {"n_components": 0},
            ValueError,
            "n_components=0 must be at least 1 or None. None keeps all axes",
        ),
        ({"n_components": 1.5}, TypeError, "n_components=1.5 must be an int"),
        ({"n_components": 4}, ValueError, "n_components=4 must be at most 3"),
        (
            {"sample_size": 0},
            ValueError,
            "sample_size=0 must be at least 1 or None. None uses all rows",
        ),
        ({"sample_size": True}, TypeError, "sample_size=True must be an int"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        PrincipalRotation(**parameters).fit(rows_of(20, 3))


def test_not_fitted_and_other_widths():
    X = rows_of(20, 4)
    with pytest.raises(NotFittedError):
        PrincipalRotation().transform(X)
    rotation = PrincipalRotation(2).fit(X)
    with pytest.raises(ValueError, match="X has 3 features, but PrincipalRotation is expecting 4"):
        rotation.transform(X[:, :3])
    with pytest.raises(ValueError, match="X is 4 wide, but rotated rows are 2 wide"):
        rotation.inverse_transform(X)


def test_names_of_features_pickle_clone_and_pipeline():
    X = pd.DataFrame(rows_of(40, 4), columns=list("abcd"))
    rotation = PrincipalRotation(2).fit(X)
    assert rotation.get_feature_names_out().tolist() == ["principalrotation0", "principalrotation1"]
    again = pickle.loads(pickle.dumps(rotation))
    np.testing.assert_array_equal(again.transform(X), rotation.transform(X))
    assert clone(rotation).get_params() == rotation.get_params()
    steps = make_pipeline(PrincipalRotation(), DimensionSelector(2))
    assert steps.fit_transform(X).shape == (40, 2)


def test_real_embeddings_are_ordered_again(full_embeddings):
    """In a random order of its dimensions, the bundled model is like one that was never cut."""
    X = full_embeddings[:, np.random.default_rng(0).permutation(256)]
    half = len(X) // 2
    rotated = PrincipalRotation().fit(X[:half]).transform(X[half:])
    kept, before = (
        compare_prefixes(Y, [64, 32, 16])["neighbors_kept"] for Y in (rotated, X[half:])
    )
    assert (kept > before + 0.07).all()
