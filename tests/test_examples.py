"""The examples run, on little input."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


def run(script, folder):
    return subprocess.run(
        [sys.executable, str(script), "200"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """All examples, two at a time: most of each is the import of torch."""
    with ThreadPoolExecutor(2) as pool:
        yield {
            script: pool.submit(run, script, tmp_path_factory.mktemp(script.stem))
            for script in SCRIPTS
        }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_example(script, running):
    done = running[script].result()
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("database", ["lancedb", "qdrant_client"])
def test_topics_are_written_back_to_a_vector_database(database, running):
    pytest.importorskip(database)
    (script,) = (script for script in SCRIPTS if script.stem == "vector_database")
    assert f"{database}: " in running[script].result().stdout
