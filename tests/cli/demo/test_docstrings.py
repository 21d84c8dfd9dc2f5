"""The docstring corpus: of a package written here, and of scikit-learn for real."""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from collections import Counter
from importlib.metadata import version

import pytest

from bertopic_matryoshka.cli.demo import load_docstrings

MARKUP = re.compile(r"`|::|:\w+:`|>>>|%\(|[{}$\\*<>|]|https?://")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that writes a file of the package `fakelib`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name, source):
        path = tmp_path / "fakelib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        importlib.invalidate_caches()

    write("__init__.py", "raise RuntimeError('imported')\n")
    return write


def function(name, docstring):
    return f'def {name}():\n    """{docstring}"""\n'


def texts(**options):
    return load_docstrings(("fakelib",), **{"min_words": 1, **options}).texts


# ---- what is read


def test_public_names_are_read_from_the_source_without_an_import(package):
    package(
        "a.py",
        '''
        """Of the module."""
        def public():
            """Of a function."""
            def inner():
                """Of an inner function."""
        async def later():
            """Of a coroutine."""
        def _private():
            """Of a private function."""
        class Public:
            """Of a class."""
            def method(self):
                """Of a method."""
            def _hidden(self):
                """Of a private method."""
        class _Private:
            """Of a private class."""
            def method(self):
                """Of a method of a private class."""
        try:
            import x
        except ImportError:
            pass
        if True:
            def chosen():
                """Of a condition."""
        ''',
    )
    assert texts() == [
        "Of a function.",
        "Of a coroutine.",
        "Of a class.",
        "Of a method.",
        "Of a condition.",
    ]
    assert "fakelib" not in sys.modules


def test_docstrings_set_by_a_call_are_read(package):
    package(
        "_docs.py",
        '''
        add_newdoc("a", "b", """Of numpy.""")
        add_newdoc("a", "b", ("method", """Of a method."""))
        add_newdoc("a", "b", [("x", """Of x."""), ("y", """Of y.""")])
        fft = _add_docstr(_fft, r"""Of fft. """ + r"""More {out}.""".format(**common))
        other("""Of another call.""")
        ''',
    )
    assert texts() == ["Of numpy.", "Of a method.", "Of x.", "Of y.", "Of fft. More."]


def test_tests_vendored_code_and_private_folders_are_skipped(package):
    for name in [
        "tests/a.py",
        "sub/test_a.py",
        "externals/a.py",
        "_lib/a.py",
        "sub/_vendor/a.py",
        "sub/_impl/a.py",
        "models/x/modeling_x.py",
    ]:
        package(name, function("f", f"Of {name.replace('/', ' ')}"))
    package("_core/a.py", function("f", "Of the core."))
    package("sub/_a.py", function("f", "Of a private file."))
    package("broken.py", 'def f(:\n    """Of a file that cannot be parsed."""\n')
    assert texts() == ["Of the core.", "Of a private file."]


def test_labels_name_the_subpackage_and_small_ones_are_merged(package):
    package("a.py", function("f", "Of the top."))
    package("_core/a.py", function("f", "Of the private core."))
    package("core/a.py", function("f", "Of the public core."))
    package("core/groupby/a.py", function("f", "Of a group."))
    package("nn/modules/a.py", function("f", "Of a module.") + function("g", "Of a second."))
    found = load_docstrings(("fakelib",), min_words=1, min_per_label=1)
    assert dict(zip(found.texts, found.labels, strict=True)) == {
        "Of the private core.": "fakelib",
        "Of the top.": "fakelib",
        "Of the public core.": "fakelib.core",
        "Of a group.": "fakelib.core.groupby",
        "Of a module.": "fakelib.nn",
        "Of a second.": "fakelib.nn",
    }
    merged = load_docstrings(("fakelib",), min_words=1, min_per_label=2).labels
    assert Counter(merged) == {"fakelib": 4, "fakelib.nn": 2}


# ---- what is kept


def test_word_bounds(package):
    package("a.py", function("f", "One two.") + function("g", "One two three four five."))
    assert texts(min_words=3) == ["One two three four five."]
    assert texts(max_words=3) == ["One two.", "One two three"]


def test_duplicates_are_dropped(package):
    package("a.py", function("f", "Fit the model.") + function("g", "Fit\n    the ``model``."))
    assert texts() == ["Fit the model."]


def test_three_texts_of_a_template_are_kept(package):
    names = ["BertModel", "GptModel", "T5Model", "LlamaModel", "OptModel"]
    opening = "The bare {} model that gives raw hidden states for each token of {}."
    package("a.py", "".join(function(n.lower(), opening.format(n, n)) for n in names))
    assert [text.split()[2] for text in texts()] == names[:3]


def test_sentences_that_many_share_or_that_point_elsewhere_are_dropped(package):
    subjects = ["Apples", "Birds", "Clouds", "Drums", "Engines", "Flags"]
    shared = "Inherits from the base class."
    source = [function(s.lower(), f"{s} are things. {shared} See {s} for more.") for s in subjects]
    package("a.py", "".join(source))
    assert texts() == [f"{s} are things." for s in subjects]
    package("a.py", "".join(source[:5]))
    assert texts() == [f"{s} are things. {shared}" for s in subjects[:5]]


def test_limit_is_spread_over_the_corpus_and_the_same_each_time(package):
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    package("a.py", "".join(function(w, f"{w.title()} first.") for w in words))
    assert texts(limit=3) == ["Alpha first.", "Gamma first.", "Epsilon first."]
    assert texts(limit=99) == texts() == [f"{w.title()} first." for w in words]


# ---- arguments


def test_libraries_that_are_not_installed_are_named(package):
    package("a.py", function("f", "Of a function."))
    documents = load_docstrings(("nowhere_lib", "fakelib"), min_words=1)
    assert documents.source == "docstrings of fakelib; not installed: nowhere_lib"
    with pytest.raises(ImportError, match=r"libraries=\('nowhere_lib',\).*pip install"):
        load_docstrings(("nowhere_lib",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_words": 0}, "min_words=0 must be at least 1"),
        ({"max_words": 5}, "max_words=5 must be at least 12"),
        ({"limit": 0}, "limit=0 must be at least 1"),
    ],
)
def test_bounds_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        load_docstrings(**options)


def test_one_name_is_not_a_sequence_of_names():
    with pytest.raises(TypeError, match=r"libraries='numpy'.*\('numpy',\)"):
        load_docstrings("numpy")


# ---- for real


def test_scikit_learn_gives_a_clean_labelled_corpus():
    documents = load_docstrings(("sklearn",))
    assert len(documents) > 300
    sizes = Counter(documents.labels)
    assert {"sklearn.linear_model", "sklearn.metrics", "sklearn.decomposition"} <= set(sizes)
    assert min(sizes.values()) >= 30
    assert [text for text in documents.texts if MARKUP.search(text)] == []
    assert all(12 <= len(text.split()) <= 200 for text in documents.texts)
    assert len(set(documents.texts)) == len(documents)
    assert documents.source == f"docstrings of sklearn {version('scikit-learn')}"
