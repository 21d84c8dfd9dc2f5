"""Neighbourhoods of prefixes: against scikit-learn, scipy and plain counting."""

import logging

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness
from tensors import Memory

from bertopic_matryoshka import inspect_dimensions
from bertopic_matryoshka.neighbors._prefixes import TIE, compare_prefixes, halvings

DIMS = [12, 8, 5, 2]


def random_rows(n=60, dims=12, dtype=np.float64, copies=0):
    """Rows of any length, whose first dimensions matter most, without near ties at full width."""
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        X = (rng.normal(size=(n, dims)) + rng.normal(size=dims)) * 0.8 ** np.arange(dims)
        X = (X * rng.uniform(0.5, 2, size=(n, 1))).astype(dtype)
        X[20 : 20 + copies] = X[n - copies :]
        gaps = np.diff(np.sort(cosines(X), axis=1), axis=1)
        if not ((gaps > 0) & (gaps < 2 * TIE)).any():
            return X
    raise AssertionError


def falling(n, dtype=np.float64):
    """Rows whose first dimensions matter most."""
    rows = np.random.default_rng(0).normal(size=(n, 12)) * 0.8 ** np.arange(12)
    return rows.astype(dtype)


def unit(X):
    X = X.astype(np.float64)
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    return X / np.where(lengths == 0, 1, lengths)


def cosines(X):
    return (unit(X) @ unit(X).T).round(12)  # so that equal rows are equally similar


def by_counting(X, dim, k):
    """Share of neighbours kept, and trustworthiness, of each row."""
    n = len(X)
    full, prefix = cosines(X), cosines(X[:, :dim])
    for similar in (full, prefix):
        np.fill_diagonal(similar, -np.inf)
    near = (-prefix).argsort(axis=1, kind="stable")[:, :k]  # equal ones by index
    # Equal ones at full width share the best of their ranks.
    ranks = 1 + (full[:, None, :] > np.take_along_axis(full, near, axis=1)[:, :, None]).sum(axis=2)
    kept = (ranks <= k).mean(axis=1)
    excess = np.maximum(ranks - k, 0).sum(axis=1)
    return kept, 1 - excess * 2 / (k * (2 * n - 3 * k - 1))


def check(table, X, k):
    for row in table.itertuples():
        kept, trusted = by_counting(X, row.dim, k)
        assert row.neighbors_kept == pytest.approx(kept.mean())
        assert row.trustworthiness == pytest.approx(trusted.mean())


@pytest.mark.parametrize("k", [1, 7, 29])
def test_equals_scikit_learn_and_scipy(k):
    X = random_rows()
    table = compare_prefixes(X, DIMS, n_neighbors=k, sample_size=None, device="cpu")
    assert table["dim"].tolist() == DIMS
    check(table, X, k)
    pairs = np.triu_indices(len(X), 1)
    for row in table.itertuples():
        prefix = X[:, : row.dim]
        # By unit rows, Euclidean distances are ordered as cosine ones.
        trusted = trustworthiness(X, unit(prefix), n_neighbors=k, metric="cosine")
        assert row.trustworthiness == pytest.approx(trusted, abs=1e-6)
        correlation = spearmanr(cosines(prefix)[pairs], cosines(X)[pairs]).statistic
        assert row.spearman == pytest.approx(correlation, abs=1e-6)


def test_by_hand():
    angles = np.radians([0, 10, 30, 60, 100])
    X = np.c_[np.cos(angles), np.sin(angles), [2, -2, 2, -2, -2]]
    # At full width the rows 0, 2 and 1, 3, 4 come first for each other, and then the other ones.
    # The nearest by angle are 1, 0, 1, 2, 3, and at full width these have ranks 2, 3, 2, 3, 1.
    full, prefix = compare_prefixes(X, [3, 2], n_neighbors=1, sample_size=None).itertuples()
    assert (full.neighbors_kept, full.trustworthiness, full.spearman) == pytest.approx((1, 1, 1))
    assert prefix.neighbors_kept == pytest.approx(1 / 5)
    assert prefix.trustworthiness == pytest.approx(1 - 2 / (5 * (10 - 3 - 1)) * (1 + 2 + 1 + 2))


