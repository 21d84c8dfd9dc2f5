"""The report: one file, offline, in which no text is markup."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import zlib
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, FLAGS, needs_chromium
from made_runs import (
    MODEL,
    make_comparison,
    make_condition,
    make_model,
    make_replicates,
    make_run,
)
from plotly.offline import get_plotlyjs

import bertopic_matryoshka
from bertopic_matryoshka import write_report

DASH = "\N{EN DASH}"
PACKAGE = Path(bertopic_matryoshka.__file__).parent
MARKUP = re.compile(r"</?[a-zA-Z][\w-]*(\s[^<>]*)?/?>|&(#\d+|[a-z]+);")


class Page(HTMLParser):
    """The text of a page, its elements, scripts, and its tables row by row."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self.rows, self.data = [], [], [], []
        self.inside = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.inside.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag

    def handle_data(self, data):
        if self.inside and self.inside[-1] in ("script", "style"):
            self.data.append(data)
            return
        self.texts.append(data)
        if "td" in self.inside or "th" in self.inside:
            self.rows[-1][-1] += data

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture
def report(tmp_path):
    """Write a report, and give its HTML without the plotly.js in it."""

    def write(comparison):
        html = write_report(comparison, tmp_path / "report.html").read_text("utf-8")
        assert html.count(get_plotlyjs()) == 1
        return html.replace(get_plotlyjs(), "")

    return write


def drawn(page):
    """Give the traces of the map."""
    return next(json.loads(data)["data"] for data in page.data if '"customdata"' in data)


# ---- the file


def test_the_file_refers_to_nothing_outside(report, tmp_path):
    comparison = make_comparison(make_run(8), make_run(4), make_run(8, "UMAP"))
    assert write_report(comparison, str(tmp_path / "r.html")) == tmp_path / "r.html"
    html = report(comparison)
    assert not re.search(r"https?:|url\(|@import", html)
    for tag, attributes in Page(html).elements:
        assert tag not in ("link", "img", "iframe")
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")


def test_what_tells_widths_apart_comes_first(report):
    html = report(make_comparison(make_run(8), make_run(4, coherence=0.3)))
    text = Page(re.sub(r"<nav.*</nav>", "", html)).text
    headings = ["6 documents, 1 seed.", "Too few data or seeds to tell", "Topics kept"]
    headings += ["Why", "The largest topics", "cat, dog, word0 3", "coherence ↑"]
    headings += ["Quality and cost by width", "Topics side by side", "The documents on a map"]
    headings += ["Variance of the", "Further measurements", "What the terms mean"]
    headings += ["Topic models", "Made with"]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)


def test_the_table_of_contents_leads_to_every_section(report):
    html = report(make_comparison(make_run(8), make_run(4)))
    places = [of["href"][1:] for tag, of in Page(html).elements if tag == "a"]
    headings = {of.get("id") for tag, of in Page(html).elements if tag == "h2"}
    assert set(places) == headings - {None}
    assert len(set(places)) == 8


def test_the_answer_is_the_first_line_and_its_reason_is_folded(report):
    runs = [make_run(8), make_run(4)]
    replicates = [*make_replicates(8), *make_replicates(4)]
    comparison = make_comparison(*runs, replicates=replicates)
    html = report(comparison)
    found = comparison.recommend()
    text = Page(html).text
    assert found.dim == 4
    assert text.index(found.headline) < text.index("topic agreement ↑")
    assert re.search(
        rf"<details>\s*<summary>Why</summary>\s*<p>{re.escape(escape(str(found), quote=False))}",
        html,
    )


# ---- texts are no markup

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def test_words_and_names_are_text(report):
    words = ("<b>bold</b>", HOSTILE, '"&amp;')
    name = "<i>model</i>"
    comparison = make_comparison(
        make_run(8, name, words=words),
        make_run(4, name, words=words),
        make_run(8, words=words),
        conditions={name: make_condition(embedding_model="<em>&")},
        provenance={"<u>": "<s>"},
    )
    html = report(comparison)
    page = Page(html)
    assert not {"b", "u", "s", "img", "em"} & {tag for tag, _ in page.elements}
    assert "<i>model" not in html
    assert "<script>alert" not in html
    for text in (*words, name, "<em>&", "<u>", "<s>"):
        assert text in page.text


