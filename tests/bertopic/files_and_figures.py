"""Scenarios of saved models and of figures; importing this module adds them to SCENARIOS."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from bertopic import BERTopic

from bertopic_matryoshka import LossySaveWarning, load_topic_model, save_topic_model
from tests.bertopic.parts import same
from tests.bertopic.scenarios import scenario

if TYPE_CHECKING:
    from tests.bertopic.parts import Parts

# ---- saved models


@scenario('`save(serialization="pickle")`, `load`', "a pickle runs code as it is loaded")
def pickled(parts: Parts) -> str:
    topic_model = parts.fitted()
    with tempfile.TemporaryDirectory() as folder:
        topic_model.save(Path(folder) / "model", serialization="pickle")
        loaded = BERTopic.load(Path(folder) / "model")
    return same(loaded.transform(parts.docs, parts.embeddings)[0], topic_model.topics_)


def bertopics_format(parts: Parts, serialization: str) -> str:
    topic_model = parts.fitted()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        topic_model.save(folder, serialization=serialization, save_ctfidf=True)
        loaded = BERTopic.load(folder, embedding_model=topic_model.embedding_model)
    warned = any(issubclass(warning.category, LossySaveWarning) for warning in caught)
    assert warned == parts.is_ours
    assert loaded.get_topics().keys() == topic_model.get_topics().keys()
    inside = np.flatnonzero(np.array(topic_model.topics_) != -1)
    topics = np.array(loaded.transform(parts.docs, parts.embeddings)[0])
    agreement = same(topics[inside], np.array(topic_model.topics_)[inside])
    return agreement + (", a warning" if warned else "")


@scenario(
    '`save(serialization="safetensors")`, `load`',
    "`transform` takes the nearest topic embedding then; `save_topic_model` keeps all "
    "(counted without outliers)",
)
def safetensors(parts: Parts) -> str:
    return bertopics_format(parts, "safetensors")


@scenario('`save(serialization="pytorch")`, `load`', "the same")
def pytorch(parts: Parts) -> str:
    return bertopics_format(parts, "pytorch")


@scenario(
    "`save_topic_model`, `load_topic_model` (ours)",
    "for a MatryoshkaBackend, in a BERTopic built by hand too",
    fails={"BERTopic's": TypeError},
)
def ours(parts: Parts) -> str:
    topic_model = parts.fitted()
    with tempfile.TemporaryDirectory() as folder:
        save_topic_model(topic_model, folder)
        loaded = load_topic_model(folder)
    return same(loaded.transform(parts.docs, parts.embeddings)[0], topic_model.topics_)


# ---- figures


def drawn(*figures: object) -> str:
    assert all(isinstance(figure, go.Figure) for figure in figures)
    return "drawn" if len(figures) == 1 else f"{len(figures)} drawn"


@scenario(
    "`visualize_barchart`, `visualize_heatmap`, `visualize_term_rank`, `visualize_hierarchy`, "
    "`visualize_distribution`",
)
def figures_of_topics(parts: Parts) -> str:
    topic_model = parts.fitted()
    rows, _ = topic_model.approximate_distribution(parts.docs[:9])
    row = rows[rows.sum(axis=1).argmax()]
    return drawn(
        topic_model.visualize_barchart(),
        topic_model.visualize_heatmap(),
        topic_model.visualize_term_rank(),
        topic_model.visualize_hierarchy(),
        topic_model.visualize_distribution(row),
    )


@scenario("`visualize_topics_over_time`, `visualize_topics_per_class`")
def figures_of_tables(parts: Parts) -> str:
    topic_model = parts.fitted()
    years = [2000 + i % 4 for i in range(len(parts.docs))]
    return drawn(
        topic_model.visualize_topics_over_time(topic_model.topics_over_time(parts.docs, years)),
        topic_model.visualize_topics_per_class(
            topic_model.topics_per_class(parts.docs, parts.labels)
        ),
    )


@scenario("`visualize_documents`", "with `reduced_embeddings`; without, BERTopic calls UMAP")
def figure_of_documents(parts: Parts) -> str:
    plane = parts.embeddings[:, :2]
    return drawn(parts.fitted().visualize_documents(parts.docs, reduced_embeddings=plane))


@scenario("`visualize_hierarchical_documents`", "the same")
def figure_of_levels(parts: Parts) -> str:
    topic_model = parts.fitted()
    merges = topic_model.hierarchical_topics(parts.docs)
    plane = parts.embeddings[:, :2]
    return drawn(
        topic_model.visualize_hierarchical_documents(
            parts.docs, merges, reduced_embeddings=plane, nr_levels=3
        )
    )


@scenario(
    "`visualize_approximate_distribution`",
    "BERTopic calls `Styler.applymap`, which pandas 3 does not have",
    fails=dict.fromkeys(("ours", "by hand", "BERTopic's"), AttributeError),
)
def figure_of_tokens(parts: Parts) -> str:
    topic_model = parts.fitted()
    _, tokens = topic_model.approximate_distribution(parts.docs[:2], calculate_tokens=True)
    topic_model.visualize_approximate_distribution(parts.docs[0], tokens[0])
    return "drawn"
