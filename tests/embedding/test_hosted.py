"""Hosted models, by a service on this machine: widths, faults and keys.

Each test runs with a client of a few lines that is always there, and with that of the openai
library where it is installed.
"""

import importlib
import pickle
import sys
import time
import types

import hosted
import numpy as np
import pytest
from bertopic.backend import BaseEmbedder
from saved_files import edit_state, files_in

from bertopic_matryoshka import (
    LossySaveWarning,
    MatryoshkaBackend,
    SavedModelError,
    TruncationWarning,
    build_topic_model,
    load_topic_model,
    save_topic_model,
    truncate,
)
from bertopic_matryoshka.embedding import EmbeddingStore

TEXTS = [f"{kind} number {i}" for kind in ("spline", "matrix", "gamma") for i in range(20)]


@pytest.fixture
def service():
    with hosted.Service() as running:
        yield running


@pytest.fixture(params=["stand-in", "library"])
def openai(request, monkeypatch):
    """The module `openai`, and BERTopic's backend made with it."""
    module = types.SimpleNamespace(OpenAI=hosted.OpenAI)
    if request.param == "library":
        module = pytest.importorskip("openai")
    monkeypatch.setitem(sys.modules, "openai", module)
    monkeypatch.setitem(sys.modules, "bertopic.backend._openai", None)  # to be restored
    del sys.modules["bertopic.backend._openai"]
    importlib.import_module("bertopic.backend._openai")
    return module


@pytest.fixture
def wrap(openai, service):
    """Make a backend of a model of the service."""

    def wrapped(model_name="text-embedding-3-small", *, client=(), options=(), **kwargs):
        made = openai.OpenAI(api_key="secret", base_url=service.url, **dict(client))
        own = sys.modules["bertopic.backend._openai"].OpenAIBackend
        model = own(
            made, model_name, generator_kwargs={"encoding_format": "float", **dict(options)}
        )
        return MatryoshkaBackend(model, **kwargs)

    return wrapped


def test_the_services_own_truncation_is_that_of_this_package(wrap, service):
    backend = wrap(truncate_dim=512)
    rows = backend.embed(TEXTS)
    assert {request["dimensions"] for request in service.requests} == {512}
    np.testing.assert_allclose(rows, truncate(hosted.full_rows(TEXTS), 512), atol=1e-6)
    np.testing.assert_allclose(rows, truncate(wrap().embed(TEXTS), 512), atol=1e-6)
    assert "dimensions" not in service.requests[-1]


def test_what_needs_the_full_width_asks_for_it(wrap, service):
    service.width = 64
    plain = wrap("my-own", options={"dimensions": 32})
    assert (plain.embedding_dim, plain.full_dim) == (32, 64)
    rotated = plain.rotated(TEXTS)
    rows = rotated.truncated(64).embed(TEXTS)
    np.testing.assert_allclose(
        rows @ rows.T, hosted.full_rows(TEXTS, 64) @ hosted.full_rows(TEXTS, 64).T, atol=1e-5
    )
    np.testing.assert_allclose(rotated.embed(TEXTS), truncate(rows, 32), atol=1e-5)
    permuted = plain.permuted(0).embed(TEXTS)
    assert permuted.shape == (60, 32)
    assert all("dimensions" not in request for request in service.requests)
    plain.embed(TEXTS)
    assert service.requests[-1]["dimensions"] == 32


def test_nothing_is_sent_to_learn_what_is_known(wrap, service):
    backend = wrap(truncate_dim=512)
    assert backend.full_dim == 1536
    assert backend.dims == (1536, 512)
    assert wrap("text-embedding-3-large").dims == (3072, 1024, 256)
    with pytest.raises(ValueError, match="truncate_dim=2000 must be between 1 and 1536"):
        wrap(truncate_dim=2000)
    with pytest.warns(TruncationWarning, match="listed for it are 1536, 512"):
        wrap(truncate_dim=100)
    assert service.requests == []


