"""Standard errors and paired differences, by hand and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import make_run
from scipy import stats

from bertopic_matryoshka.comparison import SeedSpread, by_width, paired_difference, seed_spread
from bertopic_matryoshka.comparison._significance import mean_difference, se_coherence

RNG = np.random.default_rng(0)
SAMPLES = RNG.normal(0.3, 0.02, size=(6, 40))
THREE_TOPICS = [0, 0, 1, 1, 2, 2]
coherences = st.floats(-1, 1)


def seeds_of(dim, coherences, samples=SAMPLES, **measured):
    """One run a seed."""
    return [
        make_run(dim, seed=seed, coherence=c, coherence_resamples=s, **measured)
        for seed, (c, s) in enumerate(zip(coherences, samples, strict=False))
    ]


def test_error_of_one_seed_is_that_over_topics_and_documents():
    (run,) = seeds_of(8, [0.3], se_topics=0.03)
    expected = math.sqrt(SAMPLES[0].var(ddof=1) + 0.03**2)
    assert se_coherence([run], None) == pytest.approx(expected)


def test_error_of_several_seeds_is_that_over_seeds_and_documents():
    """The topics' errors are left out: the seeds say how far fits differ."""
    runs = seeds_of(8, [0.2, 0.3, 0.7], se_topics=9.0)
    expected = math.sqrt(SAMPLES[:3].mean(axis=0).var(ddof=1) + 0.07 / 3)  # (.04 + .01 + .09) / 2
    assert se_coherence(runs, seed_spread([runs])) == pytest.approx(expected)
    doubled = SeedSpread(2 * 0.07, 9)
    assert se_coherence(runs, doubled) == pytest.approx(math.sqrt(expected**2 + 0.07 / 3))


def test_no_error_without_a_mean():
    nothing = {"se_topics": math.nan, "coherence_resamples": np.full(40, np.nan)}
    run = make_run(8, document_topics=[-1] * 6, coherence=math.nan, **nothing)
    assert math.isnan(se_coherence([run], None))
    assert math.isnan(se_coherence([*seeds_of(8, [0.3]), run], SeedSpread(0.01, 2)))


def test_one_topic_has_the_documents_error_alone():
    (run,) = seeds_of(8, [0.3], se_topics=math.nan, document_topics=[0] * 6)
    assert se_coherence([run], None) == pytest.approx(SAMPLES[0].std(ddof=1))


def test_samples_without_a_score_are_left_out():
    samples = np.append(SAMPLES[0], np.nan)
    (run,) = seeds_of(8, [0.3], [samples], se_topics=0.03)
    assert se_coherence([run], None) == pytest.approx(
        se_coherence(seeds_of(8, [0.3], se_topics=0.03), None)
    )


def expected_difference(mean, of_documents, documents_freedom, of_fits, fits_freedom):
    variance = of_documents + of_fits
    freedom = variance**2 / (of_documents**2 / documents_freedom + of_fits**2 / fits_freedom)
    error = math.sqrt(variance)
    low, high = stats.t.interval(0.95, freedom, loc=mean, scale=error)
    return mean, error, low, high


def test_difference_with_one_seed():
    (narrow,) = seeds_of(4, [0.25], SAMPLES[:1], se_topics=0.02)
    (wide,) = seeds_of(8, [0.31], SAMPLES[1:2], se_topics=0.03, document_topics=THREE_TOPICS)
    expected = expected_difference(
        -0.06,
        (SAMPLES[0] - SAMPLES[1]).var(ddof=1),
        39,
        0.02**2 + 0.03**2,
        (2 - 1) + (3 - 1),
    )
    found = paired_difference([narrow], [wide], None)
    assert (found.mean, found.se, found.low, found.high) == pytest.approx(expected)


def test_spread_over_seeds_is_pooled_over_widths():
    widths = [
        seeds_of(4, [0.1, 0.2, 0.3]),  # squares of deviations: .01 + 0 + .01
        seeds_of(8, [0.2, 0.6]),  # .04 + .04
        seeds_of(16, [0.9]),
        seeds_of(32, [0.5, math.nan]),
    ]
    assert seed_spread(widths) == pytest.approx((0.10 / 3, 3))
    assert seed_spread(widths[2:]) is None


def test_difference_with_several_seeds():
    """What documents do to both widths alike is no error; what seeds do is, at each width."""
    narrow = seeds_of(4, [0.1, 0.6, 0.8], SAMPLES[:3], se_topics=9.0)
    wide = seeds_of(8, [0.2, 1.0], SAMPLES[3:5], se_topics=9.0)
    by_document = SAMPLES[:3].mean(axis=0) - SAMPLES[3:5].mean(axis=0)
    expected = expected_difference(-0.1, by_document.var(ddof=1), 39, 0.03 * (1 / 3 + 1 / 2), 7)
    found = paired_difference(narrow, wide, SeedSpread(0.03, 7))
    assert (found.mean, found.se, found.low, found.high) == pytest.approx(expected)


