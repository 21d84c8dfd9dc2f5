"""Documents on a plane: near is alike, and what stays together stays in its place."""

import numpy as np
import pytest
from made_runs import make_run
from sklearn.neighbors import NearestNeighbors

from bertopic_matryoshka.report._map import TOPIC_COLORS, DocumentMap, document_map, map_figure
from bertopic_matryoshka.report._styles import GRAY

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


def test_a_narrower_map_is_turned_to_the_wider_one(grouped):
    """A prefix of noise: no group stays together, and the maps are alike as far as they can be."""
    noise = np.random.default_rng(1).normal(size=(100, 2))
    wide, narrow = document_map(np.hstack([noise, grouped * 9]), [34, 2]).positions.values()
    wide, narrow = wide - wide.mean(axis=0), narrow - narrow.mean(axis=0)
    product = narrow.T @ wide
    assert product == pytest.approx(product.T, rel=1e-3)  # of the best turn: symmetric, >= 0
    assert np.linalg.eigvalsh((product + product.T) / 2).min() > -1e-3 * np.abs(product).max()


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


# ---- drawn

# Topic 0 is topic 7 at full width, topic 1 has no counterpart there, nor has topic 8 here.
NARROW = [0, 0, 0, 0, 1, 1, 1, -1, -1, -1]
FULL = [7, 7, 7, -1, -1, -1, -1, 8, 8, 8]


@pytest.fixture
def maps():
    """Give traces by width and name, of the documents but the second."""
    rows = np.array([0, 2, 3, 4, 5, 6, 7, 8, 9])
    places = {8: np.arange(18.0).reshape(9, 2), 4: np.arange(18.0).reshape(9, 2) + 100}
    runs = [make_run(4, document_topics=NARROW), make_run(8, document_topics=FULL)]
    documents = [f"document {i}" for i in range(10)]
    documents[3] = "<i>long</i>\n" + "x" * 100
    figure = map_figure(DocumentMap(rows, places), runs, documents)
    return figure, {(trace.xaxis, trace.legendgroup): trace for trace in figure.data}


def test_a_topic_and_its_counterpart_have_a_colour(maps):
    _, traces = maps
    assert traces["x", "0"].x == (100, 102, 104)
    assert traces["x", "0"].y == (101, 103, 105)
    assert traces["x2", "0"].x == (0, 2)
    assert traces["x", "0"].marker == traces["x2", "0"].marker
    assert traces["x", "0"].marker.color == TOPIC_COLORS[0]
    assert traces["x", "1"].x == (106, 108, 110)
    assert traces["x2", "1"].x == ()


def test_other_topics_and_outliers_are_gray_and_below(maps):
    figure, traces = maps
    assert traces["x2", "-1"].x == (12, 14, 16)
    assert traces["x2", "-2"].x == (4, 6, 8, 10)
    assert traces["x", "-2"].x == (112, 114, 116)
    assert [t.name for t in figure.data[:4]] == [
        *("outliers", "other topics", "cat, dog, word0", "cat, dog, word1")
    ]
    assert figure.data[0].marker.color == figure.data[1].marker.color == GRAY
    assert figure.data[0].marker.opacity < figure.data[1].marker.opacity
    assert [t.showlegend for t in figure.data] == [True] * 4 + [False] * 4
    titles, names = (
        [a for a in figure.layout.annotations if (a.name == "topic") == is_name]
        for is_name in (False, True)
    )
    assert [a.text for a in titles] == ["4 dimensions", "8 dimensions"]
    assert [(a.xref, a.x, a.y, a.text) for a in names] == [
        ("x", 102, 103, "cat, dog"),
        ("x", 108, 109, "cat, dog"),
        ("x2", 0, 1, "cat, dog"),
    ]


def test_a_document_shows_its_topic_and_its_beginning(maps):
    _, traces = maps
    words, text, row = traces["x", "0"].customdata[2]
    assert (words, row) == ("cat, dog, word0", 3)
    assert text == f"<i>long</i> {'x' * 67}…"  # which the page shows as text
    assert traces["x2", "-2"].customdata[0][0] == "outlier"
    assert traces["x2", "-1"].customdata[0][0] == "cat, dog, word8"


def test_as_many_topics_as_colours_are_told_apart():
    topics = np.repeat(np.arange(12), 2)
    places = DocumentMap(np.arange(24), {8: np.zeros((24, 2))})
    figure = map_figure(places, [make_run(8, document_topics=topics)], [""] * 24)
    assert len(figure.data) == len(TOPIC_COLORS) + 2
    assert len(figure.data[1].x) == 24 - 2 * len(TOPIC_COLORS)
    assert len({(t.marker.color, t.marker.symbol) for t in figure.data[2:]}) == len(TOPIC_COLORS)
