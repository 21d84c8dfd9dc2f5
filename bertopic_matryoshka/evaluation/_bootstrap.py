"""Bootstrap samples of the documents -> coherence of topics on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse import csr_array

from bertopic_matryoshka._threads import one_thread
from bertopic_matryoshka.evaluation._counts import pair_windows
from bertopic_matryoshka.evaluation._windows import count_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bertopic_matryoshka.evaluation._coherence import TopicCoherence
    from bertopic_matryoshka.evaluation._tokens import Chunk

TOPICS_AT_ONCE = 32
"""Number of topics that are scored at a time, in all samples."""


def bootstrap_coherence(
    coherence: TopicCoherence,
    topics: Iterable[Sequence[str]],
    *,
    n_resamples: int = 200,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Score topics on bootstrap samples of the documents; the topics are not refitted.

    In the Poisson bootstrap [1]_, each document's number of occurrences in a sample is drawn
    independently from a Poisson distribution of mean 1. The draws depend only on the number of
    documents, `n_resamples` and `random_state`, so that scores of different models are paired.

    Parameters
    ----------
    coherence : TopicCoherence
        Coherence over the documents.
    topics : iterable of sequences of str
        Words of each topic, most important first.
    n_resamples : int, default=200
        Number of bootstrap samples.
    random_state : int, default=0

    Returns
    -------
    scores : ndarray of shape (n_resamples,), float64
        Mean coherence over the topics that can be scored in the sample; NaN without any.

    References
    ----------
    .. [1] N. Chamandy, O. Muralidharan, A. Najmi, S. Naidu, "Estimating uncertainty for massive
       data streams", Google technical report, 2012.
    """
    cut = coherence.cut(topics)
    coherence.count(cut)
    counts = coherence.counts
    groups = list(coherence.alike(cut))
    rows_of = [rows for _, rows, _ in groups]
    places = np.unique(_joined([counts.find(rows) for rows in rows_of]))
    names = {counts.words[i]: i for i in np.unique(_joined(rows_of))}
    pairs = torch.from_numpy(counts.pairs[places])
    together = np.zeros((places.size, n_resamples))
    n_windows = np.zeros(n_resamples)
    for position, chunk in enumerate(coherence.tokens.chunks(names)):
        rng = np.random.default_rng([random_state, position])
        times = rng.poisson(1.0, size=(chunk.lengths.size, n_resamples)).astype(np.float64)
        windows = count_windows(torch.from_numpy(chunk.lengths), coherence.window_size).numpy()
        n_windows += windows @ times
        together += _by_document(chunk, coherence.window_size, pairs) @ times
    sums, scored = np.zeros(n_resamples), np.zeros(n_resamples)
    for _, rows, topic in groups:
        for first in range(0, len(rows), TOPICS_AT_ONCE):
            # (topics, n_words, n_words)
            at = np.searchsorted(places, counts.find(rows[first : first + TOPICS_AT_ONCE]))
            resampled = np.moveaxis(together[at], -1, 0)
            scores = coherence.score_counts(resampled, np.maximum(n_windows, 1)[:, None], topic)
            sums += np.nansum(scores, axis=1)
            scored += np.isfinite(scores).sum(axis=1)
    return sums / np.where(scored, scored, np.nan)


def _joined(arrays: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    """Join the items of arrays of any shapes."""
    return np.concatenate([np.zeros(0, dtype=np.intp), *(array.ravel() for array in arrays)])


def _by_document(chunk: Chunk, window_size: int | None, pairs: torch.Tensor) -> csr_array:
    """Count each document's windows that contain each pair, of shape (n_pairs, n_documents)."""
    with one_thread():
        blocks = list(pair_windows(chunk, window_size, pairs))
    place, document, windows = (torch.cat(parts).numpy() for parts in zip(*blocks, strict=True))
    shape = (pairs.shape[0], chunk.lengths.size)
    return csr_array((windows.astype(np.float64), (place, document)), shape=shape)
