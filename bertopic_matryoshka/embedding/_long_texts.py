"""Texts' tokens and a model's window -> an order for batches, long texts, pieces that fit."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bertopic_matryoshka.embedding._truncate import row_lengths, unit_rows
from bertopic_matryoshka.exceptions import TruncationWarning

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

LONG_TEXTS = ("truncate", "mean")

CHARACTERS = 16
"""A text is longer than a window if so many characters for each of its tokens are."""

BLOCK_TEXTS = 1000


class Window(NamedTuple):
    """Room for a text in a model.

    Attributes
    ----------
    tokenizer : PreTrainedTokenizerFast
    n_tokens : int
        Tokens of a text that the model reads, without special tokens and those of the prompt.
    max_seq_length : int
        Tokens with them.
    """

    tokenizer: Any
    n_tokens: int
    max_seq_length: int


def window_of(model: SentenceTransformer, prompt: str) -> Window | None:
    """Find the window; None for a model that reads texts of any length, or whose tokens are hidden.

    Raises
    ------
    ValueError
        If the prompt alone fills the window.
    """
    length = model.max_seq_length
    tokenizer: Any = getattr(model, "tokenizer", None)
    if not length or not np.isfinite(length) or not getattr(tokenizer, "is_fast", False):
        return None
    n_tokens = length - tokenizer.num_special_tokens_to_add()
    if prompt:
        n_tokens -= len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    if n_tokens < 1:
        raise ValueError(
            f"prompt={prompt[:40]!r} fills the model's window of {length} tokens. Give a shorter "
            "one, or a model with a longer window."
        )
    return Window(tokenizer, n_tokens, length)


def long_texts(texts: list[str], window: Window) -> list[int]:
    """Find the texts with more tokens than a window has, without tokenising short ones."""
    # An ASCII character is at most one token; others may become several.
    maybe = [i for i, t in enumerate(texts) if len(t) >= window.n_tokens or not t.isascii()]
    head = window.n_tokens * CHARACTERS
    found = set()
    # The tokens of a text's beginning tell, but where these are few and there is more text.
    for n_characters in (head, None):
        unsure = []
        for start in range(0, len(maybe), BLOCK_TEXTS):
            block = maybe[start : start + BLOCK_TEXTS]
            heads = [texts[i][:n_characters] for i in block]
            for i, tokens in zip(block, _tokens(heads, window), strict=True):
                if len(tokens) > window.n_tokens:
                    found.add(i)
                elif n_characters is not None and len(texts[i]) > n_characters:
                    unsure.append(i)
        maybe = unsure
    return sorted(found)


def by_tokens(texts: list[str], window: Window) -> NDArray[np.intp]:
    """Order texts by their numbers of tokens, most first; those beyond the window do not count."""
    head = window.n_tokens * CHARACTERS
    counts = [
        min(len(tokens), window.n_tokens)
        for start in range(0, len(texts), BLOCK_TEXTS)
        for tokens in _tokens([t[:head] for t in texts[start : start + BLOCK_TEXTS]], window)
    ]
    return np.argsort(np.negative(counts), kind="stable")


def warn_of_cut_texts(positions: list[int], n_texts: int, window: Window) -> None:
    """Warn that texts are cut, on behalf of the caller's caller."""
    if positions:
        warnings.warn(
            f"{len(positions):,} of {n_texts:,} texts are longer than the model's window of "
            f"{window.max_seq_length:,} tokens, the first is number {positions[0]:,}; what is "
            'beyond is not read. MatryoshkaBackend(..., long_texts="mean") reads all of them.',
            TruncationWarning,
            stacklevel=3,
        )


def pieces_of(text: str, window: Window) -> list[tuple[str, int]]:
    """Split a text into pieces that fit the window, between words where it can be.

    Returns
    -------
    pieces : list of (str, int)
        Pieces and their numbers of tokens.
    """
    encoded = window.tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    spans, words = encoded["offset_mapping"], encoded.word_ids()
    pieces, start = [], 0
    while start < len(spans):
        end = min(start + window.n_tokens, len(spans))
        if end < len(spans):
            between = end
            while between > start and words[between] == words[between - 1]:
                between -= 1
            end = between if between > start else end  # a word that fills the window is split
        pieces.append((text[spans[start][0] : spans[end - 1][1]], end - start))
        start = end
    return pieces


def mean_of_pieces(
    texts: list[str],
    positions: list[int],
    window: Window,
    encode: Callable[[list[str]], NDArray[np.floating]],
) -> NDArray[np.floating]:
    """Encode texts, the long ones as the mean of their pieces' unit rows, weighted by tokens.

    Parameters
    ----------
    texts : list of str
    positions : list of int
        Those of the long texts.
    window : Window
    encode : callable
        From texts to rows of full width, of any length.

    Returns
    -------
    rows : ndarray of shape (n_texts, full_dim)
        Of the long texts as long as their pieces are on average; of the others what `encode` gives.
    """
    long = {position: pieces_of(texts[position], window) for position in positions}
    parts = [
        (piece, position, weight)
        for position in range(len(texts))
        for piece, weight in long.get(position, [(texts[position], 1)])
    ]
    encoded = encode([piece for piece, _, _ in parts])
    owners = np.array([position for _, position, _ in parts])
    weights = np.array([weight for _, _, weight in parts])
    rows = np.zeros((len(texts), encoded.shape[1]), dtype=encoded.dtype)
    short = ~np.isin(owners, positions)
    rows[owners[short]] = encoded[short]
    lengths = np.zeros(len(texts))
    np.add.at(rows, owners[~short], unit_rows(encoded[~short]) * weights[~short, None])
    np.add.at(lengths, owners[~short], row_lengths(encoded[~short]) * weights[~short])
    lengths /= np.maximum(np.bincount(owners, weights), 1)
    rows[positions] = unit_rows(rows[positions]) * lengths[positions, None]
    return rows


def _tokens(texts: list[str], window: Window) -> list[list[int]]:
    encoded = window.tokenizer(
        texts,
        add_special_tokens=False,
        truncation=False,
        padding=False,
        return_attention_mask=False,
        verbose=False,
    )
    tokens: list[list[int]] = encoded["input_ids"]
    return tokens
