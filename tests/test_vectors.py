"""Embeddings as columns of vectors: the same results as with the array, or a plain refusal."""

import itertools
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    PrincipalRotation,
    compare_prefixes,
    inspect_dimensions,
    nearest_neighbors,
    truncate,
)


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(3, 20)), 20, axis=0)
    return (centres + 0.3 * rng.normal(size=(60, 20))).astype(np.float32)


def fixed(X):
    return pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), X.shape[1])


def lists(X):
    return pa.array(list(X), pa.list_(pa.float32()))


COLUMNS = {
    "Arrow, of one size": fixed,
    "Arrow, of any size": lists,
    "Arrow, large": lambda X: pa.array(list(X), pa.large_list(pa.float32())),
    "Arrow, tensors": pa.FixedShapeTensorArray.from_numpy_ndarray,
    "Arrow, a slice": lambda X: fixed(np.vstack([X[:3], X, X[:2]]))[3:-2],
    "Arrow, chunks": lambda X: pa.chunked_array([lists(X[:7]), lists(X[7:7]), lists(X[7:])]),
    "Arrow, a column": lambda X: pa.table({"id": range(len(X)), "vector": fixed(X)})["vector"],
    "pandas": lambda X: pd.Series(list(X), index=range(5, 5 + len(X))),
    "pandas, lists": lambda X: pd.Series([list(row) for row in X]),
    "pandas, Arrow": lambda X: pd.Series(lists(X), dtype=pd.ArrowDtype(pa.list_(pa.float32()))),
    "array of arrays": lambda X: np.fromiter(list(X), dtype=object, count=len(X)),
    "__array__": lambda X: type("Held", (), {"__array__": lambda *_, **__: X})(),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_gives_what_its_array_gives(kind, X):
    column = COLUMNS[kind](X)
    np.testing.assert_array_equal(truncate(column, 8), truncate(X, 8))
    assert inspect_dimensions(column).table.equals(inspect_dimensions(X).table)
    assert compare_prefixes(column, dims=[8]).equals(compare_prefixes(X, dims=[8]))
    np.testing.assert_array_equal(nearest_neighbors(column, 3)[0], nearest_neighbors(X, 3)[0])
    for estimator in (DimensionSelector(4), PrincipalRotation(4), LeidenClustering(3)):
        method = "fit_predict" if hasattr(estimator, "fit_predict") else "fit_transform"
        found = getattr(estimator, method)(column)
        np.testing.assert_array_equal(found, getattr(estimator, method)(X))


def test_one_chunk_of_arrow_is_not_copied(X):
    from bertopic_matryoshka._validation import embeddings_array

    column = fixed(X)
    array = embeddings_array(column)
    assert array.__array_interface__["data"][0] == column.values.buffers()[1].address


def test_polars_columns_give_what_their_array_gives(X):
    pl = pytest.importorskip("polars")
    for kind in (pl.List(pl.Float32), pl.Array(pl.Float32, 20)):
        column = pl.Series(X.tolist(), dtype=kind)
        np.testing.assert_array_equal(truncate(column, 8), truncate(X, 8))


RAGGED = [[1.0, 2.0], [3.0, 4.0], [5.0], [6.0, 7.0]]
ABSENT = [[1.0, 2.0], None, [3.0, 4.0], None]
HOLES = [[1.0, 2.0], [3.0, None]]


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        (pa.array(RAGGED), ValueError, "different widths: 2 in row 0 and 1 in row 2"),
        (pd.Series(RAGGED), ValueError, "different widths: 2 in row 0 and 1 in row 2"),
        (
            pa.chunked_array([pa.array(RAGGED[:2]), pa.array(RAGGED[2:3])]),
            ValueError,
            "different widths: 2 in row 0 and 1 in row 2",
        ),
        (pa.array(ABSENT), ValueError, "no vector in row 1; 2 rows have none"),
        (pd.Series(ABSENT), ValueError, "no vector in row 1; 2 rows have none"),
        (pa.array(HOLES), ValueError, "missing value, first in row 1"),
        (pa.array([[np.nan, 1.0]]), ValueError, "NaN or infinite values, the first is row 0"),
        (pa.array([1.0, 2.0]), ValueError, "must be two-dimensional"),
        (pa.array(["a", "b"]), TypeError, "must be a number"),
        (pa.array([["a"], ["b"]]), TypeError, "must be a number"),
        (pa.table({"id": [1], "v": [[1.0]]}), TypeError, "Pass its column of vectors.*'v'"),
        (pa.array([], pa.list_(pa.float32())), ValueError, "must have columns"),
    ],
    ids=itertools.count(),
)
def test_what_is_no_column_of_vectors_is_refused(column, error, message):
    with pytest.raises(error, match=message):
        truncate(column, 1)


def test_pyarrow_is_not_imported_for_other_arrays(X, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert truncate(pd.Series(list(X)), 8).shape == (60, 8)
