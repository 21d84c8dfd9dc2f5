"""compare_dimensions on real text: what it fits, what it measures, and what it refuses."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from bertopic.backend._sentencetransformers import SentenceTransformerBackend
from compared import GIVEN, assert_same, brief_comparison, k_means, plain_model, same_partition
from sklearn.cluster import DBSCAN, KMeans
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score
from tiny_models import make_model

from bertopic_matryoshka import (
    CoreWords,
    DimensionSelector,
    ExpectWidth,
    LeidenClustering,
    MatryoshkaBackend,
    TopicCoherence,
    TopicScorer,
    build_topic_model,
    compare_dimensions,
    compare_prefixes,
    topic_diversity,
    topic_stability,
    truncate,
)
from bertopic_matryoshka.comparison import replicate_rows
from bertopic_matryoshka.comparison._setting import part_rows
from bertopic_matryoshka.evaluation import bootstrap_coherence

BUNDLED = "the bundled model"
SECONDS = ["reduce_seconds", "cluster_seconds", "represent_seconds", "evaluate_seconds"]


@pytest.fixture
def compare(docs, full_embeddings):
    """Compare 120 documents at two widths with one seed, without a reduction, four topics."""
    return brief_comparison(docs[:120], full_embeddings[:120], lambda: k_means(4))


# ---- what is measured


@pytest.fixture(scope="module")
def comparison(docs, doc_labels, backend):
    """Three widths with selection, the full width with PCA; eight topics everywhere."""
    topic_models = {
        name: build_topic_model(
            backend,
            reduction=reduction,
            hdbscan_model=KMeans(8, n_init=2),
            vectorizer_model=CountVectorizer(stop_words="english"),
        )
        for name, reduction in (("selected", "variance"), ("rotated", "pca"))
    }
    return compare_dimensions(
        docs,
        topic_models,
        dims={"selected": [64, 256, 32], "rotated": [256]},
        seeds=1,
        labels=doc_labels,
        progress=False,
    )


def test_runs_are_by_topic_model_and_from_wide_to_narrow(comparison):
    plan = [(run.topic_model, run.dim) for run in comparison.runs]
    assert plan == [("selected", 256), ("selected", 64), ("selected", 32), ("rotated", 256)]
    assert list(comparison.conditions) == ["selected", "rotated"]
    selected, rotated = comparison.conditions.values()
    assert (selected.reduction, selected.clustering) == ("selection", "KMeans")
    assert selected.reducer == "DimensionSelector()"
    assert selected.clusterer == "KMeans(n_init=2)"
    assert (rotated.reduction, rotated.embedding_model) == ("PCA", BUNDLED)
    assert comparison.controls == ()


def test_a_run_equals_the_same_work_by_hand(comparison, docs, doc_labels, backend):
    """Documents encoded at the width, BERTopic built in its own two lines."""
    topic_model = BERTopic(
        embedding_model=backend,
        umap_model=DimensionSelector(),
        hdbscan_model=KMeans(8, n_init=2, random_state=0),
        vectorizer_model=CountVectorizer(stop_words="english"),
        representation_model=CoreWords(),
    )
    topics, _ = topic_model.fit_transform(docs)
    words = [[word for word, _ in topic_model.get_topic(t)] for t in range(8)]
    coherence = TopicCoherence(docs, vectorizer=CountVectorizer(stop_words="english"))
    run = comparison.runs[1]
    np.testing.assert_array_equal(run.document_topics, topics)
    assert run.words == words
    assert [topic.size for topic in run.topics] == [topics.count(t) for t in range(8)]
    assert run.coherence == pytest.approx(coherence.score(words))
    per_topic = coherence.score_per_topic(words)
    assert run.se_topics == pytest.approx(per_topic.std(ddof=1) / math.sqrt(8))
    samples = bootstrap_coherence(coherence, words)
    np.testing.assert_allclose(run.coherence_resamples, samples)
    assert run.se_documents == pytest.approx(samples.std(ddof=1))
    assert run.diversity == pytest.approx(topic_diversity(words))
    assert run.ami == pytest.approx(adjusted_mutual_info_score(doc_labels, topics))
    assert run.ari == pytest.approx(adjusted_rand_score(doc_labels, topics))
    assert run.v_measure == pytest.approx(v_measure_score(doc_labels, topics))
    assert (run.n_topics, run.outlier_share, run.seed) == (8, 0.0, 0)


def test_topics_are_about_something(comparison):
    """KMeans on real embeddings finds the subpackages far better than chance."""
    assert min(run.ami for run in comparison.runs) > 0.2


def test_seconds_are_those_of_the_stages(comparison):
    for run in comparison.runs:
        assert run.cluster_seconds > 0
        assert run.reduce_seconds > 0
        assert run.represent_seconds > 0
        assert run.evaluate_seconds > 0
    assert comparison.embedding_models[BUNDLED].encode_seconds > 0
    assert comparison.umap_compile_seconds is None


def test_neighbourhoods_are_those_of_the_prefixes(comparison, backend, docs):
    model = comparison.embedding_models[BUNDLED]
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
    assert table["topic_model"].tolist() == ["selected"] * 3 + ["rotated"]
    assert table["dim"].tolist() == [256, 64, 32, 256]
    assert {"n_topics", "outlier_share", "coherence", "diversity", "ami", "ari", "seed"} <= {*table}
    assert {*SECONDS} <= {*table}
    first = comparison.runs[0].topics[0].words
    assert table["sample"][0].startswith(", ".join(first[:4]))


def test_csv_and_json(comparison, tmp_path):
    comparison.to_csv(tmp_path / "c.csv")
    read = pd.read_csv(tmp_path / "c.csv", keep_default_na=False)
    table = comparison.table.drop(columns="umap_compile_seconds")
    pd.testing.assert_frame_equal(read[table.columns], table)
    comparison.to_json(tmp_path / "c.json")
    content = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert content["runs"][0]["coherence"] == comparison.runs[0].coherence
    assert content["runs"][0]["topics"][0]["words"] == list(comparison.runs[0].topics[0].words)
    assert content["provenance"]["bertopic"]


def test_only_outliers_is_reported_and_not_hidden(compare, tmp_path):
    comparison = compare(plain_model(DBSCAN(eps=1e-9, min_samples=120)))
    for run in comparison.runs:
        assert (run.n_topics, run.outlier_share) == (0, 1.0)
        assert math.isnan(run.coherence)
    assert comparison.recommend().answer == "unclear"
    comparison.to_json(tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["runs"][0]["coherence"] is None


def test_a_topic_may_need_all_documents(compare):
    (run,) = compare(plain_model(LeidenClustering(min_cluster_size=120)), dims=[32]).runs
    assert (run.n_topics, run.outlier_share) == (1, 0.0)


def test_umap_is_compiled_before_the_clock_runs(compare, monkeypatch):
    from bertopic_matryoshka.comparison import _fit

    monkeypatch.setattr(_fit, "_warm", set())
    topic_model = BERTopic(embedding_model=BaseEmbedder())
    comparison = compare(topic_model, dims=[32])
    assert comparison.umap_compile_seconds > 0
    again = compare(topic_model, dims=[32])
    assert again.umap_compile_seconds is None  # this process knows UMAP by now
    assert_same(again, comparison)


def test_what_is_clustered_has_unit_rows(compare, full_embeddings):
    """Without a reduction in between, the clusterer sees the cut as truncate makes it."""
    found = compare(plain_model(k_means(8)), dims=[32]).runs[0].document_topics
    full = full_embeddings[:120]
    assert same_partition(found, k_means(8, 0).fit_predict(truncate(full, 32)))
    unnormalised = k_means(8, 0).fit_predict(full[:, :32])
    assert adjusted_mutual_info_score(unnormalised, found) < 0.99


@pytest.mark.parametrize("measure", ["c_npmi", "u_mass"])
def test_any_measure(compare, docs, measure):
    scorer = TopicScorer(measure=measure, top_n=5, n_resamples=10)
    comparison = compare(dims=[32], scorer=scorer)
    (run,) = comparison.runs
    vectorizer = CountVectorizer(stop_words="english")
    coherence = TopicCoherence(docs[:120], measure=measure, vectorizer=vectorizer, top_n=5)
    assert comparison.measure == measure
    assert run.coherence == pytest.approx(coherence.score(run.words))
    assert run.diversity == pytest.approx(topic_diversity(run.words, 5))
    samples = bootstrap_coherence(coherence, run.words, n_resamples=10)
    np.testing.assert_allclose(run.coherence_resamples, samples)


def test_words_are_counted_as_each_topic_model_finds_them(compare, docs):
    vectorizers = {"words": CountVectorizer(), "pairs": CountVectorizer(ngram_range=(2, 2))}
    models = {
        name: plain_model(k_means(4), vectorizer_model=vectorizer)
        for name, vectorizer in vectorizers.items()
    }
    for run in compare(models, dims=[32]).runs:
        counted = TopicCoherence(docs[:120], vectorizer=vectorizers[run.topic_model])
        assert run.coherence == pytest.approx(counted.score(run.words))


# ---- topic models


def test_without_topic_models_it_is_ours_on_the_bundled_model(docs, backend):
    found = compare_dimensions(docs, dims=[64], seeds=1, progress=False)
    assert list(found.conditions) == ["selection + Leiden"]
    assert list(found.embedding_models) == [BUNDLED]
    vectorizer = CountVectorizer(stop_words="english")
    built = build_topic_model(backend, vectorizer_model=vectorizer).fit(docs)
    np.testing.assert_array_equal(found.runs[0].document_topics, built.topics_)


def test_without_topic_models_given_embeddings_are_those_of_ours(docs, full_embeddings):
    found = compare_dimensions(
        docs[:120], embeddings=full_embeddings[:120], dims=[64], seeds=1, progress=False
    )
    assert list(found.conditions) == ["selection + Leiden"]
    assert list(found.embedding_models) == [GIVEN]


@pytest.mark.parametrize(
    ("topic_model", "name"),
    [
        (BERTopic(umap_model=DimensionSelector(), hdbscan_model=LeidenClustering()), None),
        (BERTopic(), "UMAP + HDBSCAN"),
        (plain_model(k_means(4)), "KMeans"),
        (BERTopic(umap_model=ExpectWidth(DimensionSelector(), 256)), "selection + HDBSCAN"),
    ],
)
def test_a_single_topic_model_is_named_by_what_it_is_made_of(compare, topic_model, name):
    assert list(compare(topic_model, dims=[64]).conditions) == [name or "selection + Leiden"]


def test_one_that_expects_a_width_gets_that_of_each_cut(compare, docs, backend):
    built = build_topic_model(backend, hdbscan_model=k_means(4))
    comparison = compare(built, dims=[256, 32], embeddings=None)
    assert [run.dim for run in comparison.runs] == [256, 32]
    assert built.umap_model.width == 64
    assert built.embedding_model is backend


def test_the_topic_models_are_left_as_they_were(compare):
    clusterer, vectorizer = k_means(5, 3), CountVectorizer()
    topic_model = plain_model(clusterer, vectorizer_model=vectorizer, nr_topics=3)
    compare(topic_model, seeds=2)
    assert topic_model.topics_ is None
    assert not hasattr(clusterer, "labels_")
    assert (clusterer.n_clusters, clusterer.random_state, topic_model.nr_topics) == (5, 3, 3)
    assert not hasattr(vectorizer, "vocabulary_")


def test_a_fitted_topic_model_is_fitted_anew(compare, docs, full_embeddings):
    fresh = compare(plain_model(k_means(4)))
    fitted = plain_model(k_means(4)).fit(docs[120:300], full_embeddings[120:300])
    before = list(fitted.topics_)
    assert_same(compare(fitted), fresh)
    assert fitted.topics_ == before


@pytest.mark.parametrize(
    ("clusterer", "has_outliers"),
    [(KMeans(9, n_init=1), False), (DBSCAN(eps=0.55, min_samples=5), True)],
    ids=["no outliers", "outliers"],
)
def test_nr_topics_are_equal_with_and_without_outliers(
    compare, docs, full_embeddings, clusterer, has_outliers
):
    """Though BERTopic itself gives one less where there are outliers."""
    alone = plain_model(clusterer, nr_topics=3).fit(docs, truncate(full_embeddings, 64))
    assert sum(topic != -1 for topic in alone.topic_sizes_) == (2 if has_outliers else 3)
    found = compare(
        plain_model(clusterer, nr_topics=3), docs, embeddings=full_embeddings, dims=[64, 256]
    )
    for run in found.runs:
        assert run.n_topics == 3
        assert (run.outlier_share > 0) == has_outliers
        assert [topic.size for topic in run.topics] == [
            (run.document_topics == topic.id).sum() for topic in run.topics
        ]


def test_leiden_finds_its_own_number(compare, docs, full_embeddings):
    models = {
        "selection": BERTopic(umap_model=DimensionSelector(), hdbscan_model=LeidenClustering(6))
    }
    found = compare(models, docs, embeddings=full_embeddings)
    assert {run.n_topics for run in found.runs} == {6}


# ---- embedding models


def test_given_embeddings_are_not_encoded_and_need_no_backend(compare, full_embeddings, encoded):
    comparison = compare(dims=None)
    assert [run.dim for run in comparison.runs] == [256, 128, 64, 32]  # halvings
    model = comparison.embedding_models[GIVEN]
    assert model.encode_seconds is None
    np.testing.assert_allclose(model.embeddings, truncate(full_embeddings[:120], 256))
    assert encoded == []


def test_the_models_trained_widths_are_the_default(compare, backend, encoded, docs):
    steps = []
    compare(
        {"mine": plain_model(k_means(4), backend)},
        embeddings=None,
        dims=None,
        progress=lambda *step: steps.append(step),
    )
    assert steps == [
        (0, 6, f"encoding 120 documents, {BUNDLED}"),
        (1, 6, f"neighbourhoods, {BUNDLED}"),
        (2, 6, "256 dims, mine"),
        (3, 6, "128 dims, mine"),
        (4, 6, "64 dims, mine"),
        (5, 6, "32 dims, mine"),
        (6, 6, "done"),
    ]
    assert sorted(encoded) == sorted(docs[:120])  # once, at full width


def test_equal_backends_encode_once(compare, docs, encoded):
    """Built twice, at another width, permuted: the same model and the same prompt."""
    backends = [
        MatryoshkaBackend(truncate_dim=32),
        MatryoshkaBackend(batch_size=8),
        MatryoshkaBackend().permuted(3),
    ]
    models = {str(i): plain_model(k_means(4), backend) for i, backend in enumerate(backends)}
    comparison = compare(models, embeddings=None)
    assert sorted(encoded) == sorted(docs[:120])
    assert list(comparison.embedding_models) == [BUNDLED]
    assert_runs_equal = [comparison.runs_of(name)[0].document_topics for name in ("0", "1")]
    np.testing.assert_array_equal(*assert_runs_equal)


def test_another_prompt_is_another_embedding_model(compare, encoded):
    backends = {"plain": MatryoshkaBackend(), "asked": MatryoshkaBackend(prompt="query: ")}
    models = {name: plain_model(k_means(4), backend) for name, backend in backends.items()}
    comparison = compare(models, embeddings=None)
    assert list(comparison.embedding_models) == [BUNDLED, f"{BUNDLED}, asked"]
    assert comparison.conditions["asked"].embedding_model == f"{BUNDLED}, asked"
    assert len(encoded) == 240


@pytest.mark.filterwarnings("ignore::bertopic_matryoshka.TruncationWarning")
def test_embeddings_of_some_and_widths_by_name(compare, backend, full_embeddings, tmp_path):
    folder = make_model(tmp_path / "tiny", width=24)
    comparison = compare(
        {
            "tiny": plain_model(k_means(4), MatryoshkaBackend(folder, dims=[24, 8])),
            "bundled": plain_model(k_means(4), backend),
            "narrow": plain_model(k_means(4)),
        },
        embeddings={"bundled": full_embeddings[:120], "narrow": full_embeddings[:120, :16]},
        dims={"bundled": [256, 16], "narrow": [16]},
    )
    assert [(run.topic_model, run.dim) for run in comparison.runs] == [
        *(("tiny", 24), ("tiny", 8), ("bundled", 256), ("bundled", 16), ("narrow", 16)),
    ]
    models = comparison.embedding_models
    assert list(models) == [folder, BUNDLED, "narrow"]
    assert models[folder].encode_seconds > 0
    assert (models[BUNDLED].encode_seconds, models["narrow"].encode_seconds) == (None, None)
    assert [model.full_dim for model in models.values()] == [24, 256, 16]
    of_bundled, of_narrow = comparison.runs[-2:]
    np.testing.assert_array_equal(of_bundled.document_topics, of_narrow.document_topics)
    assert comparison.summary["neighbors_kept"].tolist()[::2] == [1, 1, 1]


def test_one_array_is_that_of_the_model_that_is_as_wide(compare, backend, tmp_path, encoded):
    folder = make_model(tmp_path / "tiny", width=24)
    models = {
        "tiny": plain_model(k_means(4), MatryoshkaBackend(folder, dims=[24])),
        "bundled": plain_model(k_means(4), backend),
    }
    comparison = compare(models, dims={"bundled": [64]})
    encode_seconds = {name: m.encode_seconds for name, m in comparison.embedding_models.items()}
    assert encode_seconds.pop(folder) > 0
    assert encode_seconds == {BUNDLED: None}
    assert len(encoded) == 120


def test_embeddings_of_one_topic_model_are_those_of_its_backend(
    compare, backend, full_embeddings, encoded
):
    models = {name: plain_model(k_means(4), backend) for name in ("a", "b")}
    comparison = compare(models, embeddings={"a": full_embeddings[:120]})
    assert list(comparison.embedding_models) == [BUNDLED]
    assert encoded == []


@pytest.mark.parametrize("wrap", [lambda model: model, SentenceTransformerBackend, str])
def test_models_of_sentence_transformers_are_made_backends(compare, tmp_path, wrap):
    from sentence_transformers import SentenceTransformer

    folder = make_model(tmp_path / "tiny", width=24)
    model = folder if wrap is str else wrap(SentenceTransformer(folder, device="cpu"))
    found = compare(plain_model(k_means(4), model), embeddings=None, dims=[24, 8])
    expected = compare(
        plain_model(k_means(4), MatryoshkaBackend(folder)), embeddings=None, dims=[24, 8]
    )
    assert_same(found, expected, but=["embedding_model"])


def test_words_are_embedded_at_the_width_of_each_cut(compare, backend):
    """KeyBERTInspired compares documents and words, which must lie in the same space."""
    from bertopic.representation import KeyBERTInspired

    representation = KeyBERTInspired(top_n_words=5)
    models = {
        "prefix": plain_model(k_means(4), backend, representation_model=representation),
        "permuted": plain_model(
            k_means(4), backend.permuted(0), representation_model=representation
        ),
    }
    for run in compare(models).runs:
        assert all(len(words) == 5 for words in run.words)


# ---- seeds, permuted dimensions and halves


@pytest.fixture(scope="module")
def some(docs, doc_labels, full_embeddings):
    """Every third document, its label and its embedding."""
    return docs[::3], doc_labels[::3], full_embeddings[::3]


@pytest.fixture(scope="module")
def seeded(some, backend):
    """Three seeds at two widths, permuted dimensions, and halves of the first seed."""
    documents, labels, embeddings = some
    return compare_dimensions(
        documents,
        {
            "prefix": plain_model(k_means(6, 9), backend),
            "permuted": plain_model(k_means(6, 9), backend.permuted(7)),
        },
        embeddings=embeddings,
        dims=[256, 32],
        seeds=[2, 0, 1],
        scorer=TopicScorer(n_replicates=0, n_resamples=20, split_half=True),
        labels=labels,
        progress=False,
    )


def test_several_seeds_are_averaged(seeded):
    assert [run.seed for run in seeded.runs_of(dim=32)] == [2, 0, 1]
    summary = seeded.summary
    assert summary["topic_model"].tolist() == ["prefix", "prefix", "permuted"]
    assert (summary["n_seeds"] == 3).all()
    assert summary["seed_ami"].between(0.2, 0.99).all()


def test_a_number_of_seeds_counts_from_0(compare):
    assert [run.seed for run in compare(dims=[32], seeds=2).runs] == [0, 1]
    assert [run.seed for run in compare(dims=[32], seeds=np.arange(2, 4)).runs] == [2, 3]


def test_a_seed_is_that_of_the_clusterer_whatever_it_had(seeded, some, compare, full_embeddings):
    for run in seeded.runs_of(dim=32):
        expected = k_means(6, run.seed).fit_predict(truncate(some[2], 32))
        assert same_partition(run.document_topics, expected)
    alone = compare(plain_model(k_means(4, 1)), dims=[32], seeds=[5]).runs[0]
    expected = k_means(4, 5).fit_predict(truncate(full_embeddings[:120], 32))
    assert same_partition(alone.document_topics, expected)
    assert alone.seed == 5


def test_the_seed_none_leaves_the_models_own(compare, full_embeddings, tmp_path):
    comparison = compare(plain_model(k_means(4, 1)), dims=[32], seeds=[None])
    expected = k_means(4, 1).fit_predict(truncate(full_embeddings[:120], 32))
    assert same_partition(comparison.runs[0].document_topics, expected)
    comparison.to_json(tmp_path / "c.json")


def test_permuted_dimensions_are_drawn_by_the_seed(seeded, some):
    assert seeded.controls == ("permuted",)
    assert seeded.conditions["permuted"].is_permuted
    for run in seeded.runs_of("permuted"):
        columns = np.random.default_rng(run.seed).permutation(256)[:32]
        drawn = truncate(some[2][:, columns], 32)
        assert same_partition(run.document_topics, k_means(6, run.seed).fit_predict(drawn))
    assert math.isnan(seeded.summary["neighbors_kept"][2])


def test_permuted_dimensions_are_compared_below_the_full_width(compare, backend):
    """All of them are those of the full width in another order, unless they are asked for."""
    models = {"permuted": plain_model(k_means(4), backend.permuted(0))}
    assert [run.dim for run in compare(models, dims=[256, 32]).runs] == [32]
    assert [run.dim for run in compare(models, dims=None).runs] == [128, 64, 32]
    assert [run.dim for run in compare(models, dims={"permuted": [256]}).runs] == [256]


def test_halves_are_of_the_first_seed_and_in_no_curve(seeded, some):
    _, all_labels, embeddings = some
    halves = [(r.topic_model, r.dim, r.setting.part, r.seed) for r in seeded.half_runs]
    assert halves == [
        (name, dim, f"{half} half", 2)
        for name, dim in (("prefix", 256), ("prefix", 32), ("permuted", 32))
        for half in ("first", "second")
    ]
    assert {run.setting.part for run in seeded.runs} == {"all"}
    for run in seeded.half_runs[2:4]:
        rows = part_rows(len(all_labels), run.setting.part)
        expected = k_means(6, 2).fit_predict(truncate(embeddings, 32)[rows])
        assert same_partition(run.document_topics, expected)
        labels = np.array(all_labels)[rows]
        assert run.ami == pytest.approx(adjusted_mutual_info_score(labels, run.document_topics))


def test_halves_stability(seeded):
    first, second = seeded.half_runs[2:4]
    expected = topic_stability(first.words, second.words)
    assert seeded.summary["half_stability"][1] == pytest.approx(expected)
    assert 0 < expected < 1


def test_all_runs_have_the_same_samples_of_documents(seeded, some):
    """Halves too: coherence is always that over all documents."""
    vectorizer = CountVectorizer(stop_words="english")
    coherence = TopicCoherence(some[0], vectorizer=vectorizer)
    for run in (seeded.runs[0], seeded.runs[-1], seeded.half_runs[-1]):
        expected = bootstrap_coherence(coherence, run.words, n_resamples=20)
        np.testing.assert_allclose(run.coherence_resamples, expected)
        assert run.coherence == pytest.approx(coherence.score(run.words))


def test_a_graph_is_built_once_for_several_seeds(compare, monkeypatch):
    from bertopic_matryoshka.clustering import _tree_clusters

    searches = []
    original = _tree_clusters.distinct_neighbor_graph

    def distinct_neighbor_graph(rows, **kwargs):
        searches.append(len(rows))
        return original(rows, **kwargs)

    monkeypatch.setattr(_tree_clusters, "distinct_neighbor_graph", distinct_neighbor_graph)
    models = {"few": plain_model(LeidenClustering(3)), "many": plain_model(LeidenClustering(6))}
    several = compare(models, seeds=2)
    assert len(searches) == 2  # one a width
    searches.clear()
    assert_same(compare({"few": models["few"]}, seeds=[0]), _only(several, "few", 0))
    assert len(searches) == 2


def _only(comparison, topic_model, seed):
    from dataclasses import replace

    return replace(
        comparison,
        runs=tuple(r for r in comparison.runs if (r.topic_model, r.seed) == (topic_model, seed)),
        conditions={topic_model: comparison.conditions[topic_model]},
    )


@pytest.mark.filterwarnings("ignore:.*worker stopped:UserWarning")
def test_runs_may_be_fitted_at_the_same_time(compare):
    """In other processes, where a callable goes too."""
    selector = DimensionSelector(8, criterion=lambda X: -X.var(axis=0))
    models = {"last": BERTopic(umap_model=selector, hdbscan_model=LeidenClustering())}
    assert_same(compare(models, seeds=2, n_jobs=2), compare(models, seeds=2))


# ---- bad input

DEFAULT = object()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dims": [512]}, ValueError, "dims=512 must be between 1 and 256"),
        ({"dims": [2.5]}, TypeError, "dims=2.5 must be an int"),
        ({"dims": []}, ValueError, r"dims=\[\] is empty"),
        ({"dims": {"misspelt": [64]}}, ValueError, "dims names misspelt, but the topic models are"),
        ({"labels": [1, 2]}, ValueError, r"labels has shape \(2,\)"),
        ({"embeddings": np.ones((3, 8))}, ValueError, r"embeddings has shape \(3, 8\)"),
        ({"embeddings": {"Leiden": np.ones((3, 8))}}, ValueError, r"embeddings has shape \(3, 8\)"),
        ({"embeddings": {"x": 0}}, ValueError, "embeddings names x, but the topic models are Leid"),
        ({"documents": ["a", None] * 50}, TypeError, r"documents\[1\]=None"),
        ({"documents": "one text"}, TypeError, "single string"),
        (
            {
                "documents": ["a"] * 9,
                "topic_models": plain_model(LeidenClustering(min_cluster_size=10)),
            },
            ValueError,
            "9 documents are fewer than one topic needs at 10",
        ),
        ({"seeds": []}, ValueError, r"seeds=\[\] is empty"),
        ({"seeds": 0}, ValueError, "seeds=0 must be at least 1"),
        ({"seeds": [0, 0.5]}, TypeError, "seeds=0.5 must be an int"),
        ({"seeds": [-1]}, ValueError, "seeds=-1 must be at least 0"),
        ({"scorer": "c_v"}, TypeError, "scorer='c_v' must be a TopicScorer"),
        ({"topic_models": {}}, ValueError, "names nothing to compare"),
        ({"topic_models": MatryoshkaBackend()}, TypeError, r"build_topic_model\(backend\) makes"),
        ({"topic_models": {"a": 1}}, TypeError, r"topic_models\['a'\] is of type int and must be"),
        ({"misspelt": 1}, TypeError, "misspelt"),
        (
            {"topic_models": plain_model(LeidenClustering(400), MatryoshkaBackend())},
            ValueError,
            "fewer than 400 topics need at 10 documents a topic",
        ),
        (
            {
                "topic_models": plain_model(LeidenClustering(40), MatryoshkaBackend()),
                "scorer": TopicScorer(n_replicates=0, split_half=True),
            },
            ValueError,
            "documents of a half are fewer than 40 topics need",
        ),
        (
            {"topic_models": {"a": BERTopic()}},
            ValueError,
            r"topic_models\['a'\] has no embedding_model. BERTopic would take all-MiniLM-L6-v2",
        ),
        (
            {"topic_models": {"a": plain_model(k_means(4), BaseEmbedder())}},
            ValueError,
            "embeds by a BaseEmbedder, which is not truncated. Wrap it, as",
        ),
        (
            {
                "topic_models": plain_model(k_means(4), MatryoshkaBackend().permuted(0)),
                "seeds": [None],
            },
            ValueError,
            "are permuted by the seed, and seeds has None",
        ),
        (
            {
                "topic_models": plain_model(k_means(4), MatryoshkaBackend().permuted(0)),
                "dims": [256],
            },
            ValueError,
            r"dims=\[256\] leaves no width",
        ),
        ({"embeddings": "wide"}, ValueError, "are 300 wide, but its model is 256"),
    ],
)
def test_bad_input_is_refused_before_any_work(docs, encoded, change, error, message):
    topic_model = plain_model(LeidenClustering(min_cluster_size=10), MatryoshkaBackend())
    arguments = {"documents": docs, "topic_models": topic_model, **change}
    if isinstance(arguments.get("embeddings"), str):
        arguments["embeddings"] = np.ones((len(docs), 300))
    with pytest.raises(error, match=message):
        compare_dimensions(arguments.pop("documents"), **arguments, progress=False)
    assert encoded == []


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"measure": "cv"}, ValueError, "measure='cv' must be one of c_v, "),
        ({"top_n": 1}, ValueError, "top_n=1 must be at least 2"),
        ({"n_resamples": 1}, ValueError, "n_resamples=1 must be at least 2"),
        ({"n_resamples": 2.5}, TypeError, "n_resamples=2.5 must be an int"),
    ],
)
def test_a_scorer_checks_its_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        TopicScorer(**parameters)
    with pytest.raises(TypeError):
        TopicScorer("c_v")  # by keyword only


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="torch sees no GPU"):
        TopicScorer(device="cuda")


def test_two_models_of_one_width_and_one_array(compare, tmp_path):
    folders = [make_model(tmp_path / name, width=24) for name in "ab"]
    models = {f: plain_model(k_means(4), MatryoshkaBackend(f, dims=[24])) for f in folders}
    with pytest.raises(ValueError, match="2 embedding models are 24 wide"):
        compare(models, embeddings=np.ones((120, 24)), dims=[24])
    with pytest.raises(ValueError, match="none of the embedding models is"):
        compare(models, embeddings=np.ones((120, 23)), dims=[23])


def test_a_prefix_of_the_embeddings_cannot_be_permuted(compare, backend, full_embeddings):
    permuted = plain_model(k_means(4), backend.permuted(0))
    with pytest.raises(ValueError, match="are 64 wide, but its model is 256"):
        compare(permuted, embeddings=full_embeddings[:120, :64])


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
            BERTopic(umap_model=DimensionSelector(), hdbscan_model=LeidenClustering(device=device)),
            embeddings=full_embeddings,
            dims=[256, 32],
            seeds=1,
            scorer=TopicScorer(device=device),
            progress=False,
        ).summary
        for device in ("cuda", "cpu")
    )
    measured = ["n_topics", "coherence", "se_coherence", "diversity", "neighbors_kept"]
    np.testing.assert_allclose(on_gpu[measured], on_cpu[measured], atol=1e-5)


# ---- replicates


def by_hand(docs, embeddings, dim, number, clusterer):
    """Fit a replicate in BERTopic's own lines."""
    rows = replicate_rows(docs, number)
    topic_model = plain_model(clusterer.set_params(random_state=number), BaseEmbedder())
    topics, _ = topic_model.fit_transform(
        [docs[row] for row in rows], truncate(embeddings[rows], dim)
    )
    return rows, topics


