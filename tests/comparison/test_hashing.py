"""Hashes of functions and classes depend on their code, and on nothing else of theirs."""

import pickle
import subprocess
import sys
from functools import partial
from types import ModuleType

import numpy as np
import pytest

from bertopic_matryoshka import DimensionSelector
from bertopic_matryoshka.comparison._hashing import hash_with_code

SOURCE = """
import numpy as np

POWER = 2


def helper(X):
    return X.var(axis=0)


class Base:
    offset = 1

    def scale(self):
        return 2

    def again(self):
        return Base(), recursive(3)


def recursive(n):
    return n and recursive(n - 1)


class Scorer(Base):
    def __call__(self, X):
        return self.scale() * X.var(axis=0)


def criterion(X, weight=1):
    return [weight * value ** POWER for value in helper(X) if weight in {"a", "b", "c", 1}]
"""

CHANGES = {
    "constant": ("weight * value", "3 * value"),
    "default": ("weight=1", "weight=2"),
    "global": ("POWER = 2", "POWER = 3"),
    "helper": ("X.var(axis=0)\n\n\nclass", "X.std(axis=0)\n\n\nclass"),
    "within a comprehension": ("value ** POWER", "value + POWER"),
}


@pytest.fixture
def module_of(monkeypatch):
    """Import a module of this source, as if its file had been changed."""

    def call(source):
        module = ModuleType("own_criteria")
        monkeypatch.setitem(sys.modules, "own_criteria", module)
        exec(source, vars(module))
        return module

    return call


def hash_of(value):
    return hash_with_code({"umap_model": DimensionSelector(criterion=value)})


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_function_of_another_body_is_another(module_of, change):
    before = hash_of(module_of(SOURCE).criterion)
    assert change[0] in SOURCE
    assert hash_of(module_of(SOURCE).criterion) == before
    assert hash_of(module_of("\n\n# moved\n" + SOURCE).criterion) == before
    assert hash_of(module_of(SOURCE.replace(*change)).criterion) != before


def test_partial_functions_too(module_of):
    before = hash_of(partial(module_of(SOURCE).criterion, weight=1))
    assert hash_of(partial(module_of(SOURCE).criterion, weight=2)) != before
    changed = module_of(SOURCE.replace("weight * value", "3 * value"))
    assert hash_of(partial(changed.criterion, weight=1)) != before


@pytest.mark.parametrize(
    "change",
    [
        ("self.scale() * X", "self.scale() + X"),
        ("        return 2", "        return 3"),  # of its base
        ("offset = 1", "offset = 2"),
        ("recursive(n - 1)", "recursive(n - 2)"),
    ],
)
def test_an_object_of_a_class_of_another_body_is_another(module_of, change):
    before = hash_of(module_of(SOURCE).Scorer())
    assert hash_of(module_of(SOURCE).Scorer()) == before
    assert hash_of(module_of(SOURCE.replace(*change)).Scorer()) != before


def test_what_a_function_holds_in_its_closure(module_of):
    source = """
def make(power):
    def criterion(X):
        return X.var(axis=0) ** power
    criterion.__qualname__ = "criterion"
    return criterion

criterion = make(2)
"""
    before = hash_of(module_of(source).criterion)
    assert hash_of(module_of(source.replace("make(2)", "make(3)")).criterion) != before


def test_functions_of_known_packages_are_their_names():
    assert hash_of(np.var) == hash_of(np.var) != hash_of(np.std)


def test_what_refers_to_what_cannot_be_keyed_is_refused(module_of):
    source = (
        "import threading\nlock = threading.Lock()\ndef f(X):\n    with lock:\n        return X\n"
    )
    with pytest.raises((TypeError, pickle.PicklingError)):
        hash_of(module_of(source).f)


def test_hashes_are_the_same_in_every_process(tmp_path):
    (tmp_path / "own_criteria.py").write_text(SOURCE, "utf-8")
    code = (
        "from own_criteria import criterion, Scorer\n"
        "from bertopic_matryoshka.comparison._hashing import hash_with_code\n"
        "print(hash_with_code([criterion, Scorer()]))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}", "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
