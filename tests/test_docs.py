"""What README and docstrings show runs."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import bertopic_matryoshka

ROOT = Path(__file__).parents[1]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(bertopic_matryoshka.__path__, "bertopic_matryoshka.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=flags).failed == 0


def test_every_public_name_is_there_and_documented():
    for name in bertopic_matryoshka.__all__:
        assert getattr(bertopic_matryoshka, name).__doc__
    documented = (ROOT / "docs" / "api.md").read_text("utf-8")
    for name in bertopic_matryoshka.__all__:
        assert f"bertopic_matryoshka.{name}\n" in documented


def test_the_readmes_python_runs(docs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    names = {"docs": docs}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
