"""Measures of coherence from counts, by hand."""

import math

import numpy as np
import pytest

from bertopic_matryoshka.evaluation._measures import (
    EPSILON,
    MEASURES,
    c_npmi,
    c_uci,
    c_v,
    npmi,
    u_mass,
)

# Of 8 windows, "a" is in 4, "b" in 2, "c" in 2; "a" and "b" meet in 2, "b" and "c" never.
TOGETHER = np.array([[4, 2, 1], [2, 2, 0], [1, 0, 2]])
TOPIC = np.arange(3)


def log_ratio(both, one, other):
    return math.log((both / 8 + EPSILON) / (one / 8 * other / 8))


AB, AC, BC = log_ratio(2, 4, 2), log_ratio(1, 4, 2), log_ratio(0, 2, 2)


def over(ratio, both):
    return ratio / -math.log(both / 8 + EPSILON)


def test_c_uci():
    assert c_uci(TOGETHER, 8, TOPIC) == pytest.approx((AB + AC + BC) / 3)


def test_c_npmi():
    expected = (over(AB, 2) + over(AC, 1) + over(BC, 0)) / 3
    assert c_npmi(TOGETHER, 8, TOPIC) == pytest.approx(expected)
    assert over(BC, 0) == pytest.approx(-1, abs=0.15)  # never met


def test_u_mass_depends_on_the_order():
    pairs = [(2, 4), (1, 4), (0, 2)]  # together, and windows of the earlier word
    expected = np.mean([math.log((both / 8 + EPSILON) / (first / 8)) for both, first in pairs])
    assert u_mass(TOGETHER, 8, TOPIC) == pytest.approx(expected)
    pairs = [(0, 2), (1, 2), (2, 2)]
    expected = np.mean([math.log((both / 8 + EPSILON) / (first / 8)) for both, first in pairs])
    assert u_mass(TOGETHER, 8, TOPIC[::-1]) == pytest.approx(expected)


def test_c_v():
    a, b, c = 4, 2, 2
    vectors = np.array(
        [
            [over(log_ratio(a, a, a), a), over(AB, 2), over(AC, 1)],
            [over(AB, 2), over(log_ratio(b, b, b), b), over(BC, 0)],
            [over(AC, 1), over(BC, 0), over(log_ratio(c, c, c), c)],
        ]
    )
    whole = vectors.sum(axis=0)
    cosines = vectors @ whole / np.linalg.norm(vectors, axis=1) / np.linalg.norm(whole)
    assert c_v(TOGETHER, 8, TOPIC) == pytest.approx(cosines.mean())


def test_npmi_is_exact_at_its_limits():
    assert npmi(TOGETHER, 8, TOPIC) == pytest.approx(
        (math.log(2) / math.log(4) + 0 - 1) / 3  # p(a, c) = p(a) p(c)
    )
    everywhere = np.full((2, 2), 8)
    assert npmi(everywhere, 8, np.arange(2)) == 1
    unseen = np.array([[4, 0], [0, 0]])
    assert npmi(unseen, 8, np.arange(2)) == -1


@pytest.mark.parametrize("measure", MEASURES)
def test_leading_axes_are_scored_one_by_one(measure):
    score, n_windows = MEASURES[measure].of, np.array([8, 9])
    several = score(np.stack([TOGETHER, TOGETHER + 1]), n_windows, TOPIC)
    alone = [score(TOGETHER, 8, TOPIC), score(TOGETHER + 1, 9, TOPIC)]
    np.testing.assert_allclose(several, alone)
    assert several.shape == (2,)


@pytest.mark.parametrize("measure", MEASURES)
def test_too_few_words(measure):
    score = MEASURES[measure].of
    assert math.isnan(score(np.zeros((0, 0)), 8, np.arange(0)))
    alone = score(np.array([[4]]), 8, np.arange(1))
    assert alone == 1 if measure == "c_v" else math.isnan(alone)
