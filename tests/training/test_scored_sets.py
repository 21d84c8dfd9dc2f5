"""The Spearman benchmark reads scored sets of any kind, and its figures are those of scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from benchmarks.training.spearman import correlations, split_pairs, summary

PAIRS = pd.DataFrame(
    {
        "one": [f"first {n}" for n in range(9)],
        "two": [f"second {n}" for n in range(9)],
        "score": [n / 2 for n in range(9)],
    }
)


@pytest.fixture(autouse=True)
def _no_cache_at_home(tmp_path_factory, monkeypatch):
    """Keep what datasets writes out of the user's own cache."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_a_file_is_halved(tmp_path, suffix):
    file = tmp_path / f"pairs.{suffix}"
    if suffix == "jsonl":
        PAIRS.to_json(file, orient="records", lines=True)
    else:
        PAIRS.to_csv(file, index=False, sep="\t" if suffix == "tsv" else ",")
    train, test = split_pairs(str(file))
    assert list(train) == ["first", "second", "score"]
    assert len(train) == 4
    both = pd.concat([train, test]).sort_values("score", ignore_index=True)
    assert both.to_numpy().tolist() == PAIRS.to_numpy().tolist()


def test_a_set_with_a_test_split_keeps_it(tmp_path):
    splits = {"train": PAIRS.iloc[:6], "validation": PAIRS.iloc[6:7], "test": PAIRS.iloc[7:]}
    for name, rows in splits.items():
        rows.to_parquet(tmp_path / f"{name}.parquet")  # as a folder of the Hub
    train, test = split_pairs(str(tmp_path))
    assert train["first"].tolist() == splits["train"]["one"].tolist()
    assert test["score"].tolist() == [3.5, 4.0]


@pytest.mark.parametrize(("source", "n_pairs"), [("simlex999", 999), ("wordsim353", 353)])
def test_the_sets_that_gensim_brings(source, n_pairs):
    train, test = split_pairs(source)
    assert len(train) + len(test) == n_pairs
    assert pd.concat([train, test])["score"].between(0, 10).all()


def test_columns_that_are_not_scored_pairs_are_named(tmp_path):
    PAIRS[["one", "two"]].to_csv(tmp_path / "pairs.csv", index=False)
    with pytest.raises(ValueError, match=r"\['one', 'two'\] are not two columns of texts and one"):
        split_pairs(str(tmp_path / "pairs.csv"))


def test_correlations_and_their_ratio_to_the_full_width():
    rng = np.random.default_rng(0)
    scores = rng.integers(5, size=40).astype(float)  # with ties
    found = scores + rng.normal(size=(2, 3, 40)) * np.array([0.1, 1, 3])[:, None]
    expected = np.array([[spearmanr(row, scores).statistic for row in seed] for seed in found])
    np.testing.assert_allclose(correlations(found, scores), expected)
    table = summary(found, scores, [8, 4, 2])
    np.testing.assert_allclose(table["kept"], (expected / expected[:, :1]).mean(axis=0))
    assert table.loc[0, ["kept_low", "kept_high"]].tolist() == [1, 1]
    inside = table["spearman"].between(table["spearman_low"], table["spearman_high"])
    assert inside.all()
