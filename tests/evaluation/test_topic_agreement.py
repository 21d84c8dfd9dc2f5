"""Agreement of replicated topics, by hand, by its properties, and how often its bounds hold."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka import topic_agreement
from bertopic_matryoshka.evaluation._topic_agreement import _cross_ami, ratio_of_means

NAN = math.nan


def symmetric(pairs):
    """Fill a matrix of three replicates from its pairs 01, 02 and 12."""
    matrix = np.full((3, 3), NAN)
    for (r, s), value in zip([(0, 1), (0, 2), (1, 2)], pairs, strict=True):
        matrix[r, s] = matrix[s, r] = value
    return matrix


def test_ratio_and_bounds_by_hand():
    within = symmetric([0.8, 0.8, 0.8])
    across = symmetric([0.4, 0.8, 0.6])
    found = ratio_of_means(across, within)
    assert (found.agreement, found.ami, found.reference_ami) == pytest.approx((0.75, 0.6, 0.8))
    left = np.log([0.6 / 0.8, 0.8 / 0.8, 0.4 / 0.8])  # without replicate 0, 1, 2
    error = math.sqrt(2 / 3 * ((left - left.mean()) ** 2).sum())
    assert found.low == pytest.approx(0.75 * math.exp(-2.919986 * error))  # t of 2, 95 %
    assert found.high == pytest.approx(0.75 * math.exp(2.919986 * error))


def test_a_replicate_is_never_compared_with_itself():
    across, within = (symmetric([0.5, 0.6, 0.7]) for _ in range(2))
    np.fill_diagonal(across, 1.0)
    assert ratio_of_means(across, within).agreement == pytest.approx(1)


def test_both_directions_count():
    """The topics of r with the reference of s, and the topics of s with the reference of r."""
    topics = [[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 2, 2]]
    reference = [[0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 2, 2]]
    found = topic_agreement(topics, reference)
    forward = adjusted_mutual_info_score(topics[0], reference[1])
    backward = adjusted_mutual_info_score(topics[1], reference[0])
    assert forward != pytest.approx(backward)
    assert found.ami == pytest.approx((forward + backward) / 2)
    assert found.reference_ami == pytest.approx(adjusted_mutual_info_score(*reference))
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_only_documents_of_both_samples_are_compared():
    rows = [[0, 1, 2, 3, 4], [1, 2, 3, 4, 5]]
    reference = [[9, 0, 0, 1, 1], [0, 0, 1, 1, 9]]
    found = topic_agreement(reference, reference, rows)
    assert (found.agreement, found.ami, found.reference_ami) == pytest.approx((1, 1, 1))
    assert topic_agreement(reference, reference).reference_ami < 1  # were they in one order


def test_outliers_are_a_class_or_left_out():
    reference = [[0, 0, 1, 1, -1, -1]] * 3
    topics = [[-1, 0, 1, 1, 0, -1]] * 3
    whole, assigned = (
        topic_agreement(topics, reference, assigned_only=only) for only in (False, True)
    )
    assert whole.agreement < 0.5
    assert assigned.agreement == pytest.approx(1)


@pytest.mark.parametrize("only", [False, True])
def test_topics_that_are_not_there(only):
    several, one, none = ([[*of]] * 3 for of in ([0, 0, 1, 1], [0] * 4, [-1] * 4))
    for fewer in (one, none):
        found = topic_agreement(fewer, several, assigned_only=only)
        assert found.agreement == pytest.approx(0.001)
        assert found.high == pytest.approx(0.001)
        found = topic_agreement(several, fewer, assigned_only=only)
        assert math.isnan(found.agreement)
        assert math.isnan(found.reference_ami)


def test_a_reference_that_agrees_by_chance_has_no_ratio():
    assert math.isnan(ratio_of_means(symmetric([0.1] * 3), symmetric([-0.1] * 3)).agreement)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 1]], [[0, 1]]), "1, 1 and 1 replicates"),
        (([[0, 1]] * 2, [[0, 1]] * 3), "2, 3 and 2 replicates"),
        (([[0, 1]] * 2, [[0, 1], [0]]), r"Replicate 1 has topics of shape \(2,\)"),
        (([[0, 1], [0]], [[0, 1], [0]]), "differ in their number of documents"),
        (([[0, 1]] * 2, [[0, 1]] * 2, [[0, 1], [1, 0]]), r"rows\[1\] must be ascending"),
        (([[0, 1]] * 2, [[0, 1]] * 2, [[0, 1], [1, 1]]), r"rows\[1\] must be ascending"),
    ],
)
def test_what_does_not_fit_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        topic_agreement(*arguments)


@st.composite
def replicates(draw):
    """Topics and reference of two to four replicates on samples of twelve documents."""
    n = draw(st.integers(2, 4))
    rows = [sorted(draw(st.sets(st.integers(0, 11), min_size=9, max_size=11))) for _ in range(n)]
    labels = st.integers(-1, 2)
    fits, reference = (
        [draw(st.lists(labels, min_size=len(at), max_size=len(at))) for at in rows]
        for _ in range(2)
    )
    return fits, reference, rows


@settings(deadline=None, max_examples=40)
@given(replicates(), st.booleans(), st.randoms())
def test_names_of_topics_and_order_of_replicates_do_not_matter(drawn, only, random):
    fits, reference, rows = drawn
    found = topic_agreement(fits, reference, rows, assigned_only=only)
    names = dict(zip([0, 1, 2], random.sample([0, 1, 2, 3, 4], 3), strict=True)) | {-1: -1}
    order = random.sample(range(len(rows)), len(rows))
    renamed = [[names[topic] for topic in fits[r]] for r in order]
    again = topic_agreement(
        renamed, [reference[r] for r in order], [rows[r] for r in order], assigned_only=only
    )
    assert tuple(again) == pytest.approx(tuple(found), nan_ok=True)


@settings(deadline=None, max_examples=40)
@given(replicates(), st.booleans())
def test_bounds_enclose_the_agreement_and_equal_fits_agree(drawn, only):
    fits, reference, rows = drawn
    found = topic_agreement(fits, reference, rows, assigned_only=only)
    if not math.isnan(found.low):
        assert 0 <= found.low <= found.agreement * (1 + 1e-9)
        assert found.agreement <= found.high * (1 + 1e-9)
    same = topic_agreement(reference, reference, rows, assigned_only=only)
    equal = topic_agreement([list(of) for of in reference], reference, rows, assigned_only=only)
    assert tuple(equal) == pytest.approx(tuple(same), nan_ok=True)
    if not math.isnan(same.agreement):
        assert same.agreement == pytest.approx(1)
        if not math.isnan(same.low):
            assert (same.low, same.high) == pytest.approx((1, 1))


def noisy(rng, truth, share):
    """Give a share of the documents another topic, drawn at random."""
    drawn = rng.random(truth.size) < share
    return np.where(drawn, rng.integers(truth.max() + 1, size=truth.size), truth)


def test_the_lower_bound_is_above_the_truth_in_5_percent_of_draws():
    """Replicates of the reference have a fifth of noise each, the others two fifths."""
    rng = np.random.default_rng(0)
    truth = rng.integers(5, size=250)
    n_pool, n_draws = 30, 1000
    reference, topics = ([noisy(rng, truth, of) for _ in range(n_pool)] for of in (0.2, 0.4))
    rows = [np.arange(truth.size)] * n_pool
    within = _cross_ami(reference, reference, rows, assigned_only=False)
    across = _cross_ami(topics, reference, rows, assigned_only=False)
    true = ratio_of_means(across, within).agreement
    assert true == pytest.approx(0.7, abs=0.1)
    for n in (3, 5):
        draws = [np.ix_(*[rng.choice(n_pool, n, replace=False)] * 2) for _ in range(n_draws)]
        above = np.mean([ratio_of_means(across[at], within[at]).low > true for at in draws])
        below = np.mean([ratio_of_means(across[at], within[at]).high < true for at in draws])
        assert max(above, below) < 0.06
        assert min(above, below) > 0  # or it would be no bound but a wall
