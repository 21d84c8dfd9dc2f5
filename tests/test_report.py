"""The report: one file, offline, the verdict first."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from plotly.offline import get_plotlyjs
from test_figures import NAN, make_cell, make_comparison

from bertopic_matryoshka.report import SMALLEST_MATCH, pair_topics, write_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DASH = "\N{EN DASH}"


class Page(HTMLParser):
    """The text of a page, its elements, and its tables row by row."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.texts, self.rows, self.strong = [], [], [], []
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
            return
        self.texts.append(data)
        if "strong" in self.inside:
            self.strong.append(data)
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


# ---- the file


def test_the_file_refers_to_nothing_outside(report, tmp_path):
    comparison = make_comparison(make_cell(8), make_cell(4), make_cell(8, "umap"))
    assert comparison.to_html(str(tmp_path / "r.html")) == tmp_path / "r.html"
    html = report(comparison)
    assert not re.search(r"https?:|url\(|@import", html)
    for tag, attributes in Page(html).elements:
        assert tag not in ("link", "img", "iframe")
        assert not {"src", "href"} & set(attributes)


def test_the_words_come_first(report):
    text = Page(report(make_comparison(make_cell(8), make_cell(4, coherence=0.3)))).text
    headings = ["Keep 4 of 8 dimensions", "Compared on 6 documents", "Quality and cost by width"]
    headings += ["Variance of the full", "All measurements", "Topics side by side", "Made with"]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)


def test_topic_words_and_names_are_text_and_no_markup(report):
    words = ("<b>bold</b>", "</script><script>alert(1)</script>", '"&amp;')
    comparison = make_comparison(
        make_cell(8, words=words),
        make_cell(4, words=words),
        model="<i>model</i>",
        made_with={"<u>": "<s>"},
    )
    html = report(comparison)
    page = Page(html)
    assert not {"b", "i", "u", "s"} & {tag for tag, attrs in page.elements if not attrs}
    assert "alert(1)</script>" not in html
    for text in (*words, "<i>model</i>", "<u>", "<s>"):
        assert text in page.text


# ---- what it says


def test_every_reduction_has_its_verdict_with_its_cautions(report):
    comparison = make_comparison(
        make_cell(8, coherence=0.30, document_topics=[0, 0, -1, -1, -1, -1]),
        make_cell(8, "umap", coherence=0.10, coherence_error=0.05),
        make_cell(4, "umap", coherence=0.08),
        umap_compile_seconds=9.25,
    )
    text = Page(report(comparison)).text
    for reduction in ("variance", "umap"):
        recommendation = comparison.recommend(reduction)
        assert recommendation.reason in text
        assert all(caution in text for caution in recommendation.cautions)
    assert comparison.recommend("variance").cautions
    assert "on the first 8 and 4 of 8 dimensions (a model), with variance and umap" in text
    assert "took 1.50 s" in text
    assert "UMAP's first fit took 9.25 s" in text


def test_given_embeddings_are_said_to_be_untimed(report):
    text = Page(report(make_comparison(make_cell(8), encode_seconds=None))).text
    assert "The embeddings were given, so that encoding is not timed." in text
    assert "UMAP's first fit" not in text


def test_without_any_topic_there_is_a_report_that_says_so(report):
    nothing = {"coherence": NAN, "coherence_error": NAN, "diversity": NAN}
    cells = [make_cell(dim, document_topics=[-1] * 6, **nothing) for dim in (8, 4)]
    text = Page(report(make_comparison(*cells))).text
    assert "No width to recommend" in text
    assert "No width with reduction='variance' gave a topic that can be scored" in text
    assert "No width to keep, and so no topics to show." in text


def test_the_table_is_rounded_and_its_best_values_stand_out(report):
    comparison = make_comparison(
        make_cell(8, coherence=0.25001, reduce_seconds=1.004, ami=0.5, ari=0.25),
        make_cell(4, coherence=0.24999, reduce_seconds=1.001, ami=0.75, ari=0.25),
        make_cell(2, coherence=NAN, coherence_error=NAN, reduce_seconds=2.0, ami=0.1, ari=0.125),
    )
    page = Page(report(comparison))
    table = [row for row in page.rows if row[0].endswith("variance")]
    assert [row[1] for row in table] == ["8", "4", "2"]
    assert [row[4] for row in table] == ["0.250", "0.250", DASH]
    assert page.strong == [
        *("0.250", "0.250", "1.00"),  # what reads the same is equally good
        *("0.250", "0.750", "0.250", "1.00"),
    ]
    assert "AMI, ARI" in page.text


def test_without_labels_there_is_no_agreement(report):
    assert "AMI" not in Page(report(make_comparison(make_cell(8)))).text


def test_one_cell_makes_a_report_with_one_column_of_topics(report):
    page = Page(report(make_comparison(make_cell(8, "umap"))))
    assert "umap: 8 dimensions, the full width" in page.text
    assert [row for row in page.rows if "cat" in row[0]] == [
        ["cat, dog, word03 documents"],
        ["cat, dog, word12 documents"],
    ]
    assert page.strong == []


