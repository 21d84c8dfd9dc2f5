"""What users do with a BERTopic, method by method; each scenario says what came out.

A scenario takes Parts and returns a few words for a table. It raises what the method raises, and an
AssertionError where the method returns something wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import bertopic
import numpy as np
from bertopic import BERTopic
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction
from bertopic.representation import KeyBERTInspired, MaximalMarginalRelevance
from bertopic.vectorizers import ClassTfidfTransformer, OnlineCountVectorizer
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import IncrementalPCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from tests.bertopic.parts import MIN_SIZE, Parts, about, same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SEEDS = ["digital filter design", "sparse matrix"]
BERTOPICS = frozenset({"by hand", "BERTopic's"})
"""Ways to build that have BERTopic's own methods."""

SINCE_0_17_1 = frozenset() if bertopic.__version__ == "0.17.0" else BERTOPICS


@dataclass(frozen=True)
class Scenario:
    """A scenario with its row of the table.

    Attributes
    ----------
    method : str
        BERTopic's methods or arguments.
    run : callable
        Takes Parts, returns str.
    note : str
        What differs, and the remedy.
    fails : dict of str to type
        Ways to build that fail, by design of BERTopic or by its faults, and how.
    """

    method: str
    run: Callable[[Parts], str]
    note: str = ""
    fails: Mapping[str, type[Exception]] = field(default_factory=dict)


SCENARIOS: list[Scenario] = []


def scenario(
    method: str, note: str = "", fails: Mapping[str, type[Exception]] | None = None
) -> Callable[[Callable[[Parts], str]], Callable[[Parts], str]]:
    """Put a function among SCENARIOS."""

    def add(run: Callable[[Parts], str]) -> Callable[[Parts], str]:
        SCENARIOS.append(Scenario(method, run, note, fails or {}))
        return run

    return add


def classes(parts: Parts) -> list[int]:
    """Give the documents' classes as numbers."""
    names = sorted(set(parts.labels))
    return [names.index(label) for label in parts.labels]


def words_of(topic_model: BERTopic, topic: int) -> list[str]:
    return [word for word, _ in topic_model.get_topic(topic)]


def assert_finds(topic_model: BERTopic) -> None:
    """Assert that find_topics names topics with the words that were searched for."""
    assert len(topic_model.topic_embeddings_) == len(topic_model.get_topics()), (
        "topic_embeddings_ does not have a row for each topic"
    )
    for query in SEEDS:
        topics, similarities = topic_model.find_topics(query, top_n=3)
        word = query.split()[1]
        assert any(word in words_of(topic_model, topic) for topic in topics), query
        assert np.all(np.diff(similarities) <= 0)


# ---- fitting


@scenario("`fit_transform`", "no outliers unless `outlier_share` or `min_membership` asks for them")
def fit_transform(parts: Parts) -> str:
    topic_model = parts.build()
    topics, probabilities = topic_model.fit_transform(parts.docs, parts.embeddings)
    assert topics == topic_model.topics_
    assert len(probabilities) == len(topics) == len(parts.docs)
    return about(topic_model)


@scenario("`fit` without embeddings", "embeds once, as BERTopic does")
def fit(parts: Parts) -> str:
    return about(parts.build().fit(parts.docs))


@scenario("`calculate_probabilities=True`", "ours: shares of a document's neighbours")
def all_probabilities(parts: Parts) -> str:
    topic_model = parts.fitted()
    rows = topic_model.probabilities_
    assert rows.shape == (len(parts.docs), len(set(topic_model.topics_) - {-1}))
    assert (rows >= 0).all()
    assert rows.sum(axis=1).max() <= 1 + 1e-6
    return f"{rows.shape[1]} columns"


@scenario(
    "`transform` of the fit's documents",
    "a document of the fit keeps its topic, unless its text is embedded to other digits",
)
def transform_known(parts: Parts) -> str:
    topic_model = parts.fitted()
    topics, _ = topic_model.transform(parts.docs, parts.embeddings)
    return same(topics, topic_model.topics_)


@scenario(
    "`transform` of new documents",
    "BERTopic asks only hdbscan for probabilities; ours by "
    "`topic_model.hdbscan_model.predict_proba(reduced)`",
)
def transform_new(parts: Parts) -> str:
    topics, probabilities = parts.fitted().transform(["Design a digital filter.", "a spline"])
    assert len(topics) == 2
    assert len(parts.fitted().transform("one text")[0]) == 1
    return "topics" if probabilities is None else "topics, probabilities"


