"""Cuts: unit rows at every width, arrays and tensors alike, clear errors."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bertopic_matryoshka import TruncationWarning, truncate

matrices = arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 9)),
    elements=st.floats(-1e3, 1e3, width=32),
)


def test_by_hand():
    embeddings = np.array([[3.0, 4.0, 12.0], [0.0, -2.0, 5.0]])
    np.testing.assert_allclose(truncate(embeddings, 2), [[0.6, 0.8], [0.0, -1.0]])


@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
@given(matrices, st.data())
def test_unit_rows_at_every_width(embeddings, data):
    dim = data.draw(st.integers(1, embeddings.shape[1]))
    before = embeddings.copy()
    cut = truncate(embeddings, dim)
    assert cut.shape == (len(embeddings), dim)
    lengths = np.linalg.norm(cut.astype(np.float64), axis=1)
    nonzero = (embeddings[:, :dim] != 0).any(axis=1)
    np.testing.assert_allclose(lengths, nonzero.astype(float), atol=1e-5)
    np.testing.assert_array_equal(embeddings, before)


@pytest.mark.parametrize("of_kind", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [1e-44, 1e-30, 1.0, 1e37])
def test_rows_of_any_length_become_unit_rows(of_kind, dtype, share):
    power = 1 if dtype == np.float32 else 7  # as far as the dtype goes
    embeddings = np.array([[3.0, -4.0, 9.0]], dtype) * np.array(share, dtype) ** power
    np.testing.assert_allclose(
        np.asarray(truncate(of_kind(embeddings), 2)), [[0.6, -0.8]], atol=0.1
    )
    exact = np.array([[1, 1, 1]], dtype) * np.finfo(dtype).smallest_subnormal
    np.testing.assert_allclose(np.asarray(truncate(of_kind(exact), 2)), 0.5**0.5, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
@given(matrices, st.data())
def test_cutting_twice_is_cutting_once(embeddings, data):
    wide = data.draw(st.integers(1, embeddings.shape[1]))
    narrow = data.draw(st.integers(1, wide))
    once, twice = truncate(embeddings, narrow), truncate(truncate(embeddings, wide), narrow)
    # A row whose prefix vanishes beside the rest can lose it in float32: compare the others.
    kept = np.linalg.norm(embeddings[:, :narrow], axis=1) > 1e-20
    np.testing.assert_allclose(once[kept], twice[kept], atol=1e-5)


@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
@given(matrices, st.data())
def test_tensor_agrees_with_array(embeddings, data):
    dim = data.draw(st.integers(1, embeddings.shape[1]))
    cut = truncate(torch.from_numpy(embeddings), dim)
    assert isinstance(cut, torch.Tensor)
    np.testing.assert_allclose(cut.numpy(), truncate(embeddings, dim), atol=1e-6)


@pytest.mark.parametrize(
    ("given_dtype", "expected"),
    [("float16", "float32"), ("float32", "float32"), ("float64", "float64")],
)
def test_dtypes(given_dtype, expected):
    embeddings = np.eye(3, 5)
    assert truncate(embeddings.astype(given_dtype), 4).dtype == expected
    tensor = torch.from_numpy(embeddings).to(getattr(torch, given_dtype))
    assert truncate(tensor, 4).dtype == getattr(torch, expected)


def test_zero_rows_stay_zero_and_are_counted():
    embeddings = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    for both in (embeddings, torch.from_numpy(embeddings)):
        with pytest.warns(TruncationWarning, match="2 rows are zero in the first 2 dimensions"):
            cut = truncate(both, 2)
        np.testing.assert_array_equal(np.asarray(cut), [[0, 0], [1, 0], [0, 0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_names_the_row(bad):
    embeddings = np.ones((5, 3))
    embeddings[3, 1] = bad
    for both in (embeddings, torch.from_numpy(embeddings)):
        with pytest.raises(ValueError, match="the first is row 3"):
            truncate(both, 2)
        # What is cut away does no harm.
        assert truncate(both, 1).shape == (5, 1)


@pytest.mark.parametrize("dim", [0, -3, 4])
def test_width_out_of_range_names_both(dim):
    with pytest.raises(ValueError, match=f"dim={dim} must be between 1 and 3, the width of"):
        truncate(np.ones((2, 3)), dim)


@pytest.mark.parametrize("dim", [2.0, "2", True, None])
def test_width_of_the_wrong_kind(dim):
    with pytest.raises(TypeError, match="must be an int"):
        truncate(np.ones((2, 3)), dim)


def test_one_row_alone_is_refused():
    with pytest.raises(ValueError, match="must be two-dimensional"):
        truncate(np.ones(3), 2)


def test_no_rows():
    assert truncate(np.ones((0, 3)), 2).shape == (0, 2)


def test_warning_is_seen_although_bertopic_silences_user_warnings():
    code = (
        "import bertopic, numpy as np\n"
        "from bertopic_matryoshka import truncate\n"
        "truncate(np.zeros((1, 3)), 2)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "TruncationWarning: 1 rows are zero" in done.stderr