def test_the_table():
    table = compare_prefixes(random_rows(dims=150), n_neighbors=5)
    assert table["dim"].tolist() == [150, 75, 37]
    assert table["memory_share"].tolist() == [1, 75 / 150, 37 / 150]
    assert table.columns.tolist() == [
        *("dim", "memory_share", "neighbors_kept", "neighbors_kept_se"),
        *("trustworthiness", "spearman"),
        *("expected_topics", "expected_low", "expected_high"),
    ]
    assert table.index.tolist() == [0, 1, 2]
    assert table.iloc[0, 2:6].tolist() == pytest.approx([1, 0, 1, 1])


def test_widths_are_given_once_and_the_full_one_only_if_it_is_asked_for():
    X = random_rows()
    table = compare_prefixes(X, (5, 8, 5), n_neighbors=3)
    assert table["dim"].tolist() == [8, 5]
    whole = compare_prefixes(X, DIMS, n_neighbors=3)
    pd.testing.assert_frame_equal(table, whole.iloc[1:3].reset_index(drop=True))


def test_halvings():
    assert halvings(768) == [768, 384, 192, 96, 48]
    assert halvings(64) == [64, 32]
    assert halvings(63) == [63]
    assert halvings(3) == [3]


# ---- equal rows and zero rows


def test_equal_rows_count_once():
    """A copy is the nearest neighbour at every width, and says nothing of what a width keeps."""
    X = random_rows(40)
    alone = compare_prefixes(X, DIMS, n_neighbors=5, sample_size=None)
    copies = np.random.default_rng(0).permutation(np.r_[X, np.repeat(X[:4], 50, axis=0)])
    table = compare_prefixes(copies, DIMS, n_neighbors=5, sample_size=None)
    pd.testing.assert_frame_equal(table, alone)
    with pytest.raises(ValueError, match="less than half of the 40 distinct rows"):
        compare_prefixes(copies, DIMS, n_neighbors=20)


