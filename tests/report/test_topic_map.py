"""The map of documents with topic names by level, through a real topic model."""

import numpy as np
import pandas as pd
import pytest

from bertopic_matryoshka import (
    LeidenClustering,
    build_topic_model,
    plot_topic_map,
    topic_levels,
    write_topic_map,
)
from bertopic_matryoshka.topics import TopicLevels


@pytest.fixture(scope="module")
def levels(backend, docs, embeddings):
    clustering = LeidenClustering(10, outlier_share=0.1)
    topic_model = build_topic_model(backend, hdbscan_model=clustering).fit(docs, embeddings)
    return topic_levels(topic_model, docs, [10, 3])


@pytest.fixture(scope="module")
def figure(levels, docs, embeddings):
    return plot_topic_map(levels, docs, embeddings, sample_size=200)


def test_each_document_has_its_topic(levels, docs, figure):
    table = levels.documents
    names = levels.topics[levels.topics["level"] == 3].set_index("topic")["name"]
    assert [trace.name for trace in figure.data] == ["outliers", *names]
    assert sum(len(trace.x) for trace in figure.data) == 200
    words = levels.topics[levels.topics["level"] == 10].set_index("topic")["words"]
    of_start = {" ".join(text.split())[:60]: i for i, text in enumerate(docs)}
    for topic, trace in zip([-1, 0, 1, 2], figure.data, strict=True):
        shown = [text.partition(": ") for text in trace.hovertext]
        rows = [of_start.get(document[:60]) for _, _, document in shown]
        known = [(row, title) for row, (title, _, _) in zip(rows, shown, strict=True) if row]
        assert len(known) > len(rows) / 2
        for row, title in known:
            fine = table["level_10"][row]
            assert table["level_3"][row] == topic or docs.count(docs[row]) > 1
            expected = "outlier" if fine == -1 else ", ".join(words[fine].split(", ")[:5])
            assert title == expected or docs.count(docs[row]) > 1


def test_the_names_of_a_level_stand_amid_its_documents(levels, figure):
    annotations = figure.layout.annotations
    assert [a.name for a in annotations].count("level 0") == 3
    assert 8 <= [a.name for a in annotations].count("level 1") <= 10
    assert [a.visible for a in annotations] == [a.name == "level 0" for a in annotations]
    for annotation, trace in zip(annotations, figure.data[1:], strict=False):
        assert annotation.text == trace.name
        assert (annotation.x, annotation.y) in set(zip(trace.x, trace.y, strict=True))


def test_the_map_is_one_file_that_opens_offline(levels, docs, embeddings, tmp_path):
    path = write_topic_map(levels, docs, embeddings, tmp_path / "map.html", sample_size=60)
    page = path.read_text("utf-8")
    assert "plotly_relayout" in page
    assert "{plot_id}" not in page
    assert "<script src" not in page


def test_text_is_shown_as_it_is(embeddings):
    n = len(embeddings)
    documents = pd.DataFrame({"topic": np.zeros(n, int), "level_1": np.zeros(n, int)})
    row = {"level": 1, "topic": 0, "parent": -1, "size": n, "name": "<i>a</i>", "words": "<i>a</i>"}
    levels = TopicLevels(documents, pd.DataFrame([row]))
    texts = ["<script>alert(1)</script>"] * n
    figure = plot_topic_map(levels, texts, embeddings, sample_size=20)
    assert figure.data[0].name == "&lt;i&gt;a&lt;/i&gt;"
    assert figure.layout.annotations[0].text == "&lt;i&gt;a&lt;/i&gt;"
    shown = figure.data[0].hovertext
    assert all("&lt;script&gt;" in text and "<script>" not in text for text in shown)


def test_other_documents(levels, docs, embeddings):
    with pytest.raises(ValueError, match="documents has 5 texts and must have the"):
        plot_topic_map(levels, docs[:5], embeddings)
    with pytest.raises(ValueError, match="one row for each"):
        plot_topic_map(levels, docs, embeddings[:5])