def test_degrees_of_freedom_are_those_of_the_only_source_of_error():
    constant = np.full((3, 40), 0.3)
    narrow, wide = (seeds_of(dim, [0.1, 0.2, 0.3], constant) for dim in (4, 8))
    found = paired_difference(narrow, wide, SeedSpread(0.01, 2))
    assert found.mean - found.low == pytest.approx(found.se * 4.302653)  # t of 2
    narrow, wide = seeds_of(4, [0.1, 0.2]), seeds_of(8, [0.2, 0.3], SAMPLES[2:])
    found = paired_difference(narrow, wide, SeedSpread(0.0, 2))
    assert found.mean - found.low == pytest.approx(found.se * 2.022691)  # t of 39


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_identical_cells_do_not_differ(n_seeds):
    runs = seeds_of(8, [0.2, 0.3, 0.5][:n_seeds])
    found = paired_difference(runs, runs, seed_spread([runs]))
    assert found.mean == 0
    assert found.low == pytest.approx(-found.high)


def test_a_difference_without_any_error_is_certain():
    narrow, wide = (seeds_of(dim, [c, c], SAMPLES[:2]) for dim, c in ((4, 0.25), (8, 0.5)))
    found = paired_difference(narrow, wide, SeedSpread(0.0, 2))
    assert (found.mean, found.se, found.low, found.high) == (-0.25, 0.0, -0.25, -0.25)


def test_seeds_that_change_nothing_say_nothing_of_how_far_fits_differ():
    """HDBSCAN after PCA: the error over topics takes the place of that over seeds."""
    narrow, wide = (
        seeds_of(dim, [c] * 3, SAMPLES[:3], se_topics=0.05) for dim, c in ((4, 0.3), (8, 0.35))
    )
    assert seed_spread([narrow, wide]) is None
    found = paired_difference(narrow, wide, seed_spread([narrow, wide]))
    assert found.se == pytest.approx(0.05 * math.sqrt(2))
    assert found.low < -0.1


def test_differences_of_pairs_are_those_of_the_t_test():
    found = mean_difference([0.1, 0.3, 0.2])
    expected = stats.ttest_1samp([0.1, 0.3, 0.2], 0).confidence_interval(0.95)
    assert (found.mean, found.se) == pytest.approx((0.2, 0.1 / math.sqrt(3)))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert mean_difference([0.1, 0.1]).high == pytest.approx(0.1)


@given(
    st.lists(st.tuples(coherences, coherences), min_size=1, max_size=4),
    st.floats(0.001, 1),
)
def test_the_lower_the_less_probable(pairs, fall):
    narrow = seeds_of(4, [c for c, _ in pairs])
    lower = seeds_of(4, [c - fall for c, _ in pairs], SAMPLES - fall)
    wide = seeds_of(8, [c for _, c in pairs], SAMPLES[::-1])
    spread = seed_spread([narrow, wide])
    found, fallen = (paired_difference(runs, wide, spread) for runs in (narrow, lower))
    assert fallen.mean == pytest.approx(found.mean - fall)
    assert fallen.high <= found.high
    assert found.low <= found.mean <= found.high
    mirrored = paired_difference(wide, narrow, spread)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize(("of_seeds", "of_documents"), [(0.03, 0.01), (0.01, 0.03), (0.02, 0.02)])
def test_the_interval_holds_the_truth_95_times_in_100(of_seeds, of_documents):
    """Seeds and documents are drawn anew each time; bootstrap samples spread as documents do."""
    rng = np.random.default_rng(1)
    n_seeds, n_samples, true = 3, 100, -0.02
    covered, above = [], []
    for _ in range(800):
        coherences = rng.normal(0.4, of_seeds, size=(4, n_seeds))
        coherences[0] += rng.normal(scale=of_documents)  # these documents favour a width
        resampled = rng.normal(scale=of_documents, size=n_samples)
        widths = [
            seeds_of(2 ** (i + 2), of, of[:, None] + (resampled if i == 0 else np.zeros(n_samples)))
            for i, of in enumerate(coherences)
        ]
        lower = seeds_of(4, coherences[0] + true, coherences[0][:, None] + resampled)
        spread = seed_spread(widths)
        worse = paired_difference(lower, widths[1], spread)
        covered.append(worse.low <= true <= worse.high)
        above.append(worse.high < true)
    assert 0.925 < np.mean(covered) < 0.975
    assert np.mean(above) < 0.04


def test_runs_by_width():
    runs = [
        make_run(8, coherence=0.1),
        make_run(64, coherence=0.2, seed=1),
        make_run(8, coherence=0.3, seed=1),
        make_run(64, coherence=0.4),
    ]
    groups = by_width(runs)
    assert list(groups) == [64, 8]
    assert [[c.coherence for c in group] for group in groups.values()] == [[0.2, 0.4], [0.1, 0.3]]
