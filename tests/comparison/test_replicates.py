"""Samples of the documents, by hand and by their properties, and agreement of widths from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import make_comparison, make_condition, make_replicates, make_run

from bertopic_matryoshka import topic_agreement
from bertopic_matryoshka.comparison import Replicate, Setting, replicate_rows
from bertopic_matryoshka.comparison._replicates import agreement_by_width, plan_replicates


def test_80_percent_are_drawn_and_others_by_each_number():
    documents = [f"document {i}" for i in range(100)]
    drawn = [set(replicate_rows(documents, number).tolist()) for number in range(3)]
    assert [len(rows) for rows in drawn] == [80] * 3
    assert len(set(map(frozenset, drawn))) == 3
    assert replicate_rows(documents, 2).tolist() == sorted(drawn[2])


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=30), st.integers(0, 99))
def test_copies_go_together(documents, number):
    rows = replicate_rows(documents, number)
    drawn = {documents[row] for row in rows}
    assert rows.tolist() == [i for i, text in enumerate(documents) if text in drawn]
    assert len(drawn) == round(0.8 * len(set(documents)))


def test_a_control_and_a_single_width_have_none():
    settings = [Setting(*of, seed) for of in (("a", 8), ("a", 4), ("b", 8)) for seed in (0, 1)]
    settings += [Setting("permuted", dim, 0) for dim in (8, 4)]
    conditions = {name: make_condition() for name in "ab"}
    conditions["permuted"] = make_condition(is_permuted=True)
    planned = plan_replicates(settings, conditions, 2)
    assert [(of.topic_model, of.dim, of.seed) for of in planned] == [
        ("a", dim, number) for dim in (8, 4) for number in (0, 1)
    ]
    assert str(planned[1]) == "8 dims, a, replicate 1"
    assert plan_replicates(settings, conditions, 0) == []


def test_each_width_is_held_against_the_widest():
    wide, narrow = make_replicates(8), make_replicates(4, noise=0.3)
    found = agreement_by_width([*narrow, *wide])
    assert list(found) == [8, 4]
    expected = topic_agreement(
        [of.document_topics for of in narrow],
        [of.document_topics for of in wide],
        [of.rows for of in wide],
    )
    assert found[4].all == found[4].assigned == expected
    assert found[8].agreement == pytest.approx(1)
    assert agreement_by_width(wide[:1]) == agreement_by_width([]) == {}


def test_the_smaller_agreement_counts():
    """Outliers that stay put hide what becomes of the others, and the other way round."""
    wide, narrow = make_replicates(8, noise=0.03), make_replicates(4, noise=0.2)

    def with_outliers(replicates):
        return [
            Replicate(of.setting, None, of.rows, np.where(of.rows < 400, -1, of.document_topics))
            for of in replicates
        ]

    found = agreement_by_width([*with_outliers(wide), *with_outliers(narrow)])[4]
    assert found.assigned.agreement < found.all.agreement
    assert (found.agreement, found.low, found.high) == found.assigned[:3]


def test_agreement_in_the_summary():
    runs = [make_run(8), make_run(4), make_run(8, "PCA")]
    replicates = [*make_replicates(8), *make_replicates(4, noise=0.3)]
    comparison = make_comparison(*runs, replicates=replicates)
    summary = comparison.summary.set_index(["topic_model", "dim"])
    found = comparison.agreements()[4]
    columns = ["topic_agreement", "topic_agreement_low"]
    assert summary.loc[("selection", 4), columns].tolist() == [found.all.agreement, found.all.low]
    assert np.isnan(summary.loc[("PCA", 8), "topic_agreement"])
    assert comparison.agreements("PCA") == {}
    assert "topic_agreement" not in make_comparison(*runs).summary
    assert [of.setting.dim for of in comparison.replicates_of("selection")] == [8] * 5 + [4] * 5
