"""Everything public, called with what nobody should pass: a right answer, or an error that helps."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from sklearn.cluster import KMeans

from bertopic_matryoshka import (
    CoreWords,
    DimensionSelector,
    LeidenClustering,
    MatryoshkaBackend,
    PrincipalRotation,
    build_topic_model,
    compare_prefixes,
    compare_topic_numbers,
    inspect_dimensions,
    inverted_rbo,
    nearest_neighbors,
    topic_balance,
    topic_diversity,
    topic_stability,
    truncate,
)
from tests.hostile.calls import CALLS, cases, missing_parameters
from tests.hostile.judge import judge
from tests.hostile.values import DOCUMENTS, rows

SHARE = 0.15
"""Share of the cases that are tried here; benchmarks/fuzz.py tries all of them, and pairs."""


@pytest.mark.parametrize("call", CALLS, ids=[call.name for call in CALLS])
def test_a_right_answer_or_an_error_that_names_the_parameter(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some values are names of files
    own = [case for case in cases() if case[0] is call]
    drawn = np.random.default_rng(0).permutation(len(own))[: round(SHARE * len(own))]
    bad = []
    for i in sorted(drawn):
        _, parameter, value = own[i]
        verdict = judge(call, {parameter: value})
        if not verdict.is_good:
            bad.append(f"{call.name}({parameter}: {value.name}): {verdict.kind}, {verdict.detail}")
    assert bad == []


def test_every_public_parameter_is_tried():
    assert missing_parameters() == []


# ---- what was taken in silence


@pytest.mark.parametrize("measure", [topic_diversity, inverted_rbo])
@pytest.mark.parametrize("topics", [["red", "apple"], [b"red", b"sea"], [[b"red"], [b"sea"]]])
def test_letters_and_bytes_are_no_words(measure, topics):
    with pytest.raises(TypeError, match=r"topics\[0\]=.* must be a list of words, each a string"):
        measure(topics)


@pytest.mark.parametrize("top_n", [-1, 0])
def test_no_negative_number_of_words(top_n):
    with pytest.raises(ValueError, match=f"top_n={top_n} must be at least 1"):
        topic_diversity([["red", "apple"]], top_n)


def test_numbers_are_no_words():
    with pytest.raises(TypeError, match=r"topics\[0\]=\[1, 2\] must be a list of words"):
        topic_stability([[1, 2]], [["red", "apple"]])
    with pytest.raises(TypeError, match=r"others\[0\]=\[1, 2\] must be a list of words"):
        topic_stability([["red", "apple"]], [[1, 2]])


@pytest.mark.parametrize("near_zero", [5, float("inf"), float("nan"), True, "0.1", -0.1, 1])
def test_near_zero_is_a_share(near_zero):
    with pytest.raises(
        (TypeError, ValueError), match=re.escape(f"near_zero={near_zero!r} must be")
    ):
        inspect_dimensions(rows(), near_zero=near_zero)


@pytest.mark.parametrize(
    "call",
    [
        lambda X: truncate(X, 8),
        lambda X: nearest_neighbors(X, 3),
        lambda X: nearest_neighbors(rows(), 3, queries=X),
        lambda X: compare_prefixes(X, [8]),
        inspect_dimensions,
        lambda X: DimensionSelector().fit(X),
        lambda X: PrincipalRotation().fit(X),
        lambda X: LeidenClustering().fit(X),
    ],
    ids=["truncate", "search", "queries", "prefixes", "inspect", "selector", "rotation", "leiden"],
)
def test_complex_and_masked_rows(call):
    with pytest.raises((TypeError, ValueError), match=r"(?i)complex"):
        call(rows() + 1j)
    hidden = np.ma.array(rows(), mask=rows() > 0.4)
    with pytest.raises(ValueError, match=rf"hides {hidden.mask.sum()} values by its mask"):
        call(hidden)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(np.ma.array(rows(), mask=False))  # hides nothing


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_tensors_are_read_with_their_gradients(kind):
    X = torch.from_numpy(rows()).to(kind).requires_grad_()
    expected = nearest_neighbors(X.detach().float().numpy(), 3)[0]
    np.testing.assert_array_equal(nearest_neighbors(X, 3)[0], expected)
    labels = LeidenClustering().fit_predict(X)
    np.testing.assert_array_equal(labels, LeidenClustering().fit_predict(X.detach().float()))


@pytest.mark.parametrize(
    "documents",
    [pd.DataFrame({"text": DOCUMENTS}), dict.fromkeys(DOCUMENTS, 1), set(DOCUMENTS)],
    ids=["frame", "dict", "set"],
)
def test_a_frame_is_no_list_of_texts(documents):
    with pytest.raises(TypeError, match=r"documents is of type .* must be a list of strings"):
        MatryoshkaBackend().embed(documents)


def test_lone_surrogates_are_replaced_and_counted():
    backend = MatryoshkaBackend()
    with pytest.warns(RuntimeWarning, match=r"2 of 3 documents hold lone .* documents\[1\]"):
        found = backend.embed(["red", "apple \ud83d sea", "\udc00 sea"])
    expected = backend.embed(["red", "apple \ufffd sea", "\ufffd sea"])
    np.testing.assert_array_equal(found, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backend.embed(["a whole one: \U0001f600"])


@pytest.mark.parametrize("sizes", [["3", "4"], [3 + 1j], np.ma.array([3, 4], mask=[True, False])])
def test_sizes_are_numbers(sizes):
    with pytest.raises((TypeError, ValueError), match="sizes"):
        topic_balance(sizes)


# ---- what BERTopic ignores


def test_a_size_beside_a_clusterer_is_refused():
    with pytest.raises(ValueError, match=r"min_topic_size=5 is ignored .*min_cluster_size=5"):
        build_topic_model(hdbscan_model=LeidenClustering(), min_topic_size=5)
    with pytest.raises(
        ValueError, match=r"min_topic_size=5 is ignored .* a parameter of the hdbscan_model"
    ):
        build_topic_model(hdbscan_model=KMeans(2), min_topic_size=5)
    build_topic_model(min_topic_size=5)


def test_probabilities_beside_a_clusterer_are_refused_unless_it_computes_them():
    with pytest.raises(ValueError, match=r"LeidenClustering\(calculate_probabilities=True\)"):
        build_topic_model(hdbscan_model=LeidenClustering(), calculate_probabilities=True)
    clusterer = LeidenClustering(calculate_probabilities=True)
    build_topic_model(hdbscan_model=clusterer, calculate_probabilities=True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"min_topic_size": 5}, r"min_topic_size=5 is ignored .*min_cluster_size=5"),
        ({"calculate_probabilities": True}, "calculate_probabilities=True is ignored"),
        ({}, None),
    ],
)
def test_what_bertopic_ignores_is_said_where_it_was_built_by_hand(arguments, told):
    model = BERTopic(
        embedding_model=MatryoshkaBackend(truncate_dim=16),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=LeidenClustering(3, min_cluster_size=3),
        representation_model=CoreWords(),
        **arguments,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(DOCUMENTS, rows())
    found = [str(warning.message) for warning in caught if "ignored by" in str(warning.message)]
    assert len(found) == (told is not None)
    assert told is None or re.search(told, found[0])


def test_numbers_of_topics_of_a_model_without_a_reduction():
    model = BERTopic(
        embedding_model=MatryoshkaBackend(truncate_dim=32),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=LeidenClustering(3, min_cluster_size=3),
    )
    found = compare_topic_numbers(model, DOCUMENTS, [2, 3], embeddings=rows())
    assert found.table.index.tolist() == [2, 3]