def test_a_width_that_the_backend_asks_for_is_its_default(wrap, service):
    backend = wrap(options={"dimensions": 512})
    assert (backend.embedding_dim, backend.full_dim) == (512, 1536)
    backend.embed(TEXTS)
    assert service.requests[-1]["dimensions"] == 512
    backend.truncated(1536).embed(TEXTS)
    assert "dimensions" not in service.requests[-1]


def test_a_model_that_is_not_known_is_cut_here(wrap, service):
    service.width = 64
    backend = wrap("my-own", truncate_dim=16, dims=[16])
    np.testing.assert_allclose(
        backend.embed(TEXTS), truncate(hosted.full_rows(TEXTS, 64), 16), atol=1e-6
    )
    assert all("dimensions" not in request for request in service.requests)
    assert service.paid[0] == "width"  # one word, to learn its width


def test_rows_of_another_width_than_known_are_refused(wrap):
    with pytest.raises(ValueError, match=r"shape \(32, 1536\) .* must be \(32, 3072\)"):
        wrap("text-embedding-3-large").embed(TEXTS)


def paid_once(service, rows):
    """Whether each text was paid for once, and has its row."""
    np.testing.assert_allclose(rows, truncate(hosted.full_rows(TEXTS), 512), atol=1e-6)
    return sorted(service.paid) == sorted(TEXTS)


def test_the_client_retries_and_nothing_is_paid_twice(wrap, service):
    service.faults = [429, None, 500, None, "slow", None, 503, None, None, 429]
    service.retry_after = "0.1"
    backend = wrap(truncate_dim=512, batch_size=10, client={"timeout": 1})
    start = time.perf_counter()
    assert paid_once(service, backend.embed(TEXTS))
    assert time.perf_counter() - start >= 1.2  # two waits that were asked for, one time-out
    assert len(service.requests) == 6 + 5  # five of the requests were sent again


@pytest.mark.parametrize("fault", [429, 500, "slow"])
def test_where_retries_end_the_rest_is_asked_for_later(wrap, service, fault):
    max_retries = 0 if fault == "slow" else 1
    service.faults = [None, None, None] + [fault] * (max_retries + 1)
    client = {"timeout": 1, "max_retries": max_retries}
    backend = wrap(truncate_dim=512, batch_size=10, client=client)
    with pytest.raises(
        RuntimeError,
        match="OpenAIBackend of text-embedding-3-small failed with 30 of 60 texts encoded",
    ):
        backend.embed(TEXTS)
    assert len(service.paid) == 30
    assert paid_once(service, backend.embed(TEXTS))
    backend.embed(TEXTS[:1])
    assert len(service.paid) == 61  # the rows are not kept for longer


def test_a_backends_own_batch_size_bounds_what_a_failure_costs(wrap, service):
    service.faults = [None, None, None, 500]
    backend = wrap(truncate_dim=512, batch_size=60, client={"max_retries": 0})
    backend.embedding_model.batch_size = 10
    with pytest.raises(RuntimeError, match="30 of 60"):
        backend.embed(TEXTS)
    assert paid_once(service, backend.embed(TEXTS))


def test_half_of_the_requests_fail_for_good(wrap, service, tmp_path):
    service.faults = [None, 500] * 6
    backend = wrap(truncate_dim=512, batch_size=10, client={"max_retries": 0}, name="mine")
    store, n_failures = EmbeddingStore(tmp_path, texts_per_shard=20), 0
    while True:
        try:
            rows = store.embed(backend, TEXTS)
            break
        except RuntimeError:
            n_failures += 1
    assert n_failures == 5
    assert paid_once(service, truncate(rows, 512))


def test_the_name_alone_reaches_no_service():
    with pytest.raises(ValueError, match=r"OpenAIBackend\(client, 'text-embedding-3-large'"):
        MatryoshkaBackend("text-embedding-3-large")
    with pytest.raises(ValueError, match=r"CohereBackend\(client, 'embed-v4\.0', embed_kwargs={}"):
        MatryoshkaBackend("embed-v4.0")


