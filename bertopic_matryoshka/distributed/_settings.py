"""Parameters of a distributed fit, checked."""

from __future__ import annotations

from typing import NamedTuple


class Settings(NamedTuple):
    """Parameters of fit_distributed that its results depend on."""

    text_column: str
    id_column: str
    sample_size: int
    min_word_count: int
    rows_per_partition: int
    random_state: int