def test_a_document_cannot_end_the_script_that_holds_it(report):
    """Forty documents are on the map; the page has the scripts of a page of harmless ones."""
    runs = [make_run(dim, document_topics=MANY) for dim in (8, 4)]
    harmless, hostile = (
        Page(report(mapped(*runs, documents=[text] * 40))) for text in ("text", HOSTILE)
    )
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    assert {text for trace in drawn(hostile) for _, text, _ in trace["customdata"]} == {HOSTILE}


def test_python_holds_no_markup():
    """HTML stands in the template, which escapes what is put into it."""
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in docstrings:
                assert not MARKUP.search(str(node.value)), f"{path.name}:{node.lineno}"


# ---- topics side by side

# Topic 5 keeps 3 of its 4 documents as topic 0, topic 3 becomes topic 1, topic 4 dissolves, and
# topic 2 is new.
FULL = [5, 5, 5, 3, 3, 3, 3, -1, -1, 4, 4]
NARROW = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1]


def test_matched_topics_are_beside_each_other_and_others_stand_alone(report):
    comparison = make_comparison(
        make_run(8, document_topics=FULL), make_run(4, document_topics=NARROW)
    )
    page = Page(report(comparison))
    assert [row for row in page.rows if re.search(r"\d documents", row[0] + row[-1])] == [
        ["cat, dog, word34 documents", "75%", "cat, dog, word13 documents"],
        ["cat, dog, word53 documents", "75%", "cat, dog, word04 documents"],
        ["cat, dog, word42 documents", DASH, "no counterpart"],
        ["no counterpart", DASH, "cat, dog, word22 documents"],
    ]
    assert "2 of 3 topics at 8 dimensions have a counterpart among 3 at 4" in page.text


def test_a_single_width_has_its_topics(report):
    page = Page(report(make_comparison(make_run(8, "UMAP"))))
    assert [row for row in page.rows if row[0].startswith("cat")] == [
        ["cat, dog, word0", "3"],
        ["cat, dog, word1", "2"],
    ]
    assert "details" not in {tag for tag, _ in page.elements}


def test_all_topics_are_there_on_request(report):
    topics = np.repeat(np.arange(13), np.arange(20, 7, -1))
    html = report(make_comparison(make_run(8, document_topics=topics)))
    before, _, folded = html.partition("<summary>The other 3 topics</summary>")
    assert "cat, dog, word9" in before
    for i in range(10, 13):
        assert f"cat, dog, word{i}" not in before
        assert f"cat, dog, word{i}" in folded


def test_without_any_topic_there_is_a_report_that_says_so(report):
    nothing = dict.fromkeys(("coherence", "diversity", "inverted_rbo", "balance"), float("nan"))
    runs = [make_run(dim, document_topics=[-1] * 6, **nothing) for dim in (8, 4)]
    text = Page(report(make_comparison(*runs))).text
    assert "No topics were found at any width." in text
    assert "No topics at 8 dimensions." in text


def test_controls_are_said_to_be_controls(report):
    comparison = make_comparison(
        make_run(8),
        make_run(2),
        make_run(2, "permuted"),
        conditions={"permuted": make_condition(is_permuted=True)},
        controls=("permuted",),
    )
    page = Page(report(comparison))
    assert [row for row in page.rows if "control" in row[0]]
    assert "Controls: permuted." in page.text
    assert "Controls are dashed." in page.text
    headings = [text.strip() for text in page.texts]
    assert headings.count("permuted") == headings.count("selection") - 1  # no topics of its own


# ---- maps

MANY = np.repeat([0, 1, 2, -1], 10)


def mapped(*runs, **changes):
    """Make a comparison of forty documents."""
    values = {
        "n_documents": 40,
        "embedding_models": {MODEL: make_model(n_documents=40)},
        "documents": ["a document"] * 40,
    }
    return make_comparison(*runs, **{**values, **changes})


def test_documents_are_on_a_map_at_the_widest_and_the_narrowest(report):
    comparison = mapped(*(make_run(dim, document_topics=MANY) for dim in (8, 4, 2)))
    page = Page(report(comparison))
    assert "All documents, coloured by the largest topics of selection at 8 dim" in page.text
    assert "their counterparts at 2, the narrowest." in page.text
    assert sum(len(trace["x"]) for trace in drawn(page)) == 2 * 40
    figure = next(json.loads(data) for data in page.data if '"customdata"' in data)
    names = [a["text"] for a in figure["layouts"][0]["annotations"] if a.get("name") == "topic"]
    assert names == ["cat, dog"] * 3 * 2


