"""A corpus that every machine has: the docstrings of the installed scientific libraries."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bertopic_matryoshka._validation import check_at_least
from bertopic_matryoshka.cli.demo._prose import clean_docstring
from bertopic_matryoshka.documents import clean_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bertopic_matryoshka.documents import Documents

LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "torch", "transformers")
"""The libraries that are read unless others are named."""

_MAX_PER_TEMPLATE = 3
_TEMPLATE_WORDS = 6
# A sentence that only says where to read on.
_POINTER = re.compile(
    r"(?:(?:please|also|note:) )?(?:see|refer|read more|for (?:more|further|an example|details))\b"
    r"|in order to learn more|todo\b|.*\b(?:user guide|docstring of|sphx glr)\b",
    re.IGNORECASE,
)
# A sentence that stands in more docstrings than this says nothing about any one of them.
_MAX_PER_SENTENCE = 5

# Tests, vendored code, and machinery that no user calls; distutils depends on the Python version.
# Compared without underscores.
_SKIPPED_FOLDERS = {
    "benchmark", "cli", "distutils", "f2py", "examples", "experimental", "exporters", "external",
    "externals", "interchange", "internal", "internals", "test", "testing", "tests",
    "third_party", "vendor",
}  # fmt: skip
# Private folders hold machinery too (torch._inductor, scipy._lib), but for numpy._core and for
# those inside the subpackages of these two (scipy.integrate._ivp, sklearn.cluster._hdbscan).
_PUBLIC_IN_PRIVATE = {"scipy", "sklearn"}
_SKIPPED_FILE = re.compile(r"conftest|test_.*|.*_test|testing_utils")
# Transformers writes modeling files from modular ones, and copies docstrings from model to model.
_SKIPPED_MODEL_FILE = re.compile(r"(modeling|modular|convert)_.*")
# Folders that say nothing by themselves: pandas.core.groupby, transformers.models.
_TRANSPARENT_FOLDERS = {"core"}
# Functions that give a docstring to an object written in C: numpy, scipy.special, torch.
_DOCSTRING_SETTERS = {"add_newdoc", "add_docstr", "add_docstr_all", "_add_docstr"}


def load_docstrings(
    libraries: Sequence[str] = LIBRARIES,
    *,
    min_words: int = 12,
    max_words: int = 200,
    limit: int | None = None,
    min_per_label: int = 30,
) -> Documents:
    """Load what the docstrings of installed libraries say, as plain prose.

    Parameters
    ----------
    libraries : sequence of str, default=LIBRARIES
        Import names. Libraries that are not installed are skipped and named in ``source``.
    min_words : int, default=12
        Docstrings with fewer words of prose are left out.
    max_words : int, default=200
        Longer ones end here.
    limit : int, optional
        Take this many texts, evenly spaced over the corpus. None takes all.
    min_per_label : int, default=30
        Texts of a subpackage with fewer are labelled with the library alone.

    Returns
    -------
    documents : Documents
        ``labels`` name the library and its public subpackage, as "scipy.stats".
        ``source`` names the versions, on which the texts depend. One row is one text.

    Raises
    ------
    ImportError
        If none of the libraries is installed.
    TypeError
        If `libraries` is one string, or a bound is not an int.
    ValueError
        If a bound is out of range or no text is left.

    Notes
    -----
    The source files are parsed, not imported: it takes seconds, starts no library, and gives the
    same texts in the same order as long as the versions are the same. Read are the public
    functions, classes and methods outside tests, vendored code, command lines and private
    folders (but ``numpy._core`` and those inside the subpackages of scipy and sklearn), and the
    calls that document compiled objects. Of the models of transformers, the configuration,
    tokenization and processing files are read; the modeling files are copies of one another.

    Duplicates are dropped, as are sentences that say where to read on or that are found in more
    than 5 docstrings; of texts that open with the same 6 words but for code names, 3 are kept.
    """
    if isinstance(libraries, str):
        raise TypeError(
            f"libraries={libraries!r} must be a sequence of names. Pass ({libraries!r},)."
        )
    check_at_least(min_words, 1, name="min_words")
    check_at_least(max_words, min_words, name="max_words")
    check_at_least(1 if limit is None else limit, 1, name="limit")
    roots = {library: root for library in libraries if (root := _root(library)) is not None}
    if not roots:
        raise ImportError(
            f"libraries={tuple(libraries)!r}: none of them is an installed package. "
            "Install one, for example with pip install numpy."
        )
    found: dict[str, str] = {}  # text -> label; the first of equal texts gives the label
    for library, root in roots.items():
        for path in _source_files(root):
            label = _label(library, path.relative_to(root).parent.parts)
            for docstring in _docstrings(path):
                found.setdefault(clean_docstring(docstring), label)
    texts = _distinct(found, min_words, max_words)
    labels = _merge_small([label for _, label in texts], min_per_label)
    n_texts = len(texts)
    n_picked = n_texts if limit is None else min(limit, n_texts)
    picked = [i * n_texts // n_picked for i in range(n_picked)]
    return clean_documents(
        [texts[i][0] for i in picked],
        labels=[labels[i] for i in picked],
        source=_source(list(roots), [name for name in libraries if name not in roots]),
    )


def _root(library: str) -> Path | None:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(library) if library.isidentifier() else None
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))) if locations else None


def _source_files(root: Path) -> Iterator[Path]:
    """Walk over the files of a package that are worth parsing, in the order of their names."""
    for path in sorted(root.rglob("*.py")):
        folders = path.relative_to(root).parent.parts
        plain = {folder.strip("_") for folder in folders}
        if plain & _SKIPPED_FOLDERS or _SKIPPED_FILE.fullmatch(path.stem):
            continue
        private = [i for i, folder in enumerate(folders) if folder.startswith("_")]
        if (
            private
            and folders[0] != "_core"
            and (private[0] == 0 or root.name not in _PUBLIC_IN_PRIVATE)
        ):
            continue
        if "models" in folders and _SKIPPED_MODEL_FILE.fullmatch(path.stem):
            continue
        yield path


def _label(library: str, folders: Sequence[str]) -> str:
    """Name the library and its first public subpackage that says what it is about."""
    public = [folder for folder in folders if not folder.startswith("_")]
    depth = 2 if public[:1] and public[0] in _TRANSPARENT_FOLDERS else 1
    return ".".join([library, *public[:depth]])


def _docstrings(path: Path) -> Iterator[str]:
    """Walk over the docstrings of the public names of a source file."""
    source = path.read_text(encoding="utf-8", errors="replace")
    if '"""' not in source and "'''" not in source:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return  # a template, or a file for another Python
    yield from _public_docstrings(tree.body)


