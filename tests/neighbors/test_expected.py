"""Topics to expect: the curve of the calibration, and what is said of it."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from bertopic_matryoshka.neighbors import expected_topics, prefix_sentences


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_ranges_hold_the_expectation_and_grow_as_neighbours_are_lost(kept):
    expected = expected_topics(sorted(kept))
    known = ~np.isnan(expected.agreement)
    np.testing.assert_array_equal(known, np.array(sorted(kept)) >= 0.3)
    agreement, low, high = (values[known] for values in expected)
    assert (low <= agreement).all()
    assert (agreement <= high).all()
    assert (high <= 1).all()
    assert (np.diff(agreement) >= 0).all()
    assert (np.diff(low) >= 0).all()


def test_all_neighbours_are_all_topics():
    assert [float(values) for values in expected_topics(1.0)] == [1, 1, 1]


def test_rotated_prefixes_keep_more_topics_at_equal_neighbours():
    kept = np.array([0.3, 0.5, 0.7, 1.0])
    expected = expected_topics(kept, rotated=True).agreement
    np.testing.assert_allclose(expected, 1 - (1 - kept) ** 3.9)
    assert (expected[:3] > expected_topics(kept).agreement[:3] + 0.05).all()


def test_sentences():
    columns = ["dim", "neighbors_kept", "expected_topics", "expected_low", "expected_high"]
    rows = [
        (768, 1.0, 1.0, 1.0, 1.0),
        (128, 0.731, 0.928, 0.868, 0.988),
        (16, 0.12, np.nan, np.nan, np.nan),
        (8, 0.5, np.nan, np.nan, np.nan),  # of another number of neighbours, say
    ]
    assert prefix_sentences(pd.DataFrame(rows, columns=columns), 768) == [
        "128 of 768 keep 73 % of the neighbours; expect about 93 % of the topics (87 to 99 %).",
        "16 of 768 keep 12 % of the neighbours: too few to say how many topics.",
        "8 of 768 keep 50 % of the neighbours.",
    ]


def test_nothing_is_said_of_nothing():
    assert prefix_sentences(pd.DataFrame(), 768) == []
