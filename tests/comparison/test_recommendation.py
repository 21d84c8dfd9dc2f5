"""The width to keep: the rule by hand, its sentences, and how often it is wrong."""

import math
import re

import numpy as np
import pytest
from made_runs import MODEL, NAN, make_comparison, make_model, make_replicates, make_run
from scipy import stats

from bertopic_matryoshka.comparison import Recommendation
from bertopic_matryoshka.evaluation._topic_agreement import ratio_of_means

SAME, LOST, DOUBTFUL = 0.03, 0.2, 0.06
"""Noise of replicates: as at the widest, far too much, and in between."""


def recommendation(noise, *, coherences=None, error=0.001, n=5, ami=None, full_dim=8, **rule):
    """Recommend from the noise of the replicates at each width; equal coherence unless given."""
    coherences = coherences or {}
    runs = [make_run(dim, coherence=coherences.get(dim, 0.5), se_topics=error) for dim in noise]
    replicates = [
        replicate
        for dim, share in noise.items()
        for replicate in make_replicates(dim, noise=share, n=n, ami=ami and ami[dim])
    ]
    models = {MODEL: make_model(full_dim)}
    comparison = make_comparison(*runs, replicates=replicates, embedding_models=models)
    return comparison.recommend(**rule)


def verdicts(found):
    return {dim: evidence.verdict for dim, evidence in found.evidence.items()}


def test_the_smallest_that_is_shown_to_keep_the_topics():
    found = recommendation({8: SAME, 4: SAME, 2: SAME, 1: LOST})
    assert isinstance(found, Recommendation)
    assert (found.dim, found.answer, found.reference_dim) == (2, "keep", 8)
    assert verdicts(found) == {4: "kept", 2: "kept", 1: "topics"}
    low = math.floor(100 * found.evidence[2].agreement.low)
    high = math.ceil(100 * found.evidence[1].agreement.high)
    share = f"{found.evidence[2].agreement.agreement:.0%}"
    assert low > 90 > high
    assert found.headline == f"Keep 2 of 8 dimensions: topic agreement is at least {low}%."
    assert str(found) == (
        "selection: keep 2 of 8 dimensions (tolerance=0.1, margin=0.02). Topic agreement "
        f"with 8 dimensions is {share}, and at least {low}% with 95% confidence; no loss of "
        "coherence beyond the margin was shown. At 1, topic agreement is at most "
        f"{high}%."
    )


def test_the_full_width_where_the_next_loses():
    found = recommendation({8: SAME, 4: LOST, 2: SAME})
    assert (found.dim, found.answer) == (8, "keep all")
    assert verdicts(found) == {4: "topics", 2: "kept"}  # the first failure ends the sequence
    assert found.headline == ("Keep all 8 dimensions: 4 lose more than 10% of topic agreement.")
    assert found.reason.startswith(
        "selection: keep all 8 dimensions (tolerance=0.1, margin=0.02), as 4 lose more than 10% of "
        "topic agreement. At 4, topic agreement is at most "
    )


def test_what_is_not_shown_is_not_claimed():
    """The point is above what is asked for, and its lower bound is not."""
    found = recommendation({8: SAME, 4: DOUBTFUL})
    agreement = found.evidence[4].agreement
    assert agreement.low < 0.9 < agreement.agreement
    assert (found.dim, found.answer, verdicts(found)) == (8, "unclear", {4: "unclear"})
    assert found.headline == "Too few data or seeds to tell: keep all 8 dimensions."
    assert re.search(
        r"At 4, topic agreement is 8\d% to \d+%, not shown to be above 90%", str(found)
    )
    below = recommendation({8: SAME, 4: SAME, 2: DOUBTFUL})
    assert (below.dim, below.answer) == (4, "keep")  # what is shown above it stands


def test_tolerance():
    noise = {8: SAME, 4: SAME, 2: DOUBTFUL}
    assert recommendation(noise, tolerance=0.3).dim == 2
    assert recommendation(noise, tolerance=1e-6).answer == "unclear"
    assert "tolerance=0.3, margin=0.05" in str(recommendation(noise, tolerance=0.3, margin=0.05))
    for tolerance in (0, 1, -0.1, NAN):
        with pytest.raises(ValueError, match=f"tolerance={tolerance} must be between 0 and 1"):
            recommendation(noise, tolerance=tolerance)
    for margin in (-0.1, math.inf, NAN):
        with pytest.raises(ValueError, match=f"margin={margin} must be at least 0 and finite"):
            recommendation(noise, margin=margin)


