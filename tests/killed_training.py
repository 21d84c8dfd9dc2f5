"""A training that can be killed at a call of its loss: python killed_training.py MODEL OUT CALL."""

import os
import signal
import sys

from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from bertopic_matryoshka import train_matryoshka

LETTERS = "abcdefghijklmnopqrstuvwxyz"
PAIRS = [
    (" ".join((LETTERS[i], LETTERS[j])), " ".join((LETTERS[j], LETTERS[i])))
    for i in range(8)
    for j in range(i)
]
ARGUMENTS = {
    "per_device_train_batch_size": 4,
    "save_steps": 2,
    "disable_tqdm": True,
    "learning_rate": 1e-3,
}


class Killer(MultipleNegativesRankingLoss):
    """Kills its process at a call."""

    at = 0

    def forward(self, *args, **kwargs):
        """Count down."""
        Killer.at -= 1
        if Killer.at == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(*args, **kwargs)


def train(model, out, **changed):
    """Train with 8 and 24 dimensions, so with two calls a step."""
    settings = {"dims": [8], "loss": Killer, "arguments": ARGUMENTS, "device": "cpu", **changed}
    return train_matryoshka(model, PAIRS, out=out, **settings)


if __name__ == "__main__":
    Killer.at = int(sys.argv[3])
    train(sys.argv[1], sys.argv[2])
