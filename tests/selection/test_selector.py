"""DimensionSelector: scikit-learn's checks, cases by hand, streams, files, real embeddings."""

import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from bertopic_matryoshka import DimensionSelector

REAL = Path(__file__).parents[3] / "shared" / "embeddings"


@parametrize_with_checks(
    [
        DimensionSelector(),
        DimensionSelector(0.5),
        DimensionSelector(1, near_zero=0, normalize=False),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.fixture
def X():
    """Standard deviations 4, 1, 0, 2 and .05."""
    signs = np.array([[1, 1, 0, 1, 1], [-1, 1, 0, -1, -1], [1, -1, 0, -1, 1], [-1, -1, 0, 1, -1]])
    return signs * [4, 1, 0, 2, 0.05] + [0, 3, 7, 0, 1]


def test_all_but_the_near_zero_ones(X):
    selector = DimensionSelector(normalize=False).fit(X)
    np.testing.assert_allclose(selector.variances_, [16, 1, 0, 4, 0.0025])
    assert selector.near_zero_.tolist() == [2, 4]  # median 1, so at most .1
    assert selector.get_support(indices=True).tolist() == [0, 1, 3]
    np.testing.assert_array_equal(selector.transform(X), X[:, [0, 1, 3]])


@pytest.mark.parametrize(
    ("n", "expected"), [(1, [0]), (2, [0, 3]), (3, [0, 1, 3]), (0.2, [0]), (0.5, [0, 3])]
)
def test_number_and_share(X, n, expected):
    selector = DimensionSelector(n).fit(X)
    assert selector.get_support(indices=True).tolist() == expected


def test_near_zero_zero_drops_constant_dimensions_only(X):
    assert DimensionSelector(near_zero=0).fit(X).near_zero_.tolist() == [2]


def test_equal_scores_are_ranked_by_position():
    X = np.array([[1.0, 1, 1, 1], [-1, -1, -1, -1]])
    assert DimensionSelector(2).fit(X).get_support(indices=True).tolist() == [0, 1]


def test_rows_have_unit_length(X):
    selected = DimensionSelector(2).fit_transform(X)
    np.testing.assert_allclose(np.linalg.norm(selected, axis=1), 1)
    np.testing.assert_allclose(selected[0], np.array([4, 2]) / np.sqrt(20))


def test_a_row_that_is_zero_in_the_kept_dimensions_stays_zero(X):
    selector = DimensionSelector(1).fit(X)
    np.testing.assert_array_equal(selector.transform([[0, 1, 1, 1, 1]]), [[0]])


@pytest.mark.parametrize("n", [4, 5, 0.7, 1.0])
def test_more_than_vary_is_an_error_that_names_the_near_zero_ones(X, n):
    with pytest.raises(ValueError, match=r"only 3 of 5 vary; near-zero: 2, 4\."):
        DimensionSelector(n).fit(X)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_features_to_select": 0}, ValueError, "n_features_to_select=0 must be at least 1"),
        ({"n_features_to_select": 1.5}, ValueError, r"in \(0, 1\] or None. A float is a share"),
        ({"n_features_to_select": "all"}, TypeError, "n_features_to_select='all'"),
        ({"n_features_to_select": True}, TypeError, "n_features_to_select=True"),
        ({"near_zero": 1.0}, ValueError, r"near_zero=1.0 must be in \[0, 1\)"),
        ({"near_zero": "low"}, TypeError, "near_zero='low'"),
        ({"criterion": "size"}, ValueError, "criterion='size' must be one of"),
    ],
)
def test_bad_parameters(X, parameters, error, message):
    with pytest.raises(error, match=message):
        DimensionSelector(**parameters).fit(X)


def test_constant_input():
    with pytest.raises(ValueError, match=r"all 3 dimensions are constant over the 4 rows"):
        DimensionSelector().fit(np.full((4, 3), 0.1))


