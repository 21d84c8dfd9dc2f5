"""What runs the model, and where: passed on to sentence-transformers, saved, and checked."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from tiny_models import make_model

from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.embedding import EmbeddingStore, _source

TEXTS = ["a b c", "d e", "f", "g h i j", "k"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "bert")


def test_several_devices_share_the_texts(folder, monkeypatch):
    monkeypatch.setattr(_source, "FEWEST_TEXTS", 2)
    called = []
    start = SentenceTransformer.start_multi_process_pool
    monkeypatch.setattr(
        SentenceTransformer,
        "start_multi_process_pool",
        lambda self, devices: called.append(devices) or start(self, devices),
    )
    several = MatryoshkaBackend(folder, device=["cpu", "cpu"], dims=[24])
    one = MatryoshkaBackend(folder, device="cpu", dims=[24])
    np.testing.assert_allclose(several.embed(TEXTS[:3]), one.embed(TEXTS[:3]), atol=1e-6)
    assert not called
    np.testing.assert_allclose(several.embed(TEXTS), one.embed(TEXTS), atol=1e-6)
    assert called == [["cpu", "cpu"]]
    assert "device" not in several.recipe()


def test_arguments_of_loading_are_passed_on_and_in_the_recipe(folder):
    backend = MatryoshkaBackend(
        folder, device="cpu", model_kwargs={"attn_implementation": "eager"}, dims=[24]
    )
    assert backend.embedding_model[0].auto_model.config._attn_implementation == "eager"
    recipe = json.loads(json.dumps(backend.recipe()))
    assert recipe["model_kwargs"] == {"attn_implementation": "eager"}
    again = MatryoshkaBackend(device="cpu", **recipe)
    assert again.embedding_model[0].auto_model.config._attn_implementation == "eager"
    assert not {"backend", "model_kwargs"} & set(MatryoshkaBackend(folder).recipe())


def test_the_backend_is_passed_on(folder, monkeypatch):
    asked = {}

    def load(name, **settings):
        asked.update(settings, name=name)
        raise RuntimeError("loaded")

    monkeypatch.setattr("sentence_transformers.SentenceTransformer", load)
    monkeypatch.setattr(_source, "find_spec", lambda _: True)
    kwargs = {"file_name": "onnx/model_qint8_avx512.onnx"}
    backend = MatryoshkaBackend(folder, backend="onnx", model_kwargs=kwargs, device="cpu")
    assert backend.recipe()["backend"] == "onnx"
    with pytest.raises(RuntimeError, match="loaded"):
        backend.embed(["a"])
    assert asked["backend"] == "onnx"
    assert asked["model_kwargs"] == kwargs
    monkeypatch.setattr(_source, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r'pip install "sentence-transformers\[onnx\]"'):
        backend.embed(["a"])


@pytest.mark.skipif(find_spec("openvino") is None, reason="needs OpenVINO")
def test_openvino_gives_the_rows_of_torch_and_is_stored(folder, tmp_path):
    torch_rows = MatryoshkaBackend(folder, device="cpu", dims=[24]).embed(TEXTS)
    ours = MatryoshkaBackend(folder, device="cpu", dims=[24], backend="openvino")
    np.testing.assert_allclose(ours.embed(TEXTS), torch_rows, atol=0.02)  # bfloat16 on some CPUs
    store = EmbeddingStore(tmp_path)
    rows = store.embed(ours, TEXTS)
    np.testing.assert_array_equal(store.embed(ours, TEXTS), rows)
    assert len(list(tmp_path.iterdir())) == 1
    store.embed(MatryoshkaBackend(folder, device="cpu", dims=[24]), TEXTS)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"device": []}, ValueError, "names no device"),
        ({"device": ["cpu", ""]}, ValueError, "names no device"),
        ({"device": ["cpu", 3]}, TypeError, 'must be a string such as "cuda", or a list'),
        ({"device": {"cpu"}}, TypeError, "or a list"),
        ({"backend": "jax"}, ValueError, "backend='jax' must be one of torch, onnx, openvino"),
        ({"backend": "onnx", "dtype": "float16"}, ValueError, "Leave dtype out"),
        ({"model_kwargs": {"trust_remote_code": True}}, ValueError, "parameter trust_remote_code"),
        ({"model_kwargs": {"torch_dtype": "float16"}}, ValueError, "use the parameter dtype"),
        ({"model_kwargs": {"a": object()}}, TypeError, "must hold strings, numbers"),
        ({"model_kwargs": [1]}, TypeError, "must be a dict or None"),
    ],
)
def test_bad_input(folder, settings, error, message):
    with pytest.raises(error, match=message):
        MatryoshkaBackend(folder, **settings)


def test_the_bundled_model_has_no_other_backend():
    with pytest.raises(ValueError, match="the bundled model is a table of vectors"):
        MatryoshkaBackend(backend="onnx")
    with pytest.raises(ValueError, match="the bundled model is a table of vectors"):
        MatryoshkaBackend(model_kwargs={"attn_implementation": "eager"})


def test_a_loaded_model_is_not_loaded_otherwise(folder):
    model = SentenceTransformer(folder, device="cpu")
    for settings in ({"backend": "onnx"}, {"model_kwargs": {"a": 1}}, {"device": ["cpu", "cpu"]}):
        with pytest.raises(ValueError, match="is for loading, but the model is loaded already"):
            MatryoshkaBackend(model, **settings)


def test_a_gpu_that_is_absent_is_said_when_the_model_is_loaded(folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    backend = MatryoshkaBackend(folder, device=["cpu", "cuda:1"], dims=[24])
    with pytest.raises(ValueError, match=r"'cuda:1' is asked for, but torch sees no GPU"):
        backend.embed(["a"])
