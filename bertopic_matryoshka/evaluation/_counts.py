"""Exact counts of windows that contain words and pairs of words: saved, extended, looked up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from bertopic_matryoshka.evaluation._windows import (
    Intervals,
    count_windows,
    one_thread,
    overlaps,
    overlaps_within,
    seen_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bertopic_matryoshka.evaluation._tokens import Tokens


class WordCounts:
    """Numbers of windows of a corpus that contain each word, and each pair of words.

    Parameters
    ----------
    window_size : int or None
        Size of the window in tokens; None is a window over each whole document.

    Attributes
    ----------
    words : list of str
        The counted words.
    number : dict of str to int
        Index of each word in `words`.
    together : ndarray of shape (n_words, n_words), int64
        Number of windows that contain both words; on the diagonal, those that contain the word.
    n_documents, n_tokens, n_windows : int
        Sizes of the corpus; 0 before anything was counted.
    """

    def __init__(self, window_size: int | None) -> None:
        self.window_size = window_size
        self.words: list[str] = []
        self.together: NDArray[np.int64] = np.zeros((0, 0), dtype=np.int64)
        self.n_documents = self.n_tokens = self.n_windows = 0
        self.number: dict[str, int] = {}

    @property
    def alone(self) -> NDArray[np.int64]:
        """Number of windows that contain each word, of shape (n_words,)."""
        return np.diagonal(self.together)

    def of(self, numbers: NDArray[np.intp]) -> NDArray[np.int64]:
        """Look up the counts of sets of words.

        Parameters
        ----------
        numbers : ndarray of shape (..., n), int
            Indices into `words`.

        Returns
        -------
        together : ndarray of shape (..., n, n), int64
        """
        found: NDArray[np.int64] = self.together[numbers[..., :, None], numbers[..., None, :]]
        return found

    def extend(self, tokens: Tokens, words: Iterable[str], device: str) -> None:
        """Count words that are not counted yet, in one pass over the corpus.

        Parameters
        ----------
        tokens : Tokens
            The corpus of the existing counts, if there are any.
        words : iterable of str
        device : str

        Raises
        ------
        ValueError
            If the corpus differs from that of the existing counts in its number of documents,
            tokens or windows.
        """
        new = [word for word in dict.fromkeys(words) if word not in self.number]
        if not new:
            return
        n_old, n_words = len(self.words), len(self.words) + len(new)
        number = {word: i for i, word in enumerate([*self.words, *new])}
        together = torch.zeros((n_words, n_words), dtype=torch.int64, device=device)
        size = [0, 0, 0]
        with one_thread():
            for chunk in tokens.chunks(number):
                _add(together, seen_in(chunk, self.window_size, device), n_old)
                windows = count_windows(torch.from_numpy(chunk.lengths), self.window_size)
                for i, more in enumerate((chunk.lengths.size, chunk.ids.size, int(windows.sum()))):
                    size[i] += more
        if self.n_documents and size != [self.n_documents, self.n_tokens, self.n_windows]:
            raise ValueError(
                f"The counts are of {self.n_documents:,} documents with {self.n_tokens:,} tokens, "
                f"but the corpus has {size[0]:,} with {size[1]:,}. Load the counts of this corpus, "
                "with this vectorizer, or count anew."
            )
        alone = together.diagonal().clone()
        total = (together + together.T - torch.diag(alone)).numpy(force=True)
        total[:n_old, :n_old] = self.together
        self.n_documents, self.n_tokens, self.n_windows = size
        self.words, self.together, self.number = list(number), total, number

    def save(self, path: str | Path) -> None:
        """Write the counts to one .npz file, without pickle."""
        facts = {
            "window_size": self.window_size,
            "words": self.words,
            "n_documents": self.n_documents,
            "n_tokens": self.n_tokens,
            "n_windows": self.n_windows,
        }
        text = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
        with Path(path).open("wb") as file:
            np.savez_compressed(file, facts=text, together=self.together)

    @classmethod
    def load(cls, path: str | Path) -> WordCounts:
        """Read counts that :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            facts, together = json.loads(file["facts"].tobytes()), file["together"]
        counts = cls(facts["window_size"])
        counts.words, counts.together = facts["words"], together
        counts.n_documents, counts.n_tokens = facts["n_documents"], facts["n_tokens"]
        counts.n_windows = facts["n_windows"]
        counts.number = {word: i for i, word in enumerate(counts.words)}
        return counts


def _add(together: torch.Tensor, seen: Intervals, n_old: int) -> None:
    """Add the windows of words numbered from `n_old`, each overlap on one side of the diagonal."""
    n_words = together.shape[0]
    flat = together.view(-1)
    is_new = seen.word >= n_old
    new, old = seen.of(is_new), seen.of(~is_new)
    pairs = [
        (new, new, overlaps_within(new)),
        (new, old, overlaps(new, old, strictly_later=False)),
        (old, new, overlaps(old, new, strictly_later=True)),
    ]
    for some, others, blocks in pairs:
        for i, j, windows in blocks:
            flat.scatter_add_(0, some.word[i] * n_words + others.word[j], windows)
    flat.scatter_add_(0, new.word * (n_words + 1), new.end - new.start + 1)
