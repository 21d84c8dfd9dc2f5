"""The page of topics: what it holds, that no text is markup, and a walk through it."""

import copy
import json
import re
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest
from bertopic import BERTopic
from browser import needs_chromium, show

from bertopic_matryoshka import write_topic_page

HOSTILE = "</script><script>hacked = 1</script><img src=x onerror='hacked = 2'>{a|b} \u2028"
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text outside of scripts."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.skip = [], "", False
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.skip = tag in {"script", "style"}

    def handle_endtag(self, tag):
        self.skip = False

    def handle_data(self, data):
        self.text += "" if self.skip else data

    def of_class(self, name):
        return [attrs for _, attrs in self.elements if attrs.get("class") == name]


@pytest.fixture
def write(tmp_path, topic_model, docs, embeddings):
    """Write the page of the shared model, or of another, and give its HTML."""

    def call(model=topic_model, documents=docs, **options):
        options = {"embeddings": embeddings, **options}
        return write_topic_page(model, documents, tmp_path / "topics.html", **options).read_text(
            "utf-8"
        )

    return call


@pytest.fixture(scope="module")
def page(tmp_path_factory, topic_model, docs, embeddings):
    path = tmp_path_factory.mktemp("page") / "topics.html"
    assert write_topic_page(topic_model, docs, path, embeddings=embeddings) == path
    return path.read_text("utf-8")


def changed(topic_model, **attributes):
    """Copy a model and give it other results."""
    model = copy.copy(topic_model)
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def data_of(html):
    return json.loads(DATA.search(html)[1])


def test_each_topic_has_its_words_size_neighbours_and_examples(page, topic_model, docs):
    elements = Elements(page)
    sizes = Counter(topic_model.topics_)
    assert f"{len(docs)} documents, {len(sizes)} topics." in elements.text
    listed = [int(attrs["data-id"]) for attrs in elements.of_class("topic")]
    assert sorted(listed) == sorted(sizes)
    parts = re.split(r"<details", page)[1:]
    for topic, part in zip(listed, parts, strict=True):
        text = Elements(f"<details{part}").text
        words = [word for word, _ in topic_model.get_topic(topic)]
        assert ", ".join(words[:3]) in text
        assert f"Topic {topic}: {sizes[topic]} documents" in text
        near = Elements(part).of_class("near")
        assert len({int(attrs["data-id"]) for attrs in near} - {topic}) == 3
        examples = [
            " ".join(example.split()) for example in topic_model.get_representative_docs(topic)
        ]
        for example in examples[:3]:
            assert example[:400] in text


def test_topics_are_grouped_and_the_largest_come_first(page, topic_model):
    sizes = Counter(topic_model.topics_)
    groups = re.split(r'<section class="group">', page)[1:]
    listed = [
        [int(attrs["data-id"]) for attrs in Elements(group).of_class("topic")] for group in groups
    ]
    assert len(listed) == 3
    totals = [sum(sizes[topic] for topic in group) for group in listed]
    assert totals == sorted(totals, reverse=True)
    for group, html in zip(listed, groups, strict=True):
        assert len(group) >= 2
        assert [sizes[topic] for topic in group] == sorted(
            (sizes[topic] for topic in group), reverse=True
        )
        assert f"{len(group)} topics, {sum(sizes[topic] for topic in group)} documents" in html


def test_every_document_is_on_the_map_with_its_topic(page, topic_model, docs):
    data = data_of(page)
    assert data["topics"] == list(topic_model.topics_)
    assert [text.rstrip("…") for text in data["texts"]] == [
        " ".join(doc.split())[: len(text.rstrip("…"))]
        for doc, text in zip(docs, data["texts"], strict=True)
    ]
    assert max(map(len, data["texts"])) == 150
    assert np.ptp(data["places"]) == 10_000
    by_topic = {topic["id"]: topic for topic in data["names"]}
    for topic, size in Counter(topic_model.topics_).items():
        own = [p for p, t in zip(data["places"], data["topics"], strict=True) if t == topic]
        assert by_topic[topic]["size"] == size
        assert by_topic[topic]["place"] in own
    assert f"All {len(docs)} documents." in page


def test_the_page_is_the_same_again_and_another_seed_draws_others(write, page):
    assert write() == page
    first, again, other = (
        data_of(write(sample_size=50, random_state=seed))["texts"] for seed in (0, 0, 1)
    )
    assert first == again != other


