"""Neighbours kept -> the topics to expect, by a calibration on real corpora and models."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

N_NEIGHBORS = 10
"""Number of neighbours that the calibration counts."""

FEWEST_ROWS = 1000
"""Fewest distinct documents of the calibration."""

LEAST_KEPT = 0.3
"""Share of neighbours kept below which pairs of corpus and model differ too much to tell."""

EXPONENT, EXPONENT_OF_ROTATED = 2.0, 3.9
"""Agreement is 1 - (1 - kept) ** exponent, by least squares, for prefixes and rotated prefixes."""

MARGIN, MARGIN_OF_LOST = 0.02, 0.15
"""Half of the range is MARGIN + MARGIN_OF_LOST * (1 - kept), chosen on all cells of prefixes: it
holds 94 to 95 % of the values of pairs, corpora or models that the exponent was not fitted to, and
88 to 90 % for rotated prefixes."""


class Expected(NamedTuple):
    """Agreement with the topics of the full width to expect, and its range, all in [0, 1]."""

    agreement: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def expected_topics(neighbors_kept: ArrayLike, *, rotated: bool = False) -> Expected:
    """Predict the agreement of topics at a prefix with those at full width.

    Agreement is the mean AMI between the topics at the prefix and at full width, of replicates
    that differ in seed and documents, over the mean AMI between replicates at full width: 1 if a
    prefix changes topics no more than another seed does. It was measured with LeidenClustering on
    10 pairs of corpus and model, with 1,000 to 20,000 documents and 10 to 50 topics; see
    docs/measurements/widths.md and `benchmarks/neighbors/expected_topics.py`.

    Parameters
    ----------
    neighbors_kept : array-like of float in [0, 1]
        See compare_prefixes, with 10 neighbours.
    rotated : bool, default=False
        Whether the prefixes are of rotated embeddings, which keep more of the topics at an equal
        share of the neighbours.

    Returns
    -------
    expected : Expected
        NaN where fewer neighbours are kept than the calibration covers.
    """
    kept = np.asarray(neighbors_kept, dtype=np.float64)
    lost = np.where(kept >= LEAST_KEPT, 1 - kept, np.nan)
    agreement = 1 - lost ** (EXPONENT_OF_ROTATED if rotated else EXPONENT)
    half = np.where(lost > 0, MARGIN + MARGIN_OF_LOST * lost, lost)
    return Expected(agreement, agreement - half, np.minimum(agreement + half, 1))


def prefix_sentences(prefixes: pd.DataFrame, full_dim: int) -> list[str]:
    """Describe what each width keeps, widest first; the full width is left out.

    Parameters
    ----------
    prefixes : DataFrame
        Result of compare_prefixes.
    full_dim : int
    """
    sentences: list[str] = []
    if prefixes.empty:
        return sentences
    for row in prefixes[prefixes["dim"] < full_dim].to_dict("records"):
        kept = f"{row['dim']} of {full_dim} keep {row['neighbors_kept']:.0%} of the neighbours"
        if not np.isnan(row["expected_topics"]):
            low, high = (round(100 * row[name]) for name in ("expected_low", "expected_high"))
            told = f"; expect about {row['expected_topics']:.0%} of the topics ({low} to {high} %)"
        elif row["neighbors_kept"] < LEAST_KEPT:
            told = ": too few to say how many topics"
        else:
            told = ""
        sentences.append(f"{kept}{told}.".replace("%", " %").replace("  ", " "))
    return sentences
