"""A model and items held out -> how good it is at each width, after each number of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator

from bertopic_matryoshka.embedding import first_layers, truncate
from bertopic_matryoshka.neighbors import nearest_neighbors
from bertopic_matryoshka.training._data import DOCUMENTS, PAIRS, SCORED, TRIPLETS, TrainingData

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

    Rows = NDArray[np.float32]

N_NEIGHBORS = 15

MEASURES = {
    DOCUMENTS: "neighbors_kept",
    PAIRS: "reciprocal_rank",
    TRIPLETS: "accuracy",
    SCORED: "spearman",
}


class WidthEvaluator(SentenceEvaluator):
    """Score a model at every width; texts are encoded once for each number of layers.

    The measure follows the kind of data; all are higher the better:

    - documents: ``neighbors_kept`` in [0, 1], the share of a document's 15 nearest neighbours by
      the model before training, at full width, that are among its 15 nearest now
    - pairs: ``reciprocal_rank`` in (0, 1], the mean of 1 / the rank of a text's partner among all
      partners
    - triplets: ``accuracy`` in [0, 1], the share whose positive is nearer than the negative
    - scored pairs: ``spearman`` in [-1, 1], the rank correlation of cosines and scores

    Parameters
    ----------
    data : TrainingData
    dims : tuple of int
        Widths, the full one first.
    layers : tuple of int
        Numbers of first layers, all first; empty to leave the model as it is.
    prompt : str
        Put before each text.
    batch_size : int
    """

    def __init__(
        self,
        data: TrainingData,
        dims: tuple[int, ...],
        layers: tuple[int, ...] = (),
        *,
        prompt: str,
        batch_size: int,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.data = data
        self.dims = dims
        self.layers = layers
        self.prompt = prompt
        self.batch_size = batch_size
        self.measure = MEASURES[data.kind]
        self.primary_metric = _key(dims[0], *layers[:1])
        self._nearest: NDArray[np.int32] | None = None

    def table(self, model: SentenceTransformer) -> pd.DataFrame:
        """Measure a model: columns dim, n_layers if there are layers, and the measure's name."""
        parts = []
        for n_layers in self.layers or (None,):
            part = self._table_of(model if n_layers is None else first_layers(model, n_layers))
            if n_layers is not None:
                part.insert(1, "n_layers", n_layers)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def _table_of(self, model: SentenceTransformer) -> pd.DataFrame:
        columns = [self._encode(model, texts) for texts in self.data.columns]
        if self.data.kind == DOCUMENTS and self._nearest is None:
            self._nearest = _nearest(truncate(columns[0], self.dims[0]))
        rows = [(dim, self._score([truncate(X, dim) for X in columns])) for dim in self.dims]
        table: pd.DataFrame = pd.DataFrame(rows, columns=["dim", self.measure])
        return table

    def __call__(
        self,
        model: Any,
        output_path: str | None = None,  # noqa: ARG002  (the trainer passes them)
        epoch: int = -1,  # noqa: ARG002
        steps: int = -1,  # noqa: ARG002
    ) -> dict[str, float]:
        """Measure a model while it is trained."""
        scores = self.table(model).itertuples(index=False)
        return {_key(*size): float(score) for *size, score in scores}

    def _encode(self, model: SentenceTransformer, texts: list[str]) -> Rows:
        encoded: Rows = model.encode(
            texts, prompt=self.prompt, batch_size=self.batch_size, show_progress_bar=False
        )
        return encoded

    def _score(self, columns: list[Rows]) -> float:
        if self.data.kind == DOCUMENTS:
            found, nearest = _nearest(columns[0]), self._nearest
            return float((found[:, :, None] == nearest[:, None, :]).any(axis=2).mean())  # type: ignore[index]
        if self.data.kind == TRIPLETS:
            anchor, positive, negative = columns
            return float((_cosines(anchor, positive) > _cosines(anchor, negative)).mean())
        first, second = columns
        if self.data.kind == SCORED:
            return float(spearmanr(_cosines(first, second), self.data.scores).statistic)
        ranks = rankdata(-(first @ second.T), axis=1, method="average").diagonal()
        return float((1 / ranks).mean())


def _key(dim: int, n_layers: int | None = None) -> str:
    return f"dim_{dim}" if n_layers is None else f"layers_{n_layers}_dim_{dim}"


def _nearest(rows: Rows) -> NDArray[np.int32]:
    n_neighbors = min(N_NEIGHBORS, (len(rows) - 1) // 2)
    return nearest_neighbors(rows, n_neighbors, method="exact")[0]


def _cosines(first: Rows, second: Rows) -> Rows:
    cosines: Rows = np.einsum("ij,ij->i", first, second)
    return cosines