def test_fifty_thousand_documents_make_a_small_page_that_says_so(write, topic_model, docs):
    n = 50_000
    rng = np.random.default_rng(0)
    topics = rng.choice(9, size=n)
    topics[topics == 8] = 0
    topics[7] = 8  # the only one of its topic
    documents = [f"<b>{i}</b> {docs[i % len(docs)] * 3}" for i in range(n)]
    html = write(
        changed(topic_model, topics_=topics.tolist()),
        documents,
        embeddings=rng.normal(size=(n, 4)).astype(np.float32),
    )
    assert len(html.encode()) < 6e6
    data = data_of(html)
    assert len(data["places"]) == len(data["texts"]) == 10_000
    assert set(data["topics"]) == set(range(9))
    assert "10,000 of 50,000 documents, drawn at random, at least one of each topic." in html
    assert "50,000 documents, 9 topics." in html


def test_no_text_is_markup(write, topic_model, docs):
    topics = sorted(topic_model.get_topics())
    labels = [f"<i>{topic}</i>{HOSTILE}" for topic in topics]
    examples = {topic: [HOSTILE] for topic in topics}
    hostile = changed(topic_model, representative_docs_=examples, custom_labels_=labels)
    html = write(hostile, [HOSTILE] * len(docs), title=HOSTILE)
    harmless = write(changed(hostile, custom_labels_=["label"] * len(topics)), title="a")
    found, expected = (
        Counter(tag for tag, _ in Elements(page).elements) for page in (html, harmless)
    )
    # Its examples are as many: hostile ones are one per topic, as equal texts are listed once.
    assert found == expected
    assert not {"img", "i>"} & set(found)
    assert data_of(html)["texts"] == [" ".join(HOSTILE.split())] * len(docs)
    assert {topic["name"] for topic in data_of(html)["names"]} == set(labels)


def test_the_page_refers_to_nothing_outside(page):
    for tag, attributes in Elements(page).elements:
        assert tag not in {"link", "img", "iframe"}
        assert not {"src", "href"} & set(attributes)
    assert "default-src 'none'" in page
    assert "Licensed to the Apache Software Foundation" in page


def test_a_loaded_model_shows_central_documents(write, topic_model, docs, embeddings):
    """The documents of a saved model are not saved; those given are known."""
    html = write(changed(topic_model, representative_docs_={}))
    rows = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    labels = np.asarray(topic_model.topics_)
    text = Elements(html).text
    for topic in set(topic_model.topics_):
        members = np.flatnonzero(labels == topic)
        nearest = members[(rows[members] @ rows[members].sum(axis=0)).argmax()]
        assert " ".join(docs[nearest].split())[:300] in text


def test_few_topics_are_not_grouped_and_none_is_said(write, topic_model, docs):
    few = [topic % 2 for topic in topic_model.topics_]
    html = write(changed(topic_model, topics_=few))
    assert "<h2>" not in html
    colors = {topic["color"] for topic in data_of(html)["names"]}
    assert len(colors) == 2
    html = write(changed(topic_model, topics_=[-1] * len(docs)))
    assert f"{len(docs)} documents, 0 topics; {len(docs)} documents without a topic (100%)." in html
    assert "No topics were found: all documents are outliers." in html


def test_documents_are_embedded_where_no_embeddings_are_given(
    write, page, topic_model, docs, encoded
):
    html = write(embeddings=None, sample_size=60)
    assert sorted(encoded) == sorted(set(encoded))
    assert set(encoded) <= set(docs)
    assert len(data_of(html)["texts"]) == 60


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"documents": ["a"]}, ValueError, "documents has 1 texts and must have the"),
        ({"documents": "text"}, TypeError, "is a single string"),
        ({"embeddings": np.eye(3)}, ValueError, "one row for each"),
        ({"sample_size": 0}, ValueError, "sample_size=0 must be at least 1"),
        ({"title": None}, TypeError, "title=None must be a string"),
        ({"model": "model"}, TypeError, "topic_model='model' must be a BERTopic"),
        ({"model": BERTopic()}, ValueError, "topic_model is not fitted"),
    ],
)
def test_wrong_arguments(write, options, error, message):
    with pytest.raises(error, match=message):
        write(**options)


