"""A folder of checkpoints that belongs to one run, and from which that run goes on."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from bertopic_matryoshka._files import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from transformers import TrainerControl, TrainerState, TrainingArguments

WHOLE = "whole"
"""File that is written into a checkpoint once all of it is there."""


class Checkpoints:
    """Checkpoints of one run in the folder of its result.

    Parameters
    ----------
    out : Path
        Folder of the result; `folder` is within.
    run : dict of str to str
        What makes the run what it is: of its data, model, parameters.
    """

    def __init__(self, out: Path, run: Mapping[str, str]) -> None:
        self.out = out
        self.folder = out / "checkpoints"
        self.run = run

    def open(self) -> Path | None:
        """Claim the folder, and find the checkpoint to go on from; None to begin.

        Raises
        ------
        FileExistsError
            If the folder holds files that are not a run's, or the checkpoints of another run.
        """
        record = self.folder / "run.json"
        if record.is_file():
            self._check_run(json.loads(record.read_text("utf-8")))
        elif self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir())):
            raise FileExistsError(f"out={self.out} has files in it. Name a new or an empty folder.")
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = record.with_suffix(".tmp")
            temporary.write_text(canonical_json(self.run), "utf-8")
            temporary.replace(record)
        found = sorted(self.folder.glob("checkpoint-*"), key=_step, reverse=True)
        whole = [checkpoint for checkpoint in found if (checkpoint / WHOLE).is_file()]
        for checkpoint in found:
            if checkpoint not in whole:  # killed while it was written
                shutil.rmtree(checkpoint)
        return whole[0] if whole else None

    def close(self) -> None:
        """Remove the checkpoints, once the result is saved."""
        (self.folder / "run.json").unlink()
        shutil.rmtree(self.folder)

    def _check_run(self, other: dict[str, Any]) -> None:
        changed = sorted(key for key in self.run if other.get(key) != self.run[key])
        if changed:
            raise FileExistsError(
                f"out={self.out} holds the checkpoints of another run: its {', '.join(changed)} "
                f"{'was' if len(changed) == 1 else 'were'} different. Name another folder, or "
                "delete this one to start anew."
            )


class MarkWhole(TrainerCallback):
    """Marks each checkpoint once it is written, so that one cut short by a kill is known."""

    def on_save(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Follow the trainer, which calls this after it has written a checkpoint."""
        from pathlib import Path

        (Path(str(args.output_dir)) / f"checkpoint-{state.global_step}" / WHOLE).touch()


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
