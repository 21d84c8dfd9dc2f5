"""What is damaged is named, and what could run is not run."""

import json
import shutil
from pathlib import Path

import numpy as np
import payloads
import pytest
from bertopic import BERTopic
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from saved_files import edit_state, files_in
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from bertopic_matryoshka import (
    LeidenClustering,
    MatryoshkaBackend,
    SavedModelError,
    build_topic_model,
    load_topic_model,
    save_topic_model,
)
from bertopic_matryoshka.embedding._bundled import load_default_model
from bertopic_matryoshka.topics._persistence import ARRAYS_FILE, STATE_FILE

SAVED_V1 = Path(__file__).parents[1] / "data" / "saved_v1"
V1_FILES = sorted(path.name for path in SAVED_V1.iterdir())


@pytest.fixture(scope="module")
def saved_once(docs, embeddings, tmp_path_factory):
    """A folder with an embedding model, not to be changed."""
    backend = MatryoshkaBackend(load_default_model(), truncate_dim=64)
    topic_model = build_topic_model(
        backend,
        hdbscan_model=KMeans(5, n_init=1, random_state=0),
        vectorizer_model=CountVectorizer(stop_words="english"),
    ).fit(docs[:100], embeddings[:100])
    folder = tmp_path_factory.mktemp("saved")
    save_topic_model(topic_model, folder, save_embedding_model=True)
    return folder


@pytest.fixture
def saved(saved_once, tmp_path):
    return shutil.copytree(saved_once, tmp_path / "saved")


@pytest.fixture
def v1(tmp_path):
    """A folder that commit d4fc4fd wrote: format 1, without digests; see data/make_saved_v1.py."""
    return shutil.copytree(SAVED_V1, tmp_path / "v1")


def edit(file, change):
    values = json.loads(file.read_text("utf-8"))
    change(values)
    file.write_text(json.dumps(values), "utf-8")


def edit_arrays(file, change):
    arrays = load_file(file)
    change(arrays)
    save_file(arrays, file)


# ---- damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(file.read_bytes() + b" \n"),
    ],
    ids=["missing", "empty", "truncated", "longer"],
)
def test_a_damaged_file_is_named(saved, damage):
    names = files_in(saved)
    assert len(names) >= 10
    for name in names:
        whole = (saved / name).read_bytes()
        damage(saved / name)
        if name == STATE_FILE and (saved / name).exists() and whole in (saved / name).read_bytes():
            continue  # white space after JSON says nothing
        with pytest.raises(SavedModelError, match=name):
            load_topic_model(saved)
        (saved / name).write_bytes(whole)
    assert load_topic_model(saved)


@settings(max_examples=60)
@given(st.data())
def test_a_flipped_bit_is_noticed(saved_once, tmp_path_factory, data):
    name = data.draw(st.sampled_from(sorted(files_in(saved_once))))
    saved = shutil.copytree(saved_once, tmp_path_factory.mktemp("flipped") / "saved")
    content = bytearray((saved / name).read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    (saved / name).write_bytes(content)
    with pytest.raises(SavedModelError, match=name):
        load_topic_model(saved)
    shutil.rmtree(saved)


def test_a_file_that_is_not_of_the_save_is_named(saved):
    (saved / "README.md").write_text("Other files may be there,")
    assert load_topic_model(saved)
    (saved / "embedding_model" / "more.txt").write_text("but not among the weights.")
    with pytest.raises(SavedModelError, match=r"embedding_model/more\.txt is not part of the save"):
        load_topic_model(saved)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.update(extra=1), r"has an unknown key 'extra'"),
        (lambda state: state.pop("width"), r"has no key 'width'"),
        (lambda state: state.update(width="64"), r"width='64', which must be an int"),
        (lambda state: state["backend"].update(device="cuda"), r"backend, has an unknown key 'dev"),
        (lambda state: state["backend"].pop("dims"), r"backend, has no key 'dims'"),
        (lambda state: state["backend"].update(batch_size="x"), r"backend: batch_size='x' must be"),
        (lambda state: state["facts"].pop("prompt"), r"facts, has no key 'prompt'"),
        (lambda state: state["clusterer"].update(values=[]), r"clusterer\.values, must be a JSON"),
        (lambda state: state["reducer"].pop("class"), r"reducer, has no key 'class'"),
        (lambda state: state.update(format_version="new"), r"format_version='new'.*Upgrade"),
        (lambda state: state.update(format_version=99), r"format_version=99.*Upgrade"),
        (lambda state: state.update(files=None), r"files, must be a JSON object"),
    ],
)
def test_a_state_with_other_keys_is_named(saved, change, said):
    edit_state(saved, change)
    with pytest.raises(SavedModelError, match=rf"{STATE_FILE}.*{said}"):
        load_topic_model(saved)


