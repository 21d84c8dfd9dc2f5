"""What the command line refuses: at once, in one line, and nothing is written."""

import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from bertopic_matryoshka.cli import _options
from bertopic_matryoshka.cli._app import app
from bertopic_matryoshka.evaluation import MEASURES
from bertopic_matryoshka.selection import CRITERIA
from bertopic_matryoshka.topics import _build

HEAVY = ("torch", "sklearn", "bertopic", "sentence_transformers", "scipy")


@pytest.fixture
def places(tmp_path):
    (tmp_path / "docs.csv").write_text("text,n\none document,1\nanother,2\n", "utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "topics.csv").write_text("kept", "utf-8")
    (tmp_path / "file").write_text("", "utf-8")
    (tmp_path / "x.parquet").mkdir()
    np.save(tmp_path / "one.npy", np.ones((1, 4)))
    return tmp_path


WRONG = [
    ("fit {here}/no.csv --out {here}/out", 2, "no.csv' does not exist"),
    ("fit {here}/x.parquet --out {here}/out", 2, "is a directory"),
    ("fit {here}/docs.csv", 2, "Missing option '--out'"),
    (
        "fit {here}/docs.csv --out {here}/full",
        1,
        "holds topics.csv. Give another --out, or --force",
    ),
    ("fit {here}/docs.csv --out {here}/file", 1, "cannot be written to"),
    ("fit {here}/docs.csv --out {here}/file/below", 1, "cannot be written to"),
    ("fit {here}/docs.csv --out {here}/out --text-column txt", 1, "not a column of docs.csv"),
    ("fit {here}/docs.csv --out {here}/out --reduction svd", 2, "'svd' is not one of variance"),
    ("fit {here}/docs.csv --out {here}/out --format xlsx", 2, "'xlsx' is not one of csv"),
    ("fit {here}/docs.csv --out {here}/out --dim -1", 2, "'--dim'"),
    ("fit {here}/docs.csv --out {here}/out --dim nan", 2, "'--dim'"),
    ("fit {here}/docs.csv --out {here}/out --topics 1.5", 2, "'--topics'"),
    ("fit {here}/docs.csv --out {here}/out --seed 99999999999", 2, "'--seed'"),
    ("fit {here}/docs.csv --out {here}/out --ngrams 9", 2, "'--ngrams'"),
    ("fit {here}/docs.csv --out {here}/out --outlier-share nan", 1, "at least 0 and below 1"),
    ("fit {here}/docs.csv --out {here}/out --outlier-share 1", 1, "at least 0 and below 1"),
    ("fit {here}/docs.csv --out {here}/out --device tpu", 2, "'tpu' is not cpu"),
    ("fit {here}/docs.csv --out {here}/out --embeddings {here}/no.npy", 2, "does not exist"),
    ("fit {here}/docs.csv --out {here}/out --embeddings {here}/one.npy", 1, "holds 1 embeddings"),
    ("fit {here}/docs.csv --out {here}/out --embedding-column n", 1, "its cells are text"),
    ("fit {here}/docs.csv --out {here}/out --id-column m", 1, "'m' is not a column"),
    ("compare {here}/docs.csv --out {here}/out --dims a,b", 2, "must be whole numbers above 0"),
    ("compare {here}/docs.csv --out {here}/out --dims 64,,32", 2, "must be whole numbers above 0"),
    ("compare {here}/docs.csv --out {here}/out --reductions variance,svd", 2, "'svd'"),
    ("compare {here}/docs.csv --out {here}/out --measure pmi", 2, "'pmi' is not one of c_v"),
    ("compare {here}/docs.csv --out {here}/out --clustering kmeans", 2, "'kmeans'"),
    ("compare {here}/docs.csv --out {here}/out --criterion mean", 2, "'mean'"),
    ("compare {here}/docs.csv --out {here}/out --labels lable", 1, "'lable' is not a column"),
    ("inspect {here}/docs.csv --out {here}/full/topics.csv", 1, "--force to replace"),
    ("transform {here}/full {here}/docs.csv --out {here}/out", 2, "holds no saved topic model"),
    ("evaluate {here}/full {here}/docs.csv", 2, "holds no saved topic model"),
    ("topics {here}/no", 2, "no' does not exist"),
    ("topics {here}/file", 2, "is a file"),
    ("train {here}/docs.csv --out {here}/full", 1, "has files in it. Name a new"),
    ("train {here}/docs.csv --out {here}/file", 1, "cannot be written to"),
    ("train {here}/docs.csv --out {here}/out --columns text", 2, "must be two columns"),
    ("train {here}/docs.csv --out {here}/out --columns text,m", 1, "'m' is not a column"),
    ("train {here}/docs.csv --out {here}/out --score n", 1, "--score=n is of a pair"),
    ("train {here}/docs.csv --out {here}/out --layers half", 2, "must be whole numbers above 0"),
    ("train {here}/docs.csv --out {here}/out --epochs 0", 2, "'--epochs'"),
    (
        "train {here}/docs.csv --out {here}/out --columns text,text --score text",
        1,
        "--score=text has 'one document' in row 0",
    ),
    (
        "train {here}/docs.csv --out {here}/out --columns text,text --text-column text",
        1,
        "both given",
    ),
    ("demo --corpus novels", 2, "'novels' is not one of docstrings"),
    ("nonsense", 2, "No such command 'nonsense'"),
]


@pytest.mark.parametrize(("line", "code", "message"), WRONG)
def test_mistakes_are_told_in_a_line_and_nothing_is_written(places, line, code, message):
    before = sorted(places.rglob("*"))
    done = CliRunner().invoke(app, [part.format(here=places) for part in line.split()])
    assert done.exit_code == code
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert message in last
    assert "Traceback" not in done.output
    assert sorted(places.rglob("*")) == before
    assert (places / "full" / "topics.csv").read_text("utf-8") == "kept"


def test_they_are_told_before_anything_heavy_is_imported(places):
    lines = [[part.format(here=places) for part in line.split()] for line, _, _ in WRONG]
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from bertopic_matryoshka.cli._app import app\n"
        f"codes = [CliRunner().invoke(app, line).exit_code for line in {lines!r}]\n"
        f"print(codes, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{[code for _, code, _ in WRONG]} []"


def test_the_lists_of_choices_are_the_packages_own():
    assert _options.REDUCTIONS == _build.REDUCTIONS
    assert _options.CLUSTERINGS == _build.CLUSTERINGS
    assert tuple(MEASURES) == _options.MEASURES
    assert tuple(CRITERIA) == _options.CRITERIA


@pytest.mark.parametrize("command", [c.callback.__name__ for c in app.registered_commands])
def test_help_has_an_example(command):
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert f"\n    bertopic-matryoshka {command}" in done.stdout


def test_version():
    assert CliRunner().invoke(app, ["--version"]).stdout == "bertopic-matryoshka 0.1.0\n"
