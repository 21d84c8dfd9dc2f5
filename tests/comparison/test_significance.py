"""Standard errors, paired differences and what a comparison detects, by hand and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import MODEL, N_RESAMPLES, NAN, make_comparison, make_condition, make_model, make_run
from scipy import stats

from bertopic_matryoshka.comparison import (
    Recommendation,
    SeedSpread,
    by_width,
    paired_difference,
    seed_spread,
)
from bertopic_matryoshka.comparison._significance import _significant, recommend, se_coherence

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
    return mean, error, low, high, stats.t.cdf(mean / error, freedom)


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
    assert (found.mean, found.se, found.low, found.high, found.p_worse) == pytest.approx(expected)


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
    assert (found.mean, found.se, found.low, found.high, found.p_worse) == pytest.approx(expected)


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
    assert found.p_worse == 0.5


def test_a_difference_without_any_error_is_certain():
    narrow, wide = (seeds_of(dim, [c, c], SAMPLES[:2]) for dim, c in ((4, 0.25), (8, 0.5)))
    found = paired_difference(narrow, wide, seed_spread([narrow, wide]))
    assert (found.mean, found.se, found.low, found.high) == (-0.25, 0.0, -0.25, -0.25)
    assert found.p_worse == 0
    assert paired_difference(wide, narrow, SeedSpread(0.0, 2)).p_worse == 1


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
            seeds_of(2 ** (i + 2), of, of[:, None] + (resampled if i == 0 else np.zeros(n_samples)))
            for i, of in enumerate(coherences)
        ]
        lower = seeds_of(4, coherences[0] + true, coherences[0][:, None] + resampled)
        spread = seed_spread(widths)
        worse = paired_difference(lower, widths[1], spread)
        covered.append(worse.low <= true <= worse.high)
        p_values.append(paired_difference(widths[0], widths[1], spread).p_worse)
    assert 0.925 < np.mean(covered) < 0.975
    assert 0.03 < np.mean(np.array(p_values) <= 0.05) < 0.07


# ---- what is detected

FEW, MANY = [0, 1] * 6, [0, 1, 2, 3] * 3  # two and four topics, no outliers


def run(dim, coherence, *, error=0.001, **measured):
    """A run that differs from others by the errors of its topics alone."""
    return make_run(dim, coherence=coherence, se_topics=error, **measured)


def test_the_smallest_that_is_not_significantly_worse():
    runs = [run(256, 0.3095), run(128, 0.31), run(64, 0.309), run(32, 0.20), run(16, 0.21)]
    found = recommend(runs, "selection", 256)
    assert (found.dim, found.best_dim, found.topic_model, found.differs) == (
        64,
        128,
        "selection",
        True,
    )
    assert list(found.differences) == [256, 64, 32, 16]
    assert found.differences[64].mean == pytest.approx(-0.001)
    loss = -found.differences[64].low
    assert loss == pytest.approx(0.001 + math.sqrt(2) * 0.001 * 4.302653)  # t of 2 topics twice
    assert found.reason == (
        "selection: no loss of coherence was detected at 64 of 256 dimensions, 0.309 against 0.310 "
        f"at 128, the highest (95 % interval of the difference {-loss:+.3f} to "
        f"{found.differences[64].high:+.3f}); this does not show that the topics are the same. "
        "16, 32 are significantly lower."
    )
    assert found.caveats == ()
    assert str(found) == found.reason


def test_a_single_worse_width_is_one():
    found = recommend([run(256, 0.3), run(64, 0.1)], "selection", 256)
    assert (found.dim, found.differs) == (256, True)
    assert found.reason == (
        "selection: coherence is highest at 256 of 256 dimensions, 0.300; 64 is significantly lower."
    )


def test_a_test_that_does_not_reject_is_not_taken_for_equality():
    found = recommend([run(256, 0.30, error=0.1), run(64, 0.29, error=0.1)], "UMAP", 256)
    assert (found.dim, found.best_dim, found.differs) == (64, 256, False)
    difference = found.differences[64]
    assert found.reason == (
        "UMAP: no loss of coherence was detected at 64 of 256 dimensions, 0.290 against 0.300 at "
        f"256, the highest (95 % interval of the difference {difference.low:+.3f} to "
        f"{difference.high:+.3f}); this does not show that the topics are the same."
    )


def test_where_the_smallest_is_the_best_it_loses_nothing():
    found = recommend([run(256, 0.29, error=0.1), run(64, 0.30, error=0.1)], "selection", 256)
    assert (found.dim, found.best_dim, found.differs) == (64, 64, False)
    assert found.reason == (
        "selection: coherence is highest at 64 of 256 dimensions, 0.300. No other is lower for "
        "sure; this does not show that the topics are the same."
    )


def test_a_wider_one_may_be_worse_than_the_best():
    found = recommend([run(256, 0.1), run(64, 0.3)], "selection", 256)
    assert (found.dim, found.best_dim, found.differs) == (64, 64, True)
    assert "256 is significantly lower" in found.reason


def test_of_equals_the_smaller_is_the_best():
    found = recommend([run(256, 0.3), run(64, 0.3)], "selection", 256)
    assert (found.dim, found.best_dim) == (64, 64)


def test_what_seeds_do_is_learnt_from_all_widths():
    """64 is .02 below 256 with three seeds; more is known of seeds from further widths."""
    wide = [run(256, c, seed=i, error=9.0) for i, c in enumerate([0.31, 0.30, 0.29])]
    narrow = [run(64, c, seed=i, error=9.0) for i, c in enumerate([0.27, 0.28, 0.29])]
    found = recommend([*wide, *narrow], "selection", 256)
    assert (found.dim, found.differs) == (256, True)
    assert found.differences[64].mean == pytest.approx(-0.02)
    scattered = [run(128, c, seed=i, error=9.0) for i, c in enumerate([0.1, 0.3, 0.49])]
    found = recommend([*wide, *scattered, *narrow], "selection", 256)
    assert (found.dim, found.differs) == (64, False)


@pytest.mark.parametrize(
    ("p_values", "worse"),
    [
        ({}, set()),
        ({1: 0.05}, {1}),
        ({1: 0.051}, set()),
        ({1: 0.025, 2: 0.05}, {1, 2}),  # .05 / 2, then .05
        ({1: 0.026, 2: 0.026}, set()),  # though both are below .05
        ({1: 0.01, 2: 0.03, 3: 0.04}, {1}),  # .03 fails .05 / 2, and .04 after it
        ({1: 0.04, 2: 0.02, 3: 0.01}, {1, 2, 3}),  # .05 / 3, .05 / 2, .05
    ],
)
def test_holm(p_values, worse):
    assert _significant(p_values, 0.05) == worse


def test_several_widths_need_more_evidence():
    """What is worse by itself is not among ten widths."""
    wide, narrow = run(256, 0.3, error=0.01), run(16, 0.25, error=0.01)
    alone = recommend([wide, narrow], "selection", 256)
    p_worse = alone.differences[16].p_worse
    assert 0.05 / 10 < p_worse < 0.05
    assert alone.dim == 256
    others = [run(dim, 0.3, error=0.01) for dim in range(100, 109)]
    among = recommend([wide, *others, narrow], "selection", 256)
    assert among.differences[16].p_worse == pytest.approx(p_worse)
    assert (among.dim, among.differs) == (16, False)


def test_alpha():
    runs = [run(256, 0.3, error=0.01), run(16, 0.25, error=0.01)]
    p_worse = recommend(runs, "selection", 256).differences[16].p_worse
    assert recommend(runs, "selection", 256, alpha=p_worse * 1.01).dim == 256
    assert recommend(runs, "selection", 256, alpha=p_worse * 0.99).dim == 16
    for alpha in (0, 1, -0.1, 5):
        with pytest.raises(ValueError, match=f"alpha={alpha} must be between 0 and 1"):
            recommend(runs, "selection", 256, alpha)


def test_widths_without_topics_are_passed_over_and_named():
    nothing = {"document_topics": [-1] * 6, "coherence_resamples": np.full(N_RESAMPLES, NAN)}
    found = recommend(
        [run(256, 0.3), run(64, NAN, **nothing), run(64, 0.3, seed=1)], "selection", 256
    )
    assert found.dim == 256
    assert found.differences == {}
    assert found.caveats == ("Not every seed gave two topics that can be scored at 64.",)


def test_one_topic_says_nothing_of_a_width():
    found = recommend(
        [run(256, 0.3), run(64, 0.9, document_topics=[0] * 6)], "selection", full_dim=768
    )
    assert found.dim == 256
    assert "at 256 of 768 dimensions" in found.reason


def test_many_outliers_at_the_width_that_is_kept():
    mostly = [-1, -1, -1, -1, 0, 1]
    found = recommend([run(256, 0.3), run(64, 0.3, document_topics=mostly)], "selection", 256)
    (caveat,) = found.caveats
    assert caveat.startswith("But 67% of the documents are outliers there")
    assert str(found) == f"{found.reason} {caveat}"
    elsewhere = recommend([run(256, 0.3, document_topics=mostly), run(64, 0.3)], "selection", 256)
    assert elsewhere.dim == 64
    assert elsewhere.caveats == ()


def test_numbers_of_topics_that_move_coherence():
    runs = [run(256, 0.3, document_topics=MANY), run(64, 0.3, document_topics=FEW)]
    (caveat,) = recommend(runs, "selection", 256).caveats
    assert "differ in their number of topics (2 to 4)" in caveat
    three = run(64, 0.3, document_topics=[0, 1, 2] * 4)
    assert recommend([runs[0], three], "selection", 256).caveats == ()


def test_nothing_to_recommend():
    with pytest.raises(
        ValueError, match=r"No width of 'selection' gave two topics .* none to recommend"
    ):
        recommend([run(256, NAN, document_topics=[-1] * 6)], "selection", 256)


def test_a_single_width_is_said_to_be_one():
    found = recommend([run(256, 0.3)], "selection", 256)
    assert (found.dim, found.differs, found.differences) == (256, False, {})
    assert found.reason == (
        "selection: coherence 0.300 at 256 of 256 dimensions, the only width compared."
    )


def test_a_topic_model_is_decided_by_itself():
    comparison = make_comparison(
        run(8, 0.3), run(2, 0.1), run(8, 0.1, topic_model="PCA"), run(2, 0.3, topic_model="PCA")
    )
    assert isinstance(comparison.recommend(), Recommendation)
    assert comparison.recommend() == comparison.recommend("selection")
    assert (comparison.recommend().dim, comparison.recommend().topic_model) == (8, "selection")
    assert (comparison.recommend("PCA").dim, comparison.recommend("PCA").topic_model) == (2, "PCA")
    assert comparison.recommend(alpha=1e-9).dim == 2
    with pytest.raises(
        ValueError, match="topic_model='UMAP' was not compared; there are: selection, PCA"
    ):
        comparison.recommend("UMAP")


def test_few_neighbours_kept():
    """made_runs keeps 0.8 of the neighbours at each halving: 0.512 at 1 of 8, 0.41 at 1 of 16."""
    enough = make_comparison(run(8, 0.3), run(1, 0.3)).recommend()
    assert (enough.dim, enough.caveats) == (1, ())
    models = {MODEL: make_model(16)}
    (caveat,) = (
        make_comparison(run(16, 0.3), run(1, 0.3), embedding_models=models).recommend().caveats
    )
    assert caveat.startswith("1 dimensions keep 41% of a document's nearest neighbours")
    elsewhere = make_comparison(run(16, 0.9), run(1, 0.3), embedding_models=models).recommend()
    assert (elsewhere.dim, elsewhere.caveats) == (16, ())


def test_random_dimensions_have_no_neighbours_to_keep():
    runs = [run(16, 0.3), run(1, 0.3, topic_model="permuted")]
    comparison = make_comparison(
        *runs,
        conditions={"permuted": make_condition(is_permuted=True)},
        embedding_models={MODEL: make_model(16)},
    )
    assert comparison.recommend("permuted").caveats == ()


def test_runs_by_width():
    runs = [run(8, 0.1), run(64, 0.2, seed=1), run(8, 0.3, seed=1), run(64, 0.4)]
    groups = by_width(runs)
    assert list(groups) == [64, 8]
    assert [[c.coherence for c in group] for group in groups.values()] == [[0.2, 0.4], [0.1, 0.3]]


@pytest.mark.parametrize("narrow", [0.30, 0.29, 0.10])
@pytest.mark.parametrize("error", [0.001, 0.1])
def test_it_never_says_what_to_keep(narrow, error):
    found = recommend([run(256, 0.3, error=error), run(64, narrow, error=error)], "selection", 256)
    assert "keep" not in str(found).lower()
