"""What a user has -> the columns that a loss takes: documents, pairs, triplets or scored pairs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    from numpy.typing import NDArray

DOCUMENTS, PAIRS, TRIPLETS, SCORED = "documents", "pairs", "triplets", "scored pairs"
COLUMNS = ("anchor", "positive", "negative")
FEWEST = 10
"""Fewest items to train on and to evaluate."""

HELD_OUT = 1000
"""Most items that are held out for the evaluation."""

KINDS = (
    "Pass a list of documents, of pairs (text, text), of triplets (anchor, positive, negative) or "
    "of scored pairs (text, text, score), or a DataFrame or Dataset with these columns."
)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Items to train on.

    Attributes
    ----------
    columns : tuple of one to three lists of str, all of the same length
    scores : ndarray of shape (n_items,), float32, or None
        Similarities of scored pairs.
    """

    columns: tuple[list[str], ...]
    scores: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def kind(self) -> str:
        """What an item is."""
        if self.scores is not None:
            return SCORED
        return (DOCUMENTS, PAIRS, TRIPLETS)[len(self.columns) - 1]

    def take(self, rows: NDArray[np.intp]) -> TrainingData:
        """Return some of the items."""
        columns = tuple([column[row] for row in rows] for column in self.columns)
        return TrainingData(columns, None if self.scores is None else self.scores[rows])

    def split(self, random_state: int) -> tuple[TrainingData, TrainingData]:
        """Hold out a tenth of the items, at least 5 and at most 1,000."""
        order = np.random.default_rng(random_state).permutation(len(self))
        n_held_out = min(HELD_OUT, max(FEWEST // 2, len(self) // 10))
        return self.take(np.sort(order[n_held_out:])), self.take(order[:n_held_out])

    def dataset(self) -> datasets.Dataset:
        """Return the columns as sentence-transformers' trainer takes them.

        A document's label is its position.
        """
        from datasets import Dataset

        columns: dict[str, Any] = dict(zip(COLUMNS, self.columns, strict=False))
        if self.scores is not None:
            columns["label"] = self.scores
        elif self.kind == DOCUMENTS:
            columns["label"] = np.arange(len(self))
        return Dataset.from_dict(columns)

    def digest(self) -> str:
        """Return a digest by which a resumed run knows its data."""
        found = hashlib.sha256()
        for column in self.columns:
            for text in column:
                found.update(text.encode("utf-8", "surrogatepass") + b"\0")
            found.update(b"\1")
        if self.scores is not None:
            found.update(self.scores.tobytes())
        return found.hexdigest()


def read_training_data(data: Any, *, name: str = "data", fewest: int = FEWEST) -> TrainingData:
    """Read documents, pairs, triplets or scored pairs.

    Parameters
    ----------
    data : sequence of str, sequence of tuples, DataFrame or datasets.Dataset
        A table's columns of texts are taken in their order; a column of numbers is the score.
    name : str
        Name of the parameter, for messages.
    fewest : int
        Fewest items.

    Returns
    -------
    read : TrainingData
        A document that is there several times is taken once.

    Raises
    ------
    TypeError
        If it is of another type, or an item is.
    ValueError
        If there are too few items, a text is empty, a score is NaN or infinite, or all scores are
        equal; the message gives the position.
    """
    table = _as_table(data, name)
    is_score = [kind.kind in "iufb" for kind in table.dtypes]
    columns = tuple(
        _checked_texts(table.iloc[:, at].tolist(), name)
        for at in range(table.shape[1])
        if not is_score[at]
    )
    n_scores = sum(is_score)
    if len(table) and (len(columns), n_scores) not in {(1, 0), (2, 0), (3, 0), (2, 1)}:
        raise TypeError(
            f"{name} has {len(columns)} columns of texts and {n_scores} of numbers. {KINDS}"
        )
    scores = None
    if n_scores:
        scores = _checked_scores(table.iloc[:, is_score.index(True)].to_numpy(), name)
    if len(columns) == 1:
        columns = (list(dict.fromkeys(columns[0])),)
    read = TrainingData(columns or ([],), scores)
    if len(read) < fewest:
        distinct = "distinct " if read.kind == DOCUMENTS else ""
        raise ValueError(
            f"{name} has {len(read)} {distinct}{read.kind} and needs at least {fewest}. "
            "Add some; a few hundred are a beginning."
        )
    return read


def _as_table(data: Any, name: str) -> pd.DataFrame:
    """Return a column of texts, or those of pairs and triplets."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        frame: pd.DataFrame = data
        return frame
    if hasattr(data, "to_pandas"):
        table: pd.DataFrame = data.to_pandas()
        return table
    if isinstance(data, str):
        raise TypeError(f"{name}={data[:40]!r} is a single string. {KINDS}")
    try:
        items = list(data)
    except TypeError:
        raise TypeError(f"{name} is of type {type(data).__name__}. {KINDS}") from None
    # Of texts alone pandas would make one of its own types, and NaN of None.
    are_texts = any(isinstance(item, str) for item in items)
    made: pd.DataFrame = (
        pd.DataFrame({0: items}, dtype=object) if are_texts else pd.DataFrame(items)
    )
    return made


def _checked_texts(texts: list[Any], name: str) -> list[str]:
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"{name}[{position}] has {text!r} of type {type(text).__name__} where the others "
                f"have a text. {KINDS}"
            )
        if not text.strip():
            raise ValueError(f"{name}[{position}] has an empty text. Remove such items.")
    return texts


def _checked_scores(scores: NDArray[Any], name: str) -> NDArray[np.float32]:
    checked: NDArray[np.float32] = scores.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(checked))
    if bad.size:
        raise ValueError(
            f"{name}[{bad[0]}] has the score {checked[bad[0]]}. Remove such items, or give them a "
            "score."
        )
    if checked.size and checked.min() == checked.max():
        raise ValueError(
            f"All scores in {name} are {checked[0]}: they rank no pair above another. Leave them "
            "out to train on pairs alone."
        )
    return checked
