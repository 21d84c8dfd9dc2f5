"""compare_dimensions on real text: what it runs, what it measures, what it keeps and refuses."""

import json
import math
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from bertopic import BERTopic
from counted_kmeans import FITS, CountedKMeans
from sklearn.cluster import DBSCAN, KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score
from tiny_models import make_model

from bertopic_matryoshka import (
    DamagedFileWarning,
    DimensionSelector,
    MatryoshkaBackend,
    TopicCoherence,
    compare_dimensions,
    topic_diversity,
    truncate,
)
from bertopic_matryoshka.comparison import _fit as fitting
from bertopic_matryoshka.comparison._fit import part_rows
from bertopic_matryoshka.evaluation._bootstrap import bootstrap_coherence
from bertopic_matryoshka.evaluation._stability import topic_stability
from bertopic_matryoshka.neighbors._prefixes import compare_prefixes

BUNDLED = "the bundled model"
GIVEN = "given embeddings"
SECONDS = ["reduce_seconds", "cluster_seconds", "represent_seconds", "evaluate_seconds"]


@pytest.fixture
def fits():
    FITS.clear()
    return FITS


@pytest.fixture
def compare(docs, full_embeddings):
    """Compare 120 documents at two widths, without a reduction, four topics everywhere."""

    def call(documents=docs[:120], **changes):
        arguments = {
            "embeddings": None if "backend" in changes else full_embeddings[:120],
            "dims": [64, 32],
            "reductions": ["none"],
            "n_samples": 10,
            "progress": False,
            **changes,
        }
        if "clustering" not in arguments:
            arguments.setdefault("hdbscan_model", k_means(4))
        return compare_dimensions(documents, **arguments)

    return call


def k_means(n_clusters, random_state=0):
    return KMeans(n_clusters, n_init=1, random_state=random_state)


def same_partition(found, expected):
    return adjusted_mutual_info_score(found, expected) == pytest.approx(1)


# ---- what is measured


@pytest.fixture(scope="module")
def comparison(docs, doc_labels, backend):
    """Three widths with selection, the full width with PCA; eight topics everywhere."""
    return compare_dimensions(
        docs,
        backend,
        dims=[64, 256, 32],
        reductions={"variance": None, "pca": [256]},
        labels=doc_labels,
        hdbscan_model=KMeans(8, n_init=2, random_state=0),
        progress=False,
    )


def test_cells_run_from_wide_to_narrow(comparison):
    plan = [(cell.dim, cell.line.reduction) for cell in comparison.cells]
    assert plan == [(256, "variance"), (256, "pca"), (64, "variance"), (32, "variance")]
    assert list(comparison.lines) == ["variance", "pca"]


def test_a_cell_equals_the_same_work_by_hand(comparison, docs, doc_labels, backend):
    """Documents encoded at the width, BERTopic built in its own two lines."""
    vectorizer = CountVectorizer(stop_words="english")
    topic_model = BERTopic(
        embedding_model=backend,
        umap_model=DimensionSelector(),
        hdbscan_model=KMeans(8, n_init=2, random_state=0),
        vectorizer_model=vectorizer,
    )
    topics, _ = topic_model.fit_transform(docs)
    words = [[word for word, _ in topic_model.get_topic(t)] for t in range(8)]
    coherence = TopicCoherence(docs, vectorizer=CountVectorizer(stop_words="english"))
    cell = comparison.cells[2]
    np.testing.assert_array_equal(cell.document_topics, topics)
    assert cell.words == words
    assert [topic.size for topic in cell.topics] == [topics.count(t) for t in range(8)]
    assert cell.coherence == pytest.approx(coherence.score(words))
    per_topic = coherence.score_per_topic(words)
    assert cell.topic_error == pytest.approx(per_topic.std(ddof=1) / math.sqrt(8))
    samples = bootstrap_coherence(coherence, words)
    np.testing.assert_allclose(cell.coherence_samples, samples)
    assert cell.document_error == pytest.approx(samples.std(ddof=1))
    assert cell.diversity == pytest.approx(topic_diversity(words))
    assert cell.ami == pytest.approx(adjusted_mutual_info_score(doc_labels, topics))
    assert cell.ari == pytest.approx(adjusted_rand_score(doc_labels, topics))
    assert cell.v_measure == pytest.approx(v_measure_score(doc_labels, topics))
    assert (cell.n_topics, cell.outlier_share, cell.spec.seed) == (8, 0.0, 0)