def test_coherence_that_is_shown_to_be_lost():
    noise = {8: SAME, 4: SAME, 2: SAME}
    found = recommendation(noise, coherences={2: 0.4})
    assert (found.dim, verdicts(found)) == (4, {4: "kept", 2: "coherence"})
    lost = found.evidence[2].coherence
    assert str(found).endswith(
        f"At 2, coherence is lower by 0.100, and by at least {-lost.high:.3f} with 97.5% confidence."
    )
    assert recommendation(noise, coherences={2: 0.4}, margin=0.11).dim == 2
    assert recommendation(noise, coherences={2: 0.4}, error=0.05).dim == 2  # it is not shown
    first = recommendation(noise, coherences={4: 0.4})
    assert (first.dim, first.answer) == (8, "keep all")
    assert first.headline == "Keep all 8 dimensions: 4 lose coherence."


def test_labels_that_are_shown_to_be_lost():
    noise = {8: SAME, 4: SAME}
    ami = {8: [0.5, 0.6, 0.55, 0.5, 0.6], 4: [0.45, 0.54, 0.5, 0.44, 0.55]}
    found = recommendation(noise, ami=ami)
    assert (found.dim, found.answer, verdicts(found)) == (8, "keep all", {4: "labels"})
    difference = found.evidence[4].labels
    expected = stats.ttest_rel(ami[4], ami[8])
    assert difference.mean == pytest.approx(-0.054)
    assert difference.high == pytest.approx(expected.confidence_interval(0.95).high)
    assert found.headline == "Keep all 8 dimensions: 4 lose agreement with the labels."
    assert recommendation(noise, ami=ami, margin=0.06).dim == 4
    scattered = {**ami, 4: [0.5, 0.2, 0.7, 0.6, 0.48]}  # a lower mean, and no evidence
    found = recommendation(noise, ami=scattered)
    assert found.dim == 4
    assert "no loss of coherence, or of agreement with the labels, beyond the margin" in str(found)


@pytest.mark.parametrize(
    ("noise", "n", "obstacle"),
    [
        ({8: SAME}, 5, "No other width was compared."),
        ({8: SAME, 4: SAME}, 2, "Agreement needs 3 replicates or more, and there are 2 "),
        ({8: SAME, 4: SAME}, 0, "Agreement needs 3 replicates or more, and there are 0 "),
        ({8: 0.2, 4: 0.2}, 5, "The topics at 8 dimensions hardly repeat themselves"),
    ],
)
def test_too_few_data_or_seeds(noise, n, obstacle):
    found = recommendation(noise, n=n)
    assert (found.dim, found.answer) == (8, "unclear")
    assert found.obstacle.startswith(obstacle)
    assert str(found) == (
        "selection: too few data or seeds to tell (tolerance=0.1, margin=0.02), so keep all 8 "
        f"dimensions. {found.obstacle}"
    )


def test_one_topic_or_none_at_a_width():
    runs = [make_run(8, coherence=0.5), make_run(4, coherence=0.5)]
    for wide, narrow, answer in ((4, 1, "keep all"), (1, 4, "unclear")):
        replicates = [*make_replicates(8, n_topics=wide), *make_replicates(4, n_topics=narrow)]
        found = make_comparison(*runs, replicates=replicates).recommend()
        assert (found.dim, found.answer) == (8, answer)
    assert found.obstacle == "At 8 dimensions not every replicate has two topics."


def test_coherence_that_cannot_be_scored_is_no_veto():
    found = recommendation({8: SAME, 4: SAME}, coherences={4: NAN})
    assert (found.dim, found.evidence[4].coherence) == (4, None)


def test_the_widest_compared_is_not_called_all():
    found = recommendation({8: SAME, 4: LOST}, full_dim=16)
    assert found.headline.startswith("Keep 8 of 16 dimensions: 4 lose more than 10%")
    assert recommendation({8: SAME, 4: SAME}, full_dim=16).headline.startswith("Keep 4 of 16 ")


