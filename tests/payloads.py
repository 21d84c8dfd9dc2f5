"""Folders of saved topic models with something in them that runs, or would once have run.

Each payload creates a marker file when it runs. What an attacker can do, these do: the digests are
made again.
"""

import hashlib
import json
import os
import pickle

import joblib
import numpy as np
from sentence_transformers import SentenceTransformer
from sklearn.feature_extraction.text import CountVectorizer
from tiny_models import make_model

from bertopic_matryoshka import LeidenClustering, MatryoshkaBackend, build_topic_model

# The tiny transformer knows letters.
DOCS = [
    f"{a} {b} {c}" for some in ("abcd", "klmn", "wxyz") for a in some for b in some for c in some
]
MODEL = "embedding_model"


def victim(folder):
    """A topic model whose embedding model is a tiny transformer, to be saved with it."""
    varied = {"initializer_range": 1.0}
    model = SentenceTransformer(make_model(folder / "tiny", config=varied), device="cpu")
    letters = CountVectorizer(token_pattern=r"\S")
    clusterer = LeidenClustering(min_cluster_size=3, n_neighbors=5)
    return build_topic_model(
        MatryoshkaBackend(model), hdbscan_model=clusterer, vectorizer_model=letters
    ).fit(DOCS)


class Touch:
    """Unpickling it creates the marker."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def code(marker):
    """Code that creates the marker as it is imported, and has any class that is asked for."""
    return (
        f"import os; os.makedirs({str(marker)!r}, exist_ok=True)\n"
        "from transformers import BertModel, BertConfig, BertTokenizerFast\n"
        "from sentence_transformers.models import Pooling\n"
        "class Custom(Pooling): pass\n"
        "class CustomModel(BertModel): pass\n"
        "class CustomConfig(BertConfig): pass\n"
        "class CustomTokenizer(BertTokenizerFast): pass\n"
    )


def edit(file, change):
    """Change a JSON file in place."""
    values = json.loads(file.read_text("utf-8"))
    change(values)
    file.write_text(json.dumps(values), "utf-8")


def sign(folder):
    """Make the digests of a folder again, as anyone can."""
    file = folder / "matryoshka.json"
    values = json.loads(file.read_text("utf-8"))
    if "files" not in values:
        return
    values["files"] = {
        entry.relative_to(folder).as_posix(): hashlib.sha256(entry.read_bytes()).hexdigest()
        for entry in sorted(folder.rglob("*"))
        if entry.is_file()
        and not entry.relative_to(folder).parts[0].startswith((".", "matryoshka.json", "notes"))
    }
    del values["sha256"]
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    file.write_text(json.dumps({"sha256": digest, **values}), "utf-8")


def pickled(marker):
    return pickle.dumps({"topic_embeddings": Touch(marker)})


def topic_embeddings_bin(folder, marker):
    (folder / "topic_embeddings.safetensors").unlink()
    (folder / "topic_embeddings.bin").write_bytes(pickled(marker))


def ctfidf_bin(folder, marker):
    (folder / "ctfidf.safetensors").unlink()
    (folder / "ctfidf.bin").write_bytes(pickled(marker))


def pickle_beside(folder, marker):
    (folder / "notes").mkdir()
    (folder / "notes" / "Model.PKL").write_bytes(pickled(marker))


def joblib_beside(folder, marker):
    joblib.dump(Touch(marker), folder / "topic_model.joblib")


def named_embedding_model(folder, marker):
    """BERTopic.load loads the model that config.json names, even where a backend is given."""
    evil = folder / "notes"
    SentenceTransformer(str(folder / MODEL), device="cpu").save_pretrained(str(evil))
    custom_module(folder, marker, evil)
    edit(folder / "config.json", lambda config: config.update(embedding_model=str(evil)))


def custom_module(folder, marker, model=None):
    model = model or folder / MODEL
    (model / "evil.py").write_text(code(marker), "utf-8")
    edit(model / "modules.json", lambda modules: modules[1].update(type="evil.Custom"))


def custom_module_elsewhere(folder, marker):
    """Not in the folder's embedding model but in another folder that matryoshka.json names."""
    evil = folder / "notes"
    (folder / MODEL).rename(evil)
    custom_module(folder, marker, evil)

    def name_it(state):
        state["backend"]["model"] = str(evil)
        state["has_embedding_model"] = False

    edit(folder / "matryoshka.json", name_it)


def installed_module(folder, marker):
    """A class outside sentence-transformers that is installed anyway."""
    edit(folder / MODEL / "modules.json", lambda modules: modules[1].update(type="os.system"))


def no_module(folder, marker):
    """A name in sentence-transformers that is no module of its."""
    name = "sentence_transformers.base.model.pickle"
    edit(folder / MODEL / "modules.json", lambda modules: modules[1].update(type=name))