def test_topics_are_about_something(comparison):
    """KMeans on real embeddings finds the subpackages far better than chance."""
    assert min(cell.ami for cell in comparison.cells) > 0.2


def test_seconds_are_those_of_the_stages(comparison):
    for cell in comparison.cells:
        assert cell.cluster_seconds > 0
        assert cell.reduce_seconds > 0
        assert cell.represent_seconds > 0
        assert cell.evaluate_seconds > 0
    assert comparison.models[BUNDLED].encode_seconds > 0
    assert comparison.umap_compile_seconds is None


def test_neighbourhoods_are_those_of_the_prefixes(comparison, backend, docs):
    model = comparison.models[BUNDLED]
    full = backend.truncated(None).embed(docs)
    np.testing.assert_allclose(model.embeddings, full, atol=1e-6)
    expected = compare_prefixes(model.embeddings, [256, 64, 32])
    pd.testing.assert_frame_equal(model.neighborhoods, expected)
    assert comparison.summary["neighbors_kept"].tolist() == [
        *expected["neighbors_kept"],
        1.0,  # of PCA at full width
    ]


def test_table(comparison):
    table = comparison.table
    assert table["line"].tolist() == ["variance", "pca", "variance", "variance"]
    assert table["dim"].tolist() == [256, 256, 64, 32]
    assert {"n_topics", "outlier_share", "coherence", "diversity", "ami", "ari", "seed"} <= {*table}
    assert {*SECONDS} <= {*table}
    first = comparison.cells[0].topics[0].words
    assert table["sample"][0].startswith(", ".join(first[:4]))


def test_csv_and_json(comparison, tmp_path):
    comparison.to_csv(tmp_path / "c.csv")
    read = pd.read_csv(tmp_path / "c.csv", keep_default_na=False)
    table = comparison.table.drop(columns="umap_compile_seconds")
    pd.testing.assert_frame_equal(read[table.columns], table)
    comparison.to_json(tmp_path / "c.json")
    content = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert content["cells"][0]["coherence"] == comparison.cells[0].coherence
    assert content["cells"][0]["topics"][0]["words"] == list(comparison.cells[0].topics[0].words)
    assert content["made_with"]["bertopic"]


