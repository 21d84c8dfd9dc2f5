"""What a comparison fits, as plain records: a topic model, a width, a seed, a part of the texts."""

from __future__ import annotations

from dataclasses import dataclass

PARTS = ("all", "first half", "second half")
"""Documents that a topic model is fitted to."""


@dataclass(frozen=True)
class Condition:
    """A topic model that is compared across widths: what stays the same while the width varies.

    Attributes
    ----------
    embedding_model : str
        Name of the embedding model, one of DimensionComparison.embedding_models.
    reduction, clustering : str
        Short names of what reduces the embeddings and finds the topics, such as "selection",
        "UMAP", "PCA" or "none", and "Leiden" or "HDBSCAN"; of others the name of their class.
    reducer, clusterer : str
        The same estimators with those parameters that are not at their default.
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
    part : {"all", "first half", "second half"}
        Which documents it is fitted to. The halves are drawn once.
    """

    topic_model: str
    dim: int
    seed: int | None
    part: str = PARTS[0]

    def __str__(self) -> str:
        part = "" if self.part == PARTS[0] else f", {self.part}"
        return f"{self.dim} dims, {self.topic_model}{part}"
