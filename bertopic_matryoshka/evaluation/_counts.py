"""Exact counts of windows that contain words and pairs of words: saved, extended, looked up."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from bertopic_matryoshka._threads import one_thread
from bertopic_matryoshka.evaluation._windows import (
    count_windows,
    overlaps_within,
    seen_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from bertopic_matryoshka.evaluation._tokens import Chunk, Tokens

SHIFT = 32
"""Number of bits of a pair's second word in its key; the first word has the bits above."""


class WordCounts:
    """Numbers of windows of a corpus that contain each word, and each pair of words of a topic.

    Only pairs that stand together in a topic are counted: a table of all pairs of 20,000 words
    would take 3.2 GB.

    Parameters
    ----------
    window_size : int or None
        Size of the window in tokens; None is a window over each whole document.

    Attributes
    ----------
    words : list of str
        The words of the counted pairs.
    number : dict of str to int
        Index of each word in `words`.
    pairs : ndarray of shape (n_pairs,), int64
        Keys of the counted pairs, ascending: the lower index, shifted by 32 bits, plus the higher
        one. Each word has a pair with itself.
    together : ndarray of shape (n_pairs,), int64
        Number of windows that contain both words; of a pair of a word with itself, those that
        contain the word.
    n_documents, n_tokens, n_windows : int
        Sizes of the corpus; 0 before anything was counted.
    corpus : str
        Digest of the corpus, see Tokens.digest; empty before anything was counted.
    """

    def __init__(self, window_size: int | None) -> None:
        self.window_size = window_size
        self.words: list[str] = []
        self.number: dict[str, int] = {}
        self.pairs: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.together: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.n_documents = self.n_tokens = self.n_windows = 0
        self.corpus = ""

    @property
    def alone(self) -> NDArray[np.int64]:
        """Number of windows that contain each word, of shape (n_words,)."""
        counts: NDArray[np.int64] = self.of(np.arange(len(self.words))[:, None])[:, 0, 0]
        return counts

    def find(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """Find the pairs of sets of words, which are counted.

        Parameters
        ----------
        numbers : ndarray of shape (..., n), int
            Indices into `words`.

        Returns
        -------
        places : ndarray of shape (..., n, n), int
            Indices into `pairs`.
        """
        return np.searchsorted(self.pairs, _keys(numbers))

    def of(self, numbers: NDArray[np.intp]) -> NDArray[np.int64]:
        """Look up the counts of sets of words, of shape (..., n, n), see :meth:`find`."""
        counts: NDArray[np.int64] = self.together[self.find(numbers)]
        return counts

    def extend(self, tokens: Tokens, topics: Iterable[Sequence[str]], device: str) -> None:
        """Count the pairs within topics that are not counted yet, in one pass over the corpus.

        Parameters
        ----------
        tokens : Tokens
            The corpus of the existing counts, if there are any.
        topics : iterable of sequences of str
        device : str

        Raises
        ------
        ValueError
            If the corpus differs from that of the existing counts.
        """
        number = dict(self.number)
        wanted = [np.zeros(0, dtype=np.int64)]
        for topic in topics:
            of_topic = np.array(
                [number.setdefault(word, len(number)) for word in dict.fromkeys(topic)], dtype=int
            )
            wanted.append(_keys(of_topic).ravel())
        pairs = np.setdiff1d(np.concatenate(wanted), self.pairs)
        if not pairs.size:
            return
        needed = set(np.concatenate([pairs >> SHIFT, pairs & (2**SHIFT - 1)]).tolist())
        names = {word: i for word, i in number.items() if i in needed}
        keys = torch.from_numpy(pairs).to(device)
        counts = torch.zeros_like(keys)
        size = np.zeros(3, dtype=np.int64)
        with one_thread():
            for chunk in tokens.chunks(names):
                for place, _, windows in pair_windows(chunk, self.window_size, keys):
                    counts.scatter_add_(0, place, windows)
                n_windows = count_windows(torch.from_numpy(chunk.lengths), self.window_size).sum()
                size += [chunk.lengths.size, chunk.ids.size, int(n_windows)]
        if self.corpus:
            self.check_corpus(tokens)
        self.n_documents, self.n_tokens, self.n_windows = size.tolist()
        self.corpus = tokens.digest()
        all_pairs = np.concatenate([self.pairs, pairs])
        order = all_pairs.argsort()
        self.pairs = all_pairs[order]
        self.together = np.concatenate([self.together, counts.numpy(force=True)])[order]
        self.words, self.number = list(number), number

    def check_corpus(self, tokens: Tokens) -> None:
        """Raise a ValueError if the counts are of another corpus, or of other tokens."""
        if self.corpus != tokens.digest():
            raise ValueError(
                f"The counts are of another corpus, of {self.n_documents:,} documents with "
                f"{self.n_tokens:,} tokens, or of another vectorizer. Load the counts of this "
                "corpus, with this vectorizer, or count anew."
            )

    def save(self, path: str | Path) -> None:
        """Write the counts to one .npz file, without pickle."""
        facts = {
            "window_size": self.window_size,
            "words": self.words,
            "n_documents": self.n_documents,
            "n_tokens": self.n_tokens,
            "n_windows": self.n_windows,
            "corpus": self.corpus,
        }
        text = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
        with Path(path).open("wb") as file:
            np.savez_compressed(file, facts=text, pairs=self.pairs, together=self.together)

    @classmethod
    def load(cls, path: str | Path) -> WordCounts:
        """Read counts that :meth:`save` wrote.

        Raises
        ------
        ValueError
            If the file is of an earlier version, which did not keep the corpus' digest.
        """
        with np.load(path, allow_pickle=False) as file:
            if "pairs" not in file:
                raise ValueError(
                    f"{path} was written by an earlier version, which does not tell its corpus. "
                    "Count anew."
                )
            facts = json.loads(file["facts"].tobytes())
            pairs, together = file["pairs"], file["together"]
        counts = cls(facts["window_size"])
        counts.words, counts.pairs, counts.together = facts["words"], pairs, together
        counts.n_documents, counts.n_tokens = facts["n_documents"], facts["n_tokens"]
        counts.n_windows, counts.corpus = facts["n_windows"], facts["corpus"]
        counts.number = {word: i for i, word in enumerate(counts.words)}
        return counts


def pair_windows(
    chunk: Chunk, window_size: int | None, pairs: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """List the windows of a chunk that contain pairs of words, in blocks that fit in memory.

    Parameters
    ----------
    chunk : Chunk
        Words have their numbers in the pairs' keys.
    window_size : int or None
    pairs : Tensor of shape (n_pairs,), int64
        Keys of the wanted pairs, ascending; on the device that counts.

    Yields
    ------
    place, document, windows : Tensor of shape (n_found,), int64
        Index into `pairs`, document in the chunk, and number of windows. A pair may come several
        times for a document, each time with other windows.
    """
    seen = seen_in(chunk, window_size, str(pairs.device))
    every = torch.arange(seen.word.shape[0], device=pairs.device)
    alone = every, every, seen.end - seen.start + 1
    for i, j, windows in chain([alone], overlaps_within(seen)):
        one, other = seen.word[i], seen.word[j]
        key = (torch.minimum(one, other) << SHIFT) + torch.maximum(one, other)
        place = torch.searchsorted(pairs, key).clamp_(max=max(pairs.shape[0] - 1, 0))
        wanted = torch.nonzero(pairs[place] == key)[:, 0] if pairs.shape[0] else place[:0]
        yield place[wanted], seen.document[i[wanted]], windows[wanted]


def _keys(numbers: NDArray[np.intp]) -> NDArray[np.int64]:
    """Keys of all pairs within sets of words of shape (..., n), of shape (..., n, n)."""
    one, other = numbers[..., :, None], numbers[..., None, :]
    keys: NDArray[np.int64] = (np.minimum(one, other) << SHIFT) + np.maximum(one, other)
    return keys
