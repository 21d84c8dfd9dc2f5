"""The first lines of report and terminal: which width to keep, and the figures behind it."""

import numpy as np
import pytest
from made_runs import NAN, make_comparison, make_condition, make_replicates, make_run

from bertopic_matryoshka.report import answers

SAME, LOST = 0.03, 0.2
TOPICS = np.arange(12) % 3
OTHERS = np.where(TOPICS == 2, np.arange(12) % 2, TOPICS)  # two topics grow, one dissolves


def compare(narrow=SAME, *, n_seeds=2, coherence=0.2, topics=OTHERS):
    runs = [make_run(8, seed=seed, document_topics=TOPICS) for seed in range(n_seeds)]
    narrow_seconds = {"reduce_seconds": 0.25, "cluster_seconds": 0.25, "represent_seconds": 0.25}
    runs += [
        make_run(4, seed=seed, document_topics=topics, coherence=coherence, **narrow_seconds)
        for seed in range(n_seeds)
    ]
    return make_comparison(
        *runs, replicates=[*make_replicates(8), *make_replicates(4, noise=narrow)]
    )


def test_the_answer_is_the_recommendation_and_three_figures():
    comparison = compare()
    (found,) = answers(comparison)
    recommended = comparison.recommend()
    assert recommended.dim == 4
    assert found == (
        "",
        recommended.headline,
        {
            "Topics kept": "2 of 3 topics survive at 4; with another seed at 8, 3",
            "Coherence": "0.200 at 4; 0.100 at 8",
            "Cost": "50% of the memory; a fit takes 0.75 s, at 8 1.8 s",
        },
        str(recommended),
    )


def test_where_nothing_narrower_is_kept_the_figures_are_of_the_next_width():
    (found,) = answers(compare(LOST, n_seeds=1))
    assert found.headline.startswith("Keep all 8 dimensions: 4 lose more than 10%")
    assert found.figures["Topics kept"] == "2 of 3 topics survive at 4"  # one seed: no yardstick


def test_coherence_that_was_not_scored_is_no_figure():
    (found,) = answers(compare(coherence=NAN))
    assert list(found.figures) == ["Topics kept", "Cost"]


def test_each_topic_model_has_its_answer_and_controls_have_none():
    names = ["selection", "UMAP", "permuted"]
    runs = [make_run(dim, name) for name in names for dim in (8, 4)]
    replicates = [of for name in names for dim in (8, 4) for of in make_replicates(dim, name)]
    comparison = make_comparison(
        *runs,
        make_run(8, "PCA"),
        replicates=replicates,
        conditions={"permuted": make_condition(is_permuted=True)},
        controls=("permuted",),
    )
    assert [found.title for found in answers(comparison)] == ["selection", "UMAP"]


@pytest.mark.parametrize(
    ("runs", "headline"),
    [
        ([make_run(8)], "One width was compared, so there is no width to choose."),
        (
            [make_run(dim, document_topics=[-1] * 6, coherence=NAN) for dim in (8, 4)],
            "No topics were found at any width.",
        ),
    ],
)
def test_there_may_be_nothing_to_choose(runs, headline):
    assert answers(make_comparison(*runs)) == [("", headline, {}, "")]
