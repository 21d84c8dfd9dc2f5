"""Values that nobody should pass, each with the meanings that it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import scipy.sparse
import torch
from bertopic import BERTopic

if TYPE_CHECKING:
    from collections.abc import Callable

N_DOCUMENTS, WIDTH = 60, 16
KINDS = ("red apple", "blue sea", "green grass")
DOCUMENTS = [f"{KINDS[i % 3]} number {i}" for i in range(N_DOCUMENTS)]
TOPICS = [["red", "apple"], ["blue", "sea"]]


def rows() -> Any:
    """Good embeddings: three clusters, unit rows."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, WIDTH))
    X = centres[np.arange(N_DOCUMENTS) % 3] + rng.normal(scale=0.3, size=(N_DOCUMENTS, WIDTH))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def _with(value: object, dtype: Any = None) -> Any:
    X = rows().astype(dtype or np.float32)
    X[3, 2] = value
    return X


@dataclass(frozen=True)
class Value:
    """A value, made anew for each call, and the meanings that it has."""

    name: str
    make: Callable[[], Any]
    means: frozenset[str] = frozenset()


def _value(name: str, make: Callable[[], Any], *means: str) -> Value:
    return Value(name, make, frozenset(means))


SCALARS = [
    _value("None", lambda: None, "none"),
    _value("True", lambda: True, "bool"),
    _value("np.bool_", lambda: np.bool_(False), "bool"),
    _value("-1", lambda: -1, "negative"),
    _value("0", lambda: 0, "zero"),
    _value("1", lambda: 1, "one", "count", "real"),
    _value("np.int64(2)", lambda: np.int64(2), "count", "real", "several"),
    _value("array(2)", lambda: np.array(2), "perhaps"),
    _value("10**6", lambda: 10**6, "huge"),
    _value("10**30", lambda: 10**30, "perhaps"),
    _value("0.5", lambda: 0.5, "share", "real"),
    _value("np.float32(0.5)", lambda: np.float32(0.5), "share", "real"),
    _value("2.0", lambda: 2.0, "whole", "real"),
    _value("-0.5", lambda: -0.5, "negative share"),
    _value("nan", lambda: float("nan")),
    _value("inf", lambda: float("inf")),
    _value("2j", lambda: 2j),
    _value("'3'", lambda: "3", "str"),
    _value("''", lambda: "", "empty str"),
    _value("b'3'", lambda: b"3"),
    _value("[]", list, "no texts"),
    _value("{}", dict, "no mapping"),
    _value("object()", object),
    _value("int", lambda: int, "callable"),
    _value("lambda", lambda: lambda _: None, "callable"),
    _value("[2]", lambda: [2], "counts"),
    _value("['x']", lambda: ["x"], "few texts"),
    _value("NaT", lambda: pd.NaT),
    _value("pd.NA", lambda: pd.NA),
    _value("a path", lambda: Path("of a folder that is not there"), "str"),
    _value("a BERTopic, not fitted", BERTopic, "unfitted"),
    _value("Ellipsis", lambda: ..., "ellipsis"),
]