@scenario(
    "`partial_fit`, OnlineCountVectorizer",
    "UMAP and HDBSCAN have none; BERTopic's own way is IncrementalPCA and MiniBatchKMeans",
    fails={"BERTopic's": ValueError},
)
def partial_fit(parts: Parts) -> str:
    topic_model = parts.build(vectorizer_model=OnlineCountVectorizer(stop_words="english"))
    half = len(parts.docs) // 2
    for batch in (slice(None, half), slice(half, None)):
        topic_model.partial_fit(parts.docs[batch], parts.embeddings[batch])
        assert len(topic_model.topics_) == len(parts.docs[batch])
    assert_finds(topic_model)
    return f"{len(topic_model.get_topics())} topics"


@scenario(
    "`partial_fit`, CountVectorizer",
    "BERTopic counts the words of batches with OnlineCountVectorizer only: pass one",
    fails={"ours": AttributeError, "by hand": AttributeError, "BERTopic's": AttributeError},
)
def partial_fit_plain(parts: Parts) -> str:
    topic_model = parts.build()
    if not parts.is_ours:
        topic_model.umap_model = IncrementalPCA(5)
        topic_model.hdbscan_model = MiniBatchKMeans(9, n_init=1, random_state=0)
    topic_model.partial_fit(parts.docs, parts.embeddings)
    return "works"


@scenario("`seed_topic_list` (guided)", "ours also gets the seeds as classes, and keeps them near")
def guided(parts: Parts) -> str:
    topic_model = parts.fit(seed_topic_list=[query.split() for query in SEEDS])
    assert_finds(topic_model)
    return about(topic_model)


@scenario("`zeroshot_topic_list`", "the clusterer finds topics in what is left")
def zero_shot(parts: Parts) -> str:
    topic_model = parts.fit(zeroshot_topic_list=SEEDS, zeroshot_min_similarity=0.45)
    assert set(SEEDS) <= set(topic_model.topic_labels_.values())
    assert len(topic_model.transform(parts.docs[:3])[0]) == 3
    return about(topic_model)


@scenario(
    "`fit(y=...)`, -1 where unknown (semi-supervised)",
    "shapes the graph; UMAP takes y too, PCA and HDBSCAN do not",
)
def semi_supervised(parts: Parts) -> str:
    y = [label if i % 2 else -1 for i, label in enumerate(classes(parts))]
    topic_model = parts.build().fit(parts.docs, parts.embeddings, y=y)
    return about(topic_model)


@scenario("`fit(y=...)`, a classifier as `hdbscan_model` (supervised)", "no clusterer of ours")
def supervised(parts: Parts) -> str:
    topic_model = parts.build(hdbscan_model=LogisticRegression(C=10, max_iter=1000))
    topic_model.fit(parts.docs, parts.embeddings, y=classes(parts))
    assert len(topic_model.transform(parts.docs[:3])[0]) == 3
    return about(topic_model)


@scenario("`fit(y=...)`, BaseCluster (topics by hand)", "`transform`: nearest topic embedding")
def manual(parts: Parts) -> str:
    kwargs: dict[str, Any] = {"hdbscan_model": BaseCluster()}
    if parts.name != "ours":
        kwargs["umap_model"] = BaseDimensionalityReduction()
    topic_model = parts.build(**kwargs).fit(parts.docs, parts.embeddings, y=classes(parts))
    pairs = set(zip(topic_model.topics_, parts.labels, strict=True))
    assert len(pairs) == len(set(parts.labels))
    return about(topic_model)


# ---- the number of topics


@scenario("`nr_topics=6`", "`LeidenClustering(n_clusters=6)` finds six at once")
def nr_topics(parts: Parts) -> str:
    topic_model = parts.fit(nr_topics=6, calculate_probabilities=True)
    n_topics = len(set(topic_model.topics_) - {-1})
    assert topic_model.probabilities_.shape == (len(parts.docs), n_topics)
    return about(topic_model)


@scenario('`nr_topics="auto"`', "HDBSCAN merges topic embeddings; `labels_at` gives any number")
def nr_topics_auto(parts: Parts) -> str:
    return about(parts.fit(nr_topics="auto"))


