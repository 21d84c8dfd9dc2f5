"""Texts -> rows of a static model, with each different word tokenised once."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

BLOCK_TEXTS = 4096

MOST_WORDS = 500_000
"""Number of different words from which they are forgotten, so that they do not fill memory."""

WORDS = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
"""What BERT's tokenizers take for words in a lower-case ASCII text: runs, and each other sign."""

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Characters of ASCII that BERT's tokenizers drop, so that what is on both sides is one word."""


NOTHING = "(?!)"
"""A pattern that is nowhere."""


class WordTokens:
    """Tokens of texts, from those of their words: most words of a corpus occur again and again.

    The tokenizer must be one of BERT's kind that ignores case: what it makes of a word does not
    depend on the words beside it. Texts that are not plain ASCII are divided at spaces alone.

    Parameters
    ----------
    tokenizer : Tokenizer
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        # Special tokens written out in a text are found before it is divided into words.
        special = [re.escape(t.content) for t in tokenizer.get_added_tokens_decoder().values()]
        self._special = re.compile("|".join(special) or NOTHING)
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__
        self._ids = np.empty(0, dtype=np.int64)
        self._bounds = np.zeros(1, dtype=np.int64)  # of each word's tokens among the ids

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, texts: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the tokens of all texts.

        Returns
        -------
        ids : ndarray of shape (n_tokens,), int64
        offsets : ndarray of shape (n_texts,), int64
            Place of each text's first token.
        """
        found: list[int] = []
        ends = [0]
        for text in texts:
            words = WORDS.findall(text.lower()) if self._is_plain(text) else text.split(" ")
            found.extend(map(self._numbers.__getitem__, words))
            ends.append(len(found))
        self._tokenise_new()
        numbers = np.array(found, dtype=np.int64)
        sizes = np.diff(self._bounds)[numbers]
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        places = np.repeat(self._bounds[numbers] - bounds[:-1], sizes) + np.arange(bounds[-1])
        return self._ids[places], bounds[ends[:-1]]

    def _is_plain(self, text: str) -> bool:
        if not text.isascii() or self._special.search(text) is not None:
            return False
        # Most texts have not even a tab; a pattern takes longer.
        return text.isprintable() or CONTROL.search(text) is None

    def _tokenise_new(self) -> None:
        n_new = len(self._numbers) - (self._bounds.size - 1)
        new = list(islice(reversed(self._numbers), n_new))[::-1]
        ids = [e.ids for e in self._tokenizer.encode_batch(new, add_special_tokens=False)]
        sizes = np.fromiter(map(len, ids), dtype=np.int64, count=n_new)
        self._bounds = np.concatenate([self._bounds, self._bounds[-1] + np.cumsum(sizes)])
        flat = np.fromiter((i for each in ids for i in each), dtype=np.int64, count=sizes.sum())
        self._ids = np.concatenate([self._ids, flat])


def static_rows(
    module: StaticEmbedding, texts: list[str], width: int, *, verbose: bool
) -> NDArray[np.float32]:
    """Mean of the vectors of each text's tokens, as the module gives it.

    Parameters
    ----------
    module : StaticEmbedding
        In float32 on the CPU, with a tokenizer as WordTokens needs it.
    texts : list of str
    width : int
        Number of leading dimensions to give.
    verbose : bool
        Whether to show a progress bar.

    Returns
    -------
    rows : ndarray of shape (n_texts, width), float32
    """
    import torch

    words = WordTokens(module.tokenizer)
    rows = np.empty((len(texts), width), dtype=np.float32)
    with torch.inference_mode(), tqdm(total=len(texts), unit=" texts", disable=not verbose) as bar:
        for start in range(0, len(texts), BLOCK_TEXTS):
            block = texts[start : start + BLOCK_TEXTS]
            if len(words) > MOST_WORDS:
                words = WordTokens(module.tokenizer)
            means: torch.Tensor = module.embedding(*map(torch.from_numpy, words.of(block)))
            rows[start : start + len(block)] = means[:, :width].numpy()
            bar.update(len(block))
    return rows