def test_it_does_not_matter_which_of_nearly_equal_rows_a_prefix_finds():
    X = np.random.default_rng(0).permutation(
        np.repeat(random_rows(15, dtype=np.float32), 8, axis=0)
    )
    X *= np.random.default_rng(1).uniform(1, 3, size=(120, 1))  # equal but for rounding
    table = compare_prefixes(X, DIMS, n_neighbors=5, sample_size=None)
    assert table["neighbors_kept"].tolist() == [1, 1, 1, 1]
    assert table["trustworthiness"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("zero_until", [3, 12])
def test_a_zero_row_is_similar_to_none_and_ties_go_by_index(zero_until):
    X = random_rows() - 0.3  # similarities of both signs
    X[[4, 50, 51], :zero_until] = 0
    table = compare_prefixes(X, [12, 8, 3], n_neighbors=6, sample_size=None)
    assert table.iloc[:, :6].notna().all(axis=None)
    check(table, np.delete(X, [50, 51], axis=0) if zero_until == 12 else X, 6)


def test_ties_in_a_prefix_go_by_index():
    X = np.random.default_rng(0).choice([-1.0, 1.0], size=(90, 16))  # all products are exact
    check(compare_prefixes(X, [16, 4, 1], n_neighbors=6, sample_size=None, device="cpu"), X, 6)


def test_without_different_similarities_there_is_no_correlation():
    table = compare_prefixes(np.eye(40), [40, 20], n_neighbors=2)
    assert table["spearman"].isna().all()
    assert table["neighbors_kept"].tolist() == [1, 1]


# ---- samples


def test_the_sampling_error_is_that_of_a_mean_of_rows():
    X = random_rows()
    kept, _ = by_counting(X, 5, 4)
    whole = compare_prefixes(X, [5], n_neighbors=4, sample_size=None)
    assert whole["neighbors_kept_se"][0] == 0
    found = [
        compare_prefixes(X, [5], n_neighbors=4, sample_size=20, random_state=seed).iloc[0]
        for seed in range(200)
    ]
    spread = np.std([row["neighbors_kept"] for row in found])
    assert np.mean([row["neighbors_kept_se"] for row in found]) == pytest.approx(spread, rel=0.15)
    assert spread == pytest.approx(kept.std() * np.sqrt(1 / 20 - 1 / 60), rel=0.15)


def test_topics_are_expected_only_where_that_was_measured():
    X = falling(1000)
    columns = ["expected_topics", "expected_low", "expected_high"]
    table = compare_prefixes(X, [12, 10, 1])
    assert table[columns].iloc[0].tolist() == [1, 1, 1]
    kept, (expected, low, high) = table["neighbors_kept"][1], table[columns].iloc[1]
    assert expected == pytest.approx(1 - (1 - kept) ** 2)
    assert low < expected < high <= 1
    assert table["neighbors_kept"][2] < 0.3
    assert table[columns].iloc[2].isna().all()
    assert compare_prefixes(X, [10], n_neighbors=9)[columns].isna().all(axis=None)
    assert compare_prefixes(X[:999], [10])[columns].isna().all(axis=None)
    copies = np.r_[X[:999], X[:999]]
    assert compare_prefixes(copies, [10])[columns].isna().all(axis=None)


def test_sampled_rows_are_compared_with_all_rows():
    X = random_rows()
    kept, trusted = by_counting(X, 2, 4)
    rows = set(zip(kept.round(9), trusted.round(9), strict=True))
    pairs = {((a + b) / 2, (c + d) / 2) for a, c in rows for b, d in rows}
    means = np.array(sorted(pairs))
    for seed in range(20):
        table = compare_prefixes(X, [2], n_neighbors=4, sample_size=2, random_state=seed)
        found = table[["neighbors_kept", "trustworthiness"]].to_numpy()
        assert np.abs(means - found).max(axis=1).min() < 1e-6


def test_the_seed_decides_the_sample():
    X = random_rows()
    one, same, other = (
        compare_prefixes(X, DIMS, n_neighbors=4, sample_size=20, random_state=seed)
        for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, same)
    assert not np.isclose(one["spearman"][1:], other["spearman"][1:]).any()
    whole = compare_prefixes(X, DIMS, n_neighbors=4, sample_size=None)
    beyond = compare_prefixes(X, DIMS, n_neighbors=4, sample_size=61, random_state=5)
    pd.testing.assert_frame_equal(whole, beyond)


def test_the_pairs_that_are_ranked_are_bounded():
    X = falling(1500)
    with Memory() as memory:
        table = compare_prefixes(X, [12, 3], n_neighbors=4, sample_size=None, device="cpu")
    assert memory.largest == 8 * 1000**2
    pairs = np.triu_indices(1500, 1)
    expected = spearmanr(cosines(X[:, :3])[pairs], cosines(X)[pairs]).statistic
    assert table["spearman"][1] == pytest.approx(expected, abs=0.02)


# ---- memory


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_rows_that_do_not_fit_are_read(tmp_path, dtype):
    X = falling(66_000, dtype)  # more than are read at a time
    X[60_000:] = X[:6_000]  # in another chunk
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    # In 2 dimensions 66,000 rows lie closer on the circle than float32 tells cosines apart.
    options = {"dims": DIMS[:-1], "n_neighbors": 16, "sample_size": 30, "device": "cpu"}
    held = compare_prefixes(X, **options)
    with Memory(most=4 * X.size - 1) as memory:
        read = compare_prefixes(mapped, **options)
    assert memory.largest < 4 * X.size
    pd.testing.assert_frame_equal(read, held, rtol=1e-6)


def test_blocks_are_bounded():
    X = np.random.default_rng(0).normal(size=(9_000, 8))
    with Memory() as memory:
        compare_prefixes(X, [8, 4], device="cpu")
    assert 2**24 < memory.largest <= 2**25  # about what a CPU's cache holds


def test_out_of_memory_halves_the_block_and_goes_on(caplog):
    X = falling(300)
    options = {"n_neighbors": 6, "sample_size": 100, "device": "cpu"}
    whole = compare_prefixes(X, DIMS, **options)
    with caplog.at_level(logging.INFO, logger="bertopic_matryoshka"), Memory(8 * 100**2) as memory:
        pd.testing.assert_frame_equal(compare_prefixes(X, DIMS, **options), whole)
    assert "out of memory: continuing with blocks of 50 rows" in caplog.text
    assert memory.largest == 8 * 100**2  # the pairs that are ranked, which are not in blocks


def test_out_of_memory_with_a_single_row():
    with Memory(1000), pytest.raises(torch.OutOfMemoryError):
        compare_prefixes(falling(300), DIMS, n_neighbors=6, device="cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("held", [True, False])
def test_gpu_equals_cpu(held):
    X = random_rows(100, 64, copies=10)
    options = {"n_neighbors": 5, "sample_size": 80}
    on_cpu = compare_prefixes(X, [64, 32, 8], device="cpu", **options)
    with Memory() if held else Memory(most=4 * X.size - 1):
        on_gpu = compare_prefixes(X, [64, 32, 8], device="cuda", **options)
    pd.testing.assert_frame_equal(on_gpu, on_cpu, rtol=0, atol=1e-5)


# ---- what is wrong


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"dims": [12, 13]}, ValueError, "dims=13 must be between 1 and 12, the width of the emb"),
        ({"dims": [0]}, ValueError, "dims=0 must be between 1 and 12"),
        ({"dims": [2.5]}, TypeError, "dims=2.5 must be an int"),
        ({"dims": []}, ValueError, r"dims=\[\] is empty\. Leave it out"),
        ({"n_neighbors": 30}, ValueError, "n_neighbors=30 must be less than half of the 60 dist"),
        ({"n_neighbors": 0}, ValueError, "n_neighbors=0 must be at least 1"),
        ({"n_neighbors": 2.0}, TypeError, "n_neighbors=2.0 must be an int"),
        ({"sample_size": 1}, ValueError, "sample_size=1 must be at least 2"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        compare_prefixes(random_rows(), **parameters)


@pytest.mark.parametrize("shape", [(12,), (3, 12, 2), (0, 12)])
def test_embeddings_that_are_no_table(shape):
    with pytest.raises(ValueError, match=r"embeddings has shape .* and must "):
        compare_prefixes(np.ones(shape))


@pytest.mark.parametrize("held", [True, False])
def test_a_row_that_is_not_finite_is_named(held):
    X = random_rows()
    X[33, 5] = np.nan
    with (
        Memory() if held else Memory(most=4 * X.size - 1),
        pytest.raises(ValueError, match="NaN, first in row 33"),
    ):
        compare_prefixes(X, device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there():
    with pytest.raises(ValueError, match="device='cuda' is asked for"):
        compare_prefixes(random_rows(), device="cuda")


def test_topics_to_expect_of_rotated_embeddings():
    rows = np.random.default_rng(0).normal(size=(1200, 32)) * np.linspace(2, 0.2, 32)
    plain, rotated = (compare_prefixes(rows, [16], rotated=told) for told in (False, True))
    same = ["neighbors_kept", "trustworthiness", "spearman"]
    pd.testing.assert_frame_equal(plain[same], rotated[same])
    assert (rotated["expected_topics"] > plain["expected_topics"]).all()
    told = inspect_dimensions(rows, dims=[16], rotated=True).prefixes
    assert told["expected_topics"].item() == pytest.approx(rotated["expected_topics"].item())