ARRAYS = [
    _value("float64", lambda: rows().astype(np.float64), "rows"),
    _value("float16", lambda: rows().astype(np.float16), "rows"),
    _value("Fortran order", lambda: np.asfortranarray(rows()), "rows"),
    _value("list of lists", lambda: rows().tolist(), "rows"),
    _value("list of arrays", lambda: list(rows()), "rows"),
    _value("frame", lambda: pd.DataFrame(rows()), "rows"),
    _value("frame, equal names", lambda: pd.DataFrame(rows(), columns=["x"] * WIDTH), "rows"),
    _value("tensor", lambda: torch.from_numpy(rows()), "rows"),
    _value("tensor, bfloat16", lambda: torch.from_numpy(rows()).bfloat16(), "rows"),
    _value("tensor, grad", lambda: torch.from_numpy(rows()).requires_grad_(), "rows"),
    _value("integers", lambda: (rows() * 100).astype(int), "rows"),
    _value("object of floats", lambda: rows().astype(object), "rows"),
    _value("masked, nothing hidden", lambda: np.ma.array(rows(), mask=False), "rows"),
    _value("Series of arrays", lambda: pd.Series(list(rows())), "rows"),
    _value("Arrow lists", lambda: pa.array(list(rows())), "rows"),
    _value("Arrow table", lambda: pa.table({"v": pa.array(list(rows()))})),
    _value("bool array", lambda: rows() > 0, "perhaps"),
    _value("NaN", lambda: _with(np.nan)),
    _value("infinite", lambda: _with(np.inf)),
    _value("huge float64", lambda: _with(1e300, np.float64), "perhaps"),
    _value("complex", lambda: rows() + 1j),
    _value("masked", lambda: np.ma.array(rows(), mask=rows() > 0.2)),
    _value("object with None", lambda: _with(None, object)),
    _value("strings", lambda: rows().astype(str), "topics", "tokens"),
    _value("bytes array", lambda: rows().astype("S8")),
    _value("one-dimensional", lambda: rows()[0]),
    _value("three-dimensional", lambda: rows()[None]),
    _value("no columns", lambda: rows()[:, :0], "no words"),
    _value("no rows", lambda: rows()[:0], "no texts", "no rows"),
    _value("one row", lambda: rows()[:1], "one row"),
    _value("another length", lambda: rows()[:-1], "shorter rows"),
    _value("ragged", lambda: [[1.0, 2.0], [3.0]]),
    _value("sparse", lambda: scipy.sparse.csr_array(rows())),
    _value("dates", lambda: np.full((N_DOCUMENTS, 2), np.datetime64("2026-01-01"))),
    _value("structured", lambda: np.zeros(N_DOCUMENTS, dtype=[("a", "f4"), ("b", "f4")])),
    _value("frame with text", lambda: pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})),
    _value("all zero", lambda: np.zeros((N_DOCUMENTS, WIDTH)), "perhaps"),
    _value("all equal", lambda: np.ones((N_DOCUMENTS, WIDTH)), "perhaps"),
]

TEXTS = [
    _value("tuple of texts", lambda: tuple(DOCUMENTS), "texts"),
    _value("array of texts", lambda: np.array(DOCUMENTS), "texts", "labels"),
    _value("Series of texts", lambda: pd.Series(DOCUMENTS, index=range(5, 65)), "texts", "labels"),
    _value("NUL in a text", lambda: ["a\0b", *DOCUMENTS[1:]], "texts", "labels"),
    _value("an empty text", lambda: ["", *DOCUMENTS[1:]], "texts", "labels"),
    _value("a lone surrogate", lambda: ["a \ud83d b", *DOCUMENTS[1:]], "texts", "labels"),
    _value("iterator of texts", lambda: iter(DOCUMENTS), "perhaps"),
    _value("all texts empty", lambda: [""] * N_DOCUMENTS, "perhaps"),
    _value("one text", lambda: "red apple", "str"),
    _value("bytes for texts", lambda: [text.encode() for text in DOCUMENTS], "labels"),
    _value("None among texts", lambda: [None, *DOCUMENTS[1:]], "labels"),
    _value("NaN among texts", lambda: [float("nan"), *DOCUMENTS[1:]], "labels"),
    _value("numbers for texts", lambda: list(range(N_DOCUMENTS)), "labels", "numbers"),
    _value("frame of texts", lambda: pd.DataFrame({"text": DOCUMENTS})),
    _value("dict of texts", lambda: dict.fromkeys(DOCUMENTS, 1)),
    _value("set of texts", lambda: set(DOCUMENTS), "set"),
    _value("lists for texts", lambda: [text.split() for text in DOCUMENTS], "tokens", "topics"),
    _value("too few texts", lambda: DOCUMENTS[:-1], "shorter texts"),
]

TOPIC_LISTS = [
    _value("tuples of words", lambda: tuple(map(tuple, TOPICS)), "topics"),
    _value("arrays of words", lambda: [np.array(words) for words in TOPICS], "topics"),
    _value("iterator of topics", lambda: iter(TOPICS), "topics"),
    _value("a topic without words", lambda: [[], *TOPICS], "topics"),
    _value("words for topics", lambda: ["red", "apple"], "few texts"),
    _value("bytes for words", lambda: [[b"red", b"apple"], [b"sea"]]),
    _value("bytes for topics", lambda: [b"red", b"apple"]),
    _value("numbers for words", lambda: [[1, 2], [3, 4]], "two rows"),
    _value("None for words", lambda: [[None, "red"], ["sea"]]),
    _value("None for a topic", lambda: [None, ["sea"]]),
    _value("sets of words", lambda: [set(words) for words in TOPICS]),
    _value("pairs of word and weight", lambda: [[("red", 0.5), ("apple", 0.2)], [("sea", 1.0)]]),
    _value("dict of topics", lambda: dict(enumerate(TOPICS))),
    _value("frame of words", lambda: pd.DataFrame(TOPICS)),
]

VALUES = [*SCALARS, *ARRAYS, *TEXTS, *TOPIC_LISTS]
