"""Documents on a plane: near is alike, and what stays together stays in its place."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from bertopic_matryoshka.report._map import document_map

GROUPS = np.repeat([0, 1, 2, 3], 25)


@pytest.fixture(scope="module")
def grouped():
    """A hundred documents in four groups, told apart by any of 32 dimensions."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 32))
    return centres[GROUPS] + rng.normal(scale=0.2, size=(100, 32))


@pytest.fixture(scope="module")
def grouped_map(grouped):
    return document_map(grouped, [8, 32])


def centres_of(positions):
    return np.array([positions[group == GROUPS].mean(axis=0) for group in range(4)])


def test_neighbours_on_a_map_are_of_one_group(grouped_map):
    assert list(grouped_map.positions) == [32, 8]
    for positions in grouped_map.positions.values():
        assert positions.shape == (100, 2)
        nearest = NearestNeighbors(n_neighbors=5).fit(positions).kneighbors(return_distance=False)
        assert (GROUPS[nearest] == GROUPS[:, None]).all()


def test_groups_stay_where_they_are_at_a_narrower_width(grouped_map):
    wide, narrow = (centres_of(positions) for positions in grouped_map.positions.values())
    distances = np.linalg.norm(narrow[:, None] - wide, axis=2)
    assert distances.argmin(axis=1).tolist() == [0, 1, 2, 3]


def test_a_map_is_the_same_again_and_depends_on_directions_alone(grouped, grouped_map):
    lengths = 2.0 ** np.arange(100).clip(0, 20)[:, None]
    again = document_map((grouped * lengths).astype(np.float64), [32, 8])
    assert np.array_equal(again.rows, grouped_map.rows)
    for dim, positions in grouped_map.positions.items():
        assert np.array_equal(again.positions[dim], positions)


def test_a_sample_is_drawn_by_the_seed(grouped):
    first, other = (document_map(grouped, [4], sample_size=10, random_state=s) for s in (0, 1))
    for found in (first, other):
        assert found.positions[4].shape == (10, 2)
        assert (np.diff(found.rows) > 0).all()
    assert not np.array_equal(first.rows, other.rows)
    assert document_map(grouped[:6], [4]).rows.tolist() == list(range(6))


@pytest.mark.parametrize(
    "embeddings",
    [
        np.eye(4),
        np.arange(1.0, 6)[:, None],  # one dimension
        np.ones((10, 3)),
        np.zeros((10, 3)),
        np.vstack([np.zeros((2, 8)), np.random.default_rng(0).normal(size=(30, 8))]),
    ],
    ids=["four", "one dimension", "equal", "zero", "some zero"],
)
def test_few_equal_and_zero_rows_have_a_place(embeddings):
    found = document_map(embeddings.astype(np.float16), [embeddings.shape[1], 1])
    assert all(np.isfinite(positions).all() for positions in found.positions.values())


@pytest.mark.parametrize(
    ("embeddings", "arguments", "error", "message"),
    [
        (np.ones((3, 2)), {}, ValueError, "with at least 4 documents"),
        (np.ones(8), {}, ValueError, r"shape \(8,\) and must be"),
        (np.ones((5, 2)), {"dims": [3]}, ValueError, "dims=3 must be between 1 and 2"),
        (np.ones((5, 2)), {"dims": [1.5]}, TypeError, "dims=1.5 must be an int"),
        (np.ones((5, 2)), {"sample_size": 3}, ValueError, "sample_size=3 must be at least 4"),
        (np.full((5, 2), np.nan), {}, ValueError, "NaN or infinite"),
    ],
)
def test_bad_parameters(embeddings, arguments, error, message):
    with pytest.raises(error, match=message):
        document_map(embeddings, **{"dims": [1], **arguments})
