"""The command train: from a file to a model that the other commands take."""

import json

import pandas as pd
import pytest
from tiny_models import make_architecture
from typer.testing import CliRunner

from bertopic_matryoshka.cli._app import app

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXTS = [f"{first} {second}" for first in LETTERS[:6] for second in LETTERS[:5]]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Folder of a BERT with three layers, 24 wide."""
    folder = tmp_path_factory.mktemp("models")
    make_architecture("Bert", folder / "made").save_pretrained(str(folder / "bert"))
    return folder / "bert"


@pytest.fixture
def run(tmp_path, model):
    """Train on a table."""

    def call(table, *options):
        file = tmp_path / "file.csv"
        pd.DataFrame(table).to_csv(file, index=False)
        arguments = ["train", file, "--model", model, "--out", tmp_path / "out", "--dims", "8"]
        arguments += ["--device", "cpu", *options]
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


def test_documents_and_layers(run, tmp_path):
    done = run({"text": [*TEXTS, ""], "label": "x"}, "--layers", "1", "--epochs", 2, "--seed", 3)
    assert done.exit_code == 0, done.output
    assert "31 rows, 30 documents, 1 empty row" in done.stdout
    assert "25 items in 2 batches" in done.stdout
    assert "neighbors kept" in done.stdout
    cells = [line.split() for line in done.stdout.splitlines()]
    sizes = [row[:2] for row in cells if len(row) == 4 and row[0] in {"3", "1"}]
    assert sizes == [["3", "24"], ["3", "8"], ["1", "24"], ["1", "8"]]
    config = json.loads((tmp_path / "out" / "config.json").read_text("utf-8"))
    assert config["matryoshka_dimensions"] == [24, 8]
    assert config["matryoshka_layers"] == [3, 1]
    again = run({"text": TEXTS}, "--layers", "1")
    assert again.exit_code == 1
    assert "has files in it" in again.stderr


@pytest.mark.parametrize(
    ("options", "measure", "kind"),
    [
        (("--columns", "one,two"), "Reciprocal rank", "25 pairs"),
        (("--columns", "one,two,three"), "Accuracy", "25 triplets"),
        (("--columns", "one,two", "--score", "score"), "Spearman", "25 scored pairs"),
    ],
)
def test_pairs_triplets_and_scores(run, tmp_path, options, measure, kind):
    table = {
        "one": [*TEXTS, "left out"],
        "two": [*TEXTS[::-1], ""],
        "three": "z z",
        "score": range(31),
    }
    done = run(table, *options)
    assert done.exit_code == 0, done.output
    assert "1 of 31 rows lack a text and were left out" in done.stderr
    assert measure.lower() in done.stdout
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert measure in card
    assert kind in card
