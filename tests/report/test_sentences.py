"""What the report and the terminal say in words, and when."""

import pytest
from made_runs import (
    MODEL,
    make_comparison,
    make_condition,
    make_model,
    make_replicates,
    make_run,
)

from bertopic_matryoshka.report import compared, notes
from bertopic_matryoshka.report._sentences import definitions, provenance, topic_models

FEW, MANY = [0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2]


# ---- what limits a reading


def test_nothing_is_noted_of_equal_numbers_of_topics_and_two_seeds():
    runs = [
        make_run(8, seed=seed, document_topics=topics) for seed, topics in enumerate((FEW, MANY))
    ]
    assert notes(make_comparison(*runs)) == []


def test_numbers_of_topics_that_move_the_measures_are_noted():
    four = [0, 1, 2, 3, 3, 3]
    runs = [make_run(8, document_topics=FEW), make_run(8, "UMAP", document_topics=four, seed=1)]
    (said,) = notes(make_comparison(*runs))
    assert said.startswith("The models have 2 to 4 topics")


def test_many_outliers_are_noted_where_they_are_most():
    few, most = [0, 0, 1, 1, -1, -1], [0, 1, -1, -1, -1, -1]
    runs = [
        make_run(dim, document_topics=topics, seed=seed)
        for dim, topics in ((8, few), (4, most))
        for seed in (0, 1)
    ]
    (said,) = notes(make_comparison(*runs))
    assert said.startswith("selection leaves 67% of the documents without a topic at 4 dimensions.")


def test_one_fit_of_each_is_noted():
    (said,) = notes(make_comparison(make_run(8), make_run(4)))
    assert said == "Each model was fitted once, so variation between seeds is not known."


def test_runs_from_elsewhere_are_noted():
    runs = [make_run(8, seed=seed, machine="here") for seed in (0, 1)]
    elsewhere = make_run(4, seed=0, machine="there"), make_run(4, seed=1, machine="here")
    (said,) = notes(make_comparison(*runs, *elsewhere))
    assert said == ("1 of 4 runs were computed on another machine; their seconds are left out.")
    assert notes(make_comparison(*runs)) == []


# ---- what was compared, and what terms mean


def test_widths_are_listed_by_embedding_model():
    comparison = make_comparison(
        make_run(8),
        make_run(2),
        make_run(8, "UMAP"),
        make_run(4, "another", seed=1),
        conditions={"another": make_condition(embedding_model="b")},
        controls=("another",),
    )
    assert compared(comparison) == (
        "6 documents, 2 seeds. Embeddings: a model at 8 and 2 of 8 dimensions; b at 4 of 8 "
        "dimensions. Topics: selection; UMAP. Controls: another."
    )


def test_embeddings_named_by_their_topic_model_are_said_to_be_given_for_it():
    conditions = {name: make_condition(name, embedding_model="UMAP") for name in ("UMAP", "PCA")}
    comparison = make_comparison(*(make_run(8, name) for name in conditions), conditions=conditions)
    assert "Embeddings: given for UMAP at 8 of 8 dimensions. Topics: UMAP; PCA." in compared(
        comparison
    )
    assert "embeddings: given for UMAP" in provenance(comparison)


def test_what_was_not_measured_is_not_defined():
    terms = definitions(make_comparison(make_run(8)), has_map=False)
    assert not {"AMI, ARI, V-measure", "Seeds", "Halves", "Controls", "Maps"} & set(terms)
    assert "Neighbours kept" in terms


@pytest.mark.parametrize(
    ("measure", "where"),
    [
        ("c_v", "sliding windows of 110 tokens"),
        ("c_npmi", "sliding windows of 10 tokens"),
        ("c_uci", "sliding windows of 10 tokens"),
        ("u_mass", "whole documents"),
        ("npmi", "whole documents"),
    ],
)
def test_the_measure_is_defined(measure, where):
    comparison = make_comparison(make_run(8), measure=measure)
    assert f"Words are counted in {where};" in definitions(comparison, has_map=False)["Coherence"]
    assert provenance(comparison)["coherence measure"] == measure


def test_how_it_was_computed_is_said():
    umap = make_run(8, "UMAP", umap_compile_seconds=9.25)
    said = provenance(make_comparison(make_run(8), umap, make_run(8, seed=3)))
    assert said == {
        "seeds": "0, 3",
        "coherence measure": "c_v",
        "bootstrap": "50 resamples of the documents",
        "embeddings: a model": "8 dimensions; 6 documents encoded once, at full width, in 1.50 s",
        "UMAP's first fit": "9.25 s, mostly compilation; in no other figure",
        "bertopic": "0.17.4",
        "python": "3.12",
        "device": "cpu",
    }


def test_replicates_are_said_and_agreement_is_defined():
    runs = [make_run(8), make_run(4)]
    replicates = [*make_replicates(8), *make_replicates(4)]
    comparison = make_comparison(*runs, replicates=replicates)
    assert provenance(comparison)["replicates"] == "5, each of 80% of the documents"
    assert "80% of the documents" in definitions(comparison, has_map=False)["Topic agreement"]
    assert "Topic agreement" not in definitions(make_comparison(*runs), has_map=False)


def test_given_embeddings_are_said_to_be_untimed():
    models = {MODEL: make_model(encode_seconds=None)}
    said = provenance(make_comparison(make_run(8), embedding_models=models))
    assert said["embeddings: a model"].endswith("given, so encoding was not timed")


def test_what_topic_models_are_made_of_is_said():
    comparison = make_comparison(
        make_run(8), make_run(8, "p"), conditions={"p": make_condition(is_permuted=True)}
    )
    assert topic_models(comparison) == {
        "selection": "selection, Leiden, embeddings: a model",
        "p": "selection, Leiden, embeddings: a model, its dimensions permuted by the seed",
    }
