"""A save is whole or not there: killed at any step, on a full disk, among other processes."""

import copy
import json
import multiprocessing
import os
import resource
import shutil
import signal
import stat
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
from bertopic import BERTopic
from filelock import FileLock
from saved_files import edit_state, files_in
from sentence_transformers import SentenceTransformer
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer
from tiny_models import make_model

from bertopic_matryoshka import (
    MatryoshkaBackend,
    SavedModelError,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.embedding._bundled import load_default_model
from bertopic_matryoshka.topics import _saved_folder as saved_folder
from bertopic_matryoshka.topics._saved_folder import LOCK, MANIFEST, REPLACED, WORK

fork = multiprocessing.get_context("fork")
STEPS = {"open", "os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"}


@pytest.fixture(scope="module")
def two_models(docs, backend, embeddings):
    """Two models that predict other topics and have other words; both small and quick to save."""
    rows = slice(0, 200)
    return [
        build_topic_model(
            backend,
            n_features_to_select=width,
            hdbscan_model=KMeans(n_clusters, n_init=1, random_state=0),
            vectorizer_model=CountVectorizer(stop_words="english", max_features=300),
        ).fit(docs[rows], embeddings[rows])
        for n_clusters, width in ((5, 16), (7, 24))
    ]


@pytest.fixture
def whole(two_models, embeddings, docs):
    """Tells which of the two models a loaded one is, in all its parts."""

    def facts(topic_model, transforms):
        exact = [list(topic_model.topics_), list(topic_model.topic_labels_.items())]
        if transforms:
            exact.append(topic_model.transform(docs[:30], embeddings[:30])[0])
        return exact, (topic_model.topic_embeddings_, topic_model.c_tf_idf_.toarray())

    known = {kind: [facts(m, kind) for m in two_models] for kind in (True, False)}

    def which(topic_model, *, transforms=True):
        exact, arrays = facts(topic_model, transforms)
        same = [
            exact == known_exact
            and all(np.shape(a) == np.shape(b) for a, b in zip(arrays, known_arrays, strict=True))
            and all(np.allclose(a, b) for a, b in zip(arrays, known_arrays, strict=True))
            for known_exact, known_arrays in known[transforms]
        ]
        assert sum(same) == 1, "a mixture of both models"
        return same.index(True)

    return which


def kill_at_step(topic_model, folder, step, steps=STEPS):
    """Save in a process that kills itself at its n-th step; give the signal that ended it."""
    process = os.fork()
    if process == 0:
        left = step

        def count(event, arguments):
            nonlocal left
            if event in steps and str(folder) in str(arguments[0]):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            save_topic_model(topic_model, folder)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.parametrize(("steps", "stride"), [({"os.rename"}, 1), (STEPS, 4)])
def test_a_save_killed_at_any_step_leaves_the_old_model_or_the_new_one(
    two_models, whole, backend, tmp_path, steps, stride
):
    folder = tmp_path / "saved"
    save_topic_model(two_models[0], folder)
    before = files_in(folder)
    held, seen = 0, []
    while kill_at_step(two_models[1 - held], folder, stride * len(seen), steps) != 0:
        found = whole(load_topic_model(folder))
        seen.append("old" if found == held else "new")
        with suppress(FileNotFoundError):  # has no manifest to go by, but never reads a mixture
            whole(BERTopic.load(folder, embedding_model=backend), transforms=False)
        held = found
    assert len(seen) > 10
    assert set(seen) == {"old", "new"}
    assert files_in(folder) == before  # the last save was not killed, and left nothing over
    assert whole(load_topic_model(folder)) == 1 - held
    assert whole(BERTopic.load(folder, embedding_model=backend), transforms=False) == 1 - held


def test_a_first_save_that_is_killed_leaves_nothing_or_all(two_models, whole, tmp_path):
    outcomes = set()
    for step in range(0, 200, 8):
        folder = tmp_path / str(step)
        killed = kill_at_step(two_models[0], folder, step) != 0
        try:
            outcomes.add(whole(load_topic_model(folder)))
        except FileNotFoundError as error:
            outcomes.add(f"{MANIFEST} is missing" in str(error))
        if not killed:
            break
    assert outcomes == {0, True}


def test_a_full_disk_leaves_the_older_model(two_models, whole, tmp_path):
    save_topic_model(two_models[0], tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)}
    sizes = sorted(len(content) for content in before.values())

    def save_within(limit):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        save_topic_model(two_models[1], tmp_path)

    for limit in (0, *(size - 1 for size in sizes)):
        process = fork.Process(target=save_within, args=(limit,))
        process.start()
        process.join()
        assert process.exitcode == 1
        assert {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)} == before
    assert whole(load_topic_model(tmp_path)) == 0


