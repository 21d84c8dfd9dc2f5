"""What is known and measured of a model -> a sentence that says how to narrow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from bertopic_matryoshka.embedding import ModelFacts

GAIN = 0.05
"""Share of the neighbours that a rotation must keep in addition for it to be advised."""

LEAST_KEPT = 0.3
"""Share of the neighbours kept below which more dimensions are advised, see compare_prefixes."""

MOST_NAMED = 8
"""Most dimensions that a sentence names."""


def advice_by_name(facts: ModelFacts) -> str:
    """Say in a sentence what is known of a model, and what to do with it."""
    parts = []
    if facts.near_zero:
        dead = _listed(facts.near_zero)
        parts.append(f"known hardly to vary in {dead} ({facts.near_zero_source})")
    if facts.dims is not None or facts.any_width:
        parts.append(f"{_widths(facts, None)}: truncate it")
    elif facts.near_zero:
        parts.append(f"{_widths(facts, None)}: rotate it before truncation")
    else:
        parts.append("nothing is known of it: pass documents to have it measured")
    return "; ".join(parts) + "."


def measured_advice(
    facts: ModelFacts,
    table: pd.DataFrame,
    near_zero: tuple[int, ...],
    n_documents: int,
    *,
    is_rotated: bool,
) -> str:
    """Say in a sentence what was found, and what to do with the model.

    Parameters
    ----------
    facts : ModelFacts
    table : DataFrame
        Rows of ModelInspection.widths for this model, the full width first.
    near_zero : tuple of int
        Dimensions that hardly vary over the documents.
    n_documents : int
    is_rotated : bool
        Whether the model is rotated already.
    """
    full_dim = int(table["dim"].iloc[0])
    verb = "hardly varies" if len(near_zero) == 1 else "hardly vary"
    varying = f"{_listed(near_zero)} {verb}" if near_zero else "all vary"
    parts = [
        f"of {full_dim} dimensions, {varying} over {n_documents:,} documents",
        _widths(facts, full_dim),
    ]
    narrower = table[table["dim"] < full_dim]
    if not narrower.empty:
        listed = narrower[narrower["dim"].isin(facts.dims or ())]
        narrowest = (narrower if listed.empty else listed).iloc[-1]
        parts.append(_verdict(narrowest, n_documents - n_documents // 2, is_rotated=is_rotated))
    return "; ".join(parts) + "."


def _verdict(row: pd.Series, n_judged: int, *, is_rotated: bool) -> str:
    """Say what a width keeps, with and without a rotation, and which is advised."""
    width = int(row["dim"])
    kept, rotated = row["neighbors_kept"], row["rotated_neighbors_kept"]
    # The sample's error is known; of other documents, a row's share varies by k (1 - k) at most.
    among_rows = row["neighbors_kept_se"] ** 2 + row["rotated_neighbors_kept_se"] ** 2
    among_documents = (kept * (1 - kept) + rotated * (1 - rotated)) / n_judged
    error = np.sqrt(among_rows + among_documents)
    found = f"the first {width} keep {100 * kept:.0f} % of the neighbours"
    if not np.isnan(rotated):
        found += f", after a rotation {100 * rotated:.0f} %"
    elif not is_rotated:
        return f"{found}; pass more documents to have a rotation judged"
    gains = rotated - kept >= max(GAIN, 2 * error)  # not where it is unknown
    steps = ["rotate it before truncation"] if gains else []
    if (rotated if gains else kept) < LEAST_KEPT:
        steps.append(f"keep more than {width}")
    return f"{found}: {' and '.join(steps) or 'truncate it as it is'}"


def _widths(facts: ModelFacts, full_dim: int | None) -> str:
    dims = tuple(dim for dim in facts.dims or () if full_dim is None or dim < full_dim)
    if dims:
        return f"widths listed for it are {_listed(dims)} ({facts.dims_source})"
    if facts.any_width:
        return "it is declared a Matryoshka model without widths"
    return "no widths are listed for it"


def _listed(numbers: tuple[int, ...]) -> str:
    named = ", ".join(map(str, numbers[:MOST_NAMED]))
    n_more = len(numbers) - MOST_NAMED
    return f"{named} and {n_more} more" if n_more > 0 else named
