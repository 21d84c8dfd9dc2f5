"""Embeddings that are there already, on the command line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import bertopic_matryoshka
from bertopic_matryoshka import load_topic_model
from bertopic_matryoshka.cli._app import app

BUNDLED = Path(bertopic_matryoshka.__file__).parent / "embedding" / "default_model"
N_ROWS, EMPTY = 201, 2


def run(*arguments, code=0):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def files(tmp_path_factory, docs, full_embeddings):
    """Documents with ids and vectors, in which one row has neither text nor vector."""
    folder = tmp_path_factory.mktemp("given")
    kept = [row for row in range(N_ROWS) if row != EMPTY]
    rows = np.full((N_ROWS, 256), np.nan, dtype=np.float32)
    rows[kept] = full_embeddings[:200]
    np.save(folder / "rows.npy", rows)
    vectors = [None if row == EMPTY else rows[row] for row in range(N_ROWS)]
    texts = ["" if row == EMPTY else docs[row - (row > EMPTY)] for row in range(N_ROWS)]
    ids = [f"doc-{row}" for row in range(N_ROWS)]
    table = pa.table({"id": ids, "text": texts, "vec": pa.array(vectors, pa.list_(pa.float32()))})
    pq.write_table(table, folder / "docs.parquet", row_group_size=64)
    return folder


@pytest.fixture(scope="module")
def fitted(files):
    run("fit", files / "docs.parquet", "--out", files / "fitted", "--embedding-column", "vec",
        "--id-column", "id", "--topics", 7, "--min-topic-size", 3, "--dim", 64)  # fmt: skip
    return files / "fitted"


def test_a_column_of_vectors_is_fitted_and_ids_are_carried_for_all_rows(fitted, files, docs):
    table = pd.read_csv(fitted / "documents.csv", keep_default_na=False)
    assert table["id"].tolist() == [f"doc-{row}" for row in range(N_ROWS)]
    assert table.loc[EMPTY, ["text", "topic", "is_document"]].tolist() == ["", -1, False]
    run("fit", files / "docs.parquet", "--out", files / "embedded", "--topics", 7,
        "--text-column", "text", "--min-topic-size", 3, "--dim", 64)  # fmt: skip
    embedded = pd.read_csv(files / "embedded" / "documents.csv", keep_default_na=False)
    assert table["topic"].equals(embedded["topic"])
    assert "id" not in embedded


def test_a_model_of_embeddings_alone_transforms_embeddings_and_says_so_of_texts(
    fitted, files, encoded, tmp_path
):
    done = run("transform", fitted, files / "docs.parquet", "--out", tmp_path / "without", code=1)
    assert "or by --embeddings; or the model that made them" in done.stderr
    run("transform", fitted, files / "docs.parquet", "--out", tmp_path / "out", "--embeddings",
        files / "rows.npy", "--id-column", "id")  # fmt: skip
    again = pd.read_csv(tmp_path / "out" / "documents.csv", keep_default_na=False)
    fit = pd.read_csv(fitted / "documents.csv", keep_default_na=False)
    assert again["topic"].equals(fit["topic"])
    assert again["id"].equals(fit["id"])
    assert "n topics       7" in run("evaluate", fitted, files / "docs.parquet").stdout
    assert "7 topics" in run("topics", fitted).stdout
    assert encoded == []


def test_a_named_model_embeds_words_and_texts_in_the_same_space(files, encoded, tmp_path):
    run("fit", files / "docs.parquet", "--out", tmp_path, "--embeddings", files / "rows.npy",
        "--model", BUNDLED, "--min-topic-size", 3, "--text-column", "text")  # fmt: skip
    assert len(encoded) == 16  # by which the space is checked
    topic_model = load_topic_model(tmp_path / "model")
    texts = pd.read_csv(tmp_path / "documents.csv", keep_default_na=False)
    known = texts[texts["is_document"]]
    assert topic_model.transform(known["text"].tolist())[0] == known["topic"].tolist()
    encoded.clear()
    run("transform", tmp_path, files / "docs.parquet", "--out", tmp_path / "again", "--embeddings",
        files / "rows.npy", "--text-column", "text")  # fmt: skip
    again = pd.read_csv(tmp_path / "again" / "documents.csv", keep_default_na=False)
    assert again["topic"].equals(texts["topic"])
    assert encoded == []


def test_inspect_reads_vectors_alone(files, encoded, full_embeddings, tmp_path):
    pq.write_table(
        pa.table({"vec": pa.array(list(full_embeddings), pa.list_(pa.float32(), 256))}),
        tmp_path / "vectors.parquet",
    )
    np.save(tmp_path / "vectors.npy", full_embeddings)
    column = run("inspect", tmp_path / "vectors.parquet", "--embedding-column", "vec")
    assert column.stdout == run("inspect", tmp_path / "vectors.npy").stdout
    assert f"256 dimensions over {len(full_embeddings)} documents" in column.stdout
    assert encoded == []


def test_compare_cuts_given_embeddings_of_a_model_and_its_control(
    files, encoded, tmp_path, monkeypatch
):
    monkeypatch.setattr("bertopic_matryoshka.report.write_report", lambda _, path: path)  # is slow
    done = run("compare", files / "docs.parquet", "--out", tmp_path, "--embedding-column", "vec",
               "--dims", "256,32", "--replicates", 0, "--min-topic-size", 3, "--measure", "u_mass",
               "--control", "random")  # fmt: skip
    assert "permuted" in done.stdout
    assert pd.read_csv(tmp_path / "summary.csv")["dim"].tolist() == [256, 32, 32]
    assert encoded == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--embeddings short.npy", "short.npy holds 3 embeddings but docs.parquet, column 'text'"),
        ("--embeddings rows.npy --embedding-column vec", "is not for a .npy file"),
        ("--embeddings docs.parquet", "Name its column of vectors by --embedding-column too"),
        ("--embedding-column vecs", "Did you mean 'vec'?"),
        ("--embedding-column text", "is of type string and must hold lists of numbers"),
        ("--embeddings rows.npy --id-column no", "id_column='no' is not a column"),
        ("--embeddings rows.npy --prompt query:", "--prompt is put before texts"),
        ("--embeddings narrow.npy --model {bundled}", "are 64 wide, but"),
        ("--embeddings noise.npy --model {bundled}", "are not those of"),
        ("--embeddings nan.npy", "nan.npy has NaN or infinity in row 150"),
        ("--embeddings text.npy", "is of dtype <U1 and must hold real numbers"),
        ("--embeddings damaged.npy", "is not a whole .npy file of numbers"),
    ],
)
def test_what_does_not_fit_is_refused(files, tmp_path, options, message):
    rows = np.load(files / "rows.npy")
    np.save(files / "short.npy", rows[:3])
    np.save(files / "narrow.npy", rows[:, :64])
    np.save(files / "noise.npy", np.random.default_rng(0).normal(size=rows.shape))
    np.save(files / "text.npy", np.full((N_ROWS, 2), "a"))
    bad = rows.copy()
    bad[150, 3] = np.inf
    np.save(files / "nan.npy", bad)
    (files / "damaged.npy").write_bytes((files / "rows.npy").read_bytes()[:-9])
    words = [
        str(files / word) if word.endswith((".npy", ".parquet")) else word
        for word in options.format(bundled=BUNDLED).split()
    ]
    done = run(
        "fit", files / "docs.parquet", "--text-column", "text", "--out", tmp_path / "out", *words,
        code=1,
    )  # fmt: skip
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("table_format", ["csv", "jsonl", "parquet"])
def test_a_full_disk_leaves_no_half_of_a_table(fitted, files, tmp_path, table_format):
    resource = pytest.importorskip("resource")
    (tmp_path / f"documents.{table_format}").write_text("older", "utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        done = run("transform", fitted, files / "docs.parquet", "--out", tmp_path, "--embeddings",
                   files / "rows.npy", "--force", "--id-column", "id", "--format", table_format,
                   code=1)  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Nothing half-written is left" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [f"documents.{table_format}"]
    assert (tmp_path / f"documents.{table_format}").read_text("utf-8") == "older"
