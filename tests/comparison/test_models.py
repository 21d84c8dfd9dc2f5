"""The models of a comparison: their names, their order, their widths."""

import numpy as np
import pytest

from bertopic_matryoshka import MatryoshkaBackend
from bertopic_matryoshka.comparison._models import GIVEN, compared_models

BUNDLED = "the bundled model"
ROWS = np.random.default_rng(0).normal(size=(6, 96)).astype(np.float32)


@pytest.fixture(scope="module")
def backend():
    return MatryoshkaBackend()


def unloaded(name):
    """A backend that would have to be downloaded, were it used."""
    return MatryoshkaBackend(f"nobody/{name}")


def models_of(backend=None, embeddings=None, controls=()):
    return compared_models(backend, embeddings, controls, n_documents=6)


def test_the_bundled_model_is_the_default():
    ((name, model),) = models_of().items()
    assert (name, model.name, model.is_control) == (BUNDLED, BUNDLED, False)
    assert model.given is None
    assert model.full_dim == 256
    assert model.default_dims == [256, 128, 64, 32]


def test_given_embeddings_need_no_backend_and_have_unit_rows():
    ((name, model),) = models_of(embeddings=ROWS).items()
    assert name == GIVEN
    assert model.backend is None
    assert model.full_dim == 96
    assert model.default_dims == [96, 48]  # halvings down to 32
    np.testing.assert_allclose(model.given, ROWS / np.linalg.norm(ROWS, axis=1)[:, None], rtol=1e-5)


def test_given_embeddings_of_a_backend_have_its_name_and_those_of_its_widths_that_fit(backend):
    ((name, model),) = models_of(backend, ROWS).items()
    assert name == BUNDLED
    assert model.backend is backend
    assert model.full_dim == 96
    assert model.default_dims == [64, 32]


def test_names_and_order():
    one, two = unloaded("one"), unloaded("two")
    assert list(models_of([two, one])) == ["nobody/two", "nobody/one"]
    found = models_of({"b": one, "a": two}, {"c": ROWS, "a": ROWS[:, :8]})
    assert list(found) == ["b", "a", "c"]
    assert [model.backend for model in found.values()] == [one, two, None]
    assert [model.given is None for model in found.values()] == [True, False, False]
    assert found["a"].full_dim == 8


def test_controls_come_last():
    one, two, three = map(unloaded, ("one", "two", "three"))
    found = models_of([one, two], controls=["random", "nobody/one", three])
    assert {name: model.is_control for name, model in found.items()} == {
        "nobody/two": False,
        "nobody/one": True,
        "nobody/three": True,
    }
    by_name = models_of(embeddings={"a": ROWS, "b": ROWS}, controls=["a"])
    assert [(name, model.is_control) for name, model in by_name.items()] == [
        ("b", False),
        ("a", True),
    ]
    assert list(models_of(one, controls=["random"])) == ["nobody/one"]


def test_a_control_that_is_no_name_is_a_model_to_load():
    found = models_of(unloaded("one"), controls=["nobody/two"])
    assert found["nobody/two"].backend.name == "nobody/two"
    assert found["nobody/two"].is_control


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"embeddings": ROWS[:3]}, ValueError, r"embeddings has shape \(3, 96\)"),
        ({"embeddings": {"a": ROWS[0]}}, ValueError, r"embeddings has shape \(96,\)"),
        (
            {"backend": [unloaded("one"), unloaded("two")], "embeddings": ROWS},
            ValueError,
            "embeddings are given once, but there are 2 backends",
        ),
        (
            {"backend": [unloaded("one"), unloaded("one")]},
            ValueError,
            "named nobody/one, nobody/one, which does not tell them apart",
        ),
        (
            {"backend": unloaded("one"), "controls": [unloaded("one")]},
            ValueError,
            "names nobody/one, which is compared already",
        ),
        (
            {"embeddings": {"nobody/one": ROWS}, "controls": [unloaded("one")]},
            ValueError,
            "names nobody/one, which is compared already",
        ),
        (
            {"embeddings": {"a": ROWS, "b": ROWS}, "controls": ["a", "b"]},
            ValueError,
            "are all models that there are",
        ),
        ({"controls": "random"}, TypeError, r"controls='random' must be a list"),
        ({"controls": unloaded("one")}, TypeError, "must be a list"),
    ],
)
def test_bad_models(arguments, error, message):
    with pytest.raises(error, match=message):
        models_of(**arguments)
