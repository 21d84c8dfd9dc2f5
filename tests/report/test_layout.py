"""Documents on a plane: near is alike, in the same places again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from bertopic_matryoshka import layout_documents

GROUPS = np.repeat(np.arange(6), 40)


@pytest.fixture(scope="module")
def grouped():
    """Six groups in 16 dimensions."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 16))[GROUPS] + rng.normal(scale=0.15, size=(GROUPS.size, 16))


def nearest(rows, k):
    return NearestNeighbors(n_neighbors=k).fit(rows).kneighbors(return_distance=False)


def test_neighbours_stay_neighbours(grouped):
    places = layout_documents(grouped)
    assert places.shape == (240, 2)
    assert places.dtype == np.float32
    found = nearest(places, 5)
    assert (GROUPS[found] == GROUPS[:, None]).mean() > 0.99
    unit = grouped / np.linalg.norm(grouped, axis=1, keepdims=True)
    kept = np.mean([np.isin(a, b).mean() for a, b in zip(found, nearest(unit, 15), strict=True)])
    assert kept > 0.6  # 15 of 239 by chance: .06


def test_places_are_the_same_again_and_depend_on_directions_and_seed(grouped):
    places = layout_documents(grouped)
    assert np.array_equal(layout_documents(grouped * 2.0 ** (np.arange(240) % 5)[:, None]), places)
    assert not np.array_equal(layout_documents(grouped, random_state=1), places)


def test_a_layout_goes_on_from_a_start(grouped):
    """Groups that start on a circle stay in its order, whatever its scale."""
    angles = GROUPS * np.pi / 3
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    circle += np.random.default_rng(0).normal(scale=0.1, size=circle.shape)
    for scale in (1, 1000):
        places = layout_documents(grouped, start=circle * scale)
        centres = np.array([places[group == GROUPS].mean(axis=0) for group in range(6)])
        cosines = (centres * circle[::40]).sum(axis=1) / np.linalg.norm(centres, axis=1)
        assert (cosines > 0.5).all()


@pytest.mark.parametrize("n", [0, 1, 2, 3, 12])
def test_few_rows_have_places(n):
    places = layout_documents(np.eye(12)[:n])
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()


@settings(max_examples=20)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_any_rows_have_finite_places(n, width, seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-1, 2, size=(n, width))  # equal rows and zero rows among them
    assert np.isfinite(layout_documents(rows)).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"embeddings": [[np.nan, 1.0], [1.0, 2.0]]}, ValueError, "NaN or infinite"),
        ({"embeddings": [1.0, 2.0]}, ValueError, "must be two-dimensional"),
        ({"embeddings": [["a", "b"]]}, TypeError, "must hold real numbers"),
        ({"start": np.zeros((3, 2))}, ValueError, "start has shape .3, 2."),
        ({"start": np.zeros((4, 3))}, ValueError, "start has shape .4, 3. and must have two"),
        ({"start": np.full((4, 2), np.inf)}, ValueError, "finite numbers"),
        ({"random_state": -1}, ValueError, "random_state=-1 must be from 0"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        layout_documents(**{"embeddings": np.eye(4), **arguments})
