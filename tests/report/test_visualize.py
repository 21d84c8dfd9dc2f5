"""BERTopic's figures without UMAP."""

import builtins
import copy
from collections import Counter

import numpy as np
import pytest
from bertopic import BERTopic

from bertopic_matryoshka import layout_documents, visualize_documents, visualize_topics


@pytest.fixture
def _no_umap(monkeypatch):
    """Let nothing run UMAP."""
    original = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "umap":
            raise AssertionError("umap was imported")
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.mark.usefixtures("_no_umap")
def test_documents_are_in_their_topics_traces_at_their_places(topic_model, docs, embeddings):
    figure = visualize_documents(topic_model, docs, embeddings, title="Docstrings", width=700)
    assert (figure.layout.title.text, figure.layout.width) == ("Docstrings", 700)
    places = {tuple(place) for place in layout_documents(embeddings).tolist()}
    sizes = Counter(topic_model.topics_)
    assert len(figure.data) == len(sizes) + 1  # BERTopic's trace of others comes first
    for topic, trace in zip(sorted(sizes), figure.data[1:], strict=True):
        words = [word for word, _ in topic_model.get_topic(topic)]
        assert trace.name == f"{topic}_" + "_".join(words[:3])
        assert len(trace.x) == sizes[topic] + 1  # and the name
        found = list(zip(trace.x.tolist(), trace.y.tolist(), strict=True))[:-1]
        assert {tuple(np.float32(place).tolist()) for place in found} <= places


@pytest.mark.usefixtures("_no_umap")
def test_a_sample_is_drawn_and_the_model_stays_as_it_was(topic_model, docs, embeddings):
    topics = list(topic_model.topics_)
    # BERTopic may write a name over a document.
    first, again, other = (
        visualize_documents(
            topic_model,
            docs,
            embeddings,
            sample_size=40,
            random_state=seed,
            hide_annotations=True,
        )
        for seed in (0, 0, 1)
    )
    texts = [
        sorted(text for trace in figure.data[1:] for text in trace.hovertext)
        for figure in (first, again, other)
    ]
    assert len(texts[0]) == 40
    assert texts[0] == texts[1] != texts[2]
    assert topic_model.topics_ == topics


def test_text_is_shown_as_it_is(topic_model, docs, embeddings):
    texts = ["<b>a</b>" * 100] * len(docs)
    figure = visualize_documents(topic_model, texts, embeddings, hide_annotations=True)
    shown = {text for trace in figure.data[1:] for text in trace.hovertext}
    assert all(text.startswith("&lt;b&gt;a&lt;/b&gt;") and len(text) < 500 for text in shown)


@pytest.mark.usefixtures("_no_umap")
@pytest.mark.parametrize("use_ctfidf", [False, True])
def test_topics_are_circles_with_their_words(topic_model, use_ctfidf):
    figure = visualize_topics(topic_model, use_ctfidf=use_ctfidf, height=500)
    (trace,) = figure.data
    sizes = Counter(topic_model.topics_)
    assert trace.marker.size.tolist() == [sizes[topic] for topic in sorted(sizes)]
    words = [" | ".join(w for w, _ in topic_model.get_topic(t)[:5]) for t in sorted(sizes)]
    assert [row[1] for row in trace.customdata] == words
    assert len(set(zip(trace.x, trace.y, strict=True))) == len(sizes)
    assert figure.layout.height == 500


def test_some_topics_and_labels(topic_model):
    sizes = Counter(topic_model.topics_)
    figure = visualize_topics(topic_model, top_n_topics=3)
    assert sorted(figure.data[0].marker.size, reverse=True) == [n for _, n in sizes.most_common(3)]
    labelled = copy.copy(topic_model)
    labelled.custom_labels_ = [f"<i>{topic}" for topic in range(9)]
    figure = visualize_topics(labelled, [4, 2], custom_labels=True)
    assert [row[1] for row in figure.data[0].customdata] == ["&lt;i&gt;2", "&lt;i&gt;4"]


def test_wrong_arguments(topic_model, docs, embeddings):
    with pytest.raises(ValueError, match="topics has 9, which is none of the model's 9"):
        visualize_topics(topic_model, [9])
    with pytest.raises(ValueError, match="topic_model is not fitted"):
        visualize_topics(BERTopic())
    with pytest.raises(ValueError, match="top_n_topics=0 must be at least 1 or None"):
        visualize_topics(topic_model, top_n_topics=0)
    with pytest.raises(TypeError, match="sample is an argument of BERTopic's method; here it is"):
        visualize_documents(topic_model, docs, embeddings, sample=0.5)
    with pytest.raises(ValueError, match="documents has 2 texts"):
        visualize_documents(topic_model, docs[:2], embeddings)
