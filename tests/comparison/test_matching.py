"""Topics at two widths matched by their documents."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import make_comparison, make_run

from bertopic_matryoshka.comparison import SMALLEST_MATCH, pair_topics, topic_changes

# Topic 0 keeps 3 of its 4 documents as topic 5, topic 1 becomes topic 3, topic 2 dissolves, and
# topic 4 is new.
NARROW = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1]
FULL = [5, 5, 5, 3, 3, 3, 3, -1, -1, 4, 4]


def test_topics_are_matched_by_their_documents():
    pairs = pair_topics(make_run(4, document_topics=NARROW), make_run(8, document_topics=FULL))
    found = [(p.topic and p.topic.id, p.other and p.other.id, p.share) for p in pairs]
    assert found == [(0, 5, 3 / 4), (1, 3, 3 / 4), (2, None, 0), (None, 4, 0)]


def test_topics_that_share_next_to_nothing_are_not_matched():
    full = np.repeat([0, 1], [20, 20])
    narrow = np.where(np.arange(40) < 1, 0, -1)  # one document of topic 0's twenty
    assert SMALLEST_MATCH > 1 / 20
    pairs = pair_topics(make_run(4, document_topics=narrow), make_run(8, document_topics=full))
    assert [pair.share for pair in pairs] == [0, 0, 0]


def test_a_width_without_topics_matches_nothing():
    nothing, full = make_run(4, document_topics=[-1] * 11), make_run(8, document_topics=FULL)
    assert [(p.topic, p.other.id) for p in pair_topics(nothing, full)] == [
        *((None, 3), (None, 5), (None, 4)),
    ]
    assert [(p.topic.id, p.other) for p in pair_topics(full, nothing)] == [
        *((3, None), (5, None), (4, None)),
    ]


def changes(full, other):
    found = topic_changes(make_run(8, document_topics=full), make_run(4, document_topics=other))
    return {of.topic.id: (of.change, [topic.id for topic in of.others], of.share) for of in found}


def test_what_becomes_of_a_topic_is_decided_by_the_majority_of_its_documents():
    full = np.repeat([0, 1, 2, 3], [10, 8, 6, 4])
    other = [
        *[5] * 4, *[6] * 3, *[-1] * 3,  # topic 0 in two pieces of its own
        *[7] * 6, *[8] * 2,  # topic 1 is most of topic 7
        *[7] * 4, *[8] * 2,  # topic 2 joins it
        -1, -1, 8, 9,  # topic 3 scatters
    ]  # fmt: skip
    assert changes(full, other) == {
        0: ("splits", [5, 6], 0.7),
        1: ("survives", [7], 0.75),
        2: ("merges", [7], 4 / 6),
        3: ("vanishes", [], 0.25),
    }


def test_exactly_half_is_no_majority():
    assert changes([0, 0, 0, 0, 1, 1], [5, 5, -1, -1, 6, 6])[0] == ("vanishes", [], 0.5)
    merged = changes([0, 0, 1, 1], [5, 5, 5, 5])
    assert merged == {0: ("merges", [5], 1.0), 1: ("merges", [5], 1.0)}


def test_topics_survive_in_the_same_fit_and_vanish_without_one():
    assert {of[0] for of in changes(FULL, FULL).values()} == {"survives"}
    assert {of[0] for of in changes(FULL, [-1] * 11).values()} == {"vanishes"}


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), min_size=1, max_size=30))
def test_survivors_are_one_to_one(pairs):
    full, other = (list(of) for of in zip(*pairs, strict=True))
    found = changes(full, other)
    survivors = [of[1][0] for of in found.values() if of[0] == "survives"]
    assert len(set(survivors)) == len(survivors)
    assert all(len(of[1]) > 1 for of in found.values() if of[0] == "splits")
    assert all((of[2] > 0.5) == (of[0] != "vanishes") for of in found.values())


def test_changes_as_a_table():
    runs = [make_run(8, document_topics=FULL, seed=seed) for seed in (0, 1)]
    comparison = make_comparison(*runs, make_run(4, document_topics=NARROW))
    table = comparison.topic_changes(4)
    assert table.columns.tolist() == ["topic", "size", "change", "share", "others"]
    assert table.iloc[0].tolist() == ["cat, dog, word3", 4, "survives", 0.75, "cat, dog, word1"]
    assert (comparison.topic_changes(8)["change"] == "survives").all()  # its second seed
    with pytest.raises(ValueError, match="dim=2 must be one of the widths 8, 4"):
        comparison.topic_changes(2)
    with pytest.raises(ValueError, match="the first of them needs two seeds"):
        make_comparison(make_run(8)).topic_changes(8)
