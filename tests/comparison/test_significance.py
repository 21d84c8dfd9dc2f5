"""Standard errors and paired differences, by hand and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_cells import make_cell
from scipy import stats

from bertopic_matryoshka.comparison._significance import (
    SeedSpread,
    coherence_error,
    paired_difference,
    seed_spread,
)

RNG = np.random.default_rng(0)
SAMPLES = RNG.normal(0.3, 0.02, size=(6, 40))
THREE_TOPICS = [0, 0, 1, 1, 2, 2]
coherences = st.floats(-1, 1)


def cells_of(dim, coherences, samples=SAMPLES, **measured):
    """One cell a seed."""
    return [
        make_cell(dim, seed=seed, coherence=c, coherence_samples=s, **measured)
        for seed, (c, s) in enumerate(zip(coherences, samples, strict=False))
    ]


def test_error_of_one_seed_is_that_over_topics_and_documents():
    (cell,) = cells_of(8, [0.3], topic_error=0.03)
    expected = math.sqrt(SAMPLES[0].var(ddof=1) + 0.03**2)
    assert coherence_error([cell], None) == pytest.approx(expected)


def test_error_of_several_seeds_is_that_over_seeds_and_documents():
    """The topics' errors are left out: the seeds say how far fits differ."""
    cells = cells_of(8, [0.2, 0.3, 0.7], topic_error=9.0)
    expected = math.sqrt(SAMPLES[:3].mean(axis=0).var(ddof=1) + 0.07 / 3)  # (.04 + .01 + .09) / 2
    assert coherence_error(cells, seed_spread([cells])) == pytest.approx(expected)
    doubled = SeedSpread(2 * 0.07, 9)
    assert coherence_error(cells, doubled) == pytest.approx(math.sqrt(expected**2 + 0.07 / 3))


def test_no_error_without_a_mean():
    nothing = {"topic_error": math.nan, "coherence_samples": np.full(40, np.nan)}
    cell = make_cell(8, document_topics=[-1] * 6, coherence=math.nan, **nothing)
    assert math.isnan(coherence_error([cell], None))
    assert math.isnan(coherence_error([*cells_of(8, [0.3]), cell], SeedSpread(0.01, 2)))


def test_one_topic_has_the_documents_error_alone():
    (cell,) = cells_of(8, [0.3], topic_error=math.nan, document_topics=[0] * 6)
    assert coherence_error([cell], None) == pytest.approx(SAMPLES[0].std(ddof=1))


def test_samples_without_a_score_are_left_out():
    samples = np.append(SAMPLES[0], np.nan)
    (cell,) = cells_of(8, [0.3], [samples], topic_error=0.03)
    assert coherence_error([cell], None) == pytest.approx(
        coherence_error(cells_of(8, [0.3], topic_error=0.03), None)
    )


def expected_difference(mean, of_documents, documents_freedom, of_fits, fits_freedom):
    variance = of_documents + of_fits
    freedom = variance**2 / (of_documents**2 / documents_freedom + of_fits**2 / fits_freedom)
    error = math.sqrt(variance)
    low, high = stats.t.interval(0.95, freedom, loc=mean, scale=error)
    return mean, error, low, high, stats.t.cdf(mean / error, freedom)


def test_difference_with_one_seed():
    (narrow,) = cells_of(4, [0.25], SAMPLES[:1], topic_error=0.02)
    (wide,) = cells_of(8, [0.31], SAMPLES[1:2], topic_error=0.03, document_topics=THREE_TOPICS)
    expected = expected_difference(
        -0.06,
        (SAMPLES[0] - SAMPLES[1]).var(ddof=1),
        39,
        0.02**2 + 0.03**2,
        (2 - 1) + (3 - 1),
    )
    found = paired_difference([narrow], [wide], None)
    assert (found.mean, found.error, found.low, found.high, found.p_worse) == pytest.approx(
        expected
    )


def test_spread_over_seeds_is_pooled_over_widths():
    widths = [
        cells_of(4, [0.1, 0.2, 0.3]),  # squares of deviations: .01 + 0 + .01
        cells_of(8, [0.2, 0.6]),  # .04 + .04
        cells_of(16, [0.9]),
        cells_of(32, [0.5, math.nan]),
    ]
    assert seed_spread(widths) == pytest.approx((0.10 / 3, 3))
    assert seed_spread(widths[2:]) is None


