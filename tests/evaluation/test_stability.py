"""Topics of two models compared by their words."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertopic_matryoshka.evaluation._stability import topic_stability

words = st.sampled_from("abcdefgh")
topic_lists = st.lists(st.lists(words, min_size=1, max_size=5, unique=True), max_size=4)


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