# ---- topics side by side

# Topic 0 keeps 3 of its 4 documents as topic 5, topic 1 becomes topic 3, topic 2 dissolves, and
# topic 4 is new.
NARROW = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1, -1]
FULL = [5, 5, 5, 3, 3, 3, 3, -1, -1, 4, 4]


def test_topics_are_matched_by_their_documents():
    pairs = pair_topics(make_cell(4, document_topics=NARROW), make_cell(8, document_topics=FULL))
    found = [(p.topic and p.topic.id, p.other and p.other.id, p.share) for p in pairs]
    assert found == [(0, 5, 3 / 4), (1, 3, 3 / 4), (2, None, 0), (None, 4, 0)]


def test_topics_that_share_next_to_nothing_are_not_matched():
    full = np.repeat([0, 1], [20, 20])
    narrow = np.where(np.arange(40) < 1, 0, -1)  # one document of topic 0's twenty
    assert SMALLEST_MATCH > 1 / 20
    pairs = pair_topics(make_cell(4, document_topics=narrow), make_cell(8, document_topics=full))
    assert [pair.share for pair in pairs] == [0, 0, 0]


def test_a_width_without_topics_matches_nothing():
    nothing, full = make_cell(4, document_topics=[-1] * 11), make_cell(8, document_topics=FULL)
    assert [(p.topic, p.other.id) for p in pair_topics(nothing, full)] == [
        *((None, 3), (None, 5), (None, 4)),
    ]
    assert [(p.topic.id, p.other) for p in pair_topics(full, nothing)] == [
        *((3, None), (5, None), (4, None)),
    ]


def test_the_report_shows_matched_topics_beside_each_other_and_says_which_stand_alone(report):
    comparison = make_comparison(
        make_cell(8, document_topics=FULL), make_cell(4, document_topics=NARROW)
    )
    page = Page(report(comparison))
    assert page.rows[-4:] == [
        ["cat, dog, word04 documents", "75%", "cat, dog, word53 documents"],
        ["cat, dog, word13 documents", "75%", "cat, dog, word34 documents"],
        ["cat, dog, word22 documents", DASH, "no counterpart"],
        ["no counterpart", DASH, "cat, dog, word42 documents"],
    ]
    assert "3 topics at 4 dimensions; 2 of them have a counterpart among the 3 at 8." in page.text


def test_the_ten_largest_topics_are_shown(report):
    many = np.repeat(np.arange(12), 3)
    comparison = make_comparison(
        make_cell(8, document_topics=many), make_cell(4, document_topics=many)
    )
    page = Page(report(comparison))
    assert [row[1] for row in page.rows if row[0].startswith("cat")] == ["100%"] * 10
    assert "12 topics at 4 dimensions, the 10 largest shown; 12 of them" in page.text


# ---- in a browser


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on this machine")
def test_wide_and_narrow_pages_do_not_overflow_and_draw_their_figures(tmp_path):
    """Show the report in two frames, as Chromium's windows are never narrower than 500 px."""
    umap = [make_cell(dim, "umap", ami=0.1, ari=0.1) for dim in (8, 4)]
    html = write_report(
        make_comparison(*umap, make_cell(8, ami=0.1, ari=0.1, words=["word" * 9] * 10)),
        tmp_path / "report.html",
    ).read_text("utf-8")
    measure = """<script>addEventListener("load", () => setTimeout(() => {
      const root = document.documentElement, traces = document.querySelectorAll(".trace");
      parent.postMessage([innerWidth, root.scrollWidth, traces.length].join(" "), "*");
    }, 500))</script></body>"""
    (tmp_path / "report.html").write_text(html.replace("</body>", measure), "utf-8")
    (tmp_path / "frames.html").write_text(
        """<body><script>addEventListener("message", message => {
          document.body.append(Object.assign(document.createElement("p"), {textContent: message.data}));
        })</script>
        <iframe src="report.html" style="width:1280px; height:1600px; border:0"></iframe>
        <iframe src="report.html" style="width:420px; height:1600px; border:0"></iframe></body>""",
        "utf-8",
    )
    picture = tmp_path / "frames.png"
    for i, task in enumerate(("--dump-dom", f"--screenshot={picture}")):
        done = subprocess.run(
            [
                *(CHROMIUM, *CHROMIUM_FLAGS, task, f"--user-data-dir={tmp_path / f'profile{i}'}"),
                *("--window-size=1760,1600", "--virtual-time-budget=5000"),
                (tmp_path / "frames.html").as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        if task == "--dump-dom":
            measured = sorted(re.findall(r"<p>(\d+) (\d+) (\d+)</p>", done.stdout))
    # Two reductions in four panels, and the spectrum's dimensions.
    assert measured == [("1280", "1280", "9"), ("420", "420", "9")]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 50_000


def test_the_clustering_is_named(tmp_path):
    comparison = make_comparison(make_cell(64), make_cell(64, "umap"))
    text = comparison.to_html(tmp_path / "report.html").read_text("utf-8")
    assert "Topics by LeidenClustering." in text
    assert "Topics by HDBSCAN." in text
