"""Documents drawn again and again -> how far coherence depends on which documents there are."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse import csr_array

from bertopic_matryoshka.evaluation._windows import (
    count_windows,
    one_thread,
    overlaps_within,
    seen_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bertopic_matryoshka.evaluation._coherence import TopicCoherence
    from bertopic_matryoshka.evaluation._tokens import Chunk

TOPICS_AT_ONCE = 32
"""Topics that are scored at a time, in all samples."""


def bootstrap_coherence(
    coherence: TopicCoherence,
    topics: Iterable[Sequence[str]],
    *,
    n_resamples: int = 200,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Score topics on bootstrap samples of the documents; the topics stay what they are.

    A document is in a sample as often as a Poisson variable of mean 1 says, the Poisson bootstrap
    [1]_, drawn for each document alone: topics of different models are scored on the same samples,
    and their differences are paired.

    Parameters
    ----------
    coherence : TopicCoherence
        Over the documents.
    topics : iterable of sequences of str
    n_resamples : int, default=200
    random_state : int, default=0

    Returns
    -------
    scores : ndarray of shape (n_resamples,), float64
        Mean over the topics that can be scored in the sample; NaN without any.

    References
    ----------
    .. [1] N. Chamandy, O. Muralidharan, A. Najmi, S. Naidu, "Estimating uncertainty for massive
       data streams", Google technical report, 2012.
    """
    cut = coherence.cut(topics)
    coherence.count(chain.from_iterable(cut))
    groups = list(coherence.alike(cut))
    words, pairs = _needed([rows for _, rows, _ in groups])
    names = [coherence.counts.words[number] for number in words]
    together = np.zeros((pairs.size, n_resamples))
    n_windows = np.zeros(n_resamples)
    numbers = {name: i for i, name in enumerate(names)}
    for position, chunk in enumerate(coherence.tokens.chunks(numbers)):
        rng = np.random.default_rng([random_state, position])
        times = rng.poisson(1.0, size=(chunk.lengths.size, n_resamples)).astype(np.float64)
        windows = count_windows(torch.from_numpy(chunk.lengths), coherence.window_size).numpy()
        n_windows += windows @ times
        together += _by_document(chunk, coherence.window_size, pairs, words.size) @ times
    sums, scored = np.zeros(n_resamples), np.zeros(n_resamples)
    for _, rows, topic in groups:
        for first in range(0, len(rows), TOPICS_AT_ONCE):
            part = np.searchsorted(words, rows[first : first + TOPICS_AT_ONCE])
            low, high = (f(part[:, :, None], part[:, None, :]) for f in (np.minimum, np.maximum))
            at = np.searchsorted(pairs, low * words.size + high)  # (topics, n_words, n_words)
            counts = np.moveaxis(together[at], -1, 0)
            scores = coherence.score_counts(counts, np.maximum(n_windows, 1)[:, None], topic)
            sums += np.nansum(scores, axis=1)
            scored += np.isfinite(scores).sum(axis=1)
    return sums / np.where(scored, scored, np.nan)


def _needed(groups: list[NDArray[np.intp]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List the words of all topics, and the pairs within topics as first * n_words + second."""
    words = np.unique(np.concatenate([rows.ravel() for rows in groups] or [np.empty(0, np.intp)]))
    pairs = [np.empty(0, dtype=np.intp)]
    for rows in groups:
        part = np.sort(np.searchsorted(words, rows), axis=1)
        first, second = np.triu_indices(part.shape[1])
        pairs.append((part[:, first] * words.size + part[:, second]).ravel())
    return words, np.unique(np.concatenate(pairs))


def _by_document(
    chunk: Chunk, window_size: int | None, pairs: NDArray[np.intp], n_words: int
) -> csr_array:
    """Count windows with each pair in each document, of shape (n_pairs, n_documents)."""
    keys, documents, counts = [], [], []
    with one_thread():
        seen = seen_in(chunk, window_size, "cpu")
        every = torch.arange(seen.word.shape[0])
        alone = every, every, seen.end - seen.start + 1
        for i, j, windows in chain([alone], overlaps_within(seen)):
            one, other = seen.word[i], seen.word[j]
            key = (torch.minimum(one, other) * n_words + torch.maximum(one, other)).numpy()
            at = np.searchsorted(pairs[:-1], key)
            wanted = np.flatnonzero(pairs[at] == key) if pairs.size else at
            keys.append(at[wanted])
            documents.append(seen.document.numpy()[i.numpy()[wanted]])
            counts.append(windows.numpy()[wanted])
    shape = (pairs.size, chunk.lengths.size)
    entries = np.concatenate(keys), np.concatenate(documents)
    return csr_array((np.concatenate(counts).astype(np.float64), entries), shape=shape)