def test_nan_names_its_row(X):
    X[2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN, first in row 2"):
        DimensionSelector().fit(X)
    fitted = DimensionSelector().fit(np.nan_to_num(X))
    with pytest.raises(ValueError, match="NaN, first in row 2"):
        fitted.transform(X)


def test_unfitted():
    with pytest.raises(NotFittedError):
        DimensionSelector().transform([[1.0, 2.0]])


def test_a_callable_ranks(X):
    selector = DimensionSelector(2, criterion=lambda X: np.abs(X.mean(axis=0))).fit(X)
    # Dimension 2 has the largest mean but no variance; then 1 and, of those that vary, the first.
    assert selector.get_support(indices=True).tolist() == [0, 1]
    np.testing.assert_allclose(selector.scores_, [0, 3, 7, 0, 1])


@pytest.mark.parametrize("scores", [np.ones(3), np.full(5, np.nan)])
def test_a_callable_must_give_a_score_per_dimension(X, scores):
    with pytest.raises(ValueError, match="one score, which may be infinite, for each of the 5"):
        DimensionSelector(criterion=lambda _: scores).fit(X)


def test_names_and_pandas_output(X):
    frame = pd.DataFrame(X, columns=list("abcde"))
    selector = DimensionSelector(2).set_output(transform="pandas").fit(frame)
    selected = selector.transform(frame)
    assert selector.get_feature_names_out().tolist() == ["a", "d"]
    assert selected.columns.tolist() == ["a", "d"]
    assert DimensionSelector(2).fit(X).get_feature_names_out().tolist() == ["x0", "x3"]


def test_inverse_transform_puts_columns_back(X):
    selector = DimensionSelector(normalize=False).fit(X)
    back = selector.inverse_transform(selector.transform(X))
    np.testing.assert_array_equal(back[:, [0, 1, 3]], X[:, [0, 1, 3]])
    np.testing.assert_array_equal(back[:, [2, 4]], 0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtypes(X, dtype):
    selected = DimensionSelector().fit_transform(X.astype(dtype))
    assert selected.dtype == ("float64" if dtype == "float64" else "float32")


def test_pickle_and_clone(X):
    selector = DimensionSelector(2, near_zero=0.2).fit(X)
    again = pickle.loads(pickle.dumps(selector))
    np.testing.assert_array_equal(again.transform(X), selector.transform(X))
    assert clone(selector).get_params() == selector.get_params()


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_a_stream_chooses_what_fit_chooses(sizes, seed):
    rng = np.random.default_rng(seed)
    batches = [rng.normal(size=(size + 1, 6)) * [1, 2, 3, 0.01, 5, 4] for size in sizes]
    streamed = DimensionSelector(3, update_support=True)
    for batch in batches:
        streamed.partial_fit(batch)
    whole = DimensionSelector(3).fit(np.vstack(batches))
    np.testing.assert_allclose(streamed.variances_, whole.variances_)
    np.testing.assert_array_equal(streamed.support_, whole.support_)
    assert streamed.n_samples_seen_ == whole.n_samples_seen_


def test_the_first_batch_chooses_unless_the_support_is_updated(X):
    centre = X.mean(axis=0)
    later = 100 * (X - centre)[:, [1, 0, 2, 3, 4]] + centre  # now dimension 1 varies most
    selector = DimensionSelector(1).partial_fit(X).partial_fit(later)
    assert selector.get_support(indices=True).tolist() == [0]
    assert np.argmax(selector.variances_) == 1  # the moments went on
    assert selector.n_samples_seen_ == 8

    fitted = DimensionSelector(1).fit(X).partial_fit(later)
    assert fitted.get_support(indices=True).tolist() == [0]

    updated = DimensionSelector(1, update_support=True).partial_fit(X).partial_fit(later)
    assert updated.get_support(indices=True).tolist() == [1]
    updated.set_params(update_support=False).partial_fit(1000 * X)
    assert updated.get_support(indices=True).tolist() == [1]


@pytest.mark.parametrize("update_support", [False, True])
def test_transform_changes_nothing(X, update_support):
    selector = DimensionSelector(1, update_support=update_support).partial_fit(X)
    before = {name: np.copy(value) for name, value in vars(selector).items()}
    selector.transform(X)
    after = vars(selector)
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name])


def test_fit_after_partial_fit_starts_anew(X):
    selector = DimensionSelector(1).partial_fit(X * 100).fit(X)
    assert selector.n_samples_seen_ == 4
    np.testing.assert_allclose(selector.variances_, DimensionSelector(1).fit(X).variances_)


def test_a_callable_cannot_be_streamed(X):
    with pytest.raises(ValueError, match="needs all rows at once and cannot be streamed"):
        DimensionSelector(criterion=np.var).partial_fit(X)


def test_a_batch_of_another_width(X):
    with pytest.raises(ValueError, match="4 features, but DimensionSelector is expecting 5"):
        DimensionSelector().partial_fit(X).partial_fit(X[:, :4])


def test_a_memory_mapped_file_is_read_in_blocks(tmp_path):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(200_000, 8)) * np.arange(1, 9)).astype(np.float16)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    tracemalloc.start()
    selector = DimensionSelector(3).fit(mapped)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.nbytes / 2
    assert selector.get_support(indices=True).tolist() == [5, 6, 7]
    np.testing.assert_array_equal(selector.transform(mapped), selector.transform(X))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real embeddings are not on this machine")
@pytest.mark.parametrize(
    ("model", "corpora", "near_zero"),
    [
        ("mpnet", ["ag"], [34, 555, 688, 756]),
        ("minilm", ["ag", "bbc", "so"], [127, 223, 319]),
        ("matryoshka", ["ag", "bbc"], []),
    ],
)
def test_near_zero_dimensions_of_real_models(model, corpora, near_zero):
    for corpus in corpora:
        embeddings = np.load(REAL / f"{model}_{corpus}.npy", mmap_mode="r")
        assert DimensionSelector().fit(embeddings).near_zero_.tolist() == near_zero
