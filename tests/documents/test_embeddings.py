"""Embeddings that a file holds: those of the documents, and plain refusals."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bertopic_matryoshka.documents import clean_documents, read_embeddings

X = np.arange(1, 13, dtype=np.float32).reshape(6, 2)


def parquet(path, vectors, kind=None, **options):
    kind = pa.list_(pa.float32()) if kind is None else kind
    pq.write_table(
        pa.table({"v": pa.array(vectors, kind), "n": range(len(vectors))}), path, **options
    )
    return path


def test_a_npy_file_is_memory_mapped(tmp_path):
    np.save(tmp_path / "x.npy", X)
    found = read_embeddings(tmp_path / "x.npy")
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    np.testing.assert_array_equal(found, X)


@pytest.mark.parametrize("suffix", ["npy", "parquet", "jsonl"])
def test_rows_without_a_text_need_no_embedding(tmp_path, suffix):
    documents = clean_documents(["a", "", "b", None, "c", "d"])
    path = tmp_path / f"x.{suffix}"
    cells = [None if row in (1, 3) else X[row].tolist() for row in range(6)]
    if suffix == "npy":
        holes = X.copy()
        holes[[1, 3]] = np.nan
        np.save(path, holes)
    elif suffix == "parquet":
        parquet(path, cells, row_group_size=2)
    else:
        path.write_text("\n".join(json.dumps({"v": cell}) for cell in cells), "utf-8")
    column = None if suffix == "npy" else "v"
    found = read_embeddings(path, column=column, documents=documents)
    np.testing.assert_array_equal(found, X[[0, 2, 4, 5]])
    if suffix != "npy":
        with pytest.raises(ValueError, match="no vector in row 1"):
            read_embeddings(path, column=column)


@pytest.mark.parametrize("value", [pa.float16(), pa.float32(), pa.float64(), pa.int8()])
@pytest.mark.parametrize("size", [-1, 2])
def test_parquet_keeps_its_precision(tmp_path, value, size):
    rows = X.astype(value.to_pandas_dtype())
    found = read_embeddings(
        parquet(tmp_path / "x.parquet", list(rows), pa.list_(value, size), row_group_size=4),
        column="v",
    )
    assert found.dtype == rows.dtype
    np.testing.assert_array_equal(found, X)


def test_only_the_column_of_vectors_is_read(tmp_path, monkeypatch):
    path = parquet(tmp_path / "x.parquet", list(X))
    asked = []
    read = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile,
        "iter_batches",
        lambda self, *a, columns, **k: (
            asked.append(columns) or read(self, *a, columns=columns, **k)
        ),
    )
    read_embeddings(path, column="v")
    assert asked == [["v"]]


def refused(path, message, error=ValueError, **options):
    with pytest.raises(error, match=message):
        read_embeddings(path, **options)


def test_what_cannot_be_read_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "flat.npy", X.ravel())
    np.save(tmp_path / "none.npy", X[:0])
    np.save(tmp_path / "complex.npy", X.astype(complex))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-1])
    (tmp_path / "x.csv").write_text("v\n[1]\n", "utf-8")
    (tmp_path / "x.jsonl").write_text('{"v": 1}\n{"v": 2}\n', "utf-8")
    (tmp_path / "no.parquet").write_text("v", "utf-8")
    good = parquet(tmp_path / "x.parquet", list(X))
    bad = X.copy()
    bad[4, 0] = np.nan
    documents = clean_documents(["a", "b"], source="b.csv")
    refused(tmp_path / "x.npy", "which has none", column="v")
    refused(tmp_path / "x.npy", "holds 6 embeddings but b.csv holds 2 rows", documents=documents)
    refused(good, "holds 6 embeddings but b.csv holds 2 rows", column="v", documents=documents)
    refused(tmp_path / "flat.npy", "must be two-dimensional")
    refused(tmp_path / "none.npy", r"no embeddings: its shape is \(0, 2\)")
    refused(tmp_path / "complex.npy", "must hold real numbers", TypeError)
    refused(tmp_path / "cut.npy", "not a whole .npy file")
    refused(tmp_path / "x.csv", "no file of embeddings")
    refused(tmp_path / "x.jsonl", "holds no lists of numbers", column="v")
    refused(tmp_path / "no.parquet", "not a readable Parquet file", column="v")
    refused(good, "column=None")
    refused(good, "column='w' is not a column", column="w")
    refused(good, "is of type int64", column="n")
    refused(parquet(tmp_path / "e.parquet", []), "holds no embeddings", column="v")
    nan = parquet(tmp_path / "nan.parquet", list(bad))
    refused(nan, "NaN or infinity in row 4", column="v")
    documents = clean_documents(["a", "", "b", "c", "d", "e"])
    refused(nan, "NaN or infinity in row 4", column="v", documents=documents)
    ragged = parquet(tmp_path / "r.parquet", [[1.0], [2.0], [3.0, 4.0]], row_group_size=2)
    refused(ragged, "different widths: 1 in row 0 and 2 in row 2", column="v")
    refused(tmp_path / "absent.npy", "absent.npy", FileNotFoundError)
