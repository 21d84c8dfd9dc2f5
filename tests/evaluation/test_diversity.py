"""Diversity and balance: by hand, and against the formulas spelled out."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertopic_matryoshka.evaluation._diversity import (
    inverted_rbo,
    shared_words,
    topic_balance,
    topic_diversity,
)

words = st.sampled_from("abcdefgh")
topic_lists = st.lists(st.lists(words, max_size=6, unique=True), max_size=5)


def rbo_ext(one, other, p):
    """Equation 32 of Webber, Moffat and Zobel, term by term."""
    small, large = sorted([one, other], key=len)
    n, m = len(small), len(large)
    x = {d: len(set(small[:d]) & set(large[:d])) for d in range(1, m + 1)}
    first = sum(x[d] / d * p**d for d in range(1, m + 1))
    second = sum(x[n] * (d - n) / (n * d) * p**d for d in range(n + 1, m + 1))
    return (1 - p) / p * (first + second) + ((x[m] - x[n]) / m + x[n] / n) * p**m


def test_diversity_by_hand():
    assert topic_diversity([["a", "b"], ["b", "c"]]) == 3 / 4
    assert topic_diversity([["a", "b"], ["b", "c"]], top_n=1) == 1
    assert topic_diversity([["a", "", ""]]) == 1
    assert math.isnan(topic_diversity([]))


def test_near_duplicates_count_once():
    topics = [["game", "cup"], ["Games", "e-mail"], ["email", "tax"]]
    assert topic_diversity(topics) == 4 / 6
    assert topic_diversity(topics, fold=False) == 1
    # Within a topic too, where the second form is a repetition.
    assert topic_diversity([["game", "games", "cup"], ["tax", "games"]]) == 3 / 4
    assert topic_diversity([["game", "games", "cup"], ["tax", "games"]], fold=False) == 4 / 5
    # A singular beyond the first words folds nothing.
    assert topic_diversity([["games", "game"], ["cup", "tax"]], top_n=1) == 1


@given(st.lists(st.lists(st.sampled_from(["cat", "cats", "Cat", "dog", "ox", ""]), max_size=6)))
def test_folding_never_adds_diversity_to_topics_without_near_duplicates(topics):
    """Each topic has one form of a word, as after folding it."""
    topics = [
        list({word.casefold().rstrip("s"): word for word in topic}.values()) for topic in topics
    ]
    if any(word for topic in topics for word in topic):
        assert topic_diversity(topics) <= topic_diversity(topics, fold=False) + 1e-12


def test_inverted_rbo_by_hand():
    # Agreement is 0 at the first rank, 1 from the second on: 0.1 * 0 + 0.9 * 1.
    assert inverted_rbo([["a", "b"], ["b", "a"]]) == pytest.approx(0.1)
    # 1 at the first, 1/2 from the second on: 0.5 * 1 + 0.5 * 1/2.
    assert inverted_rbo([["a", "b"], ["a", "c"]], p=0.5) == pytest.approx(1 / 4)
    # The mean over three pairs, of which two are disjoint.
    assert inverted_rbo([["a", "b"], ["a", "c"], ["d", "e"]], p=0.5) == pytest.approx(3 / 4)


def test_a_word_shared_early_costs_more():
    early = inverted_rbo([["a", "b", "c"], ["a", "d", "e"]])
    late = inverted_rbo([["b", "c", "a"], ["d", "e", "a"]])
    assert early < late < 1


@given(topic_lists, st.integers(1, 7), st.floats(0.05, 0.99))
def test_inverted_rbo_is_one_minus_the_mean_rbo(topics, top_n, p):
    cut = [topic[:top_n] for topic in topics if topic]
    result = inverted_rbo(topics, top_n, p)
    if len(cut) < 2:
        assert math.isnan(result)
        return
    expected = 1 - np.mean([rbo_ext(a, b, p) for a, b in combinations(cut, 2)])
    assert result == pytest.approx(expected, abs=1e-12)
    assert 0 <= result <= 1


@given(topic_lists.filter(lambda topics: sum(map(bool, topics)) > 1), st.randoms())
def test_the_order_of_topics_does_not_matter(topics, random):
    shuffled = random.sample(topics, len(topics))
    assert inverted_rbo(shuffled) == pytest.approx(inverted_rbo(topics), abs=1e-12)


def test_padding_repetitions_and_empty_topics_do_not_count():
    clean = inverted_rbo([["a", "b"], ["a", "c"]])
    assert inverted_rbo([["a", "b", "", ""], [""], ["a", "a", "c"], []]) == clean
    assert math.isnan(inverted_rbo([["a"], ["", ""]]))


def test_equal_topics_differ_by_nothing():
    for n in range(1, 12):
        assert inverted_rbo([list("abcdefghijkl"[:n])] * 3, top_n=12) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p": 1}, "p=1 must be in \\(0, 1\\)"),
        ({"p": 0}, "p=0 must be in \\(0, 1\\)"),
        ({"top_n": 0}, "top_n=0 must be at least 1"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        inverted_rbo([["a"], ["b"]], **parameters)


def test_shared_words_by_hand():
    shared = list(shared_words([["a", "b"], ["c"]], [["b", "a", "c"]]))
    assert [counts.tolist() for counts in shared] == [[[0], [0]], [[2], [0]], [[2], [1]]]
    assert list(shared_words([], [])) == []


def test_balance_by_hand():
    assert topic_balance([7, 7, 7]) == pytest.approx(1)
    expected = (0.5 * math.log(2) + 2 * 0.25 * math.log(4)) / math.log(3)
    assert topic_balance([20, 10, 10]) == pytest.approx(expected)
    assert topic_balance(np.array([5, 0])) == 0
    assert topic_balance((5, 5, 0)) == pytest.approx(math.log(2) / math.log(3))


@pytest.mark.parametrize("sizes", [[], [5], [0, 0]])
def test_nothing_to_balance(sizes):
    assert math.isnan(topic_balance(sizes))


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=30), st.integers(2, 9))
def test_balance_is_a_share_and_does_not_depend_on_scale(sizes, factor):
    balance = topic_balance(sizes)
    assert 0 < balance <= 1
    assert topic_balance([factor * size for size in sizes]) == pytest.approx(balance)
    assert topic_balance([sizes[0]] * len(sizes)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([3, -1], r"sizes\[1\]=-1 must be a number of documents, at least 0"),
        ([math.nan, 2], r"sizes\[0\]=nan must be"),
        ([[1, 2]], r"sizes has shape \(1, 2\) and must have shape \(n_topics,\)"),
    ],
)
def test_bad_sizes(sizes, message):
    with pytest.raises(ValueError, match=message):
        topic_balance(sizes)
