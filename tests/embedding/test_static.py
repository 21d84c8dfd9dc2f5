"""The bundled model's rows, tokenised word by word, are those of sentence-transformers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.embedding import _static

# Words run together, special tokens, control characters, spaces of all kinds, accents, Chinese.
PIECES = ["the", "Cats", "unbelievable9", "x_1", "it's", "[UNK]", "[PAD]", "[pad]", "\x00", "\x7f"]
PIECES += [" ", "\t", "\n", "\x0b", "\x1f", "\u3000", "-", "...", "$+~`^", "é", "e\u0301", "ß", "İ"]
PIECES += ["\u2019", "\u200b", "\ufffd", "\u4e2d\u6587", "\N{GRINNING FACE}", "a" * 101]
texts_of_pieces = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


@pytest.fixture(scope="module")
def bundled():
    return MatryoshkaBackend()


@given(st.lists(texts_of_pieces | st.text(st.characters(exclude_categories=["Cs"])), max_size=6))
@example(["re[UNK]read", "the\x00cats", "the\x1fcats", "", " ", "Cats's İx", "cats's i\u0307x"])
def test_rows_are_those_of_sentence_transformers(bundled, texts):
    rows = bundled.embed_raw(texts)
    if texts:
        np.testing.assert_array_equal(rows, bundled.embedding_model.encode(texts))


def test_blocks_and_forgotten_words_change_nothing(bundled, monkeypatch):
    docs = [f"Text {i} names {i % 7} of the {i * i} café's things" for i in range(300)]
    whole = bundled.embed(docs)
    monkeypatch.setattr(_static, "BLOCK_TEXTS", 50)
    monkeypatch.setattr(_static, "MOST_WORDS", 200)
    np.testing.assert_array_equal(bundled.embed(docs), whole)


def test_every_different_word_is_tokenised_once(bundled, monkeypatch):
    seen = []
    tokenise = _static.WordTokens._tokenise_new

    def watched(words):
        tokenise(words)
        seen.append(len(words))

    monkeypatch.setattr(_static, "BLOCK_TEXTS", 1)
    monkeypatch.setattr(_static.WordTokens, "_tokenise_new", watched)
    bundled.embed(["one cat, two cats", "Two cats; one CAT", "one dog"])
    assert seen == [5, 6, 7]  # one cat , two cats; then ; and dog


def test_prompt_comes_first(bundled):
    prompted = MatryoshkaBackend(prompt="search: ")
    rows = prompted.embed_raw(["cats", "dogs"])
    np.testing.assert_array_equal(rows, bundled.embed_raw(["search: cats", "search: dogs"]))