@pytest.mark.parametrize(
    "arguments",
    [
        ({8: SAME, 4: SAME},),
        ({8: SAME, 4: LOST},),
        ({8: SAME, 4: DOUBTFUL},),
    ],
)
@pytest.mark.parametrize("margin", [0.02, 0.11])
def test_the_headline_has_at_most_15_words(arguments, margin):
    for coherences in (None, {4: 0.4}):
        found = recommendation(*arguments, coherences=coherences, margin=margin)
        assert len(found.headline.split()) <= 15


def test_many_outliers_at_the_width_that_is_kept():
    mostly = [-1, -1, -1, -1, 0, 1]
    replicates = [*make_replicates(8), *make_replicates(4)]
    runs = [make_run(8), make_run(4, document_topics=mostly)]
    found = make_comparison(*runs, replicates=replicates).recommend()
    (caveat,) = found.caveats
    assert caveat.startswith("But 67% of the documents are outliers there")
    assert str(found) == f"{found.reason} {caveat}"


def test_numbers_of_topics_that_move_coherence():
    replicates = [*make_replicates(8), *make_replicates(4)]
    runs = [make_run(8, document_topics=[0, 1, 2, 3]), make_run(4, document_topics=[0, 1])]
    (caveat,) = make_comparison(*runs, replicates=replicates).recommend().caveats
    assert "differ in their number of topics (2 to 4)" in caveat


def test_a_topic_model_is_decided_by_itself():
    replicates = [*make_replicates(8), *make_replicates(4, noise=LOST)]
    replicates += [*make_replicates(8, "PCA"), *make_replicates(4, "PCA")]
    runs = [make_run(dim, name) for name in ("selection", "PCA") for dim in (8, 4)]
    comparison = make_comparison(*runs, replicates=replicates)
    assert comparison.recommend() == comparison.recommend("selection")
    assert (comparison.recommend().dim, comparison.recommend().topic_model) == (8, "selection")
    assert (comparison.recommend("PCA").dim, comparison.recommend("PCA").topic_model) == (4, "PCA")
    with pytest.raises(ValueError, match="topic_model='UMAP' was not compared"):
        comparison.recommend("UMAP")


# ---- how often it is wrong


def drawn_ami(rng, ratio, spread, n_replicates):
    """Draw AMI of replicates as fits have it: each replicate shifts all of its pairs.

    Returns the AMI of a width with the reference, whose mean is `ratio` times that of the
    reference with itself.
    """
    of_width, of_reference = rng.normal(scale=spread, size=(2, n_replicates))
    of_width = 0.5 * of_width + math.sqrt(0.75) * of_reference  # the same documents
    noise = rng.normal(scale=spread / 2, size=(2, n_replicates, n_replicates))
    within = 0.8 * (1 + of_reference[:, None] + of_reference + (noise[0] + noise[0].T) / 2)
    across = 0.8 * ratio * (1 + of_width[:, None] + of_reference + noise[1])
    return across, within


def wrong_share(rng, ratio, spread, n_replicates, n_draws):
    """Share of draws in which the lower bound is above what a tolerance of 0.1 asks for."""
    return np.mean(
        [
            ratio_of_means(*drawn_ami(rng, ratio, spread, n_replicates)).low > 0.9
            for _ in range(n_draws)
        ]
    )


@pytest.mark.parametrize("n_replicates", [3, 5, 10])
@pytest.mark.parametrize("spread", [0.005, 0.03], ids=["many documents", "few documents"])
def test_a_width_that_loses_more_is_kept_in_at_most_5_percent_of_runs(n_replicates, spread):
    rng = np.random.default_rng(0)
    n_draws = 1500
    at_the_limit, beyond, equal = (
        wrong_share(rng, ratio, spread, n_replicates, n_draws) for ratio in (0.9, 0.87, 1.0)
    )
    # The exact 95 % lower bound of the share: 5 % are not refuted.
    n_wrong = round(at_the_limit * n_draws)
    assert stats.beta.ppf(0.05, n_wrong, n_draws - n_wrong + 1) < 0.05
    assert beyond <= at_the_limit
    assert equal > 0.95 or spread > 0.01
