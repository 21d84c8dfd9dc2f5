"""Calls of the batches and fits for many machines, without Ray."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import bertopic_matryoshka as bm
from tests.hostile.judge import KIND, Call
from tests.hostile.values import DOCUMENTS

MODEL = {"none", "str", "callable"}
"""What may be a backend's model, as long as it is not loaded."""

NAME = {"str", "empty str"}
"""What may be the name of a column."""


@cache
def _file() -> Path:
    """A file of the documents, removed when Python ends."""
    folder = tempfile.TemporaryDirectory()
    _KEPT.append(folder)
    table = pd.DataFrame({"id": range(len(DOCUMENTS)), "text": DOCUMENTS})
    table.to_parquet(f"{folder.name}/texts.parquet")
    return Path(folder.name)


_KEPT: list[Any] = []


DISTRIBUTED_CALLS = [
    Call(
        "EmbedBatch",
        bm.EmbedBatch,
        dict,
        {"backend": MODEL, "text_column": NAME},
        {"backend": r"\bmodel\b|lambda"},
    ),
    Call(
        "AssignTopicsBatch",
        bm.AssignTopicsBatch,
        lambda: {"topic_model": "folder"},
        {"topic_model": NAME, "backend": MODEL, "text_column": NAME},
        {"backend": r"\bmodel\b|lambda"},
    ),
    Call(
        "CountWordsBatch",
        bm.CountWordsBatch,
        lambda: {"topic_model": bm.build_topic_model()},
        {"topic_model": {"unfitted"}, "text_column": NAME, "topic_column": NAME},
    ),
    Call(
        "fit_distributed",
        bm.fit_distributed,
        lambda: {
            "dataset": _file() / "texts.parquet",
            "out": tempfile.mkdtemp(dir=_file()),
            "sample_size": 20,
            "engine": "local",
        },
        {
            "dataset": set(),
            "backend": MODEL,
            "out": {"str"},
            "topic_model": {"none"},
            "text_column": set(),
            "id_column": set(),
            "sample_size": "count",
            "min_word_count": "count",
            "rows_per_partition": "count",
            "random_state": "plain seed",
            "engine": set(),
            "concurrency": "count or none",
            "num_gpus": KIND["weight"] | {"zero"},
        },
        {"backend": r"\bmodel\b|lambda"},
        slow=True,
    ),
]
