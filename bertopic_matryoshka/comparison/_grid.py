"""What to compare -> the cells of a comparison, each a plain record of what to fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from bertopic_matryoshka._validation import check_dim
from bertopic_matryoshka.topics import check_reductions

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTS = ("all", "first half", "second half")
"""Documents that a model is fitted to."""


@dataclass(frozen=True)
class Line:
    """What stays the same while the width varies: a line in a figure.

    Attributes
    ----------
    model : str
        Name of the embedding model.
    cut : {"prefix", "random"}
        Which dimensions make a width: the first ones, or any, drawn by the seed.
    reduction : str
    criterion : str
        What ranks dimensions for "variance"; "" for other reductions.
    clustering : str
        "leiden", "hdbscan", or the class of an `hdbscan_model`.
    """

    model: str
    cut: str
    reduction: str
    criterion: str
    clustering: str


@dataclass(frozen=True)
class Spec:
    """One topic model to fit.

    Attributes
    ----------
    line : Line
    dim : int
        Width of the embeddings, before the reduction.
    seed : int or None
    part : {"all", "first half", "second half"}
        Which documents it is fitted to. The halves are drawn once.
    """

    line: Line
    dim: int
    seed: int | None
    part: str = PARTS[0]

    def __str__(self) -> str:
        part = "" if self.part == PARTS[0] else f", {self.part}"
        cut = "" if self.line.cut == "prefix" else f"{self.line.cut} "
        return f"{self.dim} {cut}dims, {self.line.reduction}{part}"


def labels_of(lines: Iterable[Line]) -> dict[Line, str]:
    """Name lines by what distinguishes them, such as "variance" and "umap".

    A line that nothing else distinguishes is named by its reduction.
    """
    lines = list(dict.fromkeys(lines))
    differing = [
        name for name in ("model", "reduction") if len({getattr(at, name) for at in lines}) > 1
    ]
    # Where reductions differ, so do their criteria and clusterings: no need to say it.
    alike = [(a, b) for a, b in combinations(lines, 2) if a.reduction == b.reduction]
    for name in ("criterion", "clustering"):
        differing += [name] * any(getattr(a, name) != getattr(b, name) for a, b in alike)
    labels = {}
    for line in lines:
        said = [getattr(line, name) for name in differing or ["reduction"]]
        said.append("" if line.cut == "prefix" else f"{line.cut} dims")
        labels[line] = ", ".join(filter(None, said))
    return labels


def plan(
    widths: Mapping[str, int],
    default_dims: Mapping[str, Sequence[int]],
    *,
    dims: Any,
    reductions: Any,
    criteria: Sequence[str],
    clusterings: Mapping[str, Sequence[str]],
    seeds: Sequence[int | None],
    controls: Sequence[str],
    random_control: bool,
    halves: bool,
) -> list[Spec]:
    """List the cells: models in their order, widths descending, and at each width all lines.

    Parameters
    ----------
    widths : dict of str to int
        Full width of each model.
    default_dims : dict of str to sequence of int
        Widths to compare of each model where `dims` does not say.
    dims, reductions
        See compare_dimensions.
    criteria : sequence of str
        Names of what ranks dimensions for "variance".
    clusterings : dict of str to sequence of str
        Of each reduction.
    seeds : sequence of int or None
    controls : sequence of str
        Those of the models that are controls: compared with the first reduction, criterion and
        clustering alone.
    random_control : bool
        Whether random dimensions of the first model are compared likewise.
    halves : bool
        Whether each cell of the first seed is fitted to both halves of the documents too.

    Returns
    -------
    specs : list of Spec
        Each once.

    Raises
    ------
    ValueError
        If a width is out of range, there is none, `dims` names another model, or random dimensions
        have no seed.
    """
    if random_control and None in seeds:
        raise ValueError(
            'controls=["random"] draws dimensions by the seed, and random_state=None is none. Give '
            "random_state, such as 0."
        )
    names = check_reductions(reductions)
    if isinstance(dims, Mapping) and (unknown := [name for name in dims if name not in widths]):
        raise ValueError(
            f"dims names {', '.join(unknown)}, but the models are {', '.join(widths)}."
        )
    own = reductions if isinstance(reductions, Mapping) else {}
    specs = []
    for model, full_dim in widths.items():
        all_dims = dims.get(model) if isinstance(dims, Mapping) else dims
        lines = [
            (Line(model, "prefix", name, criterion if name == "variance" else "", clustering), name)
            for name, criterion in product(names, criteria)
            for clustering in clusterings[name]
        ]
        if model in controls:
            lines = lines[:1]
        for line, name in dict.fromkeys(lines):
            chosen = all_dims if own.get(name) is None else own[name]
            chosen = default_dims[model] if chosen is None else chosen
            if not len(chosen):
                raise ValueError(
                    f"dims={chosen!r} names no width for {name!r}. Leave it out for all."
                )
            for dim in chosen:
                check_dim(dim, full_dim, of=f"the embeddings of {model}", name="dims")
                specs += [Spec(line, int(dim), seed) for seed in seeds]
        if random_control and model == next(iter(widths)):
            first = lines[0][0]
            line = Line(model, "random", first.reduction, first.criterion, first.clustering)
            at = {spec.dim for spec in specs if spec.line == first} - {full_dim}
            specs += [Spec(line, dim, seed) for dim in at for seed in seeds]
    if halves:
        specs += [
            Spec(spec.line, spec.dim, spec.seed, part)
            for spec in specs
            if spec.seed == seeds[0]
            for part in PARTS[1:]
        ]
    models, parts = list(widths), list(PARTS)
    # Stable: lines and seeds keep their order at each width.
    return sorted(
        dict.fromkeys(specs),
        key=lambda spec: (models.index(spec.line.model), parts.index(spec.part) > 0, -spec.dim),
    )
