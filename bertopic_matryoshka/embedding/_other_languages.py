"""Texts -> a warning if the bundled model, which is English, was not made for them."""

from __future__ import annotations

import warnings
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

N_TEXTS = 200
"""Most texts that are looked at, spread evenly over all."""

N_CHARACTERS = 300
"""Most characters of a text that are looked at."""

FEWEST_TEXTS = 20
"""Fewest texts with words for which a warning is given."""

KNOWN_WORDS = 0.6
"""Share of a text's words that a text has in the vocabulary if it is in the model's language."""

UNKNOWN_TEXTS = 0.3
"""Share of texts below KNOWN_WORDS that is not exceeded in the model's language. Both were chosen
on the texts that default_model/README.md gives figures for."""

MULTILINGUAL = "sentence-transformers/static-similarity-mrl-multilingual-v1"
"""A small Matryoshka model of many languages."""


def warn_of_other_language(texts: Sequence[str], tokenizer: Any) -> None:
    """Warn if many texts have few words in a tokenizer's vocabulary.

    The warning is given two callers up, where the texts are embedded.

    Parameters
    ----------
    texts : sequence of str
    tokenizer : tokenizers.Tokenizer
        A WordPiece tokenizer. It splits a word that is not in its vocabulary into pieces, in
        another script into characters, of which some are unknown.

    Warns
    -----
    RuntimeWarning
        If more than UNKNOWN_TEXTS of the texts that have words, and at least FEWEST_TEXTS of them,
        have fewer than KNOWN_WORDS of their words in the vocabulary.
    """
    chosen = np.linspace(0, len(texts) - 1, min(N_TEXTS, len(texts))).round().astype(int)
    shares = known_shares([texts[i][:N_CHARACTERS] for i in chosen], tokenizer)
    shares = shares[~np.isnan(shares)]
    if not in_another_language(shares):
        return
    n_unknown = int((shares < KNOWN_WORDS).sum())
    looked_at = "" if len(chosen) == len(texts) else f" looked at, of {len(texts):,},"
    n_none = int((shares == 0).sum())
    none = f" ({n_none} have none)" if n_none else ""
    warnings.warn(
        f"{n_unknown} of {shares.size} texts{looked_at} have fewer than {KNOWN_WORDS:.0%} of their "
        f"words in the vocabulary of the bundled model, which is English{none}. It reads other "
        "words in pieces or not at all. Take a model of their language, such as "
        f'MatryoshkaBackend("{MULTILINGUAL}").',
        RuntimeWarning,
        stacklevel=4,
    )


def in_another_language(shares: NDArray[np.float64]) -> bool:
    """Tell from the share of known words in each text whether texts are in another language."""
    n_unknown = int((shares < KNOWN_WORDS).sum())
    return shares.size >= FEWEST_TEXTS and n_unknown > UNKNOWN_TEXTS * shares.size


def known_shares(texts: Sequence[str], tokenizer: Any) -> NDArray[np.float64]:
    """Share of each text's words that are a token of the vocabulary, two letters at least.

    Single letters of the alphabet from a to z count nowhere, as they are in code and formulas.

    Returns
    -------
    shares : ndarray of shape (n_texts,), float64, in [0, 1]
        NaN for a text without words.
    """
    shares = np.full(len(texts), np.nan)
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    for i, (text, encoding) in enumerate(zip(texts, encodings, strict=True)):
        pieces = zip(encoding.word_ids, encoding.tokens, encoding.offsets, strict=True)
        known = []
        for _, word in groupby(pieces, key=lambda piece: piece[0]):
            _, tokens, offsets = zip(*word, strict=True)
            written = text[offsets[0][0] : offsets[-1][1]]
            if not any(c.isalpha() for c in written) or (len(written) == 1 and written.isascii()):
                continue
            known.append(len(tokens) == 1 and len(tokens[0]) > 1 and tokens[0].isalpha())
        if known:
            shares[i] = np.mean(known)
    return shares
