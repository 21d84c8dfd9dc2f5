"""From `fit` to `transform`, `evaluate` and `topics`."""

import csv
import os
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

from bertopic_matryoshka.cli._app import app


def run(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def texts(docs):
    return ["=1+1", 'a cell, with\na line end and "quotes"', *docs[:200]]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, texts):
    out = tmp_path_factory.mktemp("cli") / "fitted"
    pd.DataFrame({"text": texts}).to_json(out.parent / "d.jsonl", orient="records", lines=True)
    done = run("fit", out.parent / "d.jsonl", "--out", out, "--topics", 17, "--min-topic-size", 3,
               "--ngrams", 2)  # fmt: skip
    assert "2 more topics" in done.stdout
    assert "apostrophe before them: 1" in done.stderr
    return out


def test_documents_csv_is_ready_for_a_spreadsheet(fitted, texts):
    data = (fitted / "documents.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines(keepends=True)))
    assert [row["text"] for row in rows] == ["'=1+1", *texts[1:]]
    table = pd.read_csv(fitted / "documents.csv", keep_default_na=False)
    assert table["text"].tolist() == ["'=1+1", *texts[1:]]
    words = pd.read_csv(fitted / "topics.csv").set_index("topic")["words"]
    for topic, name in zip(table["topic"], table["name"], strict=True):
        assert words[topic].startswith(name)
    assert table["probability"].between(0, 1).all()
    assert any(" " in word for line in words for word in line.split(", "))  # --ngrams 2


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet", "txt", "csv.gz"])
def test_a_file_of_every_format_is_fitted_transformed_and_evaluated(texts, tmp_path, suffix):
    path, out = tmp_path / f"new.{suffix}", tmp_path / "out"
    one_line = [" ".join(text.split()) for text in texts[2:]]
    frame = pd.DataFrame({"text": one_line})
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif suffix == "txt":
        path.write_text("\n".join(one_line), "utf-8")
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    run("fit", path, "--out", out, "--topics", 7, "--min-topic-size", 3)
    run("transform", out, path, "--out", tmp_path / "new", "--format", "parquet")
    found = pd.read_parquet(tmp_path / "new" / "documents.parquet")
    fit = pd.read_csv(out / "documents.csv")
    assert found["row"].tolist() == list(range(200))
    assert found["text"].tolist() == one_line
    assert (found["topic"].to_numpy() == fit["topic"].to_numpy()).mean() > 0.9
    done = run("evaluate", out / "model", path, "--measures", "npmi")
    assert "n topics       7" in done.stdout
    assert "diversity" in done.stdout


def test_broken_characters_are_replaced_and_counted(fitted, tmp_path):
    (tmp_path / "new.jsonl").write_text('{"text": "half a \\ud83d smile"}\n', "utf-8")
    done = run("transform", fitted, tmp_path / "new.jsonl", "--out", tmp_path / "out")
    assert "broken characters replaced in 1 document" in done.stdout
    table = pd.read_csv(tmp_path / "out" / "documents.csv")
    assert table["text"].tolist() == ["half a \ufffd smile"]


def test_a_terminal_without_unicode_and_a_reader_that_stops(fitted):
    command = f"{sys.executable} -m bertopic_matryoshka topics '{fitted}' --search 'd\u00e9j\u00e0'"
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        f"{command} | head -n 1", shell=True, env=ascii_only, capture_output=True, check=False
    )  # fmt: skip
    assert b"Topics nearest to" in done.stdout
    assert b"Error" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_topics_are_listed_and_searched(fitted):
    listed = run("topics", fitted, "--top", 3).stdout
    assert "17 topics" in listed
    assert "14 more topics" in listed
    words = pd.read_csv(fitted / "topics.csv").set_index("topic")["words"][5]
    found = run("topics", fitted, "--search", words.split(", ")[0], "--top", 3).stdout
    assert "similarity" in found
    assert "more topics" not in found


def test_quiet_prints_nothing_but_is_not_kept(fitted):
    assert run("--quiet", "topics", fitted).stdout == ""
    assert "17 topics" in run("topics", fitted).stdout
