"""A topic model and its documents -> one HTML file to walk through the topics, offline."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bertopic_matryoshka._constraints import (
    PATH,
    TOPIC_MODEL,
    check_arguments,
    check_fitted,
    instance,
    seed,
    whole,
)
from bertopic_matryoshka._validation import embeddings_array, list_of_strings
from bertopic_matryoshka.report._page_contents import Sample, page_contents, sample_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bertopic import BERTopic
    from numpy.typing import ArrayLike

ECHARTS = "echarts/echarts.common.min.js"
"""Apache ECharts 6.1.0, from the npm package of this name; its licence lies beside it."""


def write_topic_page(
    topic_model: BERTopic,
    documents: Iterable[str],
    path: str | Path,
    *,
    embeddings: ArrayLike | None = None,
    title: str = "Topics",
    sample_size: int = 10_000,
    random_state: int | None = 0,
) -> Path:
    """Write the topics as a page: a map of the documents beside a list to search and open.

    Each topic has its words, its size, its group, the topics nearest to it, and example documents.
    A click on a document of the map opens its topic, and an open topic is marked on the map. The
    page is one HTML file, opens offline and sends nothing; a phone shows it too. It holds the
    beginnings of the documents on the map, and the examples.

    Parameters
    ----------
    topic_model : BERTopic
        Fitted. With topics that have names, see BERTopic's ``set_topic_labels``, it shows these.
    documents : iterable of str of length n_documents
        Those of the fit, in the same order.
    path : str or Path
        Overwritten if it exists.
    embeddings : array-like of shape (n_documents, n_dims) or None, default=None
        Of the documents; only the rows on the map are read. None embeds these with the model.
    title : str, default="Topics"
    sample_size : int, default=10000
        Number of documents on the map, >= 1, drawn at random, at least one of each topic; all if
        there are fewer. The page says how many there are. Time and size grow with it, and hardly
        with the number of documents.
    random_state : int or None, default=0
        Seed of the sample and of the layout, see :func:`layout_documents`.

    Returns
    -------
    path : Path

    Raises
    ------
    TypeError, ValueError
        If documents or embeddings are not those of the fit, or `embeddings` is None and the model
        has no embedding model.

    See Also
    --------
    write_topic_map : A map with topic names by level, for LeidenClustering.
    visualize_documents : BERTopic's figure.

    Examples
    --------
    After ``topic_model.fit(docs, embeddings)``::

        write_topic_page(topic_model, docs, "topics.html", embeddings=embeddings)
    """
    check_arguments(
        locals(),
        topic_model=TOPIC_MODEL,
        path=PATH,
        title=instance(str, words="a string"),
        sample_size=whole(1),
        random_state=seed(),
    )
    from jinja2 import Environment, PackageLoader, StrictUndefined

    sample = draw_sample(topic_model, documents, embeddings, sample_size, random_state)
    shown = page_contents(topic_model, sample, random_state)
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Within a script, "<" is all that could end it; other scripts than Latin stay short.
    data = json.dumps(shown.pop("data"), ensure_ascii=False, separators=(",", ":"))
    page = environment.get_template("topic_page.html.jinja").render(
        shown,
        title=title,
        data=data.replace("<", r"\u003c"),
        echarts=files(__package__).joinpath(ECHARTS).read_text("utf-8"),
    )
    path = Path(path)
    path.write_text(page, "utf-8")
    return path


def draw_sample(
    topic_model: BERTopic,
    documents: Iterable[str],
    embeddings: ArrayLike | None,
    sample_size: int,
    random_state: int | None,
) -> Sample:
    """Check that documents and embeddings are those of the fit, and take some of them.

    Raises
    ------
    TypeError, ValueError
        See :func:`write_topic_page`.
    """
    check_fitted(topic_model)
    labels = topic_model.topics_
    texts = list_of_strings(documents)
    if len(texts) != len(labels):
        raise ValueError(
            f"documents has {len(texts)} texts and must have the {len(labels)} of the fit."
        )
    rows = sample_rows(np.asarray(labels), sample_size, random_state)
    drawn = [texts[row] for row in rows.tolist()]
    if embeddings is None:
        if topic_model.embedding_model is None:
            raise ValueError("embeddings=None needs a topic_model with an embedding model.")
        found = topic_model._extract_embeddings(drawn, method="document")  # noqa: SLF001
    else:
        found = embeddings_array(embeddings, n_documents=len(texts))[rows]
    return Sample(rows, drawn, np.asarray(found))
