"""Windows in which words are seen: by hand, and against sliding a window as gensim does."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from tensors import Memory
from token_streams import slid

from bertopic_matryoshka.evaluation._tokens import Chunk
from bertopic_matryoshka.evaluation._windows import (
    count_windows,
    overlaps_within,
    seen_in,
)

CORPORA = st.lists(st.lists(st.integers(-1, 3), max_size=12), max_size=5)
SIZES = st.sampled_from([None, 1, 2, 3, 7, 20])


def chunk_of(corpus):
    ids = np.array([word for document in corpus for word in document], dtype=np.int32)
    return Chunk(ids, np.array([len(document) for document in corpus], dtype=np.int64))


def intervals_of(corpus, size):
    return seen_in(chunk_of(corpus), size, "cpu")


def listed(blocks):
    return [tuple(overlap) for block in blocks for overlap in torch.stack(block, dim=1).tolist()]


def test_by_hand():
    # Windows of 2 over "a b a c": ab, ba, ac. The first "a" leaves before the third window enters.
    found = intervals_of([[0, 1, 0, 2], [1]], 2)
    rows = torch.stack([found.word, found.document, found.start, found.end], dim=1).tolist()
    assert sorted(rows) == [[0, 0, 0, 0], [0, 0, 1, 2], [1, 0, 0, 1], [1, 1, 3, 3], [2, 0, 2, 2]]


def test_a_repeated_word_is_gone_when_its_first_token_leaves():
    # gensim forgets that a second "a" is still in the window: "a a b" has no "a" in "ab".
    found = intervals_of([[0, 0, 1, 1]], 3)
    assert torch.stack([found.word, found.start, found.end], dim=1).tolist() == [
        [0, 0, 0],
        [1, 0, 1],
    ]


@given(CORPORA, SIZES)
def test_equals_sliding(corpus, size):
    seen = slid(corpus, size)
    found = intervals_of(corpus, size)
    assert int(count_windows(torch.tensor([len(d) for d in corpus]), size).sum()) == len(seen)
    covered = [set() for _ in seen]
    for word, start, end in torch.stack([found.word, found.start, found.end], dim=1).tolist():
        for window in range(start, end + 1):
            assert word not in covered[window]
            covered[window].add(word)
    assert covered == seen
    assert found.start.tolist() == sorted(found.start.tolist())


@given(CORPORA, SIZES, st.integers(1, 50))
def test_overlaps_are_all_listed_once(corpus, size, more):
    found = intervals_of(corpus, size)
    n = found.start.shape[0]
    span = [
        set(range(s, e + 1)) for s, e in zip(found.start.tolist(), found.end.tolist(), strict=True)
    ]
    expected = {
        (i, j, len(span[i] & span[j])) for i in range(n) for j in range(i) if span[i] & span[j]
    }
    most = 8 * (n + more) + 64  # memory for the intervals, and for a few overlaps at a time
    with Memory(most):
        blocks = list(overlaps_within(found))
    within = listed(blocks)
    assert {(max(i, j), min(i, j), w) for i, j, w in within} == expected
    assert len(within) == len(expected)


def test_an_interval_with_more_overlaps_than_a_block():
    """After ten documents of ten words, memory is known for 512 overlaps; the next word has 519."""
    corpus = [list(range(10))] * 10 + [list(range(520))]
    found = intervals_of(corpus, None)
    with Memory(most=8 * 640):
        blocks = list(overlaps_within(found))
    assert len(set(listed(blocks))) == len(listed(blocks)) == 10 * 45 + 520 * 519 // 2
    assert [len(i) for i, _, _ in blocks[:2]] == [450, 519]
