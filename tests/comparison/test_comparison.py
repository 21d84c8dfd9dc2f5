"""What a comparison says of its runs: tables and files, from runs written by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from made_runs import MODEL, NAN, make_comparison, make_condition, make_model, make_run
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka.comparison._comparison import AVERAGED
from bertopic_matryoshka.evaluation._stability import topic_stability

TOPICS = [[0, 0, 0, 1, 1, -1], [0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
WORDS = [("cat", "dog"), ("cat", "cow"), ("dog", "cat")]


@pytest.fixture(scope="module")
def seeded():
    """Two widths with three seeds each, and one width of PCA."""
    runs = [
        make_run(
            dim,
            seed=seed,
            coherence=0.1 * seed + dim,
            ami=0.01 * seed,
            cluster_seconds=2.0**seed,
            document_topics=TOPICS[seed],
            words=WORDS[seed],
        )
        for dim in (8, 4)
        for seed in (0, 1, 2)
    ]
    return make_comparison(*runs, make_run(8, "PCA", coherence=0.3))


def row(comparison, name="selection", dim=8):
    summary = comparison.summary
    ((_, found),) = summary[(summary["topic_model"] == name) & (summary["dim"] == dim)].iterrows()
    return found


def test_one_row_a_topic_model_and_width(seeded):
    summary = seeded.summary
    assert summary[["topic_model", "dim", "n_seeds"]].to_numpy().tolist() == [
        ["selection", 8, 3],
        ["selection", 4, 3],
        ["PCA", 8, 1],
    ]
    assert (summary["embedding_model"] == MODEL).all()


def test_the_summary_is_a_mean_over_seeds(seeded):
    found = row(seeded)
    assert found["coherence"] == pytest.approx(8.1)
    assert found["ami"] == pytest.approx(0.01)
    assert found["cluster_seconds"] == pytest.approx(7 / 3)
    assert found["outlier_share"] == pytest.approx(1 / 18)
    assert found["n_topics"] == 2
    runs = seeded.runs_of("selection", 8)
    present = [name for name in AVERAGED if getattr(runs[0], name) is not None]
    assert found[present].to_dict() == pytest.approx(
        {name: np.mean([getattr(run, name) for run in runs]) for name in present}
    )
    # The same bootstrap samples and three seeds .1 apart: .1 of a deviation, .01 / 3 of a mean.
    spread = np.random.default_rng(0).normal(scale=0.01, size=50).var(ddof=1)
    assert found["se_coherence"] == pytest.approx(np.sqrt(spread + 0.01 / 3))


def test_what_was_not_measured_has_no_column():
    summary = make_comparison(make_run(8), make_run(4)).summary
    assert not {"ami", "ari", "v_measure", "seed_stability", "seed_ami", "half_stability"} & {
        *summary
    }
    assert {"coherence", "se_coherence", "neighbors_kept"} <= {*summary}


def test_a_measure_that_one_run_lacks_is_missing_in_its_row():
    comparison = make_comparison(make_run(8, ami=0.5), make_run(4), make_run(4, ami=0.5, seed=1))
    assert comparison.summary["ami"].isna().tolist() == [False, True]


def test_stability_over_pairs_of_seeds(seeded):
    runs = seeded.runs_of("selection", 8)
    pairs = [(runs[0], runs[1]), (runs[0], runs[2]), (runs[1], runs[2])]
    found = row(seeded)
    by_words = [topic_stability(a.words, b.words) for a, b in pairs]
    assert len(set(by_words)) > 1
    assert found["seed_stability"] == pytest.approx(np.mean(by_words))
    by_documents = [
        adjusted_mutual_info_score(a.document_topics, b.document_topics) for a, b in pairs
    ]
    assert found["seed_ami"] == pytest.approx(np.mean(by_documents))
    assert np.isnan(row(seeded, "PCA")["seed_stability"])  # of a single seed


def test_stability_of_halves_is_of_their_own_topic_model_and_width():
    halves = [
        make_run(dim, reduction, part=f"{half} half", words=words, document_topics=[0, 0, 1])
        for dim, reduction, second in (
            (8, "selection", "cow"),
            (4, "selection", "dog"),
            (8, "PCA", "ox"),
        )
        for half, words in (("first", ("cat", "dog")), ("second", ("cat", second)))
    ]
    comparison = make_comparison(
        make_run(8), make_run(8, seed=1), make_run(4), make_run(8, "PCA"), half_runs=halves
    )
    expected = topic_stability(halves[0].words, halves[1].words)
    assert expected < 1
    assert row(comparison)["half_stability"] == pytest.approx(expected)
    assert row(comparison, dim=4)["half_stability"] == 1
    assert row(comparison, "PCA")["half_stability"] == pytest.approx(expected)
    assert row(comparison)["n_seeds"] == 2
    assert len(comparison.table) == 4


def test_neighbourhoods_are_of_the_embedding_model_and_width():
    comparison = make_comparison(
        make_run(8, "a"),
        make_run(4, "a"),
        make_run(4, "permuted"),
        make_run(8, "b"),
        conditions={
            "a": make_condition(embedding_model="A"),
            "permuted": make_condition(embedding_model="A", is_permuted=True),
            "b": make_condition(embedding_model="B"),
        },
        embedding_models={"A": make_model(8), "B": make_model(16)},
    )
    summary = comparison.summary.set_index(["topic_model", "dim"])
    kept = summary[["neighbors_kept", "trustworthiness", "spearman"]]
    assert kept.loc["a", 8].tolist() == [1, 1, 1]
    assert kept.loc["a", 4].tolist() == [0.8, 0.99, 0.95]
    assert kept.loc["permuted", 4].isna().all()
    assert kept.loc["b", 8].tolist() == [0.8, 0.99, 0.95]
    assert comparison.embedding_model_of("permuted") is comparison.embedding_models["A"]


def test_topic_models_and_their_runs():
    wide, narrow, other = make_run(8), make_run(4), make_run(8, "UMAP")
    seed, permuted = make_run(8, seed=1), make_run(4, "permuted")
    comparison = make_comparison(wide, seed, other, narrow, permuted)
    assert list(comparison.conditions) == ["selection", "UMAP", "permuted"]
    assert comparison.runs_of() == [wide, seed, narrow]
    assert comparison.runs_of("selection", 8) == [wide, seed]
    assert comparison.runs_of(dim=4) == [narrow]
    assert comparison.runs_of("UMAP") == [other]
    assert comparison.runs_of("UMAP", 4) == []
    assert comparison.runs_of("permuted") == [permuted]
    with pytest.raises(
        ValueError, match="topic_model='PCA' was not compared; there are: selection, UMAP"
    ):
        comparison.runs_of("PCA")


def test_the_table_has_a_row_a_run(seeded):
    table = seeded.table
    assert table["topic_model"].tolist() == ["selection"] * 6 + ["PCA"]
    assert table["dim"].tolist() == [8, 8, 8, 4, 4, 4, 8]
    assert table["seed"].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert (table["embedding_model"] == MODEL).all()
    assert {"reducer", "clusterer"} <= {*table}
    assert table["coherence"].tolist() == [run.coherence for run in seeded.runs]
    assert table["sample"][0] == "cat, dog, word0 | cat, dog, word1"
    assert "ami" in table
    left_out = {"ari", "v_measure", "setting", "topics", "document_topics", "coherence_resamples"}
    assert not left_out & {*table}


def test_csv_is_the_table(seeded, tmp_path):
    seeded.to_csv(tmp_path / "c.csv")
    found = pd.read_csv(tmp_path / "c.csv", keep_default_na=False, na_values={"ami": [""]})
    columns = ["topic_model", "embedding_model", "dim", "seed", "coherence", "ami", "sample"]
    pd.testing.assert_frame_equal(found[columns], seeded.table[columns])


def test_json_has_everything_but_arrays_and_no_nan(tmp_path):
    nothing = make_run(4, document_topics=[-1] * 6, coherence=NAN, se_topics=NAN, diversity=NAN)
    halves = [
        make_run(8, part=part, document_topics=[0, 0, 1]) for part in ("first half", "second half")
    ]
    comparison = make_comparison(make_run(8, seed=None), nothing, half_runs=halves)
    comparison.to_json(tmp_path / "c.json")
    text = (tmp_path / "c.json").read_text("utf-8")
    content = json.loads(text, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    assert content["conditions"]["selection"]["reduction"] == "selection"
    assert content["runs"][0]["setting"]["topic_model"] == "selection"
    assert content["runs"][0]["setting"]["seed"] is None
    assert content["runs"][0]["topics"][0]["words"] == ["cat", "dog", "word0"]
    assert [run["coherence"] for run in content["runs"]] == [0.1, None]
    assert [run["setting"]["part"] for run in content["half_runs"]] == ["first half", "second half"]
    assert content["embedding_models"][MODEL]["full_dim"] == 8
    assert content["embedding_models"][MODEL]["neighborhoods"][1]["neighbors_kept"] == 0.8
    assert [row["dim"] for row in content["summary"]] == [8, 4]
    assert content["summary"][1]["se_coherence"] is None
    recommended = comparison.recommend()
    assert content["recommendations"] == {
        "selection": {"dim": 8, "answer": "unclear", "reason": str(recommended)}
    }
    assert (content["measure"], content["n_documents"]) == ("c_v", 6)
    assert content["provenance"]["bertopic"]
    assert "document_topics" not in text
    assert "document 0" not in text


def test_umap_is_compiled_once():
    assert make_comparison(make_run(8)).umap_compile_seconds is None
    runs = [make_run(8), make_run(8, "UMAP", umap_compile_seconds=9.5), make_run(4, "UMAP")]
    assert make_comparison(*runs).umap_compile_seconds == 9.5
