"""A file is read back exactly, or it is noticed that it cannot be."""

import json
import os
import time

import numpy as np
import pytest

from bertopic_matryoshka._files import (
    LEFTOVER_SECONDS,
    DamagedFileWarning,
    canonical_json,
    read_checked,
    short_hash,
    write_checked,
)

KEY = {"dim": 64, "reduction": "umap", "seed": None}
RECORD = {
    "coherence": float("nan"),
    "bound": float("inf"),
    "words": ["caf\u00e9", "\ud800", "a\nb"],
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new" / "one.cell"
    write_checked(path, KEY, RECORD, {"topics": np.arange(6).reshape(2, 3)})
    return path


def test_what_was_written_is_read(path):
    record, arrays = read_checked(path, KEY)
    assert json.dumps(record) == json.dumps(RECORD)
    np.testing.assert_array_equal(arrays["topics"], [[0, 1, 2], [3, 4, 5]])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "array",
    [
        np.array([], dtype=np.int32),
        np.array(7),
        np.array([True, False]),
        np.arange(12).reshape(3, 4).T,
        np.arange(12.0)[::2],
        np.array([1, 2], dtype=">i4"),
    ],
)
def test_arrays_of_all_kinds(tmp_path, array):
    write_checked(tmp_path / "a", {}, {}, {"a": array})
    found = read_checked(tmp_path / "a", {}).arrays["a"]
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.shape == array.shape
    np.testing.assert_array_equal(found, array)


def test_no_arrays_and_no_file(tmp_path):
    write_checked(tmp_path / "a", {}, {"x": 1}, {})
    assert read_checked(tmp_path / "a", {}) == ({"x": 1}, {})
    assert read_checked(tmp_path / "b", {}) is None


def test_every_truncation_and_every_flipped_byte_is_noticed(path):
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(len(whole))]
    damaged += [whole + b"\0", b"not ours\n" + whole, whole[65:]]
    for content in damaged:
        path.write_bytes(content)
        with pytest.warns(DamagedFileWarning) as warned:
            assert read_checked(path, KEY) is None
        assert [str(w.message) for w in warned] == [
            f"{path} is damaged and will be computed again."
        ]
    path.write_bytes(whole)
    assert read_checked(path, KEY)


def test_a_file_of_another_key_is_not_read(path):
    with pytest.warns(DamagedFileWarning, match="one.cell is damaged"):
        assert read_checked(path, {**KEY, "dim": 32}) is None


def test_a_failed_write_leaves_the_older_file_and_nothing_else(path, monkeypatch):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_checked(path, KEY, {"coherence": 1}, {})
    assert read_checked(path, KEY).record["words"] == RECORD["words"]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_is_no_json_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TypeError, match="int64 is not JSON serializable"):
        write_checked(tmp_path / "a", {"dim": np.int64(3)}, {}, {})
    assert list(tmp_path.iterdir()) == []


def test_old_leftovers_are_removed_and_young_ones_stay(path):
    old, young, other = (path.with_name(name) for name in (".x.1.tmp", ".x.2.tmp", "x.tmp"))
    for file in (old, young, other):
        file.write_bytes(b"half of a fi")
    then = time.time() - LEFTOVER_SECONDS - 1
    for file in (old, other):
        os.utime(file, (then, then))
    write_checked(path, KEY, RECORD, {})
    assert {file.name for file in path.parent.iterdir()} == {path.name, young.name, other.name}


def test_keys_that_are_equal_in_json_are_equal():
    assert canonical_json({"b": (1, 2), "a": {10: 1, 9: 2}}) == canonical_json(
        {"a": {"10": 1, "9": 2}, "b": [1, 2]}
    )
    assert canonical_json({"a": float("nan")}) == canonical_json({"a": float("nan")})
    assert short_hash({"a": 1}) != short_hash({"a": 1.5})
    assert len(short_hash({})) == 16
