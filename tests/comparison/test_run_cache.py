"""Cells are there again in a later run, or are computed again; never half of one."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from bertopic_matryoshka import DamagedFileWarning
from bertopic_matryoshka.comparison._run_cache import CellStore

PRINT = {"documents": "5f2c", "versions": {"numpy": "2.0"}}
KEY = {"dim": 64, "reduction": "umap", "seed": 0}
RECORD = {"coherence": 0.25, "coherence_error": float("nan"), "topics": [[0, ["a", "b"], 3]]}
TOPICS = np.array([0, 1, -1, 1])

# Every record says what its array must be, so that a mixture of two would show.
PUT_FOR_EVER = """
import sys
import numpy as np
from bertopic_matryoshka.comparison._run_cache import CellStore

store = CellStore(sys.argv[1], {})
for i in range(10**9):
    store.put({"cell": i % 5}, {"i": i}, {"topics": np.full(20_000 + i % 7, i)})
    if not i:
        print("begun", flush=True)
"""


@pytest.fixture
def store(tmp_path):
    store = CellStore(tmp_path, PRINT)
    store.put(KEY, RECORD, {"document_topics": TOPICS})
    return store


def the_file(store):
    (path,) = store.folder.iterdir()
    return path


def test_a_later_run_finds_the_cell(store):
    record, arrays = CellStore(str(store.folder), dict(reversed(PRINT.items()))).get(KEY)
    assert json.dumps(record) == json.dumps(RECORD)
    assert arrays["document_topics"].dtype == TOPICS.dtype
    np.testing.assert_array_equal(arrays["document_topics"], TOPICS)


def test_a_cell_is_of_its_key_and_fingerprint_only(store, recwarn):
    assert store.get({**KEY, "seed": 1}) is None
    assert store.get({**KEY, "seed": None}) is None
    assert CellStore(store.folder, {**PRINT, "documents": "0000"}).get(KEY) is None
    assert CellStore(store.folder / "nowhere", PRINT).get(KEY) is None
    assert not recwarn.list


def test_put_again_replaces(store):
    store.put(KEY, {"coherence": 0.5}, {})
    assert store.get(KEY) == ({"coherence": 0.5}, {})
    the_file(store)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 128]),
        lambda content: content.replace(b"0.25", b"0.35"),
    ],
    ids=["empty", "truncated", "flipped", "edited"],
)
def test_a_damaged_cell_is_noticed_and_put_anew(store, damage):
    path = the_file(store)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(DamagedFileWarning, match=f"{path.name} is damaged and will be computed"):
        assert store.get(KEY) is None
    store.put(KEY, RECORD, {"document_topics": TOPICS})
    assert store.get(KEY).record["coherence"] == 0.25


def test_another_cell_under_this_name_is_not_read(store):
    store.put({**KEY, "dim": 32}, {}, {})
    mine = store._path(store._full_key(KEY))
    (other,) = set(store.folder.iterdir()) - {mine}
    other.replace(mine)
    with pytest.warns(DamagedFileWarning, match=mine.name):
        assert store.get(KEY) is None


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_killed_at_any_moment_every_cell_is_whole(tmp_path):
    found = 0
    for delay in np.random.default_rng(0).uniform(0, 0.05, size=8):
        child = subprocess.Popen(
            [sys.executable, "-c", PUT_FOR_EVER, tmp_path], stdout=subprocess.PIPE
        )
        assert child.stdout.readline() == b"begun\n"
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        assert child.returncode == -signal.SIGKILL
        store = CellStore(tmp_path, {})
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # nothing damaged is ever seen
            cells = [store.get({"cell": i}) for i in range(5)]
        for cell in filter(None, cells):
            i = cell.record["i"]
            np.testing.assert_array_equal(cell.arrays["topics"], np.full(20_000 + i % 7, i))
            found += 1
    assert found > 8
