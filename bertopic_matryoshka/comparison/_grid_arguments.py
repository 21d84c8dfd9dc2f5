"""What a caller asks to compare, one of a kind or several -> checked lists, before any work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._validation import check_at_least
from bertopic_matryoshka.comparison._fit import part_rows
from bertopic_matryoshka.selection import CRITERIA
from bertopic_matryoshka.topics import build_clusterer, build_reducer, check_reductions

if TYPE_CHECKING:
    from bertopic_matryoshka.comparison._grid import Spec
    from bertopic_matryoshka.selection import Criterion


def _several(value: Any) -> list[Any]:
    """Make a list of one or several, each once."""
    several = isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)
    items = list(dict.fromkeys(value)) if several else [value]
    if not items:
        raise ValueError(f"{value!r} names nothing to compare. Leave it out for the default.")
    return items


def check_seeds(random_state: Any) -> list[int | None]:
    """List the seeds, as ints."""
    seeds = _several(random_state)
    for seed in seeds:
        if seed is not None:
            check_at_least(seed, 0, name="random_state")
    return [None if seed is None else int(seed) for seed in seeds]


def named_criteria(criterion: Any) -> dict[str, str | Criterion]:
    """Name what ranks dimensions, a callable by its own name."""
    criteria: dict[str, str | Criterion] = {}
    for one in _several(criterion):
        if not callable(one) and one not in CRITERIA:
            raise ValueError(
                f"criterion={one!r} must be one of {', '.join(CRITERIA)}, or a callable."
            )
        name = one if isinstance(one, str) else getattr(one, "__name__", type(one).__name__)
        if name in criteria:
            raise ValueError(f"Two criteria are named {name!r}. Give each a name of its own.")
        criteria[name] = one
    return criteria


def clusterings_of(
    reductions: Any, clustering: str | Sequence[str] | None, given: Any
) -> dict[str, list[str]]:
    """Name what finds the topics after each reduction."""
    names = check_reductions(reductions)
    if given is not None:
        if clustering is not None:
            raise ValueError(
                f"clustering={clustering!r} and hdbscan_model are both given. Leave one out."
            )
        return {name: [type(given).__name__] for name in names}
    default = {name: "leiden" if name in {"variance", "none"} else "hdbscan" for name in names}
    return {name: [default[name]] if clustering is None else _several(clustering) for name in names}


def check_parts(
    specs: Sequence[Spec], n_documents: int, min_topic_size: int, n_topics: int | None
) -> None:
    """Say so before anything is encoded where a model would have too few documents."""
    for line, part in dict.fromkeys((spec.line, spec.part) for spec in specs):
        n_part = part_rows(n_documents, part).size
        n_made = n_topics if n_topics and line.clustering == "leiden" else 1
        if n_part < n_made * min_topic_size:
            raise ValueError(
                f"The {n_part} documents of {part!r} cannot make {n_made} topics of "
                f"min_topic_size={min_topic_size}. Add documents, or lower one of the two."
            )


def check_installed(specs: Sequence[Spec], min_topic_size: int, *, given: Any) -> None:
    """Say so before anything is encoded where a library is missing or a name is wrong."""
    for line in dict.fromkeys(spec.line for spec in specs):
        build_reducer(line.reduction)
        if given is None:
            build_clusterer(line.reduction, line.clustering, min_topic_size, 0)
