"""Counts of words and pairs: exact, extended, saved, and of the right corpus."""

import logging
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tensors import Memory
from token_streams import Stream, slid

from bertopic_matryoshka.evaluation._counts import WordCounts
from bertopic_matryoshka.evaluation._tokens import Tokens

WORDS = list("abcd")
CORPORA = st.lists(st.lists(st.sampled_from([*WORDS, "other"]), max_size=12), max_size=6)
SIZES = st.sampled_from([None, 1, 2, 5, 20])


def counted(corpus, size, *parts, device="cpu"):
    counts = WordCounts(size)
    tokens = Tokens(corpus, str.split)
    for words in parts:
        counts.extend(tokens, [words], device)
    return counts


def by_sliding(corpus, size, words):
    number = {word: i for i, word in enumerate(words)}
    seen = slid([[number.get(token, -1) for token in document] for document in corpus], size)
    hold = np.array([[i in window for i in range(len(words))] for window in seen], dtype=int)
    hold = hold.reshape(-1, len(words))
    return hold.T @ hold, len(seen)


@given(CORPORA, SIZES)
def test_equals_sliding(corpus, size):
    counts = counted(corpus, size, WORDS)
    together, n_windows = by_sliding(corpus, size, WORDS)
    np.testing.assert_array_equal(counts.of(np.arange(4)), together)
    np.testing.assert_array_equal(counts.alone, together.diagonal())
    assert counts.together.dtype == np.int64
    assert (counts.n_documents, counts.n_tokens) == (len(corpus), sum(map(len, corpus)))
    assert counts.n_windows == n_windows


@given(CORPORA, SIZES, st.permutations(WORDS), st.integers(0, 4))
def test_words_counted_later_are_counted_alike(corpus, size, words, cut):
    extended = counted(corpus, size, words[:cut], words[:2], words)
    at_once = counted(corpus, size, extended.words)
    np.testing.assert_array_equal(extended.together, at_once.together)
    np.testing.assert_array_equal(extended.pairs, at_once.pairs)
    assert sorted(extended.words) == sorted(words)


def test_what_is_counted_is_not_counted_again():
    counts = counted([["a", "b"]], None, "ab")
    counts.extend(None, [["b", "a", "a"]], "cpu")  # no corpus, and none is needed


def test_only_pairs_within_topics_are_counted():
    """20,000 words in topics of ten: a table of all pairs of words would take 3.2 GB."""
    rng = np.random.default_rng(0)
    topics = rng.permutation(20_000).astype(str).reshape(-1, 10).tolist()
    corpus = [rng.choice(topics[i % len(topics)], 5).tolist() for i in range(2_000)]
    counts = WordCounts(None)
    tracemalloc.start()
    counts.extend(Tokens(corpus, str.split), topics, "cpu")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counts.together.size == counts.pairs.size == 2_000 * 55
    assert peak < 50e6
    numbers = np.array([[counts.number[word] for word in topic] for topic in topics[:3]])
    for topic, together in zip(topics[:3], counts.of(numbers), strict=True):
        np.testing.assert_array_equal(together, by_sliding(corpus, None, topic)[0])


def test_counts_know_their_corpus():
    corpus = ["red apple", "blue sky", "red sky"]
    held, stream = (Tokens(make(corpus), str.split) for make in (list, Stream))
    once = Tokens(iter(corpus), str.split)
    assert held.digest() == stream.digest() == once.digest()
    list(stream.chunks({}))
    assert held.digest() == stream.digest()
    others = [corpus[::-1], ["red apple blue", "sky", "red sky"], [*corpus, ""]]
    assert len({held.digest(), *(Tokens(other, str.split).digest() for other in others)}) == 4
    assert Tokens(corpus, list).digest() != held.digest()
    assert Tokens([["a b"], ["c"]], str.split).digest() != Tokens([["a", "b", "c"]], None).digest()


def test_a_stream_equals_a_list():
    corpus = [["a", "b"], ["b"], [], ["a", "b", "c"]]
    stream = Stream(corpus)
    np.testing.assert_array_equal(
        counted(stream, 2, "ab", "abc").together, counted(corpus, 2, "abc").together
    )
    assert stream.walks == 2


def test_saved_counts_are_the_same_and_grow_on(tmp_path):
    corpus = [["a", "ä b"], ["ä b"], ["a", "c"]]
    counts = counted(corpus, 2, ["a", "ä b"])
    counts.save(tmp_path / "counts")
    loaded = WordCounts.load(tmp_path / "counts")
    assert vars(loaded).keys() == vars(counts).keys()
    assert (loaded.words, loaded.number) == (counts.words, counts.number)
    loaded.extend(Tokens(corpus, str.split), [["a", "c"]], "cpu")
    expected = counted(corpus, 2, ["a", "ä b"], ["a", "c"])
    np.testing.assert_array_equal(loaded.together, expected.together)
    np.testing.assert_array_equal(loaded.pairs, expected.pairs)


def test_counts_of_another_corpus():
    counts = counted([["a", "b"]], 2, "a")
    with pytest.raises(ValueError, match="of another corpus, of 1 documents with 2 tokens, or of"):
        counts.extend(Tokens([["a"], ["b"]], str.split), ["b"], "cpu")


def test_counts_of_an_earlier_version(tmp_path):
    np.savez(tmp_path / "counts.npz", facts=np.zeros(1, np.uint8), together=np.zeros((1, 1)))
    with pytest.raises(ValueError, match="written by an earlier version, which does not tell its"):
        WordCounts.load(tmp_path / "counts.npz")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_counts_as_the_cpu_does():
    rng = np.random.default_rng(0)
    corpus = [rng.choice(WORDS, size=n).tolist() for n in rng.integers(0, 200, size=300)]
    for size in (None, 10, 110):
        on_gpu, on_cpu = (counted(corpus, size, "ab", WORDS, device=d) for d in ("cuda", "cpu"))
        np.testing.assert_array_equal(on_gpu.together, on_cpu.together)


def test_memory_that_runs_out_makes_the_blocks_smaller(caplog):
    rng = np.random.default_rng(0)
    words = [str(i) for i in range(50)]
    corpus = [rng.choice(words, size=40).tolist() for _ in range(20)]
    expected = counted(corpus, 10, words).together
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"), Memory(most=8 * 50**2):
        np.testing.assert_array_equal(counted(corpus, 10, words).together, expected)
    assert "out of memory: continuing with blocks of 2048 overlaps" in caplog.text
    with Memory(most=100), pytest.raises(torch.OutOfMemoryError):
        counted(corpus, 10, words)
