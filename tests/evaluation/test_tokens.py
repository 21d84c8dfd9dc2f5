"""Documents and tokens -> ids: held once, or read again."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from token_streams import Stream

from bertopic_matryoshka.evaluation._tokens import Tokens

ANALYZE = CountVectorizer().build_analyzer()
DOCUMENTS = ["red apple red", "", "blue sky", "apple"]
WORDS = {"apple": 0, "sky": 1, "unheard": 2}


def all_of(chunks):
    chunks = list(chunks)
    return tuple(np.concatenate(part).tolist() for part in zip(*chunks, strict=True))


@pytest.mark.parametrize("make", [list, tuple, iter, np.array, Stream])
@pytest.mark.parametrize("times", [1, 6000])  # 24,000 documents are more than a chunk
def test_ids_and_lengths(make, times):
    corpus = Tokens(make(DOCUMENTS * times), ANALYZE)
    for _ in range(2):
        assert all_of(corpus.chunks(WORDS)) == ([-1, 0, -1, -1, 1, 0] * times, [3, 0, 2, 1] * times)
    assert len(list(corpus.chunks(WORDS))) == (1 if times == 1 else 2)
    red = [7, -1, 7, -1, -1, -1] * times
    assert all_of(corpus.chunks({"red": 7})) == (red, [3, 0, 2, 1] * times)


@pytest.mark.parametrize("make", [list, Stream])
def test_tokens_are_taken_as_they_are(make):
    corpus = Tokens(make([["Red", "red apple"], (), ["red apple"]]), ANALYZE)
    assert all_of(corpus.chunks({"red apple": 0})) == ([-1, 0, 0], [2, 0, 1])


def test_a_list_is_tokenised_once_and_a_stream_at_each_walk():
    calls = []

    def analyze(text):
        calls.append(text)
        return text.split()

    held, read = Tokens(DOCUMENTS, analyze), Tokens(stream := Stream(DOCUMENTS), analyze)
    for corpus in (held, held, read, read):
        list(corpus.chunks(WORDS))
    assert len(calls) == 3 * len(DOCUMENTS)
    assert stream.walks == 2


@pytest.mark.parametrize("bad", [3, None, ["red", 3][1:], {"red"}])
def test_what_is_no_document_is_named_with_its_place(bad):
    with pytest.raises(TypeError, match=r"documents\[2\]=.*must be a string, or a list of strings"):
        list(Tokens(["red", "apple", bad], ANALYZE).chunks(WORDS))


def test_one_string_is_no_corpus():
    with pytest.raises(TypeError, match="documents='red apple' must be an iterable of strings"):
        Tokens("red apple", ANALYZE)
