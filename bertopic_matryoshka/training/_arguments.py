"""Training arguments: the caller's, where there are some, over our defaults."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from sentence_transformers import SentenceTransformerTrainingArguments

DEFAULTS: dict[str, Any] = {
    "per_device_train_batch_size": 64,
    "num_train_epochs": 1,
    "warmup_steps": 0.1,
    "save_strategy": "steps",
    "save_steps": 0.1,
    "save_total_limit": 2,  # the newest may be cut short by a kill
    "logging_steps": 0.1,
    "report_to": "none",
}
"""Where the caller says nothing; shares are of all steps."""

OWN = ("output_dir", "seed", "data_seed", "use_cpu")
"""Arguments that follow from the parameters of train_matryoshka."""

TRANSFORMER_RATE, STATIC_RATE = 2e-5, 2e-2
"""Learning rate of a transformer, and of a model that has only its tokens' vectors."""


def training_arguments(
    given: Mapping[str, Any] | SentenceTransformerTrainingArguments | None,
    *,
    folder: Path,
    device: str | None,
    random_state: int,
    prompt: str,
    is_transformer: bool,
    ranks_batch: bool,
) -> SentenceTransformerTrainingArguments:
    """Make the trainer's arguments.

    Raises
    ------
    TypeError
        If `given` is neither a mapping nor SentenceTransformerTrainingArguments.
    ValueError
        If it sets what is a parameter of train_matryoshka.
    """
    from sentence_transformers import SentenceTransformerTrainingArguments
    from sentence_transformers.base.sampler import BatchSamplers

    own = {"output_dir": str(folder), "seed": random_state}
    if isinstance(given, SentenceTransformerTrainingArguments):
        arguments = copy.copy(given)
        for name, value in own.items():
            setattr(arguments, name, value)
        return arguments
    if not isinstance(given, Mapping | None):
        raise TypeError(
            f"arguments is of type {type(given).__name__} and must be a dict of arguments of "
            "sentence_transformers.SentenceTransformerTrainingArguments, or one of these."
        )
    contradicted = sorted(set(OWN) & set(given or {}))
    if contradicted:
        raise ValueError(
            f"arguments={contradicted} would contradict train_matryoshka, which sets them. Use its "
            "parameters out, random_state and device."
        )
    values: dict[str, Any] = {
        **DEFAULTS,
        "learning_rate": TRANSFORMER_RATE if is_transformer else STATIC_RATE,
        # A text that is twice in a batch would be a negative of itself.
        "batch_sampler": BatchSamplers.NO_DUPLICATES
        if ranks_batch
        else BatchSamplers.BATCH_SAMPLER,
        "prompts": prompt or None,
        "use_cpu": device == "cpu",
        "dataloader_pin_memory": device != "cpu",
        **own,
        **(given or {}),
    }
    return SentenceTransformerTrainingArguments(**values)


def digest_of(arguments: SentenceTransformerTrainingArguments) -> str:
    """Return a digest by which a resumed run knows its arguments."""
    values = arguments.to_dict()  # type: ignore[no-untyped-call]
    known = repr(sorted((name, repr(value)) for name, value in values.items()))
    return hashlib.sha256(known.encode()).hexdigest()