@pytest.mark.parametrize("clusterer", [LeidenClustering, lambda: KMeans(4, n_init=1)])
def test_replicates_equal_the_same_work_by_hand(docs, full_embeddings, doc_labels, clusterer):
    """A LeidenClustering is asked for as many topics as the widest has in all documents."""
    docs, embeddings = docs[:150], full_embeddings[:150]
    labels = np.array(doc_labels[:150])
    comparison = compare_dimensions(
        docs,
        plain_model(clusterer()),
        dims=[64, 32],
        seeds=1,
        labels=labels,
        embeddings=embeddings,
        scorer=TopicScorer(n_resamples=5, n_replicates=3),
        progress=False,
    )
    n_topics = comparison.runs[0].n_topics
    found = comparison.replicates_of()
    assert [(of.setting.dim, of.setting.seed) for of in found] == [
        (dim, number) for dim in (64, 32) for number in range(3)
    ]
    for replicate in found:
        dim, number = replicate.setting.dim, replicate.setting.seed
        rows, topics = by_hand(
            docs, embeddings, dim, number, clusterer().set_params(n_clusters=n_topics)
        )
        np.testing.assert_array_equal(replicate.rows, rows)
        np.testing.assert_array_equal(replicate.document_topics, topics)
        assert replicate.ami == pytest.approx(adjusted_mutual_info_score(labels[rows], topics))
    assert comparison.summary["topic_agreement"][0] == pytest.approx(1)
    assert comparison.summary["topic_agreement_low"][1] < comparison.summary["topic_agreement"][1]
    assert comparison.recommend().evidence[32].labels is not None


def test_replicates_find_words_where_topics_depend_on_them(docs, full_embeddings):
    """Topics that BERTopic merges by their words are merged in replicates too."""
    topic_model = plain_model(k_means(8), BaseEmbedder(), nr_topics=4)
    comparison = compare_dimensions(
        docs[:150],
        topic_model,
        dims=[64, 32],
        seeds=1,
        embeddings=full_embeddings[:150],
        scorer=TopicScorer(n_resamples=5, n_replicates=2),
        progress=False,
    )
    assert {len(set(of.document_topics)) for of in comparison.replicates} == {4}


def test_too_few_documents_for_a_replicate_are_refused_before_anything_is_fitted(compare):
    crowded = plain_model(LeidenClustering(10, min_cluster_size=11))
    with pytest.raises(
        ValueError, match=r"96 documents of a replicate are fewer than 10 topics.* n_replicates=0"
    ):
        compare(crowded, scorer=TopicScorer(n_replicates=3))
    assert len(compare(crowded).runs) == 2
