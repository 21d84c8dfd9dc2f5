"""BERTopic's figures of documents and topics, laid out in seconds and without UMAP."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from bertopic.plotting._topics import _plotly_topic_visualization

from bertopic_matryoshka._constraints import (
    TOPIC_MODEL,
    check_arguments,
    check_each,
    check_fitted,
    flag,
    instance,
    seed,
    whole,
)
from bertopic_matryoshka.report._figures import plain
from bertopic_matryoshka.report._layout import layout_documents
from bertopic_matryoshka.report._page_contents import MAP_CHARACTERS, shorten
from bertopic_matryoshka.report._topic_page import draw_sample
from bertopic_matryoshka.topics import topic_vectors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertopic import BERTopic
    from numpy.typing import ArrayLike
    from plotly.graph_objects import Figure

TOPIC = whole(0, 2**31 - 1)


def visualize_documents(
    topic_model: BERTopic,
    documents: Iterable[str],
    embeddings: ArrayLike | None = None,
    *,
    sample_size: int = 10_000,
    random_state: int | None = 0,
    **bertopic_kwargs: Any,
) -> Figure:
    """Draw documents and topics as BERTopic's `visualize_documents` does, without UMAP.

    BERTopic draws the figure; the places are those of :func:`layout_documents`.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted.
    documents : iterable of str of length n_documents
        Those of the fit, in the same order.
    embeddings : array-like of shape (n_documents, n_dims) or None, default=None
        Of the documents; None embeds those that are drawn with the model.
    sample_size : int, default=10000
        Number of documents, >= 1, drawn at random, at least one of each topic; all if there are
        fewer.
    random_state : int or None, default=0
        Seed of the sample and of the layout.
    **bertopic_kwargs
        Further arguments of BERTopic's method: `topics`, `hide_annotations`, `custom_labels`,
        `title`, `width`, `height`.

    Returns
    -------
    figure : plotly Figure
        Pointing at a document shows its beginning, as text.

    Raises
    ------
    TypeError, ValueError
        As :func:`write_topic_page`; and if `bertopic_kwargs` has `reduced_embeddings` or `sample`.

    See Also
    --------
    write_topic_page : A page with search, words and examples.

    Examples
    --------
    After ``topic_model.fit(docs, embeddings)``::

        visualize_documents(topic_model, docs, embeddings).show()
    """
    check_arguments(locals(), topic_model=TOPIC_MODEL, sample_size=whole(1), random_state=seed())
    replaced = {"reduced_embeddings": "layout_documents", "sample": "sample_size"}
    for name in replaced.keys() & bertopic_kwargs.keys():
        raise TypeError(f"{name} is an argument of BERTopic's method; here it is {replaced[name]}.")
    sample = draw_sample(topic_model, documents, embeddings, sample_size, random_state)
    drawn = copy.copy(topic_model)  # shallow, so that the model keeps its own topics
    drawn.topics_ = [topic_model.topics_[row] for row in sample.rows.tolist()]
    texts = [plain(shorten(text, MAP_CHARACTERS)) for text in sample.texts]
    places = layout_documents(sample.embeddings, random_state=random_state)
    return drawn.visualize_documents(texts, reduced_embeddings=places, **bertopic_kwargs)


def visualize_topics(
    topic_model: BERTopic,
    topics: Iterable[int] | None = None,
    *,
    top_n_topics: int | None = None,
    use_ctfidf: bool = False,
    custom_labels: bool = False,
    title: str = "Intertopic Distance Map",
    width: int = 650,
    height: int = 650,
    random_state: int | None = 0,
) -> Figure:
    """Draw topics as circles as BERTopic's `visualize_topics` does, without UMAP.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted.
    topics : iterable of int or None, default=None
        Topics to draw; None is all but -1.
    top_n_topics : int or None, default=None
        Number of the largest topics to draw, >= 1, where `topics` is None.
    use_ctfidf : bool, default=False
        Whether topics with like words are near each other, rather than topics with like embeddings.
    custom_labels : bool, default=False
        Whether to show the labels of BERTopic's ``set_topic_labels``.
    title : str, default="Intertopic Distance Map"
    width, height : int, default=650
        In pixels, >= 10.
    random_state : int or None, default=0
        Seed of the layout, see :func:`layout_documents`.

    Returns
    -------
    figure : plotly Figure

    Raises
    ------
    TypeError, ValueError
        If the model is not fitted, has no topic, or none of a number in `topics`.

    Examples
    --------
    After ``topic_model.fit(docs)``::

        visualize_topics(topic_model).show()
    """
    check_arguments(
        locals(),
        topic_model=TOPIC_MODEL,
        top_n_topics=whole(1, none=True),
        use_ctfidf=flag(),
        custom_labels=flag(),
        title=instance(str, words="a string"),
        width=whole(10),
        height=whole(10),
        random_state=seed(),
    )
    import pandas as pd

    check_fitted(topic_model)
    known = topic_model.get_topic_freq()
    known = known.loc[known["Topic"] >= 0, "Topic"].tolist()  # the largest first
    if topics is None:
        chosen = sorted(known[:top_n_topics])
    else:
        chosen = sorted({int(topic) for topic in check_each(topics, TOPIC, "topics")})
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise ValueError(f"topics has {unknown[0]}, which is none of the model's {len(known)}.")
    if not chosen:
        raise ValueError("topic_model has no topics to draw: all documents are outliers.")
    labels = topic_model.custom_labels_ if custom_labels else None
    names = [
        " | ".join(word for word, _ in topic_model.get_topic(topic)[:5])
        if labels is None
        else labels[topic + topic_model._outliers]  # noqa: SLF001
        for topic in chosen
    ]
    vectors = topic_vectors(topic_model, chosen, use_ctfidf=use_ctfidf)
    places = layout_documents(vectors, random_state=random_state)
    table = pd.DataFrame(
        {
            "x": places[:, 0].astype(np.float64),
            "y": places[:, 1].astype(np.float64),
            "Topic": chosen,
            "Words": [plain(name) for name in names],
            "Size": [topic_model.topic_sizes_[topic] for topic in chosen],
        }
    )
    return _plotly_topic_visualization(table, chosen, plain(title), width, height)