# ---- in a browser

WALK = """
  const seen = {};
  const canvas = document.querySelector("#map canvas"), box = () => canvas.getBoundingClientRect();
  const ink = () => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 3; i < data.length; i += 4) n += data[i] > 0;
    return n;
  };
  const at = document_ => {
    const [x, y] = chart.convertToPixel({gridIndex: 0}, places[document_]);
    return {bubbles: true, clientX: box().x + x, clientY: box().y + y};
  };
  const press = (place, types) => types.forEach(type => canvas.dispatchEvent(new MouseEvent(type, place)));
  const type = text => { search.value = text; search.dispatchEvent(new Event("input")); };
  const overflows = () => document.documentElement.scrollWidth > innerWidth;
  seen.draws = ink() > 1000;
  seen.overflows = overflows();
  seen.names = chart.getOption().series.at(-1).data.length > 0;
  type("sparse");
  seen.topics = document.querySelectorAll(".topic:not([hidden])").length;
  seen.documents = marked.length;
  seen.said = byId("found").textContent;
  document.querySelector("#documents button").click();
  seen.opened = chosen === topics[marked[0]] && detailsOf.get(chosen).open;
  addEventListener("keydown", () => 0);
  document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}));
  seen.back = chosen === null && search.value === "" && !document.querySelector(".topic[hidden], .topic[open]");
  await wait(100);
  // A document whose place no name covers.
  const target = topics.findIndex((topic, i) => nearestTo(...chart.convertToPixel({gridIndex: 0}, places[i]), 1) === i && !names.some(({place}) => Math.abs(chart.convertToPixel({gridIndex: 0}, place)[1] - chart.convertToPixel({gridIndex: 0}, places[i])[1]) < 30));
  press(at(target), ["mousemove"]);
  seen.tip = byId("tip").textContent === nameOf.get(topics[target]) + texts[target];
  press(at(target), ["mousedown", "mouseup", "click"]);
  await wait(100);
  seen.clicked = chosen === topics[target] && detailsOf.get(chosen).open && card.textContent.includes(texts[target]);
  byId("to-topic").click();
  seen.focused = document.activeElement === detailsOf.get(chosen).querySelector("summary");
  document.querySelector(".topic[open] .show").click();
  const {top, bottom} = box();
  seen.on_the_map = bottom > 100 && top < innerHeight;
  document.querySelector(".topic[open] .near").click();
  await wait(100);
  seen.nearest = chosen !== topics[target] && document.querySelectorAll(".topic[open]").length === 1;
  byId("closer").click();
  const [{start, end}] = chart.getOption().dataZoom;
  seen.zoomed = end - start > 60 && end - start < 65;
  byId("clear").click();
  seen.cleared = chosen === null && byId("chosen").hidden;
  seen.overflows ||= overflows();
  seen.requests = performance.getEntriesByType("resource").length;
  seen.hacked = typeof hacked;
  seen.errors = errors;
  seen.ink = getComputedStyle(document.body).color;
  report(JSON.stringify(seen));
"""


@needs_chromium
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_walk_through_the_page(write, topic_model, docs, tmp_path, dark):
    texts = [HOSTILE, *docs[1:-1], "longword" * 60]
    for found in show(write(documents=texts), tmp_path, WALK, dark=dark):
        seen = json.loads(found)
        n_topics, n_documents = seen.pop("topics"), seen.pop("documents")
        words = [" ".join(w for w, _ in topic_model.get_topic(t)) for t in range(9)]
        assert n_topics == sum("sparse" in text for text in words) > 0
        assert n_documents == sum("sparse" in " ".join(t.split())[:149].lower() for t in texts)
        plural = "" if n_topics == 1 else "s"
        listed = ", of which 20 are listed" if n_documents > 20 else ""
        assert seen == {
            "draws": True,
            "overflows": False,
            "names": True,
            "said": f"{n_topics} topic{plural}, {n_documents} documents on the map{listed}",
            "opened": True,
            "back": True,
            "tip": True,
            "clicked": True,
            "focused": True,
            "on_the_map": True,
            "nearest": True,
            "zoomed": True,
            "cleared": True,
            "requests": 0,
            "hacked": "undefined",
            "errors": [],
            "ink": "rgb(227, 231, 235)" if dark else "rgb(29, 35, 41)",
        }