def auto_map_config(folder, marker):
    (folder / MODEL / "evil.py").write_text(code(marker), "utf-8")
    auto_map = {"AutoConfig": "evil.CustomConfig", "AutoModel": "evil.CustomModel"}
    edit(folder / MODEL / "config.json", lambda config: config.update(auto_map=auto_map))


def auto_map_elsewhere(folder, marker):
    """Code on the model hub: no file of it is in the folder."""
    auto_map = {"AutoModel": "some-owner/some-model--evil.CustomModel"}
    edit(folder / MODEL / "config.json", lambda config: config.update(auto_map=auto_map))


def auto_map_tokenizer(folder, marker):
    (folder / MODEL / "evil.py").write_text(code(marker), "utf-8")
    auto_map = {"AutoTokenizer": ["evil.CustomTokenizer", "evil.CustomTokenizer"]}
    edit(folder / MODEL / "tokenizer_config.json", lambda config: config.update(auto_map=auto_map))


def trust_in_a_file(folder, marker):
    """Arguments of the transformer, which a file gives."""
    auto_map_config(folder, marker)
    trusting = {key: {"trust_remote_code": True} for key in ("model_args", "config_args")}
    edit(folder / MODEL / "sentence_bert_config.json", lambda config: config.update(trusting))


def attention_kernel(folder, marker):
    """Native code from the model hub."""
    name = {"attn_implementation": "some-owner/some-kernel"}
    edit(folder / MODEL / "config.json", lambda config: config.update(name))


def activation_function(folder, marker):
    """The constructor of a Dense module calls what its config.json names."""
    dense = folder / MODEL / "3_Dense"
    dense.mkdir()
    values = {"in_features": 24, "out_features": 24, "bias": True}
    values["activation_function"] = "torch.utils.collect_env.main"
    (dense / "config.json").write_text(json.dumps(values), "utf-8")
    module = {
        "idx": 3,
        "name": "3",
        "path": "3_Dense",
        "type": "sentence_transformers.models.Dense",
    }
    edit(folder / MODEL / "modules.json", lambda modules: modules.append(module))


def router(folder, marker):
    (folder / MODEL / "evil.py").write_text(code(marker), "utf-8")
    values = {"types": {"query_0_Pooling": "evil.Custom"}, "structure": {}}
    (folder / MODEL / "router_config.json").write_text(json.dumps(values), "utf-8")
    (folder / MODEL / "evil.py").rename(folder / MODEL / "evil.txt")


def weights_bin(folder, marker):
    (folder / MODEL / "model.safetensors").unlink()
    (folder / MODEL / "pytorch_model.bin").write_bytes(pickled(marker))


def linked_folder(folder, marker):
    """Modules in a folder that digests and checks would not see."""
    model = folder / MODEL
    (folder / "notes").mkdir()
    (folder / "notes" / "evil.py").write_text(code(marker), "utf-8")
    (model / "2_More").symlink_to(folder / "notes", target_is_directory=True)


def other_class(folder, marker):
    edit(folder / "matryoshka.json", lambda state: state["clusterer"].update({"class": "system"}))


def hidden_method(folder, marker):
    """An attribute in the place of a method."""

    def hide(state):
        state["clusterer"]["values"]["predict"] = "x"

    edit(folder / "matryoshka.json", hide)


def cache_of_graphs(folder, marker):
    """joblib unpickles what lies in `memory` when the clusterer is fitted again."""
    cache = folder.parent / "cache"
    X = np.random.default_rng(0).normal(size=(30, 4))
    LeidenClustering(min_cluster_size=3, n_neighbors=5, memory=str(cache)).fit(X)
    for file in cache.rglob("output.pkl"):
        joblib.dump(Touch(marker), file)

    def remember(state):
        state["clusterer"]["values"]["memory"] = str(cache)

    edit(folder / "matryoshka.json", remember)


PAYLOADS = (
    topic_embeddings_bin,
    ctfidf_bin,
    pickle_beside,
    joblib_beside,
    named_embedding_model,
    custom_module,
    custom_module_elsewhere,
    installed_module,
    no_module,
    auto_map_config,
    auto_map_elsewhere,
    auto_map_tokenizer,
    trust_in_a_file,
    attention_kernel,
    activation_function,
    router,
    weights_bin,
    linked_folder,
    other_class,
    hidden_method,
)
"""All but cache_of_graphs, with which a folder loads, and the cache is left alone."""


def use(topic_model):
    """Do what a user does next: embed a text, and fit the clusterer again."""
    topic_model.transform(["a b"])
    X = np.random.default_rng(0).normal(size=(30, 4))
    topic_model.hdbscan_model.fit(X)