def test_a_folder_without_its_manifest_is_no_folder_of_bertopics(saved):
    (saved / STATE_FILE).unlink()
    with pytest.raises(SavedModelError, match=r"matryoshka\.json is missing"):
        load_topic_model(saved)


# ---- the format before


def test_a_folder_of_format_1_still_loads(v1):
    expected = json.loads((SAVED_V1.parent / "saved_v1_topics.json").read_text())
    loaded = load_topic_model(v1)
    assert list(loaded.transform(expected["docs"])[0]) == expected["topics"]
    assert type(loaded.hdbscan_model) is LeidenClustering
    save_topic_model(loaded, v1)  # and becomes one of format 2
    again = load_topic_model(v1)
    assert list(again.transform(expected["docs"])[0]) == expected["topics"]
    assert "files" in json.loads((v1 / STATE_FILE).read_text())


def test_a_parameter_that_is_newer_than_the_file_has_its_default(saved):
    edit_state(saved, lambda state: state["clusterer"]["values"].pop("tol"))
    assert load_topic_model(saved).hdbscan_model.tol == KMeans().tol


@pytest.mark.parametrize("name", V1_FILES)
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated"])
def test_a_damaged_file_of_format_1_is_named(v1, name, damage):
    content = (v1 / name).read_bytes()
    (v1 / name).unlink()
    if damage != "missing":
        (v1 / name).write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    with pytest.raises(SavedModelError, match=name):
        load_topic_model(v1)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("topics.json", lambda t: t["topics"].append(99), "has 99, which is not one of its 3"),
        ("topics.json", lambda t: t["topics"].append("0"), "topics, must be a list of ints"),
        ("topics.json", lambda t: t.update(topics=7), "topics, must be a list of ints, not 7"),
        ("topics.json", lambda t: t["topic_mapper"].append([5, 99]), "topic_mapper, has 99"),
        ("topics.json", lambda t: t.update(topic_mapper=[[0], []]), "must hold lists of ints"),
        ("topics.json", lambda t: t.update(extra=1), "has an unknown key 'extra'"),
        ("topics.json", lambda t: t.pop("topic_labels"), "has no key 'topic_labels'"),
        ("topics.json", lambda t: t.update(topic_sizes=[1]), "topic_sizes, must be a JSON object"),
        ("config.json", lambda c: c.update(colour="red"), "has an unknown key 'colour'"),
        ("config.json", lambda c: c.pop("n_gram_range"), "has no key 'n_gram_range'"),
        ("config.json", lambda c: c.update(umap_model="x"), "names a model, umap_model='x'"),
        ("ctfidf_config.json", lambda c: c.pop("vectorizer_model"), "no key 'vectorizer_model'"),
        (
            "ctfidf_config.json",
            lambda c: c["vectorizer_model"]["params"].update(tokeniser="x"),
            "params, has an unknown key 'tokeniser'",
        ),
    ],
)
def test_values_that_do_not_fit_are_named(v1, name, change, said):
    edit(v1 / name, change)
    with pytest.raises(SavedModelError, match=rf"{name}.*{said}"):
        load_topic_model(v1)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "topic_embeddings.safetensors",
            lambda a: a.update(topic_embeddings=np.ones((3, 31), np.float32)),
            "31 wide, but the topic model was fitted on 32",
        ),
        (
            "topic_embeddings.safetensors",
            lambda a: a.update(topic_embeddings=np.ones((2, 32), np.float32)),
            "2 rows, too few for topic 2",
        ),
        (
            "ctfidf.safetensors",
            lambda a: a["indices"].__imul__(99),
            "ctfidf.safetensors is damaged",
        ),
        ("ctfidf.safetensors", lambda a: a.pop("indptr"), "has no key 'indptr'"),
        (ARRAYS_FILE, lambda a: a["clusterer.labels_"].__iadd__(1), "labels from 1 to 3, but"),
        (ARRAYS_FILE, lambda a: a["clusterer._fit_labels"].__isub__(2), "labels from -2 to 0"),
    ],
)
def test_arrays_that_do_not_fit_are_named(v1, name, change, said):
    edit_arrays(v1 / name, change)
    with pytest.raises(SavedModelError, match=said):
        load_topic_model(v1)


# ---- code


@pytest.fixture(scope="module")
def victim_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("victim")
    save_topic_model(payloads.victim(folder), folder / "saved", save_embedding_model=True)
    return folder / "saved"


