"""Reading documents: every row is counted, none is dropped."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertopic_matryoshka.documents._documents import clean_documents
from bertopic_matryoshka.documents._readers import read_documents

CELLS = st.one_of(st.text(), st.none(), st.floats(), st.integers(), st.just([]), st.just(" \t"))


def write(folder, name, content):
    path = folder / name
    if isinstance(content, str):
        content = content.encode("utf-8")
    path.write_bytes(content)
    return path


# ---- in memory


def test_rows_without_a_document_are_counted_and_keep_their_place():
    documents = clean_documents(["a cat", "", None, " \n", np.nan, 7, ["x"], "a dog "])
    assert documents.texts == ["a cat", "a dog "]
    assert documents.rows.tolist() == [0, 7]
    assert (documents.n_rows, documents.n_empty, documents.n_non_string) == (8, 2, 4)
    assert documents.spread([3, 0]) == [3, -1, -1, -1, -1, -1, -1, 0]
    assert len(documents) == 2


def test_a_series_with_missing_values_is_read_like_a_list():
    documents = clean_documents(pd.Series(["a", pd.NA, None, "b"]))
    assert (documents.texts, documents.n_non_string) == (["a", "b"], 2)


@given(st.lists(CELLS, min_size=1))
def test_spread_puts_every_text_back_at_its_row(cells):
    usable = [isinstance(cell, str) and cell.strip() != "" for cell in cells]
    if not any(usable):
        with pytest.raises(ValueError, match="no usable document"):
            clean_documents(cells)
        return
    documents = clean_documents(cells)
    expected = [cell if ok else None for cell, ok in zip(cells, usable, strict=True)]
    assert documents.spread(documents.texts, fill=None) == expected
    assert len(documents) + documents.n_empty + documents.n_non_string == documents.n_rows
    assert documents.n_rows == len(cells)


def test_lone_surrogates_are_replaced_and_counted():
    documents = clean_documents(["whole \U0001f600", "half \ud83d", "", "\ude00\ud83d"])
    assert documents.texts == ["whole \U0001f600", "half \ufffd", "\ufffd\ufffd"]
    assert documents.n_repaired == 2
    assert documents.summary().endswith("broken characters replaced in 2 documents")


def test_spread_gives_python_numbers_for_an_array():
    spread = clean_documents(["a", "", "b"]).spread(np.array([2, 5]))
    assert spread == [2, -1, 5]
    assert {type(value) for value in spread} == {int}


def test_spread_refuses_another_number_of_values():
    with pytest.raises(ValueError, match=r"values has 3 items but .* holds 2 documents"):
        clean_documents(["a", "", "b"]).spread([1, 2, 3])


@pytest.mark.parametrize(
    ("cells", "summary"),
    [
        (["a"], "1 row, 1 document"),
        (["a", ""], "2 rows, 1 document, 1 empty row kept in place as topic -1"),
        (["a", "b", 1, None], "4 rows, 2 documents, 2 non-string rows kept in place as topic -1"),
        (
            ["a"] * 7591 + [""] * 6 + [None] * 3,
            "7,600 rows, 7,591 documents, 6 empty and 3 non-string rows kept in place as topic -1",
        ),
    ],
)
def test_summary_is_one_line(cells, summary):
    assert clean_documents(cells).summary() == summary


def test_missing_labels_are_empty_and_their_documents_stay():
    labels = ["x", None, np.nan, pd.NaT, " y ", 3, "of no document"]
    documents = clean_documents(["a", "b", "c", "d", "e", "f", ""], labels=labels)
    assert documents.labels.tolist() == ["x", "", "", "", "y", "3"]


def test_labels_must_be_as_many_as_the_rows():
    with pytest.raises(ValueError, match=r"labels has 1 items .* 2 rows"):
        clean_documents(["a", "b"], labels=["x"])


def test_one_string_is_not_a_list_of_documents():
    with pytest.raises(TypeError, match=r"one str.*\[document\]"):
        clean_documents("a document")


def test_no_rows_and_no_documents_are_refused():
    with pytest.raises(ValueError, match="holds no rows"):
        clean_documents([])
    with pytest.raises(ValueError, match=r"of 3 rows, 2 empty and 1 non-string row\."):
        clean_documents(["", " ", None])


# ---- CSV


def test_csv_cells_are_strings_whatever_they_look_like(tmp_path):
    path = write(tmp_path, "a.csv", 'id,text\n1,NA\n2,null\n3,123\n4,\n5,"two, and\nthree"\n')
    documents = read_documents(path, text_column="text")
    assert documents.texts == ["NA", "null", "123", "two, and\nthree"]
    assert documents.rows.tolist() == [0, 1, 2, 4]
    assert (documents.n_empty, documents.n_non_string) == (1, 0)
    assert documents.source == "a.csv, column 'text'"
    assert documents.labels is None


def test_csv_keeps_blank_lines_and_short_rows(tmp_path):
    path = write(tmp_path, "a.csv", "label,text\nx,one\n\ny\nz,two\n")
    documents = read_documents(path, label_column="label")
    assert documents.rows.tolist() == [0, 3]
    assert documents.n_empty == 2
    assert documents.labels.tolist() == ["x", "z"]


@pytest.mark.parametrize("name", ["a.tsv", "A.TSV"])
def test_tsv_is_split_at_tabs(tmp_path, name):
    path = write(tmp_path, name, "text\tlabel\none, two\tx\n")
    documents = read_documents(path, label_column="label")
    assert (documents.texts, documents.labels.tolist()) == (["one, two"], ["x"])


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = write(tmp_path, "a.csv", b"\xef\xbb\xbftext,n\ncaf\xc3\xa9,1\n")
    assert read_documents(path, text_column="text").texts == ["café"]


def test_gzip_is_read(tmp_path):
    path = write(tmp_path, "a.csv.gz", gzip.compress(b"text\none\n"))
    assert read_documents(path).texts == ["one"]


def test_a_broken_gzip_names_the_file(tmp_path):
    path = write(tmp_path, "a.csv.gz", "text\none\n")
    with pytest.raises(ValueError, match=r"a\.csv\.gz cannot be decompressed"):
        read_documents(path)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"text\none\ncaf\xe9 two\n", "byte 0xe9 on line 3, position 12 "),
        (b"\xef\xbb\xbftext\ncaf\xe9\n", "byte 0xe9 on line 2, position 11 "),
    ],
)
def test_bytes_that_are_not_utf8_are_placed(tmp_path, content, place):
    path = write(tmp_path, "a.csv", content)
    with pytest.raises(ValueError, match=rf"a\.csv is not UTF-8: {place}"):
        read_documents(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,b\nc,d,e\n", "cannot be parsed.*line 3"),
        ('text,label\n"a,b\n', "cannot be parsed.*Quote"),
        ("text,label\na,b,c\nd,e,f\n", "more cells than its header, which has 2"),
        ("", "a.csv holds no rows"),
        ("text,label\n", "a.csv holds no rows"),
        ("text\n\n \n", "text_column=None, but no single column"),
    ],
)
def test_csv_that_cannot_be_used_says_why(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_documents(write(tmp_path, "a.csv", content))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_by_its_mark_and_not_guessed(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("text\nd\u00e9j\u00e0 vu\n".encode(encoding))
    if encoding == "utf-16":
        assert read_documents(path).texts == ["d\u00e9j\u00e0 vu"]
        return
    with pytest.raises(ValueError, match=r"a\.csv is not .*UTF-8"):
        read_documents(path)


def test_a_column_without_documents_is_refused(tmp_path):
    path = write(tmp_path, "a.csv", "text,label\n,x\n , y\n")
    with pytest.raises(
        ValueError, match="column 'text' holds no usable document: of 2 rows, 2 emp"
    ):
        read_documents(path, text_column="text")


# ---- JSON Lines


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson"])
def test_jsonl_numbers_and_missing_keys_are_non_string_rows(tmp_path, name):
    lines = '{"text": "one", "y": 1}\n{"text": 5}\n{"text": null}\n\n{"y": 2}\n{"text": "NA"}'
    documents = read_documents(write(tmp_path, name, lines), label_column="y")
    assert documents.texts == ["one", "NA"]
    assert documents.rows.tolist() == [0, 5]
    assert (documents.n_empty, documents.n_non_string) == (1, 3)
    assert documents.labels.tolist() == ["1", ""]


def test_jsonl_keeps_a_line_separator_inside_a_text(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"text": "one\u2028two"}\r\n{"text": "three"}\r\n')
    assert read_documents(path).texts == ["one\u2028two", "three"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "one"}\n{"text": \n', "line 2 is not valid JSON"),
        ('[{"text": "one"}]', "line 1 is a JSON list, not an object"),
        ("\n\n", "holds no rows"),
    ],
)
def test_jsonl_that_cannot_be_used_says_why(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_documents(write(tmp_path, "a.jsonl", content))


# ---- plain text


def test_txt_has_one_document_a_line(tmp_path):
    path = write(tmp_path, "a.txt", "\ufeffone\r\n\n two\x0cthree \nNA")
    documents = read_documents(path)
    assert documents.texts == ["one", " two\x0cthree ", "NA"]
    assert documents.rows.tolist() == [0, 2, 3]
    assert documents.summary() == "4 rows, 3 documents, 1 empty row kept in place as topic -1"


@pytest.mark.parametrize("option", ["text_column", "label_column"])
def test_txt_has_no_columns(tmp_path, option):
    path = write(tmp_path, "a.txt", "one\n")
    with pytest.raises(ValueError, match=f"{option}='x'.*has no columns"):
        read_documents(path, **{option: "x"})


# ---- Parquet


def test_parquet_is_read_with_its_types(tmp_path):
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame({"n": [1, 2, 3, 4], "body": ["one", None, " ", "NA"], "y": [0, 1, 1, 0]})
    pytest.importorskip("pyarrow")
    frame.to_parquet(path)
    documents = read_documents(path, label_column="y")
    assert documents.texts == ["one", "NA"]
    assert (documents.n_empty, documents.n_non_string) == (1, 1)
    assert documents.labels.tolist() == ["0", "0"]
    with pytest.raises(ValueError, match="no usable document: of 4 rows, 4 non-string rows"):
        read_documents(path, text_column="n")


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "bertopic-matryoshka\[cli\]"'):
        read_documents(write(tmp_path, "a.parquet", b""))


def test_a_file_that_is_no_parquet_says_so(tmp_path):
    pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match=r"a\.parquet is not a readable Parquet file"):
        read_documents(write(tmp_path, "a.parquet", "text\none\n"))


def test_a_damaged_page_names_the_file(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"text": [f"document {i}" for i in range(500)]}).to_parquet(path)
    data = bytearray(path.read_bytes())
    data[40:200] = bytes(160)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.parquet is not a readable Parquet file: .+ again"):
        read_documents(path)


def test_only_the_columns_that_are_needed_are_read(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    columns = {"vec": [[0.5, 1.0], [1.0, 2.0]], "words": ["one", "two"]}
    pd.DataFrame(columns | {f"n{i}": [1.0, 2.0] for i in range(3000)}).to_parquet(path)
    read, whole = [], pq.ParquetFile.read

    def spy(self, columns=None, **settings):
        read.append(columns)
        return whole(self, columns=columns, **settings)

    monkeypatch.setattr(pq.ParquetFile, "read", spy)
    assert read_documents(path).texts == ["one", "two"]
    assert set(map(tuple, read)) == {("words",)}
    with pytest.raises(ValueError, match=r"'x' is not a column .* and 2,992 more"):
        read_documents(path, text_column="x")


def test_columns_of_one_name_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([["one"], ["two"]], names=["text", "text"]), path)
    with pytest.raises(ValueError, match=r"a\.parquet has 2 columns named 'text'"):
        read_documents(path)


def test_a_folder_named_like_a_file_is_refused(tmp_path):
    (tmp_path / "x.parquet").mkdir()
    with pytest.raises(IsADirectoryError, match=r"x\.parquet is a folder"):
        read_documents(tmp_path / "x.parquet")


# ---- the choice of columns


@pytest.mark.parametrize(
    ("header", "row", "chosen"),
    [
        ("review", "good", "review"),
        ("id,anything", "1,good", "anything"),
        ("title,Text,label", "a,b,c", "Text"),
        ("url,content", "u,c", "content"),
        ("url,title", "u,t", "title"),
        ("text,words", "5,good", "words"),
    ],
)
def test_the_text_column_is_found(tmp_path, header, row, chosen):
    path = write(tmp_path, "a.csv", f"{header}\n{row}\n")
    assert read_documents(path).source == f"a.csv, column {chosen!r}"


def test_the_label_column_is_not_taken_for_the_text(tmp_path):
    path = write(tmp_path, "a.csv", "one,title\ntext,x\n")
    assert read_documents(path, label_column="title").texts == ["text"]


@pytest.mark.parametrize(
    ("header", "row"), [("a,b", "x,y"), ("text,body,title", "x,y,z"), ("a,b", "1,2")]
)
def test_an_ambiguous_text_column_is_refused(tmp_path, header, row):
    path = write(tmp_path, "a.csv", f"{header}\n{row}\n")
    names = ", ".join(map(repr, header.split(",")))
    with pytest.raises(ValueError, match=f"text_column=None.*{names}.*as text_column"):
        read_documents(path)


@pytest.mark.parametrize("option", ["text_column", "label_column"])
def test_a_missing_column_names_those_there_and_the_nearest(tmp_path, option):
    path = write(tmp_path, "a.csv", "Text,label\nx,y\n")
    with pytest.raises(ValueError, match=rf"{option}='txt'.*'Text', 'label'\. Did you mean 'Text'"):
        read_documents(path, **{option: "txt"})
    with pytest.raises(ValueError, match=f"{option}='zzz'.*Pass one of them as {option}"):
        read_documents(path, **{option: "zzz"})


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.zip", "a.parquet.gz"])
def test_another_suffix_names_those_supported(tmp_path, name):
    with pytest.raises(ValueError, match=r"\.csv, \.tsv, \.jsonl, \.ndjson, \.parquet, \.txt"):
        read_documents(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        read_documents(tmp_path / "nowhere.csv")
