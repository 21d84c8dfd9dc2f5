"""Topics of one model at several numbers, measured, and the number that is recommended."""

import numpy as np
import pytest
from bertopic import BERTopic
from bertopic.backend import BaseEmbedder
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score

from bertopic_matryoshka import (
    DimensionSelector,
    LeidenClustering,
    TopicScorer,
    build_topic_model,
    compare_topic_numbers,
    plot_topic_numbers,
    topic_diversity,
    topic_stability,
)
from bertopic_matryoshka.comparison import part_rows, replicate_rows
from bertopic_matryoshka.comparison._number_recommendation import recommend_number

NUMBERS = [3, 6, 9]


def leiden_model(**kwargs):
    return BERTopic(
        embedding_model=BaseEmbedder(),  # without one BERTopic removes punctuation
        umap_model=DimensionSelector(),
        hdbscan_model=LeidenClustering(**kwargs),
        vectorizer_model=CountVectorizer(stop_words="english"),
    )


@pytest.fixture(scope="module")
def comparison(docs, embeddings, doc_labels):
    return compare_topic_numbers(
        leiden_model(),
        docs,
        NUMBERS,
        embeddings=embeddings,
        labels=doc_labels,
        scorer=TopicScorer(measure="npmi", n_replicates=3, split_half=True),
    )


def fitted(embeddings, rows, **kwargs):
    reduced = DimensionSelector().fit_transform(embeddings[rows])
    return LeidenClustering(**kwargs).fit(reduced), reduced


def test_topics_are_those_of_one_fit(comparison, embeddings, docs):
    clustering, reduced = fitted(embeddings, np.arange(len(docs)))
    assert comparison.own_number == clustering.n_clusters_
    assert comparison.table.index.tolist() == NUMBERS
    for n in NUMBERS:
        labels = clustering.labels_at(n)
        np.testing.assert_array_equal(comparison.topics[n].document_topics, labels)
        row = comparison.table.loc[n]
        assert row["found"] == n
        assert row["smallest"] == np.bincount(labels).min()
        assert row["largest_share"] == pytest.approx(np.bincount(labels).max() / len(docs))
        assert row["outlier_share"] == 0
        expected = silhouette_score(reduced, labels, metric="cosine")
        assert row["silhouette"] == pytest.approx(expected, abs=1e-6)


def test_words_are_those_of_bertopic(comparison, docs, embeddings):
    topic_model = BERTopic(
        embedding_model=BaseEmbedder(),
        umap_model=BaseDimensionalityReduction(),
        hdbscan_model=BaseCluster(),
        vectorizer_model=CountVectorizer(stop_words="english"),
    ).fit(docs, embeddings, y=comparison.topics[6].document_topics)
    words = {tuple(word for word, _ in topic_model.get_topic(topic)) for topic in range(6)}
    assert {of for _, of, _ in comparison.topics[6].topics} == words
    found = [of for _, of, _ in comparison.topics[6].topics]
    assert comparison.table.loc[6, "diversity"] == topic_diversity(found)


def test_agreement_is_between_samples_and_seeds(comparison, docs, embeddings):
    samples = [replicate_rows(docs, r) for r in range(3)]
    fits = [fitted(embeddings, rows, random_state=r)[0] for r, rows in enumerate(samples)]
    for n in NUMBERS:
        topics = [
            dict(zip(at, of.labels_at(n), strict=True))
            for at, of in zip(samples, fits, strict=True)
        ]
        pairs = []
        for r, s in [(0, 1), (0, 2), (1, 2)]:
            both = sorted(topics[r].keys() & topics[s].keys())
            one, other = ([topics[i][row] for row in both] for i in (r, s))
            pairs.append(adjusted_mutual_info_score(one, other))
        assert comparison.table.loc[n, "agreement"] == pytest.approx(np.mean(pairs))


def test_labels_and_halves(comparison, doc_labels, docs, embeddings):
    for n in NUMBERS:
        expected = adjusted_mutual_info_score(doc_labels, comparison.topics[n].document_topics)
        assert comparison.table.loc[n, "ami"] == pytest.approx(expected)
    words = []
    for seed, part in enumerate(("first half", "second half")):
        rows = part_rows(len(docs), part)
        half = leiden_model(n_clusters=6, random_state=seed)
        half.fit([docs[row] for row in rows], embeddings[rows])
        words.append([[word for word, _ in half.get_topic(topic)] for topic in range(6)])
    assert comparison.table.loc[6, "stability"] == pytest.approx(topic_stability(*words))


def test_the_topic_model_stays_as_it_is(docs, embeddings):
    topic_model = leiden_model(n_clusters=4)
    compare_topic_numbers(
        topic_model, docs, [5], embeddings=embeddings, scorer=TopicScorer(n_replicates=0)
    )
    assert topic_model.hdbscan_model.n_clusters == 4
    assert not hasattr(topic_model.hdbscan_model, "labels_")
    assert topic_model.topics_ is None


SEEDS_OF_REDUCTIONS = []


class RecordedPCA(PCA):
    def fit_transform(self, X, y=None):
        SEEDS_OF_REDUCTIONS.append(self.random_state)
        return super().fit_transform(X, y)


def test_each_replicate_has_a_seed_of_its_own_in_the_reduction_too(docs, embeddings):
    topic_model = leiden_model()
    topic_model.umap_model = RecordedPCA(20, random_state=7)
    scorer = TopicScorer(n_replicates=3)
    compare_topic_numbers(topic_model, docs, [5], embeddings=embeddings, scorer=scorer)
    assert SEEDS_OF_REDUCTIONS == [7, 0, 1, 2]