def _public_docstrings(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_"):
                continue
            docstring = ast.get_docstring(node)
            if docstring:
                yield docstring
            if isinstance(node, ast.ClassDef):
                yield from _public_docstrings(node.body)
        elif isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call):
            yield from _set_docstrings(node.value)
        elif isinstance(node, ast.If | ast.Try):
            yield from _public_docstrings(node.body)


def _set_docstrings(call: ast.Call) -> Iterator[str]:
    """Walk over the docstrings that a call such as ``add_newdoc(place, name, text)`` sets."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in _DOCSTRING_SETTERS or not call.args:
        return
    last = call.args[-1]
    # numpy documents methods with (method, text), or a list of these
    for item in last.elts if isinstance(last, ast.List) else [last]:
        text = _text_of(item.elts[-1] if isinstance(item, ast.Tuple) and item.elts else item)
        if text:
            yield text


def _text_of(node: ast.expr) -> str:
    """Return the constant text of an expression such as ``"..." + x`` or ``"...".format(x)``."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp):
        return _text_of(node.left) + _text_of(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _text_of(node.func.value)
    return ""


def _distinct(found: dict[str, str], min_words: int, max_words: int) -> list[tuple[str, str]]:
    """Drop repeated sentences, texts out of bounds and all but a few texts of one template."""
    parts = {text: re.split(r"(?<=[.!?])\s+(?=[A-Z])", text) for text in found}
    sentences = Counter(sentence for part in parts.values() for sentence in set(part))
    templates: Counter[str] = Counter()
    kept: dict[str, str] = {}
    for text, label in found.items():
        rest = " ".join(
            part
            for part in parts[text]
            if sentences[part] <= _MAX_PER_SENTENCE and not _POINTER.match(part)
        )
        words = rest.split()[:max_words]
        if len(words) < min_words:
            continue
        short = " ".join(words)
        template = _template(words)
        if short not in kept and templates[template] < _MAX_PER_TEMPLATE:
            templates[template] += 1
            kept[short] = label
    return list(kept.items())


def _template(words: list[str]) -> str:
    """Return the opening words without names of code, in which alone copies differ."""
    plain = (word.strip(".,;:()'\"").lower() for word in words if word[1:] == word[1:].lower())
    return " ".join([word for word in plain if word.isalpha()][:_TEMPLATE_WORDS])


def _merge_small(labels: list[str], least: int) -> list[str]:
    """Replace the labels of few texts by the library's name."""
    sizes = Counter(labels)
    return [label if sizes[label] >= least else label.split(".")[0] for label in labels]


def _source(read: list[str], absent: list[str]) -> str:
    """Name the libraries with their versions, and those that are not installed."""
    distributions = packages_distributions()
    names = [
        f"{name} {version(distributions[name][0])}" if name in distributions else name
        for name in read
    ]
    missing = f"; not installed: {', '.join(absent)}" if absent else ""
    return f"docstrings of {', '.join(names)}{missing}"
