"""Widths, seeds and topic models -> the fits of a comparison, each a plain record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bertopic_matryoshka._constraints import check_each, instance, whole
from bertopic_matryoshka._validation import check_dim

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bertopic_matryoshka.comparison._embedding_models import Source

ANY_DIM = instance(object, words="an int", remedy="Leave it out for the model's own widths.")

PARTS = ("all", "first half", "second half")
"""Parts of the documents that topic models are fitted to."""

REPLICATE = "replicate"
"""Part of a replicate: a sample of the documents, drawn by the seed."""


@dataclass(frozen=True)
class Condition:
    """A topic model that is compared across widths: what is equal at all of them.

    Attributes
    ----------
    embedding_model : str
        Name of the embedding model, one of DimensionComparison.embedding_models.
    reduction, clustering : str
        Short names of the reducer and the clusterer, such as "selection", "UMAP", "PCA" or "none",
        and "Leiden" or "HDBSCAN"; for other estimators, their class names.
    reducer, clusterer : str
        The same estimators with their parameters that differ from the defaults.
    is_permuted : bool
        Whether the dimensions are permuted before they are truncated, see
        MatryoshkaBackend.permuted.
    """

    embedding_model: str
    reduction: str
    clustering: str
    reducer: str = ""
    clusterer: str = ""
    is_permuted: bool = False


@dataclass(frozen=True)
class Setting:
    """One fit of a comparison.

    Attributes
    ----------
    topic_model : str
        Name of the topic model, one of DimensionComparison.conditions.
    dim : int
        Width of the embeddings, before the reduction.
    seed : int or None
    part : {"all", "first half", "second half", "replicate"}
        Documents that it is fitted to. The halves are the same in all fits; the seed of a replicate
        draws its documents.
    """

    topic_model: str
    dim: int
    seed: int | None
    part: str = PARTS[0]

    def __str__(self) -> str:
        part = "" if self.part == PARTS[0] else f", {self.part}"
        if self.part == REPLICATE:
            part += f" {self.seed}"
        return f"{self.dim} dims, {self.topic_model}{part}"


def plan(
    conditions: Mapping[str, Condition],
    sources: Mapping[str, Source],
    *,
    dims: Any,
    seeds: Sequence[int | None],
    split_half: bool,
) -> list[Setting]:
    """List the fits: topic model by topic model, widths descending, seeds, then their halves.

    Parameters
    ----------
    conditions : dict of str to Condition
    sources : dict of str to Source
        Source of the embeddings of each topic model.
    dims : sequence of int, dict of them by name, or None
        See compare_dimensions.
    seeds : sequence of int or None
    split_half : bool
        Whether the first seed is fitted to both halves of the documents too.

    Returns
    -------
    settings : list of Setting
        Without duplicates.

    Raises
    ------
    TypeError, ValueError
        If a width is not an int or out of range, no width is left, `dims` names an unknown topic
        model, or permuted dimensions have the seed None.
    """
    if isinstance(dims, Mapping) and (unknown := [name for name in dims if name not in conditions]):
        raise ValueError(
            f"dims names {', '.join(map(str, unknown))}, but the topic models are "
            f"{', '.join(conditions)}."
        )
    settings = []
    for name, condition in conditions.items():
        if condition.is_permuted and None in seeds:
            raise ValueError(
                f"The dimensions of {name!r} are permuted by the seed, and seeds has None. Give "
                "numbers, such as seeds=3."
            )
        widths = _widths(name, condition, sources[name], dims)
        settings += [Setting(name, dim, seed) for dim in widths for seed in seeds]
        if split_half:
            settings += [Setting(name, dim, seeds[0], part) for dim in widths for part in PARTS[1:]]
    return settings


def check_seeds(seeds: Any) -> list[int | None]:
    """List the seeds: 0, 1, ... for a number of them."""
    if isinstance(seeds, Sequence) or (isinstance(seeds, np.ndarray) and seeds.ndim):
        one = whole(0, none=True, remedy="Leave it out for three.")
        several = dict.fromkeys(check_each(seeds, one, "seeds"))
        return [None if seed is None else int(seed) for seed in several]
    whole(1).check(seeds, "seeds")
    return list(range(seeds))


def part_rows(n_documents: int, part: str) -> NDArray[np.int_]:
    """Get the indices of a part's documents, ascending; the halves are the same at every call."""
    if part == PARTS[0]:
        return np.arange(n_documents)
    drawn = np.random.default_rng(0).permutation(n_documents)
    half = n_documents // 2
    return np.sort(drawn[:half] if part == PARTS[1] else drawn[half:])


def _widths(name: str, condition: Condition, source: Source, dims: Any) -> list[int]:
    """List the widths of a topic model, descending.

    The full width of permuted dimensions is left out, as it only reorders them, unless `dims` has
    it under the topic model's name.
    """
    chosen = dims.get(name) if isinstance(dims, Mapping) else dims
    is_by_name = isinstance(dims, Mapping) and chosen is not None
    chosen = source.default_dims if chosen is None else chosen
    checked = {
        check_dim(dim, source.full_dim, of=f"the embeddings of {name}", name="dims")
        for dim in check_each(chosen, ANY_DIM, "dims")
    }
    if condition.is_permuted and not is_by_name:
        checked -= {source.full_dim}
    if not checked:
        raise ValueError(
            f"dims={chosen!r} leaves no width for {name!r}. Name some, from 1 to {source.full_dim}."
        )
    return sorted(checked, reverse=True)