def test_by_default_it_embeds_and_takes_numbers_that_the_documents_can_make(backend, docs):
    topic_model = build_topic_model(backend)
    found = compare_topic_numbers(topic_model, docs, scorer=TopicScorer(n_replicates=0))
    own = found.own_number
    # 80 % of some 500 documents make 40 topics of 10, and 20 of twice as many.
    assert found.table.index.tolist() == sorted({3, 4, 5, 6, 8, 10, 12, 15, 20, own})
    assert "agreement" not in found.table
    assert "Too few replicates" in str(found.recommend())
    assert found.recommend().n_topics is None


def test_it_is_drawn(comparison):
    figure = plot_topic_numbers(comparison)
    titles = [annotation.text for annotation in figure.layout.annotations]
    assert "coherence, npmi" in titles
    assert "AMI with labels" in titles
    assert "stability between halves" in titles
    assert [list(trace.x) for trace in figure.data] == [NUMBERS] * len(figure.data)
    n_lines = len(figure.layout.shapes)
    assert n_lines == (0 if comparison.recommend().n_topics is None else len(figure.data))


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([], "is empty. Give numbers of topics"),
        ([1], "numbers=1 must be at least 2"),
        ([2, 500], r"numbers holds 500, but 80% of the \d+ distinct documents make at most 40"),
    ],
)
def test_numbers_that_cannot_be(docs, embeddings, numbers, message):
    with pytest.raises(ValueError, match=message):
        compare_topic_numbers(leiden_model(), docs, numbers, embeddings=embeddings)


def test_other_arguments_that_cannot_be(docs, embeddings):
    with pytest.raises(TypeError, match=r"numbers=2\.5 must be an int"):
        compare_topic_numbers(leiden_model(), docs, [2.5], embeddings=embeddings)
    with pytest.raises(TypeError, match="hdbscan_model=HDBSCAN gives no other number"):
        compare_topic_numbers(BERTopic(), docs, embeddings=embeddings)
    with pytest.raises(TypeError, match="scorer='npmi' must be a TopicScorer"):
        compare_topic_numbers(leiden_model(), docs, embeddings=embeddings, scorer="npmi")
    with pytest.raises(ValueError, match="embeddings has shape"):
        compare_topic_numbers(leiden_model(), docs, embeddings=embeddings[1:])
    with pytest.raises(ValueError, match="fewer than one topic needs"):
        compare_topic_numbers(leiden_model(), docs[:3], embeddings=embeddings[:3])


# ---- the recommendation


def equal(n_replicates=5, **values):
    """Replicates that agree by one value at each number, such as ``_3=0.9`` for 3."""
    return {int(n[1:]): np.full((n_replicates, n_replicates), v) for n, v in values.items()}


def test_the_largest_number_that_is_about_as_stable():
    found = recommend_number(equal(_3=0.90, _6=0.92, _9=0.89, _20=0.80))
    assert (found.n_topics, found.most_stable) == (9, 6)
    assert found.sentence == (
        "Take 9 topics, the most that are shown to agree between samples within 5% of the most "
        "stable number (AMI 0.89 for 9, 0.92 for 6)."
    )
    assert found.low[9] == pytest.approx(0.89 / 0.92)


def test_the_most_stable_number_itself():
    found = recommend_number(equal(_3=0.85, _6=0.92, _9=0.80))
    assert found.n_topics == 6
    assert str(found).startswith("Take 6 topics: they agree most between samples (AMI 0.92)")


def test_none_stands_out_if_the_largest_is_as_stable():
    found = recommend_number(equal(_3=0.9, _6=0.85, _9=0.88))
    assert found.n_topics is None
    assert str(found).startswith("No number of topics stands out: 9,")


def test_too_little_structure():
    found = recommend_number(equal(_3=0.5, _6=0.4))
    assert found.n_topics is None
    assert "Too few documents or too little structure" in str(found)


def test_what_is_not_shown_does_not_count():
    """Of 9, the mean is within the tolerance and the bound is not."""
    noisy = np.full((5, 5), 0.91)
    noisy[0, 1:] = noisy[1:, 0] = 0.75
    assert noisy[~np.eye(5, dtype=bool)].mean() > 0.92 * 0.9
    assert recommend_number({**equal(_3=0.92, _20=0.5), 9: noisy}, 0.1).n_topics == 3


def test_a_larger_tolerance_recommends_no_smaller_number():
    values = equal(_3=0.9, _6=0.86, _9=0.8, _20=0.6)
    found = [recommend_number(values, tolerance).n_topics for tolerance in (0.01, 0.05, 0.2)]
    assert found == [3, 6, 9]


@pytest.mark.parametrize("tolerance", [0, 1, -0.1, float("nan")])
def test_a_tolerance_that_cannot_be(tolerance):
    with pytest.raises(ValueError, match=r"tolerance=.* must be above 0 and below 1"):
        recommend_number(equal(_3=0.9), tolerance)


@given(st.integers(3, 6), st.integers(0, 2**32 - 1))
def test_it_is_one_of_those_compared_and_never_one_that_is_visibly_worse(n_replicates, seed):
    rng = np.random.default_rng(seed)
    values = {}
    for n in (3, 5, 8):
        drawn = rng.uniform(0.3, 1, size=(n_replicates, n_replicates))
        values[n] = (drawn + drawn.T) / 2
    found = recommend_number(values)
    if found.n_topics is not None:
        assert found.agreement[found.n_topics] > 0.95 * found.agreement[found.most_stable]
