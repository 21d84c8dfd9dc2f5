"""A fork after threads ran is said before it may hang."""

import subprocess
import sys

import pytest

CHILD = """
import os, signal, sys, time, warnings
import numpy as np
from bertopic_matryoshka import LeidenClustering, MatryoshkaBackend

rows = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
WORK = {
    "fit": lambda: LeidenClustering().fit(rows),
    "embed": lambda: MatryoshkaBackend().embed(["a document"]),
}
before, after = sys.argv[1:]
warnings.showwarning = lambda message, *_, **__: print("warned:", message, flush=True)
if before:
    WORK[before]()
child = os.fork()
if child == 0:
    WORK[after]()
    print("done", flush=True)
    os._exit(0)
for _ in range(100):  # it may hang, which is what the warning is for
    if os.waitpid(child, os.WNOHANG)[0]:
        break
    time.sleep(0.1)
else:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.parametrize(
    ("before", "after", "is_warned"),
    [("fit", "embed", True), ("embed", "fit", True), ("", "embed", False)],
)
def test_a_fork_after_threads_ran_is_told(before, after, is_warned):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, before, after], capture_output=True, text=True, check=True
    )
    told = "warned: This process was forked from one whose threads had run" in done.stdout
    assert told == is_warned
    if not is_warned:
        assert "done" in done.stdout
