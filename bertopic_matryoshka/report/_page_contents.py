"""A topic model and its documents -> all that the topic page shows, as texts, lists and dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.preprocessing import normalize

from bertopic_matryoshka.report._data import count
from bertopic_matryoshka.report._layout import layout_documents, nearest_to_median
from bertopic_matryoshka.report._map import TOPIC_COLORS
from bertopic_matryoshka.report._styles import GRAY
from bertopic_matryoshka.topics import TopicGroup, group_topics, topic_vectors

if TYPE_CHECKING:
    from bertopic import BERTopic
    from numpy.typing import NDArray

N_WORDS, N_NAMED = 10, 3
"""Number of words of a topic, and of those in its name."""

N_EXAMPLES, N_NEAREST = 3, 3
"""Number of example documents of a topic, and of its nearest topics."""

MAP_CHARACTERS, EXAMPLE_CHARACTERS = 150, 500
"""Characters of a document on the map, and of an example: what keeps the page small."""

PER_GROUP, FEWEST_GROUPS = 3, 3
"""Mean number of topics of a group, at least, and number of groups, at least."""

MAP_UNITS = 10_000
"""Places on the map are whole numbers up to this one: finer than a screen, and short to write."""


class Sample(NamedTuple):
    """The documents on the map.

    Attributes
    ----------
    rows : ndarray of shape (n_sampled,), int
        Ascending.
    texts : list of str of length n_sampled
    embeddings : ndarray of shape (n_sampled, n_dims)
    """

    rows: NDArray[np.intp]
    texts: list[str]
    embeddings: NDArray[Any]


def sample_rows(
    labels: NDArray[np.int_], sample_size: int, random_state: int | None
) -> NDArray[np.intp]:
    """Draw documents at random, but at least one of each topic while there is room."""
    order = np.random.default_rng(random_state).permutation(labels.size)
    if labels.size > sample_size:
        _, first = np.unique(labels[order], return_index=True)
        order = np.concatenate([order[np.sort(first)], np.delete(order, first)])[:sample_size]
    return np.sort(order)


def page_contents(
    topic_model: BERTopic, sample: Sample, random_state: int | None
) -> dict[str, Any]:
    """Prepare what the template shows; it escapes each text itself.

    Returns
    -------
    contents : dict
        "summary" and "caption", sentences; "groups", each with its topics, for the list; "data",
        for the script: places, topics and beginnings of the documents on the map.
    """
    labels = np.asarray(topic_model.topics_)
    found, counts = np.unique(labels, return_counts=True)
    sizes = dict(zip(found.tolist(), counts.tolist(), strict=True))
    n_outliers = sizes.pop(-1, 0)
    topics = sorted(sizes, key=lambda topic: -sizes[topic])
    groups = _groups(topic_model, topics, sizes)
    names = {topic: _name(topic_model, topic) for topic in topics}
    colors = _colors(groups, topics)
    nearest = _nearest(topic_model, topics)
    drawn = labels[sample.rows]
    places = _whole_numbers(layout_documents(sample.embeddings, random_state=random_state))

    def entry(topic: int) -> dict[str, Any]:
        return {
            "id": topic,
            "name": names[topic],
            "color": colors[topic],
            "words": ", ".join(_words(topic_model, topic)),
            "n": f"{sizes[topic]:,}",
            "size": count(sizes[topic], "document"),
            "share": f"{sizes[topic] / labels.size:.1%}",
            "of_largest": f"{sizes[topic] / sizes[topics[0]]:.1%}",
            "nearest": [(other, names[other]) for other in nearest[topic]],
            "examples": _examples(topic_model, topic, sample, drawn),
        }

    return {
        "summary": _summary(labels.size, len(topics), n_outliers),
        "caption": _caption(sample.rows.size, labels.size),
        "groups": [
            {
                "words": ", ".join(group.words),
                "size": count(group.size, "document"),
                "topics": [entry(topic) for topic in group.topics],
            }
            for group in groups
        ],
        "data": {
            "places": places.tolist(),
            "topics": drawn.tolist(),
            "texts": [shorten(text, MAP_CHARACTERS) for text in sample.texts],
            "names": [
                {
                    "id": topic,
                    "name": names[topic],
                    "color": colors[topic],
                    "size": sizes[topic],
                    "place": _name_place(places[drawn == topic]),
                }
                for topic in topics
            ],
        },
    }


def shorten(text: str, n_characters: int) -> str:
    """Give the beginning of a text in one line."""
    beginning = text[: 4 * n_characters]  # enough, unless it is mostly white space
    line = " ".join(beginning.split())
    if len(line) <= n_characters and len(beginning) == len(text):
        return line
    return f"{line[: n_characters - 1].rstrip()}…"


def _summary(n_documents: int, n_topics: int, n_outliers: int) -> str:
    text = f"{count(n_documents, 'document')}, {count(n_topics, 'topic')}"
    if n_outliers:
        text += (
            f"; {count(n_outliers, 'document')} without a topic ({n_outliers / n_documents:.0%})"
        )
    return f"{text}."


def _caption(n_drawn: int, n_documents: int) -> str:
    if n_drawn == n_documents:
        which = f"All {n_documents:,} documents"
    else:
        which = (
            f"{n_drawn:,} of {n_documents:,} documents, drawn at random, at least one of each topic"
        )
    return f"{which}. Near is alike; distances between groups say little."


def _words(topic_model: BERTopic, topic: int) -> list[str]:
    words = [word for word, _ in topic_model.get_topic(topic) if word][:N_WORDS]
    return words or ["no words"]


def _name(topic_model: BERTopic, topic: int) -> str:
    """Name a topic by its label where the user has set labels, else by its first words."""
    labels = topic_model.custom_labels_
    if labels is not None:
        return str(labels[topic + topic_model._outliers])  # noqa: SLF001
    return ", ".join(_words(topic_model, topic)[:N_NAMED])


def _groups(topic_model: BERTopic, topics: list[int], sizes: dict[int, int]) -> list[TopicGroup]:
    """Group topics, the largest first; few of them are one group without words."""
    n_groups = min(len(TOPIC_COLORS), len(topics) // PER_GROUP)
    if n_groups < FEWEST_GROUPS:
        return [TopicGroup([], topics, sum(sizes.values()))] if topics else []
    return group_topics(topic_model, topics, [sizes[topic] for topic in topics], n_groups)


def _colors(groups: list[TopicGroup], topics: list[int]) -> dict[int, str]:
    """Give the topics of a group one colour; in a single group, each of the largest has its own."""
    if len(groups) > 1:
        return {
            topic: color
            for group, color in zip(groups, TOPIC_COLORS, strict=False)
            for topic in group.topics
        }
    return dict.fromkeys(topics, GRAY) | dict(zip(topics, TOPIC_COLORS, strict=False))


def _nearest(topic_model: BERTopic, topics: list[int]) -> dict[int, list[int]]:
    """List the topics whose vectors have the largest cosines with that of each."""
    if not topics:
        return {}
    vectors = topic_vectors(topic_model, topics)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    n = min(N_NEAREST, len(topics) - 1)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
    return {
        topic: [topics[i] for i in row] for topic, row in zip(topics, order.tolist(), strict=True)
    }


def _examples(
    topic_model: BERTopic, topic: int, sample: Sample, drawn: NDArray[np.int_]
) -> list[str]:
    """Give the topic's representative documents; without them, the most central of the sample.

    A model that was loaded has none. Central are those of the largest cosine with the mean of the
    topic's documents in the sample.
    """
    texts = (topic_model.representative_docs_ or {}).get(topic)
    if not texts:
        members = np.flatnonzero(drawn == topic)
        rows = normalize(np.asarray(sample.embeddings[members], dtype=np.float64))
        nearness = rows @ rows.sum(axis=0)
        texts = [sample.texts[member] for member in members[np.argsort(-nearness, kind="stable")]]
    distinct = dict.fromkeys(shorten(text, EXAMPLE_CHARACTERS) for text in texts)
    return list(distinct)[:N_EXAMPLES]


def _whole_numbers(places: NDArray[np.floating]) -> NDArray[np.int_]:
    """Scale places to whole numbers from 0, the same on both axes."""
    low = places.min(axis=0)
    span = float((places - low).max()) or 1.0
    scaled: NDArray[np.int_] = np.rint((places - low) * (MAP_UNITS / span)).astype(int)
    return scaled


def _name_place(members: NDArray[np.int_]) -> list[int] | None:
    """Place the name of a topic; None if the sample has none of its documents."""
    if not len(members):
        return None
    place: list[int] = members[nearest_to_median(members)].tolist()
    return place