def test_difference_with_several_seeds():
    """What documents do to both widths alike is no error; what seeds do is, at each width."""
    narrow = cells_of(4, [0.1, 0.6, 0.8], SAMPLES[:3], topic_error=9.0)
    wide = cells_of(8, [0.2, 1.0], SAMPLES[3:5], topic_error=9.0)
    by_document = SAMPLES[:3].mean(axis=0) - SAMPLES[3:5].mean(axis=0)
    expected = expected_difference(-0.1, by_document.var(ddof=1), 39, 0.03 * (1 / 3 + 1 / 2), 7)
    found = paired_difference(narrow, wide, SeedSpread(0.03, 7))
    assert (found.mean, found.error, found.low, found.high, found.p_worse) == pytest.approx(
        expected
    )


def test_degrees_of_freedom_are_those_of_the_only_source_of_error():
    constant = np.full((3, 40), 0.3)
    narrow, wide = (cells_of(dim, [0.1, 0.2, 0.3], constant) for dim in (4, 8))
    found = paired_difference(narrow, wide, SeedSpread(0.01, 2))
    assert found.mean - found.low == pytest.approx(found.error * 4.302653)  # t of 2
    narrow, wide = cells_of(4, [0.1, 0.2]), cells_of(8, [0.2, 0.3], SAMPLES[2:])
    found = paired_difference(narrow, wide, SeedSpread(0.0, 2))
    assert found.mean - found.low == pytest.approx(found.error * 2.022691)  # t of 39


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_identical_cells_do_not_differ(n_seeds):
    cells = cells_of(8, [0.2, 0.3, 0.5][:n_seeds])
    found = paired_difference(cells, cells, seed_spread([cells]))
    assert found.mean == 0
    assert found.low == pytest.approx(-found.high)
    assert found.p_worse == 0.5


def test_a_difference_without_any_error_is_certain():
    narrow, wide = (cells_of(dim, [c, c], SAMPLES[:2]) for dim, c in ((4, 0.25), (8, 0.5)))
    found = paired_difference(narrow, wide, seed_spread([narrow, wide]))
    assert (found.mean, found.error, found.low, found.high) == (-0.25, 0.0, -0.25, -0.25)
    assert found.p_worse == 0
    assert paired_difference(wide, narrow, SeedSpread(0.0, 2)).p_worse == 1


@given(
    st.lists(st.tuples(coherences, coherences), min_size=1, max_size=4),
    st.floats(0.001, 1),
)
def test_the_lower_the_less_probable(pairs, fall):
    narrow = cells_of(4, [c for c, _ in pairs])
    lower = cells_of(4, [c - fall for c, _ in pairs], SAMPLES - fall)
    wide = cells_of(8, [c for _, c in pairs], SAMPLES[::-1])
    spread = seed_spread([narrow, wide])
    found, fallen = (paired_difference(cells, wide, spread) for cells in (narrow, lower))
    assert fallen.mean == pytest.approx(found.mean - fall)
    assert 0 <= fallen.p_worse <= found.p_worse <= 1
    assert found.low <= found.mean <= found.high
    mirrored = paired_difference(wide, narrow, spread)
    assert mirrored.p_worse == pytest.approx(1 - found.p_worse)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize(("of_seeds", "of_documents"), [(0.03, 0.01), (0.01, 0.03), (0.02, 0.02)])
def test_the_interval_holds_the_truth_95_times_in_100(of_seeds, of_documents):
    """Seeds and documents are drawn anew each time; bootstrap samples spread as documents do."""
    rng = np.random.default_rng(1)
    n_seeds, n_samples, true = 3, 100, -0.02
    covered, p_values = [], []
    for _ in range(800):
        coherences = rng.normal(0.4, of_seeds, size=(4, n_seeds))
        coherences[0] += rng.normal(scale=of_documents)  # these documents favour a width
        resampled = rng.normal(scale=of_documents, size=n_samples)
        widths = [
            cells_of(2 ** (i + 2), of, of[:, None] + (resampled if i == 0 else np.zeros(n_samples)))
            for i, of in enumerate(coherences)
        ]
        lower = cells_of(4, coherences[0] + true, coherences[0][:, None] + resampled)
        spread = seed_spread(widths)
        worse = paired_difference(lower, widths[1], spread)
        covered.append(worse.low <= true <= worse.high)
        p_values.append(paired_difference(widths[0], widths[1], spread).p_worse)
    assert 0.925 < np.mean(covered) < 0.975
    assert 0.03 < np.mean(np.array(p_values) <= 0.05) < 0.07