class Cohere:
    """What BERTopic's CohereBackend uses of `cohere.Client`, whose embed takes no width."""

    def __init__(self):
        self.asked = []

    def embed(self, *, texts, model, input_type):
        self.asked.append((len(texts), model, input_type))
        return types.SimpleNamespace(embeddings=hosted.full_rows(texts).tolist())


def test_cohere_is_cut_here():
    cohere = importlib.import_module("bertopic.backend._cohere")
    client = Cohere()
    model = cohere.CohereBackend(client, "embed-v4.0", embed_kwargs={"input_type": "clustering"})
    backend = MatryoshkaBackend(model, truncate_dim=256, batch_size=1000)
    texts = [f"{text} {i}" for text in TEXTS for i in range(3)]
    np.testing.assert_allclose(
        backend.embed(texts), truncate(hosted.full_rows(texts), 256), atol=1e-6
    )
    # Its client would split what is more, and lose all if a part fails.
    assert client.asked == [(n, "embed-v4.0", "clustering") for n in (96, 84)]


def test_coheres_own_client_is_saved_too(service, monkeypatch, tmp_path):
    made = pytest.importorskip("cohere").Client  # reads the environment once, when first named
    from bertopic.backend._cohere import CohereBackend

    url = service.url.removesuffix("/v1")
    monkeypatch.setenv("CO_API_URL", url)
    monkeypatch.setenv("CO_API_KEY", "environment")
    client = made(api_key="secret", base_url=url)
    model = CohereBackend(client, "embed-v4.0", embed_kwargs={"input_type": "clustering"})
    service.faults = [429]
    backend = MatryoshkaBackend(model, truncate_dim=256)
    assert backend.dims == (1536, 1024, 512, 256)
    expected = truncate(hosted.full_rows(TEXTS), 256)
    np.testing.assert_allclose(backend.embed(TEXTS), expected, atol=1e-6)
    assert sorted(service.paid) == sorted(TEXTS)
    topic_model = saved(backend, tmp_path)

    with pytest.raises(ValueError, match="CO_API_URL"):  # it was read before
        load_topic_model(tmp_path).transform(TEXTS)
    monkeypatch.setitem(made.__init__.__kwdefaults__, "base_url", url)
    assert load_topic_model(tmp_path).transform(TEXTS)[0] == topic_model.transform(TEXTS)[0]
    assert service.requests[-1]["input_type"] == "clustering"


def test_what_is_no_array_is_refused():
    class Typed(BaseEmbedder):
        def embed(self, documents, verbose=False):
            return np.array(types.SimpleNamespace(float_=full))

    full = hosted.full_rows(TEXTS)
    with pytest.raises(ValueError, match="no array of numbers"):
        MatryoshkaBackend(Typed()).embed(TEXTS)


@pytest.fixture
def environment(monkeypatch, service):
    """What the libraries make their clients from, and what a key is read from."""
    monkeypatch.setenv("OPENAI_BASE_URL", service.url)
    monkeypatch.setenv("OPENAI_API_KEY", "environment")
    return monkeypatch


def saved(backend, folder):
    topic_model = build_topic_model(backend, reduction="none").fit(TEXTS)
    save_topic_model(topic_model, folder)
    content = b"".join((folder / name).read_bytes() for name in files_in(folder))
    assert not any(hidden in content for hidden in (b"secret", b"127.0.0.1", b"Bearer"))
    return topic_model