def test_a_first_save_on_a_full_disk_leaves_no_folder(two_models, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved_folder.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_topic_model(two_models[0], tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


def test_two_processes_save_and_four_load(two_models, whole, tmp_path):
    save_topic_model(two_models[0], tmp_path)
    done, results = fork.Event(), fork.Queue()

    def save(topic_model):
        for _ in range(8):
            save_topic_model(topic_model, tmp_path)

    def load():
        seen = []
        while not done.is_set() or not seen:
            try:
                seen.append(whole(load_topic_model(tmp_path)))
            except Exception as error:  # noqa: BLE001, PERF203
                seen.append(repr(error))
        results.put(seen)

    savers = [fork.Process(target=save, args=(topic_model,)) for topic_model in two_models]
    loaders = [fork.Process(target=load) for _ in range(4)]
    for process in (*loaders, *savers):
        process.start()
    for process in savers:
        process.join()
    done.set()
    seen = [results.get(timeout=60) for _ in loaders]
    for process in loaders:
        process.join()
    assert [process.exitcode for process in savers] == [0, 0]
    assert {outcome for one in seen for outcome in one} <= {0, 1}
    assert whole(load_topic_model(tmp_path)) in {0, 1}
    assert not list(tmp_path.glob(f"{WORK}*"))


# ---- the folder


def test_other_files_stay_and_an_older_save_goes(two_models, backend, tmp_path):
    two_models[0].save(tmp_path, serialization="pytorch")
    (tmp_path / "ctfidf.bin").write_bytes(b"")
    (tmp_path / "README.md").write_text("Ours.")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("Name the topics.")
    save_topic_model(two_models[1], tmp_path)
    save_topic_model(two_models[0], tmp_path)
    assert (tmp_path / "README.md").read_text() == "Ours."
    assert (tmp_path / "notes" / "todo.txt").read_text() == "Name the topics."
    assert not list(tmp_path.glob("*.bin"))
    assert load_topic_model(tmp_path).topics_ == two_models[0].topics_


def test_folders_of_the_user_are_not_taken_for_ours(two_models, with_weights, tmp_path):
    for name in ("images", "embedding_model"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_text("ours")
    save_topic_model(two_models[1], tmp_path)
    save_topic_model(two_models[0], tmp_path)
    assert load_topic_model(tmp_path).topics_ == two_models[0].topics_
    with pytest.raises(FileExistsError, match="embedding_model is not of a saved topic model"):
        save_topic_model(with_weights, tmp_path, save_embedding_model=True)
    (tmp_path / "images" / "0.jpg").write_text("ours")
    with pytest.raises(FileExistsError, match=r"BERTopic\.load would read it"):
        save_topic_model(two_models[1], tmp_path)
    (tmp_path / "images" / "0.jpg").unlink()
    assert load_topic_model(tmp_path).topics_ == two_models[0].topics_
    for name in ("images", "embedding_model"):
        assert (tmp_path / name / "1.jpg").read_text() == "ours"


def test_images_of_topics_are_saved_and_replaced(two_models, tmp_path):
    image = pytest.importorskip("PIL.Image")
    with_images = copy.copy(two_models[0])
    pictures = {topic: image.new("RGB", (4, 4)) for topic in range(5)}
    with_images.topic_aspects_ = {"Visual_Aspect": pictures}
    save_topic_model(with_images, tmp_path)
    assert load_topic_model(tmp_path).topic_aspects_["Visual_Aspect"][4].size == (4, 4)
    (tmp_path / "images" / "3.jpg").write_bytes(b"")
    with pytest.raises(SavedModelError, match=r"images/3\.jpg is damaged"):
        load_topic_model(tmp_path)
    save_topic_model(two_models[1], tmp_path)
    assert not (tmp_path / "images").exists()


def test_a_link_to_a_folder_stays_a_link(two_models, whole, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    for topic_model in (*two_models, two_models[0]):
        save_topic_model(topic_model, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert whole(load_topic_model(tmp_path / "link")) == whole(load_topic_model(tmp_path / "real"))


def test_a_file_in_the_folders_place_is_named(two_models, tmp_path):
    (tmp_path / "saved").write_text("not a folder")
    with pytest.raises(NotADirectoryError, match="saved is a file and must be a folder"):
        save_topic_model(two_models[0], tmp_path / "saved")
    assert (tmp_path / "saved").read_text() == "not a folder"


def test_whoever_may_read_the_manifest_may_read_the_rest(two_models, tmp_path):
    old = os.umask(0o027)
    try:
        save_topic_model(two_models[0], tmp_path)
    finally:
        os.umask(old)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in files_in(tmp_path)}
    assert modes == {0o640}


def test_it_works_where_a_file_has_one_name_only(two_models, whole, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(saved_folder.os, "link", refuse)
    for topic_model in two_models:
        save_topic_model(topic_model, tmp_path)
    assert whole(load_topic_model(tmp_path)) == 1


def test_the_same_model_gives_the_same_bytes(two_models, tmp_path):
    for name in ("a", "b"):
        save_topic_model(two_models[0], tmp_path / name)
    for name in files_in(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_save_waits_for_another_but_not_for_ever(two_models, whole, tmp_path, monkeypatch):
    save_topic_model(two_models[0], tmp_path)
    monkeypatch.setattr(saved_folder, "LOCK_SECONDS", 0.1)
    with FileLock(tmp_path / LOCK), pytest.raises(TimeoutError, match=LOCK):
        save_topic_model(two_models[1], tmp_path)
    assert whole(load_topic_model(tmp_path)) == 0  # loading waits for nobody


def test_a_load_that_never_finds_rest_says_so(two_models, tmp_path, monkeypatch):
    save_topic_model(two_models[0], tmp_path)
    monkeypatch.setattr(saved_folder, "RETRY_SECONDS", 0.3)
    monkeypatch.setattr(
        saved_folder.os, "fstat", lambda _: os.stat_result([time.monotonic_ns()] * 10)
    )
    with pytest.raises(SavedModelError, match="was replaced again and again"):
        load_topic_model(tmp_path)


# ---- with the embedding model


@pytest.fixture(scope="module")
def with_weights(docs, embeddings):
    backend = MatryoshkaBackend(load_default_model(), truncate_dim=64)
    clusterer = KMeans(5, n_init=1, random_state=0)
    return build_topic_model(backend, hdbscan_model=clusterer).fit(docs[:100], embeddings[:100])


def test_a_loaded_model_needs_its_folder_no_more(with_weights, docs, tmp_path):
    save_topic_model(with_weights, tmp_path / "saved", save_embedding_model=True)
    loaded = load_topic_model(tmp_path / "saved")
    shutil.rmtree(tmp_path / "saved")
    assert list(loaded.transform(docs[:20])[0]) == list(with_weights.transform(docs[:20])[0])


def test_weights_that_came_from_the_folder_stay_in_it(with_weights, two_models, docs, tmp_path):
    save_topic_model(with_weights, tmp_path, save_embedding_model=True)
    save_topic_model(load_topic_model(tmp_path), tmp_path)
    again = load_topic_model(tmp_path)
    assert list(again.transform(docs[:20])[0]) == list(with_weights.transform(docs[:20])[0])
    save_topic_model(two_models[0], tmp_path)
    assert not any(name.startswith("embedding_model") for name in files_in(tmp_path))


def test_pointers_to_code_that_is_not_needed_are_not_saved(tmp_path):
    # As of a model that transformers has learnt to read without its authors' code.
    model = make_model(tmp_path / "model", config={"initializer_range": 1.0})
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "owner/model--modeling.Model"}
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    letters = [f"{a} {b}" for a in "abcdefgh" for b in "klmnop"]
    topic_model = build_topic_model(
        MatryoshkaBackend(SentenceTransformer(model, device="cpu")),
        hdbscan_model=KMeans(3, n_init=1, random_state=0),
        vectorizer_model=CountVectorizer(token_pattern=r"\S"),
    ).fit(letters)
    save_topic_model(topic_model, tmp_path / "saved", save_embedding_model=True)
    loaded = load_topic_model(tmp_path / "saved")
    assert list(loaded.transform(letters)[0]) == list(topic_model.topics_)


def test_a_killed_save_is_read_from_its_own_folder(two_models, whole, tmp_path):
    """As a kill leaves it between the manifest's rename and the others."""
    for position, topic_model in enumerate(two_models):
        save_topic_model(topic_model, tmp_path / str(position))
    digest = json.loads((tmp_path / "1" / MANIFEST).read_text())["sha256"]
    shutil.copytree(tmp_path / "1", tmp_path / "0" / f"{WORK}{digest[:16]}")
    replaced = json.dumps(sorted(files_in(tmp_path / "0") - {MANIFEST}))
    (tmp_path / "0" / f"{WORK}{digest[:16]}" / REPLACED).write_text(replaced)
    shutil.copy(tmp_path / "1" / MANIFEST, tmp_path / "0" / MANIFEST)
    (tmp_path / "0" / "config.json").unlink()
    assert whole(load_topic_model(tmp_path / "0")) == 1
    save_topic_model(two_models[1], tmp_path / "0")
    assert files_in(tmp_path / "0") == files_in(tmp_path / "1")
    assert whole(load_topic_model(tmp_path / "0")) == 1


def test_a_save_removes_nothing_outside_its_folder(two_models, tmp_path):
    """A folder from elsewhere may say that it does."""
    (tmp_path / "precious").write_text("ours")
    folder = tmp_path / "saved"
    save_topic_model(two_models[0], folder)
    digest = json.loads((folder / MANIFEST).read_text())["sha256"]
    unfinished = folder / f"{WORK}{digest[:16]}"
    shutil.copytree(folder, unfinished)
    (unfinished / REPLACED).write_text(
        json.dumps(["../precious", str(tmp_path / "precious"), ".."])
    )
    save_topic_model(two_models[1], folder)
    edit_state(folder, lambda state: state["files"].update({"../precious": "", "..": ""}))
    save_topic_model(two_models[0], folder)
    assert (tmp_path / "precious").read_text() == "ours"


def test_a_manifest_cannot_point_elsewhere(two_models, tmp_path):
    save_topic_model(two_models[0], tmp_path / "saved")
    save_topic_model(two_models[1], tmp_path / "other")
    edit_state(
        tmp_path / "saved", lambda state: state["files"].update({"../other/config.json": ""})
    )
    with pytest.raises(SavedModelError, match=r"names '\.\./other/config\.json', not in"):
        load_topic_model(tmp_path / "saved")
