"""The bundled model: small, offline, Matryoshka and meaningful."""

from __future__ import annotations

import json
import socket
import zipfile

import numpy as np
import pytest

from bertopic_matryoshka.embedding._bundled import DEFAULT_MODEL as FOLDER
from bertopic_matryoshka.embedding._bundled import load_default_model

WIDTHS = [256, 128, 64, 32]
CAT, KITTEN, RATES = "a cat sat on the mat", "the kitten lay on the rug", "interest rates rose"


@pytest.fixture(scope="module")
def model():
    return load_default_model()


def cosines(rows, width):
    rows = rows[:, :width] / np.linalg.norm(rows[:, :width], axis=1, keepdims=True)
    return rows @ rows.T


def test_loads_without_a_network(monkeypatch):
    def refuse(*args):
        raise AssertionError("opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert load_default_model().encode(["a cat"]).shape == (1, 256)


def test_config_states_the_widths(model):
    config = json.loads((FOLDER / "config.json").read_text())
    assert config["is_matryoshka"]
    assert config["matryoshka_dimensions"] == WIDTHS
    assert config["hidden_dim"] == model.encode(["a"]).shape[1] == WIDTHS[0]


def test_same_rows_every_time_and_in_every_batch(model):
    texts = [CAT, "", KITTEN, RATES]
    rows = model.encode(texts)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, load_default_model().encode(texts))
    np.testing.assert_allclose(rows, model.encode(texts, batch_size=1), atol=1e-6)


@pytest.mark.parametrize("texts", [[""], ["", ""], ["", "a cat", ""], ["  \n", "\U000f0000"]])
def test_text_without_tokens_gives_a_zero_row(model, texts):
    rows = model.encode(texts)
    assert rows.shape == (len(texts), 256)
    assert [bool(row.any()) for row in rows] == [t == "a cat" for t in texts]


def test_long_text_is_read_to_its_end(model):
    filler = "the committee met again " * 2000
    other, same = model.encode([filler + "football " * 2000, filler])
    assert not np.allclose(other, same, atol=1e-3)


def test_prefixes_carry_the_most(model):
    rows = model.encode([CAT, KITTEN, RATES, "the striker scored twice", "a python traceback"])
    variance = rows.var(axis=0)
    blocks = [variance[a:b].mean() for a, b in [(0, 32), (32, 64), (64, 128), (128, 256)]]
    assert blocks == sorted(blocks, reverse=True)


@pytest.mark.parametrize("width", WIDTHS)
def test_meaning_at_every_width(model, width):
    similarity = cosines(model.encode([CAT, KITTEN, RATES]), width)
    assert similarity[0, 1] > similarity[0, 2] + 0.1


def test_small_enough_for_a_wheel(tmp_path):
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(FOLDER.iterdir()):
            file.write(path, path.name)
    assert archive.stat().st_size < 10_000_000