@scenario("`reduce_topics`, `merge_topics`, `delete_topics`")
def fewer_topics(parts: Parts) -> str:
    topic_model = parts.fitted()
    topic_model.reduce_topics(parts.docs, nr_topics=8)
    assert len(topic_model.get_topics()) == 8
    topic_model.merge_topics(parts.docs, [0, 1])
    assert len(topic_model.get_topics()) == 7
    if hasattr(topic_model, "delete_topics"):  # not in BERTopic 0.17.0
        topic_model.delete_topics([3])
    n_topics = len(set(topic_model.topics_) - {-1})
    assert topic_model.probabilities_.shape[1] == n_topics
    return about(topic_model)


@scenario(
    "`reduce_topics` to 6, then to 20",
    "BERTopic renumbers the probabilities of all topics twice; `build_topic_model` does not",
    fails=dict.fromkeys(BERTOPICS, IndexError),
)
def reduce_twice(parts: Parts) -> str:
    topic_model = parts.fitted()
    topic_model.reduce_topics(parts.docs, nr_topics=6)
    before = topic_model.probabilities_
    topic_model.reduce_topics(parts.docs, nr_topics=20)
    np.testing.assert_array_equal(topic_model.probabilities_, before)
    return about(topic_model)


# ---- outliers


@scenario("`reduce_outliers`", "ours with `LeidenClustering(outlier_share=.2)`")
def reduce_outliers(parts: Parts) -> str:
    topic_model = parts.fitted(outliers=True)
    topics = topic_model.topics_
    left = []
    for strategy in ("distributions", "c-tf-idf", "embeddings", "probabilities"):
        given = {"probabilities": topic_model.probabilities_} if strategy[0] == "p" else {}
        reduced = topic_model.reduce_outliers(parts.docs, topics, strategy=strategy, **given)
        assert all(new == old for new, old in zip(reduced, topics, strict=True) if old != -1)
        left.append(reduced.count(-1) / len(reduced))
    return f"{topics.count(-1) / len(topics):.0%} outliers, {max(left):.0%} left at most"


@scenario(
    "`reduce_outliers`, and there are none",
    "BERTopic's column: k-means. By hand: `MatryoshkaBERTopic`, or ask `if -1 in topics`",
    fails=dict.fromkeys(BERTOPICS, ValueError),
)
def no_outliers(parts: Parts) -> str:
    kwargs = {} if parts.is_ours else {"hdbscan_model": KMeans(9, n_init=1, random_state=0)}
    topic_model = parts.fit(**kwargs)
    assert topic_model.reduce_outliers(parts.docs, topic_model.topics_) == topic_model.topics_
    return "the topics as they are"


@scenario(
    "`update_topics(topics=reduced)`, then `find_topics`",
    "BERTopic keeps the row of topic -1 and names the topic before; `build_topic_model` does not",
    fails=dict.fromkeys(SINCE_0_17_1, AssertionError),
)
def update_reduced(parts: Parts) -> str:
    topic_model = parts.fitted(outliers=True)
    reduced = topic_model.reduce_outliers(
        parts.docs, topic_model.topics_, strategy="embeddings", embeddings=parts.embeddings
    )
    vectorizer = topic_model.vectorizer_model
    topic_model.update_topics(parts.docs, topics=reduced, vectorizer_model=vectorizer)
    assert_finds(topic_model)
    return about(topic_model)


# ---- words and labels


@scenario(
    "`update_topics`",
    "without `vectorizer_model=topic_model.vectorizer_model` the stop words are back",
)
def update_topics(parts: Parts) -> str:
    topic_model = parts.fitted()
    topic_model.update_topics(
        parts.docs, vectorizer_model=CountVectorizer(ngram_range=(2, 2)), top_n_words=4
    )
    assert all(" " in word for word in words_of(topic_model, 0))
    return "pairs of words"


@scenario("`set_topic_labels`, `generate_topic_labels`")
def labels(parts: Parts) -> str:
    topic_model = parts.fitted()
    topic_model.set_topic_labels(topic_model.generate_topic_labels(nr_words=2, separator=" "))
    topic_model.set_topic_labels({0: "the first"})
    assert topic_model.get_topic_info(0)["CustomName"].tolist() == ["the first"]
    return "named"


@scenario("KeyBERTInspired, MMR, several aspects", "words are embedded with the documents' prompt")
def aspects(parts: Parts) -> str:
    representation_model = {
        "Main": KeyBERTInspired(random_state=0),
        "MMR": MaximalMarginalRelevance(diversity=0.3),
        "Both": [KeyBERTInspired(random_state=0), MaximalMarginalRelevance(diversity=0.3)],
    }
    topic_model = parts.fit(representation_model=representation_model)
    assert {"MMR", "Both"} <= set(topic_model.get_topics(full=True))
    assert {"MMR", "Both"} <= set(topic_model.get_topic_info())
    return f"{len(topic_model.topic_aspects_)} aspects"