NAMED = {
    "topic_embeddings_bin": r"topic_embeddings\.bin may be a pickle",
    "ctfidf_bin": r"ctfidf\.bin may be a pickle",
    "pickle_beside": r"notes/Model\.PKL may be a pickle",
    "joblib_beside": r"topic_model\.joblib may be a pickle",
    "named_embedding_model": r"config\.json names a model, embedding_model=",
    "custom_module": r"evil\.py is code that comes with the model.*trust_remote_code",
    "custom_module_elsewhere": r"notes/evil\.py is code that comes with the model",
    "installed_module": r"modules\.json has the module 'os\.system'",
    "no_module": r"modules\.json has the module 'sentence_transformers\.base\.model\.pickle'",
    "auto_map_config": r"config\.json has 'auto_map'",
    "auto_map_elsewhere": r"config\.json has 'auto_map'",
    "auto_map_tokenizer": r"evil\.py is code|tokenizer_config\.json has 'auto_map'",
    "trust_in_a_file": r"config\.json has 'auto_map'|has 'trust_remote_code'",
    "attention_kernel": r"config\.json has 'attn_implementation': 'some-owner/some-kernel'",
    "activation_function": r"3_Dense/config\.json has 'activation_function'",
    "router": r"router_config\.json has the module 'evil\.Custom'",
    "weights_bin": r"pytorch_model\.bin may be a pickle",
    "linked_folder": r"2_More is a link to a folder elsewhere",
    "other_class": r"clusterer: class 'system' is not one of",
    "hidden_method": r"LeidenClustering has no attribute 'predict'",
}


def test_a_folder_without_a_payload_loads(victim_folder, tmp_path):
    folder = shutil.copytree(victim_folder, tmp_path / "saved")
    payloads.sign(folder)
    loaded = load_topic_model(folder)
    assert loaded.transform(payloads.DOCS)[0] == loaded.topics_
    payloads.use(loaded)


@pytest.mark.parametrize("plant", payloads.PAYLOADS, ids=lambda plant: plant.__name__)
def test_no_payload_runs(victim_folder, tmp_path, plant):
    folder, marker = shutil.copytree(victim_folder, tmp_path / "saved"), tmp_path / "marker"
    plant(folder, marker)
    payloads.sign(folder)
    with pytest.raises(SavedModelError, match=NAMED[plant.__name__]):
        load_topic_model(folder)
    assert not marker.exists()


def test_a_cache_of_pickles_is_not_restored(victim_folder, tmp_path):
    folder, marker = shutil.copytree(victim_folder, tmp_path / "saved"), tmp_path / "marker"
    payloads.cache_of_graphs(folder, marker)
    payloads.sign(folder)
    loaded = load_topic_model(folder)
    assert loaded.hdbscan_model.memory is None
    payloads.use(loaded)
    assert not marker.exists()


def test_a_cache_is_no_reason_not_to_save(docs, embeddings, backend, tmp_path):
    import joblib

    memory = joblib.Memory(tmp_path / "cache", verbose=0)
    clusterer = LeidenClustering(min_cluster_size=5, memory=memory)
    topic_model = build_topic_model(backend, hdbscan_model=clusterer).fit(
        docs[:100], embeddings[:100]
    )
    save_topic_model(topic_model, tmp_path / "saved")
    assert topic_model.hdbscan_model.memory is memory
    assert load_topic_model(tmp_path / "saved").hdbscan_model.memory is None


def test_code_may_come_with_a_model_that_is_trusted(victim_folder, tmp_path):
    folder, marker = shutil.copytree(victim_folder, tmp_path / "saved"), tmp_path / "marker"
    payloads.custom_module(folder, marker)
    payloads.sign(folder)
    loaded = load_topic_model(folder, trust_remote_code=True)
    assert marker.exists()  # so the payload works
    backend = loaded.embedding_model
    marker.rmdir()
    assert load_topic_model(folder, backend=backend).embedding_model is backend
    assert not marker.exists()


def test_a_pickle_is_refused_even_where_code_is_trusted(victim_folder, tmp_path):
    folder = shutil.copytree(victim_folder, tmp_path / "saved")
    payloads.weights_bin(folder, tmp_path / "marker")
    payloads.sign(folder)
    with pytest.raises(SavedModelError, match=r"pytorch_model\.bin may be a pickle"):
        load_topic_model(folder, trust_remote_code=True)


def test_nothing_is_saved_where_it_could_not_be_loaded(topic_model, tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"")
    with pytest.raises(SavedModelError, match=r"model\.pkl may be a pickle.*Move it"):
        save_topic_model(topic_model, tmp_path)
    assert files_in(tmp_path) == {"model.pkl"}


def test_a_model_that_bertopic_could_not_load_is_not_saved(topic_model, backend, tmp_path):
    save_topic_model(topic_model, tmp_path)
    broken = BERTopic.load(tmp_path, embedding_model=backend)
    broken.topics_ = [*broken.topics_, 99]
    with pytest.raises(SavedModelError, match="has 99, which is not one of its 9 topics"):
        save_topic_model(broken, tmp_path)
    assert load_topic_model(tmp_path).topics_ == topic_model.topics_
