"""A distributed fit that dies in its model: LAST_CALL=2 python killed_distributed.py FILE OUT."""

import os
import signal
import sys

import numpy as np

from bertopic_matryoshka import LeidenClustering, MatryoshkaBackend, build_topic_model
from bertopic_matryoshka import fit_distributed as fit

ROWS = 40
calls = []
"""Numbers of texts of the calls."""


def letters(texts):
    """Embed texts by the letters that they have; dies at the last call with ROWS texts."""
    calls.append(len(texts))
    if calls.count(ROWS) == int(os.environ.get("LAST_CALL", "-1")):
        os.kill(os.getpid(), signal.SIGKILL)
    rows = [[text.count(letter) + 0.1 for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]
    return np.array(rows, dtype=np.float32)


def fit_distributed(file, out, model=letters, **changed):
    """Fit in partitions of ROWS rows, with a sample of 100."""
    topic_model = build_topic_model(
        MatryoshkaBackend(model, name="letters", batch_size=ROWS), hdbscan_model=LeidenClustering(5)
    )
    settings = {"sample_size": 100, "rows_per_partition": ROWS, "engine": "local", **changed}
    return fit(file, topic_model=topic_model, out=out, **settings)


if __name__ == "__main__":
    fit_distributed(sys.argv[1], sys.argv[2])
