"""A text goes through a model once: later calls, killed runs and damaged files included."""

import hashlib
import shutil
import signal
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer
from tiny_models import make_model

from bertopic_matryoshka import DamagedFileWarning, MatryoshkaBackend, TruncationWarning
from bertopic_matryoshka._files import write_checked
from bertopic_matryoshka.embedding._store import EmbeddingStore, _digest, embedding_key

TEXTS = [f"{a} {b} {a}" for a in "abcde" for b in "fghi"]

KILLED_AFTER_THE_FIRST_SHARD = """
import os, signal, sys
from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.embedding._store import EmbeddingStore

texts = [f"word number {i}" for i in range(50)]
store = EmbeddingStore(sys.argv[1], texts_per_shard=20)
store.embed(MatryoshkaBackend(), texts, lambda done, total: os.kill(os.getpid(), signal.SIGKILL))
"""

SAVE_ROWS = """
import sys
import numpy as np
from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.embedding._store import EmbeddingStore

texts = [f"word number {i}" for i in range(1000)]
print("ready", flush=True)
sys.stdin.readline()
np.save(sys.argv[2], EmbeddingStore(sys.argv[1], texts_per_shard=50).embed(MatryoshkaBackend(), texts))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "tiny", prompts={"clustering": "c: "})


@pytest.fixture
def store(tmp_path):
    return EmbeddingStore(tmp_path, texts_per_shard=8)


def shards(store):
    return sorted(store.folder.glob("*/*.safetensors"))


def backend_of(model, **kwargs):
    return MatryoshkaBackend(model if model is None else str(model), device="cpu", **kwargs)


@pytest.mark.parametrize("bundled", [True, False])
def test_a_second_call_encodes_nothing(store, folder, encoded, bundled):
    model = None if bundled else folder
    rows = store.embed(backend_of(model), TEXTS)
    assert sorted(encoded) == sorted(TEXTS)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, backend_of(model).embed(TEXTS), atol=1e-6)
    encoded.clear()
    again = EmbeddingStore(str(store.folder)).embed(backend_of(model), iter(TEXTS))
    np.testing.assert_array_equal(again, rows)
    order = np.random.default_rng(0).permutation(len(TEXTS))[:7]
    some = store.embed(backend_of(model, batch_size=2), [TEXTS[i] for i in order])
    np.testing.assert_array_equal(some, rows[order])
    assert encoded == []
    assert len(shards(store)) == 3


@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
def test_rows_have_full_width_at_any_truncation(store, folder, encoded):
    rows = store.embed(backend_of(folder, truncate_dim=8), TEXTS)
    assert rows.shape == (len(TEXTS), 24)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    encoded.clear()
    np.testing.assert_array_equal(store.embed(backend_of(folder, truncate_dim=16), TEXTS), rows)
    assert encoded == []


def test_only_the_changed_document_is_encoded(store, folder, encoded):
    rows = store.embed(backend_of(folder), TEXTS)
    encoded.clear()
    changed = [*TEXTS[:5], "x y z", *TEXTS[6:]]
    again = store.embed(backend_of(folder), changed)
    assert encoded == ["x y z"]
    kept = np.arange(len(TEXTS)) != 5
    np.testing.assert_array_equal(again[kept], rows[kept])
    assert np.abs(again[5] - rows[5]).max() > 1e-3


def test_repeated_and_strange_texts(store, folder, encoded):
    texts = ["a b", "c", "a b", "\u00e9", "d", "c", "a\0b", "A b", "a b "]
    rows = store.embed(backend_of(None), texts)
    assert sorted(encoded) == sorted(set(texts))
    np.testing.assert_array_equal(rows[[0, 1]], rows[[2, 5]])
    assert _digest("\ud800") != _digest("\udc00")
    assert store.embed(backend_of(None), []).shape == (0, 256)
    with pytest.raises(TypeError, match=r"documents\[1\]=3 is of type int"):
        store.embed(backend_of(None), ["a", 3])


def test_zero_rows_are_counted_once_in_every_call(store):
    for _ in range(2):
        with pytest.warns(TruncationWarning) as warned:
            store.embed(backend_of(None), [*TEXTS, "", *TEXTS, "\0", ""])
        assert [str(w.message).partition(" zero")[0] for w in warned] == ["3 rows are"]


@pytest.mark.parametrize(
    "kwargs",
    [
        {"prompt": "q: "},
        {"prompt": None},
        {"dtype": "bfloat16"},
        {"encode_kwargs": {"chunk_size": 2}},
    ],
)
def test_what_changes_the_rows_has_all_encoded_again(store, folder, encoded, kwargs):
    store.embed(backend_of(folder), TEXTS)
    encoded.clear()
    np.testing.assert_allclose(
        store.embed(backend_of(folder, **kwargs), TEXTS),
        backend_of(folder, **kwargs).embed(TEXTS),
        atol=5e-3,
    )
    assert len(encoded) == 2 * len(TEXTS)


def test_the_prompt_counts_however_it_was_given(store, folder):
    key = embedding_key(backend_of(folder))
    assert embedding_key(backend_of(folder, prompt="c: ")) == key
    assert embedding_key(backend_of(folder, prompt="")) != key


def test_a_model_is_what_is_in_memory(folder, tmp_path):
    key = embedding_key(backend_of(folder))
    loaded = SentenceTransformer(folder, device="cpu")
    assert embedding_key(MatryoshkaBackend(loaded)) == key
    loaded.encode(TEXTS)  # sets truncation and padding of the tokenizer
    assert embedding_key(MatryoshkaBackend(loaded)) == key
    shutil.copytree(folder, tmp_path / "moved")
    assert embedding_key(backend_of(tmp_path / "moved")) == key
    loaded.max_seq_length = 4
    assert embedding_key(MatryoshkaBackend(loaded)) != key


@pytest.mark.parametrize("change", ["weight", "pooling", "tokenizer", "activation"])
def test_a_model_that_was_changed_is_another(folder, change):
    model = SentenceTransformer(folder, device="cpu")
    key = embedding_key(MatryoshkaBackend(model))
    if change == "weight":
        with torch.no_grad():
            next(model.parameters())[3, 2] += 1e-3
    elif change == "pooling":
        model = SentenceTransformer(
            modules=[model[0], type(model[1])(24, pooling_mode="cls")],
            device="cpu",
            prompts=model.prompts,
        )
    elif change == "tokenizer":
        model.tokenizer.add_tokens(["ab"])
    else:
        model[0].auto_model.config.hidden_act = "relu"
    assert embedding_key(MatryoshkaBackend(model)) != key


def test_retrained_weights_in_the_same_folder(store, tmp_path, encoded):
    folder = make_model(tmp_path / "model")
    store.embed(backend_of(folder), TEXTS)
    model = SentenceTransformer(folder, device="cpu")
    with torch.no_grad():
        next(model.parameters()).mul_(1.5)
    model.save_pretrained(folder, create_model_card=False)
    encoded.clear()
    rows = store.embed(backend_of(folder), TEXTS)
    assert len(encoded) == len(TEXTS)
    np.testing.assert_allclose(rows, backend_of(folder).embed(TEXTS), atol=1e-6)


def test_weights_out_of_reach_are_refused(folder, store):
    model = SentenceTransformer(folder, device="cpu")

    class Runtime:
        config = model[0].auto_model.config

    backend = MatryoshkaBackend(model)
    assert backend.facts
    del model[0]._modules["model" if "model" in model[0]._modules else "auto_model"]
    for name in ("model", "auto_model"):
        model[0].__dict__[name] = Runtime()
    with pytest.raises(ValueError, match="weights of Transformer cannot be read"):
        store.embed(backend, TEXTS)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-100],
        lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
        lambda content: b"",
    ],
    ids=["truncated", "flipped", "empty"],
)
def test_texts_of_a_damaged_shard_are_encoded_again(store, folder, encoded, damage):
    rows = store.embed(backend_of(folder), TEXTS)
    path = shards(store)[1]
    path.write_bytes(damage(path.read_bytes()))
    encoded.clear()
    with pytest.warns(DamagedFileWarning) as warned:
        again = store.embed(backend_of(folder), TEXTS)
    assert len(warned) == 1
    assert path.name in str(warned[0].message)
    assert encoded == TEXTS[8:16]
    np.testing.assert_allclose(again, rows, atol=1e-6)
    assert path not in shards(store)
    encoded.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(store.embed(backend_of(folder), TEXTS), again)
    assert encoded == []


def test_the_older_of_two_rows_counts(store, folder):
    rows = store.embed(backend_of(folder), TEXTS)
    other = EmbeddingStore(store.folder / "other")
    other.embed(backend_of(folder), [TEXTS[3], "new"])
    (late,) = shards(other)
    late.replace(shards(store)[0].with_name(late.name))
    np.testing.assert_array_equal(store.embed(backend_of(folder), TEXTS), rows)


def test_progress_is_told_shard_by_shard(store):
    told = []
    store.embed(backend_of(None), TEXTS[:3])
    store.embed(backend_of(None), TEXTS, lambda *numbers: told.append(numbers))
    assert told == [(8, 17), (16, 17), (17, 17)]


def test_texts_per_shard_out_of_range(tmp_path):
    with pytest.raises(ValueError, match="texts_per_shard=0 must be at least 1"):
        EmbeddingStore(tmp_path, texts_per_shard=0)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_killed_run_goes_on_where_it_was(tmp_path, encoded):
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_THE_FIRST_SHARD, tmp_path], check=False
    )
    assert done.returncode == -signal.SIGKILL
    texts = [f"word number {i}" for i in range(50)]
    rows = EmbeddingStore(tmp_path).embed(MatryoshkaBackend(), texts)
    assert encoded == texts[20:]
    np.testing.assert_allclose(rows, MatryoshkaBackend().embed(texts), atol=1e-6)


def test_two_processes_at_once(tmp_path, encoded):
    children = [
        subprocess.Popen(
            [sys.executable, "-c", SAVE_ROWS, tmp_path / "store", tmp_path / f"{i}.npy"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for i in range(2)
    ]
    for child in children:
        assert child.stdout.readline() == b"ready\n"
    for child in children:
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
        assert child.returncode == 0
    texts = [f"word number {i}" for i in range(1000)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = EmbeddingStore(tmp_path / "store").embed(MatryoshkaBackend(), texts)
    assert encoded == []
    for i in range(2):
        np.testing.assert_allclose(np.load(tmp_path / f"{i}.npy"), rows, atol=1e-6)


@pytest.mark.parametrize("permuted_first", [True, False])
def test_permuted_dimensions_are_kept_in_the_models_own_order(
    store, folder, encoded, permuted_first
):
    plain = backend_of(folder)
    permuted = plain.permuted(5).truncated(8)
    order = (permuted, plain) if permuted_first else (plain, permuted)
    found = {backend: store.embed(backend, TEXTS) for backend in order}
    assert len(encoded) == len(TEXTS)
    columns = np.random.default_rng(5).permutation(24)
    np.testing.assert_array_equal(found[permuted], found[plain][:, columns])
    np.testing.assert_allclose(found[plain], plain.embed(TEXTS), atol=1e-6)


def test_other_tools_read_a_shard(store, folder):
    rows = store.embed(backend_of(folder), TEXTS[:5])
    (path,) = shards(store)
    arrays = load_file(path)
    np.testing.assert_array_equal(arrays["rows"], rows)
    digests = [hashlib.sha256(text.encode()).digest()[:16] for text in TEXTS[:5]]
    assert [bytes(digest) for digest in arrays["digests"]] == digests
    assert arrays["checksums"].tolist() == [zlib.crc32(row.tobytes()) for row in rows]


def test_shards_of_earlier_versions_still_count(store, folder, encoded):
    backend = backend_of(folder)
    rows = store.embed(backend, TEXTS)
    for path in shards(store):
        arrays = load_file(path)
        write_checked(
            path.with_suffix(".shard"),
            embedding_key(backend),
            {},
            {name: arrays[name] for name in ("digests", "rows")},
        )
        path.unlink()
    encoded.clear()
    np.testing.assert_array_equal(store.embed(backend, TEXTS), rows)
    assert encoded == []


def test_only_the_rows_that_are_asked_for_are_read(store, folder, encoded):
    rows = store.embed(backend_of(folder), TEXTS)
    path = shards(store)[1]
    content = bytearray(path.read_bytes())
    content[content.index(rows[9].tobytes())] ^= 1  # of another text than is read next
    path.write_bytes(content)
    encoded.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = store.embed(backend_of(folder), [TEXTS[i] for i in (15, 8, 10, 11)])
    np.testing.assert_array_equal(found, rows[[15, 8, 10, 11]])
    assert encoded == []
    with pytest.warns(DamagedFileWarning):
        store.embed(backend_of(folder), [TEXTS[9]])
    assert encoded == [TEXTS[9]]


def test_a_full_disk_leaves_nothing_half_written(store, folder, encoded):
    resource = pytest.importorskip("resource")
    backend = backend_of(folder)
    store.embed(backend, TEXTS[:8])
    before = {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        with pytest.raises(OSError, match=r"Nothing half-written is left.*Make room"):
            store.embed(backend, TEXTS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    after = {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    assert after == before
    encoded.clear()
    store.embed(backend, TEXTS)
    assert encoded == TEXTS[8:]
