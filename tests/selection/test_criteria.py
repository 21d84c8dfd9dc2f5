"""The criteria, by hand and on data whose answer is known."""

import numpy as np
import pytest

from bertopic_matryoshka import DimensionSelector
from bertopic_matryoshka.selection._criteria import laplacian, variance


def test_variance_is_numpys():
    X = np.random.default_rng(0).normal(size=(50, 4)) * [1, 2, 3, 0]
    np.testing.assert_allclose(variance(X), X.var(axis=0))


def test_laplacian_by_hand():
    # Two pairs of neighbours: (1, 0.1) with (1, -0.1), (-1, 0.1) with (-1, -0.1).
    X = np.array([[1.01, 0.1], [1, -0.1], [-1, 0.1], [-1.01, -0.1]])
    scores = laplacian(X, n_neighbors=1)
    # Within pairs the second dimension differs by .2, so its ratio is .01 / .04.
    assert scores[1] == pytest.approx(0.25, rel=1e-3)
    assert scores[0] > 1000


@pytest.fixture
def clustered():
    """Dimensions 0 and 1 tell three clusters apart; 2 and 3 vary more, but are noise."""
    rng = np.random.default_rng(1)
    centres = np.array([[3, 0], [0, 3], [-3, -3]])[rng.integers(3, size=600)]
    return np.column_stack([centres + rng.normal(scale=0.1, size=(600, 2)),
                            rng.normal(scale=4, size=(600, 2))])  # fmt: skip


def test_laplacian_prefers_what_varies_between_neighbourhoods(clustered):
    by_variance = DimensionSelector(2, criterion="variance").fit(clustered)
    assert by_variance.get_support(indices=True).tolist() == [2, 3]
    # Neighbourhoods are found on what is informative, as embeddings' dimensions mostly are.
    informative = clustered * [1, 1, 0.05, 0.05]
    scores = laplacian(informative)
    assert scores[:2].min() > 10 * scores[2:].max()
    by_laplacian = DimensionSelector(2, criterion="laplacian").fit(informative)
    assert by_laplacian.get_support(indices=True).tolist() == [0, 1]


def test_laplacian_looks_at_evenly_spaced_rows_and_is_deterministic(clustered):
    np.testing.assert_array_equal(laplacian(clustered), laplacian(clustered))
    sampled = laplacian(clustered, sample_size=200)
    rows = np.linspace(0, 599, 200).round().astype(int)
    np.testing.assert_array_equal(sampled, laplacian(clustered[rows]))


def test_constant_dimensions_score_nothing():
    X = np.column_stack([np.ones(20), np.arange(20.0)])
    assert laplacian(X)[0] == 0


def test_what_is_constant_within_neighbourhoods_but_not_between_them_is_best(clustered):
    # Dimension 0 has one value in each of three clusters, as far from the others' as can be.
    cluster = (clustered[:, 0].round().astype(int) + 3) // 3
    X = np.column_stack([np.eye(3)[cluster], 0.01 * clustered])
    scores = laplacian(X)
    assert np.isposinf(scores[:3]).all()
    assert np.isfinite(scores[3:]).all()
    by_laplacian = DimensionSelector(3, criterion="laplacian").fit(X)
    assert by_laplacian.get_support(indices=True).tolist() == [0, 1, 2]


def test_laplacian_cannot_be_streamed(clustered):
    with pytest.raises(ValueError, match="criterion='laplacian' needs all rows at once"):
        DimensionSelector(criterion="laplacian").partial_fit(clustered)
