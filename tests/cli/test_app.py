"""The command line, as people call it: what it writes, what it says, how it exits."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from tiny_models import make_model
from typer.testing import CliRunner

from bertopic_matryoshka import load_topic_model
from bertopic_matryoshka.cli._app import app


@pytest.fixture
def run():
    """Call the command line in this process."""

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def csv(tmp_path, docs, doc_labels):
    """Real text with an empty row in second place."""
    path = tmp_path / "docs.csv"
    texts = [docs[0], "", *docs[1:]]
    pd.DataFrame({"text": texts, "label": ["x", "x", *doc_labels[1:]]}).to_csv(path, index=False)
    return path


def test_compare(run, csv, tmp_path):
    out = tmp_path / "out"
    done = run("compare", csv, "--out", out, "--labels", "label", "--dims", "128,32",
               "--reductions", "none,pca", "--replicates", 3)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "1 empty row kept in place as topic -1" in done.output
    assert "AMI" in done.output
    table = pd.read_csv(out / "comparison.csv")
    assert table["dim"].tolist() == [128, 32, 128, 32]
    assert table["seed"].tolist() == [0] * 4
    names = pd.read_csv(out / "summary.csv")["topic_model"].tolist()
    assert names == ["Leiden", "Leiden", "PCA + HDBSCAN", "PCA + HDBSCAN"]
    assert (out / "comparison.json").is_file()
    answer = re.search(r"^(Keep|Too few data).* 256 dimensions.*$", done.output, re.MULTILINE)[0]
    assert answer in (out / "report.html").read_text("utf-8")
    assert "tolerance=0.1, margin=0.02" in done.output
    assert len(set(pd.read_csv(out / "summary.csv")["topic_agreement"])) > 1
    assert "Leiden: largest topics at 128 dimensions" in done.output
    assert "PCA + HDBSCAN: largest topics at 128 dimensions" in done.output
    assert not re.search(r"times (faster|less)", done.output)


def test_compare_with_everything_that_can_be_asked_for(run, csv, tmp_path):
    out, store = tmp_path / "out", tmp_path / "store"
    asked = ["compare", csv, "--out", out, "--dims", "64,32", "--reductions", "variance",
             "--criterion", "variance,laplacian", "--clustering", "leiden", "--control", "random",
             "--topics", 5, "--min-topic-size", 8, "--measure", "c_npmi", "--seed", 3,
             "--seeds", 2, "--halves", "--store", store, "--jobs", 2]  # fmt: skip
    done = run(*asked)
    assert done.exit_code == 0, done.output
    assert "documents, 2 seeds. Embeddings: the bundled model at 64 and 32 of 256" in done.output
    assert "c_npmi" in done.output
    assert "selection by variance + Leiden, permuted (control)" in done.output
    summary = pd.read_csv(out / "summary.csv")
    assert summary["topic_model"].unique().tolist() == [
        "selection by variance + Leiden",
        "selection by laplacian + Leiden",
        "selection by variance + Leiden, permuted",
    ]
    assert (summary["n_topics"] == 5).all()
    assert summary[["seed_stability", "half_stability"]].notna().all(axis=None)
    assert set(pd.read_csv(out / "comparison.csv")["seed"]) == {3, 4}
    kept = sorted(store.rglob("*"))
    assert kept
    assert run(*asked, "--force").exit_code == 0
    assert sorted(store.rglob("*")) == kept
    again = pd.read_csv(out / "summary.csv")
    pd.testing.assert_frame_equal(again, summary)


def test_compare_takes_umap_only_where_it_is_named(run, csv, tmp_path):
    done = run("compare", csv, "--out", tmp_path / "out", "--dims", 64, "--replicates", 0)
    assert done.exit_code == 0, done.output
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert summary["topic_model"].unique().tolist() == ["selection + Leiden"]
    assert "UMAP" not in done.output


def test_umap_is_said_to_take_minutes_before_it_runs(monkeypatch, run, csv, tmp_path):
    def stop(*_, **__):
        raise ValueError("stopped before the first fit")

    monkeypatch.setattr("bertopic_matryoshka.comparison.compare_dimensions", stop)
    done = run("compare", csv, "--out", tmp_path / "out", "--dims", "64,32", "--seeds", 2,
               "--reductions", "variance,umap", "--replicates", 5)  # fmt: skip
    assert "UMAP and HDBSCAN will fit all documents 12 times: expect about 1 minute," in done.stdout
    assert "stopped before the first fit" in done.stderr


def test_compare_several_models(run, csv, tmp_path):
    names = ["one", "two", "held"]
    models = [
        make_model(tmp_path / name, width=w) for name, w in zip(names, (64, 32, 48), strict=True)
    ]
    done = run("compare", csv, "--out", tmp_path / "out", "--reductions", "none",
               "--model", models[0], "--model", models[1], "--control", models[2],
               "--min-topic-size", 5)  # fmt: skip
    assert done.exit_code == 0, done.output
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert summary["dim"].tolist() == [64, 32, 32, 48]
    assert summary["embedding_model"].tolist() == [models[0], *models]
    assert summary["topic_model"].tolist() == [f"{m}, Leiden" for m in summary["embedding_model"]]
    assert f"{models[2]}, Leiden (control)" in done.output.replace("\n", "")


def test_fit_writes_topics_documents_and_a_model(run, csv, tmp_path, docs):
    out = tmp_path / "out"
    done = run("fit", csv, "--out", out, "--dim", 64, "--reduction", "pca", "--min-topic-size", 8)
    assert done.exit_code == 0, done.output
    assert "hdbscan.HDBSCAN has no safe format" in done.stderr
    documents = pd.read_csv(out / "documents.csv")
    assert len(documents) == len(docs) + 1
    assert documents["row"].tolist() == list(range(len(docs) + 1))
    assert documents.loc[1, ["topic", "is_document"]].tolist() == [-1, False]
    assert documents["is_document"].sum() == len(docs)
    topics = pd.read_csv(out / "topics.csv")
    assert topics["size"].sum() == len(docs)
    for topic, size in zip(topics["topic"], topics["size"], strict=True):
        assert ((documents["topic"] == topic) & documents["is_document"]).sum() == size
    page = (out / "topics.html").read_text("utf-8")
    assert "<title>Topics of docs.csv</title>" in page
    assert page.count('class="topic"') == (topics["topic"] >= 0).sum()
    loaded = load_topic_model(out / "model")
    assert loaded.embedding_model.embedding_dim == 64


@pytest.mark.parametrize("n_topics", [3, 15])
def test_fit_gives_as_many_topics_as_asked_for(run, csv, tmp_path, n_topics):
    out = tmp_path / "out"
    done = run("fit", csv, "--out", out, "--topics", n_topics, "--min-topic-size", 8)
    assert done.exit_code == 0, done.output
    assert (pd.read_csv(out / "topics.csv")["topic"] >= 0).sum() == n_topics


def test_fit_leaves_out_the_share_asked_for(run, csv, tmp_path, docs):
    out = tmp_path / "out"
    done = run("fit", csv, "--out", out, "--outlier-share", 0.25, "--min-topic-size", 8)
    assert done.exit_code == 0, done.output
    documents = pd.read_csv(out / "documents.csv")
    left_out = documents["is_document"] & (documents["topic"] == -1)
    assert left_out.sum() == round(0.25 * len(docs))
    done = run("fit", csv, "--out", out, "--outlier-share", 0.25, "--reduction", "pca", "--force")
    assert done.exit_code == 1
    assert "--outlier-share=0.25 is not for --reduction pca" in done.stderr


def test_inspect_embeddings(run, tmp_path):
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(50, 6)) * [1, 1, 0, 1, 1e-4, 1]
    np.save(tmp_path / "e.npy", embeddings.astype("float16"))
    done = run("inspect", tmp_path / "e.npy", "--out", tmp_path / "deep" / "spectrum.html")
    assert done.exit_code == 0, done.output
    assert "6 dimensions over 50 documents; near-zero: 2, 4." in done.output
    assert "plotly" in (tmp_path / "deep" / "spectrum.html").read_text("utf-8")


def test_inspect_documents(run, csv):
    done = run("inspect", csv)
    assert done.exit_code == 0, done.output
    assert "256 dimensions" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "{csv}", "--text-column", "txt"], "'txt' is not a column of docs.csv, which"),
        (["compare", "{csv}", "--labels", "lable"], "Did you mean 'label'?"),
        (["compare", "{csv}", "--dims", "512"], "dims=512 must be between 1 and 256"),
        (["compare", "{short}"], "3 documents are fewer than one topic needs"),
        (["fit", "{short}"], "3 documents are fewer than one topic needs"),
        (["fit", "{csv}", "--dim", "300"], "truncate_dim=300 must be between 1 and 256"),
        (["inspect", "{nan}"], "nan.npy has NaN or infinity in row 2"),
    ],
)
def test_errors_are_one_line_without_a_traceback(run, csv, tmp_path, arguments, message):
    (tmp_path / "short.txt").write_text("one\ntwo\nthree\n", "utf-8")
    np.save(tmp_path / "nan.npy", [[1.0, 2.0], [1.0, 3.0], [np.nan, 1.0]])
    files = {
        "{csv}": csv,
        "{short}": tmp_path / "short.txt",
        "{nan}": tmp_path / "nan.npy",
    }
    arguments = [files.get(argument, argument) for argument in arguments]
    if arguments[0] in ("compare", "fit"):
        arguments += ["--out", tmp_path / "out"]
    done = run(*arguments)
    assert done.exit_code == 1
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: ")
    assert message in line
    assert "Traceback" not in done.output
    assert not (tmp_path / "out").exists()


def test_usage_errors_exit_with_2(run, csv):
    assert run("compare", csv).exit_code == 2  # no --out
    assert run("nonsense").exit_code == 2


def test_debug_anywhere_shows_the_traceback(tmp_path):
    (tmp_path / "no.npy").write_bytes(b"")
    command = [sys.executable, "-m", "bertopic_matryoshka", "inspect", str(tmp_path / "no.npy")]
    done = subprocess.run([*command, "--debug"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ValueError: no.npy is not a whole .npy file" in done.stderr


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_its_extra_the_command_line_names_it(missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from bertopic_matryoshka.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"Error: the command line needs {missing}. "
        'Install it with: pip install "bertopic-matryoshka[cli]"'
    )