@scenario("`ctfidf_model`, `vectorizer_model`, `n_gram_range`")
def weights(parts: Parts) -> str:
    topic_model = parts.fit(
        ctfidf_model=ClassTfidfTransformer(bm25_weighting=True, reduce_frequent_words=True),
        vectorizer_model=CountVectorizer(stop_words="english", ngram_range=(1, 2), min_df=2),
    )
    assert any(" " in word for words in topic_model.get_topics().values() for word, _ in words)
    return about(topic_model)


# ---- what a model tells


@scenario(
    "`get_topic`, `get_topics`, `get_topic_info`, `get_topic_freq`, `get_document_info`, "
    "`get_representative_docs`",
    "ours takes representative documents from a topic's core",
)
def tables(parts: Parts) -> str:
    topic_model = parts.fitted()
    info = topic_model.get_topic_info()
    assert info["Count"].sum() == len(parts.docs)
    assert len(info) == len(topic_model.get_topics()) == len(topic_model.get_topic_freq())
    documents = topic_model.get_document_info(parts.docs)
    assert documents["Topic"].tolist() == topic_model.topics_
    assert set(topic_model.get_representative_docs(0)) <= set(parts.docs)
    return f"{len(info)} rows"


@scenario(
    "`find_topics`",
    "the words' space is the documents'; the more documents a topic has, the farther is its mean",
)
def find_topics(parts: Parts) -> str:
    topic_model = parts.fitted()
    assert_finds(topic_model)
    found = np.array([topic_model.find_topics(query)[1] for query in SEEDS])
    return f"nearest {found[:, 0].mean():.2f}, mean of five {found.mean():.2f}"


@scenario(
    "`hierarchical_topics`, `get_topic_tree`",
    "`linkage_function=partial(topic_linkage, topic_model)` merges by the documents' graph",
)
def hierarchy(parts: Parts) -> str:
    topic_model = parts.fitted()
    merges = topic_model.hierarchical_topics(parts.docs)
    tree = topic_model.get_topic_tree(merges)
    n_topics = len(set(topic_model.topics_) - {-1})
    assert tree.count("Topic: ") == n_topics
    return f"{len(merges)} merges"


@scenario("`topics_over_time`")
def over_time(parts: Parts) -> str:
    years = [2000 + i % 4 for i in range(len(parts.docs))]
    table = parts.fitted().topics_over_time(parts.docs, years, nr_bins=2)
    assert table["Frequency"].sum() == len(parts.docs)
    return f"{table['Timestamp'].nunique()} bins"


@scenario("`topics_per_class`")
def per_class(parts: Parts) -> str:
    table = parts.fitted().topics_per_class(parts.docs, classes=parts.labels)
    assert table["Frequency"].sum() == len(parts.docs)
    return f"{table['Class'].nunique()} classes"


@scenario("`approximate_distribution`", "of words; a text without words of topics has none")
def distribution(parts: Parts) -> str:
    topic_model = parts.fitted()
    rows, tokens = topic_model.approximate_distribution(parts.docs[:20], calculate_tokens=True)
    assert len(tokens) == 20
    sums = rows.sum(axis=1)
    assert np.all(np.isclose(sums, 1) | (sums == 0))
    by_embeddings, _ = topic_model.approximate_distribution(
        parts.docs[:5], use_embedding_model=True, min_similarity=0.2
    )
    assert by_embeddings.shape == (5, rows.shape[1])
    return f"{rows.shape[1]} columns"


# ---- more than one model


@scenario("`BERTopic.merge_models`", "`partial_fit` agrees more with one fit (streams.md)")
def merge_models(parts: Parts) -> str:
    half = len(parts.docs) // 2
    models = [
        parts.build(**({} if not parts.is_ours else {"hdbscan_model": _smaller(parts)})).fit(
            parts.docs[rows], parts.embeddings[rows]
        )
        for rows in (slice(None, half), slice(half, None))
    ]
    merged = BERTopic.merge_models(models, min_similarity=0.9)
    assert len(merged.topics_) == len(parts.docs)
    return about(merged)


def _smaller(parts: Parts) -> Any:
    return parts.clusterer().set_params(n_clusters=None, min_cluster_size=MIN_SIZE)
