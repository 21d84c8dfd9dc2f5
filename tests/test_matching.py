"""Topics of two models: matched by their documents, and compared by their words."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_cells import make_cell

from bertopic_matryoshka.matching import SMALLEST_MATCH, pair_topics, topic_stability

words = st.sampled_from("abcdefgh")
topic_lists = st.lists(st.lists(words, min_size=1, max_size=5, unique=True), max_size=4)

# ---- by documents

# Topic 0 keeps 3 of its 4 documents as topic 5, topic 1 becomes topic 3, topic 2 dissolves, and
# topic 4 is new.
NARROW = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1]
FULL = [5, 5, 5, 3, 3, 3, 3, -1, -1, 4, 4]


def test_topics_are_matched_by_their_documents():
    pairs = pair_topics(make_cell(4, document_topics=NARROW), make_cell(8, document_topics=FULL))
    found = [(p.topic and p.topic.id, p.other and p.other.id, p.share) for p in pairs]
    assert found == [(0, 5, 3 / 4), (1, 3, 3 / 4), (2, None, 0), (None, 4, 0)]


def test_topics_that_share_next_to_nothing_are_not_matched():
    full = np.repeat([0, 1], [20, 20])
    narrow = np.where(np.arange(40) < 1, 0, -1)  # one document of topic 0's twenty
    assert SMALLEST_MATCH > 1 / 20
    pairs = pair_topics(make_cell(4, document_topics=narrow), make_cell(8, document_topics=full))
    assert [pair.share for pair in pairs] == [0, 0, 0]


def test_a_width_without_topics_matches_nothing():
    nothing, full = make_cell(4, document_topics=[-1] * 11), make_cell(8, document_topics=FULL)
    assert [(p.topic, p.other.id) for p in pair_topics(nothing, full)] == [
        *((None, 3), (None, 5), (None, 4)),
    ]
    assert [(p.topic.id, p.other) for p in pair_topics(full, nothing)] == [
        *((3, None), (5, None), (4, None)),
    ]


# ---- by words


def average_jaccard(one, other):
    depths = range(1, max(len(one), len(other)) + 1)
    return np.mean(
        [len({*one[:d]} & {*other[:d]}) / len({*one[:d]} | {*other[:d]}) for d in depths]
    )


def stability_by_trying(topics, others):
    """Try every way to match the topics."""
    few, many = sorted([topics, others], key=len)
    similar = np.array([[average_jaccard(a, b) for b in many] for a in few])
    best = max(
        sum(similar[i, j] for i, j in enumerate(chosen))
        for chosen in permutations(range(len(many)), len(few))
    )
    return best / len(many)


def test_average_jaccard_by_hand():
    # {a} and {b}: 0; {a, b} and {b, a}: 1; {a, b, c} and {b, a, d}: 2/4.
    assert topic_stability([["a", "b", "c"]], [["b", "a", "d"]]) == pytest.approx(1.5 / 3)
    # {a} and {a}: 1; {a} and {a, b}: 1/2, for the longer one has two words.
    assert topic_stability([["a"]], [["a", "b"]]) == pytest.approx(1.5 / 2)
    assert topic_stability([["a", "b"]], [["a", "c"]], top_n=1) == 1


def test_pairs_are_together_as_similar_as_can_be():
    # The most similar pair, of the first two at 2/3, would leave 1/6; crossed, both are at 1/2.
    topics, others = [["a", "b"], ["c", "a"]], [["a", "c"], ["b", "a"]]
    assert topic_stability(topics, others) == pytest.approx(1 / 2)


def test_a_topic_without_counterpart_costs():
    assert topic_stability([["a"], ["b"]], [["a"], ["b"], ["c"]]) == pytest.approx(2 / 3)
    assert topic_stability([["a"]], []) == 0
    assert math.isnan(topic_stability([], [[]]))


@given(topic_lists, topic_lists)
def test_stability_is_the_best_of_all_matchings(topics, others):
    result = topic_stability(topics, others)
    if not topics and not others:
        assert math.isnan(result)
        return
    assert result == pytest.approx(stability_by_trying(topics, others))
    assert 0 <= result <= 1
    assert topic_stability(others, topics) == pytest.approx(result)


@given(topic_lists.filter(len), st.randoms())
def test_a_permutation_of_itself_is_stable(topics, random):
    assert topic_stability(topics, random.sample(topics, len(topics))) == pytest.approx(1)
    renamed = [[word.upper() for word in topic] for topic in topics]
    assert topic_stability(topics, renamed) == 0


def test_padding_repetitions_and_empty_topics_do_not_count():
    assert topic_stability([["a", "a", "b", ""], ["", ""]], [["a", "b"]]) == 1


def test_bad_parameters():
    with pytest.raises(ValueError, match="top_n=0 must be at least 1"):
        topic_stability([["a"]], [["a"]], top_n=0)
