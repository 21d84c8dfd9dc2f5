"""What a comparison says of its cells: tables, lines and files, from cells written by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from made_cells import MODEL, NAN, make_cell, make_comparison, make_model
from sklearn.metrics import adjusted_mutual_info_score

from bertopic_matryoshka.comparison._comparison import AVERAGED
from bertopic_matryoshka.evaluation._stability import topic_stability

TOPICS = [[0, 0, 0, 1, 1, -1], [0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
WORDS = [("cat", "dog"), ("cat", "cow"), ("dog", "cat")]


@pytest.fixture(scope="module")
def seeded():
    """Two widths with three seeds each, and one width of PCA."""
    cells = [
        make_cell(
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
    return make_comparison(*cells, make_cell(8, "pca", coherence=0.3))


def row(comparison, line="variance", dim=8):
    summary = comparison.summary
    ((_, found),) = summary[(summary["line"] == line) & (summary["dim"] == dim)].iterrows()
    return found


def test_one_row_a_line_and_width(seeded):
    summary = seeded.summary
    assert summary[["line", "dim", "n_seeds"]].to_numpy().tolist() == [
        ["variance", 8, 3],
        ["variance", 4, 3],
        ["pca", 8, 1],
    ]
    assert (summary["model"] == MODEL).all()


def test_the_summary_is_a_mean_over_seeds(seeded):
    found = row(seeded)
    assert found["coherence"] == pytest.approx(8.1)
    assert found["ami"] == pytest.approx(0.01)
    assert found["cluster_seconds"] == pytest.approx(7 / 3)
    assert found["outlier_share"] == pytest.approx(1 / 18)
    assert found["n_topics"] == 2
    cells = seeded.cells_of("variance", 8)
    present = [name for name in AVERAGED if getattr(cells[0], name) is not None]
    assert found[present].to_dict() == pytest.approx(
        {name: np.mean([getattr(cell, name) for cell in cells]) for name in present}
    )
    # The same bootstrap samples and three seeds .1 apart: .1 of a deviation, .01 / 3 of a mean.
    spread = np.random.default_rng(0).normal(scale=0.01, size=50).var(ddof=1)
    assert found["coherence_error"] == pytest.approx(np.sqrt(spread + 0.01 / 3))


def test_what_was_not_measured_has_no_column():
    summary = make_comparison(make_cell(8), make_cell(4)).summary
    assert not {"ami", "ari", "v_measure", "seed_stability", "seed_ami", "half_stability"} & {
        *summary
    }
    assert {"coherence", "coherence_error", "neighbors_kept"} <= {*summary}


def test_a_measure_that_one_cell_lacks_is_missing_in_its_row():
    comparison = make_comparison(make_cell(8, ami=0.5), make_cell(4), make_cell(4, ami=0.5, seed=1))
    assert comparison.summary["ami"].isna().tolist() == [False, True]


def test_stability_over_pairs_of_seeds(seeded):
    cells = seeded.cells_of("variance", 8)
    pairs = [(cells[0], cells[1]), (cells[0], cells[2]), (cells[1], cells[2])]
    found = row(seeded)
    by_words = [topic_stability(a.words, b.words) for a, b in pairs]
    assert len(set(by_words)) > 1
    assert found["seed_stability"] == pytest.approx(np.mean(by_words))
    by_documents = [
        adjusted_mutual_info_score(a.document_topics, b.document_topics) for a, b in pairs
    ]
    assert found["seed_ami"] == pytest.approx(np.mean(by_documents))
    assert np.isnan(row(seeded, "pca")["seed_stability"])  # of a single seed


def test_stability_of_halves_is_of_their_own_line_and_width():
    halves = [
        make_cell(dim, reduction, part=f"{half} half", words=words, document_topics=[0, 0, 1])
        for dim, reduction, second in (
            (8, "variance", "cow"),
            (4, "variance", "dog"),
            (8, "pca", "ox"),
        )
        for half, words in (("first", ("cat", "dog")), ("second", ("cat", second)))
    ]
    comparison = make_comparison(
        make_cell(8), make_cell(8, seed=1), make_cell(4), make_cell(8, "pca"), half_cells=halves
    )
    expected = topic_stability(halves[0].words, halves[1].words)
    assert expected < 1
    assert row(comparison)["half_stability"] == pytest.approx(expected)
    assert row(comparison, dim=4)["half_stability"] == 1
    assert row(comparison, "pca")["half_stability"] == pytest.approx(expected)
    assert row(comparison)["n_seeds"] == 2
    assert len(comparison.table) == 4


def test_neighbourhoods_are_of_the_model_and_width():
    comparison = make_comparison(
        make_cell(8, model="a"),
        make_cell(4, model="a"),
        make_cell(4, model="a", cut="random"),
        make_cell(8, model="b"),
        models={"a": make_model(8), "b": make_model(16)},
    )
    summary = comparison.summary.set_index(["line", "dim"])
    kept = summary[["neighbors_kept", "trustworthiness", "spearman"]]
    assert kept.loc["a", 8].tolist() == [1, 1, 1]
    assert kept.loc["a", 4].tolist() == [0.8, 0.99, 0.95]
    assert kept.loc["a, random dims", 4].isna().all()
    assert kept.loc["b", 8].tolist() == [0.8, 0.99, 0.95]


def test_lines_and_their_cells():
    wide, narrow, other = make_cell(8), make_cell(4), make_cell(8, "umap")
    seed, drawn = make_cell(8, seed=1), make_cell(4, cut="random")
    comparison = make_comparison(wide, seed, other, narrow, drawn)
    assert comparison.lines == {
        "variance": wide.line,
        "umap": other.line,
        "variance, random dims": drawn.line,
    }
    assert comparison.cells_of() == [wide, seed, narrow]
    assert comparison.cells_of("variance", 8) == [wide, seed]
    assert comparison.cells_of(dim=4) == [narrow]
    assert comparison.cells_of("umap") == [other]
    assert comparison.cells_of("umap", 4) == []
    assert comparison.cells_of("variance, random dims") == [drawn]
    with pytest.raises(ValueError, match="line='pca' was not compared; there are: variance, umap"):
        comparison.cells_of("pca")


def test_the_table_has_a_row_a_cell(seeded):
    table = seeded.table
    assert table["line"].tolist() == ["variance"] * 6 + ["pca"]
    assert table["dim"].tolist() == [8, 8, 8, 4, 4, 4, 8]
    assert table["seed"].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert table["criterion"].tolist() == ["variance"] * 6 + [""]
    assert table["coherence"].tolist() == [cell.coherence for cell in seeded.cells]
    assert table["sample"][0] == "cat, dog, word0 | cat, dog, word1"
    assert "ami" in table
    assert not {"ari", "v_measure", "spec", "topics", "document_topics", "coherence_samples"} & {
        *table
    }


def test_csv_is_the_table(seeded, tmp_path):
    seeded.to_csv(tmp_path / "c.csv")
    found = pd.read_csv(tmp_path / "c.csv", keep_default_na=False, na_values={"ami": [""]})
    columns = ["line", "model", "criterion", "dim", "seed", "coherence", "ami", "sample"]
    pd.testing.assert_frame_equal(found[columns], seeded.table[columns])


def test_json_has_everything_but_arrays_and_no_nan(tmp_path):
    nothing = make_cell(4, document_topics=[-1] * 6, coherence=NAN, topic_error=NAN, diversity=NAN)
    halves = [
        make_cell(8, part=part, document_topics=[0, 0, 1]) for part in ("first half", "second half")
    ]
    comparison = make_comparison(make_cell(8, seed=None), nothing, half_cells=halves)
    comparison.to_json(tmp_path / "c.json")
    text = (tmp_path / "c.json").read_text("utf-8")
    content = json.loads(text, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    assert content["cells"][0]["spec"]["line"]["reduction"] == "variance"
    assert content["cells"][0]["spec"]["seed"] is None
    assert content["cells"][0]["topics"][0]["words"] == ["cat", "dog", "word0"]
    assert [cell["coherence"] for cell in content["cells"]] == [0.1, None]
    assert [cell["spec"]["part"] for cell in content["half_cells"]] == ["first half", "second half"]
    assert content["models"][MODEL]["full_dim"] == 8
    assert content["models"][MODEL]["neighborhoods"][1]["neighbors_kept"] == 0.8
    assert [row["dim"] for row in content["summary"]] == [8, 4]
    assert content["summary"][1]["coherence_error"] is None
    assert (content["measure"], content["n_documents"]) == ("c_v", 6)
    assert content["made_with"]["bertopic"]
    assert "document_topics" not in text
    assert "document 0" not in text


def test_umap_is_compiled_once():
    assert make_comparison(make_cell(8)).umap_compile_seconds is None
    cells = [make_cell(8), make_cell(8, "umap", umap_compile_seconds=9.5), make_cell(4, "umap")]
    assert make_comparison(*cells).umap_compile_seconds == 9.5
