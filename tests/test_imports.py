"""What importing does not import: heavy libraries are loaded when they are used."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "bertopic", "sentence_transformers", "transformers", "umap", "hdbscan"}


def imported(code, *arguments):
    """Which heavy libraries a process of its own has imported after some code."""
    tell = "print(*sorted(module for module in sys.modules if module.count('.') == 0))"
    code = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n{tell}"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return HEAVY & set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import bertopic_matryoshka; dir(bertopic_matryoshka)",
        "from bertopic_matryoshka import TruncationWarning",
    ],
)
def test_the_package_imports_no_heavy_library(code):
    assert imported(code) == set()


@pytest.mark.parametrize("command", [[], ["compare"], ["demo"], ["fit"], ["inspect"]])
def test_help_imports_no_heavy_library(command):
    code = "from bertopic_matryoshka.__main__ import main; main()"
    assert imported(code, *command, "--help") == set()


def test_selection_and_truncation_of_arrays_need_no_torch():
    uses = [
        "import bertopic_matryoshka as m, numpy as np",
        "from bertopic_matryoshka.documents import clean_documents",
        "X = np.random.default_rng(0).normal(size=(50, 8))",
        "m.DimensionSelector().fit_transform(X)",
        "m.DimensionSelector(2).partial_fit(X).transform(X)",
        "m.truncate(X, 2)",
        "clean_documents(['a', 'b'])",
    ]
    assert imported("; ".join(uses)) == set()


def test_a_heavy_library_would_be_noticed():
    assert imported("import torch") == {"torch"}