def test_only_outliers_is_reported_and_not_hidden(compare, tmp_path):
    comparison = compare(hdbscan_model=DBSCAN(eps=1e-9, min_samples=120))
    for cell in comparison.cells:
        assert (cell.n_topics, cell.outlier_share) == (0, 1.0)
        assert math.isnan(cell.coherence)
    with pytest.raises(ValueError, match="none to recommend"):
        comparison.recommend()
    comparison.to_json(tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["cells"][0]["coherence"] is None


def test_a_topic_may_need_all_documents(compare):
    comparison = compare(dims=[32], clustering="leiden", min_topic_size=120)
    (cell,) = comparison.cells
    assert (cell.n_topics, cell.outlier_share) == (1, 0.0)


@pytest.mark.parametrize("reseed", [0, [0, 1]])
def test_the_given_models_are_left_as_they_were(compare, reseed):
    clusterer, vectorizer = k_means(5, 3), CountVectorizer()
    compare(hdbscan_model=clusterer, vectorizer_model=vectorizer, random_state=reseed, n_topics=3)
    assert not hasattr(clusterer, "labels_")
    assert (clusterer.n_clusters, clusterer.random_state) == (5, 3)
    assert not hasattr(vectorizer, "vocabulary_")


def test_umap_is_compiled_before_the_clock_runs(compare, monkeypatch):
    monkeypatch.setattr(fitting, "_warm", set())
    arguments = {"dims": [32], "reductions": ["umap"], "clustering": "hdbscan"}
    comparison = compare(**arguments)
    assert comparison.umap_compile_seconds > 0
    again = compare(**arguments)
    assert again.umap_compile_seconds is None  # this process knows UMAP by now
    np.testing.assert_array_equal(
        comparison.cells[0].document_topics, again.cells[0].document_topics
    )


def test_what_is_clustered_has_unit_rows(compare, full_embeddings):
    """Without a reduction in between, the clusterer sees the cut as truncate makes it."""
    found = compare(dims=[32], hdbscan_model=k_means(8)).cells[0].document_topics
    full = full_embeddings[:120]
    assert same_partition(found, k_means(8).fit_predict(truncate(full, 32)))
    unnormalised = k_means(8).fit_predict(full[:, :32])
    assert adjusted_mutual_info_score(unnormalised, found) < 0.99


@pytest.mark.parametrize("measure", ["c_npmi", "u_mass"])
def test_any_measure(compare, docs, measure):
    comparison = compare(dims=[32], measure=measure, top_n=5)
    (cell,) = comparison.cells
    vectorizer = CountVectorizer(stop_words="english")
    coherence = TopicCoherence(docs[:120], measure=measure, vectorizer=vectorizer, top_n=5)
    assert comparison.measure == measure
    assert cell.coherence == pytest.approx(coherence.score(cell.words))
    assert cell.diversity == pytest.approx(topic_diversity(cell.words, 5))
    samples = bootstrap_coherence(coherence, cell.words, n_samples=10)
    np.testing.assert_allclose(cell.coherence_samples, samples)


# ---- models


def test_given_embeddings_are_not_encoded_and_need_no_backend(compare, full_embeddings, encoded):
    comparison = compare(dims=None)
    assert [cell.dim for cell in comparison.cells] == [256, 128, 64, 32]  # halvings
    model = comparison.models[GIVEN]
    assert model.encode_seconds is None
    np.testing.assert_allclose(model.embeddings, truncate(full_embeddings[:120], 256))
    assert encoded == []


def test_the_models_trained_widths_are_the_default(compare, backend, encoded, docs):
    steps = []
    compare(backend=backend, dims=None, progress=lambda *step: steps.append(step))
    assert steps == [
        (0, 6, f"encoding 120 documents, {BUNDLED}"),
        (1, 6, f"neighbourhoods, {BUNDLED}"),
        (2, 6, "256 dims, none"),
        (3, 6, "128 dims, none"),
        (4, 6, "64 dims, none"),
        (5, 6, "32 dims, none"),
        (6, 6, "done"),
    ]
    assert sorted(encoded) == sorted(docs[:120])  # once, at full width


def test_a_backend_that_is_truncated_is_still_compared_at_its_full_width(compare):
    comparison = compare(backend=MatryoshkaBackend(truncate_dim=32), dims=[256])
    assert comparison.models[BUNDLED].embeddings.shape == (120, 256)


@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
def test_several_backends_and_embeddings_by_name(compare, backend, full_embeddings, tmp_path):
    folder = make_model(tmp_path / "tiny", width=24)
    comparison = compare(
        backend=[MatryoshkaBackend(folder, dims=[24, 8]), backend],
        embeddings={BUNDLED: full_embeddings[:120], "narrow": full_embeddings[:120, :16]},
        dims={BUNDLED: [256, 16], "narrow": [16]},
    )
    assert [(cell.line.model, cell.dim) for cell in comparison.cells] == [
        (folder, 24),
        (folder, 8),
        (BUNDLED, 256),
        (BUNDLED, 16),
        ("narrow", 16),
    ]
    assert list(comparison.lines) == [folder, BUNDLED, "narrow"]
    encode_seconds = {name: model.encode_seconds for name, model in comparison.models.items()}
    assert encode_seconds.pop(folder) > 0
    assert encode_seconds == {BUNDLED: None, "narrow": None}
    assert [model.full_dim for model in comparison.models.values()] == [24, 256, 16]
    of_bundled, of_narrow = comparison.cells[-2:]
    np.testing.assert_array_equal(of_bundled.document_topics, of_narrow.document_topics)
    assert comparison.summary["neighbors_kept"].tolist()[::2] == [1, 1, 1]


def test_controls_are_compared_with_the_first_of_everything(compare, full_embeddings, tmp_path):
    folder = make_model(tmp_path / "tiny", width=24)
    comparison = compare(
        embeddings={"cut badly": full_embeddings[:120, ::-1], "cut well": full_embeddings[:120]},
        dims=[16],
        reductions=["pca", "none"],
        controls=["cut badly", MatryoshkaBackend(folder, dims=[16])],
    )
    assert list(comparison.models) == ["cut well", "cut badly", folder]
    assert [model.is_control for model in comparison.models.values()] == [False, True, True]
    assert list(comparison.lines) == [
        "cut well, pca",
        "cut well, none",
        "cut badly, pca",
        f"{folder}, pca",
    ]
    assert comparison.recommend().line == "cut well, pca"
    assert comparison.models[folder].encode_seconds > 0


# ---- lines


def test_criteria_and_how_many_dimensions_they_keep(compare, full_embeddings):
    def last(X):
        return np.arange(X.shape[1], dtype=float)

    comparison = compare(
        dims=[64],
        reductions=["variance", "none"],
        criterion=["variance", "laplacian", last],
        n_features_to_select=4,
    )
    assert list(comparison.lines) == [
        "variance, variance",
        "variance, laplacian",
        "variance, last",
        "none",
    ]
    cut = truncate(full_embeddings[:120], 64)
    for cell, criterion in zip(comparison.cells, ("variance", "laplacian", last), strict=False):
        selected = DimensionSelector(4, criterion=criterion).fit_transform(cut)
        assert same_partition(cell.document_topics, k_means(4).fit_predict(selected))
    found = [cell.document_topics.tolist() for cell in comparison.cells]
    assert all(one != other for i, one in enumerate(found) for other in found[:i])


def test_clusterings(compare):
    comparison = compare(dims=[64], reductions=["pca"], clustering=["leiden", "hdbscan"])
    assert list(comparison.lines) == ["leiden", "hdbscan"]
    leiden, hdbscan = comparison.cells
    assert leiden.outlier_share == 0 < hdbscan.outlier_share
    default = compare(dims=[64], reductions=["none", "pca"], clustering=None)
    assert [line.clustering for line in default.lines.values()] == ["leiden", "hdbscan"]
    np.testing.assert_array_equal(default.cells[1].document_topics, hdbscan.document_topics)


@pytest.mark.parametrize(
    ("kwargs", "has_outliers"),
    [
        ({"hdbscan_model": k_means(9)}, False),
        ({"clustering": "leiden"}, False),
        # Merged by BERTopic, which counts the outlier topic.
        ({"reductions": ["pca"], "clustering": "hdbscan"}, True),
    ],
    ids=["n_clusters", "leiden", "hdbscan"],
)
def test_equal_numbers_of_topics(compare, docs, full_embeddings, kwargs, has_outliers):
    for cell in compare(docs, embeddings=full_embeddings, n_topics=3, **kwargs).cells:
        assert cell.n_topics == 3
        assert (cell.outlier_share > 0) == has_outliers
        assert [topic.size for topic in cell.topics] == [
            (cell.document_topics == topic.id).sum() for topic in cell.topics
        ]


# ---- seeds, random dimensions and halves


@pytest.fixture(scope="module")
def some(docs, doc_labels, full_embeddings):
    """Every third document, its label and its embedding."""
    return docs[::3], doc_labels[::3], full_embeddings[::3]


@pytest.fixture(scope="module")
def seeded(some):
    """Three seeds at two widths, random dimensions, and halves of the first seed."""
    documents, labels, embeddings = some
    return compare_dimensions(
        documents,
        embeddings=embeddings,
        dims=[256, 32],
        reductions=["none"],
        random_state=[2, 0, 1],
        controls=["random"],
        halves=True,
        labels=labels,
        n_samples=20,
        hdbscan_model=k_means(6, 9),
        progress=False,
    )


def test_several_seeds_are_averaged(seeded):
    assert [cell.spec.seed for cell in seeded.cells_of(dim=32)] == [2, 0, 1]
    summary = seeded.summary
    assert summary["line"].tolist() == ["none", "none", "none, random dims"]
    assert summary["dim"].tolist() == [256, 32, 32]
    assert summary["n_seeds"].tolist() == [3, 3, 3]
    assert len(seeded.table) == 9
    cells = seeded.cells_of(dim=32)
    assert summary["coherence"][1] == pytest.approx(np.mean([cell.coherence for cell in cells]))
    assert summary["seed_stability"].between(0.2, 0.99).all()
    assert summary["seed_ami"].between(0.2, 0.99).all()


def test_a_given_clusterer_takes_each_of_several_seeds(seeded, some, compare, full_embeddings):
    for cell in seeded.cells_of(dim=32):
        expected = k_means(6, cell.spec.seed).fit_predict(truncate(some[2], 32))
        assert same_partition(cell.document_topics, expected)
    alone = compare(dims=[32], random_state=5, hdbscan_model=k_means(4, 1)).cells[0]
    expected = k_means(4, 1).fit_predict(truncate(full_embeddings[:120], 32))
    assert same_partition(alone.document_topics, expected)
    assert alone.spec.seed == 5


def test_seeds_of_numpy(compare, tmp_path):
    comparison = compare(dims=[32], random_state=np.arange(2), store=tmp_path)
    assert [cell.spec.seed for cell in comparison.cells] == [0, 1]
    comparison.to_json(tmp_path / "c.json")


def test_random_dimensions_are_drawn_by_the_seed(seeded, some):
    for cell in seeded.cells_of("none, random dims"):
        columns = np.sort(np.random.default_rng(cell.spec.seed).permutation(256)[:32])
        drawn = truncate(some[2][:, columns], 32)
        assert same_partition(cell.document_topics, k_means(6, cell.spec.seed).fit_predict(drawn))
    assert math.isnan(seeded.summary["neighbors_kept"][2])


def test_halves_are_of_the_first_seed_and_in_no_curve(seeded, some):
    _, all_labels, embeddings = some
    halves = [
        (cell.dim, cell.line.cut, cell.spec.part, cell.spec.seed) for cell in seeded.half_cells
    ]
    assert halves == [
        (dim, cut, f"{half} half", 2)
        for dim, cut in ((256, "prefix"), (32, "prefix"), (32, "random"))
        for half in ("first", "second")
    ]
    assert {cell.spec.part for cell in seeded.cells} == {"all"}
    for cell in seeded.half_cells[2:4]:
        rows = part_rows(len(all_labels), cell.spec.part)
        expected = k_means(6, 2).fit_predict(truncate(embeddings, 32)[rows])
        assert same_partition(cell.document_topics, expected)
        labels = np.array(all_labels)[rows]
        assert cell.ami == pytest.approx(adjusted_mutual_info_score(labels, cell.document_topics))


def test_halves_stability(seeded):
    first, second = seeded.half_cells[2:4]
    expected = topic_stability(first.words, second.words)
    assert seeded.summary["half_stability"][1] == pytest.approx(expected)
    assert 0 < expected < 1


def test_all_cells_have_the_same_samples_of_documents(seeded, some):
    """Halves too: coherence is always that over all documents."""
    vectorizer = CountVectorizer(stop_words="english")
    coherence = TopicCoherence(some[0], vectorizer=vectorizer)
    for cell in (seeded.cells[0], seeded.cells[-1], seeded.half_cells[-1]):
        expected = bootstrap_coherence(coherence, cell.words, n_samples=20)
        np.testing.assert_allclose(cell.coherence_samples, expected)
        assert cell.coherence == pytest.approx(coherence.score(cell.words))


# ---- the store


def without_seconds(comparison):
    table = comparison.table
    return table.drop(columns=[name for name in table if name.endswith("_seconds")])


def assert_same(found, expected):
    """All but seconds is the same, to the last bit."""
    pd.testing.assert_frame_equal(
        without_seconds(found), without_seconds(expected), check_exact=True
    )
    for one, other in zip(
        (*found.cells, *found.half_cells), (*expected.cells, *expected.half_cells), strict=True
    ):
        assert one.topics == other.topics
        np.testing.assert_array_equal(one.document_topics, other.document_topics)
        np.testing.assert_array_equal(one.coherence_samples, other.coherence_samples)


def counted(n_clusters=4):
    return CountedKMeans(n_clusters, n_init=1, random_state=0)


def test_a_second_run_computes_nothing(compare, backend, tmp_path, fits, encoded, doc_labels):
    arguments = {
        "backend": backend,
        "hdbscan_model": counted(),
        "labels": doc_labels[:120],
        "halves": True,
        "random_state": [0, 1],
    }
    first = compare(**arguments, store=tmp_path / "a")
    assert sorted(fits) == [60] * 4 + [120] * 4
    assert len(encoded) == 120
    fits.clear()
    encoded.clear()
    second = compare(**arguments, store=str(tmp_path / "a"))
    assert (fits, encoded) == ([], [])
    assert second.cells == first.cells  # with the seconds of the first run
    assert second.models[BUNDLED].encode_seconds == first.models[BUNDLED].encode_seconds
    assert_same(second, first)


def test_only_what_is_new_is_computed(compare, tmp_path, fits):
    def run(**changes):
        fits.clear()
        comparison = compare(**{"hdbscan_model": counted(), "store": tmp_path, **changes})
        return len(fits), comparison

    assert run()[0] == 2
    assert run(dims=[64, 32, 16])[0] == 1
    assert run(reductions=["none", "variance"])[0] == 2
    assert run(reductions=["variance"], criterion=["variance", "laplacian"])[0] == 2
    assert run(halves=True)[0] == 4
    n_fits, comparison = run(dims=[32], controls=["random"])
    assert (n_fits, len(comparison.cells)) == (1, 2)


def test_further_seeds_leave_the_first_one_s_cells(compare, tmp_path):
    """A given clusterer is another one where it takes the seeds."""
    arguments = {"reductions": ["none"], "clustering": "leiden", "store": tmp_path}
    first = compare(**arguments)
    more = compare(**arguments, random_state=[0, 1])
    assert more.cells[0::2] == first.cells
    assert more.cells[1].represent_seconds != first.cells[0].represent_seconds


@pytest.fixture(scope="module")
def stored(docs, full_embeddings, tmp_path_factory):
    """The folder of a comparison, which other tests leave with further cells."""
    folder = tmp_path_factory.mktemp("stored")
    compare_dimensions(
        docs[:120],
        embeddings=full_embeddings[:120],
        dims=[32],
        reductions=["none"],
        n_samples=10,
        hdbscan_model=counted(),
        store=folder,
        progress=False,
    )
    return folder


@pytest.mark.parametrize(
    "change",
    [
        {"labels": [0, 1] * 60},
        {"measure": "npmi"},
        {"n_samples": 11},
        {"top_n": 5},
        {"n_topics": 3},
        {"n_components": 2},
        {"top_n_words": 7},
        {"vectorizer_model": CountVectorizer()},
        {"hdbscan_model": counted(5)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_settings_are_computed_anew(compare, stored, fits, change):
    fits.clear()
    compare(**{"hdbscan_model": counted(), "store": stored, "dims": [32], **change})
    assert fits == [120]


def test_the_stored_cells_are_found_where_nothing_changed(compare, stored, fits):
    compare(hdbscan_model=counted(), store=stored, dims=[32])
    assert fits == []


def test_other_embeddings_are_fitted_anew(compare, stored, fits, full_embeddings):
    moved = np.array(full_embeddings[:120])
    moved[0] = -moved[0]
    compare(hdbscan_model=counted(), store=stored, dims=[32], embeddings=moved)
    assert fits == [120]


def test_a_changed_document_is_embedded_alone(compare, backend, docs, tmp_path, fits, encoded):
    arguments = {"backend": backend, "hdbscan_model": counted(), "store": tmp_path}
    compare(**arguments)
    fits.clear()
    encoded.clear()
    changed = [*docs[:60], "a sparse matrix in other words", *docs[61:120]]
    comparison = compare(changed, **arguments)
    assert encoded == ["a sparse matrix in other words"]
    assert fits == [120, 120]
    assert_same(comparison, compare(changed, **{**arguments, "store": None}))


KILLED_AFTER_TWO_CELLS = """
import json, os, signal, sys
sys.path.insert(0, sys.argv[1])
from bertopic_matryoshka import MatryoshkaBackend, compare_dimensions
from counted_kmeans import CountedKMeans

def kill(done, total, step):
    if step.startswith("16 dims"):
        os.kill(os.getpid(), signal.SIGKILL)

documents = json.loads(open(sys.argv[2]).read())
compare_dimensions(
    documents, MatryoshkaBackend(), dims=[64, 32, 16, 8], reductions=["none"], n_samples=10,
    hdbscan_model=CountedKMeans(4, n_init=1, random_state=0), store=sys.argv[3], progress=kill,
)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
def test_a_killed_run_goes_on_where_it_was(compare, backend, docs, tmp_path, fits, encoded):
    (tmp_path / "docs.json").write_text(json.dumps(docs[:120]), "utf-8")
    here, folder = str(Path(__file__).parents[1]), tmp_path / "store"
    command = [sys.executable, "-c", KILLED_AFTER_TWO_CELLS, here, tmp_path / "docs.json", folder]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    arguments = {"backend": backend, "dims": [64, 32, 16, 8], "hdbscan_model": counted()}
    kept = compare(**{**arguments, "dims": [64, 32]}, store=folder)
    assert (fits, encoded) == ([], [])
    resumed = compare(**arguments, store=folder)
    assert fits == [120, 120]
    assert encoded == []
    assert resumed.cells[:2] == kept.cells  # with their seconds
    assert_same(resumed, compare(**arguments))


def test_a_damaged_cell_is_noticed_and_fitted_again(compare, tmp_path, fits):
    arguments = {"hdbscan_model": counted(), "store": tmp_path}
    first = compare(**arguments)
    path = max((tmp_path / "cells").glob("*.cell"), key=lambda path: path.stat().st_mtime_ns)
    path.write_bytes(path.read_bytes()[:-7])
    fits.clear()
    with pytest.warns(DamagedFileWarning, match=f"{path.name} is damaged and will be computed"):
        second = compare(**arguments)
    assert fits == [120]
    assert second.cells[0] == first.cells[0]
    assert_same(second, first)
    fits.clear()
    assert compare(**arguments).cells == second.cells
    assert fits == []


def test_what_cannot_be_told_from_others_is_refused_with_a_store_only(compare, tmp_path, encoded):
    vectorizer = CountVectorizer(tokenizer=lambda text: text.split(), token_pattern=None)
    with pytest.raises(
        ValueError, match=r"(?s)vectorizer_model=.* cannot be pickled.* without a store"
    ):
        compare(vectorizer_model=vectorizer, store=tmp_path, backend=MatryoshkaBackend())
    assert encoded == []
    assert len(compare(vectorizer_model=vectorizer).cells) == 2


@pytest.mark.filterwarnings("ignore:.*worker stopped:UserWarning")
def test_cells_may_be_fitted_at_the_same_time(compare, tmp_path):
    """In other processes, where a callable and a representation go too."""
    arguments = {
        "reductions": ["variance"],
        "criterion": lambda X: -X.var(axis=0),
        "n_features_to_select": 8,
        "random_state": [0, 1],
        "clustering": "leiden",
    }
    assert_same(compare(**arguments, n_jobs=2), compare(**arguments))


# ---- bad input


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dims": [512]}, ValueError, "dims=512 must be between 1 and 256"),
        ({"dims": []}, ValueError, "names no width"),
        ({"dims": {"misspelt": [64]}}, ValueError, "dims names misspelt, but the models are"),
        ({"reductions": {"none": []}}, ValueError, "names no width for 'none'"),
        ({"reductions": ["svd"]}, ValueError, "reduction='svd' must be one of"),
        ({"reductions": []}, ValueError, r"reductions=\[\] must be a list"),
        ({"reductions": "umap"}, ValueError, "reductions='umap' must be a list"),
        ({"labels": [1, 2]}, ValueError, r"labels has shape \(2,\)"),
        ({"embeddings": np.ones((3, 8))}, ValueError, r"embeddings has shape \(3, 8\)"),
        ({"embeddings": {BUNDLED: np.ones((3, 8))}}, ValueError, r"embeddings has shape \(3, 8\)"),
        ({"min_topic_size": 100_000}, ValueError, "fewer than one topic needs"),
        ({"documents": ["a", None] * 50}, TypeError, r"documents\[1\]=None"),
        ({"documents": "one text"}, TypeError, "single string"),
        ({"measure": "cv"}, ValueError, "measure='cv' must be one of c_v, "),
        ({"top_n": 1}, ValueError, "top_n=1 must be at least 2"),
        ({"n_samples": 1}, ValueError, "n_samples=1 must be at least 2"),
        ({"n_topics": 0}, ValueError, "n_topics=0 must be at least 1"),
        ({"n_topics": 5, "nr_topics": 5}, ValueError, "n_topics and nr_topics are both given"),
        ({"n_topics": 400}, ValueError, "cannot make 400 topics of min_topic_size=10"),
        ({"halves": True, "min_topic_size": 300}, ValueError, "'first half' cannot make 1 topics"),
        ({"halves": True, "n_topics": 40}, ValueError, "250 documents of 'first half' cannot make"),
        ({"criterion": "varience"}, ValueError, "criterion='varience' must be one of variance, "),
        (
            {"criterion": [lambda X: X[0], lambda X: X[1]]},
            ValueError,
            "Two criteria are named '<la",
        ),
        ({"criterion": []}, ValueError, r"\[\] names nothing to compare"),
        ({"clustering": "dbscan"}, ValueError, "clustering='dbscan' must be one of"),
        (
            {"clustering": "leiden", "hdbscan_model": k_means(3)},
            ValueError,
            "clustering='leiden' and hdbscan_model are both given",
        ),
        ({"random_state": []}, ValueError, r"\[\] names nothing to compare"),
        ({"random_state": [0, 0.5]}, TypeError, "random_state=0.5 must be an int"),
        ({"random_state": -1}, ValueError, "random_state=-1 must be at least 0"),
        ({"controls": "random"}, TypeError, "controls='random' must be a list"),
        ({"controls": [BUNDLED]}, ValueError, "are all models that there are"),
        ({"device": "cuda"}, ValueError, "torch sees no GPU"),
        ({"misspelt": 1}, TypeError, "misspelt"),
        ({"umap_model": None}, TypeError, "umap_model"),
    ],
)
def test_bad_input_is_refused_before_any_work(docs, backend, encoded, change, error, message):
    if "device" in change:
        import torch

        if torch.cuda.is_available():
            pytest.skip("there is a GPU")
    arguments = {"documents": docs, "backend": backend, "reductions": ["none"], **change}
    with pytest.raises(error, match=message):
        compare_dimensions(**arguments, progress=False)
    assert encoded == []


def test_nan_in_given_embeddings_names_the_row(compare):
    embeddings = np.ones((120, 64))
    embeddings[7, 2] = np.nan
    with pytest.raises(ValueError, match="the first is row 7"):
        compare(embeddings=embeddings)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_gpu_equals_cpu(docs, full_embeddings):
    on_gpu, on_cpu = (
        compare_dimensions(
            docs,
            embeddings=full_embeddings,
            dims=[256, 32],
            reductions=["variance"],
            device=device,
            progress=False,
        ).summary
        for device in ("cuda", "cpu")
    )
    measured = ["n_topics", "coherence", "coherence_error", "diversity", "neighbors_kept"]
    np.testing.assert_allclose(on_gpu[measured], on_cpu[measured], atol=1e-5)
