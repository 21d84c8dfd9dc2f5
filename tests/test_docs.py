"""What README and docstrings show runs."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

import bertopic_matryoshka
from bertopic_matryoshka.cli.demo import load_docstrings

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
    for path in re.findall(r"^::: (\S+)$", documented, re.MULTILINE):
        package, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(package), name).__doc__


def readmes_python():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    return blocks


def test_the_readmes_python_runs(docs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"docs": docs}
    for block in readmes_python():
        exec(compile(block, "README.md", "exec"), names)


@pytest.mark.parametrize("library", ["numpy", "scipy", "pandas", "sklearn", "torch"])
def test_the_ten_lines_describe_topics_without_stop_words(library):
    lines = readmes_python()[0]
    assert len([line for line in lines.splitlines() if line.strip()]) == 10
    names = {"docs": load_docstrings((library,), limit=300).texts}
    exec(compile(lines, "README.md", "exec"), names)
    topics = names["topic_model"].get_topics()
    assert len(topics) > 1
    words = {word for topic in topics.values() for word, _ in topic}
    assert (
        words & (ENGLISH_STOP_WORDS | {"did", "does", "don", "just", "ll", "using", "ve"}) == set()
    )