def test_few_documents_have_no_map(report):
    html = report(make_comparison(make_run(8), make_run(4)))
    assert "No map: 6 documents are too few." in html
    assert 'data-of="map"' not in html.replace('[data-of="map"]', "")
    assert "t-SNE" not in html


# ---- in a browser

MEASURE = """<script>addEventListener("load", () => setTimeout(() => {
  const root = document.documentElement, map = document.querySelector('[data-of="map"]');
  map.scrollIntoView();
  const point = map.querySelector(".plot.xy .point, .xy .point").getBoundingClientRect();
  map.querySelector(".nsewdrag").dispatchEvent(new MouseEvent("mousemove", {
    bubbles: true, clientX: point.x + point.width / 2, clientY: point.y + point.height / 2,
  }));
  setTimeout(() => parent.postMessage([
    innerWidth, root.scrollWidth, document.querySelectorAll(".trace").length,
    getComputedStyle(document.body).color,
    map.querySelector(".ring").offsetWidth, map.querySelector(".tip").textContent,
  ].join(" | "), "*"), 500);
}, 500))</script></body>"""


@needs_chromium
@pytest.mark.parametrize(
    ("scheme", "paper", "ink"),
    [(1, (255, 255, 255), "rgb(29, 35, 41)"), (0, (20, 24, 28), "rgb(227, 231, 235)")],
    ids=["light", "dark"],
)
def test_the_page_fits_wide_and_narrow_windows_and_draws_its_figures(tmp_path, scheme, paper, ink):
    """Show the report in two frames, as Chromium's windows are never narrower than 500 px."""
    runs = [
        *(make_run(dim, "UMAP", ami=0.1, ari=0.1, document_topics=MANY) for dim in (8, 4)),
        make_run(8, ami=0.1, ari=0.1, words=["word" * 9] * 10, document_topics=MANY),
    ]
    comparison = mapped(*runs, documents=[HOSTILE] * 40)
    html = write_report(comparison, tmp_path / "report.html").read_text("utf-8")
    (tmp_path / "report.html").write_text(html.replace("</body>", MEASURE), "utf-8")
    (tmp_path / "frames.html").write_text(
        """<body style="margin: 0"><script>addEventListener("message", message => {
          document.body.append(Object.assign(document.createElement("p"), {textContent: message.data}));
        })</script>
        <iframe src="report.html" style="width:1200px; height:1600px; border:0"></iframe>
        <iframe src="report.html" style="width:380px; height:1600px; border:0"></iframe></body>""",
        "utf-8",
    )
    picture = tmp_path / "frames.png"
    for i, task in enumerate(("--dump-dom", f"--screenshot={picture}")):
        done = subprocess.run(
            [
                *(CHROMIUM, *FLAGS, task, f"--user-data-dir={tmp_path / f'profile{i}'}"),
                *("--window-size=1640,1600", "--virtual-time-budget=5000"),
                f"--blink-settings=preferredColorScheme={scheme}",
                (tmp_path / "frames.html").as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )
        if task == "--dump-dom":
            measured = sorted(re.findall(r"<p>(\d.*?)</p>", done.stdout))
    # Coherence's band, bar and two lines; three panels by line and two by model; topics and
    # outliers on two maps; the spectrum.
    traces = 4 + 3 * 2 + 2 + 2 * 4 + 1
    found = f"{traces} | {ink} | 18 | outlier{escape(HOSTILE, quote=False)}"
    assert measured == [f"{width} | {width} | {found}" for width in (1200, 380)]
    assert picture.stat().st_size > 50_000
    assert first_pixel(picture) == paper


def first_pixel(picture):
    """Read the colour of a PNG's first pixel, which no filter changes."""
    content = picture.read_bytes()
    place, data = 8, b""
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] == b"IDAT":
            data += content[place + 8 : place + 8 + size]
        place += size + 12
    return tuple(zlib.decompressobj().decompress(data, 4)[1:])
