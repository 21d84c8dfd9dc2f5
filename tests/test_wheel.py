"""What is built holds every file of the package, and runs from outside the checkout."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "bertopic_matryoshka"
FILES = {
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / PACKAGE).rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}
BUILD = (
    "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])('.'))"
)

FIRST_STEPS = """
import bertopic_matryoshka
from bertopic_matryoshka import MatryoshkaBackend, build_topic_model
from bertopic_matryoshka.cli.demo import load_docstrings

documents = load_docstrings(("sklearn",), limit=200)
backend = MatryoshkaBackend(truncate_dim=64)
embeddings = backend.embed(documents.texts)
topic_model = build_topic_model(backend).fit(documents.texts, embeddings)
print(bertopic_matryoshka.__file__, embeddings.shape, len(set(topic_model.topics_)))
"""


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(what, folder):
    return folder / run(sys.executable, "-c", BUILD, what, cwd=folder).splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """Built from a copy, so that the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("source")
    for name in [*FILES, "pyproject.toml", "README.md", "LICENSE"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return build("build_sdist", folder)


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Built from the source distribution, as pip does where there is no wheel."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # not before 3.11.4
        archive.extractall(folder, **safe)
    return build("build_wheel", next(folder.iterdir()))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the wheel's files and scripts, and the environment that finds them first."""
    folder = tmp_path_factory.mktemp("installed")
    command = ["install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel]
    run(sys.executable, "-m", "pip", *command)
    return folder, {**os.environ, "PYTHONPATH": str(folder)}


def test_the_package_has_files_of_all_kinds():
    kinds = {Path(name).suffix for name in FILES} | {Path(name).name for name in FILES}
    assert {".py", ".pyi", ".jinja", ".json", ".safetensors", "py.typed", "NOTICE"} <= kinds


def test_the_wheel_holds_every_file_and_no_other(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in held if name.startswith(f"{PACKAGE}/")} == FILES
    others = {name for name in held - FILES if ".dist-info/" not in name}
    assert not others
    licences = {name.partition("/licenses/")[2] for name in held if "/licenses/" in name}
    echarts = ("LICENSE", "LICENSE-d3", "LICENSE-zrender", "NOTICE")
    assert licences == {
        "LICENSE",
        f"{PACKAGE}/embedding/default_model/NOTICE",
        *(f"{PACKAGE}/report/echarts/{name}" for name in echarts),
    }


def test_the_first_steps_of_the_demo_run_from_outside_the_checkout(installed, tmp_path):
    folder, environment = installed
    said = run(sys.executable, "-c", FIRST_STEPS, cwd=tmp_path, env=environment)
    file, rest = said.strip().splitlines()[-1].split(" ", 1)
    assert Path(file) == folder / PACKAGE / "__init__.py"
    shape, n_topics = rest.rsplit(" ", 1)
    assert shape == "(200, 64)"
    assert int(n_topics) >= 2


def test_the_command_is_installed(installed, tmp_path):
    folder, environment = installed
    help_text = run(folder / "bin" / "bertopic-matryoshka", "--help", cwd=tmp_path, env=environment)
    assert "compare" in help_text