def test_a_topic_model_is_saved_without_key_and_address(wrap, service, environment, tmp_path):
    topic_model = saved(wrap(options={"dimensions": 512}), tmp_path)
    loaded = load_topic_model(tmp_path)
    assert not loaded.embedding_model.is_loaded
    assert loaded.embedding_model.embedding_dim == 512
    assert loaded.transform(TEXTS)[0] == topic_model.transform(TEXTS)[0]
    service.requests.clear()
    loaded.embedding_model.embed(["another text"])
    (request,) = service.requests
    assert request["key"] == "Bearer environment"
    assert request["dimensions"] == 512
    assert request["encoding_format"] == "float"

    environment.delenv("OPENAI_BASE_URL")  # texts of a private service are not sent elsewhere
    with pytest.raises(ValueError, match="OPENAI_BASE_URL"):
        load_topic_model(tmp_path).transform(TEXTS)
    environment.setitem(sys.modules, "openai", None)
    environment.setenv("OPENAI_BASE_URL", service.url)
    with pytest.raises(ImportError, match="pip install openai"):
        load_topic_model(tmp_path).transform(TEXTS)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"extra_headers": {"X-Key": "secret"}}, "extra_headers"),
        ({}, "an address of its own"),
    ],
)
def test_what_cannot_be_made_again_is_to_be_passed(wrap, tmp_path, options, reason):
    backend = wrap(options=options)
    with pytest.warns(LossySaveWarning, match=rf"{reason}.*backend=\.\.\."):
        topic_model = saved(backend, tmp_path)
    with pytest.raises(ValueError, match=r"backend=\.\.\."):
        load_topic_model(tmp_path)
    loaded = load_topic_model(tmp_path, backend=backend)
    assert loaded.transform(TEXTS)[0] == topic_model.transform(TEXTS)[0]
    with pytest.raises(pickle.PicklingError, match=reason):
        pickle.dumps(backend)
    with pytest.raises(ValueError, match=rf"cannot be stored.*name=\.\.\.(.|\n)*{reason}"):
        EmbeddingStore(tmp_path / "store").embed(backend, TEXTS)


TAMPERED = [
    {"backend": "subprocess.Popen"},
    {"options": {"base_url": "http://127.0.0.1:1"}},
    {"options": {"extra_headers": {"Host": "127.0.0.1"}}},
    {"options": {"encoding_format": {"a": 1}}},
    {"client": "urllib.request.urlopen"},
    {"name": ["text-embedding-3-small"]},
    {"batch_size": "10"},
]


def test_a_changed_file_sends_no_key_elsewhere(wrap, environment, tmp_path):
    saved(wrap(), tmp_path)
    before = (tmp_path / "matryoshka.json").read_bytes()
    for change in TAMPERED:
        (tmp_path / "matryoshka.json").write_bytes(before)
        edit_state(tmp_path, lambda state, new=change: state["backend"]["hosted"].update(new))
        with pytest.raises(SavedModelError, match="hosted"):
            load_topic_model(tmp_path)


def test_a_file_that_names_two_models_is_refused(wrap, environment, tmp_path):
    saved(wrap(), tmp_path)
    edit_state(tmp_path, lambda state: state["backend"].update(model=None))
    with pytest.raises(SavedModelError, match="two models"):
        load_topic_model(tmp_path)
    with pytest.raises(ValueError, match="device='cuda'"):
        load_topic_model(tmp_path, device="cuda")


def test_hosted_rows_are_stored_by_what_is_saved(wrap, service, environment, tmp_path):
    store = EmbeddingStore(tmp_path)
    rows = store.embed(wrap(), TEXTS)
    n_paid = len(service.paid)
    np.testing.assert_array_equal(store.embed(wrap(options={"dimensions": 512}), TEXTS), rows)
    assert len(service.paid) == n_paid == len(TEXTS)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*.safetensors"))
    assert b"text-embedding-3-small" in written
    assert b"secret" not in written
    assert b"127.0.0.1" not in written
    store.embed(wrap("another-model"), TEXTS)
    assert len(service.paid) == 2 * n_paid + 1  # one word, to learn its width


def test_a_pickle_has_no_key(wrap, service, environment):
    content = pickle.dumps(wrap(truncate_dim=512))
    assert b"secret" not in content
    pickle.loads(content).embed(TEXTS)
    assert service.requests[-1]["key"] == "Bearer environment"
