"""Losses: the base loss of each kind of data, at every width and after fewer layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import cross_entropy, normalize

from bertopic_matryoshka.embedding import norm_after_layers
from bertopic_matryoshka.training._data import SCORED, TrainingData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

TEMPERATURE = 0.05
"""Temperature of the similarities, as MultipleNegativesRankingLoss has it (scale 20)."""


class SimilarityDistillationLoss(torch.nn.Module):
    """Cross-entropy between the similarities that embeddings had and those that they have.

    For each document of a batch, its cosine similarities with the others are made a distribution by
    a softmax, once of fixed embeddings and once of the model's. Within a MatryoshkaLoss
    every prefix so learns the similarities at full width: no labels are needed.

    Parameters
    ----------
    model : SentenceTransformer
        Model that is trained.
    embeddings : array of shape (n_documents, n_dims), float32, unit rows
        Embeddings of all documents by the model before training, or by another model.
    temperature : float, default=0.05
        Divisor of the similarities, > 0; the smaller, the more the nearest count.

    Notes
    -----
    Its data have one column of texts and a column "label", the row of `embeddings` of each text.
    Listwise distillation by cross-entropy is that of RankNet's successor ListNet [1]_.

    References
    ----------
    .. [1] Cao et al. (2007). Learning to rank: from pairwise approach to listwise approach. ICML.
    """

    embeddings: torch.Tensor

    def __init__(
        self,
        model: SentenceTransformer,
        embeddings: NDArray[np.float32],
        temperature: float = TEMPERATURE,
    ) -> None:
        super().__init__()
        self.model = model
        self.temperature = temperature
        # Not saved with the model, but moved to its device.
        self.register_buffer("embeddings", torch.from_numpy(embeddings), persistent=False)

    def forward(
        self, sentence_features: Iterable[dict[str, torch.Tensor]], labels: torch.Tensor
    ) -> torch.Tensor:
        """Compare one batch; labels are rows of the embeddings, shape (n_texts,)."""
        (features,) = sentence_features
        rows = normalize(self.model(features)["sentence_embedding"], dim=-1)
        if len(rows) == 1:  # the last of an epoch, which has no other to be compared with
            return rows.sum() * 0.0
        fixed = self.embeddings[labels]  # (n_texts, n_dims)
        goal = _others(fixed @ fixed.T / self.temperature).softmax(dim=1)
        return cross_entropy(_others(rows @ rows.T / self.temperature), goal)

    def get_config_dict(self) -> dict[str, Any]:
        """Return what a model card records."""
        return {"temperature": self.temperature}


def _others(similarities: torch.Tensor) -> torch.Tensor:
    """Leave out the diagonal of a square matrix: shape (n, n) becomes (n, n - 1)."""
    n = len(similarities)
    # Dropping the first entry of the flat matrix puts the diagonal into a last column.
    return similarities.flatten()[1:].view(n - 1, n + 1)[:, :-1].reshape(n, n - 1)


def base_loss(
    loss: str | Callable[[SentenceTransformer], torch.nn.Module],
    model: SentenceTransformer,
    data: TrainingData,
    embeddings: NDArray[np.float32] | None,
) -> torch.nn.Module:
    """Make the loss of one width: that of the kind of data, or what the caller makes."""
    from sentence_transformers.sentence_transformer.losses import (
        CoSENTLoss,
        MultipleNegativesRankingLoss,
    )

    if not isinstance(loss, str):
        return loss(model)
    if embeddings is not None:
        return SimilarityDistillationLoss(model, embeddings)
    return (CoSENTLoss if data.kind == SCORED else MultipleNegativesRankingLoss)(model)


class SomeLayersLoss(torch.nn.Module):
    """Shows an AdaptiveLayerLoss some of the layers, where it would draw from all.

    Parameters
    ----------
    model : SentenceTransformer
    loss : AdaptiveLayerLoss
    layers : tuple of int
        Numbers of first layers to train, without all of them. The loss is computed from what the
        model gives if it ends there: with the norm that follows its last layer, if it has one.
    """

    def __init__(
        self, model: SentenceTransformer, loss: torch.nn.Module, layers: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.loss = loss
        self.transformer = model[0]
        self.norm = norm_after_layers(model)
        self.layers = layers

    def forward(
        self, sentence_features: Iterable[dict[str, torch.Tensor]], labels: torch.Tensor
    ) -> torch.Tensor:
        """Compute the loss of one batch."""
        transformer: Any = self.transformer
        original = transformer.forward

        def with_some_layers(features: dict[str, Any], **settings: Any) -> dict[str, Any]:
            output: dict[str, Any] = original(features, **settings)
            states = output["all_layer_embeddings"]  # of no layer, of one, ..., of all
            some = [self.norm(states[n]) for n in self.layers]
            output["all_layer_embeddings"] = (*some, states[-1])
            return output

        # AdaptiveLayerLoss takes hold of this method in the same way.
        transformer.forward = with_some_layers
        try:
            value: torch.Tensor = self.loss(sentence_features, labels)
        finally:
            transformer.forward = original
        return value


def at_every_size(
    loss: torch.nn.Module,
    model: SentenceTransformer,
    dims: tuple[int, ...],
    layers: tuple[int, ...],
) -> torch.nn.Module:
    """Wrap a base loss so that it counts at all widths, and after some layers only.

    The first of `dims` and of `layers` is the full width, and all layers.
    """
    from sentence_transformers.sentence_transformer.losses import (
        AdaptiveLayerLoss,
        Matryoshka2dLoss,
        MatryoshkaLoss,
    )

    if len(layers) > 1:
        # Its own default is one width a step, which MatryoshkaLoss alone does not have.
        both: torch.nn.Module = (
            Matryoshka2dLoss(model, loss, list(dims), n_dims_per_step=-1)
            if len(dims) > 1
            else AdaptiveLayerLoss(model, loss)
        )
        return SomeLayersLoss(model, both, layers[1:])
    return MatryoshkaLoss(model, loss, list(dims)) if len(dims) > 1 else loss
